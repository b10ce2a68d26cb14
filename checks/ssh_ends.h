/* Part of the check ssh-config: what ends ssh before it connects, as ssh has shown it here. */
#ifndef CHECKS_SSH_ENDS_H
#define CHECKS_SSH_ENDS_H

#include "checks/scene.h"

/* Adds what it finds to the check's findings. */
void ssh_ends(const struct scene *scene, struct finding *main);

#endif
