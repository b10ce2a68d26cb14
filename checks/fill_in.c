#include "checks/finding.h"
#include "facts/doc.h"
#include "facts/visible.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The check's own words as a sentence of its own. */
static char *
sentence_of(const char *summary)
{
	char *clean = visible_text(summary, false);

	if (clean != NULL)
		clean[0] = (char)toupper((unsigned char)clean[0]);
	return clean;
}

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
	finding->docs = rules_fill(words->docs, values);
	if (finding->check_id == CHECK_LOG) {
		/* a log tells less than a look: words with gaps give way to its own sentence */
		finding->title = rules_fill_known(words->title, values);
		finding->why = rules_fill_known(words->why, values);
		if (finding->why == NULL)
			finding->why = sentence_of(finding->summary);
		return 0;
	}
	finding->title = rules_fill(words->title, values);
	finding->why = rules_fill(words->why, values);
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

enum { RANK_OWN_LOOK, RANK_LOOK, RANK_COMPUTER, RANK_CHANGE, RANK_PORTAL, RANKS };

/* How careful a remedy is: to look, best with this program, comes before a change on this computer,
 * and that before a change in Azure or on the VM. The portal is for those who have no command. */
static int
rank_of(const struct remedy *remedy)
{
	static const char program[] = PACKAGE_NAME " ";

	if (strcmp(remedy->dialect, "portal") == 0)
		return RANK_PORTAL;
	if (doc_same(remedy->changes, "nothing"))
		return strncmp(remedy->command, program, strlen(program)) == 0 ? RANK_OWN_LOOK
									       : RANK_LOOK;
	return doc_same(remedy->changes, "this-computer") ? RANK_COMPUTER : RANK_CHANGE;
}

/* true for "Attach it (2 of 3)", which stays behind the step before it. */
static bool
is_later_step(const struct remedy *remedy)
{
	const char *at = remedy->title != NULL ? strrchr(remedy->title, '(') : NULL;
	unsigned step, of;

	return at != NULL && sscanf(at, "(%u of %u)", &step, &of) == 2 && step > 1;
}

/* While the cause is not certain, the most careful remedy comes first; else the author's order
 * holds. Steps count as the boldest of them, so that they stay together. */
static void
order_remedies(struct remedy *list, size_t count)
{
	struct remedy *ordered = calloc(count + 1, sizeof(*ordered));
	int *ranks = calloc(count + 1, sizeof(*ranks));
	size_t done = 0;

	for (size_t i = 0, end; i < count; i = end) {
		int rank = rank_of(&list[i]);

		for (end = i + 1; end < count && is_later_step(&list[end]); end++)
			rank = rank_of(&list[end]) > rank ? rank_of(&list[end]) : rank;
		for (size_t j = i; j < end; j++)
			ranks[j] = rank;
	}
	for (int rank = 0; rank < RANKS; rank++)
		for (size_t i = 0; i < count; i++)
			if (ranks[i] == rank)
				ordered[done++] = list[i];
	if (count > 0)
		memcpy(list, ordered, count * sizeof(*list));
	free(ordered);
	free(ranks);
}

/* The first remedy is no alternative to another one: "Or see ..." becomes "See ...". */
static void
name_first(struct remedies *list)
{
	char *title = list->count > 0 ? list->at[0].title : NULL;

	if (title == NULL || strncmp(title, "Or ", 3) != 0)
		return;
	memmove(title, title + 3, strlen(title + 3) + 1);
	title[0] = (char)toupper((unsigned char)title[0]);
}

static int
fill_remedies(struct finding *finding, const struct rules *rules, const struct values *values,
	      const char *ways, const char *const *dialects)
{
	static const char *const portal[] = { "portal", NULL };
	const char *lock = doc_str(finding->evidence, "hindered_by");
	struct remedies *list = &finding->remedies;
	size_t own;
	int r = rules_remedies(rules, finding->code, values, dialects, list);

	if (r == 0 && list->count == 0) /* where no command helps, the portal's steps always show */
		r = rules_remedies(rules, finding->code, values, portal, list);
	for (size_t i = 0; lock != NULL && i < list->count; i++)
		if (list->at[i].undo != NULL)
			note_lock(&list->at[i], lock);
	own = list->count;
	if (finding->status == UNKNOWN || finding->confidence != CERTAIN)
		order_remedies(list->at, own);
	name_first(list);
	if (r == 0 && finding->status == FAIL && ways != NULL)
		r = rules_remedies(rules, ways, values, dialects, list);
	finding->ways = list->count - own;
	return r;
}

/* true for what a Windows computer can run too. */
static bool
fits_windows(const struct remedy *remedy)
{
	static const char *const programs[] = { PACKAGE_NAME " ", "ssh " };

	if (strcmp(remedy->dialect, "shell") != 0)
		return true;
	for (size_t i = 0; i < sizeof(programs) / sizeof(*programs); i++)
		if (strncmp(remedy->command, programs[i], strlen(programs[i])) == 0)
			return true;
	return false;
}

/* Of a log that was written on Windows, PowerShell's commands and no other shell's. */
static void
keep_windows(struct remedies *list)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++) {
		if (fits_windows(&list->at[i])) {
			list->at[kept++] = list->at[i];
		} else {
			struct remedies one = { .at = calloc(1, sizeof(*one.at)), .count = 1 };

			one.at[0] = list->at[i];
			remedies_free(&one);
		}
	}
	list->count = kept;
}

/* A log alone changes nothing: the look that decides comes first, unless the log proves the fault
 * and all of the remedy is known. */
static int
fill_log_remedies(struct finding *finding, const struct rules *rules, const struct values *values,
		  const char *const *dialects)
{
	static const char *const powershell[] = { "powershell", NULL };
	bool windows = doc_is(finding->evidence, "platform", "windows");
	const char *next = finding->status == FAIL ? code_word(CODE_LOG_NEXT) : NULL;
	struct remedies own = { 0 }, *list = &finding->remedies;
	int r = rules_remedies(rules, finding->code, values, dialects, &own);
	bool proven;

	if (r == 0 && windows)
		r = rules_remedies(rules, finding->code, values, powershell, &own);
	if (windows)
		keep_windows(&own);
	proven = finding->confidence == CERTAIN && own.count > 0 && own.at[0].runnable;
	if (r == 0 && next != NULL && !proven)
		r = rules_remedies(rules, next, values, dialects, list);
	if (own.count > 0)
		list->at = reallocarray(list->at, list->count + own.count, sizeof(*list->at));
	for (size_t i = 0; i < own.count; i++)
		list->at[list->count++] = own.at[i];
	free(own.at);
	if (!proven)
		order_remedies(list->at, list->count);
	if (r == 0 && next != NULL && proven)
		r = rules_remedies(rules, next, values, dialects, list);
	name_first(list);
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
	if (r == 0 && words != NULL && finding->check_id == CHECK_LOG)
		r = fill_log_remedies(finding, rules, &values, dialects);
	else if (r == 0 && words != NULL && finding->status != SKIP)
		r = fill_remedies(finding, rules, &values, rules_for(rules, words->owner).ways,
				  dialects);
	for (size_t i = 0; r == 0 && i < finding->also_count; i++)
		r = finding_fill_in(&finding->also[i], rules, globals, dialects);
	return r;
}
