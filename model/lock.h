/* ReadOnly locks: while one stands on a resource, its group or its subscription, Azure refuses
 * every change to it, and the start of a VM. */
#ifndef MODEL_LOCK_H
#define MODEL_LOCK_H

#include "facts/facts.h"

struct lock {
	const char *id, *name; /* borrowed from the facts */
	char scope[256];       /* id of what it stands on */
};

/* The first ReadOnly lock among the facts that covers the resource; false when there is none. */
bool lock_over(const struct facts *facts, const char *resource, struct lock *ret);

#endif
