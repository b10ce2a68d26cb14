#include "azure/inside.h"
#include "facts/arm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PAGES 50
#define SPARE_MS 5000 /* for a list that single requests can stand in for */
#define POLLS 200

struct call {
	struct azure *azure;
	char *method, *path, *query, *body;
	char type[192];
	const char *version; /* borrowed from the table, or from azure->api */
	unsigned flags, pages, page, polls;
	bool negotiated;
	char *poll; /* the URL polled */
	json_t *items;
	struct watch *timer;
	void (*done)(void *ctx, const struct arm_answer *answer);
	void *ctx;
};

/* ---- api-versions ---- */

/* The longest prefix of the type decides. */
static const struct version {
	const char *prefix, *version;
} versions[] = {
	{ "microsoft.compute/virtualmachinescalesets/virtualmachines/networkinterfaces",
	  "2018-10-01" },
	{ "microsoft.compute", "2024-07-01" },
	{ "microsoft.network", "2024-01-01" },
	{ "microsoft.security", "2020-01-01" },
	{ "microsoft.resourcegraph", "2022-10-01" },
	{ "microsoft.authorization/locks", "2020-05-01" },
	{ "microsoft.authorization/policyassignments", "2022-06-01" },
	{ "microsoft.authorization", "2022-04-01" },
	{ "microsoft.resourcehealth", "2022-10-01" },
	{ "microsoft.maintenance", "2023-04-01" },
	{ "microsoft.insights", "2015-04-01" },
	{ "microsoft.devtestlab", "2018-09-15" },
	{ "subscriptions", "2022-12-01" },
	{ "resources", "2021-04-01" },
};

static const char *
arm_api_version(const struct azure *azure, const char *type)
{
	const char *negotiated = json_string_value(json_object_get(azure->api, type));

	if (negotiated != NULL)
		return negotiated;
	for (size_t i = 0; i < sizeof(versions) / sizeof(*versions); i++)
		if (strncasecmp(type, versions[i].prefix, strlen(versions[i].prefix)) == 0)
			return versions[i].version;
	return "2021-04-01";
}

/* The type behind a path, also of lists and actions: the namespace and every other segment;
 * "subscriptions" and "resources" for ARM's own. */
static void
path_type(const char *path, char *ret, size_t size)
{
	const char *at = NULL;
	size_t used = 0, index = 0;

	for (const char *next = path; (next = strcasestr(next, "/providers/")) != NULL; next++)
		at = next + 11;
	if (at == NULL) {
		const char *last = strrchr(path, '/');

		doc_same(last, "/resources") ? memcpy(ret, "resources", 10)
					     : memcpy(ret, "subscriptions", 14);
		return;
	}
	for (; *at != '\0' && *at != '?'; index++) {
		size_t len = strcspn(at, "/?");

		if ((index == 0 || index % 2 == 1) && used + len + 2 < size) {
			if (used > 0)
				ret[used++] = '/';
			memcpy(ret + used, at, len);
			used += len;
		}
		at += len + (at[len] == '/');
	}
	ret[used] = '\0';
	for (char *p = ret; *p != '\0'; p++)
		*p = (char)(*p >= 'A' && *p <= 'Z' ? *p + 32 : *p);
}

/* ---- ending ---- */

static void
call_free(struct call *call)
{
	free(call->method);
	free(call->path);
	free(call->query);
	free(call->body);
	free(call->poll);
	json_decref(call->items);
	loop_unwatch(call->timer);
	free(call);
}

static void
call_end(struct call *call, json_t *body, json_t *why, bool more)
{
	struct arm_answer answer = { .body = body, .why = why, .more = more };
	void (*done)(void *, const struct arm_answer *) = call->done;
	void *ctx = call->ctx;

	if ((call->flags & ARM_LIST) != 0) {
		answer.body = call->items;
		call->items = NULL;
	}
	if ((call->flags & ARM_SECRETS) == 0)
		secrets_cut(&call->azure->secrets, answer.body);
	call_free(call);
	done(ctx, &answer);
	if (answer.body != body)
		json_decref(answer.body);
	json_decref(why);
}

static void
end_foreign(struct call *call, const char *what, const char *link)
{
	struct origin origin = { "", "", "" };
	json_t *why;

	url_origin(link, &origin);
	why = reply_entry(FACT_UNKNOWN, "foreign-host",
			  "%s named %s%s%s, which is not where this sign-in's token may go", what,
			  origin.host[0] != '\0' ? origin.scheme : "a link",
			  origin.host[0] != '\0' ? "://" : "", origin.host);
	doc_set_str(why, "host", origin.host[0] != '\0' ? origin.host : NULL);
	call_end(call, NULL, why, false);
}

/* ---- sending ---- */

static void call_got(void *ctx, const struct web_answer *answer);

static void
call_url(struct call *call, const char *method, const char *url)
{
	const char *const json[] = { "Content-Type: application/json", NULL };
	bool first = strcmp(method, "GET") != 0;
	unsigned flags = WEB_BEARER | ((call->flags & ARM_SPARE) != 0 ? WEB_QUIET : 0) |
			 ((call->flags & ARM_WRITE) != 0 && first ? WEB_ONCE : 0);

	web_ask(call->azure,
		&(struct web_ask){ .method = method,
				   .url = url,
				   .headers = first ? json : NULL,
				   .body = first ? call->body : NULL,
				   .flags = flags,
				   .timeout_ms = (call->flags & ARM_SPARE) != 0 ? SPARE_MS : 0 },
		call_got, call);
}

static void
call_start(struct call *call)
{
	char *path = url_encode_path(call->path), *url = NULL;

	call->version = arm_api_version(call->azure, call->type);
	if (path != NULL)
		url =
		    doc_fmt("%s%s?api-version=%s%s%s", call->azure->cloud.arm, path, call->version,
			    call->query != NULL ? "&" : "", call->query != NULL ? call->query : "");
	free(path);
	if (url == NULL)
		call_end(call, NULL, reply_entry(FACT_UNKNOWN, "error", "out of memory"), false);
	else
		call_url(call, call->method, url);
	free(url);
}

/* ---- long operations ---- */

static void
poll_now(void *ctx, int revents)
{
	struct call *call = ctx;

	loop_unwatch(call->timer);
	call->timer = NULL;
	if (revents < 0)
		call_end(call, NULL,
			 reply_entry(FACT_UNKNOWN, "deadline",
				     "the operation had not ended when the deadline struck"),
			 false);
	else
		call_url(call, "GET", call->poll);
}

/* Milliseconds until the next question: what was asked for, else 1, 2, 4 ... 15 s. */
static int64_t
poll_wait(const struct call *call, long asked)
{
	if (asked >= 0)
		return asked > 0 ? (int64_t)asked * 1000 : 50;
	return call->polls < 4 ? (int64_t)1000 << call->polls : 15000;
}

static void
poll_later(struct call *call, const struct web_answer *answer)
{
	int64_t wait = poll_wait(call, answer->retry_after);

	if (call->polls++ >= POLLS || wait >= loop_left(call->azure->loop)) {
		call_end(call, NULL,
			 reply_entry(FACT_UNKNOWN, "deadline",
				     "the operation takes longer than there is time"),
			 false);
		return;
	}
	call->timer = loop_watch(call->azure->loop, -1, 0, (int)wait, poll_now, call);
	if (call->timer == NULL)
		call_end(call, NULL,
			 reply_entry(FACT_UNKNOWN, "deadline",
				     "the operation had not ended when the deadline struck"),
			 false);
}

/* A 201 or 202: where to ask how it goes. The result lies at Location, so that is preferred. */
static void
poll_begin(struct call *call, const struct web_answer *answer)
{
	const char *location = web_header(answer, "Location"),
		   *status = web_header(answer, "Azure-AsyncOperation");
	const char *link = location != NULL ? location : status;
	char *url = url_follow(call->azure->cloud.arm, link);

	if (link != NULL && url == NULL) {
		end_foreign(call, "the answer of a long operation", link);
		return;
	}
	if (url != NULL) {
		free(call->poll);
		call->poll = url;
	}
	if (call->poll == NULL)
		call_end(
		    call, NULL,
		    reply_entry(
			FACT_UNKNOWN, "error",
			"the operation was accepted, but nothing says where its result will be"),
		    false);
	else
		poll_later(call, answer);
}

/* What is polled may be the status of the operation, with the result inside it: true when that has
 * been dealt with. */
static bool
status_handled(struct call *call, const struct web_answer *answer)
{
	const char *status = doc_str(answer->json, "status"),
		   *code = doc_str(answer->json, "error.code"),
		   *text = doc_str(answer->json, "error.message");
	json_t *why, *result = doc_get(answer->json, "properties.output");

	if (call->poll == NULL || status == NULL || doc_get(answer->json, "value") != NULL)
		return false;
	if (doc_same(status, "Succeeded")) {
		call_end(call, result != NULL ? result : answer->json, NULL, false);
		return true;
	}
	if (!doc_same(status, "Failed") && !doc_same(status, "Canceled")) {
		poll_later(call, answer);
		return true;
	}
	why = reply_entry(FACT_UNKNOWN, "operation-failed", "the operation ended as %s%s%s", status,
			  text != NULL ? ": " : "", text != NULL ? text : "");
	doc_set_str(why, "code", code);
	call_end(call, NULL, why, false);
	return true;
}

/* ---- paging ---- */

static void
page_got(struct call *call, const struct web_answer *answer)
{
	json_t *value =
	    json_is_array(answer->json) ? answer->json : doc_list(answer->json, "value");
	const char *next = doc_str(answer->json, "nextLink");
	char *url;

	if (value == NULL) {
		call_end(call, NULL,
			 reply_entry(FACT_UNKNOWN, "not-json", "a list came without its \"value\""),
			 false);
		return;
	}
	json_array_extend(call->items, value);
	call->page++;
	if (next == NULL || *next == '\0') {
		call_end(call, NULL, NULL, false);
	} else if (call->page >= call->pages) {
		call_end(call, NULL, NULL, true);
	} else if ((url = url_follow(call->azure->cloud.arm, next)) == NULL) {
		end_foreign(call, "the nextLink of a list", next);
	} else {
		call_url(call, "GET", url);
		free(url);
	}
}

/* ---- every reply ---- */

/* An older cloud says which api-versions it knows: asks again with the best of them, once. */
static bool
call_negotiate(struct call *call, const struct web_answer *answer)
{
	char *version;

	if (call->negotiated || (answer->status != 400 && answer->status != 404) ||
	    (version = reply_api_version(answer->json, call->version)) == NULL)
		return false;
	json_object_set_new(call->azure->api, call->type, json_string(version));
	free(version);
	call->negotiated = true;
	call_start(call);
	return true;
}

static void
call_got(void *ctx, const struct web_answer *answer)
{
	struct call *call = ctx;
	json_t *why;

	if (call_negotiate(call, answer))
		return;
	if ((why = reply_why(call->azure, answer, call->method, call->path)) != NULL)
		call_end(call, NULL, why, false);
	else if ((call->flags & ARM_LONG) != 0 && (answer->status == 201 || answer->status == 202))
		poll_begin(call, answer);
	else if (status_handled(call, answer))
		return;
	else if ((call->flags & ARM_LIST) != 0)
		page_got(call, answer);
	else
		call_end(call, answer->json, NULL, false);
}

void
arm_ask(struct azure *azure, const struct arm_ask *ask,
	void (*done)(void *ctx, const struct arm_answer *answer), void *ctx)
{
	struct call *call = calloc(1, sizeof(*call));

	if (call == NULL) {
		json_t *why = reply_entry(FACT_UNKNOWN, "error", "out of memory");

		done(ctx, &(struct arm_answer){ .why = why });
		json_decref(why);
		return;
	}
	call->azure = azure;
	call->method = strdup(ask->method != NULL ? ask->method : "GET");
	call->path = strdup(ask->path);
	call->query = ask->query != NULL ? strdup(ask->query) : NULL;
	call->body = ask->body != NULL ? json_dumps(ask->body, JSON_COMPACT) : NULL;
	call->flags = ask->flags;
	call->pages = ask->pages != 0 ? ask->pages : PAGES;
	call->items = (ask->flags & ARM_LIST) != 0 ? json_array() : NULL;
	call->done = done;
	call->ctx = ctx;
	if (call->method == NULL || call->path == NULL) {
		call_end(call, NULL, reply_entry(FACT_UNKNOWN, "error", "out of memory"), false);
		return;
	}
	path_type(call->path, call->type, sizeof(call->type));
	call_start(call);
}
