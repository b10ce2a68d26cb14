/* What this machine knows of the path to an address, without sending anything. */
#ifndef SSH_WIRE_PATH_H
#define SSH_WIRE_PATH_H

#include "facts/doc.h"

#include <sys/socket.h>

/* Adds interface, route, tunnels and proxies of the environment to the TCP section. */
void wire_path_facts(json_t *tcp, const struct sockaddr *peer, const struct sockaddr *local);

/* Segments whose retransmission this machine itself refused to send (TCPRetransFail of
 * /proc/net/netstat); -1 when not known. A local firewall that drops leaves no other trace. */
long long wire_send_failures(void);

#endif
