/* What the installed ssh would offer the server, and which host keys are worth asking for. */
#ifndef SSH_WIRE_CLIENT_H
#define SSH_WIRE_CLIENT_H

#include "ssh/probe/wire.h"

void wire_client_lists(struct wire *wire); /* fills client_* and offer */

/* The algorithm to ask for a host key with: as ssh would choose, else anything that can be read
 * here. A certificate is asked for only where known_hosts trusts an authority, or the server has
 * nothing else: ssh takes it for the key within, otherwise. */
struct bytes wire_host_key_wanted(const struct wire *wire);

/* The algorithm to ask for a second host key with: where known_hosts lacks the key shown, but holds
 * one of another type that the server has. Empty: none. */
struct bytes wire_host_key_another(const struct wire *wire);

/* wire_host_key.c: adds a key (a certificate: the key within, and what it says) to HOST_KEY, which
 * begins to be known with the first. */
void wire_host_key_add(struct wire *wire, struct bytes blob);

#endif
