/* What the caller may do: by its roles at the resource's group, and against the deny assignments
 * there. Both are read as Azure lists them. */
#ifndef MODEL_GRANT_H
#define MODEL_GRANT_H

#include "facts/arm.h"
#include "facts/facts.h"

/* FACT_MAYBE when the roles were not read. A role on the resource alone does not show at its group,
 * so FACT_NO says "not by a role at the group". */
enum fact_maybe grant_of(const struct facts *facts, const char *resource, const char *action);

struct deny {
	const char *id, *name;
	char scope[ARM_ID_MAX];
};

/* A deny assignment over the resource that refuses the action to everyone, or to that principal
 * (NULL: not known). One for groups of people is none: who is in them is not known here. */
bool deny_over(const struct facts *facts, const char *resource, const char *action,
	       const char *principal, struct deny *ret);

#endif
