/* What the stretches of a key exchange share: cleartext packets, and the KEX section. */
#ifndef SSH_WIRE_KEX_H
#define SSH_WIRE_KEX_H

#include "ssh/probe/wire.h"

/* The next cleartext packet of this connection; a DISCONNECT's text is kept. Returns 1, 0 (more to
 * come) or -EBADMSG. */
int wire_packet(struct wire *wire, struct bytes *payload);

/* Settles KEX with that result, unless an exchange has been done before; by: the engine, or NULL.
 */
void wire_kex_settle(struct wire *wire, const char *result, const char *by);

/* Ends the run at a connection that broke within the key exchange: KEX says `fault` ("garbage",
 * "bad-signature"), or with NULL how the peer ended it ("disconnect", "closed", "reset"). When a
 * former connection has done the exchange, reports WIRE_ANSWERED. */
void wire_kex_broken(struct wire *wire, const char *fault);

#endif
