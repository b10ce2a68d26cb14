/*
 * The Azure simulator: serves one world file (JSON) as Azure Resource Manager, the sign-in
 * endpoints and the instance metadata service would, over HTTP or HTTPS on loopback. It knows
 * nothing of the program it tests.
 *
 * Files: main (options), server (HTTP), stream (bodies that misbehave), gzip, log, tls, util, json,
 * world, resource, list, collect (what a list holds), derive (what Azure adds to a body), write
 * (PUT, PATCH, DELETE), errors, auth, token, identity, kqlread, kql, kqlrun, graph, fault,
 * operation (202 and polling), action (POST), power, jit, network, effective, flow, runcommand,
 * bootlog, route.
 *
 * Every request has a thread of its own (libmicrohttpd's, bounded by a connection limit); whatever
 * touches the world, the tokens or the operations holds sim->lock. Running out of memory ends the
 * simulator: it is a test tool.
 */
#ifndef SIM_H
#define SIM_H

#include <jansson.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

struct MHD_Connection;

struct sim {
	pthread_mutex_t lock;
	json_t *world;      /* the file, less its resources */
	json_t *resources;  /* lower-cased id -> ARM body with id, name and type; children lie in
			       their parents */
	json_t *tokens;     /* bearer -> {exp, nbf, aud, tid, appid, oid} */
	json_t *operations; /* operation id -> see operation.c */
	json_t *pages;      /* a Resource Graph query with more pages -> all its rows */
	struct fault *faults;
	size_t fault_count;
	unsigned long serial; /* for ids */
	char *url;            /* http(s)://HOST:PORT */
	bool tls;
	int stop_fd;             /* readable once the simulator ends: wakes every sleeper */
	struct runcommand *runs; /* Run Command jobs, see runcommand.c */
};

struct request {
	struct sim *sim;
	struct MHD_Connection *connection;
	unsigned long number; /* from 1, in order of arrival */
	double at;            /* ms since start */
	bool started, logged;
	char *method;
	char *target;    /* as on the wire */
	char *path;      /* percent-decoded, no trailing slash */
	char *query;     /* as on the wire, "" when absent */
	json_t *args;    /* query arguments, decoded, names lower-cased */
	json_t *headers; /* names lower-cased */
	char *base;      /* scheme://host as the client wrote it */
	char *body;
	size_t body_length;
	const char *auth; /* none, bearer, basic or bad: for the log */
	json_t *caller;   /* the token's entry, NULL without a good one */
};

enum stream_kind {
	STREAM_NONE,
	STREAM_DRIP,
	STREAM_TRUNCATE,
	STREAM_TRUNCATE_CHUNKED,
	STREAM_ENDLESS,
	STREAM_STALL,
	STREAM_RESET,
};

struct reply {
	unsigned status;
	json_t *json; /* the body, or NULL and then: */
	char *text;
	size_t length;
	char *content_type; /* NULL: application/json */
	json_t *headers;    /* further headers, name -> text */
	bool bom;           /* a byte order mark before the JSON */
	enum stream_kind stream;
	unsigned pace; /* drip: ms a byte; endless: bytes a second */
	size_t cut;    /* truncate: bytes sent */
};

/* util.c: text and time; what returns char * is the caller's to free and never NULL. */
char *text_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *text_copy(const char *text);
char *text_lower(const char *text);
bool text_same(const char *a, const char *b); /* case-insensitive; NULL equals nothing */
bool text_has_prefix(const char *text, const char *prefix); /* case-insensitive */
const char *text_find(const char *text, const char *part);  /* case-insensitive strstr */
char *url_decode(const char *text, size_t length, bool plus_is_blank);
char *url_encode(const char *text);
json_t *url_arguments(const char *query); /* names lower-cased, values decoded */
char *base64url(const void *data, size_t length);
char *time_iso(time_t at);
char *time_us(time_t at); /* 11/20/2026 9:00:00 PM, as ARM prints token times */
char *random_guid(void);
double clock_ms(void);                            /* monotonic, since the first call */
bool sim_sleep(const struct sim *sim, double ms); /* false when the simulator ends meanwhile */

/* json.c: paths are "a.b.c", exact names. Getters borrow. */
json_t *json_at(const json_t *from, const char *path);
const char *json_text_at(const json_t *from, const char *path); /* NULL when absent or no string */
long long json_number_at(const json_t *from, const char *path, long long otherwise);
bool json_true_at(const json_t *from, const char *path);
json_t *json_get_nocase(const json_t *object, const char *name);
json_t *json_named(const json_t *array,
		   const char *name); /* element whose name is this, case-insensitive */
json_t *json_bytes(const char *text); /* string; bytes that are no UTF-8 become '?' */
void json_put(json_t *object, const char *name, json_t *value); /* steals */
void json_put_text(json_t *object, const char *name, const char *value);
void json_put_default(json_t *object, const char *name,
		      json_t *value); /* steals; only when absent */
json_t *json_section(json_t *object,
		     const char *name); /* the object of that name, made when absent */
void json_merge_patch(json_t *target, const json_t *patch); /* RFC 7396 */

/* world.c */
int world_load(struct sim *sim, const char *path, char **why);
void world_free(struct sim *sim);
const char *world_tenant(const struct sim *sim);
void world_settle(struct sim *sim, const char *id,
		  json_t *body); /* adds a resource (steals), child into parent */

/* resource.c: ids and lookup */
struct arm {
	char *text;
	const char *segment[48];
	size_t count;
	size_t provider; /* index of the last "providers"; count when there is none */
};

int arm_parse(const char *path, struct arm *ret);
void arm_free(struct arm *arm);
const char *arm_subscription(const struct arm *arm); /* NULL when the path has none */
const char *arm_group(const struct arm *arm);
char *arm_prefix(const struct arm *arm, size_t segments); /* the path's first segments */
char *
arm_type(const struct arm *arm); /* "Microsoft.Compute/virtualMachines"; "" without provider */
bool arm_is_resource(const struct arm *arm); /* provider, then type/name pairs */
json_t *resource_find(const struct sim *sim,
		      const char *path); /* own or inside its parent; borrowed */
json_t *resource_child(const json_t *parent, const char *type, const char *name);
json_t *resource_children(const json_t *parent,
			  const char *type);          /* the array that holds them, or NULL */
void resource_identify(const char *id, json_t *body); /* fills in id, name, type */
bool subscription_exists(const struct sim *sim, const char *subscription);
bool group_exists(const struct sim *sim, const char *subscription, const char *group);
json_t *subscription_body(const struct sim *sim, const char *subscription);             /* new */
json_t *group_body(const struct sim *sim, const char *subscription, const char *group); /* new */
bool resource_type_is(const json_t *body, const char *type);

/* derive.c: what Azure adds to, or keeps out of, a stored body */
json_t *derive_body(const struct sim *sim, const json_t *body, const char *expand); /* new */
void derive_default_rules(json_t *nsg);
const char *vm_power(const json_t *vm); /* "running"; NULL when unknown */

/* list.c, collect.c */
int list_get(struct request *request, const struct arm *arm,
	     struct reply *reply); /* 0, or -ENOENT: not a list */
void list_reply(struct request *request, json_t *all, struct reply *reply); /* steals; pages it */
json_t *list_collect(const struct sim *sim,
		     const struct arm *arm); /* new array of borrowed bodies, or NULL */

/* write.c */
void write_put(struct request *request, struct reply *reply);
void write_patch(struct request *request, struct reply *reply);
void write_delete(struct request *request, struct reply *reply);

/* errors.c */
void reply_init(struct reply *reply);
void reply_free(struct reply *reply);
void reply_json(struct reply *reply, unsigned status, json_t *body); /* steals */
void reply_header(struct reply *reply, const char *name, const char *value);
void reply_error(struct reply *reply, unsigned status, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void reply_not_found(const struct request *request, const struct arm *arm, struct reply *reply);
void reply_status(const struct request *request, unsigned status, const char *code,
		  const char *message, struct reply *reply);
char *action_of(const struct request *request,
		char **ret_scope); /* "Microsoft.Compute/virtualMachines/read" */

/* auth.c, token.c, identity.c */
bool auth_check(struct request *request, struct reply *reply); /* false: reply holds the 401 */
char *token_issue(struct sim *sim, const json_t *settings, const char *audience, const char *tenant,
		  const char *client, long long *ret_expires_in);
void token_declare(struct sim *sim, const char *bearer, const json_t *settings);
int token_endpoint(struct request *request,
		   struct reply *reply); /* -ENOENT: not one of its paths */
int identity_endpoint(struct request *request,
		      struct reply *reply);          /* -ENOENT: not one of its paths */
json_t *request_form(const struct request *request); /* new: the urlencoded body */

/* kql.c, kqlrun.c: rows are JSON objects */
struct kql;
int kql_parse(const char *query, struct kql **ret, char **why);
int kql_parse_filter(const char *filter, struct kql **ret, char **why); /* OData $filter */
const char *kql_table(const struct kql *kql);
json_t *kql_run(const struct kql *kql, const json_t *rows); /* new array */
void kql_free(struct kql *kql);

/* graph.c */
void graph_query(struct request *request, struct reply *reply);

/* fault.c */
struct fault;
int fault_load(struct sim *sim, const json_t *requests, char **why);
void fault_free(struct sim *sim);
struct fault *fault_take(struct request *request); /* NULL when none applies; counts it */
double fault_delay(const struct fault *fault);
bool fault_instead(const struct fault *fault, const struct request *request, struct reply *reply);
void fault_after(const struct fault *fault, const struct request *request, struct reply *reply);

/* operation.c */
struct operation_plan {
	unsigned polls;        /* answers "still running" this often */
	long long retry_after; /* seconds; below 0: no header */
	json_t *body;          /* what Location gives in the end (stolen); NULL: 204 */
	json_t *status_body;   /* what Azure-AsyncOperation gives in the end (stolen); NULL: made */
	json_t *error;         /* {code, message} (stolen): it fails */
	json_t *then;          /* {"id": VM, "power": "running"} (stolen), done when it ends */
	bool waits;            /* not before operation_finish */
	unsigned status;       /* of the first answer; 0: 202 */
	json_t *first;         /* body of the first answer (stolen) */
};

char *operation_start(struct request *request, struct operation_plan *plan,
		      struct reply *reply); /* its id */
void operation_finish(struct sim *sim, const char *id, json_t *body,
		      json_t *error); /* steals both */
int operation_poll(struct request *request, const struct arm *arm,
		   struct reply *reply); /* -ENOENT: not one */
long long operation_retry_after(const struct sim *sim);

/* action.c and what it calls: POST {id}/{action}; true when it was theirs */
void action_post(struct request *request, struct reply *reply);
bool power_action(struct request *request, json_t *vm, const char *action, struct reply *reply);
void power_set(struct sim *sim, const char *id, const char *power);
void jit_initiate(struct request *request, json_t *policy, struct reply *reply);
bool network_action(struct request *request, const json_t *resource, const char *action,
		    struct reply *reply);
json_t *effective_groups(const struct sim *sim, const json_t *nic); /* new */
json_t *effective_routes(const struct sim *sim, const json_t *nic); /* new */
json_t *vm_of_nic(const struct sim *sim, const json_t *nic);
json_t *subnet_of_nic(const struct sim *sim, const json_t *nic);
json_t *vnet_of_subnet(const struct sim *sim, const json_t *subnet);
bool prefix_contains(const char *prefix, const char *address); /* CIDR or address, both families */
json_t *flow_verify(const struct sim *sim, const json_t *nic, const json_t *question); /* new */
json_t *flow_next_hop(const struct sim *sim, const json_t *nic, const char *to);       /* new */
void runcommand_post(struct request *request, const json_t *vm, struct reply *reply);
void runcommand_end(struct sim *sim); /* kills and joins all jobs */
void bootlog_post(struct request *request, const json_t *vm, struct reply *reply);
void bootlog_get(struct request *request, struct reply *reply);

/* route.c */
void route_request(struct request *request, struct reply *reply);

/* server.c, gzip.c, stream.c, log.c, tls.c */
struct MHD_Daemon *server_start(struct sim *sim, int listener, const char *key,
				const char *certificate);
void reply_gzip(struct reply *reply); /* packs the text, stored: no library needed */
struct MHD_Response *stream_response(struct request *request, struct reply *reply);
void stream_reset(struct MHD_Connection *connection);
void stream_stall(struct request *request);
int log_open(const char *path);
void log_request(struct request *request, unsigned status);
void log_close(void);
int tls_prepare(const char *folder, const char *address, char **ret_key, char **ret_certificate,
		char **why);

#endif
