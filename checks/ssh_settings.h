/* Part of the check ssh-config: settings that end ssh by themselves. */
#ifndef CHECKS_SSH_SETTINGS_H
#define CHECKS_SSH_SETTINGS_H

#include "checks/scene.h"

/* Adds what fails, and what only some programs run into, to the check's findings. */
void ssh_settings(const struct scene *scene, struct finding *main);
void ssh_settings_remarks(const struct scene *scene, struct finding *main);

#endif
