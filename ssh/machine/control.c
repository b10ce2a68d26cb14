/* Is there a living multiplexing master behind the control socket? A master greets whoever
 * connects; ssh waits for that greeting without any limit of time. */
#include "facts/file.h"
#include "ssh/machine/config.h"
#include "ssh/probe/exchange.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { CONTROL_WAIT_MS = 1500, MESSAGE_MAX = 256, FDS_MAX = 256 };

/* OpenSSH's PROTOCOL.mux */
static const uint32_t MUX_MSG_HELLO = 1, MUX_C_ALIVE_CHECK = 0x10000004, MUX_S_ALIVE = 0x80000005,
		      MUX_VERSION = 4, REQUEST = 7;

struct control {
	int fd;
	struct watch *watch;
	json_t *result;
	uint8_t in[MESSAGE_MAX]; /* what has come and is not read yet */
	size_t got;
	void (*done)(void *ctx, json_t *result);
	void *ctx;
};

static void
finish(struct control *control)
{
	loop_unwatch(control->watch);
	if (control->fd >= 0)
		close(control->fd);
	control->done(control->ctx, control->result);
	json_decref(control->result);
	free(control);
}

/* ---- the master's own connection ---- */

/* How often the segment at the head of that socket's queue was sent again; -1: no such TCP socket.
 */
static int
retransmits_of(const char *table, unsigned long inode)
{
	FILE *file = fopen(table, "re");
	char line[512];
	int found = -1;

	for (int i = 0;
	     file != NULL && i < 65536 && found < 0 && fgets(line, sizeof(line), file) != NULL;
	     i++) {
		unsigned state;
		unsigned long again, its;

		if (sscanf(line, "%*s %*s %*s %x %*s %*s %lx %*s %*s %lu", &state, &again, &its) ==
			3 &&
		    state == 1 && its == inode)
			found = (int)again;
	}
	if (file != NULL)
		fclose(file);
	return found;
}

/* What the kernel tells of the TCP connections of the master: nobody acknowledges what a dead one
 * sends. */
static void
connection_facts(json_t *result, uint32_t pid)
{
	char path[64], link[64];
	int most = -1;

	for (int fd = 0; fd < FDS_MAX; fd++) {
		unsigned long inode;
		ssize_t n;
		int again;

		snprintf(path, sizeof(path), "/proc/%u/fd/%d", (unsigned)pid, fd);
		if ((n = readlink(path, link, sizeof(link) - 1)) <= 0)
			continue;
		link[n] = '\0';
		if (sscanf(link, "socket:[%lu]", &inode) != 1)
			continue;
		if ((again = retransmits_of("/proc/net/tcp", inode)) < 0)
			again = retransmits_of("/proc/net/tcp6", inode);
		most = again > most ? again : most;
	}
	if (most >= 0)
		FACT_PUT(result, control_master, retransmits, most);
}

/* ---- the conversation with the master ---- */

/* Greets and asks whether it lives, as ssh does before it asks for a session. */
static void
ask(struct control *control)
{
	struct buffer out = { 0 };

	buffer_u32(&out, 8);
	buffer_u32(&out, MUX_MSG_HELLO);
	buffer_u32(&out, MUX_VERSION);
	buffer_u32(&out, 8);
	buffer_u32(&out, MUX_C_ALIVE_CHECK);
	buffer_u32(&out, REQUEST);
	if (send(control->fd, out.at, out.len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno == EAGAIN)
		FACT_PUT(control->result, control_master, silent,
			 true); /* a master that has gone ends the next reading */
	buffer_free(&out);
}

/* One message of the master's. Returns false when there is nothing more to learn. */
static bool
heed(struct control *control, struct bytes message)
{
	uint32_t type, request, pid;

	if (bytes_u32(&message, &type) < 0 || (type != MUX_MSG_HELLO && type != MUX_S_ALIVE))
		return false;
	if (type == MUX_MSG_HELLO && !FACT_GET(control->result, control_master, answers)) {
		FACT_PUT(control->result, control_master, answers, true);
		ask(control);
		return true;
	}
	if (type == MUX_S_ALIVE && bytes_u32(&message, &request) == 0 &&
	    bytes_u32(&message, &pid) == 0 && request == REQUEST) {
		FACT_PUT(control->result, control_master, alive, true);
		FACT_PUT(control->result, control_master, pid, (json_int_t)pid);
		connection_facts(control->result, pid);
	}
	return false;
}

static void
readable(void *ctx, int revents)
{
	struct control *control = ctx;
	struct bytes rest, message;
	bool more = true;
	ssize_t n;

	if (revents == 0)
		FACT_PUT(control->result, control_master, silent, true);
	if (revents > 0) {
		n = recv(control->fd, control->in + control->got, MESSAGE_MAX - control->got,
			 MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		control->got += n > 0 ? (size_t)n : 0;
		rest = (struct bytes){ control->in, control->got };
		while (more && bytes_string(&rest, &message) == 0)
			more = heed(control, message);
		memmove(control->in, rest.at, rest.len);
		control->got = rest.len;
		if (n > 0 && more && control->got < MESSAGE_MAX) {
			loop_rewatch(control->watch, POLLIN, CONTROL_WAIT_MS);
			return;
		}
	}
	finish(control);
}

/* Connects without waiting. Returns the socket; -EAGAIN when somebody listens whose queue is full;
 * else -errno. */
static int
connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd, r = 0;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path) + 1);
	if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		r = -errno;
		close(fd);
	}
	return r < 0 ? r : fd;
}

void
ssh_control_probe(struct loop *loop, const char *path, void (*done)(void *ctx, json_t *result),
		  void *ctx)
{
	struct control *control = calloc(1, sizeof(*control));
	struct stat st;
	bool exists, is_socket;
	int fd;

	if (control == NULL) {
		done(ctx, NULL);
		return;
	}
	exists = file_stat(path, &st) == 0;
	is_socket = exists && S_ISSOCK(st.st_mode);
	fd = is_socket ? connect_to(path) : -1;
	*control = (struct control){ .fd = fd,
				     .done = done,
				     .ctx = ctx,
				     .result = FACT_OBJECT(control_master, .path = path,
							   .exists = exists, .socket = is_socket,
							   .listens = fd >= 0 || fd == -EAGAIN,
							   .silent = fd == -EAGAIN) };
	if (control->fd < 0 ||
	    (control->watch =
		 loop_watch(loop, control->fd, POLLIN, CONTROL_WAIT_MS, readable, control)) == NULL)
		finish(control);
}
