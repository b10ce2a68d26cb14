/* What a person at a terminal sees while the work goes on. Nothing is ever shown on a pipe. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include "cli/collect.h"
#include "rules/rules.h"

#include <stdbool.h>
#include <stddef.h>

struct progress {
	const struct rules *rules;
	bool many;  /* VMs: none of their causes is the run's */
	bool shown; /* a line is on the terminal */
	int64_t last_ms;
	char told[128]; /* "; certain: CODE" once a cause is certain */
};

/* For collect_hooks.turn: after half a second one line on stderr, with the cause as soon as one is
 * certain. Nothing of it stays. */
void progress_turn(void *ctx, json_t *doc, int64_t elapsed_ms);

/* Wipes the line away. */
void progress_end(struct progress *progress);

#endif
