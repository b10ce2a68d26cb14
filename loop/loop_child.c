#include "loop/source.h"
#include "loop/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { IN, OUT, ERR, PIPES };

struct children {
	struct loop_source source;
	struct child *first;
};

struct child {
	struct child *next;
	struct children *all;
	struct loop *loop;
	pid_t pid;
	char *name;                       /* argv[0], for the trace */
	int fd[PIPES];                    /* our ends, -1 when closed */
	struct watch *watch[PIPES], *end; /* end: the pidfd, or a timer where there is none */
	int pidfd;
	char *input, *bytes[PIPES];
	size_t input_len, written, len[PIPES], max;
	bool cut, complete; /* complete: enough() said so */
	bool (*enough)(void *ctx, const char *out, size_t len);
	int64_t began, last, until; /* last: the last output; until: when it is killed, 0 for never
				       before the deadline */
	int quiet_ms;
	void (*done)(void *ctx, const struct child_reply *reply);
	void *ctx;
};

enum { REAP_MS = 10, MAX_OUTPUT = 1 << 20 };

static void
close_pipe(struct child *child, int which)
{
	loop_unwatch(child->watch[which]);
	child->watch[which] = NULL;
	if (child->fd[which] >= 0)
		close(child->fd[which]);
	child->fd[which] = -1;
}

static void
child_free(struct child *child)
{
	if (child == NULL)
		return;
	for (int i = 0; i < PIPES; i++)
		close_pipe(child, i);
	loop_unwatch(child->end);
	if (child->pidfd >= 0)
		close(child->pidfd);
	if (child->input != NULL)
		explicit_bzero(child->input, child->input_len);
	free(child->input);
	for (int i = OUT; i < PIPES; i++) {
		if (child->bytes[i] != NULL)
			explicit_bzero(child->bytes[i], child->len[i]);
		free(child->bytes[i]);
	}
	free(child->name);
	free(child);
}

/* Reads what is there; false at the end of the stream. */
static bool
drain(struct child *child, int which)
{
	char buffer[16384];
	ssize_t n;

	while ((n = read(child->fd[which], buffer, sizeof(buffer))) > 0) {
		size_t room = child->max - child->len[which],
		       take = (size_t)n < room ? (size_t)n : room;
		char *grown = realloc(child->bytes[which], child->len[which] + take + 1);

		if (grown == NULL)
			return false;
		child->bytes[which] = grown;
		memcpy(grown + child->len[which], buffer, take);
		child->len[which] += take;
		grown[child->len[which]] = '\0';
		child->cut |= take < (size_t)n;
		child->last = loop_now(child->loop);
	}
	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

/* Takes the child off the list and calls back. Its process group has been ended. */
static void
finish(struct child *child, int error, int status)
{
	struct child_reply reply = { .error = error, .ms = loop_now(child->loop) - child->began };

	for (struct child **at = &child->all->first; *at != NULL; at = &(*at)->next)
		if (*at == child) {
			*at = child->next;
			break;
		}
	child->all->source.busy--;
	for (int i = OUT; i < PIPES; i++)
		if (child->fd[i] >= 0)
			drain(child, i);
	reply.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	reply.out = child->bytes[OUT] != NULL ? child->bytes[OUT] : "";
	reply.err = child->bytes[ERR] != NULL ? child->bytes[ERR] : "";
	reply.out_len = child->len[OUT];
	reply.err_len = child->len[ERR];
	reply.cut = child->cut;
	reply.enough = child->complete;
	loop_trace(child->loop, "ran %s -> %d (%lld ms)", child->name,
		   error != 0 ? error : reply.status, (long long)reply.ms);
	child->done(child->ctx, &reply);
	child_free(child);
}

static void
kill_child(struct child *child, int error)
{
	int status;

	child_kill(child->pid, &status);
	finish(child, error, status);
}

static void
cancel_all(struct loop_source *source)
{
	struct children *all = (struct children *)source;

	while (all->first != NULL)
		kill_child(all->first, -ECANCELED);
}

/* When the child is to be killed unless it writes something; 0: never. */
static int64_t
killed_at(const struct child *child)
{
	int64_t quiet = child->quiet_ms > 0 ? child->last + child->quiet_ms : 0;

	if (quiet == 0 || (child->until != 0 && child->until < quiet))
		return child->until;
	return quiet;
}

static const struct loop_kind children = { .size = sizeof(struct children), .cancel = cancel_all };

/* The pidfd is readable, its timeout has passed, or (without a pidfd) it is time to look again. */
static void
on_end(void *ctx, int revents)
{
	struct child *child = ctx;
	siginfo_t info = { .si_pid = 0 };
	int status;

	if (revents < 0)
		return;
	/* what it has started is killed before its number may become another group's */
	if (waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	    info.si_pid == child->pid) {
		child_kill(child->pid, &status);
		finish(child, 0, status);
	} else if (killed_at(child) != 0 && loop_now(child->loop) >= killed_at(child)) {
		kill_child(child, -ETIMEDOUT);
	} else if (child->pidfd < 0) {
		loop_rewatch(child->end, 0, REAP_MS);
	} else if (killed_at(child) != 0) { /* it has written something meanwhile */
		loop_rewatch(child->end, POLLIN, (int)(killed_at(child) - loop_now(child->loop)));
	}
}

static void
on_out(void *ctx, int revents)
{
	struct child *child = ctx;
	size_t before = child->len[OUT];

	if (revents > 0 && !drain(child, OUT))
		close_pipe(child, OUT);
	if (child->enough == NULL || child->len[OUT] == before)
		return;
	child->complete = child->enough(child->ctx, child->bytes[OUT], child->len[OUT]);
	if (child->complete)
		kill_child(child, 0);
}

static void
on_err(void *ctx, int revents)
{
	struct child *child = ctx;

	if (revents > 0 && !drain(child, ERR))
		close_pipe(child, ERR);
}

static void
on_input(void *ctx, int revents)
{
	struct child *child = ctx;
	ssize_t n;

	if (revents <= 0)
		return;
	n = write(child->fd[IN], child->input + child->written, child->input_len - child->written);
	if (n > 0)
		child->written += (size_t)n;
	if (child->written == child->input_len || (n < 0 && errno != EAGAIN && errno != EINTR))
		close_pipe(child, IN);
}

/* What a child reads that has no input; a container may lack /dev/null. */
static int
empty_input(void)
{
	int ends[2], fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	close(ends[1]);
	return ends[0];
}

/* One pipe between us and the child; both ends close on exec and ours never blocks. */
static int
open_pipe(struct child *child, const struct child_request *request, int which, int far[PIPES])
{
	int ends[2];

	if (request->socket != NULL && which != ERR)
		return (far[which] = fcntl(*request->socket, F_DUPFD_CLOEXEC, 3)) < 0 ? -errno : 0;
	if (which == IN && child->input == NULL)
		return (far[IN] = empty_input()) < 0 ? far[IN] : 0;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	child->fd[which] = ends[which == IN ? 1 : 0];
	far[which] = ends[which == IN ? 0 : 1];
	return fcntl(child->fd[which], F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
}

static int
watch_child(struct child *child)
{
	static void (*const handlers[PIPES])(void *, int) = { on_input, on_out, on_err };
	int timeout = killed_at(child) == 0 ? 0 : (int)(killed_at(child) - child->began);

#ifdef SYS_pidfd_open
	child->pidfd = (int)syscall(SYS_pidfd_open, child->pid, 0);
#endif
	for (int i = 0; i < PIPES; i++)
		if (child->fd[i] >= 0 && (child->watch[i] = loop_watch(
					      child->loop, child->fd[i], i == IN ? POLLOUT : POLLIN,
					      0, handlers[i], child)) == NULL)
			return -ENOMEM;
	child->end = loop_watch(child->loop, child->pidfd, POLLIN,
				child->pidfd >= 0 ? timeout : REAP_MS, on_end, child);
	return child->end == NULL ? -ENOMEM : 0;
}

static struct child *
child_new(struct loop *loop, const struct child_request *request)
{
	struct child *child = calloc(1, sizeof(*child));

	if (child == NULL)
		return NULL;
	*child = (struct child){ .all = (struct children *)loop_source(loop, &children),
				 .loop = loop,
				 .fd = { -1, -1, -1 },
				 .pidfd = -1,
				 .pid = -1,
				 .began = loop_now(loop),
				 .last = loop_now(loop),
				 .quiet_ms = request->quiet_ms,
				 .max = request->max_bytes != 0 ? request->max_bytes : MAX_OUTPUT,
				 .name = strdup(request->argv[0]) };
	if (request->timeout_ms > 0)
		child->until = child->began + request->timeout_ms;
	if (request->input != NULL && (child->input = malloc(request->input_len + 1)) != NULL) {
		memcpy(child->input, request->input, request->input_len);
		child->input_len = request->input_len;
	}
	if (child->all == NULL || child->name == NULL ||
	    (request->input != NULL && child->input == NULL)) {
		child_free(child);
		return NULL;
	}
	return child;
}

int
loop_child(struct loop *loop, const struct child_request *request,
	   void (*done)(void *ctx, const struct child_reply *reply), void *ctx)
{
	int far[PIPES] = { -1, -1, -1 }, r = 0, status;
	struct child *child;

	if (loop_closing(loop))
		return -ECANCELED;
	if ((child = child_new(loop, request)) == NULL)
		return -ENOMEM;
	child->done = done;
	child->ctx = ctx;
	child->enough = request->enough;
	for (int i = 0; i < PIPES && r == 0; i++)
		r = open_pipe(child, request, i, far);
	if (r == 0)
		r = child_spawn(request, far, &child->pid);
	for (int i = 0; i < PIPES; i++)
		if (far[i] >= 0)
			close(far[i]);
	if (r == 0 && (r = watch_child(child)) < 0)
		child_kill(child->pid, &status);
	if (r < 0) {
		child_free(child);
		return r;
	}
	child->next = child->all->first;
	child->all->first = child;
	child->all->source.busy++;
	return 0;
}
