/* The way from options to facts: which collector starts when, for how many VMs, until when. */
#ifndef CLI_COLLECT_H
#define CLI_COLLECT_H

#include "cli/options.h"

#include <jansson.h>

struct collect_hooks {
	/* After every turn of the loop, with the facts of a VM that is waited for; NULL for none.
	 */
	void (*turn)(void *ctx, json_t *doc, int64_t elapsed_ms);
	/* In a run of many VMs: the index-th is done, and these are its facts (borrowed). */
	void (*finished)(void *ctx, size_t index, json_t *doc);
	/* Some of the VMs may lack, as the sentence says. */
	void (*gap)(void *ctx, const char *sentence);
	void *ctx;
	void (*trace)(const char *line); /* a line for -v; NULL for none */
};

/* true when the options ask for several VMs: each then has a document of its own, which is handed
 * over as soon as it is whole. collect_few: they come from one command line, so that a name that
 * several VMs bear is a mistake in it. */
bool collect_many(const struct options *options);
bool collect_few(const struct options *options);

/* Looks at everything the options ask for, and runs the programs among the custom rules if they
 * allow it. *ret becomes the facts document of a run of one VM (the caller owns it; else NULL), in
 * which nothing is pending any more. Returns 0, -EINVAL with a sentence (bad option values, a VM
 * name found twice), -ENODATA with a sentence (it cannot be told which VMs there are, or there are
 * none), or -ENOMEM. */
int collect(const struct options *options, const json_t *custom, const struct collect_hooks *hooks,
	    json_t **ret, struct err *err);

/* The hard limit of one look, in milliseconds: --deadline, else by depth. */
int collect_deadline(const struct options *options);

#endif
