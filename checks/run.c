#include "checks/checks.h"
#include "checks/causes.h"
#include "checks/talk.h"
#include "facts/words.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool
selected(const struct selection *selection, const char *id)
{
	if (selection == NULL)
		return true;
	return (selection->only == NULL || word_listed(id, selection->only)) &&
	       !word_listed(id, selection->skip);
}

/* Sets skip or unknown when a section that the check needs is not known; true if so. What was not
 * asked for, what does not exist and what an earlier failure kept from being reached is skipped. */
static bool
guard(const struct facts *facts, const struct check *check, struct finding *finding)
{
	for (enum fact_section section = 0; section < FACT_SECTION_COUNT; section++)
		if ((check->needs & (1u << section)) != 0 && talk_missing(facts, section, finding))
			return true;
	return false;
}

static int
run_one(const struct check *check, const struct scene *scene, const struct rules *rules,
	const struct selection *selection, struct finding *finding)
{
	struct rule rule = rules_for(rules, check->id);

	finding_init(finding, check->id);
	if (!selected(selection, check->id))
		return finding_set(finding, SKIP, CODE_NOT_SELECTED,
				   "left out by --only or --skip");
	if (!rule.enabled)
		return finding_set(finding, SKIP, CODE_DISABLED, "switched off by the rule set");
	if (guard(scene->facts, check, finding))
		return 0;
	return check->run(scene, &rule, finding);
}

/* Of a log that was pasted nothing else is known, and without one its check has nothing to say. */
static bool
has_a_part(const struct scene *scene, enum check_id check)
{
	bool log = scene->target.log != NULL;

	return check_table[check].run != NULL && log == (check == CHECK_LOG);
}

static int
run_custom(const json_t *custom, const struct scene *scene, const struct selection *selection,
	   struct finding *finding)
{
	const char *id = doc_str(custom, "id");

	finding_init(finding, id);
	if (!selected(selection, id))
		return finding_set(finding, SKIP, CODE_NOT_SELECTED,
				   "left out by --only or --skip");
	return generic_run(scene->facts, custom, finding);
}

int
checks_run(const struct scene *scene, const struct rules *rules, const struct selection *selection,
	   struct finding **ret, size_t *count)
{
	const json_t *custom = rules_custom(rules);
	struct finding *findings;
	size_t made = 0;
	int r = 0;

	if ((findings = calloc(CHECK_COUNT + json_array_size(custom), sizeof(*findings))) == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < CHECK_COUNT && r == 0; i++)
		if (has_a_part(scene, (enum check_id)i)) {
			r = run_one(&check_table[i], scene, rules, selection, &findings[made]);
			/* a check that says nothing leaves no finding */
			if (findings[made].id == CODE_NOT_RUN)
				finding_free(&findings[made]);
			else
				made++;
		}
	for (size_t i = 0; i < json_array_size(custom) && r == 0; i++, made++)
		r = run_custom(json_array_get(custom, i), scene, selection, &findings[made]);
	if (r == 0 && (r = causes_make(scene, rules, findings, made, ret)) == 0)
		*count = made;
	findings_free(findings, made);
	return r;
}
