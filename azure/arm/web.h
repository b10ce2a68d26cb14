/* One HTTP request with retries, entered in azure.requests. It knows no tokens and no ARM. */
#ifndef AZURE_WEB_H
#define AZURE_WEB_H

#include "azure/arm/secrets.h"
#include "loop/loop.h"

#include <jansson.h>

/* What the requests of a run share. */
struct web {
	struct loop *loop;
	json_t *doc; /* the facts document, borrowed */
	struct secrets secrets;
	unsigned seed; /* of the jitter */
	long skew;     /* seconds our clock is ahead of the first server that answered */
	bool skew_known;
	int64_t first; /* when the first request of the record began; 0: none has */
};

enum {
	WEB_ONCE = 1,     /* no retries */
	WEB_QUIET = 2,    /* one short attempt; nobody is told of its failure */
	WEB_METADATA = 4, /* the instance metadata service: 410 means that it is being updated */
	WEB_BYTES = 8     /* the reply is no JSON */
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
	int error; /* as http_reply; of ARM requests also -EXDEV: the URL is not where the token may
		      go; -EKEYEXPIRED: no fresh token */
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
	const char *client_id;          /* our x-ms-client-request-id; NULL when none was sent */
};

/* done is called exactly once, perhaps before web_ask returns. */
void web_ask(struct web *web, const struct web_ask *ask,
	     void (*done)(void *ctx, const struct web_answer *answer), void *ctx);
const char *web_header(const struct web_answer *answer, const char *name);
/* What a server says of a limit that is used up; NULL when nothing. Borrowed. */
const char *web_limit(const struct http_reply *reply);

void uuid_random(char ret[static 37]);

/* A member of the document's "azure" object, made when it is not there. Borrowed. */
json_t *azure_facts(json_t *doc, const char *member);

#endif
