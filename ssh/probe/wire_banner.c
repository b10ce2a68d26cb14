#include "ssh/probe/stretch.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

enum { GATHER_MS = 300, TEXT_MAX = 1024, BEFORE_MAX = 20 };

static void greet_step(struct wire *wire, int revents);

/* The lines that came before the server's own, a few of them. */
static void
before_facts(json_t *banner, const uint8_t *bytes, size_t len)
{
	json_t *before = json_array();

	for (size_t at = 0; at < len && json_array_size(before) < BEFORE_MAX;) {
		const uint8_t *end = memchr(bytes + at, '\n', len - at);
		size_t n = end == NULL ? len - at : (size_t)(end - bytes) - at,
		       step = n + (end != NULL);

		if (n > 0 && bytes[at + n - 1] == '\r')
			n--;
		json_array_append_new(
		    before, doc_text((const char *)bytes + at, n < TEXT_MAX ? n : TEXT_MAX));
		at += step;
	}
	if (json_array_size(before) > 0)
		json_object_set(banner, "before", before);
	json_decref(before);
}

static unsigned
openssh_version(const char *software)
{
	unsigned major = 0, minor = 0;

	if (strncasecmp(software, "OpenSSH_for_Windows_", 20) == 0)
		return sscanf(software + 20, "%3u.%3u", &major, &minor) == 2 ? major * 100 + minor
									     : 0;
	return sscanf(software, "OpenSSH_%3u.%3u", &major, &minor) == 2 ? major * 100 + minor : 0;
}

/* Remembers who answers; only the first connection writes the section. */
static int
settle_ssh(struct wire *wire, const struct banner *read)
{
	char *line = strndup((const char *)read->line.at, read->line.len);
	char software[128];
	json_t *banner;

	snprintf(software, sizeof(software), "%.*s",
		 (int)(read->software.len < 100 ? read->software.len : 100),
		 (const char *)read->software.at);
	free(wire->server_line);
	free(wire->product);
	wire->server_line = line;
	wire->product = strdup(banner_product(read->software));
	wire->openssh = openssh_version(software);
	if (line == NULL || wire->product == NULL)
		return -ENOMEM;
	if (wire->have.banner)
		return 0;
	wire->have.banner = true;
	banner = facts_known(wire->facts, FACT_BANNER);
	doc_set_str(banner, "result", "ssh");
	doc_set_strn(banner, "line", (const char *)read->line.at, read->line.len);
	doc_set_strn(banner, "software", (const char *)read->software.at, read->software.len);
	doc_set_strn(banner, "protocol", (const char *)read->protocol.at, read->protocol.len);
	doc_set_str(banner, "product", wire->product);
	doc_set_int(banner, "ms", wire_ms(wire));
	if (read->line.at > wire->in)
		before_facts(banner, wire->in, (size_t)(read->line.at - wire->in));
	return 0;
}

/* The length of the first line that came, for a sentence. */
static size_t
first_line(const struct wire *wire)
{
	size_t len = 0, most = wire->in_len < 100 ? wire->in_len : 100;

	while (len < most && wire->in[len] != '\r' && wire->in[len] != '\n' &&
	       wire->in[len] != '\0')
		len++;
	return len;
}

/* No SSH line: what came instead, and how it ended. */
static void
settle_other(struct wire *wire, const char *result, const char *guess)
{
	char reason[160] = "the server did not answer as an SSH server does";
	json_t *banner;

	if (wire->have.banner && wire->in_len > 0)
		snprintf(reason, sizeof(reason), "a further connection was answered with \"%.*s\"",
			 (int)first_line(wire), (const char *)wire->in);
	if (!wire->have.banner) {
		banner = facts_known(wire->facts, FACT_BANNER);
		doc_set_str(banner, "result", result);
		doc_set_str(banner, "guess", guess);
		if (wire->in_len > 0)
			doc_set_strn(banner, "text", (const char *)wire->in,
				     wire->in_len < TEXT_MAX ? wire->in_len : TEXT_MAX);
		before_facts(banner, wire->in, wire->in_len);
		doc_set_int(banner, "bytes", (json_int_t)wire->in_len);
		doc_set_int(banner, "ms", wire_ms(wire));
		doc_set_bool(banner, "reset", wire->reset);
		doc_set_bool(banner, "closed", wire->closed || wire->reset);
		doc_set_bool(banner, "asked", wire->line_sent);
	}
	wire_end(wire, "not-reached", reason);
}

/* The time is over: silence is asked once, with our own line, since some servers wait for the
 * client's. */
static void
greet_late(struct wire *wire, const char *guess)
{
	if (guess != NULL) {
		settle_other(wire, "not-ssh", guess);
	} else if (!wire->line_sent && wire->in_len == 0) {
		wire_send_line(wire);
		wire->until = wire->began + wire->step_ms;
		wire_wait(wire, POLLIN, greet_step);
	} else if (loop_now(wire->loop) < wire->began + wire->step_ms) {
		wire->until = wire->began + wire->step_ms;
		wire_wait(wire, POLLIN, greet_step);
	} else {
		settle_other(wire, "none", NULL);
	}
}

static void
jump_late(struct wire *wire, int revents)
{
	(void)revents;
	wire_end(wire, "not-reached", "the jump host did not get through to the VM");
}

/* Nothing of the VM was heard through the jump host: the ssh that leads there tells why when it
 * ends. */
static void
jump_wait(struct wire *wire)
{
	wire_hang_up(wire);
	wire->until = wire->began + 5 * wire->step_ms;
	wire_wait(wire, 0, jump_late);
}

static void
greet_step(struct wire *wire, int revents)
{
	struct banner read;
	enum banner_state state;
	ssize_t n = -EAGAIN;

	while (revents > 0 && (n = wire_read(wire)) > 0)
		;
	if (wire->in_len > 0)
		wire_jump_through(wire);
	if (wire->in_len == 0 && wire->jump != NULL &&
	    (revents == 0 || wire->closed || wire->reset)) {
		jump_wait(wire);
		return;
	}
	state = banner_read(wire->in, wire->in_len, &read);
	if (state == BANNER_SSH && settle_ssh(wire, &read) == 0) {
		wire->in_at = (size_t)(read.line.at - wire->in);
		wire->scanned = read.used;
		if (wire->server_line != NULL &&
		    (bytes_is(read.protocol, "2.0") || bytes_is(read.protocol, "1.99")))
			wire_report(wire, WIRE_GREETED);
		else
			wire_end(wire, "not-reached",
				 "the server speaks another version of the SSH protocol");
	} else if (wire->closed || wire->reset) {
		if (read.guess != NULL)
			settle_other(wire, "not-ssh", read.guess);
		else
			settle_other(wire, wire->in_len > 0 ? "text" : "closed", NULL);
	} else if (state == BANNER_BAD) {
		settle_other(wire, "not-ssh", read.guess);
	} else if (n == -ENOBUFS) {
		settle_other(wire, "none", NULL);
	} else if (revents == 0) {
		greet_late(wire, read.guess);
	} else {
		if (state == BANNER_OTHER && wire->until > loop_now(wire->loop) + GATHER_MS)
			wire->until = loop_now(wire->loop) + GATHER_MS;
		wire_wait(wire, POLLIN, greet_step);
	}
}

void
wire_greet(struct wire *wire)
{
	wire_until(wire, wire->step_ms);
	wire->until = wire->began + (wire->by_jump ? 3 * wire->step_ms : wire->step_ms / 2);
	wire_wait(wire, POLLIN, greet_step);
}
