/* Through a jump host ssh opens no connection of its own to the VM: where its way ends at the first
 * hop, that hop is what can be looked at from here, in a second conversation. */
#include "ssh/probe/driver.h"

#include <stdlib.h>

struct probe {
	struct loop *loop;
	struct facts *facts; /* of the VM */
	struct facts hop;    /* of the hop alone, owned: a document of its own */
	struct ssh_wire_request request;
	ssh_done *done;
	void *ctx;
};

static void
probe_end(struct probe *probe)
{
	ssh_done *done = probe->done;
	void *ctx = probe->ctx;

	json_decref(probe->hop.doc);
	free(probe);
	done(ctx);
}

/* The hop's conversation becomes "jump" of the target. */
static void
hop_done(void *ctx)
{
	static const char *const kept[] = { "dns", "tcp", "banner", "kex" };
	struct probe *probe = ctx;
	json_t *section = json_pack("{s:s}", "state", FACT_WORD(fact_state, FACT_KNOWN));

	doc_set_str(section, "host", probe->request.host);
	doc_set_int(section, "port", probe->request.port);
	doc_set_str(section, "user", probe->request.user);
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		json_object_set(section, kept[i],
				doc_get(doc_get(probe->hop.target, "wire"), kept[i]));
	json_object_set_new(probe->facts->target, "jump", section);
	probe_end(probe);
}

/* true when SSH_CONFIG names a first hop that is reached directly. */
static bool
hop_prepare(struct probe *probe)
{
	const json_t *hop = doc_get(facts_section(probe->facts, FACT_SSH_CONFIG), "jump");
	struct fact_ssh_hop own;

	if (doc_str(hop, "hostname") == NULL || doc_bool(hop, "proxied", false))
		return false;
	probe->request.host = doc_str(hop, "hostname");
	probe->request.port = (int)doc_int(hop, "port", 22);
	probe->request.user = doc_str(hop, "user");
	probe->request.connected = NULL;
	probe->hop.doc = facts_new(probe->facts->now);
	json_array_append_new(doc_list(probe->hop.doc, "targets"), json_object());
	json_object_set(doc_get(probe->hop.doc, "machine"), "client",
			facts_section(probe->facts, FACT_CLIENT));
	if (facts_view(probe->hop.doc, 0, &probe->hop) < 0)
		return false;
	fact_read(hop, shape_of_ssh_hop(), &own);
	FACT_PUT_JSON(facts_known(&probe->hop, FACT_SSH_CONFIG), ssh_config, options,
		      FACT_OBJECT(ssh_options, .kexalgorithms = own.kexalgorithms,
				  .hostkeyalgorithms = own.hostkeyalgorithms,
				  .ciphers = own.ciphers, .macs = own.macs));
	fact_free(shape_of_ssh_hop(), &own);
	return true;
}

static void
vm_done(void *ctx)
{
	struct probe *probe = ctx;

	if (doc_is(facts_section(probe->facts, FACT_TCP), "proxy.stage", "jump") &&
	    hop_prepare(probe))
		wire_run(probe->loop, &probe->hop, &probe->request, hop_done, probe);
	else
		probe_end(probe);
}

void
ssh_wire_collect(struct loop *loop, struct facts *facts, const struct ssh_wire_request *request,
		 ssh_done *done, void *ctx)
{
	struct probe *probe = calloc(1, sizeof(*probe));

	if (probe == NULL) {
		wire_run(loop, facts, request, done, ctx); /* without the hop */
		return;
	}
	*probe = (struct probe){
		.loop = loop, .facts = facts, .request = *request, .done = done, .ctx = ctx
	};
	wire_run(loop, facts, request, vm_done, probe);
}
