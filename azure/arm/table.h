/* What is asked for once a run: a table of fetches by path. Only the files that fetch include this.
 */
#ifndef AZURE_TABLE_H
#define AZURE_TABLE_H

#include "azure/arm/arm.h"
#include "azure/join.h"

struct item {
	char *id;
	json_t *body; /* borrowed from what is held */
};

/* One resource or list, under way or there. */
struct fetch {
	struct fetches *all;
	char *key, *path; /* key: the path in lower case */
	bool ended;
	struct item *items; /* of a list */
	size_t count;
	struct waiters waiters;
};

struct fetches {
	struct arm *arm;
	json_t *held;      /* id: body, from lists; not yet facts */
	struct fetch **at; /* a hash table */
	size_t room, count;
};

void fetches_begin(struct fetches *fetches, struct arm *arm);
void fetches_free(struct fetches *fetches);

/* NULL when the path has not been asked for. */
struct fetch *fetch_find(const struct fetches *fetches, const char *path);
/* The fetch of that path; *begin when it is new. NULL for a path that is none. */
struct fetch *fetch_of(struct fetches *fetches, const char *path, bool *begin);
/* Calls done when it has ended, perhaps at once. NULL for either is fine. */
void fetch_wait(struct fetch *fetch, void (*done)(void *ctx), void *ctx);
void fetch_end(struct fetch *fetch);

/* A member of the document's "azure" object. Borrowed. */
json_t *fetch_facts(const struct fetches *fetches, const char *member);
/* Enters what came of a path: the body (taken) into azure.resources, or why (borrowed) into
 * azure.missing. */
void fetch_enter(struct fetches *fetches, const char *path, json_t *body, json_t *why);

#endif
