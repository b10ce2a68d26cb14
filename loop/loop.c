#include "loop/inside.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

struct watch {
	struct watch *next;
	struct loop *loop;
	int fd; /* -1: a timer */
	short events;
	int64_t until; /* loop_now() value, 0 for none */
	bool dead;
	void (*ready)(void *ctx, int revents);
	void *ctx;
};

enum { POLL_MAX = 256, TURN_MS = 1000 };

int64_t
loop_now(const struct loop *loop)
{
	struct timespec now;

	(void)loop;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t
loop_left(const struct loop *loop)
{
	int64_t left = loop->deadline - loop_now(loop);

	return left > 0 && !loop->closing ? left : 0;
}

struct loop *
loop_new(int deadline_ms, FILE *trace)
{
	struct loop *loop = calloc(1, sizeof(*loop));

	if (loop == NULL)
		return NULL;
	loop->trace = trace;
	loop_reopen(loop, deadline_ms);
	return loop;
}

void
loop_reopen(struct loop *loop, int deadline_ms)
{
	loop->closing = false;
	loop->deadline = loop_now(loop) + deadline_ms;
}

struct watch *
loop_watch(struct loop *loop, int fd, short events, int timeout_ms,
	   void (*ready)(void *ctx, int revents), void *ctx)
{
	struct watch *watch;

	if (loop->closing || (watch = calloc(1, sizeof(*watch))) == NULL)
		return NULL;
	*watch = (struct watch){
		.next = loop->watches, .loop = loop, .fd = fd, .ready = ready, .ctx = ctx
	};
	loop_rewatch(watch, events, timeout_ms);
	loop->watches = watch;
	return watch;
}

void
loop_rewatch(struct watch *watch, short events, int timeout_ms)
{
	watch->events = events;
	watch->until = timeout_ms > 0 ? loop_now(watch->loop) + timeout_ms : 0;
}

void
loop_unwatch(struct watch *watch)
{
	if (watch != NULL)
		watch->dead = true;
}

static void
sweep(struct loop *loop)
{
	for (struct watch **at = &loop->watches, *watch; (watch = *at) != NULL;) {
		if (watch->dead) {
			*at = watch->next;
			free(watch);
		} else {
			at = &watch->next;
		}
	}
}

/* Milliseconds until the next timer, at most longest. */
static int
next_timeout(const struct loop *loop, int longest)
{
	int64_t now = loop_now(loop), wait = longest;

	if (loop->deadline - now < wait)
		wait = loop->deadline - now;
	for (const struct watch *watch = loop->watches; watch != NULL; watch = watch->next)
		if (!watch->dead && watch->until != 0 && watch->until - now < wait)
			wait = watch->until - now;
	return wait > 0 ? (int)wait : 0;
}

/* One wait; fds and owners run in step. */
static void
wait_for(struct loop *loop, struct pollfd *fds, unsigned count, int timeout)
{
	struct curl_waitfd extra[POLL_MAX];
	int ready = 0;

	if (loop->multi == NULL) {
		if (poll(fds, count, timeout) < 0)
			for (unsigned i = 0; i < count; i++)
				fds[i].revents = 0;
		return;
	}
	for (unsigned i = 0; i < count; i++)
		extra[i] = (struct curl_waitfd){
			.fd = fds[i].fd,
			.events = (short)((fds[i].events & POLLIN ? CURL_WAIT_POLLIN : 0) |
					  (fds[i].events & POLLOUT ? CURL_WAIT_POLLOUT : 0))
		};
	loop->curl->multi_poll(loop->multi, extra, count, timeout, &ready);
	/* curl reports no errors or hang-ups of foreign descriptors: ask again without waiting */
	if (count > 0 && poll(fds, count, 0) < 0)
		for (unsigned i = 0; i < count; i++)
			fds[i].revents = 0;
}

static void
dispatch(struct watch **owners, const struct pollfd *fds, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (fds[i].revents != 0 && !owners[i]->dead)
			owners[i]->ready(owners[i]->ctx, fds[i].revents);
}

static void
fire_timers(struct loop *loop)
{
	int64_t now = loop_now(loop);

	for (struct watch *watch = loop->watches; watch != NULL; watch = watch->next) {
		if (watch->dead || watch->until == 0 || watch->until > now)
			continue;
		watch->until = 0;
		watch->ready(watch->ctx, 0);
	}
}

bool
loop_turn(struct loop *loop, int longest_ms)
{
	struct pollfd fds[POLL_MAX];
	struct watch *owners[POLL_MAX];
	unsigned count = 0;
	int running = 0;

	if (loop->requests == NULL && loop->children == NULL && loop->watches == NULL)
		return false;
	if (loop->multi != NULL && loop->requests != NULL)
		loop->curl->multi_perform(loop->multi, &running);
	loop_http_finished(loop);
	for (struct watch *watch = loop->watches; watch != NULL && count < POLL_MAX;
	     watch = watch->next) {
		if (watch->dead || watch->fd < 0)
			continue;
		owners[count] = watch;
		fds[count++] = (struct pollfd){ .fd = watch->fd, .events = watch->events };
	}
	wait_for(loop, fds, count, next_timeout(loop, longest_ms));
	dispatch(owners, fds, count);
	fire_timers(loop);
	if (loop->multi != NULL && loop->requests != NULL)
		loop->curl->multi_perform(loop->multi, &running);
	loop_http_finished(loop);
	sweep(loop);
	return loop->requests != NULL || loop->children != NULL || loop->watches != NULL;
}

void
loop_close(struct loop *loop)
{
	loop->closing = true;
	loop_http_cancel(loop);
	loop_child_cancel(loop);
	for (struct watch *watch = loop->watches; watch != NULL; watch = watch->next)
		if (!watch->dead)
			watch->ready(watch->ctx, -ECANCELED);
	for (struct watch *watch = loop->watches; watch != NULL; watch = watch->next)
		watch->dead = true;
	sweep(loop);
}

int
loop_run(struct loop *loop, bool (*done)(void *ctx), void *ctx)
{
	while (!(done != NULL && done(ctx))) {
		if (loop_left(loop) == 0) {
			loop_close(loop);
			return -ETIMEDOUT;
		}
		if (!loop_turn(loop, TURN_MS))
			return 0;
	}
	return 0;
}

void
loop_free(struct loop *loop)
{
	if (loop == NULL)
		return;
	loop_close(loop);
	if (loop->multi != NULL)
		loop->curl->multi_cleanup(loop->multi);
	free(loop);
}
