/* What a collector may ask of the event loop: HTTP requests, child processes, descriptors and
 * timers, all in one thread and one poll(). Callbacks run from the loop, never from within the
 * asking call, and each operation's callback runs exactly once (watches: as often as they are
 * ready) unless the asking call returned an error. At the deadline everything still under way is
 * called back with -ECANCELED, and asking again returns -ECANCELED. */
#ifndef LOOP_LOOP_H
#define LOOP_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;

/* Milliseconds of the monotonic clock. */
int64_t loop_now(const struct loop *loop);

/* Milliseconds left until the deadline of the round, never below 0. */
int64_t loop_left(const struct loop *loop);

/* ---- HTTP ---- */

struct http_request {
	const char *method; /* "GET", "POST" */
	const char *url;
	const char *const *headers; /* NULL-terminated "Name: value" lines, NULL for none; copied,
				       and wiped after use */
	const char *body;           /* NULL for none; copied */
	size_t body_len;
	int timeout_ms;         /* whole request; 0: until the deadline */
	int connect_timeout_ms; /* 0: as timeout_ms */
	size_t max_bytes;       /* of the reply's body; 0: 16 MiB. A larger one is -EFBIG */
	bool no_proxy;          /* link-local and loopback endpoints */
};

struct http_reply {
	int error; /* 0, or -EACCES (the proxy refuses to connect), -ETIMEDOUT, -ECONNREFUSED,
		    * -EHOSTUNREACH (name not resolved: -ENOENT), -ECONNRESET (also a body cut
		    * short), -EPROTO (TLS), -EFBIG, -ECANCELED, -EIO */
	const char *error_text; /* a sentence for people, "" without error */
	long status;            /* HTTP status, 0 when none arrived */
	const char *body;       /* NUL-terminated for convenience; may hold NULs itself */
	size_t body_len;
	int64_t ms;          /* from asking to the end */
	const void *headers; /* for http_header */
};

/* Returns 0 or -errno. Redirects are never followed, no cookie is kept, credentials in URLs are
 * ignored. */
int loop_http(struct loop *loop, const struct http_request *request,
	      void (*done)(void *ctx, const struct http_reply *reply), void *ctx);

/* The value of the reply's (last) header of that name, in any case; NULL when absent. Lives as long
 * as the reply. */
const char *http_header(const struct http_reply *reply, const char *name);
/* The same of a header that stands there more than once: 0 is the first; NULL when there are no
 * more. */
const char *http_header_nth(const struct http_reply *reply, const char *name, size_t n);

/* ---- children ---- */

struct child_request {
	const char *const *argv; /* argv[0] is looked up on PATH unless it holds a slash;
				    NULL-terminated; copied by the spawn */
	const char *const *env;  /* extra "NAME=value" entries, NULL for none */
	bool azure_env;          /* pass AZURE_* on as well (only for az) */
	bool user_env;     /* pass everything on but credentials: for what the user would start
			      himself, and the programs that it starts in turn */
	bool unattended;   /* in a session of its own and without SSH_ASKPASS: nothing in it can
			      ask the user a question */
	const char *input; /* its stdin; NULL: /dev/null */
	size_t input_len;
	const int *socket; /* this descriptor becomes both its stdin and its stdout (no input, no
			      out); NULL: none. The caller keeps it */
	int timeout_ms;    /* then its whole process group is killed; 0: until the deadline */
	int quiet_ms;      /* the same when it writes nothing for that long; 0: it may be silent */
	size_t max_bytes;  /* of stdout and of stderr each; 0: 1 MiB; more is read and dropped, and
			      `cut` is set */

	/* Called as stdout grows, with all of it (NUL-terminated): true ends the process group at
	 * once, and `enough` is set. NULL: it runs to its end. */
	bool (*enough)(void *ctx, const char *out, size_t len);
};

struct child_reply {
	int error;  /* 0 when it ran and ended; -ENOENT not installed, -ETIMEDOUT, -ECANCELED, other
		       -errno */
	int status; /* exit status; 128 + signal when killed by one */
	const char *out, *err; /* NUL-terminated */
	size_t out_len, err_len;
	bool cut, enough;
	int64_t ms;
};

int loop_child(struct loop *loop, const struct child_request *request,
	       void (*done)(void *ctx, const struct child_reply *reply), void *ctx);

/* ---- descriptors and timers ---- */

struct watch;

/* Calls ready(ctx, revents) whenever fd (-1: a pure timer) has one of events (POLLIN, POLLOUT) or
 * an error; revents is 0 when timeout_ms has passed (0: none) and negative (-ECANCELED) at the
 * deadline. The caller keeps the fd and ends the watch with loop_unwatch, also from within ready.
 * NULL when out of memory or past the deadline. */
struct watch *loop_watch(struct loop *loop, int fd, short events, int timeout_ms,
			 void (*ready)(void *ctx, int revents), void *ctx);

/* Changes what is waited for and starts the timeout anew. */
void loop_rewatch(struct watch *watch, short events, int timeout_ms);

/* Ends the watch; NULL is fine. */
void loop_unwatch(struct watch *watch);

#endif
