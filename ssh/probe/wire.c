#include "ssh/probe/wire.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const enum fact_section sections[] = { FACT_DNS, FACT_TCP,      FACT_BANNER,
					      FACT_KEX, FACT_HOST_KEY, FACT_AUTH };

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

void
wire_hang_up(struct wire *wire)
{
	wire_session_free(wire->session);
	wire->session = NULL;
	exchange_free(wire->exchange);
	wire->exchange = NULL;
	loop_unwatch(wire->watch);
	wire->watch = NULL;
	if (wire->fd >= 0)
		close(wire->fd);
	wire->fd = -1;
	wire->in_len = wire->in_at = wire->scanned = wire->out.len = wire->out_at = 0;
	wire->closed = wire->reset = wire->flooded = wire->encrypted = wire->line_sent = false;
	buffer_free(&wire->client_kexinit);
}

static void
wire_free(struct wire *wire)
{
	wire_hang_up(wire);
	wire_jump_leave(wire);
	wire_ssh_free(wire->ssh);
	wire_keys_free(wire);
	json_decref(wire->tried);
	json_decref(wire->methods);
	free(wire->auth_banner);
	buffer_free(&wire->out);
	buffer_free(&wire->server_kexinit);
	free(wire->in);
	free(wire->host);
	free(wire->user);
	free(wire->self);
	free(wire->config_file);
	free(wire->reference);
	free(wire->server_line);
	free(wire->product);
	free(wire->disconnect_text);
	free(wire->client_kex);
	free(wire->client_host_key);
	free(wire->client_cipher);
	free(wire->client_mac);
	free(wire);
}

static void
settle_all(struct facts *facts, const char *cause, const char *reason)
{
	for (size_t i = 0; i < sizeof(sections) / sizeof(*sections); i++)
		if (facts_state(facts, sections[i], NULL) == FACT_PENDING)
			facts_settle(facts, sections[i], FACT_UNKNOWN, cause, "%s", reason);
}

/* The conversation broke before the VM's key was seen: would it do so with another server? */
static bool
wants_reference(const struct wire *wire, const char *cause)
{
	return wire->reference != NULL && !wire->reference_asked && !wire->by_jump &&
	       wire->was_connected && !wire->have.host_key && strcmp(cause, "not-reached") == 0 &&
	       !doc_is(facts_section(wire->facts, FACT_KEX), "result", "no-common");
}

void
wire_end(struct wire *wire, const char *cause, const char *reason)
{
	ssh_done *done = wire->done;
	void *ctx = wire->ctx;
	struct loop *loop = wire->loop;
	struct facts *facts = wire->facts;
	struct ssh_wire_request request = wire->request;
	bool at_jump;

	/* nothing before it failed: what is not known then is no consequence of anything */
	settle_all(wire->facts,
		   wire->have.host_key && strcmp(cause, "not-reached") == 0 ? "closed" : cause,
		   reason);
	if (wants_reference(wire, cause)) {
		wire_hang_up(wire);
		wire_reference_ask(wire);
		return;
	}
	if (facts_state(wire->facts, FACT_HOST_KEY, NULL) == FACT_KNOWN)
		ssh_known_hosts_elsewhere(wire->facts, facts_section(wire->facts, FACT_HOST_KEY));
	at_jump = doc_is(facts_section(wire->facts, FACT_TCP), "proxy.stage", "jump") &&
		  strcmp(cause, "deadline") != 0;
	wire_free(wire);
	if (!at_jump || !ssh_jump_collect(loop, facts, &request, done, ctx))
		done(ctx);
}

void
wire_resolved(struct wire *wire)
{
	if (wire->address_count == 0)
		wire_end(wire, "not-reached", "the name has no address");
	else
		wire_connect(wire);
}

void
wire_unconnected(struct wire *wire)
{
	if (wire->reference != NULL &&
	    !doc_is(facts_section(wire->facts, FACT_TCP), "result", "refused"))
		wire_reference_ask(wire);
	else
		wire_end(wire, "not-reached", "no connection was possible");
}

void
wire_connected(struct wire *wire)
{
	const json_t *tcp = facts_section(wire->facts, FACT_TCP);

	if (wire->fd < 0 && wire->was_connected) {
		wire_end(wire, "not-reached",
			 "a further connection, which it takes to ask, was not possible");
	} else if (wire->fd < 0 &&
		   (doc_is(tcp, "result", "refused") || doc_is(tcp, "result", "timeout"))) {
		wire_ports_ask(wire);
	} else if (wire->fd < 0) {
		wire_unconnected(wire);
	} else {
		wire->was_connected = true;
		wire->connections++;
		wire_greet(wire);
	}
}

void
wire_greeted(struct wire *wire)
{
	wire_kexinit(wire);
}

/* true when the own exchange can have that host key from this server. */
static bool
exchange_able(const struct wire *wire, struct bytes host_key)
{
	return names_common(exchange_methods(), wire->lists.list[KEXINIT_KEX]).len > 0 &&
	       names_have(exchange_host_keys(), host_key_plain(host_key));
}

void
wire_offered(struct wire *wire)
{
	struct bytes any = { NULL, 0 }, wanted = wire_host_key_wanted(wire);

	if (wire->another.len > 0)
		wire_exchange_start(wire, wire->another);
	else if (wire->have.host_key && wire_session_able(wire, any))
		wire_session_start(wire, any);
	else if (wire_session_able(wire, wanted))
		wire_session_start(wire, wanted);
	else if (!wire->have.host_key && exchange_able(wire, wanted))
		wire_exchange_start(wire, wanted);
	else if (wire_session_able(wire, any))
		wire_session_start(wire, any);
	else
		wire_next(wire);
}

void
wire_next(struct wire *wire)
{
	struct bytes any = { NULL, 0 };
	unsigned allowed = WIRE_CONNECTIONS + (wire->stalled ? 1 : 0);

	wire_hang_up(wire);
	if (wire->have.host_key && wire->have.auth && wire->another.len == 0 &&
	    wire->connections < WIRE_CONNECTIONS && !wire->by_jump &&
	    names_common(exchange_methods(), wire->lists.list[KEXINIT_KEX]).len > 0 &&
	    (wire->another = wire_host_key_another(wire)).len > 0)
		wire_connect(wire);
	else if (wire->have.host_key && wire->have.auth)
		wire_end(wire, "not-reached", "");
	else if (wire->connections >= allowed)
		wire_end(wire, "budget",
			 "no further connection was made, so as not to be taken for an attack");
	else if (wire->have.host_key ? wire_session_able(wire, any)
				     : exchange_able(wire, wire_host_key_wanted(wire)))
		wire_connect(wire);
	else
		wire_ssh_start(wire);
}

void
wire_stalled(struct wire *wire)
{
	if (wire->stalled || wire->by_jump) {
		wire_kex_settle(wire, "stalled", NULL);
		wire_end(wire, "not-reached", "the key exchange stalled");
		return;
	}
	wire_kex_settle(wire, "stalled", NULL);
	wire->stalled = wire->proving = wire->small = true;
	wire_hang_up(wire);
	wire_connect(wire);
}

/* ssh's setting of that name, NULL when it is not set. */
static const char *
proxy_setting(const struct facts *facts, const char *name)
{
	const char *way = doc_str(facts_section(facts, FACT_SSH_CONFIG), name);

	return way == NULL || *way == '\0' || strcmp(way, "none") == 0 ? NULL : way;
}

static struct wire *
wire_new(struct loop *loop, struct facts *facts, const struct ssh_wire_request *request,
	 ssh_done *done, void *ctx)
{
	struct wire *wire = calloc(1, sizeof(*wire));

	if (wire == NULL)
		return NULL;
	*wire = (struct wire){ .request = *request,
			       .loop = loop,
			       .facts = facts,
			       .done = done,
			       .ctx = ctx,
			       .fd = -1,
			       .port = request->port,
			       .step_ms = request->step_ms > 0 ? request->step_ms : WIRE_STEP_MS,
			       .tried = json_array() };
	wire->host = strdup(request->host);
	wire->user = strdup(request->user != NULL ? request->user : "");
	wire->self = strdup(request->self != NULL ? request->self : "");
	wire->config_file = request->config_file != NULL ? strdup(request->config_file) : NULL;
	wire->reference = request->reference != NULL ? strdup(request->reference) : NULL;
	wire->in = malloc(WIRE_CLEAR_MAX);
	if (wire->host != NULL && wire->user != NULL && wire->self != NULL && wire->in != NULL)
		return wire;
	wire_free(wire);
	return NULL;
}

/* What the installed ssh would offer is known, as far as it can be. */
static void
begin(void *ctx)
{
	struct wire *wire = ctx;

	if (wire_client_lists(wire) < 0)
		wire_end(wire, "error", "out of memory");
	else if (wire->by_jump)
		wire_connect(wire);
	else
		wire_dns(wire);
}

void
ssh_wire_collect(struct loop *loop, struct facts *facts, const struct ssh_wire_request *request,
		 ssh_done *done, void *ctx)
{
	const char *jump = proxy_setting(facts, "proxyjump"),
		   *command = proxy_setting(facts, "proxycommand");
	struct wire *wire;

	if (jump != NULL || command != NULL)
		facts_settle(facts, FACT_DNS, FACT_NOT_ASKED, "proxied",
			     "the name is looked up where ssh's way through another host ends");
	if (jump == NULL && command != NULL) {
		facts_settle(facts, FACT_TCP, FACT_UNKNOWN, "proxied",
			     "ssh goes through a ProxyCommand, which is not run here");
		settle_all(facts, "not-reached",
			   "ssh goes through a ProxyCommand, which is not run here");
		done(ctx);
	} else if ((wire = wire_new(loop, facts, request, done, ctx)) == NULL) {
		settle_all(facts, "error", "out of memory");
		done(ctx);
	} else {
		wire->by_jump = jump != NULL;
		if (*wire->user == '\0') {
			facts_settle(facts, FACT_AUTH, FACT_UNKNOWN, "no-user",
				     "no login name is known, and none is guessed");
			wire->have.auth = true;
		}
		if (doc_str(facts_section(facts, FACT_SSH_CONFIG), "options.kexalgorithms") == NULL)
			ssh_client_lists(loop, facts, NULL, begin, wire);
		else
			begin(wire);
	}
}
