#include "tests/unit/checks/on_facts.h"

#include <check.h>

/* No check sets a status that is worse than the one in its code's row. */
static void
severity_holds(const struct finding *finding)
{
	static const int order[] = {
		[PASS] = 0, [SKIP] = 1, [WARN] = 2, [UNKNOWN] = 3, [FAIL] = 4
	};

	ck_assert_msg(order[finding->status] <= order[code_table[finding->id].severity],
		      "%s is set to %s, its row says at worst %s", finding->code,
		      status_word(finding->status), status_word(code_table[finding->id].severity));
}

void
check_on(const struct facts *facts, const struct check *check, const struct rule *rule,
	 struct finding *finding)
{
	struct scene scene;

	scene_make(facts, &scene);
	ck_assert_int_eq(check->run(&scene, rule, finding), 0);
	scene_free(&scene);
	severity_holds(finding);
	for (size_t i = 0; i < finding->also_count; i++)
		severity_holds(&finding->also[i]);
}

json_t *
globals_on(const struct facts *facts)
{
	struct scene scene;
	struct about about;
	json_t *globals;

	scene_make(facts, &scene);
	about = about_make(&scene);
	globals = globals_make(&scene, &about);
	about_free(&about);
	scene_free(&scene);
	return globals;
}
