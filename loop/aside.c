#include "loop/aside.h"
#include "loop/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* A question may not take longer than LONGEST_MS, nor more than a part of the time that is left. */
enum { LONGEST_MS = 2000, SHORTEST_MS = 50, PART = 4, MESSAGE_MAX = 64 << 20 };

#define NEVER INT64_MAX

/* What the second process may use; a CI machine has not much more. */
#define MEMORY_MAX ((rlim_t)160 << 20)

static struct aside {
	const char *const *argv; /* NULL: not used */
	int64_t deadline;
	pid_t pid;
	int fd;        /* our end of the socket; valid while pid is not 0 */
	bool answered; /* it has ever said something */
} aside;

static int64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void
stop(void)
{
	int status;

	if (aside.pid == 0)
		return;
	close(aside.fd);
	child_kill(aside.pid, &status);
	aside.pid = 0;
	aside.answered = false;
}

static int
start(void)
{
	struct child_request request = { .argv = aside.argv, .user_env = true };
	int ends[2], none, r;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return -errno;
	if ((none = open("/dev/null", O_WRONLY | O_CLOEXEC)) < 0)
		none = fcntl(ends[1], F_DUPFD_CLOEXEC, 3);
	r = child_spawn(&request, (int[]){ ends[1], ends[1], none }, &aside.pid);
	close(ends[1]);
	close(none);
	aside.fd = ends[0];
	if (r < 0) {
		close(ends[0]);
		aside.pid = 0;
	}
	return r;
}

void
aside_deadline(int deadline_ms)
{
	aside.deadline = now_ms() + deadline_ms;
}

void
aside_begin(const char *const *argv, int deadline_ms)
{
	aside.argv = argv;
	aside_deadline(deadline_ms);
	start(); /* the first question tries again */
}

bool
aside_used(void)
{
	return aside.argv != NULL;
}

void
aside_end(void)
{
	stop();
	aside.argv = NULL;
}

/* ---- messages: a length and as many bytes ---- */

/* Waits until the socket is ready; 0, -ETIMEDOUT or -errno. */
static int
ready(int fd, short events, int64_t until)
{
	struct pollfd poll_fd = { .fd = fd, .events = events };
	int64_t left = until != NEVER ? until - now_ms() : 0;
	int n = 0;

	if (until == NEVER)
		n = poll(&poll_fd, 1, -1);
	else if (left > 0)
		n = poll(&poll_fd, 1, (int)left);

	if (n == 0)
		return -ETIMEDOUT;
	return n < 0 && errno != EINTR ? -errno : 0;
}

static int
send_all(int fd, const void *bytes, size_t len, int64_t until)
{
	const char *at = bytes;
	int r = 0;

	while (len > 0 && r == 0) {
		ssize_t n = send(fd, at, len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		at += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
		if (n < 0)
			r = ready(fd, POLLOUT, until);
	}
	return r;
}

static int
receive_all(int fd, void *bytes, size_t len, int64_t until)
{
	char *at = bytes;
	int r = 0;

	while (len > 0 && r == 0) {
		ssize_t n = recv(fd, at, len, MSG_DONTWAIT);

		if (n == 0)
			return -EPIPE;
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		at += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
		if (n < 0)
			r = ready(fd, POLLIN, until);
	}
	return r;
}

static int
message_send(int fd, const void *bytes, size_t len, int64_t until)
{
	uint32_t size = (uint32_t)len;
	int r = len <= MESSAGE_MAX ? send_all(fd, &size, sizeof(size), until) : -EFBIG;

	return r < 0 ? r : send_all(fd, bytes, len, until);
}

static int
message_receive(int fd, unsigned char **ret, size_t *ret_len, int64_t until)
{
	unsigned char *bytes;
	uint32_t size;
	int r = receive_all(fd, &size, sizeof(size), until);

	if (r < 0)
		return r;
	if (size > MESSAGE_MAX)
		return -EFBIG;
	bytes = malloc((size_t)size + 1);
	bytes[size] = '\0';
	if ((r = receive_all(fd, bytes, size, until)) < 0) {
		explicit_bzero(bytes, size);
		free(bytes);
		return r;
	}
	*ret = bytes;
	*ret_len = size;
	return 0;
}

/* Its first word, by which it shows that it runs. One that never does (this program is run by
 * another one, as by valgrind) is not asked. */
static int
greet(int64_t until)
{
	unsigned char word;
	int r;

	if (aside.pid == 0 && (r = start()) < 0)
		return r;
	if (aside.answered)
		return 0;
	r = receive_all(aside.fd, &word, 1, until);
	aside.answered = r == 0;
	return r;
}

int
aside_ask(const void *question, size_t len, unsigned char **ret, size_t *ret_len)
{
	int64_t now = now_ms(), wait = (aside.deadline - now) / PART;
	int r = 0;

	if (!aside_used())
		return -ENOSYS;
	if (wait <= 0)
		return -ECANCELED;
	if (wait > LONGEST_MS)
		wait = LONGEST_MS;
	if (wait < SHORTEST_MS)
		wait = SHORTEST_MS;
	if ((r = greet(now + wait)) == -EPIPE || r == -ECONNRESET || r == -ENOENT || r == -EACCES) {
		aside_end();
		return -ENOSYS;
	}
	if (r == 0 && (r = message_send(aside.fd, question, len, now + wait)) == 0)
		r = message_receive(aside.fd, ret, ret_len, now + wait);
	if (r < 0)
		stop();
	return r;
}

const char *
aside_words(int error)
{
	switch (error) {
	case -ETIMEDOUT:
		return "the file system did not answer in time";
	case -ECANCELED:
		return "no time was left";
	case -EPIPE:
	case -ECONNRESET:
	case -EFBIG:
		return "reading it takes more memory than is allowed";
	default:
		return strerror(-error);
	}
}

int
aside_serve(unsigned char *(*answer)(const char *question, size_t len, size_t *ret_len))
{
	const struct rlimit memory = { MEMORY_MAX, MEMORY_MAX };
	unsigned char *question, *reply;
	size_t len, reply_len;
	int r = 0;

	setrlimit(RLIMIT_DATA, &memory);
	r = send_all(STDOUT_FILENO, "", 1, NEVER);
	while (r == 0 && message_receive(STDIN_FILENO, &question, &len, NEVER) == 0) {
		reply = answer((const char *)question, len, &reply_len);
		r = message_send(STDOUT_FILENO, reply, reply_len, NEVER);
		explicit_bzero(reply, reply_len);
		free(reply);
		free(question);
	}
	return r < 0;
}
