/* The driver of one conversation: it starts the stretches, and it alone decides what comes next. */
#ifndef SSH_DRIVER_H
#define SSH_DRIVER_H

#include "ssh/ssh.h"

/* As ssh_wire_collect (ssh.h), for this host alone. */
void wire_run(struct loop *loop, struct facts *facts, const struct ssh_wire_request *request,
	      ssh_done *done, void *ctx);

#endif
