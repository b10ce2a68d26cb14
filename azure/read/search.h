/* Looking for a VM: by its name (search.c), or by an address of its own (owner.c); Resource Graph
 * first (graph.c), lists where that does not serve. */
#ifndef AZURE_SEARCH_H
#define AZURE_SEARCH_H

#include "azure/session.h"

struct search_result {
	json_t *hits;     /* array of ids */
	json_t *near;     /* ids of VMs named like it */
	json_t *way;      /* ids of what has the address, and of what uses that */
	json_t *searched; /* subscription ids */
	json_t *why;      /* entry: what kept the search from being complete; NULL when it was */
};

void search_result_begin(struct search_result *result);
void search_result_free(struct search_result *result);
/* Adds an id that is not there yet. */
void search_add(json_t *ids, const char *id);
/* Keeps the first reason; NULL is none. */
void search_incomplete(struct search_result *result, const json_t *why);

/* Looks for VMs of that name over every subscription in sight. */
void search_vm(struct azure *azure, const char *name,
	       void (*done)(void *ctx, const struct search_result *result), void *ctx);
/* Looks for the owner of a public (or private) address, or of a name: by the name itself, and by
 * the addresses that the resolver finds for it. */
struct owner_ask {
	const char *host;
	const char *where; /* the subscription to list when Resource Graph knows nothing; NULL: all
			    */
	/* true for addresses that need no search; NULL: none */
	bool (*known)(void *ctx, const json_t *addresses);
};
void search_owner(struct azure *azure, const struct owner_ask *ask,
		  void (*done)(void *ctx, const struct search_result *result), void *ctx);
/* A person may have meant `name` by `typed`. */
bool name_near(const char *typed, const char *name);
bool name_plain(const char *name); /* fit to be part of a query */

/* The rows of a Resource Graph query (an array of objects); exactly one call of done. */
void graph_ask(struct arm *arm, const char *query,
	       void (*done)(void *ctx, const struct arm_answer *answer), void *ctx);

/* The same over those subscriptions, however many pages it takes, as fleet_row makes the rows; no
 * fallback is meant, so it is patient. */
void graph_read(struct arm *arm, const char *query, json_t *subscriptions,
		void (*done)(void *ctx, const struct arm_answer *answer), void *ctx);

#endif
