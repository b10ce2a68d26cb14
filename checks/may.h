#ifndef CHECKS_MAY_H
#define CHECKS_MAY_H

#include "checks/finding.h"
#include "checks/scene.h"

/* Compares what the remedies of a finding (and of those beside it) need with what the caller may
 * do: each says "you may" or "ask an owner" where that is known. Their words must be filled in. */
void finding_may(const struct scene *scene, struct finding *finding);

#endif
