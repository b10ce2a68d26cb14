#include "ssh/probe/stretch.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A second SSH server that the user named: when it fares no better, the fault lies before both of
 * them. Asked only after the VM's own port gave no answer, or the conversation broke before the
 * VM's host key: then the reference is spoken to as far as its key exchange lists. */

static void
reference_end(struct wire *wire, const char *result)
{
	json_t *tcp = facts_section(wire->facts, FACT_TCP), *reference = json_object();

	doc_set_str(reference, "address", wire->reference);
	doc_set_str(reference, "result", result);
	doc_set_int(reference, "ms", wire_ms(wire));
	json_object_set_new(tcp, "reference", reference);
	wire_hang_up(wire);
	wire_end(wire, "not-reached", "no connection was possible");
}

/* How far the reference speaks SSH: its line, then (after ours) its first packet. */
static void
greet_step(struct wire *wire, int revents)
{
	struct banner read;
	ssize_t n = -EAGAIN;

	while (revents > 0 && (n = wire_read(wire)) > 0)
		;
	if (!wire->line_sent && banner_read(wire->in, wire->in_len, &read) == BANNER_SSH) {
		wire->scanned = read.used;
		wire_send_line(wire);
	}
	if (wire->line_sent && wire->in_len > wire->scanned)
		reference_end(wire, "ssh");
	else if (wire->reset || wire->closed)
		reference_end(wire, wire->reset ? "reset" : "closed");
	else if (revents == 0 || n == -ENOBUFS)
		reference_end(wire, "silent");
	else
		wire_wait(wire, POLLIN, greet_step);
}

static void
reference_step(struct wire *wire, int revents)
{
	static const struct {
		int error;
		const char *result;
	} results[] = { { 0, "connected" }, { ECONNREFUSED, "refused" }, { ETIMEDOUT, "timeout" } };
	const int error = wire_connect_error(wire, revents);
	const char *result = "unreachable";

	if (error == 0 && wire->was_connected) {
		wire_until(wire, wire->step_ms);
		wire_wait(wire, POLLIN, greet_step);
		return;
	}
	for (size_t i = 0; i < sizeof(results) / sizeof(*results); i++)
		if (results[i].error == error)
			result = results[i].result;
	reference_end(wire, result);
}

/* Connects to the first numeric address of the text's lines. */
static void
reference_connect(struct wire *wire, const char *lines, const char *port)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC,
				  .ai_socktype = SOCK_STREAM,
				  .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV },
			*found = NULL;
	char address[128];
	int r;

	snprintf(address, sizeof(address), "%.*s", (int)strcspn(lines, "\n"), lines);
	wire_until(wire, wire->step_ms);
	if (getaddrinfo(address, port, &hints, &found) != 0) {
		reference_end(wire, "not-resolved");
		return;
	}
	wire->fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	r = wire->fd < 0 || (connect(wire->fd, found->ai_addr, found->ai_addrlen) < 0 &&
			     errno != EINPROGRESS)
		? -errno
		: 0;
	freeaddrinfo(found);
	if (r < 0)
		reference_end(wire, r == -ECONNREFUSED ? "refused" : "unreachable");
	else
		wire_wait(wire, POLLOUT, reference_step);
}

/* Splits "host", "host:port", "[address]:port" or a bare IPv6 address; the port is 22 when none is
 * given. */
static void
reference_split(const char *text, char host[256], const char **port)
{
	const char *end = text + strlen(text), *colon = strchr(text, ':');

	*port = "22";
	if (*text == '[' && strchr(text, ']') != NULL) {
		end = strchr(++text, ']');
		colon = end[1] == ':' ? end + 1 : NULL;
	} else if (colon != NULL && strchr(colon + 1, ':') != NULL) {
		colon = NULL;
	} else if (colon != NULL) {
		end = colon;
	}
	if (colon != NULL)
		*port = colon + 1;
	snprintf(host, 256, "%.*s", (int)(end - text), text);
}

static void
on_resolved(void *ctx, const struct child_reply *reply)
{
	struct wire *wire = ctx;
	char host[256];
	const char *port;

	reference_split(wire->reference, host, &port);
	if (reply->error == -ECANCELED)
		wire_end(wire, "deadline", "the time allowed was over");
	else
		reference_connect(wire, reply->error == 0 && reply->status == 0 ? reply->out : "",
				  port);
}

void
wire_reference_ask(struct wire *wire)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_flags = AI_NUMERICHOST },
			*found = NULL;
	char host[256];
	const char *argv[] = { wire->self, "--resolve-for-probe", host, NULL }, *port;
	struct child_request request = { .argv = argv,
					 .timeout_ms = wire->step_ms,
					 .max_bytes = 65536 };

	wire->reference_asked = true;
	reference_split(wire->reference, host, &port);
	if (getaddrinfo(host, NULL, &hints, &found) == 0) {
		freeaddrinfo(found);
		reference_connect(wire, host, port);
	} else if (loop_child(wire->loop, &request, on_resolved, wire) < 0) {
		reference_end(wire, "not-resolved");
	}
}
