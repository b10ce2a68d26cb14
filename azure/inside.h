/* What the files of azure/ share among themselves; nobody outside includes this.
 *
 *  session.c    azure_new, azure_free: what was asked, what the environment and az's configuration
 * say config.c     az's own files: config, clouds.config, azureProfile.json cloud.c      which
 * cloud: ARM endpoint, authority, audience; discovery; where a token may go url.c        origins,
 * loopback, percent-encoding, URLs fit to be shown secrets.c    the one cut that everything passes
 * before it enters the facts jwt.c        claims of a token, signed assertions signin.c     the
 * chain of credentials (credential_*.c), the token and its renewal oauth.c      token requests and
 * what their answers mean web.c        one HTTP request with retries, entered in azure.requests
 *  reply.c, error.c  what a reply means: known, absent, unknown and why
 *  arm.c        ARM requests: api-versions, paging, long operations
 *  fetch.c      resources and lists, each fetched once a run
 *  find.c, search.c, owner.c	the VM by id, by name, by address
 *  read.c, follow.c		the VM and what it refers to */
#ifndef AZURE_INSIDE_H
#define AZURE_INSIDE_H

#include "azure/azure.h"

#include <stdint.h>
#include <time.h>

/* ---- url.c ---- */

struct origin {
	char scheme[8], host[256],
	    port[8]; /* host in lower case; IPv6 in brackets; port always there */
};

/* Reads scheme, host and port of an http or https URL; -EINVAL for anything else, and for URLs that
 * carry a user or control bytes. */
int url_origin(const char *url, struct origin *ret);
bool url_same_origin(const char *a, const char *b);
bool url_same_but_slash(const char *a, const char *b); /* false when both are empty */
bool url_loopback(const char *url);                    /* localhost, 127.0.0.0/8, ::1 */
bool url_safe(const char *url);                        /* https, or http to loopback */
char *url_encode(const char *text); /* a query value or one path segment; the caller frees */
char *
url_encode_path(const char *path); /* as it is but for what a path may not hold; slashes stay */
char *url_shown(const char *url);  /* without signatures and tokens; the caller frees */
/* Makes a link that a reply names absolute ("/path" is on base's host); NULL when it lies on
 * another scheme, host or port, or is no link. */
char *url_follow(const char *base, const char *link);

/* ---- secrets.c ---- */

struct secrets {
	char *known[8]; /* what this run signed in with, cut wherever it turns up again */
	size_t count;
};

void secrets_learn(struct secrets *secrets, const char *value);
void secrets_free(struct secrets *secrets);
/* Cuts what is secret out of a reply, in place (the string itself cannot be: use secrets_text). */
void secrets_cut(const struct secrets *secrets, json_t *value);
char *secrets_text(const struct secrets *secrets,
		   const char *text); /* the caller frees; NULL gives NULL */
/* Overwrites and frees; NULL is fine. */
void secret_free(char *text);

/* ---- config.c ---- */

struct az_config {
	char *dir;             /* ~/.azure or AZURE_CONFIG_DIR; NULL without a home */
	char *config, *clouds; /* the two INI files as text, NULL when absent */
	json_t *profile;       /* azureProfile.json, NULL when absent or damaged */
	char *unread;          /* why one of them could not be read, NULL when none is so */
};

void config_load(struct az_config *ret);
void config_free(struct az_config *config);
/* The value of [section] name; section in its case, name in any. The caller frees; NULL when it is
 * not there. */
char *config_get(const char *ini, const char *section, const char *name);
/* az's setting: the environment variable AZURE_SECTION_NAME, else the file. The caller frees. */
char *config_setting(const struct az_config *config, const char *section, const char *name);
/* The file of that name in az's folder, at most max bytes; NULL when absent. A BOM is skipped. The
 * caller frees. */
char *config_file(struct az_config *config, const char *name, size_t max);
/* An entry of azureProfile.json: the default of the cloud (NULL: of any), or the one of that id or
 * name. Borrowed. */
const json_t *config_default_subscription(const struct az_config *config, const char *cloud);
const json_t *config_subscription(const struct az_config *config, const char *id_or_name);

/* ---- cloud.c ---- */

struct cloud {
	char *name;
	char *arm;       /* "https://management.azure.com", no slash at the end */
	char *authority; /* "https://login.microsoftonline.com", no slash at the end; NULL: to be
			    discovered */
	char *audience;  /* "https://management.azure.com/"; NULL: to be discovered */
	bool custom;     /* none of the built-in ones */
	bool authority_chosen; /* by the environment or az's own file, not by a reply */
	bool adfs;             /* the authority is an AD FS: no tenant, v1 endpoint */
	bool ask;              /* /metadata/endpoints has to be asked first */
};

int cloud_choose(const struct azure_options *options, const struct az_config *config,
		 struct cloud *ret, struct err *err);
void cloud_free(struct cloud *cloud);
/* Asks /metadata/endpoints if need be; ends with every member set as well as they can be known. */
void cloud_discover(struct azure *azure, void (*done)(struct azure *azure));
/* false, with a sentence, when the audience is none of those that belong to the ARM host, so that
 * no token may be asked for. by_authority: the cloud's own authority will issue it; else az or a
 * managed identity will, whose issuer is Microsoft's directory. */
bool cloud_may_ask(const struct cloud *cloud, bool by_authority, struct err *err);
/* false, with a sentence, when only a reply named the authority: it gets no secret and no
 * assertion. */
bool cloud_may_prove(const struct cloud *cloud, struct err *err);
/* The scope to ask a token for, the caller frees. */
char *cloud_scope(const struct cloud *cloud);
/* true when a token of that audience is the one asked for: the same but for a slash at the end, or
 * another name of the same built-in ARM. */
bool cloud_audience_fits(const struct cloud *cloud, const char *audience);
/* true when a token cache's "environment" (a login host) belongs to this cloud. */
bool cloud_authority_fits(const struct cloud *cloud, const char *host);
/* The host of ARM: its URL without the scheme. Borrowed from it. */
const char *cloud_host(const struct cloud *cloud);

/* ---- web.c ---- */

enum {
	WEB_BEARER = 1,   /* send the ARM token; only ever to the ARM host */
	WEB_ONCE = 2,     /* no retries */
	WEB_QUIET = 4,    /* one short attempt; its failure is nothing to be told */
	WEB_RAW = 8,      /* the body is no JSON */
	WEB_METADATA = 16 /* the instance metadata service: 410 means that it is being updated */
};

struct web_ask {
	const char *method; /* NULL: GET */
	const char *url;
	const char *const *headers; /* NULL-terminated, NULL: none */
	const char *body;           /* NULL: none; a POST then says Content-Length: 0 */
	unsigned flags;
	int timeout_ms; /* an attempt; 0: 10 s */
	int connect_timeout_ms;
	bool no_proxy;
	size_t max_bytes;
};

struct web_answer {
	int error; /* as http_reply; -EXDEV: the URL is not where the token may go; -EKEYEXPIRED: no
		      fresh token */
	const char *error_text;
	long status;
	const char *body;
	size_t body_len;
	json_t *json; /* NULL when it is none; borrowed: json_incref to keep */
	bool html;
	long retry_after; /* seconds, -1 when not said */
	bool gave_up;     /* asked to wait longer than there is time */
	bool hurried;     /* it timed out within what the deadline left, not within its own time */
	const struct http_reply *reply; /* for http_header; NULL when none came */
	const char *client_id;          /* our x-ms-client-request-id */
};

/* done is called exactly once, perhaps before web_ask returns. */
void web_ask(struct azure *azure, const struct web_ask *ask,
	     void (*done)(void *ctx, const struct web_answer *answer), void *ctx);
/* Parses JSON of bounded depth; what is not UTF-8 is replaced. NULL when it is no JSON. */
json_t *web_json(const char *body, size_t len);
const char *web_header(const struct web_answer *answer, const char *name);

/* ---- reply.c ---- */

/* Why an ARM reply is not the body asked for: a new entry for azure.missing, NULL when it is.
 * `what` is the path, for the sentence. */
json_t *reply_why(struct azure *azure, const struct web_answer *answer, const char *method,
		  const char *path);
/* The object of an error body that has "code" and "message", however it is wrapped; NULL when there
 * is none. Borrowed. */
const json_t *reply_error(const json_t *body);
const char *reply_said(const json_t *error,
		       const char *name); /* its text of that name, in any case; NULL */
/* The WWW-Authenticate header that holds the word, and what a server says of a limit that is used
 * up; NULL when there is none. Borrowed. */
const char *reply_challenge(const struct http_reply *reply, const char *word);
const char *reply_limit(const struct http_reply *reply);
/* An entry of that kind from scratch; the caller owns it. */
json_t *reply_entry(enum fact_state state, const char *cause, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The newest api-version that an error message offers and that is not newer than ours; the caller
 * frees, NULL for none. */
char *reply_api_version(const json_t *body, const char *ours);
/* "Microsoft.Network/networkSecurityGroups/read" out of an AuthorizationFailed sentence; the caller
 * frees, NULL when it names none. */
char *reply_action(const char *message);

/* ---- jwt.c ---- */

json_t *jwt_claims(const char *token); /* those worth telling; NULL when it is no JWT */
void uuid_random(char ret[static 37]);
/* A client assertion signed with the key in a PEM file that holds key and certificate (or a PKCS#12
 * file). The caller frees with secret_free; NULL with a sentence. */
char *jwt_assertion(const char *path, const char *password, const char *client,
		    const char *audience, bool chain, bool adfs, time_t now, struct err *err);

/* ---- signin.c and credential_*.c ---- */

struct credential {
	const char *name;                 /* as the report calls it */
	const char *kind;                 /* the word of --credential */
	const char *sdk;                  /* the class name AZURE_TOKEN_CREDENTIALS takes */
	bool prod;                        /* its failure ends the chain */
	bool by_authority;                /* the cloud's authority issues the token */
	void (*try)(struct azure *azure); /* ends with exactly one of the three below */
};

extern const struct credential credential_secret, credential_certificate, credential_workload,
    credential_github, credential_managed, credential_cli;

void credential_token(struct azure *azure, const char *token, time_t expires, const char *tenant);
void credential_unavailable(struct azure *azure, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* cause: "signed-out", "expired", "failed", "network", "foreign-host", "deadline"; kind: as struct
 * aadsts, NULL: as the cause; aadsts 0: none. */
void credential_failed(struct azure *azure, const char *cause, const char *kind, long aadsts,
		       const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* The same for an answer that never came, or came from somebody else: the deadline, the network, a
 * proxy, a page. `who` should have answered. */
void credential_unanswered(struct azure *azure, const struct web_answer *answer, const char *who);
/* Tokens from the authority: POSTs the form (secret_freed by it) and ends the try. */
void credential_post(struct azure *azure, const char *tenant, char *form);
/* Ends the try with what a token endpoint answered (Entra, instance metadata, App Service...). */
void credential_answer(struct azure *azure, const struct web_answer *answer, const char *tenant);
/* The token endpoint of a tenant; the caller frees. */
char *credential_endpoint(const struct cloud *cloud, const char *tenant);
/* "name=value&..." with values encoded, ended by NULL; a name with NULL value is left out. The
 * caller frees with secret_free. */
char *credential_form(const char *name, ...);
bool credential_selected(const char *words, const struct credential *credential);

struct aadsts {
	long number;
	const char *cause; /* as credential_failed */
	const char *kind;  /* "expired", "tenant", "secret", "clock", "blocked", "consent",
			      "federated", "app", "transient" */
	const char *words; /* what to do, one sentence */
};
const struct aadsts *aadsts_find(long number);
const char *aadsts_kind(const char *error,
			const char *suberror); /* by OAuth's words, NULL when they tell nothing */
long aadsts_number(const char *text);          /* the first AADSTSnnn in it, 0 for none */

struct waiter {
	void (*done)(void *ctx);
	void *ctx;
	struct waiter *next;
};

/* Calls done when a token newer than `generation` is there or none can be had; perhaps at once. */
void token_renew(struct azure *azure, unsigned generation, void (*done)(void *ctx), void *ctx);

/* ---- arm.c ---- */

enum {
	ARM_LIST = 1,    /* the answer is the array of all pages' items */
	ARM_LONG = 2,    /* 201 and 202 are polled to the end */
	ARM_SPARE = 4,   /* something else stands ready when it fails: one short attempt */
	ARM_WRITE = 8,   /* must not be sent twice */
	ARM_SECRETS = 16 /* leave secrets in: the body goes nowhere near the facts */
};

struct arm_ask {
	const char *method; /* NULL: GET */
	const char *path;   /* "/subscriptions/..." as ids have it */
	const char *query;  /* "$expand=instanceView", encoded; NULL: none */
	const json_t *body; /* NULL: none */
	unsigned flags;
	unsigned pages; /* at most so many; 0: 50 */
};

struct arm_answer {
	json_t *body; /* borrowed; NULL when it did not come (a list may have both: what came before
			 it broke off) */
	json_t *why;  /* borrowed entry for azure.missing; NULL when all is well */
	bool more;    /* a list cut at its page limit */
};

/* done is called exactly once, perhaps before arm_ask returns. */
void arm_ask(struct azure *azure, const struct arm_ask *ask,
	     void (*done)(void *ctx, const struct arm_answer *answer), void *ctx);

/* ---- fetch.c ---- */

/* Each ends with the resource in azure.resources or azure.missing. fetch_resource takes it out of a
 * list that is there or on its way. */
void fetch_resource(struct azure *azure, const char *id, void (*done)(void *ctx), void *ctx);
/* The same for something beside the resources proper (health, a schedule, the result of an action):
 * asked as it says, once a run, kept under its path. */
void fetch_aside(struct azure *azure, const struct arm_ask *ask, void (*done)(void *ctx),
		 void *ctx);
/* Starts a list (once a run); done (may be NULL) when it has ended. Its items are held, not yet
 * facts; azure.lists tells how it went. */
void fetch_list(struct azure *azure, const char *path, bool spare, void (*done)(void *ctx),
		void *ctx);
/* The lists of a group that most VMs' resources come from. */
void fetch_group(struct azure *azure, const char *vm_id);
char *
fetch_group_path(const char *id,
		 const char *type); /* the list of `type` in the group of an id; the caller frees */
/* The item of that id that some list brought, NULL when none did. Borrowed. */
json_t *fetch_held(const struct azure *azure, const char *id);
/* Takes a held item into azure.resources; false when there is none. */
bool fetch_keep(struct azure *azure, const char *id);
/* The ids a list brought (an array), NULL while it has not ended. Borrowed. */
const json_t *fetch_listed(const struct azure *azure, const char *path);
void fetch_free(struct azure *azure);

/* ---- graph.c, search.c, owner.c ---- */

/* The rows of a Resource Graph query (an array of objects); exactly one call of done. */
void graph_ask(struct azure *azure, const char *query,
	       void (*done)(void *ctx, const struct arm_answer *answer), void *ctx);

struct search_result {
	json_t *hits;     /* array of ids */
	json_t *near;     /* ids of VMs named like it */
	json_t *searched; /* subscription ids */
	json_t *why;      /* entry: what kept the search from being complete; NULL when it was */
};
/* Looks for VMs of that name over every subscription in sight. */
void search_vm(struct azure *azure, const char *name,
	       void (*done)(void *ctx, const struct search_result *result), void *ctx);
/* Looks for the owner of a public (or private) address, or of a name: by the name itself, and by
 * the addresses that the resolver (NULL: none) finds for it. */
void search_owner(struct azure *azure, const char *host, const char *resolver,
		  void (*done)(void *ctx, const struct search_result *result), void *ctx);
/* true when a person may have meant `name` by `typed`. */
bool name_near(const char *typed, const char *name);
bool name_plain(const char *name); /* fit to stand in a query */

/* ---- read.c, settle.c, nearby.c, locks.c, deep.c, tags.c, verify.c, activity.c, guest.c, follow.c
 * ---- */

#define JIT_POLICIES "Microsoft.Security/jitNetworkAccessPolicies"

/* The reading of one VM. */
struct read {
	struct azure *azure;
	struct facts facts;
	char *id;     /* the VM's */
	char *jit;    /* the path of its group's policies */
	json_t *seen; /* what is followed: lower-cased id to id */
	json_t *nics; /* of a VM that could not be read itself, found from their side; else NULL */
	json_t *activity, *changes; /* of activity.c */
	unsigned pending;           /* fetches that the network still waits for */
	unsigned aside;             /* fetches that only the end waits for */
	size_t stage;
	bool vm_absent;
	void (*settled)(void *ctx); /* NETWORK is */
	void (*done)(void *ctx);
	void *ctx;
};

/* Starts what needs no more than the VM's id. */
void read_prefetch(struct azure *azure, const char *id);
/* Makes sure the reader fetches the resource and what it refers to in turn. */
void read_follow(struct read *read, const char *id);
/* Fetches something that the network does not wait for; kept under its path. */
void read_aside(struct read *read, const struct arm_ask *ask);
/* The same for something that the network does wait for. */
void read_with(struct read *read, const struct arm_ask *ask);
/* Ends what was begun by counting read->aside up. */
void read_aside_end(struct read *read);
/* Ends one pending fetch of the network. */
void read_drop(struct read *read);
/* The VM's body, NULL when it did not come; *why (may be NULL) is then its entry. */
const json_t *read_vm(const struct read *read, const json_t **why);
bool read_runs(const struct read *read);
bool read_scale_set(
    const char *id); /* an instance of a uniform scale set: its NICs have a list of their own */
void read_nearby(struct read *read);
void read_locks(struct read *read);
void read_deep(struct read *read);
void read_service_tags(struct read *read);
void read_verify(struct read *read); /* --deep, a VM that runs */
void read_activity(struct read *read);
void read_guest(struct read *read);
void settle_network(struct read *read);
void settle_jit(struct read *read);
void settle_deep(struct read *read);
void settle_without_vm(const struct azure *azure,
		       struct facts *facts); /* its sections share the VM's state and reason */
/* Names the ids that a body of this type refers to. */
void follow_body(struct read *read, const char *id, const json_t *body);

/* ---- the session ---- */

struct azure {
	struct loop *loop;
	json_t *doc;
	char *tenant;         /* --tenant or NULL */
	char *profile_tenant; /* of the active subscription, as az has it */
	char *subscription;   /* --subscription as typed, or NULL */
	char *active;         /* the subscription id asked for or active, NULL when none is known */
	const char *active_from; /* "option", "environment", "profile" */
	bool deep, guest;
	struct az_config config;
	struct cloud cloud;
	const struct credential *credentials[8]; /* those selected, in order; ends with NULL */
	bool chosen;                             /* by name: nothing else was to be tried */

	struct secrets secrets;
	char *token;
	time_t token_expires;
	unsigned generation; /* of the token; 0: none yet */
	const struct credential *used;
	bool signed_out; /* the last walk through the chain found nothing */

	struct err refused; /* why a credential may not be asked for this cloud's audience */
	bool signing;       /* a walk is under way */
	bool fresh;         /* caches are not to be trusted */
	size_t at;          /* the credential being tried */
	json_t *tried;
	char *asked_tenant; /* of the token request under way */
	json_t *support;    /* trace_id and correlation_id of the last refusal */
	struct waiter *waiters;
	unsigned renewals;

	json_t *api;     /* type: version, as negotiated */
	json_t *held;    /* id: body, from lists */
	json_t *fetches; /* key: pointer to struct fetch */
	unsigned seed;   /* of the jitter */
	long skew;       /* seconds our clock is ahead of the one who answered first */
	bool skew_known;
	const char *metadata_version; /* the api-version /metadata/endpoints was last asked with */
	void (*discovered)(struct azure *azure); /* what waits for /metadata/endpoints */
};

/* The "azure" object of the document and its members. Borrowed. */
json_t *azure_facts(struct azure *azure, const char *member);
const char *env_text(const char *name); /* getenv, NULL when empty */

#endif
