/* What the serial log says of the last boot, for the checks that it concerns. */
#ifndef CHECKS_BOOT_H
#define CHECKS_BOOT_H

#include "checks/scene.h"

/* The first line of that kind that stands: no later line undoes it, and it is no mere hint. NULL
 * for none. */
const struct fact_boot_sign *boot_sign(const struct scene *scene, enum boot_kind kind);

/* Names the codes, up to CODE_CUSTOM, that may be the true cause, but for those that the log
 * excludes: the guest came to its login prompt, and sshd started. */
void boot_possible(const struct scene *scene, struct finding *finding, const enum code *codes);

/* The log was not read, and what Azure says looks like a guest that did not boot. */
bool boot_is_doubtful(const struct scene *scene);

/* Was the key among those that cloud-init found installed for the user? Its absence proves nothing:
 * FACT_MAYBE. */
enum fact_maybe boot_has_key(const struct scene *scene, const char *user, const char *fingerprint);

#endif
