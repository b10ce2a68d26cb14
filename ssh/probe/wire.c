#include "ssh/probe/wire.h"
#include "ssh/probe/engine.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

void
wire_report(struct wire *wire, enum wire_event event)
{
	wire->on_event(wire, event);
}

void
wire_end(struct wire *wire, const char *cause, const char *reason)
{
	wire->cause = cause;
	wire->reason = reason;
	wire_report(wire, WIRE_FAILED);
}

static void
on_ready(void *ctx, int revents)
{
	struct wire *wire = ctx;

	if (revents < 0) {
		wire_end(wire, "deadline", "the time allowed was over");
		return;
	}
	wire->step(wire, revents);
}

void
wire_until(struct wire *wire, int ms)
{
	wire->began = loop_now(wire->loop);
	wire->until = wire->began + ms;
}

int64_t
wire_ms(const struct wire *wire)
{
	return loop_now(wire->loop) - wire->began;
}

void
wire_wait(struct wire *wire, short events, void (*step)(struct wire *wire, int revents))
{
	int64_t left = wire->until - loop_now(wire->loop);
	int timeout = left > 0 ? (int)left : 1;

	wire->step = step;
	if (wire->watch != NULL)
		loop_rewatch(wire->watch, events, timeout);
	else if ((wire->watch =
		      loop_watch(wire->loop, wire->fd, events, timeout, on_ready, wire)) == NULL)
		wire_end(wire, "deadline", "the time allowed was over");
}

void
wire_unwait(struct wire *wire)
{
	loop_unwatch(wire->watch);
	wire->watch = NULL;
}

bool
wire_flush(struct wire *wire)
{
	while (wire->out_at < wire->out.len) {
		ssize_t n = send(wire->fd, wire->out.at + wire->out_at,
				 wire->out.len - wire->out_at, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return false;
		if (n < 0)
			break;
		wire->out_at += (size_t)n;
	}
	wire->out.len = wire->out_at = 0;
	return true;
}

void
wire_send_line(struct wire *wire)
{
	if (!wire->line_sent)
		buffer_add(&wire->out, WIRE_LINE "\r\n", strlen(WIRE_LINE "\r\n"));
	wire->line_sent = true;
	wire_flush(wire);
}

int
wire_connect_error(const struct wire *wire, int revents)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (revents == 0)
		return ETIMEDOUT;
	return getsockopt(wire->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0 ? errno : error;
}

ssize_t
wire_read(struct wire *wire)
{
	ssize_t n;

	if (wire->in_len == WIRE_CLEAR_MAX)
		return -ENOBUFS;
	do
		n = recv(wire->fd, wire->in + wire->in_len, WIRE_CLEAR_MAX - wire->in_len, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return -EAGAIN;
	wire->closed |= n == 0;
	wire->reset |= n < 0;
	if (n > 0)
		wire->in_len += (size_t)n;
	return n > 0 ? n : 0;
}

bool
wire_has_input(struct wire *wire)
{
	char byte;

	return wire->in_len > 0 ||
	       (wire->fd >= 0 && recv(wire->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0);
}

void
wire_engine_start(struct wire *wire, const struct wire_engine *engine, struct bytes host_key)
{
	wire->engine = engine;
	engine->start(wire, host_key);
}

void
wire_hang_up(struct wire *wire)
{
	if (wire->engine != NULL)
		wire->engine->free(wire->engine_state);
	wire->engine = NULL;
	wire->engine_state = NULL;
	wire_unwait(wire);
	if (wire->fd >= 0)
		close(wire->fd);
	wire->fd = -1;
	wire->in_len = wire->in_at = wire->scanned = wire->out.len = wire->out_at = 0;
	wire->closed = wire->reset = wire->flooded = wire->encrypted = wire->line_sent = false;
}
