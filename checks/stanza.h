/* The block of an ssh_config that connects to the target the way that was seen to work. */
#ifndef CHECKS_STANZA_H
#define CHECKS_STANZA_H

#include "checks/about.h"
#include "checks/finding.h"

/* The text, to be appended to an ssh_config; the caller frees. With `bastion` (the finding that
 * names it) by its tunnel. NULL when a value is missing, or is one that no ssh_config can hold:
 * *why names it then. */
char *stanza_make(const struct scene *scene, const struct about *about, const json_t *globals,
		  const struct finding *bastion, const char **why);

#endif
