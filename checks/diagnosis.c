#include "checks/causes.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static bool
explains_any(const struct flat *list, const struct finding *cause)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->at[i]->explained_by == cause)
			return true;
	return false;
}

/* The root of a chain of explanations, of which causes_make makes no circle. */
static const struct finding *
root_of(const struct finding *finding)
{
	while (finding->explained_by != NULL)
		finding = finding->explained_by;
	return finding;
}

static void
sort_causes(const struct finding **causes, size_t count, const struct flat *list)
{
	for (size_t i = 1; i < count; i++) {
		const struct finding *one = causes[i];
		size_t j = i;

		for (; j > 0 && cause_rank(causes[j - 1], explains_any(list, causes[j - 1])) >
				    cause_rank(one, explains_any(list, one));
		     j--)
			causes[j] = causes[j - 1];
		causes[j] = one;
	}
}

/* What kept the answer from being known: the first unknown on the path, one with a code of its own
 * before a mere "not known". The serial log may explain a fault; no verdict needs it. */
static const struct finding *
first_unknown(const struct flat *list)
{
	const struct finding *found = NULL;
	unsigned best = UINT_MAX;

	for (size_t i = 0; i < list->count; i++) {
		unsigned score = check_stage(list->at[i]->check_id) +
				 (list->at[i]->id == CODE_NOT_KNOWN ? STAGES : 0);

		if (list->at[i]->status == UNKNOWN && list->at[i]->check_id != CHECK_VM_BOOT &&
		    score < best) {
			best = score;
			found = list->at[i];
		}
	}
	return found;
}

/* What keeps a pass from being known, NULL when nothing does. Once the login was seen to work,
 * nothing that could not be read on the path matters, but how far ssh itself gets. */
static const struct finding *
gap_before_pass(const struct flat *list)
{
	const struct finding *rehearsal = NULL;
	bool proven = false;

	for (size_t i = 0; i < list->count; i++) {
		const struct finding *one = list->at[i];

		proven |=
		    one->check_id == CHECK_AUTH && (one->status == PASS || one->status == WARN);
		if (one->check_id == CHECK_SSH_REHEARSAL && one->status == UNKNOWN)
			rehearsal = one;
	}
	return proven ? rehearsal : first_unknown(list);
}

/* A timeout says that something drops packets, and only the model can say what: while part of the
 * model could not be read, that gap is what keeps the answer from being known, and the timeout is
 * no cause, nor a further one: what was not read may explain it. The same holds for whatever would
 * follow from a finding that could not be decided. NULL when the cause holds. */
static const struct finding *
barred_by(const struct flat *list, const struct finding *cause)
{
	const struct finding *gap = first_unknown(list);

	if (cause->id == CODE_TCP_TIMEOUT && gap != NULL &&
	    check_stage(gap->check_id) < check_stage(cause->check_id))
		return gap;
	for (size_t i = 0; i < list->count; i++)
		if (cause_would_explain(list->at[i], cause))
			return list->at[i];
	return NULL;
}

/* Takes what an open question may explain out of the causes; what bars the first of them becomes
 * the cause when none is left. */
static void
set_aside_barred(const struct flat *list, struct diagnosis *diagnosis)
{
	const struct finding **causes = diagnosis->next, *gap, *first = NULL;
	size_t kept = 0;

	for (size_t i = 0; i < diagnosis->next_count; i++) {
		if ((gap = barred_by(list, causes[i])) == NULL)
			causes[kept++] = causes[i];
		else if (first == NULL)
			first = gap;
	}
	if (kept == 0 && first != NULL) {
		for (size_t i = 0; i < diagnosis->next_count; i++)
			diagnosis->explained[diagnosis->explained_count++] = causes[i];
		diagnosis->cause = first;
		diagnosis->verdict = UNKNOWN;
	}
	diagnosis->next_count = kept;
}

static int
collect_causes(const struct flat *list, struct diagnosis *diagnosis)
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
	set_aside_barred(list, diagnosis);
	if (diagnosis->next_count == 0)
		return 0;
	diagnosis->verdict = FAIL;
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
diagnosis_make(const struct finding *findings, size_t count, struct diagnosis *ret)
{
	struct diagnosis diagnosis = { .verdict = PASS };
	struct flat list = { 0 };
	int r;

	if ((r = findings_flatten(findings, count, &list)) < 0)
		return r;
	if ((r = collect_causes(&list, &diagnosis)) < 0) {
		free(list.at);
		diagnosis_free(&diagnosis);
		return r;
	}
	if (diagnosis.cause == NULL && (diagnosis.cause = gap_before_pass(&list)) != NULL) {
		diagnosis.verdict = UNKNOWN;
	} else if (diagnosis.cause == NULL) {
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
