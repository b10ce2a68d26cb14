/* Resources and lists, each asked for once a run for all VMs (fetch.c, list.c, and their table in
 * fetches.c). What a list brings is held: it becomes facts where a VM refers to it, and whoever
 * asks for a resource that a list under way may bring waits for the list. */
#ifndef AZURE_FETCH_H
#define AZURE_FETCH_H

#include "azure/arm/arm.h"
#include "azure/join.h"

struct fetches {
	struct arm *arm;
	json_t *held;      /* id: body, from lists; not yet facts */
	struct fetch **at; /* a hash table */
	size_t room, count;
};

void fetches_begin(struct fetches *fetches, struct arm *arm);
void fetches_free(struct fetches *fetches);

/* ---- resources ---- */

/* Both call done exactly once, perhaps before they return. */

/* Ends with the resource in azure.resources or azure.missing. */
void fetch_resource(struct fetches *fetches, const char *id, void (*done)(void *ctx), void *ctx);
/* The same for something beside the resources proper (health, a schedule, the result of an action):
 * asked as it says, kept under its path. */
void fetch_optional(struct fetches *fetches, const struct arm_ask *ask, void (*done)(void *ctx),
		    void *ctx);

/* ---- lists ---- */

/* Ends with the list's items held and its state in azure.lists; calls done (may be NULL) once,
 * perhaps before it returns. A list that has a fallback gets one short attempt. */
void list_fetch(struct fetches *fetches, const char *path, bool has_fallback,
		void (*done)(void *ctx), void *ctx);
/* The same, then calls item for each of them, then done. */
void list_visit(struct fetches *fetches, const char *path, bool has_fallback,
		void (*item)(void *ctx, const char *id, const json_t *body), void *ctx,
		void (*done)(void *ctx), void *done_ctx);

/* Puts a list there as if it had been fetched: the ids of its items, which are held, or why it did
 * not come (NULL: it did). One that is there already stays. */
void list_feed(struct fetches *fetches, const char *path, const json_t *ids, json_t *why);
/* Holds a body, or its text, for whoever asks for it; takes it. */
void list_hold(struct fetches *fetches, const char *id, json_t *body);
/* Takes out of the facts of all what is held and can be had again. */
void list_forget(struct fetches *fetches, const char *id);

/* Calls item for what a list has brought; none while it has not ended. */
void list_each(const struct fetches *fetches, const char *path,
	       void (*item)(void *ctx, const char *id, const json_t *body), void *ctx);
/* How a list went: its entry in azure.lists, NULL while it has not ended. Borrowed. */
const json_t *list_state(const struct fetches *fetches, const char *path);
/* Takes a held item into azure.resources; false when there is none. */
bool list_keep(struct fetches *fetches, const char *id);

/* ---- what came ---- */

/* A member of the document's "azure" object. Borrowed. */
json_t *fetch_facts(const struct fetches *fetches, const char *member);
/* Enters what came of a path: the body (taken) into azure.resources, or why (borrowed) into
 * azure.missing. */
void fetch_enter(struct fetches *fetches, const char *path, json_t *body, json_t *why);

/* Enters what is there of a path (the body, or why it is missing) into another document too, which
 * holds what was read for one VM of many. */
void fetch_share(const struct fetches *fetches, const char *path, json_t *doc);

/* ---- among these files ---- */

struct item {
	char *id;
	json_t *body; /* borrowed from what is held; NULL: it is held as text */
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

/* NULL when the path has not been asked for. */
struct fetch *fetch_find(const struct fetches *fetches, const char *path);
/* The fetch of that path; *begin when it is new. NULL for a path that is none. */
struct fetch *fetch_of(struct fetches *fetches, const char *path, bool *begin);
/* Calls done when it has ended, perhaps at once. NULL for either is fine. */
void fetch_wait(struct fetch *fetch, void (*done)(void *ctx), void *ctx);
void fetch_end(struct fetch *fetch);

#endif
