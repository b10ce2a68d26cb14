#ifndef CHECKS_LOCK_H
#define CHECKS_LOCK_H

#include "checks/finding.h"
#include "checks/scene.h"

/* Adds beside a failure that a ReadOnly lock or a deny assignment refuses the change that its
 * remedies make. Returns 0. */
int finding_note_lock(const struct scene *scene, struct finding *finding);

#endif
