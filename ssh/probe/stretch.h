/* The stretches of the way before an engine has the connection, as the driver starts them. Each
 * reports one event when it ends (wire.h), named behind it; or WIRE_FAILED. */
#ifndef SSH_STRETCH_H
#define SSH_STRETCH_H

#include "ssh/probe/wire.h"

void wire_dns(struct wire *wire);           /* wire_dns.c: WIRE_RESOLVED */
void wire_connect(struct wire *wire);       /* wire_tcp.c: WIRE_CONNECTED; the next address, or the
					       one that worked, again */
void wire_greet(struct wire *wire);         /* wire_banner.c: WIRE_GREETED */
void wire_kexinit(struct wire *wire);       /* wire_kex.c: WIRE_OFFERED, or WIRE_STALLED */
void wire_ports_ask(struct wire *wire);     /* wire_ports.c: WIRE_UNCONNECTED; after the SSH port
					       gave no connection */
void wire_reference_ask(struct wire *wire); /* wire_reference.c: WIRE_FAILED; after the VM gave no
					       answer, or broke off */

/* wire_jump.c: a connection through ssh -W (WIRE_CONNECTED); that the VM was heard through it; the
 * end of the conversation before that ssh's. */
void wire_jump_connect(struct wire *wire);
void wire_jump_through(struct wire *wire);
void wire_jump_leave(struct wire *wire);

#endif
