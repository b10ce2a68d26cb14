#include "loop/curl.h"
#include "loop/transfer.h"
#include "loop/trust.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <strings.h>

struct http {
	struct transfer transfer;
	struct loop *loop;
	struct curl_slist *headers;
	char *url, *body;
	char *reply, *lines; /* the reply's body and its header lines, both NUL-terminated */
	size_t reply_len, lines_len, max_bytes;
	int64_t began;
	char error[CURL_ERROR_SIZE];
	bool too_big;
	int lacking; /* why no socket could be made, 0 when they could */
	void (*done)(void *ctx, const struct http_reply *reply);
	void *ctx;
};

enum { MAX_BODY = 16 << 20, MAX_BODIES = 48 << 20, MAX_HEADERS = 256 << 10 };

static size_t bodies; /* bytes of all replies under way */

static const struct curl_api *curl; /* set before the first request is made */

static void
wipe(void *bytes, size_t len)
{
	if (bytes != NULL)
		explicit_bzero(bytes, len);
}

static void
http_free(struct http *http)
{
	if (http == NULL)
		return;
	curl->easy_cleanup(http->transfer.easy);
	for (struct curl_slist *line = http->headers; line != NULL; line = line->next)
		wipe(line->data, strlen(line->data));
	curl->slist_free_all(http->headers);
	if (http->body != NULL)
		wipe(http->body, strlen(http->body));
	wipe(http->reply, http->reply_len);
	bodies -= http->reply_len;
	free(http->url);
	free(http->body);
	free(http->reply);
	free(http->lines);
	free(http);
}

static bool
append(char **buffer, size_t *len, const char *bytes, size_t n)
{
	char *grown;
	size_t room = *len + n + 1, size = 4096;

	/* powers of two, so that growing costs no more than copying once over */
	while (size <= *len)
		size *= 2;
	if (*buffer == NULL || room > size) {
		while (size < room)
			size *= 2;
		if ((grown = realloc(*buffer, size)) == NULL)
			return false;
		*buffer = grown;
	}
	memcpy(*buffer + *len, bytes, n);
	*len += n;
	(*buffer)[*len] = '\0';
	return true;
}

static size_t
on_body(char *bytes, size_t size, size_t n, void *ctx)
{
	struct http *http = ctx;

	if (http->reply_len + size * n > http->max_bytes || bodies + size * n > MAX_BODIES) {
		http->too_big = true;
		return 0;
	}
	if (!append(&http->reply, &http->reply_len, bytes, size * n))
		return 0;
	bodies += size * n;
	return size * n;
}

static size_t
on_header(char *bytes, size_t size, size_t n, void *ctx)
{
	struct http *http = ctx;

	if (n > 5 && strncmp(bytes, "HTTP/", 5) == 0)
		http->lines_len = 0; /* a 100 Continue came before */
	if (http->lines_len + size * n > MAX_HEADERS)
		return 0;
	return append(&http->lines, &http->lines_len, bytes, size * n) ? size * n : 0;
}

/* Ends every header line with a NUL in the place of what ended it, so that values can be lent out
 * as they stand. */
static void
split_lines(struct http *http)
{
	for (size_t i = 0; i < http->lines_len; i++)
		if (http->lines[i] == '\n')
			for (size_t end = i + 1;
			     end > 0 && strchr("\r\n \t", http->lines[end - 1]) != NULL &&
			     http->lines[end - 1] != '\0';
			     end--)
				http->lines[end - 1] = '\0';
}

const char *
http_header_nth(const struct http_reply *reply, const char *name, size_t n)
{
	const struct http *http = reply->headers;
	const char *end =
	    http != NULL && http->lines != NULL ? http->lines + http->lines_len : NULL;
	size_t len = strlen(name), seen = 0;

	for (const char *line = end != NULL ? http->lines : NULL; line < end;
	     line += strlen(line) + 1)
		if (strncasecmp(line, name, len) == 0 && line[len] == ':' && seen++ == n)
			return line + len + 1 + strspn(line + len + 1, " \t");
	return NULL;
}

const char *
http_header(const struct http_reply *reply, const char *name)
{
	const char *value = NULL, *next;

	for (size_t n = 0; (next = http_header_nth(reply, name, n)) != NULL; n++)
		value = next;
	return value;
}

/* Which errno a caller would expect for a transfer that curl ended. */
static int
error_of(const struct http *http, CURLcode result, bool cancelled)
{
	if (cancelled)
		return -ECANCELED;
	if (http->too_big)
		return -EFBIG;
	switch (result) {
	case CURLE_OK:
		return 0;
	case CURLE_OPERATION_TIMEDOUT:
		return -ETIMEDOUT;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
		return -ENOENT;
	case CURLE_COULDNT_CONNECT:
		return -ECONNREFUSED;
	case CURLE_PARTIAL_FILE:
	case CURLE_GOT_NOTHING:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_HTTP2:
	case CURLE_HTTP2_STREAM:
		return -ECONNRESET;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_CIPHER:
		return -EPROTO;
	default:
		return -EIO;
	}
}

/* A proxy that answers CONNECT with an error ends a transfer as if the line had broken. */
static bool
refused_by_proxy(struct http *http)
{
	long code = 0;

	curl->easy_getinfo(http->transfer.easy, CURLINFO_HTTP_CONNECTCODE, &code);
	if (code < 300)
		return false;
	snprintf(http->error, sizeof(http->error),
		 code == 407 ? "the proxy wants a sign-in of its own (HTTP %ld)"
			     : "the proxy refuses to connect (HTTP %ld)",
		 code);
	return true;
}

/* The URL without its query and without the name and password that it may hold. */
static void
trace(const struct http *http, const struct http_reply *reply)
{
	const char *host = strstr(http->url, "://"), *at;

	host = host != NULL ? host + 3 : http->url;
	at = memchr(host, '@', strcspn(host, "/?#"));
	loop_trace(http->loop, "%.*s%.*s -> %ld %s%s(%lld ms)", (int)(host - http->url), http->url,
		   (int)strcspn(at != NULL ? at + 1 : host, "?#"), at != NULL ? at + 1 : host,
		   reply->status, reply->error_text, reply->error_text[0] != '\0' ? " " : "",
		   (long long)reply->ms);
}

static void
http_done(struct transfer *transfer, CURLcode result, bool cancelled)
{
	struct http *http = (struct http *)transfer;
	struct http_reply reply = { .error = error_of(http, result, cancelled),
				    .error_text = "",
				    .body = http->reply != NULL ? http->reply : "",
				    .body_len = http->reply_len,
				    .ms = loop_now(http->loop) - http->began,
				    .headers = http };

	split_lines(http);
	curl->easy_getinfo(http->transfer.easy, CURLINFO_RESPONSE_CODE, &reply.status);
	if (reply.error == -ECONNRESET && refused_by_proxy(http))
		reply.error = -EACCES;
	if (reply.error != 0 && !cancelled && http->lacking != 0)
		reply.error = -http->lacking;
	if (cancelled)
		reply.error_text = "the deadline came first";
	else if (reply.error != 0 && http->lacking != 0)
		reply.error_text = strerror(http->lacking);
	else if (http->too_big)
		reply.error_text = "the reply is larger than this program reads";
	else if (reply.error != 0)
		reply.error_text =
		    http->error[0] != '\0' ? http->error : curl->easy_strerror(result);
	trace(http, &reply);
	http->done(http->ctx, &reply);
	http_free(http);
}

/* libcurl itself leaves its sockets open across exec. */
static curl_socket_t
open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct http *http = ctx;
	int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);

	(void)purpose;
	if (fd < 0)
		http->lacking = errno;
	return fd;
}

static void
set_options(struct http *http, const struct http_request *request)
{
	long timeout =
	    request->timeout_ms > 0 ? request->timeout_ms : (long)loop_left(http->loop) + 1000;

	curl->easy_setopt(http->transfer.easy, CURLOPT_URL, http->url);
	curl->easy_setopt(http->transfer.easy, CURLOPT_NOSIGNAL, 1L);
	curl->easy_setopt(http->transfer.easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl->easy_setopt(http->transfer.easy, CURLOPT_OPENSOCKETDATA, http);
#if LIBCURL_VERSION_NUM >= 0x075500
	curl->easy_setopt(http->transfer.easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
	curl->easy_setopt(http->transfer.easy, CURLOPT_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS);
#endif
#if LIBCURL_VERSION_NUM >= 0x075700
	curl->easy_setopt(http->transfer.easy, CURLOPT_QUICK_EXIT, 1L);
#endif
	curl->easy_setopt(http->transfer.easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl->easy_setopt(http->transfer.easy, CURLOPT_ACCEPT_ENCODING, "");
	curl->easy_setopt(http->transfer.easy, CURLOPT_USERAGENT, PACKAGE_NAME "/" PACKAGE_VERSION);
	curl->easy_setopt(http->transfer.easy, CURLOPT_ERRORBUFFER, http->error);
	curl->easy_setopt(http->transfer.easy, CURLOPT_TIMEOUT_MS, timeout);
	curl->easy_setopt(http->transfer.easy, CURLOPT_CONNECTTIMEOUT_MS,
			  request->connect_timeout_ms > 0 ? (long)request->connect_timeout_ms
							  : timeout);
	curl->easy_setopt(http->transfer.easy, CURLOPT_HTTPHEADER, http->headers);
	curl->easy_setopt(http->transfer.easy, CURLOPT_WRITEFUNCTION, on_body);
	curl->easy_setopt(http->transfer.easy, CURLOPT_WRITEDATA, http);
	curl->easy_setopt(http->transfer.easy, CURLOPT_HEADERFUNCTION, on_header);
	curl->easy_setopt(http->transfer.easy, CURLOPT_HEADERDATA, http);
	curl->easy_setopt(http->transfer.easy, CURLOPT_CUSTOMREQUEST, request->method);
	if (strncasecmp(http->url, "https:", 6) == 0) {
		trust_set(curl, http->transfer.easy);
		/* one connection for all where the server speaks HTTP/2 */
		curl->easy_setopt(http->transfer.easy, CURLOPT_PIPEWAIT, 1L);
	}
	if (request->no_proxy)
		curl->easy_setopt(http->transfer.easy, CURLOPT_NOPROXY, "*");
	if (http->body != NULL) {
		curl->easy_setopt(http->transfer.easy, CURLOPT_POSTFIELDS, http->body);
		curl->easy_setopt(http->transfer.easy, CURLOPT_POSTFIELDSIZE,
				  (long)request->body_len);
	}
}

static bool
copy_request(struct http *http, const struct http_request *request)
{
	struct curl_slist *more;

	for (size_t i = 0; request->headers != NULL && request->headers[i] != NULL; i++) {
		if ((more = curl->slist_append(http->headers, request->headers[i])) == NULL)
			return false;
		http->headers = more;
	}
	if (request->body != NULL && (http->body = calloc(1, request->body_len + 1)) != NULL)
		memcpy(http->body, request->body, request->body_len);
	http->url = strdup(request->url);
	return http->url != NULL && (request->body == NULL || http->body != NULL);
}

int
loop_http(struct loop *loop, const struct http_request *request,
	  void (*done)(void *ctx, const struct http_reply *reply), void *ctx)
{
	struct http *http;
	int r;

	if (loop_closing(loop))
		return -ECANCELED;
	if ((curl = curl_load()) == NULL)
		return -ENOSYS;
	if ((http = calloc(1, sizeof(*http))) == NULL)
		return -ENOMEM;
	*http =
	    (struct http){ .transfer.done = http_done,
			   .loop = loop,
			   .began = loop_now(loop),
			   .done = done,
			   .ctx = ctx,
			   .max_bytes = request->max_bytes != 0 ? request->max_bytes : MAX_BODY };
	if (!copy_request(http, request) || (http->transfer.easy = curl->easy_init()) == NULL) {
		http_free(http);
		return -ENOMEM;
	}
	set_options(http, request);
	if ((r = transfer_begin(loop, &http->transfer)) < 0)
		http_free(http);
	return r;
}
