/* --wait: look again until all is well or the time is over, and say so on standard error. */
#ifndef CLI_GATE_H
#define CLI_GATE_H

#include "cli/judge.h"

/* One look at everything. Returns 0, or -errno with a sentence. */
typedef int look_fn(const struct options *options, const struct rules *rules, json_t **doc,
		    struct judgements *judgements, struct err *err);

/* Looks once, or with --wait until the run is healthy or the time is over. The pauses grow from 5
 * to 30 seconds, so that a server that penalises frequent connections is left in peace. Each look
 * is told to `say` unless --quiet. What the last look saw and found is left in *doc and
 * *judgements. Returns what the last look returned. */
int gate_look(const struct options *options, const struct rules *rules, look_fn *look,
	      void (*say)(const char *text), json_t **doc, struct judgements *judgements,
	      struct err *err);

#endif
