/* Asks the name servers of /etc/resolv.conf themselves: the resolver's "try again" does not tell a
 * server that answers "I cannot" from one that does not answer. Runs in the child that resolves
 * names. */
#include "ssh/probe/name_server.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WAIT_MS = 1000, SERVERS = 3, QUERY_MAX = 300, HEAD = 12 };

/* A query for the name's IPv4 addresses; its length, or 0 when the name cannot be asked about. */
static size_t
query_make(const char *name, uint8_t query[static QUERY_MAX])
{
	static const uint8_t head[HEAD] = { 0x5a, 0x73, 0x01, 0x00, 0, 1 },
			     tail[] = { 0, 0, 1, 0, 1 };
	size_t at = HEAD;

	memcpy(query, head, HEAD);
	while (*name != '\0') {
		size_t len = strcspn(name, ".");

		if (len == 0 || len > 63 || at + 1 + len + sizeof(tail) > QUERY_MAX)
			return 0;
		query[at] = (uint8_t)len;
		memcpy(query + at + 1, name, len);
		at += 1 + len;
		name += len + (name[len] == '.');
	}
	memcpy(query + at, tail, sizeof(tail));
	return at + sizeof(tail);
}

/* The code of the server's answer to that query; -1 when none came. */
static int
server_ask(const char *server, const uint8_t *query, size_t len)
{
	struct sockaddr_storage at = { .ss_family = AF_UNSPEC };
	struct sockaddr_in *v4 = (struct sockaddr_in *)&at;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&at;
	struct pollfd waits = { .fd = -1, .events = POLLIN };
	uint8_t reply[512];
	int code = -1;

	if (inet_pton(AF_INET, server, &v4->sin_addr) == 1) {
		at.ss_family = AF_INET;
		v4->sin_port = htons(53);
	} else if (inet_pton(AF_INET6, server, &v6->sin6_addr) == 1) {
		at.ss_family = AF_INET6;
		v6->sin6_port = htons(53);
	} else {
		return -1;
	}
	if ((waits.fd = socket(at.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0)) < 0)
		return -1;
	if (connect(waits.fd, (const struct sockaddr *)&at,
		    at.ss_family == AF_INET ? sizeof(*v4) : sizeof(*v6)) == 0 &&
	    send(waits.fd, query, len, MSG_NOSIGNAL) == (ssize_t)len &&
	    poll(&waits, 1, WAIT_MS) == 1 &&
	    recv(waits.fd, reply, sizeof(reply), MSG_DONTWAIT) >= HEAD &&
	    memcmp(reply, query, 2) == 0 && (reply[2] & 0x80) != 0)
		code = reply[3] & 0x0f;
	close(waits.fd);
	return code;
}

int
name_server_code(const char *name)
{
	FILE *file = fopen("/etc/resolv.conf", "re");
	uint8_t query[QUERY_MAX];
	size_t len = query_make(name, query);
	char line[256], server[64];
	int code = -1, asked = 0;

	while (file != NULL && len > 0 && code < 0 && asked < SERVERS &&
	       fgets(line, sizeof(line), file) != NULL)
		if (sscanf(line, "nameserver %63s", server) == 1) {
			code = server_ask(server, query, len);
			asked++;
		}
	if (file != NULL)
		fclose(file);
	return code;
}
