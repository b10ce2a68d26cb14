/* What may stand against a remedy: locks, deny assignments, and the caller's own roles, at the
 * groups of what remedies change. A list that may not be read is no gap. */
#include "azure/read/rows.h"
#include "facts/arm.h"

#include <stdlib.h>

/* CanNotDelete blocks none of the remedies. */
static void
keep_read_only(void *ctx, const char *id, const json_t *body)
{
	struct vm_reader *reader = ctx;

	if (doc_is(body, "properties.level", "ReadOnly"))
		reader_keep(reader, id);
}

static void
keep_any(void *ctx, const char *id, const json_t *body)
{
	struct vm_reader *reader = ctx;

	(void)body;
	reader_keep(reader, id);
}

static void
read_group(struct vm_reader *reader, const char *id)
{
	char *roles;

	reader_list(reader, &reader->all, path_in_group(id, "Microsoft.Authorization/locks"), true,
		    keep_read_only);
	if (reader->azure->fleet != NULL) /* two more requests for every group */
		return;
	reader_list(reader, &reader->all, path_in_group(id, DENY_ASSIGNMENTS), true, keep_any);
	roles = path_in_group(id, "Microsoft.Authorization/permissions");
	if (roles != NULL)
		reader_ask(reader, &reader->all,
			   &(struct arm_ask){ .path = roles, .flags = ARM_HAS_FALLBACK });
	free(roles);
}

void
read_own_grants(struct vm_reader *reader)
{
	read_group(reader, reader->id);
}

void
read_grants(struct vm_reader *reader)
{
	static const char *const changed[] = { "/virtualmachines/", "/networksecuritygroups/",
					       "/networkinterfaces/", "/routetables/" };
	const char *id;

	for (size_t i = 0; i < sizeof(changed) / sizeof(*changed); i++)
		for (void *at = NULL; (id = reader_seen(reader, changed[i], &at)) != NULL;)
			read_group(reader, id);
}
