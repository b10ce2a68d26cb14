/* What is different now from what was seen before: two documents of facts, member by member. */
#ifndef MODEL_COMPARE_H
#define MODEL_COMPARE_H

#include <jansson.h>

/* A new array of {"where", "before", "after"}: what is new has no "before", what is gone no
 * "after". What changes with every run (times, sizes of answers, requests) is left out, and so is
 * what either side could not read. */
json_t *facts_changes(const json_t *before, const json_t *after);

#endif
