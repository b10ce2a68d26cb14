/* The just-in-time policies of the VM's group that name the VM. */
#include "azure/read/rows.h"
#include "facts/arm.h"

#include <stdlib.h>

static bool
mentions(const json_t *list, const char *id)
{
	const json_t *item;
	size_t i;

	json_array_foreach (list, i, item)
		if (arm_id_same(doc_str(item, "id"), id) ||
		    mentions(doc_list(item, "virtualMachines"), id))
			return true;
	return false;
}

struct jit {
	struct vm_reader *reader;
	char *path;
	json_t *policies; /* ids */
};

static void
keep_jit_policy(void *ctx, const char *id, const json_t *body)
{
	struct jit *jit = ctx;
	const char *vm = jit->reader->id;

	if (!mentions(doc_list(body, "properties.virtualMachines"), vm) &&
	    !mentions(doc_list(body, "properties.requests"), vm))
		return;
	reader_keep(jit->reader, id);
	doc_append_str(jit->policies, id);
}

static void
settle_jit(void *ctx)
{
	struct jit *jit = ctx;
	struct vm_reader *reader = jit->reader;
	const json_t *state = list_state(reader->fetches, jit->path);

	if (doc_is(state, "state", "known") || doc_is(state, "cause", "not-registered") ||
	    json_array_size(jit->policies) > 0)
		json_object_set(facts_known(&reader->facts, FACT_JIT), "policies", jit->policies);
	else if (doc_is(state, "cause", "not-offered") || doc_is(state, "cause", "not-found"))
		facts_settle(&reader->facts, FACT_JIT, FACT_NOT_ASKED, "not-offered",
			     "this cloud offers no just-in-time access");
	else
		facts_settle(
		    &reader->facts, FACT_JIT, FACT_UNKNOWN, entry_text(state, "cause", "error"),
		    "%s", entry_text(state, "reason", "the just-in-time policies were not read"));
	json_decref(jit->policies);
	free(jit->path);
	free(jit);
	join_end(&reader->all);
}

void
read_jit(struct vm_reader *reader)
{
	struct jit *jit = malloc(sizeof(*jit));

	*jit = (struct jit){ .reader = reader,
			     .path = path_in_group(reader->id, JIT_POLICIES),
			     .policies = json_array() };
	join_add(&reader->all);
	list_visit(reader->fetches, jit->path, false, keep_jit_policy, jit, settle_jit, jit);
}
