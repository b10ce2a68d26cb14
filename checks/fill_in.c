#include "checks/finding.h"
#include "facts/doc.h"
#include "facts/visible.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int
fill_words(struct finding *finding, const struct code_words *words, const struct values *values)
{
	free(finding->title);
	free(finding->why);
	free(finding->docs);
	finding->why = finding->docs = NULL;
	if (words == NULL) {
		finding->title = visible_text(finding->summary, false);
		return finding->title == NULL ? -ENOMEM : 0;
	}
	finding->title = rules_fill(words->title, values);
	finding->why = rules_fill(words->why, values);
	finding->docs = rules_fill(words->docs, values);
	return finding->title == NULL || finding->why == NULL ? -ENOMEM : 0;
}

/* While a lock is in place, Azure refuses every remedy that changes something and can be undone. */
static void
note_lock(struct remedy *remedy, const char *lock)
{
	char *clean = visible_text(lock, false), *cost = NULL;

	if (clean != NULL)
		cost = doc_fmt("%s%sAzure refuses this while %s stands",
			       remedy->cost != NULL ? remedy->cost : "",
			       remedy->cost != NULL ? "; " : "", clean);
	free(clean);
	if (cost == NULL)
		return;
	free(remedy->cost);
	remedy->cost = cost;
}

static int
fill_remedies(struct finding *finding, const struct rules *rules, const struct values *values,
	      const char *ways, const char *const *dialects)
{
	static const char *const portal[] = { "portal", NULL };
	const char *lock = doc_str(finding->evidence, "hindered_by");
	struct remedies *list = &finding->remedies;
	int r = rules_remedies(rules, finding->code, values, dialects, list);

	if (r == 0 && list->count == 0) /* where no command helps, the portal's steps always show */
		r = rules_remedies(rules, finding->code, values, portal, list);
	for (size_t i = 0; lock != NULL && i < list->count; i++)
		if (list->at[i].undo != NULL)
			note_lock(&list->at[i], lock);
	if (r == 0 && finding->status == FAIL && ways != NULL)
		r = rules_remedies(rules, ways, values, dialects, list);
	return r;
}

int
finding_fill_in(struct finding *finding, const struct rules *rules, const json_t *globals,
		const char *const *dialects)
{
	const struct values values = { .evidence = finding->evidence, .globals = globals };
	const struct code_words *words = rules_code(rules, finding->code);
	int r;

	r = fill_words(finding, words, &values);
	if (r == 0 && words != NULL && finding->status != SKIP)
		r = fill_remedies(finding, rules, &values, rules_for(rules, words->owner).ways,
				  dialects);
	for (size_t i = 0; r == 0 && i < finding->also_count; i++)
		r = finding_fill_in(&finding->also[i], rules, globals, dialects);
	return r;
}
