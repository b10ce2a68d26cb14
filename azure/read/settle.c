/* The sections of a target that azure_read settles. */
#include "azure/inside.h"
#include "facts/arm.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

const json_t *
read_vm(const struct read *read, const json_t **why)
{
	const json_t *body, *missing;

	facts_resource(&read->facts, read->id, &body, &missing);
	if (why != NULL)
		*why = missing;
	return body;
}

bool
read_scale_set(const char *id)
{
	return strcasestr(id, "/virtualMachineScaleSets/") != NULL &&
	       strcasestr(id, "/virtualMachines/") != NULL;
}

static void
append_nic(json_t *nics, const char *id)
{
	const json_t *nic;
	size_t i;

	json_array_foreach (nics, i, nic)
		if (arm_id_same(json_string_value(nic), id))
			return;
	doc_append_str(nics, id);
}

void
settle_network(struct read *read)
{
	const json_t *why, *body = read_vm(read, &why), *nic;
	json_t *section, *nics, *read_ids;
	const char *key;
	json_t *id;
	size_t i;

	if (body == NULL && read->nics == NULL) {
		facts_settle(&read->facts, FACT_NETWORK, FACT_UNKNOWN,
			     doc_str(why, "cause") != NULL ? doc_str(why, "cause") : "error",
			     "the VM itself was not read%s%s",
			     doc_str(why, "reason") != NULL ? ": " : "",
			     doc_str(why, "reason") != NULL ? doc_str(why, "reason") : "");
		section = facts_section(&read->facts, FACT_NETWORK);
	} else {
		section = facts_known(&read->facts, FACT_NETWORK);
		json_object_set_new(section, "nics",
				    nics =
					read->nics != NULL ? json_copy(read->nics) : json_array());
		json_array_foreach (doc_list(body, "properties.networkProfile.networkInterfaces"),
				    i, nic)
			append_nic(nics, doc_str(nic, "id"));
		if (read_scale_set(read->id)) {
			char *path = doc_fmt("%s/networkInterfaces", read->id);

			json_array_foreach ((json_t *)(uintptr_t)fetch_listed(read->azure, path), i,
					    nic)
				append_nic(nics, json_string_value(nic));
			free(path);
		}
	}
	json_object_set_new(section, "read", read_ids = json_array());
	doc_sort(read->seen);
	json_object_foreach (read->seen, key, id)
		json_array_append(read_ids, id);
}

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

void
settle_jit(struct read *read)
{
	char key[ARM_ID_MAX];
	const json_t *listed, *entry = NULL, *id;
	json_t *policies = json_array();
	size_t i;

	if (arm_id_key(read->jit, key, sizeof(key)) == 0)
		entry = json_object_get(azure_facts(read->azure, "lists"), key);
	listed = fetch_listed(read->azure, read->jit);
	json_array_foreach (listed, i, id) {
		const json_t *policy = fetch_held(read->azure, json_string_value(id));

		if (!mentions(doc_list(policy, "properties.virtualMachines"), read->id) &&
		    !mentions(doc_list(policy, "properties.requests"), read->id))
			continue;
		fetch_keep(read->azure, json_string_value(id));
		json_array_append(policies, (json_t *)(uintptr_t)id);
	}
	if (doc_is(entry, "state", "known") || doc_is(entry, "cause", "not-registered") ||
	    json_array_size(policies) > 0)
		json_object_set(facts_known(&read->facts, FACT_JIT), "policies", policies);
	else if (doc_is(entry, "cause", "not-offered") || doc_is(entry, "cause", "not-found"))
		facts_settle(&read->facts, FACT_JIT, FACT_NOT_ASKED, "not-offered",
			     "this cloud offers no just-in-time access");
	else
		facts_settle(
		    &read->facts, FACT_JIT, FACT_UNKNOWN,
		    doc_str(entry, "cause") != NULL ? doc_str(entry, "cause") : "error", "%s",
		    doc_str(entry, "reason") != NULL ? doc_str(entry, "reason")
						     : "the just-in-time policies were not read");
	json_decref(policies);
}

void
settle_without_vm(const struct azure *azure, struct facts *facts)
{
	static const enum fact_section sections[] = { FACT_NETWORK, FACT_JIT, FACT_DEEP,
						      FACT_PROOF };
	const json_t *vm = facts_section(facts, FACT_VM);
	const char *cause = doc_str(vm, "cause") != NULL ? doc_str(vm, "cause") : "no-vm",
		   *reason = doc_str(vm, "reason");
	enum fact_state state = facts_state(facts, FACT_VM, NULL);

	if (state == FACT_KNOWN || state == FACT_PENDING)
		state = FACT_UNKNOWN;
	for (size_t i = 0; i < sizeof(sections) / sizeof(*sections); i++)
		if ((sections[i] != FACT_DEEP || azure->deep) &&
		    (sections[i] != FACT_PROOF || azure->guest))
			facts_settle(facts, sections[i], state, cause, "%s",
				     reason != NULL ? reason : "the VM is not known");
}
