/* Lists that are POSTed, page by page: a page names a token, which the next request's body carries.
 */
#ifndef AZURE_PAGES_H
#define AZURE_PAGES_H

#include "azure/arm/arm.h"

struct pages_ask {
	const char *path;
	json_t *body;      /* of the first request; taken */
	const char *in;    /* the object of the body that takes the token; NULL: the body itself */
	const char *token; /* its name there and in a page */
	unsigned flags, most; /* as arm_ask; pages at most */
	/* Appends a page's items; false when it is no such page. */
	bool (*take)(json_t *items, const json_t *page);
};

/* done is called exactly once with all items, or why; `more` when the last page was not reached. */
void pages_ask(struct arm *arm, const struct pages_ask *ask,
	       void (*done)(void *ctx, const struct arm_answer *answer), void *ctx);

#endif
