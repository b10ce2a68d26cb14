/* What Azure makes of rules and routes, and the security admin rules. */
#include "azure/arm/pages.h"
#include "azure/arm/reply.h"
#include "azure/read/rows.h"
#include "facts/arm.h"

#include <stdlib.h>
#include <string.h>

#define ADMIN_PAGES 20

static bool
is_type(const char *id, const char *word)
{
	char type[192];

	return arm_id_type(id, type, sizeof(type)) == 0 && strcmp(type, word) == 0;
}

static void
post(struct vm_reader *reader, const char *id, const char *action)
{
	char *path = doc_fmt("%s/%s", id, action);

	reader_ask(reader, &reader->all,
		   &(struct arm_ask){ .method = "POST", .path = path, .flags = ARM_LONG });
	free(path);
}

/* Azure computes these only while the VM runs. */
void
read_effective(struct vm_reader *reader)
{
	const char *id;

	for (void *at = NULL; (id = reader_seen(reader, "/networkinterfaces/", &at)) != NULL;) {
		if (!is_type(id, "microsoft.network/networkinterfaces"))
			continue;
		post(reader, id, "effectiveNetworkSecurityGroups");
		post(reader, id, "effectiveRouteTable");
	}
}

/* ---- security admin rules: paged by a token in the body ---- */

struct admin {
	struct vm_reader *reader;
	char *path;
};

static bool
take_rules(json_t *rules, const json_t *page)
{
	json_array_extend(rules, doc_list(page, "value"));
	return true;
}

static void
admin_got(void *ctx, const struct arm_answer *answer)
{
	struct admin *admin = ctx;
	struct vm_reader *reader = admin->reader;
	json_t *why = json_incref(answer->why);

	if (answer->more)
		why = reply_entry(FACT_UNKNOWN, "too-many",
				  "the security admin rules fill more than %d pages", ADMIN_PAGES);
	reader_enter(reader, admin->path,
		     why == NULL ? json_pack("{s:O}", "value", answer->body) : NULL, why);
	json_decref(why);
	free(admin->path);
	free(admin);
	join_end(&reader->all);
}

static void
ask_admin_rules(struct vm_reader *reader, const char *vnet)
{
	struct admin *admin = malloc(sizeof(*admin));

	*admin = (struct admin){ reader, doc_fmt("%s/listNetworkManagerEffectiveSecurityAdminRules",
						 vnet) };
	join_add(&reader->all);
	pages_ask(reader->fetches->arm,
		  &(struct pages_ask){ .path = admin->path,
				       .body = json_pack("{s:s}", "skipToken", ""),
				       .token = "skipToken",
				       .flags = ARM_LONG,
				       .most = ADMIN_PAGES,
				       .take = take_rules },
		  admin_got, admin);
}

void
read_admin_rules(struct vm_reader *reader)
{
	const char *id;

	for (void *at = NULL; (id = reader_seen(reader, "/virtualnetworks/", &at)) != NULL;)
		if (is_type(id, "microsoft.network/virtualnetworks"))
			ask_admin_rules(reader, id);
}

/* ---- the section ---- */

/* The ids of a kind of result that arrived. */
static json_t *
arrived(const struct vm_reader *reader, const char *action)
{
	json_t *list = json_array();
	const json_t *body;
	const char *id;

	for (void *at = NULL; (id = reader_seen(reader, "/networkinterfaces/", &at)) != NULL;) {
		char *path = doc_fmt("%s/%s", id, action);

		if (facts_resource(&reader->facts, path, &body, NULL) == FACT_KNOWN)
			doc_append_str(list, path);
		free(path);
	}
	return list;
}

void
settle_deep(struct vm_reader *reader)
{
	json_t *section;

	if (reader_vm(reader, NULL) == NULL) {
		facts_settle(&reader->facts, FACT_DEEP, FACT_UNKNOWN, "no-vm",
			     "the VM itself was not read");
		return;
	}
	section = facts_known(&reader->facts, FACT_DEEP);
	json_object_set_new(section, "effective_nsg",
			    arrived(reader, "effectiveNetworkSecurityGroups"));
	json_object_set_new(section, "effective_routes", arrived(reader, "effectiveRouteTable"));
	if (reader->activity != NULL)
		json_object_set(section, "activity", reader->activity);
	if (reader->changes != NULL)
		json_object_set(section, "changes", reader->changes);
}
