/* Part of the check ssh-config: $HOME is another folder than the home that ssh uses. */
#ifndef CHECKS_HOME_H
#define CHECKS_HOME_H

#include "checks/scene.h"

/* Adds a finding when ssh lacks what lies in the .ssh of $HOME. */
int home_differs(const struct scene *scene, struct finding *main);

#endif
