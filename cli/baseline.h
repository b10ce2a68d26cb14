/* --baseline: what has changed since a bundle was written; only what is new fails. */
#ifndef CLI_BASELINE_H
#define CLI_BASELINE_H

#include "cli/judge.h"
#include "facts/err.h"

/* The bundle, judged by the rules of today; {0} is none. */
struct baseline {
	json_t *doc;
	bool redacted; /* its names are not those of today */
	struct judgements judgements;
};

/* 0, or -errno with a sentence. */
int baseline_read(const char *path, const struct options *options, const struct rules *rules,
		  struct baseline *ret, struct err *err);
void baseline_free(struct baseline *baseline);

/* Tells the reports what is new; the exit code is 1 only where a fault is. */
void baseline_apply(const struct baseline *baseline, const struct options *options,
		    struct judgements *now);

#endif
