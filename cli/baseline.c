#include "cli/baseline.h"
#include "cli/bundle.h"
#include "facts/doc.h"
#include "model/compare.h"

#include <stdlib.h>
#include <string.h>

int
baseline_read(const char *path, const struct options *options, const struct rules *rules,
	      struct baseline *ret, struct err *err)
{
	int r;

	judgements_begin(&ret->judgements);
	if ((r = bundle_read(path, &ret->doc, &ret->redacted, err)) == 0)
		r = judge_all(ret->doc, options, rules, &ret->judgements);
	return r;
}

void
baseline_free(struct baseline *baseline)
{
	judgements_free(&baseline->judgements);
	json_decref(baseline->doc);
	*baseline = (struct baseline){ 0 };
}

/* Of the same rule, key or resource? */
static bool
same_subject(const struct finding *a, const struct finding *b)
{
	static const char *const keys[] = {
		"nsg", "rule", "path", "fingerprint", "name", "address"
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		const char *one = doc_str(a->evidence, keys[i]),
			   *other = doc_str(b->evidence, keys[i]);

		if (one != NULL && other != NULL && strcmp(one, other) != 0)
			return false;
	}
	return true;
}

/* A fault, or what --fail-on counts as one; what another one explains is none of its own. */
static bool
counts(const struct finding *finding, bool warnings)
{
	return finding->explained_by == NULL &&
	       (finding->status == FAIL || (warnings && finding->status == WARN));
}

static bool
was_there(const struct baseline *baseline, const struct flat *old, const struct finding *finding)
{
	for (size_t i = 0; i < old->count; i++) {
		const struct finding *one = old->at[i];

		if (strcmp(one->check, finding->check) == 0 &&
		    strcmp(one->code, finding->code) == 0 && counts(one, finding->status == WARN) &&
		    (baseline->redacted || same_subject(one, finding)))
			return true;
	}
	return false;
}

static void
append_finding(json_t *list, const struct finding *finding)
{
	json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "check", finding->check, "code",
					      finding->code, "title", report_title(finding)));
}

/* Which of a's findings b has not; how many of them fail. */
static size_t
only_in(const struct flat *a, const struct baseline *b, const struct flat *list, bool warnings,
	json_t *ret)
{
	size_t faults = 0;

	for (size_t i = 0; i < a->count; i++)
		if (counts(a->at[i], true) && !was_there(b, list, a->at[i])) {
			append_finding(ret, a->at[i]);
			faults += counts(a->at[i], warnings);
		}
	return faults;
}

static void
apply_one(const struct baseline *baseline, const struct options *options, struct judgement *now)
{
	const struct judgement *then = baseline->judgements.at[0];
	const bool warnings = options->fail_on != NULL && strcmp(options->fail_on, "warn") == 0;
	json_t *added = json_array(), *gone = json_array();
	struct flat old = { 0 }, all = { 0 };
	size_t faults;

	findings_flatten(then->findings, then->count, &old);
	findings_flatten(now->findings, now->count, &all);
	faults = only_in(&all, baseline, &old, warnings, added);
	only_in(&old, baseline, &all, warnings, gone);
	if (now->report.exit_code == EXIT_FAULT && now->report.verdict != UNKNOWN && faults == 0)
		now->report.exit_code = EXIT_HEALTHY;
	now->report.baseline = json_pack(
	    "{s:s, s:o, s:o, s:o}", "started", then->report.started, "new", added, "gone", gone,
	    "changes", baseline->redacted ? json_array() : facts_changes(baseline->doc, now->doc));
	free(old.at);
	free(all.at);
}

void
baseline_apply(const struct baseline *baseline, const struct options *options,
	       struct judgements *now)
{
	if (baseline->judgements.count == 0 || now->count != 1)
		return;
	apply_one(baseline, options, now->at[0]);
	now->exit_code = now->at[0]->report.exit_code;
}
