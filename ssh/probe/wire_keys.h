/* The keys that the server is asked about, and the AUTH section. */
#ifndef SSH_WIRE_KEYS_H
#define SSH_WIRE_KEYS_H

#include "ssh/probe/wire.h"

/* Picks the likeliest identities of IDENTITIES that have a public half. */
void wire_keys_pick(struct wire *wire);
void wire_keys_free(struct wire *wire);
bool wire_key_ready(const struct wire_key *key); /* ssh could sign with it at once */
void wire_auth_settle(struct wire *wire, const char *by);

#endif
