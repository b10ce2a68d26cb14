/* Is there a living multiplexing master behind the control socket? A master greets whoever connects; ssh waits for that greeting without any
 * limit of time. */
#include "ssh/config.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { CONTROL_WAIT_MS = 500, MUX_MSG_HELLO = 1, MUX_HEAD = 8 };

struct control {
	int fd;
	struct watch *watch;
	json_t *result;
	unsigned char head[MUX_HEAD];	/* length and type of the first message */
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

/* true when the first message is a greeting. */
static bool
is_hello(const unsigned char *head)
{
	return head[0] == 0 && head[4] == 0 && head[5] == 0 && head[6] == 0 && head[7] == MUX_MSG_HELLO;
}

static void
readable(void *ctx, int revents)
{
	struct control *control = ctx;
	ssize_t n;

	if (revents == 0)
		doc_set_bool(control->result, "silent", true);
	if (revents > 0) {
		n = recv(control->fd, control->head + control->got, MUX_HEAD - control->got, MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n > 0 && (control->got += (size_t)n) < MUX_HEAD)
			return;
		doc_set_bool(control->result, "answers", n > 0 && is_hello(control->head));
	}
	finish(control);
}

/* Connects without waiting. Returns the socket; -EAGAIN when somebody listens whose queue is full; else -errno. */
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
ssh_control_probe(struct loop *loop, const char *path, void (*done)(void *ctx, json_t *result), void *ctx)
{
	struct control *control = calloc(1, sizeof(*control));
	struct stat st;
	bool exists, is_socket;

	if (control == NULL) {
		done(ctx, NULL);
		return;
	}
	exists = stat(path, &st) == 0;
	is_socket = exists && S_ISSOCK(st.st_mode);
	*control = (struct control){ .fd = -1, .done = done, .ctx = ctx, .result = json_object() };
	doc_set_str(control->result, "path", path);
	doc_set_bool(control->result, "exists", exists);
	doc_set_bool(control->result, "socket", is_socket);
	if (is_socket)
		control->fd = connect_to(path);
	doc_set_bool(control->result, "listens", control->fd >= 0 || control->fd == -EAGAIN);
	doc_set_bool(control->result, "answers", false);
	doc_set_bool(control->result, "silent", control->fd == -EAGAIN);
	if (control->fd < 0 || (control->watch = loop_watch(loop, control->fd, POLLIN, CONTROL_WAIT_MS, readable, control)) == NULL)
		finish(control);
}
