/* Facts to reports: checks, words, diagnosis, report, for every target of a run. */
#ifndef CLI_JUDGE_H
#define CLI_JUDGE_H

#include "cli/options.h"
#include "report/report.h"

/* One target's report, and what it borrows from. */
struct judgement {
	json_t *doc; /* its facts; owned */
	struct finding *findings;
	size_t count;
	struct diagnosis diagnosis;
	struct about about;
	json_t *globals;
	struct report report;
};

/* Those of all targets, in the order of the facts. */
struct judgements {
	struct judgement **at; /* what they hold points into them */
	size_t count, room;
	int exit_code;                 /* of the run */
	const struct output *streamed; /* it has been written already; NULL for none */
};

void judgements_begin(struct judgements *ret);
/* Judges the first target of the facts, as the index-th of the run. 0 or -errno. */
int judge_one(json_t *doc, size_t index, const struct options *options, const struct rules *rules,
	      struct judgements *ret);
/* Judges every target of the facts. 0 or -errno. */
int judge_all(json_t *doc, const struct options *options, const struct rules *rules,
	      struct judgements *ret);
/* Frees what is held of the index-th; its verdict counts. */
void judgements_drop(struct judgements *judgements, size_t index);
void judgements_free(struct judgements *judgements);

#endif
