#include "model/jump_host.h"
#include "ssh/probe/ssh_log.h"
#include "ssh/probe/stretch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Through a jump host the installed ssh carries the bytes: `ssh -W HOST:PORT JUMP` in batch mode,
 * its stdin and stdout one socket whose other end is our connection. It signs in at the jump host,
 * as ssh -J would, and never at the VM. */
struct wire_jump {
	struct wire *wire; /* NULL when the conversation is over */
	char *hop, *before, *user, *port,
	    *forward; /* the last hop, those before it joined by commas, and what stands in them */
	bool ended;
};

static void
jump_free(struct wire_jump *jump)
{
	free(jump->hop);
	free(jump->before);
	free(jump->user);
	free(jump->port);
	free(jump->forward);
	free(jump);
}

void
wire_jump_leave(struct wire *wire)
{
	if (wire->jump != NULL)
		wire->jump->wire = NULL; /* freed when the child has ended */
	wire->jump = NULL;
}

static char *
copy(struct bytes part)
{
	return part.len > 0 ? strndup((const char *)part.at, part.len) : NULL;
}

static struct wire_jump *
jump_new(struct wire *wire)
{
	const char *spec = doc_str(facts_section(wire->facts, FACT_SSH_CONFIG), "proxyjump"),
		   *last = strrchr(spec, ',');
	struct wire_jump *jump = calloc(1, sizeof(*jump));
	struct jump_host host;

	if (jump == NULL)
		return NULL;
	jump->wire = wire;
	jump->forward =
	    doc_fmt(strchr(wire->host, ':') != NULL ? "[%s]:%d" : "%s:%d", wire->host, wire->port);
	if (last != NULL)
		jump->before = strndup(spec, (size_t)(last - spec));
	if (jump_host_at(last != NULL ? last + 1 : spec, 0, &host)) {
		jump->hop = copy(host.host);
		jump->user = copy(host.user);
		jump->port = host.port > 0 ? doc_fmt("%d", host.port) : NULL;
	}
	if (jump->forward != NULL && (last == NULL || jump->before != NULL) && jump->hop != NULL)
		return jump;
	jump_free(jump);
	return NULL;
}

/* The result of a hop by ssh's words for it. */
static const char *
result_by_words(const char *words)
{
	static const char *const known[][2] = {
		{ "refused", "refused" },      { "timed out", "timeout" },
		{ "No route", "unreachable" }, { "unreachable", "unreachable" },
		{ "reset", "reset" },          { "prohibited", "prohibited" }
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (strstr(words, known[i][0]) != NULL)
			return known[i][1];
	return "unreachable";
}

static void
jump_tcp(struct wire *wire, const char *stage, const char *result, const char *words)
{
	json_t *tcp = facts_known(wire->facts, FACT_TCP), *proxy = json_object();

	doc_set_str(tcp, "address", wire->host);
	doc_set_int(tcp, "port", wire->port);
	doc_set_str(tcp, "result", result);
	doc_set_int(tcp, "ms", wire_ms(wire));
	doc_set_bool(tcp, "loopback", false);
	doc_set_str(proxy, "jump",
		    doc_str(facts_section(wire->facts, FACT_SSH_CONFIG), "proxyjump"));
	doc_set_str(proxy, "stage", stage);
	if (words != NULL && *words != '\0')
		doc_set_str(proxy, "words", words);
	json_object_set_new(tcp, "proxy", proxy);
}

void
wire_jump_through(struct wire *wire)
{
	if (wire->by_jump && facts_state(wire->facts, FACT_TCP, NULL) == FACT_PENDING)
		jump_tcp(wire, "through", "connected", NULL);
}

/* ssh has ended: when nothing of the VM was heard, its words say which hop failed. */
static void
on_jump_end(void *ctx, const struct child_reply *reply)
{
	struct wire_jump *jump = ctx;
	struct wire *wire = jump->wire;
	char words[SSH_LOG_LINE];
	struct jump_host failed;
	const char *spec;
	bool in;

	if (wire == NULL || reply->error == -ECANCELED) {
		if (wire != NULL) {
			wire->jump = NULL;
			wire_end(wire, "deadline", "the time allowed was over");
		}
		jump_free(jump);
		return;
	}
	jump->ended = true;
	if (facts_state(wire->facts, FACT_TCP, NULL) == FACT_PENDING && !wire_has_input(wire)) {
		ssh_log_last_words(reply->err, words);
		/* each hop that lets ssh in is logged, that of a nested ssh too */
		spec = doc_str(facts_section(wire->facts, FACT_SSH_CONFIG), "proxyjump");
		in = !jump_host_at(spec, ssh_log_count(reply->err, "Authenticated to "), &failed);
		jump_tcp(wire, in ? "target" : "jump",
			 reply->error == -ETIMEDOUT ? "timeout" : result_by_words(words), words);
		if (!in)
			doc_set_strn(doc_get(facts_section(wire->facts, FACT_TCP), "proxy"), "hop",
				     failed.text.at, failed.text.len);
		wire->jump = NULL;
		wire_end(wire, "not-reached",
			 in ? "the jump host did not reach the VM"
			    : "the jump host was not passed");
		jump_free(jump);
		return;
	}
	wire->jump = NULL;
	jump_free(jump);
}

/* Starts ssh with the far end of a socket pair; returns 0 or -errno. */
static int
jump_spawn(struct wire *wire, struct wire_jump *jump, int far)
{
	const char *argv[24];
	struct child_request request = { .argv = argv,
					 .timeout_ms = 4 * wire->step_ms,
					 .max_bytes = 1 << 18,
					 .unattended = true,
					 .socket = &far };
	json_int_t hops;
	size_t n = 0;
	int r;

	argv[n++] = "ssh";
	argv[n++] = "-v";
	if (wire->config_file != NULL) {
		argv[n++] = "-F";
		argv[n++] = wire->config_file;
	}
	argv[n++] = "-o";
	argv[n++] = "BatchMode=yes";
	argv[n++] = "-o";
	argv[n++] = "ConnectTimeout=5";
	if (jump->before != NULL) {
		argv[n++] = "-J";
		argv[n++] = jump->before;
	}
	if (jump->user != NULL) {
		argv[n++] = "-l";
		argv[n++] = jump->user;
	}
	if (jump->port != NULL) {
		argv[n++] = "-p";
		argv[n++] = jump->port;
	}
	argv[n++] = "-W";
	argv[n++] = jump->forward;
	argv[n++] = "--";
	argv[n++] = jump->hop;
	argv[n] = NULL;
	hops = FACT_GET(FACT_JSON(facts_section(wire->facts, FACT_SSH_CONFIG), ssh_config, jump),
			ssh_hop, hops);
	if (hops > ssh_room(wire->facts))
		return -EAGAIN;
	if ((r = loop_child(wire->loop, &request, on_jump_end, jump)) == 0)
		ssh_started(wire->facts, hops);
	return r;
}

void
wire_jump_connect(struct wire *wire)
{
	int ends[2] = { -1, -1 };

	wire_jump_leave(wire);
	wire_until(wire, wire->step_ms);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0 ||
	    fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0 || (wire->jump = jump_new(wire)) == NULL ||
	    jump_spawn(wire, wire->jump, ends[1]) < 0) {
		if (ends[0] >= 0)
			close(ends[0]);
		if (wire->jump != NULL)
			jump_free(wire->jump);
		wire->jump = NULL;
	} else {
		wire->fd = ends[0];
	}
	if (ends[1] >= 0)
		close(ends[1]);
	if (wire->fd < 0)
		wire_end(wire, "proxied", "ssh could not be started to go through the jump host");
	else
		wire_report(wire, WIRE_CONNECTED);
}
