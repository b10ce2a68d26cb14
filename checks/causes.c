#include "checks/causes.h"
#include "checks/ssh_word.h"
#include "checks/weigh.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ALL(check) (CODE_COUNT + CHECK_##check)

enum { EFFECTS = 12 };

/* What follows from what beside the rule of the tables. The first is the cause; a code, or a
 * check's id plus CODE_COUNT. */
static const struct exception {
	int cause, effects[EFFECTS];
} exceptions[] = {
#define CAUSE(cause, ...) { cause, { __VA_ARGS__ } },
#include "checks/causes.def"
#undef CAUSE
};

enum { EXCEPTIONS = sizeof(exceptions) / sizeof(*exceptions) };

static bool
is_either(int entry, enum code code, enum check_id check)
{
	return entry == (int)code || entry == CODE_COUNT + (int)check;
}

static bool
is_exception(enum code cause, enum code effect, enum check_id check)
{
	for (size_t i = 0; i < EXCEPTIONS; i++) {
		const struct exception *one = &exceptions[i];

		if (!is_either(one->cause, cause, code_table[cause].check))
			continue;
		for (size_t j = 0; j < EFFECTS && one->effects[j] != CODE_CUSTOM; j++)
			if (is_either(one->effects[j], effect, check))
				return true;
	}
	return false;
}

/* true when what the cause stops shows as silence alone: packets that Azure drops. */
static bool
drops_packets(enum code cause)
{
	enum medium medium = code_table[cause].medium;

	return code_table[cause].stops == CHECK_TCP &&
	       (medium == MEDIUM_MODEL || medium == MEDIUM_REPORTED);
}

/* true when the code, set for that check, follows from the cause: it was observed on the wire
 * behind what the cause stops, or is an exception. */
static bool
follows(enum code effect, enum check_id check, enum code cause)
{
	enum check_id stops = code_table[cause].stops, subject = ssh_rehearsal_subject(effect);
	enum medium rests = code_medium(effect, check);

	check =
	    subject != CHECK_NONE ? subject : check; /* ssh stopped there, wherever it is told */
	if (stops != CHECK_NONE && check_stage(check) >= check_stage(stops) &&
	    (rests == MEDIUM_SILENCE ||
	     (!drops_packets(cause) && (rests == MEDIUM_WIRE || check == stops))))
		return true;
	return is_exception(cause, effect, check);
}

bool
cause_would_explain(const struct finding *gap, const struct finding *effect)
{
	return gap->status == UNKNOWN && code_table[gap->id].severity == FAIL &&
	       follows(effect->id, effect->check_id, gap->id);
}

static bool
explains(const struct rules *rules, const struct finding *a, const struct finding *b)
{
	const struct code_words *words = rules_code(rules, a->code);

	return follows(b->id, b->check_id, a->id) || ssh_rehearsal_fits(a, b) ||
	       (words != NULL &&
		(name_listed(words->explains, b->code) || name_listed(words->explains, b->check)));
}

/* true for what was seen on the wire, and for what Azure itself reports of the VM. */
static bool
is_observed(const struct finding *finding)
{
	enum medium medium = code_medium(finding->id, finding->check_id);

	if (ssh_rehearsal_subject(finding->id) != CHECK_NONE)
		return true;
	return (medium == MEDIUM_WIRE || medium == MEDIUM_SILENCE || medium == MEDIUM_REPORTED) &&
	       code_table[finding->id].stops != CHECK_NONE;
}

unsigned
cause_rank(const struct finding *finding, bool seen)
{
	bool likely = finding->confidence == LIKELY;
	unsigned doubt = likely && (seen || is_observed(finding)) ? CERTAIN : finding->confidence;
	enum check_id subject = ssh_rehearsal_subject(finding->id);

	return doubt * STAGES + check_stage(subject != CHECK_NONE ? subject : finding->check_id);
}

/* true when `from` follows from `to` over any number of steps: then `to` cannot follow from it.
 * Without this a circle of explanations, which a rule file may make, would leave no cause. */
static bool
leads_to(const size_t *causes, size_t count, size_t from, size_t to)
{
	for (size_t steps = 0; from < count && steps <= count; from = causes[from], steps++)
		if (from == to)
			return true;
	return false;
}

/* causes[i] becomes the index of what finding i follows from, flat->count for none. */
static void
find_causes(const struct rules *rules, const struct flat *flat, size_t *causes)
{
	for (size_t b = 0; b < flat->count; b++)
		causes[b] = flat->count;
	for (size_t b = 0; b < flat->count; b++) {
		const struct finding *effect = flat->at[b];

		if (effect->status != FAIL && effect->status != WARN && effect->status != UNKNOWN)
			continue;
		for (size_t a = 0; a < flat->count; a++) {
			const struct finding *cause = flat->at[a];

			if (a == b || cause->status != FAIL || !explains(rules, cause, effect) ||
			    leads_to(causes, flat->count, a, b))
				continue;
			if (causes[b] == flat->count ||
			    cause_rank(cause, true) < cause_rank(flat->at[causes[b]], true))
				causes[b] = a;
		}
	}
}

static int
explain(const struct rules *rules, struct finding *findings, size_t count)
{
	size_t *causes = NULL, at = 0;
	struct flat flat;
	int r = findings_flatten(findings, count, &flat);

	if (r < 0 || (causes = calloc(flat.count + 1, sizeof(*causes))) == NULL) {
		free(flat.at);
		return -ENOMEM;
	}
	find_causes(rules, &flat, causes);
	for (size_t i = 0; i < count; i++) {
		findings[i].explained_by = flat.at[causes[at++]];
		for (size_t j = 0; j < findings[i].also_count; j++)
			findings[i].also[j].explained_by = flat.at[causes[at++]];
	}
	free(causes);
	free(flat.at);
	return 0;
}

/* The codes of a check that can fail, warn or be unknown, and how many of them follow. */
static void
add_effects(enum code cause, enum check_id check, json_t *words)
{
	size_t all = 0, before = json_array_size(words);

	for (enum code code = CODE_CUSTOM + 1; code < CODE_COUNT; code++) {
		const struct code_row *row = &code_table[code];

		if (row->check != check || row->severity == PASS || row->severity == SKIP)
			continue;
		all++;
		if (follows(code, check, cause))
			doc_append_str(words, row->word);
	}
	if (all > 1 && json_array_size(words) - before == all) {
		while (json_array_size(words) > before)
			json_array_remove(words, before);
		doc_append_str(words, check_table[check].id);
	}
}

json_t *
causes_effects(enum code cause)
{
	json_t *words = json_array();

	for (enum check_id check = CHECK_NONE + 1; check < CHECK_COUNT && cause != CODE_CUSTOM;
	     check++)
		add_effects(cause, check, words);
	return words;
}

int
causes_make(const struct scene *scene, const struct rules *rules, const struct finding *said,
	    size_t count, struct finding **ret)
{
	struct finding *findings = calloc(count + 1, sizeof(*findings));
	int r = -ENOMEM;

	if (findings == NULL || (r = findings_weigh(scene, rules, said, count, findings)) < 0 ||
	    (r = explain(rules, findings, count)) < 0) {
		findings_free(findings, count);
		return r;
	}
	*ret = findings;
	return 0;
}
