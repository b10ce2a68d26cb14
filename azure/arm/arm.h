/* ARM requests: with the token, in the api-version of their type, through pages and long
 * operations. */
#ifndef AZURE_ARM_H
#define AZURE_ARM_H

#include "azure/arm/web.h"

#include <time.h>

struct token {
	char *text;          /* NULL: none */
	time_t expires;      /* 0: not known */
	unsigned generation; /* counts the tokens; 0: none yet */
};

struct arm {
	struct web *web;
	const char *base; /* "https://management.azure.com", no slash at the end; borrowed */
	struct token token;
	/* Calls done when a token newer than `generation` is there or none can be had; perhaps at
	 * once. */
	void (*renew)(void *ctx, unsigned generation, void (*done)(void *ctx), void *done_ctx);
	void *renew_ctx;
	json_t *api; /* type: version, as negotiated */
};

enum {
	ARM_LIST = 1,         /* the answer is the array of all pages' items */
	ARM_LONG = 2,         /* 201 and 202 are polled to the end */
	ARM_HAS_FALLBACK = 4, /* one short attempt */
	ARM_WRITE = 8,        /* must not be sent twice */
	ARM_LARGE = 32,       /* the answer is about many resources, and gets a minute */
	ARM_UNCUT = 16        /* the answer is a secret address: it must not become facts */
};

struct arm_ask {
	const char *method; /* NULL: GET */
	const char *path;   /* "/subscriptions/..." as ids have it */
	const char *query;  /* "$expand=instanceView", encoded; NULL: none */
	const json_t *body; /* NULL: none */
	unsigned flags;
	unsigned pages; /* at most so many; 0: 50 */
	/* Of a list: called with done's ctx for the items of each page, which then are not
	 * gathered; NULL: they are. */
	void (*page)(void *ctx, json_t *items);
};

struct arm_answer {
	json_t *body; /* borrowed; NULL when it did not come (a list may have both: what came before
			 it broke off) */
	json_t *why;  /* borrowed entry for azure.missing; NULL when all is well */
	bool more;    /* a list cut at its page limit */
};

void arm_begin(struct arm *arm, struct web *web, const char *base);
void arm_free(struct arm *arm);
/* done is called exactly once, perhaps before arm_ask returns. */
void arm_ask(struct arm *arm, const struct arm_ask *ask,
	     void (*done)(void *ctx, const struct arm_answer *answer), void *ctx);

#endif
