#include "ssh/probe/driver.h"
#include "ssh/probe/engine.h"
#include "ssh/probe/stretch.h"
#include "ssh/probe/wire_client.h"
#include "ssh/probe/wire_keys.h"
#include "ssh/probe/wire_kex.h"

#include <stdlib.h>
#include <string.h>

static const enum fact_section sections[] = { FACT_DNS, FACT_TCP,      FACT_BANNER,
					      FACT_KEX, FACT_HOST_KEY, FACT_AUTH };

static void
wire_free(struct wire *wire)
{
	wire_hang_up(wire);
	wire_jump_leave(wire);
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
	free(wire->proxy_command);
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

/* Settles what is still open as unknown, and ends the conversation. */
static void
on_failed(struct wire *wire)
{
	ssh_done *done = wire->done;
	void *ctx = wire->ctx;
	const char *cause = wire->cause;

	/* nothing before it failed: what is not known then is no consequence of anything */
	settle_all(wire->facts,
		   wire->have.host_key && strcmp(cause, "not-reached") == 0 ? "closed" : cause,
		   wire->reason);
	if (wants_reference(wire, cause)) {
		wire_hang_up(wire);
		wire_reference_ask(wire);
		return;
	}
	if (facts_state(wire->facts, FACT_HOST_KEY, NULL) == FACT_KNOWN)
		ssh_known_hosts_elsewhere(wire->facts, facts_section(wire->facts, FACT_HOST_KEY));
	wire_free(wire);
	done(ctx);
}

static void
connect_by_way(struct wire *wire)
{
	if (wire->by_jump)
		wire_jump_connect(wire);
	else
		wire_connect(wire);
}

static void
on_resolved(struct wire *wire)
{
	if (wire->address_count == 0)
		wire_end(wire, "not-reached", "the name has no address");
	else
		connect_by_way(wire);
}

static void
on_unconnected(struct wire *wire)
{
	if (wire->reference != NULL &&
	    !doc_is(facts_section(wire->facts, FACT_TCP), "result", "refused"))
		wire_reference_ask(wire);
	else
		wire_end(wire, "not-reached", "no connection was possible");
}

static void
on_connected(struct wire *wire)
{
	const json_t *tcp = facts_section(wire->facts, FACT_TCP);

	if (wire->fd < 0 && wire->was_connected) {
		wire_end(wire, "not-reached",
			 "a further connection, which it takes to ask, was not possible");
	} else if (wire->fd < 0 &&
		   (doc_is(tcp, "result", "refused") || doc_is(tcp, "result", "timeout"))) {
		wire_ports_ask(wire);
	} else if (wire->fd < 0) {
		on_unconnected(wire);
	} else {
		if (!wire->was_connected && wire->connected != NULL)
			wire->connected(wire->connected_ctx);
		wire->was_connected = true;
		wire->connections++;
		wire_greet(wire);
	}
}

static void
on_answered(struct wire *wire)
{
	struct bytes any = { NULL, 0 };
	unsigned allowed = WIRE_CONNECTIONS + (wire->stalled ? 1 : 0);

	wire_hang_up(wire);
	if (wire->have.host_key && wire->have.auth && wire->another.len == 0 &&
	    wire->connections < WIRE_CONNECTIONS && !wire->by_jump &&
	    names_common(exchange_methods(), wire->lists.list[KEXINIT_KEX]).len > 0 &&
	    (wire->another = wire_host_key_another(wire)).len > 0)
		connect_by_way(wire);
	else if (wire->have.host_key && wire->have.auth)
		wire_end(wire, "not-reached", "");
	else if (wire->connections >= allowed)
		wire_end(wire, "budget",
			 "no further connection was made, so as not to be taken for an attack");
	else if (wire->have.host_key ? wire_session_able(wire, any)
				     : wire_exchange_able(wire, wire_host_key_wanted(wire)))
		connect_by_way(wire);
	else
		wire_engine_start(wire, &wire_engine_ssh, any);
}

static void
on_offered(struct wire *wire)
{
	struct bytes any = { NULL, 0 }, wanted = wire_host_key_wanted(wire);

	if (wire->another.len > 0)
		wire_engine_start(wire, &wire_engine_own, wire->another);
	else if (wire->have.host_key && wire_session_able(wire, any))
		wire_engine_start(wire, &wire_engine_libssh2, any);
	else if (wire_session_able(wire, wanted))
		wire_engine_start(wire, &wire_engine_libssh2, wanted);
	else if (!wire->have.host_key && wire_exchange_able(wire, wanted))
		wire_engine_start(wire, &wire_engine_own, wanted);
	else if (wire_session_able(wire, any))
		wire_engine_start(wire, &wire_engine_libssh2, any);
	else
		on_answered(wire);
}

static void
on_stalled(struct wire *wire)
{
	if (wire->stalled || wire->by_jump) {
		wire_kex_settle(wire, "stalled", NULL);
		wire_end(wire, "not-reached", "the key exchange stalled");
		return;
	}
	wire_kex_settle(wire, "stalled", NULL);
	wire->stalled = wire->proving = wire->small = true;
	wire_hang_up(wire);
	connect_by_way(wire);
}

/* What follows each event. */
static void (*const handlers[WIRE_EVENTS])(struct wire *) = {
	[WIRE_RESOLVED] = on_resolved,       [WIRE_CONNECTED] = on_connected,
	[WIRE_UNCONNECTED] = on_unconnected, [WIRE_GREETED] = wire_kexinit,
	[WIRE_OFFERED] = on_offered,         [WIRE_ANSWERED] = on_answered,
	[WIRE_STALLED] = on_stalled,         [WIRE_FAILED] = on_failed,
};

static void
on_event(struct wire *wire, enum wire_event event)
{
	handlers[event](wire);
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
	*wire = (struct wire){ .loop = loop,
			       .facts = facts,
			       .done = done,
			       .ctx = ctx,
			       .on_event = on_event,
			       .connected = request->connected,
			       .connected_ctx = request->connected_ctx,
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

	wire_client_lists(wire);
	if (wire->proxy_command != NULL)
		wire_engine_start(wire, &wire_engine_ssh, (struct bytes){ NULL, 0 });
	else if (wire->by_jump)
		connect_by_way(wire);
	else
		wire_dns(wire);
}

static void
list_and_begin(struct wire *wire)
{
	if (doc_str(facts_section(wire->facts, FACT_SSH_CONFIG), "options.kexalgorithms") == NULL)
		ssh_client_lists(wire->loop, wire->facts, NULL, begin, wire);
	else
		begin(wire);
}

/* Through a ProxyCommand ssh alone can speak: once its rehearsal came through, it asks about the
 * keys as well. A command that was cut before it was kept cannot be run again. */
static void
run_by_command(struct loop *loop, struct facts *facts, const struct ssh_wire_request *request,
	       const char *command, ssh_done *done, void *ctx)
{
	const json_t *rehearsal = facts_section(facts, FACT_REHEARSAL);
	bool asks = FACT_GET(rehearsal, rehearsal, through) &&
		    !FACT_GET(rehearsal, rehearsal, master) &&
		    !FACT_GET(rehearsal, rehearsal, admitted) && request->user != NULL &&
		    *request->user != '\0' && strstr(command, "[cut]") == NULL;
	struct wire *wire = asks ? wire_new(loop, facts, request, done, ctx) : NULL;

	facts_settle(facts, FACT_TCP, FACT_UNKNOWN, "proxied",
		     "ssh goes through a ProxyCommand, which is not run here");
	if (wire != NULL) {
		wire->proxy_command = strdup(command);
		wire->product = strdup("openssh");
		list_and_begin(wire);
		return;
	}
	facts_settle(facts, FACT_AUTH, FACT_UNKNOWN, "proxied",
		     "ssh goes through a ProxyCommand, and no key was asked about there");
	settle_all(facts, "not-reached", "ssh goes through a ProxyCommand, which is not run here");
	done(ctx);
}

void
wire_run(struct loop *loop, struct facts *facts, const struct ssh_wire_request *request,
	 ssh_done *done, void *ctx)
{
	const char *jump = proxy_setting(facts, "proxyjump"),
		   *command = proxy_setting(facts, "proxycommand");
	struct fact_ssh_hop hop;
	struct wire *wire;

	fact_read(doc_get(facts_section(facts, FACT_SSH_CONFIG), "jump"), shape_of_ssh_hop(), &hop);
	if (jump != NULL || command != NULL)
		facts_settle(facts, FACT_DNS, FACT_NOT_ASKED, "proxied",
			     "the name is looked up where ssh's way through another host ends");
	if (jump != NULL &&
	    (hop.loop != NULL || hop.hops > SSH_HOPS_MAX || hop.hops > ssh_room(facts))) {
		facts_settle(facts, FACT_TCP, FACT_UNKNOWN, "not-reached", "%s",
			     hop.loop != NULL ? "the jump hosts lead round in a circle"
					      : "ssh goes through too many jump hosts");
		settle_all(facts, "not-reached", "the jump hosts are not gone through");
		done(ctx);
	} else if (jump == NULL && command != NULL) {
		run_by_command(loop, facts, request, command, done, ctx);
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
		list_and_begin(wire);
	}
}
