/* What all findings together make of each one: its effective status, and which it follows from. The
 * findings of the checks stay as they are; everything is computed from them, from the tables
 * codes.def, checks.def and causes.def, and from `explains` of rule files. */
#ifndef CHECKS_CAUSES_H
#define CHECKS_CAUSES_H

#include "checks/checks.h"

/* The findings as they are reported: an array of as many, which the caller frees with
 * findings_free. Its status is the effective one:
 *   - what the model predicts (MEDIUM_MODEL) is overridden by an answer on the wire, and not judged
 *     when ssh goes through another host;
 *   - trouble with one key is a remark when the server accepts another one;
 *   - waivers and severities of rule files apply.
 * explained_by is the failed finding that it follows from. Returns 0 or -ENOMEM. */
int causes_make(const struct scene *scene, const struct rules *rules, const struct finding *said,
		size_t count, struct finding **ret);

/* The order among causes: what was observed before what is only likely, then the order on the path.
 * `seen`: it explains a failure that was observed. */
unsigned cause_rank(const struct finding *finding, bool seen);

/* `gap` could not be decided, and if it had failed, the effect would follow from it. */
bool cause_would_explain(const struct finding *gap, const struct finding *effect);

/* The words of what follows from a code: ids of checks where all their codes do, else codes; a new
 * array. */
json_t *causes_effects(enum code code);

#endif
