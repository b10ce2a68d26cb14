/* Part of the check ssh-config: blocks that speak of the host and do not count for it. */
#ifndef CHECKS_SSH_BLOCKS_H
#define CHECKS_SSH_BLOCKS_H

#include "checks/scene.h"

/* Adds a finding where such a block would bear on what fails. */
void ssh_blocks(const struct scene *scene, struct finding *main);

#endif
