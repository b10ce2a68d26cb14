/* Through a jump host ssh opens no connection of its own to the VM: what can be looked at from here
 * is the first hop. */
#include "ssh/ssh.h"

#include <stdlib.h>

struct jump {
	struct facts *facts; /* of the VM */
	struct facts hop;    /* of the hop alone, owned: a document of its own */
	struct ssh_wire_request request;
	ssh_done *done;
	void *ctx;
};

/* The hop's conversation becomes "jump" of the target. */
static void
hop_done(void *ctx)
{
	static const char *const kept[] = { "dns", "tcp", "banner", "kex" };
	struct jump *jump = ctx;
	json_t *section = json_pack("{s:s}", "state", facts_state_word(FACT_KNOWN));

	doc_set_str(section, "host", jump->request.host);
	doc_set_int(section, "port", jump->request.port);
	doc_set_str(section, "user", jump->request.user);
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		json_object_set(section, kept[i],
				doc_get(doc_get(jump->hop.target, "wire"), kept[i]));
	json_object_set_new(jump->facts->target, "jump", section);
	jump->done(jump->ctx);
	json_decref(jump->hop.doc);
	free(jump);
}

bool
ssh_jump_collect(struct loop *loop, struct facts *facts, const struct ssh_wire_request *request,
		 ssh_done *done, void *ctx)
{
	const json_t *hop = doc_get(facts_section(facts, FACT_SSH_CONFIG), "jump");
	const char *host = doc_str(hop, "hostname");
	struct jump *jump;

	if (host == NULL || doc_bool(hop, "proxied", false) ||
	    (jump = calloc(1, sizeof(*jump))) == NULL)
		return false;
	*jump = (struct jump){ .facts = facts, .done = done, .ctx = ctx, .request = *request };
	jump->request.host = host;
	jump->request.port = (int)doc_int(hop, "port", 22);
	jump->request.user = doc_str(hop, "user");
	jump->hop.doc = facts_new(facts->now);
	json_array_append_new(doc_list(jump->hop.doc, "targets"), json_object());
	json_object_set(doc_get(jump->hop.doc, "machine"), "client",
			facts_section(facts, FACT_CLIENT));
	if (facts_view(jump->hop.doc, 0, &jump->hop) < 0) {
		json_decref(jump->hop.doc);
		free(jump);
		return false;
	}
	ssh_wire_collect(loop, &jump->hop, &jump->request, hop_done, jump);
	return true;
}
