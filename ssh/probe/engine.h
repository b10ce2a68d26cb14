/* The engines: each can carry a connection from the server's lists to its host key, and perhaps to
 * its answers about keys. wire_engine_start (wire.h) hands the connection to one. */
#ifndef SSH_ENGINE_H
#define SSH_ENGINE_H

#include "ssh/probe/wire.h"

struct wire_engine {
	const char *name; /* "by" of KEX and AUTH */

	/* Begins with the server's lists read; host_key: the algorithm to ask for, empty: any. Sets
	 * engine_state, and ends with WIRE_ANSWERED, WIRE_STALLED or WIRE_FAILED. */
	void (*start)(struct wire *wire, struct bytes host_key);
	void (*free)(void *state);
};

extern const struct wire_engine wire_engine_libssh2, wire_engine_own, wire_engine_ssh;

/* wire_session.c: true when libssh2 shares algorithms with the server, that host key included. */
bool wire_session_able(const struct wire *wire, struct bytes host_key);

/* wire_exchange.c: true when the own exchange can have that host key from this server. */
bool wire_exchange_able(const struct wire *wire, struct bytes host_key);

#endif
