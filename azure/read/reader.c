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
	{ DENY_ASSIGNMENTS, true },
	{ JIT_POLICIES, false },
};

const char *
reader_list_type(size_t i)
{
	return i < sizeof(group_lists) / sizeof(*group_lists) ? group_lists[i].type : NULL;
}

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
reader_keep(struct vm_reader *reader, const char *id)
{
	if (list_keep(reader->fetches, id))
		fetch_share(reader->fetches, id, reader->facts.doc);
}

void
reader_enter(struct vm_reader *reader, const char *path, json_t *body, json_t *why)
{
	fetch_enter(reader->fetches, path, body, why);
	fetch_share(reader->fetches, path, reader->facts.doc);
}

/* Something asked for, that the facts of this VM get when it has come. */
struct asked {
	struct vm_reader *reader;
	struct join *join;
	char *path;
	void (*arrived)(struct vm_reader *reader); /* NULL: nobody waits for it */
};

static struct asked *
asked_new(struct vm_reader *reader, struct join *join, const char *path,
	  void (*arrived)(struct vm_reader *reader))
{
	struct asked *asked = malloc(sizeof(*asked));

	*asked = (struct asked){ reader, join_add(join), strdup(path), arrived };
	return asked;
}

static void
asked_arrived(void *ctx)
{
	struct asked asked = *(struct asked *)ctx;

	free(ctx);
	fetch_share(asked.reader->fetches, asked.path, asked.reader->facts.doc);
	free(asked.path);
	if (asked.arrived != NULL)
		asked.arrived(asked.reader);
	join_end(asked.join);
}

void
reader_fetch(struct vm_reader *reader, struct join *join, const char *id,
	     void (*arrived)(struct vm_reader *reader))
{
	fetch_resource(reader->fetches, id, asked_arrived, asked_new(reader, join, id, arrived));
}

void
reader_ask(struct vm_reader *reader, struct join *join, const struct arm_ask *ask)
{
	fetch_optional(reader->fetches, ask, asked_arrived,
		       asked_new(reader, join, ask->path, NULL));
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
