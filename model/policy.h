/* Azure Policy assignments. */
#ifndef MODEL_POLICY_H
#define MODEL_POLICY_H

#include "facts/facts.h"

struct policy {
	const char *id, *name; /* borrowed from the facts; the name as people see it */
};

/* An enforced assignment that by its name forbids management ports, or SSH from the Internet; false
 * when there is none among the facts. */
bool policy_on_ssh(const struct facts *facts, struct policy *ret);

#endif
