#include "azure/arm/web.h"
#include "azure/arm/json.h"
#include "azure/arm/url.h"
#include "facts/weigh.h"
#include "facts/doc.h"
#include "facts/time.h"

#include <ctype.h>
#include <errno.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define WEB_TIMEOUT_MS 10000
#define WEB_TRIES 4 /* the first and three more */
#define WEB_HEADERS 16
#define RETRY_AFTER_MAX 86400

struct request {
	struct web *web;
	char *method, *url, *body;
	char *headers[WEB_HEADERS + 1]; /* NULL-terminated */
	size_t header_count;
	unsigned flags, tries;
	bool hurried; /* the attempt under way has less time than it should */
	int timeout_ms, connect_timeout_ms;
	bool no_proxy;
	size_t max_bytes;
	struct watch *timer;
	char id[37];
	void (*done)(void *ctx, const struct web_answer *answer);
	void *ctx;
};

static void request_send(struct request *request);

json_t *
azure_facts(json_t *doc, const char *member)
{
	json_t *object = doc_get(doc, "azure");

	if (object == NULL) {
		object = json_object();
		json_object_set_new(doc, "azure", object);
	}
	if (json_object_get(object, member) == NULL)
		json_object_set_new(object, member,
				    strcmp(member, "requests") == 0 ? json_array() : json_object());
	return json_object_get(object, member);
}

void
uuid_random(char ret[static 37])
{
	unsigned char b[16] = { 0 };

	RAND_bytes(b, sizeof(b));
	b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
	b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
	snprintf(ret, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
		 b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12],
		 b[13], b[14], b[15]);
}

/* ---- what a reply says beside its body ---- */

const char *
web_header(const struct web_answer *answer, const char *name)
{
	return answer->reply != NULL ? http_header(answer->reply, name) : NULL;
}

/* "Microsoft.Compute/HighCostGet30Min;0" among several: the policy of which nothing is left, else
 * the number of reads left when it is none. */
const char *
web_limit(const struct http_reply *reply)
{
	static const char *const reads[] = { "x-ms-ratelimit-remaining-subscription-reads",
					     "x-ms-ratelimit-remaining-subscription-global-reads",
					     "x-ms-ratelimit-remaining-tenant-reads",
					     "x-ms-user-quota-remaining" };
	const char *value;
	size_t len;

	for (size_t n = 0;
	     reply != NULL &&
	     (value = http_header_nth(reply, "x-ms-ratelimit-remaining-resource", n)) != NULL;
	     n++)
		if ((len = strlen(value)) > 2 && strcmp(value + len - 2, ";0") == 0)
			return value;
	for (size_t i = 0; reply != NULL && i < sizeof(reads) / sizeof(*reads); i++)
		if ((value = http_header(reply, reads[i])) != NULL && strcmp(value, "0") == 0)
			return reads[i];
	return NULL;
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
	return seconds > RETRY_AFTER_MAX ? RETRY_AFTER_MAX : seconds;
}

/* ---- the record ---- */

/* When the request began, in ms after the first one that was recorded. */
static int64_t
began(struct web *web, const struct http_reply *reply)
{
	int64_t at = loop_now(web->loop) - reply->ms;

	if (web->first == 0)
		web->first = at;
	return at > web->first ? at - web->first : 0;
}

static void
record(const struct request *request, const struct http_reply *reply)
{
	struct web *web = request->web;
	json_t *entry = json_object();
	char *shown = url_shown(request->url),
	     *text = secrets_text(&web->secrets, reply->error != 0 ? reply->error_text : NULL);

	doc_set_str(entry, "method", request->method);
	doc_set_str(entry, "url", shown);
	if (reply->status != 0)
		doc_set_int(entry, "status", reply->status);
	doc_set_str(entry, "error", text);
	doc_set_int(entry, "at", began(web, reply));
	doc_set_int(entry, "ms", reply->ms);
	doc_set_str(entry, "request_id", http_header(reply, "x-ms-request-id"));
	doc_set_str(entry, "correlation_id", http_header(reply, "x-ms-correlation-request-id"));
	doc_set_str(entry, "client_request_id", request->id);
	if (reply->status == 429 || reply->status == 503)
		doc_set_str(entry, "retry_after", http_header(reply, "Retry-After"));
	doc_set_str(entry, "rate_limit", web_limit(reply));
	secrets_cut(&web->secrets, entry);
	json_array_append_new(azure_facts(web->doc, "requests"), entry);
	free(shown);
	free(text);
}

/* The server's clock tells how far ours is off. The first answer counts, since later ones may have
 * waited in a queue. */
static void
note_skew(struct web *web, const struct http_reply *reply)
{
	time_t date = time_from_http(http_header(reply, "Date"));
	json_t *signin = doc_get(web->doc, "azure.signin");

	if (date < 0 || web->skew_known)
		return;
	web->skew_known = true;
	web->skew = (long)(time(NULL) - date);
	if (signin != NULL) /* a credential that needed no request has settled it before */
		doc_set_int(signin, "skew_s", web->skew);
}

/* ---- ending ---- */

static void
request_free(struct request *request)
{
	free(request->method);
	free(request->url);
	secret_free(request->body);
	for (size_t i = 0; i < request->header_count; i++)
		secret_free(request->headers[i]);
	loop_unwatch(request->timer);
	free(request);
}

static void
request_end(struct request *request, const struct web_answer *answer)
{
	void (*done)(void *, const struct web_answer *) = request->done;
	void *ctx = request->ctx;
	char id[sizeof(request->id)];
	struct web_answer told = *answer;

	memcpy(id, request->id, sizeof(id));
	told.client_id = id;
	request_free(request);
	done(ctx, &told);
}

static void
request_fail(struct request *request, int error, const char *text)
{
	request_end(request,
		    &(struct web_answer){ .error = error, .error_text = text, .retry_after = -1 });
}

/* ---- retries ---- */

static void
timer_ready(void *ctx, int revents)
{
	struct request *request = ctx;

	loop_unwatch(request->timer);
	request->timer = NULL;
	if (revents < 0)
		request_fail(request, -ECANCELED,
			     "the time was over before it could be tried again");
	else
		request_send(request);
}

static bool
worth_retrying(const struct request *request, const struct http_reply *reply)
{
	if (reply->error == -ETIMEDOUT)
		return request->tries < 2;
	if (reply->error != 0)
		return reply->error == -ECONNRESET;
	if (reply->status == 410)
		return (request->flags & WEB_METADATA) != 0;
	return reply->status == 408 || reply->status == 429 || reply->status == 500 ||
	       (reply->status >= 502 && reply->status <= 504);
}

/* Milliseconds to wait before the next try: what the server asks for, else 0.8 s, doubled each
 * time, give or take a quarter. */
static int64_t
backoff(struct request *request, long asked)
{
	int64_t base = asked >= 0 ? (int64_t)asked * 1000 : (int64_t)800 << (request->tries - 1);
	unsigned *seed = &request->web->seed;

	*seed = *seed * 1103515245u + 12345u;
	if (asked >= 0)
		return base + (*seed >> 16) % 100;
	return base * 3 / 4 + (int64_t)(*seed >> 16) % (base / 2);
}

/* Starts the next try after its pause. False when there is none; *gave_up when only the time is
 * lacking. */
static bool
request_retry(struct request *request, const struct http_reply *reply, bool *gave_up)
{
	struct loop *loop = request->web->loop;
	int64_t wait;

	if ((request->flags & (WEB_ONCE | WEB_QUIET)) != 0 || request->tries >= WEB_TRIES ||
	    !worth_retrying(request, reply))
		return false;
	wait = backoff(request, retry_after(reply));
	if (wait + 200 >= loop_left(loop)) {
		*gave_up = true;
		return false;
	}
	request->timer = loop_watch(loop, -1, 0, wait > 0 ? (int)wait : 1, timer_ready, request);
	return request->timer != NULL;
}

/* ---- sending ---- */

static void
request_got(void *ctx, const struct http_reply *reply)
{
	struct request *request = ctx;
	struct web_answer answer = { .error = reply->error,
				     .error_text = reply->error_text,
				     .status = reply->status,
				     .body = reply->body,
				     .body_len = reply->body_len,
				     .reply = reply };

	record(request, reply);
	if (!request->no_proxy) /* a service of this machine has this machine's clock */
		note_skew(request->web, reply);
	if (request_retry(request, reply, &answer.gave_up))
		return;
	answer.retry_after = retry_after(reply);
	answer.hurried = request->hurried && reply->error == -ETIMEDOUT;
	if (reply->error == 0 && (request->flags & WEB_BYTES) == 0) {
		answer.html = is_html(reply);
		if (!answer.html && !json_fits(reply->body, reply->body_len))
			answer.error = -EFBIG;
		else if (!answer.html)
			answer.json = parse_json(reply->body, reply->body_len);
	}
	request_end(request, &answer);
	json_decref(answer.json);
}

/* How long an attempt may take: never so long that nothing else could be tried in the time left. */
static int
attempt_ms(struct request *request)
{
	int64_t longest = request->timeout_ms > 0 ? request->timeout_ms : WEB_TIMEOUT_MS,
		share = loop_left(request->web->loop) / ((request->flags & WEB_QUIET) != 0 ? 4 : 2);

	request->hurried = share < longest;
	if (share < 500)
		return 500;
	return (int)(share < longest ? share : longest);
}

static void
request_send(struct request *request)
{
	int r;

	request->tries++;
	r = loop_http(
	    request->web->loop,
	    &(struct http_request){ .method = request->method,
				    .url = request->url,
				    .headers = (const char *const *)request->headers,
				    .body = request->body,
				    .body_len = request->body != NULL ? strlen(request->body) : 0,
				    .timeout_ms = attempt_ms(request),
				    .connect_timeout_ms = request->connect_timeout_ms,
				    .max_bytes = request->max_bytes,
				    /* a proxy would have the token in plain sight */
				    .no_proxy = request->no_proxy || url_loopback(request->url) },
	    request_got, request);
	if (r < 0)
		request_fail(request, r, r == -ECANCELED ? "the time was over" : strerror(-r));
}

static void
add_header(struct request *request, char *line)
{
	if (request->header_count < WEB_HEADERS)
		request->headers[request->header_count++] = line;
	else
		secret_free(line);
}

void
web_ask(struct web *web, const struct web_ask *ask,
	void (*done)(void *ctx, const struct web_answer *answer), void *ctx)
{
	struct request *request = malloc(sizeof(*request));
	const char *method = ask->method != NULL ? ask->method : "GET";

	*request = (struct request){ .web = web,
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
		request->body = strdup(ask->body != NULL ? ask->body : "");
	uuid_random(request->id);
	for (size_t i = 0; ask->headers != NULL && ask->headers[i] != NULL; i++)
		add_header(request, strdup(ask->headers[i]));
	add_header(request, strdup("Accept: application/json"));
	add_header(request, doc_fmt("x-ms-client-request-id: %s", request->id));
	request_send(request);
}
