/* For tests only: what takes a scene, on a scene made of the facts as they are now. */
#ifndef TESTS_ON_FACTS_H
#define TESTS_ON_FACTS_H

#include "checks/about.h"
#include "checks/checks.h"

void check_on(const struct facts *facts, const struct check *check, const struct rule *rule,
	      struct finding *finding);
json_t *globals_on(const struct facts *facts);

#endif
