#include "azure/arm/arm.h"
#include "azure/arm/error.h"
#include "azure/arm/path.h"
#include "azure/arm/reply.h"
#include "azure/arm/url.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PAGES 50
#define FALLBACK_MS 5000 /* for a request that has a fallback */
#define POLLS 200
#define LARGE_MS 60000

struct call {
	struct arm *arm;
	char *method, *path, *query, *body;
	char type[PATH_TYPE_MAX];
	const char *version; /* borrowed */
	unsigned flags, pages, page, polls;
	bool negotiated;
	char *poll; /* the URL polled */
	json_t *items;
	struct watch *timer;
	/* the request under way */
	char *url;
	bool first;          /* it is of our method and body; the others are GETs */
	bool renewed;        /* once, since Azure called its token expired */
	unsigned generation; /* of the token it was sent with */
	void (*take)(void *ctx, json_t *items);
	void (*done)(void *ctx, const struct arm_answer *answer);
	void *ctx;
};

void
arm_begin(struct arm *arm, struct web *web, const char *base)
{
	*arm = (struct arm){ .web = web, .base = base, .api = json_object() };
}

void
arm_free(struct arm *arm)
{
	secret_free(arm->token.text);
	json_decref(arm->api);
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
	free(call->url);
	json_decref(call->items);
	loop_unwatch(call->timer);
	free(call);
}

/* Takes `why`. */
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
	if ((call->flags & ARM_UNCUT) == 0)
		secrets_cut(&call->arm->web->secrets, answer.body);
	call_free(call);
	done(ctx, &answer);
	if (answer.body != body)
		json_decref(answer.body);
	json_decref(why);
}

static void
call_fail(struct call *call, const char *cause, const char *reason)
{
	call_end(call, NULL, reply_entry(FACT_UNKNOWN, cause, "%s", reason), false);
}

static void
end_foreign(struct call *call, const char *what, const char *link)
{
	struct origin origin = { "", "", "" };
	json_t *why;

	if (url_origin(link, &origin) == 0)
		why =
		    reply_entry(FACT_UNKNOWN, "foreign-host",
				"%s named %s://%s, which is not where this sign-in's token may go",
				what, origin.scheme, origin.host);
	else
		why = reply_entry(FACT_UNKNOWN, "foreign-host",
				  "%s named a link, which is not where this sign-in's token may go",
				  what);
	doc_set_str(why, "host", origin.host[0] != '\0' ? origin.host : NULL);
	call_end(call, NULL, why, false);
}

/* ---- sending ---- */

static void call_got(void *ctx, const struct web_answer *answer);

static void
call_unsent(struct call *call, int error, const char *text)
{
	call_got(call,
		 &(struct web_answer){ .error = error, .error_text = text, .retry_after = -1 });
}

static void
call_send(struct call *call)
{
	struct arm *arm = call->arm;
	const char *headers[] = { "x-ms-return-client-request-id: true", NULL, NULL, NULL };
	struct web_ask ask = { .method = call->method, .url = call->url, .body = call->body };
	char *authorization;

	if (!url_same_origin(call->url, arm->base)) {
		call_unsent(call, -EXDEV, "the token is not sent to another host");
		return;
	}
	if (arm->token.text == NULL) {
		call_unsent(call, -EKEYEXPIRED, "there is no sign-in");
		return;
	}
	call->generation = arm->token.generation;
	headers[1] = authorization = doc_fmt("Authorization: Bearer %s", arm->token.text);
	ask.headers = headers;
	if (!call->first) {
		ask.method = "GET";
		ask.body = NULL;
	} else {
		if (strcmp(call->method, "GET") != 0)
			headers[2] = "Content-Type: application/json";
		if ((call->flags & ARM_WRITE) != 0)
			ask.flags |= WEB_ONCE;
	}
	if ((call->flags & ARM_HAS_FALLBACK) != 0) {
		ask.flags |= WEB_QUIET;
		ask.timeout_ms = FALLBACK_MS;
	}
	if ((call->flags & ARM_LARGE) != 0)
		ask.timeout_ms = LARGE_MS;
	web_ask(arm->web, &ask, call_got, call);
	secret_free(authorization);
}

static void
token_renewed(void *ctx)
{
	struct call *call = ctx;
	const struct token *token = &call->arm->token;

	if (token->text == NULL || token->generation == call->generation)
		call_unsent(call, -EKEYEXPIRED,
			    "the token has expired and no new one could be obtained");
	else
		call_send(call);
}

static void
renew_and_send(struct call *call)
{
	struct arm *arm = call->arm;

	arm->renew(arm->renew_ctx, call->generation, token_renewed, call);
}

/* Asks the URL, which it takes. */
static void
call_url(struct call *call, bool first, char *url)
{
	const struct token *token = &call->arm->token;

	free(call->url);
	call->url = url;
	call->first = first;
	call->renewed = false;
	call->generation = token->generation;
	if (token->text != NULL && token->expires != 0 && token->expires <= time(NULL))
		renew_and_send(call);
	else
		call_send(call);
}

static void
call_start(struct call *call)
{
	const char *negotiated = json_string_value(json_object_get(call->arm->api, call->type));
	char *path = url_encode_path(call->path);

	call->version = negotiated != NULL ? negotiated : type_version(call->type);
	call_url(call, true,
		 doc_fmt("%s%s?api-version=%s%s%s", call->arm->base, path, call->version,
			 call->query != NULL ? "&" : "", call->query != NULL ? call->query : ""));
	free(path);
}

/* ---- long operations ---- */

static void
poll_now(void *ctx, int revents)
{
	struct call *call = ctx;

	loop_unwatch(call->timer);
	call->timer = NULL;
	if (revents < 0)
		call_fail(call, "deadline", "the operation had not ended when the deadline struck");
	else
		call_url(call, false, strdup(call->poll));
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
	struct loop *loop = call->arm->web->loop;
	int64_t wait = poll_wait(call, answer->retry_after);

	if (call->polls++ >= POLLS || wait >= loop_left(loop))
		call_fail(call, "deadline", "the operation takes longer than there is time");
	else if ((call->timer = loop_watch(loop, -1, 0, (int)wait, poll_now, call)) == NULL)
		call_fail(call, "deadline", "the operation had not ended when the deadline struck");
}

/* A 201 or 202: where to ask how it goes. The result lies at Location, so that is preferred. */
static void
poll_begin(struct call *call, const struct web_answer *answer)
{
	const char *location = web_header(answer, "Location"),
		   *status = web_header(answer, "Azure-AsyncOperation");
	const char *link = location != NULL ? location : status;
	char *url = url_follow(call->arm->base, link);

	if (link != NULL && url == NULL) {
		end_foreign(call, "the answer of a long operation", link);
		return;
	}
	if (url != NULL) {
		free(call->poll);
		call->poll = url;
	}
	if (call->poll == NULL)
		call_fail(call, "error",
			  "the operation was accepted, but nothing says where its result will be");
	else
		poll_later(call, answer);
}

/* What is polled may be the status of the operation, with the result inside it: true when that has
 * been dealt with. */
static bool
status_handled(struct call *call, const struct web_answer *answer)
{
	const char *status = doc_str(answer->json, "status"),
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
	doc_set_str(why, "code", doc_str(answer->json, "error.code"));
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
		call_fail(call, "not-json", "a list came without its \"value\"");
		return;
	}
	if (call->take != NULL) {
		secrets_cut(&call->arm->web->secrets, value);
		call->take(call->ctx, value);
	} else {
		json_array_extend(call->items, value);
	}
	call->page++;
	if (next == NULL || *next == '\0')
		call_end(call, NULL, NULL, false);
	else if (call->page >= call->pages)
		call_end(call, NULL, NULL, true);
	else if ((url = url_follow(call->arm->base, next)) == NULL)
		end_foreign(call, "the nextLink of a list", next);
	else
		call_url(call, false, url);
}

/* ---- every reply ---- */

/* A token that ARM calls expired is renewed once. A claims challenge needs a person, so it is not.
 */
static bool
call_renew(struct call *call, const struct web_answer *answer)
{
	if (answer->status != 401 || call->renewed ||
	    error_challenge(answer->reply, "claims=") != NULL)
		return false;
	if (!error_is(error_text(error_find(answer->json), "code"), "ExpiredAuthenticationToken") &&
	    error_challenge(answer->reply, "expired") == NULL)
		return false;
	call->renewed = true;
	renew_and_send(call);
	return true;
}

/* An older cloud says which api-versions it knows: asks again with the best of them, once. */
static bool
call_negotiate(struct call *call, const struct web_answer *answer)
{
	char *version;

	if (call->negotiated || (answer->status != 400 && answer->status != 404) ||
	    (version = error_api_version(answer->json, call->version)) == NULL)
		return false;
	json_object_set_new(call->arm->api, call->type, json_string(version));
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

	if (call_renew(call, answer) || call_negotiate(call, answer))
		return;
	why = reply_why(call->arm->web, call->arm->base, answer, call->method, call->path);
	if (why != NULL)
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
arm_ask(struct arm *arm, const struct arm_ask *ask,
	void (*done)(void *ctx, const struct arm_answer *answer), void *ctx)
{
	struct call *call = malloc(sizeof(*call));

	*call = (struct call){ .arm = arm,
			       .method = strdup(ask->method != NULL ? ask->method : "GET"),
			       .path = strdup(ask->path),
			       .flags = ask->flags,
			       .pages = ask->pages != 0 ? ask->pages : PAGES,
			       .take = ask->page,
			       .done = done,
			       .ctx = ctx };
	if (ask->query != NULL)
		call->query = strdup(ask->query);
	if (ask->body != NULL)
		call->body = json_dumps(ask->body, JSON_COMPACT);
	if ((ask->flags & ARM_LIST) != 0)
		call->items = json_array();
	path_type(call->path, call->type);
	call_start(call);
}
