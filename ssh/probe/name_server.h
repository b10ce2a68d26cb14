#ifndef SSH_NAME_SERVER_H
#define SSH_NAME_SERVER_H

/* The response code (RFC 1035: 2 SERVFAIL, 5 REFUSED) that the first name server that answers gives
 * for the name; -1 when none answers within a second each. Blocks; sends at most three packets. */
int name_server_code(const char *name);

#endif
