/* Part of the check ssh-config: the hosts that ssh goes through. */
#ifndef CHECKS_SSH_JUMP_H
#define CHECKS_SSH_JUMP_H

#include "checks/scene.h"

/* Adds what keeps ssh from getting through the jump hosts. */
void ssh_jump(const struct scene *scene, struct finding *main);

#endif
