#include "cli/progress.h"
#include "checks/checks.h"
#include "facts/doc.h"

#include <stdio.h>
#include <stdlib.h>

/* A line that wrapped could not be wiped away. */
enum { FIRST_MS = 500, EVERY_MS = 100, LINE_COLUMNS = 79 };

/* What is still being waited for: of the pending sections the one that the others wait for in turn.
 */
static const char *
waiting_for(json_t *doc)
{
	static const enum fact_section order[] = { FACT_SIGNIN,   FACT_VM,         FACT_NETWORK,
						   FACT_JIT,      FACT_IDENTITIES, FACT_DNS,
						   FACT_TCP,      FACT_BANNER,     FACT_KEX,
						   FACT_HOST_KEY, FACT_AUTH,       FACT_GUEST };
	struct facts facts;

	if (facts_view(doc, 0, &facts) < 0)
		return NULL;
	for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++)
		if (facts_state(&facts, order[i], NULL) == FACT_PENDING)
			return facts_section_words(order[i]);
	return NULL;
}

/* Notes the cause once it is certain; what is pending counts as unknown and so cannot be it. */
static void
note_cause(struct progress *progress, json_t *doc)
{
	struct facts facts;
	struct finding *findings;
	struct diagnosis diagnosis;
	struct scene scene;
	size_t count;
	int r;

	if (progress->many || progress->told[0] != '\0' || facts_view(doc, 0, &facts) < 0)
		return;
	scene_make(&facts, &scene);
	r = checks_run(&scene, progress->rules, NULL, &findings, &count);
	scene_free(&scene);
	if (r < 0)
		return;
	if (diagnosis_make(findings, count, &diagnosis) == 0) {
		if (diagnosis.verdict == FAIL && diagnosis.cause->confidence == CERTAIN)
			snprintf(progress->told, sizeof(progress->told), "; certain: %s",
				 diagnosis.cause->code);
		diagnosis_free(&diagnosis);
	}
	findings_free(findings, count);
}

void
progress_turn(void *ctx, json_t *doc, int64_t elapsed_ms)
{
	struct progress *progress = ctx;
	const char *what;
	char *line;

	if (elapsed_ms < FIRST_MS || elapsed_ms - progress->last_ms < EVERY_MS)
		return;
	progress->last_ms = elapsed_ms;
	note_cause(progress, doc);
	if ((what = waiting_for(doc)) == NULL)
		return;
	line = doc_fmt("azssh-doctor: %lld s, waiting for %s%s", (long long)(elapsed_ms / 1000),
		       what, progress->told);
	fprintf(stderr, "\r\033[K%.*s", LINE_COLUMNS, line);
	free(line);
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
