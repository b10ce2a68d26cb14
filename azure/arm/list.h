/* Lists, each asked for once a run. What they bring is held: it serves every VM, and becomes facts
 * where one of them refers to it. */
#ifndef AZURE_LIST_H
#define AZURE_LIST_H

#include "azure/arm/table.h"

/* Ends with the list's items held and its state in azure.lists; calls done (may be NULL) once,
 * perhaps before it returns. A list that has a fallback gets one short attempt. */
void list_fetch(struct fetches *fetches, const char *path, bool has_fallback,
		void (*done)(void *ctx), void *ctx);
/* The same, then calls item for each of them, then done. */
void list_visit(struct fetches *fetches, const char *path, bool has_fallback,
		void (*item)(void *ctx, const char *id, const json_t *body), void *ctx,
		void (*done)(void *ctx), void *done_ctx);

/* Calls item for what a list has brought; none while it has not ended. */
void list_each(const struct fetches *fetches, const char *path,
	       void (*item)(void *ctx, const char *id, const json_t *body), void *ctx);
/* How a list went: its entry in azure.lists, NULL while it has not ended. Borrowed. */
const json_t *list_state(const struct fetches *fetches, const char *path);
/* Takes a held item into azure.resources; false when there is none. */
bool list_keep(struct fetches *fetches, const char *id);

#endif
