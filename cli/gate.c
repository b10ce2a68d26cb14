#include "cli/gate.h"
#include "cli/collect.h"

#include <stdlib.h>
#include <time.h>

enum { FIRST_PAUSE_MS = 5000, LONGEST_PAUSE_MS = 30000 };

static int64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The pause that follows this look, and how long the whole may still take after it. */
static int
pause_after(unsigned looks)
{
	int ms = FIRST_PAUSE_MS;

	while (--looks > 0 && ms < LONGEST_PAUSE_MS)
		ms *= 2;
	return ms < LONGEST_PAUSE_MS ? ms : LONGEST_PAUSE_MS;
}

/* What keeps the run from being healthy: the first target that is not. */
static const struct report *
worst(const struct judgements *judgements)
{
	for (size_t i = 0; i < judgements->count; i++)
		if (judgements->at[i] != NULL &&
		    judgements->at[i]->report.exit_code == judgements->exit_code)
			return &judgements->at[i]->report;
	return NULL;
}

static void
tell(const struct judgements *judgements, unsigned looks, int pause, int64_t left,
     void (*say)(const char *text))
{
	const struct report *report = worst(judgements);
	char *found, *line;

	found = report == NULL ? doc_fmt("not healthy")
			       : doc_fmt("%s: %s", status_word(report->verdict), report->title);
	line = pause > 0 ? doc_fmt("look %u: %s; next look in %d s, %lld s left", looks, found,
				   pause / 1000, (long long)(left / 1000))
			 : doc_fmt("look %u: %s; no time is left for another look", looks, found);
	say(line);
	free(line);
	free(found);
}

int
gate_look(const struct options *options, const struct rules *rules, look_fn *look,
	  void (*say)(const char *text), json_t **doc, struct judgements *judgements,
	  struct err *err)
{
	struct options round = *options;
	int64_t end = now_ms() + options->wait_ms;
	int r;

	for (unsigned looks = 1;; looks++) {
		int pause = pause_after(looks);
		int64_t left;

		if ((r = look(&round, rules, doc, judgements, err)) < 0 || options->wait_ms == 0 ||
		    judgements->exit_code == EXIT_HEALTHY)
			return r;
		left = end - now_ms();
		if (left <= pause)
			pause = 0;
		if (!options->quiet)
			tell(judgements, looks, pause, left, say);
		if (pause == 0)
			return r;
		nanosleep(&(struct timespec){ .tv_sec = pause / 1000 }, NULL);
		left = end - now_ms();
		round.deadline_ms =
		    left < collect_deadline(options) ? (int)left : collect_deadline(options);
		judgements_free(judgements);
		json_decref(*doc);
		*doc = NULL;
	}
}
