#include "loop/leave.h"
#include "loop/owner.h"
#include "loop/source.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct loop {
	int64_t deadline; /* of the round, in loop_now() milliseconds */
	bool closing;     /* the deadline has passed: nothing new begins */
	void (*trace)(const char *line);
	struct loop_source *sources;
	struct watch *watches;
	struct pollfd *fds; /* of one wait; owners in step with it */
	struct watch **owners;
	size_t room; /* of both */
};

struct watch {
	struct watch *next;
	struct loop *loop;
	int fd; /* -1: a timer */
	short events;
	int64_t until; /* loop_now() value, 0 for none */
	bool dead;
	bool passive; /* belongs to a source, which says itself whether it is busy */
	void (*ready)(void *ctx, int revents);
	void *ctx;
};

enum { TURN_MS = 1000 };

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
loop_new(int deadline_ms, void (*trace)(const char *line))
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
	for (const struct loop_source *source = loop->sources; source != NULL;
	     source = source->next)
		if (source->until != 0 && source->until - now < wait)
			wait = source->until - now;
	for (const struct watch *watch = loop->watches; watch != NULL; watch = watch->next)
		if (!watch->dead && watch->until != 0 && watch->until - now < wait)
			wait = watch->until - now;
	return wait > 0 ? (int)wait : 0;
}

static bool
make_room(struct loop *loop)
{
	size_t room = loop->room == 0 ? 64 : loop->room * 2;
	struct pollfd *fds = realloc(loop->fds, room * sizeof(*fds));
	struct watch **owners;

	if (fds == NULL)
		return false;
	loop->fds = fds;
	if ((owners = realloc(loop->owners, room * sizeof(*owners))) == NULL)
		return false;
	loop->owners = owners;
	loop->room = room;
	return true;
}

/* The descriptors to wait for; returns their number. */
static size_t
gather(struct loop *loop)
{
	size_t count = 0;

	for (struct watch *watch = loop->watches; watch != NULL; watch = watch->next) {
		if (watch->dead || watch->fd < 0)
			continue;
		if (count == loop->room && !make_room(loop))
			break;
		loop->owners[count] = watch;
		loop->fds[count++] = (struct pollfd){ .fd = watch->fd, .events = watch->events };
	}
	return count;
}

static void
dispatch(struct loop *loop, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (loop->fds[i].revents != 0 && !loop->owners[i]->dead)
			loop->owners[i]->ready(loop->owners[i]->ctx, loop->fds[i].revents);
}

static void
call_due(struct loop *loop)
{
	int64_t now = loop_now(loop);

	for (struct loop_source *source = loop->sources; source != NULL; source = source->next) {
		if (source->until == 0 || source->until > now)
			continue;
		source->until = 0;
		source->kind->due(source);
	}
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

static bool
under_way(const struct loop *loop)
{
	for (const struct loop_source *source = loop->sources; source != NULL;
	     source = source->next)
		if (source->busy > 0)
			return true;
	for (const struct watch *watch = loop->watches; watch != NULL; watch = watch->next)
		if (!watch->dead && !watch->passive)
			return true;
	return false;
}

bool
loop_turn(struct loop *loop, int longest_ms)
{
	size_t count;

	leave_alive();
	if (!under_way(loop))
		return false;
	call_due(loop);
	count = gather(loop);
	if (poll(loop->fds, count, next_timeout(loop, longest_ms)) >= 0)
		dispatch(loop, count);
	fire_timers(loop);
	call_due(loop);
	sweep(loop);
	return under_way(loop);
}

void
loop_close(struct loop *loop)
{
	loop->closing = true;
	for (struct loop_source *source = loop->sources; source != NULL; source = source->next)
		source->kind->cancel(source);
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

static void
free_sources(struct loop *loop)
{
	for (struct loop_source *source; (source = loop->sources) != NULL;) {
		loop->sources = source->next;
		if (source->kind->end != NULL)
			source->kind->end(source);
		free(source);
	}
}

void
loop_free(struct loop *loop)
{
	if (loop == NULL)
		return;
	loop_close(loop);
	free_sources(loop);
	sweep(loop);
	free(loop->fds);
	free(loop->owners);
	free(loop);
}

/* ---- for the sources ---- */

struct loop_source *
loop_source(struct loop *loop, const struct loop_kind *kind)
{
	struct loop_source *source, **end = &loop->sources;

	for (; (source = *end) != NULL; end = &source->next)
		if (source->kind == kind)
			return source;
	if ((source = calloc(1, kind->size)) == NULL)
		return NULL;
	*source = (struct loop_source){ .kind = kind, .loop = loop };
	return *end = source;
}

struct watch *
loop_watch_for(struct loop_source *source, int fd, short events,
	       void (*ready)(void *ctx, int revents), void *ctx)
{
	struct watch *watch = loop_watch(source->loop, fd, events, 0, ready, ctx);

	if (watch != NULL)
		watch->passive = true;
	return watch;
}

bool
loop_closing(const struct loop *loop)
{
	return loop->closing;
}

void
loop_trace(const struct loop *loop, const char *fmt, ...)
{
	va_list ap;
	char *line;

	if (loop->trace == NULL)
		return;
	va_start(ap, fmt);
	if (vasprintf(&line, fmt, ap) >= 0) {
		loop->trace(line);
		free(line);
	}
	va_end(ap);
}
