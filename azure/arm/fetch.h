/* Resources, each asked for once a run. One that a list under way may bring waits for that list. */
#ifndef AZURE_FETCH_H
#define AZURE_FETCH_H

#include "azure/arm/table.h"

/* Both call done exactly once, perhaps before they return. */

/* Ends with the resource in azure.resources or azure.missing. */
void fetch_resource(struct fetches *fetches, const char *id, void (*done)(void *ctx), void *ctx);
/* The same for something beside the resources proper (health, a schedule, the result of an action):
 * asked as it says, kept under its path. */
void fetch_optional(struct fetches *fetches, const struct arm_ask *ask, void (*done)(void *ctx),
		    void *ctx);

#endif
