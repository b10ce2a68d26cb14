/* Facts to reports: checks, words, diagnosis, report, for every target of a run. */
#ifndef CLI_JUDGE_H
#define CLI_JUDGE_H

#include "cli/options.h"
#include "report/report.h"

/* One target's report, and what it borrows from. */
struct judgement {
	struct finding *findings;
	size_t count;
	struct diagnosis diagnosis;
	struct about about;
	json_t *globals;
	struct report report;
};

/* Those of all targets, in the order of the facts. */
struct judgements {
	struct judgement *at;
	size_t count;
	int exit_code; /* of the run */
};

/* Judges every target of the facts. 0 or -errno; judgements_free takes either. */
int judge_all(json_t *doc, const struct options *options, const struct rules *rules,
	      struct judgements *ret);
void judgements_free(struct judgements *judgements);

#endif
