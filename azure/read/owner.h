/* Looking for what has an address: shared by owner.c (where it is looked for) and behind.c (from
 * what has it to the VM). */
#ifndef AZURE_OWNER_H
#define AZURE_OWNER_H

#include "azure/read/search.h"

struct owner {
	struct azure *azure;
	char *host, *where;
	json_t *addresses; /* the host itself, or what its name resolves to */
	bool whole;        /* Resource Graph answered */
	json_int_t port;
	bool (*known)(void *ctx, const json_t *addresses);
	struct search_result result;
	json_t *followed; /* keys of what was fetched on the way */
	struct join join;
	void (*done)(void *ctx, const struct search_result *result);
	void *ctx;
};

/* A VM that has it. */
void owner_hit(struct owner *owner, const char *id);
/* Follows what uses an address (an ipConfiguration, a front end) to the VMs behind it; the join
 * waits. */
void owner_follow(struct owner *owner, const char *part);

#endif
