#include "azure/read/reader.h"
#include "facts/arm.h"
#include "model/vm.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The lists that most of a VM's resources come from; those of a group whose absence single requests
 * make up for have a fallback. */
static const struct {
	const char *type;
	bool has_fallback;
} group_lists[] = {
	{ "Microsoft.Network/networkInterfaces", true },
	{ "Microsoft.Network/publicIPAddresses", true },
	{ "Microsoft.Network/networkSecurityGroups", true },
	{ "Microsoft.Network/virtualNetworks", true },
	{ "Microsoft.Authorization/locks", true },
	{ JIT_POLICIES, false },
};

static void
nobody_waits(void *ctx)
{
	(void)ctx;
}

void
reader_prefetch(struct fetches *fetches, const char *id)
{
	char *path;

	for (size_t i = 0; i < sizeof(group_lists) / sizeof(*group_lists); i++) {
		if ((path = path_in_group(id, group_lists[i].type)) != NULL)
			list_fetch(fetches, path, group_lists[i].has_fallback, NULL, NULL);
		free(path);
	}
	path = path_in_subscription(id, NULL);
	fetch_resource(fetches, path, nobody_waits, NULL);
	free(path);
}

const json_t *
reader_vm(const struct vm_reader *reader, const json_t **why)
{
	const json_t *body, *missing;

	facts_resource(&reader->facts, reader->id, &body, &missing);
	if (why != NULL)
		*why = missing;
	return body;
}

bool
reader_runs(const struct vm_reader *reader)
{
	struct vm vm;

	return vm_from_facts(&reader->facts, &vm, NULL) == 0 && doc_same(vm.power, "running");
}

bool
reader_is_instance(const struct vm_reader *reader)
{
	return strcasestr(reader->id, "/virtualMachineScaleSets/") != NULL &&
	       strcasestr(reader->id, "/virtualMachines/") != NULL;
}

const char *
reader_seen(const struct vm_reader *reader, const char *part, void **at)
{
	do
		*at = *at == NULL ? json_object_iter(reader->seen)
				  : json_object_iter_next(reader->seen, *at);
	while (*at != NULL && strstr(json_object_iter_key(*at), part) == NULL);
	return *at != NULL ? json_string_value(json_object_iter_value(*at)) : NULL;
}

const char *
entry_text(const json_t *entry, const char *name, const char *fallback)
{
	const char *text = doc_str(entry, name);

	return text != NULL ? text : fallback;
}

void
reader_ask(struct vm_reader *reader, struct join *join, const struct arm_ask *ask)
{
	fetch_optional(reader->fetches, ask, join_end, join_add(join));
}

void
reader_list(struct vm_reader *reader, struct join *join, char *path, bool has_fallback,
	    void (*item)(void *ctx, const char *id, const json_t *body))
{
	if (path != NULL)
		list_visit(reader->fetches, path, has_fallback, item, reader, join_end,
			   join_add(join));
	free(path);
}
