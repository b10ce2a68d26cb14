/* The way from options to facts: which collector starts when, for how many VMs, until when. */
#ifndef CLI_COLLECT_H
#define CLI_COLLECT_H

#include "cli/options.h"

#include <jansson.h>

struct collect_hooks {
	/* After every turn of the loop; NULL for none. All targets before `first` are done. */
	void (*turn)(void *ctx, json_t *doc, size_t first, int64_t elapsed_ms);
	void *ctx;
	void (*trace)(const char *line); /* a line for -v; NULL for none */
};

/* Looks at everything the options ask for, and runs the programs among the custom rules if they
 * allow it. *ret becomes the facts document (the caller owns it), in which nothing is pending any
 * more. Returns 0, -EINVAL with a sentence (bad option values, a VM name found twice), or -ENOMEM.
 */
int collect(const struct options *options, const json_t *custom, const struct collect_hooks *hooks,
	    json_t **ret, struct err *err);

/* The hard limit of one look, in milliseconds: --deadline, else by depth. */
int collect_deadline(const struct options *options);

#endif
