#include "checks/checks.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The order in which a connection meets its obstacles: what stops it first is named first. */
static const char *const stages[] = { "ssh-config",    "azure-signin",
				      "azure-access",  "vm-found",
				      "vm-state",      "vm-boot",
				      "public-ip",     "vm-os",
				      "dns",           "jit",
				      "nsg",           "route",
				      "tcp",           "banner",
				      "kex",           "host-key",
				      "key-file",      "key-permissions",
				      "key-format",    "key-agent",
				      "auth",          "guest-firewall",
				      "guest-disk",    "guest-sshd",
				      "guest-account", "guest-keys" };

enum { STAGES = sizeof(stages) / sizeof(*stages) };

static size_t
stage_of(const struct finding *finding)
{
	for (size_t i = 0; i < STAGES; i++)
		if (strcmp(stages[i], finding->check) == 0)
			return i;
	return STAGES;
}

/* All findings and those beside them, flat. */
struct list {
	struct finding **at;
	size_t count;
};

static int
flatten(struct finding *findings, size_t count, struct list *ret)
{
	size_t n = count;

	for (size_t i = 0; i < count; i++)
		n += findings[i].also_count;
	if ((ret->at = calloc(n + 1, sizeof(struct finding *))) == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		ret->at[ret->count++] = &findings[i];
		for (size_t j = 0; j < findings[i].also_count; j++)
			ret->at[ret->count++] = &findings[i].also[j];
	}
	return 0;
}

/* true when the rules say that b's code (or all of b's check) follows from a's code. */
static bool
explains(const struct rules *rules, const struct finding *a, const struct finding *b)
{
	const struct code_words *words = rules_code(rules, a->code);

	return words != NULL &&
	       (name_listed(words->explains, b->code) || name_listed(words->explains, b->check));
}

/* true for what was met on the wire itself, and for what Azure says of the VM itself, whoever may
 * have caused it. */
static bool
met(const struct finding *finding)
{
	static const char *const checks[] = {
		"vm-state", "dns", "tcp", "banner", "kex", "host-key"
	};

	for (size_t i = 0; i < sizeof(checks) / sizeof(*checks); i++)
		if (strcmp(checks[i], finding->check) == 0)
			return true;
	return false;
}

/* Among causes: what was observed for certain before what is likely, that before the merely
 * possible; then the order on the way. A likely cause that was met on the wire, or that explains a
 * failure seen there, counts as observed. */
static int
rank(const struct finding *finding, bool seen)
{
	int confidence = finding->confidence == LIKELY && (seen || met(finding))
			     ? CERTAIN
			     : (int)finding->confidence;

	return confidence * STAGES + (int)stage_of(finding);
}

static bool
explains_any(const struct list *list, const struct finding *cause)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->at[i]->explained_by == cause)
			return true;
	return false;
}

/* true when `from` follows, over however many steps, from `to`: then `to` cannot follow from it in
 * turn. Rules are written by people; without this a circle of explanations would leave no cause at
 * all. */
static bool
follows_from(const struct finding *from, const struct finding *to, size_t steps)
{
	for (; from != NULL && steps > 0; from = from->explained_by, steps--)
		if (from == to)
			return true;
	return false;
}

static void
mark_explained(const struct rules *rules, const struct list *list)
{
	for (size_t b = 0; b < list->count; b++)
		list->at[b]->explained_by = NULL;
	for (size_t b = 0; b < list->count; b++) {
		struct finding *effect = list->at[b];

		if (effect->status != FAIL && effect->status != WARN && effect->status != UNKNOWN)
			continue;
		for (size_t a = 0; a < list->count; a++) {
			const struct finding *cause = list->at[a];

			if (a == b || cause->status != FAIL || !explains(rules, cause, effect) ||
			    follows_from(cause, effect, list->count))
				continue;
			if (effect->explained_by == NULL ||
			    rank(cause, true) < rank(effect->explained_by, true))
				effect->explained_by = cause;
		}
	}
}

/* The root of a chain of explanations; bounded, since rules written by others may go in circles. */
static const struct finding *
root_of(const struct finding *finding)
{
	for (int i = 0; i < 16 && finding->explained_by != NULL; i++)
		finding = finding->explained_by;
	return finding;
}

static void
sort_causes(const struct finding **causes, size_t count, const struct list *list)
{
	for (size_t i = 1; i < count; i++) {
		const struct finding *one = causes[i];
		size_t j = i;

		for (; j > 0 && rank(causes[j - 1], explains_any(list, causes[j - 1])) >
				    rank(one, explains_any(list, one));
		     j--)
			causes[j] = causes[j - 1];
		causes[j] = one;
	}
}

/* true when the way was walked to its end, so that nothing that could not be read on it matters any
 * more. */
static bool
proven(const struct list *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->at[i]->check, "auth") == 0)
			return list->at[i]->status == PASS || list->at[i]->status == WARN;
	return false;
}

/* What barred the answer: the first unknown thing on the way, one with a code of its own before a
 * mere "not known". */
static const struct finding *
first_unknown(const struct list *list)
{
	const struct finding *found = NULL;
	size_t best = SIZE_MAX;

	for (size_t i = 0; i < list->count; i++) {
		size_t score =
		    stage_of(list->at[i]) + (list->at[i]->id == CODE_NOT_KNOWN ? STAGES : 0);

		if (list->at[i]->status == UNKNOWN && score < best) {
			best = score;
			found = list->at[i];
		}
	}
	return found;
}

/* A silent timeout says that something drops packets, and only the model can say what: while part
 * of the model could not be read, that gap bars the answer, and the timeout is no cause of its own.
 * NULL when the cause stands. */
static const struct finding *
barred_by(const struct list *list, const struct finding *cause)
{
	const struct finding *gap = first_unknown(list);

	if (cause->id != CODE_TCP_TIMEOUT || gap == NULL || stage_of(gap) >= stage_of(cause))
		return NULL;
	return gap;
}

static int
collect_causes(const struct list *list, struct diagnosis *diagnosis)
{
	if ((diagnosis->next = calloc(list->count + 1, sizeof(struct finding *))) == NULL ||
	    (diagnosis->explained = calloc(list->count + 1, sizeof(struct finding *))) == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < list->count; i++)
		if (list->at[i]->status == FAIL && list->at[i]->explained_by == NULL)
			diagnosis->next[diagnosis->next_count++] = list->at[i];
	if (diagnosis->next_count == 0)
		return 0;
	sort_causes(diagnosis->next, diagnosis->next_count, list);
	diagnosis->cause = diagnosis->next[0];
	memmove(diagnosis->next, diagnosis->next + 1,
		--diagnosis->next_count * sizeof(struct finding *));
	for (size_t i = 0; i < list->count; i++)
		if (list->at[i] != diagnosis->cause && list->at[i]->explained_by != NULL &&
		    root_of(list->at[i]) == diagnosis->cause)
			diagnosis->explained[diagnosis->explained_count++] = list->at[i];
	return 0;
}

int
diagnosis_make(const struct facts *facts, const struct rules *rules, struct finding *findings,
	       size_t count, struct diagnosis *ret)
{
	struct diagnosis diagnosis = { .verdict = PASS };
	const struct finding *gap;
	struct list list = { 0 };
	int r;

	(void)facts;
	if ((r = flatten(findings, count, &list)) < 0)
		return r;
	mark_explained(rules, &list);
	if ((r = collect_causes(&list, &diagnosis)) < 0) {
		free(list.at);
		diagnosis_free(&diagnosis);
		return r;
	}
	if (diagnosis.cause != NULL && diagnosis.next_count == 0 &&
	    (gap = barred_by(&list, diagnosis.cause)) != NULL) {
		diagnosis.next[diagnosis.next_count++] = diagnosis.cause;
		diagnosis.cause = gap;
		diagnosis.verdict = UNKNOWN;
	} else if (diagnosis.cause != NULL) {
		diagnosis.verdict = FAIL;
	} else if (!proven(&list) && (diagnosis.cause = first_unknown(&list)) != NULL) {
		diagnosis.verdict = UNKNOWN;
	} else {
		for (size_t i = 0; i < list.count; i++)
			if (list.at[i]->status == WARN)
				diagnosis.verdict = WARN;
	}
	free(list.at);
	*ret = diagnosis;
	return 0;
}

void
diagnosis_free(struct diagnosis *diagnosis)
{
	if (diagnosis == NULL)
		return;
	free(diagnosis->explained);
	free(diagnosis->next);
	*diagnosis = (struct diagnosis){ 0 };
}
