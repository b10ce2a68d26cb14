/* The VM's NICs, and the NETWORK section. */
#include "azure/read/rows.h"
#include "facts/arm.h"

#include <stdlib.h>

static char *
instance_nics(const struct vm_reader *reader)
{
	return doc_fmt("%s/networkInterfaces", reader->id);
}

static void
follow_item(void *ctx, const char *id, const json_t *body)
{
	(void)body;
	reader_follow(ctx, id);
}

void
read_instance_nics(struct vm_reader *reader)
{
	reader_list(reader, &reader->network, instance_nics(reader), false, follow_item);
}

/* ---- NICs found by their side ---- */

/* A VM that could not be read, or whose body names no NIC, can still be found from the other side:
 * the NICs that name it. The user name of the one would stay unknown, so that is worth while only
 * when one was given. */
bool
reader_lacks_nics(const struct vm_reader *reader)
{
	const json_t *why, *body = reader_vm(reader, &why);

	if (body == NULL)
		return !doc_is(why, "state", "absent") &&
		       doc_str(reader->facts.doc, "asked.login") != NULL;
	return json_array_size(doc_list(body, "properties.networkProfile.networkInterfaces")) ==
		   0 &&
	       !reader_is_instance(reader);
}

static void
follow_own_nic(void *ctx, const char *id, const json_t *body)
{
	struct vm_reader *reader = ctx;

	if (!arm_id_same(doc_str(body, "properties.virtualMachine.id"), reader->id))
		return;
	if (reader->nics == NULL)
		reader->nics = json_array();
	doc_append_str(reader->nics, id);
	reader_follow(reader, id);
}

/* The group's NICs are under way since the beginning. */
void
read_nics_by_owner(struct vm_reader *reader)
{
	reader_list(reader, &reader->network,
		    path_in_group(reader->id, "Microsoft.Network/networkInterfaces"), true,
		    follow_own_nic);
}

/* ---- the section ---- */

static void
add_nic(void *ctx, const char *id, const json_t *body)
{
	json_t *nics = ctx;
	const json_t *nic;
	size_t i;

	(void)body;
	json_array_foreach (nics, i, nic)
		if (arm_id_same(json_string_value(nic), id))
			return;
	doc_append_str(nics, id);
}

static json_t *
nics_of(const struct vm_reader *reader, const json_t *body)
{
	json_t *nics = reader->nics != NULL ? json_copy(reader->nics) : json_array();
	const json_t *nic;
	char *path;
	size_t i;

	json_array_foreach (doc_list(body, "properties.networkProfile.networkInterfaces"), i, nic)
		add_nic(nics, doc_str(nic, "id"), NULL);
	if (reader_is_instance(reader)) {
		path = instance_nics(reader);
		list_each(reader->fetches, path, add_nic, nics);
		free(path);
	}
	return nics;
}

void
settle_network(struct vm_reader *reader)
{
	const json_t *why, *body = reader_vm(reader, &why);
	const char *reason = doc_str(why, "reason"), *key;
	json_t *section, *ids = json_array(), *id;

	if (body == NULL && reader->nics == NULL) {
		facts_settle(&reader->facts, FACT_NETWORK, FACT_UNKNOWN,
			     entry_text(why, "cause", "error"), "the VM itself was not read%s%s",
			     reason != NULL ? ": " : "", reason != NULL ? reason : "");
		section = facts_section(&reader->facts, FACT_NETWORK);
	} else {
		section = facts_known(&reader->facts, FACT_NETWORK);
		json_object_set_new(section, "nics", nics_of(reader, body));
	}
	doc_sort(reader->seen);
	json_object_foreach (reader->seen, key, id)
		json_array_append(ids, id);
	json_object_set_new(section, "read", ids);
	if (reader->asked != NULL)
		json_object_set(section, "asked", reader->asked);
	if (reader->settled != NULL)
		reader->settled(reader->ctx);
}
