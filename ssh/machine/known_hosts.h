/* What the second process does for known_hosts.c (aside.h). */
#ifndef SSH_MACHINE_KNOWN_HOSTS_H
#define SSH_MACHINE_KNOWN_HOSTS_H

#include "facts/doc.h"

json_t *known_hosts_look(const json_t *request);
json_t *known_hosts_look_elsewhere(const json_t *request);

#endif
