/* The reading of one VM, as its rows share it. Nothing here knows which rows there are. */
#ifndef AZURE_READER_H
#define AZURE_READER_H

#include "azure/arm/fetch.h"
#include "azure/arm/path.h"
#include "azure/session.h"
#include "facts/facts.h"

#define DENY_ASSIGNMENTS "Microsoft.Authorization/denyAssignments"
#define JIT_POLICIES "Microsoft.Security/jitNetworkAccessPolicies"

struct vm_reader {
	struct azure *azure;
	struct fetches *fetches;
	struct facts facts;
	char *id;                   /* the VM's */
	json_t *seen;               /* what is followed: lower-cased id to id */
	json_t *nics;               /* found by their side, since the VM names none; else NULL */
	json_t *activity, *changes; /* of activity.c */
	json_t *asked;              /* of asked.c: NETWORK's member; NULL: nothing was looked up */
	bool elsewhere;             /* the address asked for is none that was read */
	struct join network;        /* what the current stage waits for */
	struct join all;            /* what the end waits for */
	unsigned stage;
	void (*settled)(void *ctx); /* NETWORK is */
	void (*done)(void *ctx);
	void *ctx;
};

/* Starts what needs no more than the VM's id. */
void reader_prefetch(struct fetches *fetches, const char *id);

/* The types of the group's lists that it fetches, in their order; NULL behind the last. */
const char *reader_list_type(size_t i);

/* The VM's body, NULL when it did not come; *why (may be NULL) is then its entry. */
const json_t *reader_vm(const struct vm_reader *reader, const json_t **why);
/* The VM runs, as far as its body tells. */
bool reader_runs(const struct vm_reader *reader);
/* An instance of a uniform scale set: its NICs have a list of their own. */
bool reader_is_instance(const struct vm_reader *reader);

/* The next id of what is followed whose key holds the part, in lower case ("/networkinterfaces/");
 * *at begins as NULL. Nothing may be followed on the way. */
const char *reader_seen(const struct vm_reader *reader, const char *part, void **at);
/* follow.c: fetches the resource and whatever it refers to in turn; the network waits. */
void reader_follow(struct vm_reader *reader, const char *id);

/* A text of an entry of azure.missing or azure.lists (NULL: none). */
const char *entry_text(const json_t *entry, const char *name, const char *fallback);

/* Takes an item of a list into the facts of this VM. */
void reader_keep(struct vm_reader *reader, const char *id);
/* Fetches a resource into them; the join waits. */
void reader_fetch(struct vm_reader *reader, struct join *join, const char *id,
		  void (*arrived)(struct vm_reader *reader));
/* Enters what came of a path (as fetch_enter) into them. */
void reader_enter(struct vm_reader *reader, const char *path, json_t *body, json_t *why);
/* Asks something beside the resources, kept under its path; the join (network or all) waits. */
void reader_ask(struct vm_reader *reader, struct join *join, const struct arm_ask *ask);
/* Fetches a list and calls item (ctx: the reader) for what it holds; the join waits. Takes the
 * path; NULL: no list. */
void reader_list(struct vm_reader *reader, struct join *join, char *path, bool has_fallback,
		 void (*item)(void *ctx, const char *id, const json_t *body));

#endif
