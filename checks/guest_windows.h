/* The inside of a Windows VM, as guest.ps1 tells it. */
#ifndef CHECKS_GUEST_WINDOWS_H
#define CHECKS_GUEST_WINDOWS_H

#include "checks/finding.h"
#include "checks/scene.h"

/* Sets the finding of one of the checks of the inside. */
void guest_windows(const struct scene *scene, struct finding *finding);

#endif
