#include "azure/inside.h"
#include "facts/time.h"

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define WEB_TIMEOUT_MS 10000
#define WEB_TRIES 4 /* the first and three more */
#define WEB_DEPTH 512
#define WEB_HEADERS 16

struct web {
	struct azure *azure;
	char *method, *url, *body;
	char *headers[WEB_HEADERS];
	size_t header_count;
	unsigned flags, tries;
	bool renewed, hurried; /* hurried: the attempt under way has less time than it should */
	unsigned generation;   /* of the token it was sent with */
	int timeout_ms, connect_timeout_ms;
	bool no_proxy;
	size_t max_bytes;
	struct watch *timer;
	char id[37];
	void (*done)(void *ctx, const struct web_answer *answer);
	void *ctx;
};

static void web_send(struct web *web);

/* ---- JSON ---- */

static bool
too_deep(const char *body, size_t len)
{
	unsigned depth = 0;
	bool text = false;

	for (size_t i = 0; i < len; i++) {
		if (text && body[i] == '\\')
			i++;
		else if (body[i] == '"')
			text = !text;
		else if (!text && (body[i] == '[' || body[i] == '{') && ++depth > WEB_DEPTH)
			return true;
		else if (!text && (body[i] == ']' || body[i] == '}') && depth > 0)
			depth--;
	}
	return false;
}

json_t *
web_json(const char *body, size_t len)
{
	json_t *json, *clean;

	if (len >= 3 && memcmp(body, "\xef\xbb\xbf", 3) == 0) {
		body += 3;
		len -= 3;
	}
	if (len == 0 || too_deep(body, len))
		return NULL;
	if ((json = json_loadb(body, len, JSON_ALLOW_NUL, NULL)) != NULL)
		return json;
	if ((clean = doc_text(body, len)) == NULL)
		return NULL;
	json =
	    json_loadb(json_string_value(clean), json_string_length(clean), JSON_ALLOW_NUL, NULL);
	json_decref(clean);
	return json;
}

static bool
is_html(const struct http_reply *reply)
{
	const char *type = http_header(reply, "Content-Type"), *p = reply->body;

	if (type != NULL && strncasecmp(type, "text/html", 9) == 0)
		return true;
	while (p != NULL && isspace((unsigned char)*p))
		p++;
	return p != NULL &&
	       (strncasecmp(p, "<!doctype", 9) == 0 || strncasecmp(p, "<html", 5) == 0);
}

/* ---- the record ---- */

static void
record(struct web *web, const struct http_reply *reply)
{
	json_t *entry = json_object();
	char *shown = url_shown(web->url),
	     *text =
		 secrets_text(&web->azure->secrets, reply->error != 0 ? reply->error_text : NULL);
	const char *retry = http_header(reply, "Retry-After"), *limit = reply_limit(reply);

	doc_set_str(entry, "method", web->method);
	doc_set_str(entry, "url", shown);
	if (reply->status != 0)
		doc_set_int(entry, "status", reply->status);
	doc_set_str(entry, "error", text);
	doc_set_int(entry, "ms", reply->ms);
	doc_set_str(entry, "request_id", http_header(reply, "x-ms-request-id"));
	doc_set_str(entry, "correlation_id", http_header(reply, "x-ms-correlation-request-id"));
	doc_set_str(entry, "client_request_id", web->id);
	if (reply->status == 429 || reply->status == 503)
		doc_set_str(entry, "retry_after", retry);
	doc_set_str(entry, "rate_limit", limit);
	secrets_cut(&web->azure->secrets, entry);
	json_array_append_new(azure_facts(web->azure, "requests"), entry);
	free(shown);
	free(text);
}

/* The clock of whoever answered tells how far ours is off; the first answer counts, since later
 * ones may have waited in a queue. */
static void
note_skew(struct azure *azure, const struct http_reply *reply)
{
	time_t date = time_from_http(http_header(reply, "Date"));
	json_t *signin = doc_get(azure->doc, "azure.signin");

	if (date < 0 || azure->skew_known)
		return;
	azure->skew_known = true;
	azure->skew = (long)(time(NULL) - date);
	if (signin != NULL) /* whoever has signed in without asking anybody */
		doc_set_int(signin, "skew_s", azure->skew);
}

/* ---- ending ---- */

static void
web_free(struct web *web)
{
	free(web->method);
	free(web->url);
	secret_free(web->body);
	for (size_t i = 0; i < web->header_count; i++)
		secret_free(web->headers[i]);
	loop_unwatch(web->timer);
	free(web);
}

static void
web_finish(struct web *web, const struct web_answer *answer)
{
	void (*done)(void *, const struct web_answer *) = web->done;
	void *ctx = web->ctx;
	char id[sizeof(web->id)];
	struct web_answer told = *answer;

	memcpy(id, web->id, sizeof(id));
	told.client_id = id;
	web_free(web);
	done(ctx, &told);
}

static void
web_fail(struct web *web, int error, const char *text)
{
	web_finish(web,
		   &(struct web_answer){ .error = error, .error_text = text, .retry_after = -1 });
}

/* ---- retries ---- */

static void
timer_ready(void *ctx, int revents)
{
	struct web *web = ctx;

	loop_unwatch(web->timer);
	web->timer = NULL;
	if (revents < 0)
		web_fail(web, -ECANCELED, "the time was over before it could be tried again");
	else
		web_send(web);
}

static bool
worth_retrying(const struct web *web, const struct http_reply *reply)
{
	if (reply->error == -ETIMEDOUT)
		return web->tries < 2;
	if (reply->error != 0)
		return reply->error == -ECONNRESET;
	if (reply->status == 410)
		return (web->flags & WEB_METADATA) != 0;
	return reply->status == 408 || reply->status == 429 || reply->status == 500 ||
	       (reply->status >= 502 && reply->status <= 504);
}

static long
retry_after(const struct http_reply *reply)
{
	const char *text = http_header(reply, "Retry-After");
	time_t at = time_from_http(text);
	long seconds;
	char *end;

	if (text == NULL)
		return -1;
	seconds = strtol(text, &end, 10);
	if (end == text || *end != '\0') {
		if (at < 0)
			return -1;
		seconds = (long)(at - time(NULL));
	}
	if (seconds < 0)
		return 0;
	return seconds < 86400 ? seconds : 86400;
}

/* Milliseconds to wait before the next try: what the server asks for, else 0.8 s, doubled each
 * time, give or take a quarter. */
static int64_t
backoff(struct web *web, long asked)
{
	int64_t base = asked >= 0 ? (int64_t)asked * 1000 : (int64_t)800 << (web->tries - 1);

	web->azure->seed = web->azure->seed * 1103515245u + 12345u;
	if (asked >= 0)
		return base + (web->azure->seed >> 16) % 100;
	return base * 3 / 4 + (int64_t)(web->azure->seed >> 16) % (base / 2);
}

/* Starts the next try after its pause. False when there is none; *gave_up when only the time is
 * lacking. */
static bool
web_retry(struct web *web, const struct http_reply *reply, bool *gave_up)
{
	int64_t wait;

	*gave_up = false;
	if ((web->flags & (WEB_ONCE | WEB_QUIET)) != 0 || web->tries >= WEB_TRIES ||
	    !worth_retrying(web, reply))
		return false;
	wait = backoff(web, retry_after(reply));
	if (wait + 200 >= loop_left(web->azure->loop)) {
		*gave_up = true;
		return false;
	}
	web->timer =
	    loop_watch(web->azure->loop, -1, 0, (int)wait > 0 ? (int)wait : 1, timer_ready, web);
	return web->timer != NULL;
}

/* ---- the token ---- */

static void
token_renewed(void *ctx)
{
	struct web *web = ctx;

	if (web->azure->token == NULL || web->azure->generation == web->generation)
		web_fail(web, -EKEYEXPIRED, "the token is over and no fresh one could be had");
	else
		web_send(web);
}

/* A token that ARM calls expired is renewed once. A claims challenge needs a person, so it is not.
 */
static bool
wants_renewal(const struct web *web, const struct http_reply *reply, const json_t *json)
{
	if ((web->flags & WEB_BEARER) == 0 || reply->status != 401 || web->renewed ||
	    reply_challenge(reply, "claims=") != NULL)
		return false;
	return doc_same(reply_said(reply_error(json), "code"), "ExpiredAuthenticationToken") ||
	       reply_challenge(reply, "expired") != NULL;
}

/* ---- sending ---- */

static void
web_got(void *ctx, const struct http_reply *reply)
{
	struct web *web = ctx;
	struct web_answer answer = { .error = reply->error,
				     .error_text = reply->error_text,
				     .status = reply->status,
				     .body = reply->body,
				     .body_len = reply->body_len,
				     .reply = reply,
				     .retry_after = -1 };

	record(web, reply);
	if (!web->no_proxy) /* a service of this machine has this machine's clock */
		note_skew(web->azure, reply);
	if (web_retry(web, reply, &answer.gave_up))
		return;
	answer.retry_after = retry_after(reply);
	answer.hurried = web->hurried && reply->error == -ETIMEDOUT;
	if (reply->error == 0 && (web->flags & WEB_RAW) == 0) {
		answer.html = is_html(reply);
		answer.json = answer.html ? NULL : web_json(reply->body, reply->body_len);
	}
	if (wants_renewal(web, reply, answer.json)) {
		json_decref(answer.json);
		web->renewed = true;
		token_renew(web->azure, web->generation, token_renewed, web);
		return;
	}
	web_finish(web, &answer);
	json_decref(answer.json);
}

static char *
bearer(struct web *web)
{
	struct azure *azure = web->azure;

	if ((web->flags & WEB_BEARER) == 0)
		return NULL;
	web->generation = azure->generation;
	return doc_fmt("Authorization: Bearer %s", azure->token);
}

/* How long an attempt may take: never so long that nothing else could be tried in the time left. */
static int
attempt_ms(struct web *web)
{
	int64_t longest = web->timeout_ms > 0 ? web->timeout_ms : WEB_TIMEOUT_MS,
		share = loop_left(web->azure->loop) / ((web->flags & WEB_QUIET) != 0 ? 4 : 2);

	web->hurried = share < longest;
	return (int)(share < 500 ? 500 : share < longest ? share : longest);
}

static void
web_send(struct web *web)
{
	const char *headers[WEB_HEADERS + 2];
	char *authorization;
	int timeout = attempt_ms(web), r;
	size_t n = 0;

	if ((web->flags & WEB_BEARER) != 0 && !url_same_origin(web->url, web->azure->cloud.arm)) {
		web_fail(web, -EXDEV, "the token is not sent to another host");
		return;
	}
	if ((web->flags & WEB_BEARER) != 0 && web->azure->token == NULL) {
		web_fail(web, -EKEYEXPIRED, "there is no sign-in");
		return;
	}
	authorization = bearer(web);
	for (; n < web->header_count; n++)
		headers[n] = web->headers[n];
	if (authorization != NULL)
		headers[n++] = authorization;
	headers[n] = NULL;
	web->tries++;
	r = loop_http(
	    web->azure->loop,
	    &(struct http_request){
		.method = web->method,
		.url = web->url,
		.headers = headers,
		.body = web->body,
		.body_len = web->body != NULL ? strlen(web->body) : 0,
		.timeout_ms = timeout,
		.connect_timeout_ms = web->connect_timeout_ms,
		.max_bytes = web->max_bytes,
		.no_proxy =
		    web->no_proxy ||
		    url_loopback(web->url) }, /* a proxy would have the token in plain sight */
	    web_got, web);
	secret_free(authorization);
	if (r < 0)
		web_fail(web, r, r == -ECANCELED ? "the time was over" : strerror(-r));
}

static void
add_header(struct web *web, char *line)
{
	if (line != NULL && web->header_count < WEB_HEADERS)
		web->headers[web->header_count++] = line;
	else
		free(line);
}

void
web_ask(struct azure *azure, const struct web_ask *ask,
	void (*done)(void *ctx, const struct web_answer *answer), void *ctx)
{
	struct web *web = calloc(1, sizeof(*web));
	const char *method = ask->method != NULL ? ask->method : "GET";

	if (web == NULL) {
		done(ctx, &(struct web_answer){
			      .error = -ENOMEM, .error_text = "out of memory", .retry_after = -1 });
		return;
	}
	*web = (struct web){ .azure = azure,
			     .method = strdup(method),
			     .url = strdup(ask->url),
			     .flags = ask->flags,
			     .timeout_ms = ask->timeout_ms,
			     .connect_timeout_ms = ask->connect_timeout_ms,
			     .no_proxy = ask->no_proxy,
			     .max_bytes = ask->max_bytes,
			     .done = done,
			     .ctx = ctx };
	if (ask->body != NULL || strcmp(method, "POST") == 0)
		web->body = strdup(ask->body != NULL ? ask->body : "");
	uuid_random(web->id);
	for (size_t i = 0; ask->headers != NULL && ask->headers[i] != NULL; i++)
		add_header(web, strdup(ask->headers[i]));
	add_header(web, strdup("Accept: application/json"));
	add_header(web, doc_fmt("x-ms-client-request-id: %s", web->id));
	if ((web->flags & WEB_BEARER) != 0)
		add_header(web, strdup("x-ms-return-client-request-id: true"));
	if (web->method == NULL || web->url == NULL)
		web_fail(web, -ENOMEM, "out of memory");
	else if ((web->flags & WEB_BEARER) != 0 && azure->token != NULL &&
		 azure->token_expires != 0 && azure->token_expires <= time(NULL) && !azure->signing)
		token_renew(azure, web->generation = azure->generation, token_renewed, web);
	else
		web_send(web);
}

const char *
web_header(const struct web_answer *answer, const char *name)
{
	return answer->reply != NULL ? http_header(answer->reply, name) : NULL;
}
