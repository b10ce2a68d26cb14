#include "tests/unit/checks/on_facts.h"

#include <check.h>

void
check_on(const struct facts *facts, const struct check *check, const struct rule *rule,
	 struct finding *finding)
{
	struct scene scene;

	ck_assert_int_eq(scene_make(facts, &scene), 0);
	ck_assert_int_eq(check->run(&scene, rule, finding), 0);
	scene_free(&scene);
}

json_t *
globals_on(const struct facts *facts)
{
	struct scene scene;
	json_t *globals;

	ck_assert_int_eq(scene_make(facts, &scene), 0);
	globals = globals_make(&scene);
	scene_free(&scene);
	return globals;
}
