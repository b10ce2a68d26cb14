#include "cli/progress.h"
#include "checks/checks.h"
#include "facts/visible.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_MS = 500, EVERY_MS = 100 };

/* What is still being waited for: of the pending sections the one that the others wait for in turn.
 */
static const char *
waiting_for(json_t *doc, size_t first)
{
	static const enum fact_section order[] = { FACT_SIGNIN,   FACT_VM,         FACT_NETWORK,
						   FACT_JIT,      FACT_IDENTITIES, FACT_DNS,
						   FACT_TCP,      FACT_BANNER,     FACT_KEX,
						   FACT_HOST_KEY, FACT_AUTH };
	struct facts facts;

	for (size_t i = first; facts_view(doc, i, &facts) == 0; i++)
		for (size_t j = 0; j < sizeof(order) / sizeof(*order); j++)
			if (facts_state(&facts, order[j], NULL) == FACT_PENDING)
				return facts_section_words(order[j]);
	return NULL;
}

/* Tells the cause once it is certain; what is pending counts as unknown and so cannot be it. */
static void
tell_cause(struct progress *progress, json_t *doc)
{
	struct facts facts;
	struct finding *findings;
	struct diagnosis diagnosis;
	struct scene scene;
	size_t count;
	int r;

	if (progress->told[0] != '\0' || facts_view(doc, 1, &facts) == 0 ||
	    facts_view(doc, 0, &facts) < 0)
		return;
	if ((r = scene_make(&facts, &scene)) == 0)
		r = checks_run(&scene, progress->rules, NULL, &findings, &count);
	scene_free(&scene);
	if (r < 0)
		return;
	if (diagnosis_make(findings, count, &diagnosis) == 0) {
		if (diagnosis.verdict == FAIL && diagnosis.cause->confidence == CERTAIN) {
			char *clean = visible_text(diagnosis.cause->summary, false);

			progress_end(progress);
			fprintf(stderr, "already certain: %s\n",
				clean != NULL ? clean : diagnosis.cause->code);
			free(clean);
			snprintf(progress->told, sizeof(progress->told), "%s",
				 diagnosis.cause->code);
		}
		diagnosis_free(&diagnosis);
	}
	findings_free(findings, count);
}

void
progress_turn(void *ctx, json_t *doc, size_t first, int64_t elapsed_ms)
{
	struct progress *progress = ctx;
	const char *what;

	if (elapsed_ms < FIRST_MS || elapsed_ms - progress->last_ms < EVERY_MS)
		return;
	progress->last_ms = elapsed_ms;
	tell_cause(progress, doc);
	if ((what = waiting_for(doc, first)) == NULL)
		return;
	fprintf(stderr, "\r\033[Kazssh-doctor: %lld s, waiting for %s",
		(long long)(elapsed_ms / 1000), what);
	fflush(stderr);
	progress->shown = true;
}

void
progress_end(struct progress *progress)
{
	if (progress->shown)
		fputs("\r\033[K", stderr);
	progress->shown = false;
}
