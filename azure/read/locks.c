/* Locks that would stand against a remedy: those of the groups whose resources a remedy may change,
 * with what is inherited. One list a group, for which nothing waits; one that may not be read is no
 * gap. */
#include "azure/inside.h"
#include "facts/arm.h"

#include <stdlib.h>
#include <string.h>

struct locks {
	struct read *read;
	char *path;
};

/* A lock against deletion hinders nothing that is advised here. */
static void
locks_listed(void *ctx)
{
	struct locks *locks = ctx;
	struct read *read = locks->read;
	const json_t *id;
	size_t i;

	json_array_foreach ((json_t *)(uintptr_t)fetch_listed(read->azure, locks->path), i, id)
		if (doc_is(fetch_held(read->azure, json_string_value(id)), "properties.level",
			   "ReadOnly"))
			fetch_keep(read->azure, json_string_value(id));
	free(locks->path);
	free(locks);
	read_aside_end(read);
}

static void
ask_locks(struct read *read, const char *id)
{
	struct locks *locks = malloc(sizeof(*locks));

	if (locks == NULL)
		return;
	*locks = (struct locks){ read, fetch_group_path(id, "Microsoft.Authorization/locks") };
	if (locks->path == NULL) {
		free(locks);
		return;
	}
	read->aside++;
	fetch_list(read->azure, locks->path, true, locks_listed, locks);
}

void
read_locks(struct read *read)
{
	static const char *const changed[] = { "/virtualmachines/", "/networksecuritygroups/",
					       "/networkinterfaces/", "/routetables/" };
	const char *key;
	const json_t *id;

	json_object_foreach (read->seen, key, id)
		for (size_t i = 0; i < sizeof(changed) / sizeof(*changed); i++)
			if (strstr(key, changed[i]) != NULL)
				ask_locks(read, json_string_value(id));
}
