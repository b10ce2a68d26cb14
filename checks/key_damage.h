/* Private to checks/: what a file's damage is called, and which repair fits. */
#ifndef CHECKS_KEY_DAMAGE_H
#define CHECKS_KEY_DAMAGE_H

#include "checks/finding.h"
#include "checks/scene.h"

/* Sets the finding of a file that ssh cannot load, or that holds no key: the code by its defect,
 * and a "fix_..." evidence key for the repair that its remedies name. */
int key_damage(const struct fact_key *key, struct finding *finding);

#endif
