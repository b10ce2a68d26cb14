/* What Azure makes of rules and routes, and the security admin rules. */
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
	const char *key;
	const json_t *id;

	json_object_foreach (reader->seen, key, id) {
		if (!is_type(key, "microsoft.network/networkinterfaces"))
			continue;
		post(reader, json_string_value(id), "effectiveNetworkSecurityGroups");
		post(reader, json_string_value(id), "effectiveRouteTable");
	}
}

/* ---- security admin rules: paged by a token in the body ---- */

struct admin {
	struct vm_reader *reader;
	char *path;
	json_t *value;
	unsigned page;
};

static void admin_page(struct admin *admin, const char *skip);

static void
admin_end(struct admin *admin, json_t *why)
{
	struct vm_reader *reader = admin->reader;

	fetch_enter(reader->fetches, admin->path,
		    why == NULL ? json_pack("{s:O}", "value", admin->value) : NULL, why);
	json_decref(admin->value);
	free(admin->path);
	free(admin);
	join_end(&reader->all);
}

static void
admin_got(void *ctx, const struct arm_answer *answer)
{
	struct admin *admin = ctx;
	const char *skip = doc_str(answer->body, "skipToken");
	json_t *why;

	json_array_extend(admin->value, doc_list(answer->body, "value"));
	if (answer->why != NULL || skip == NULL || *skip == '\0') {
		admin_end(admin, answer->why);
	} else if (++admin->page < ADMIN_PAGES) {
		admin_page(admin, skip);
	} else {
		why = reply_entry(FACT_UNKNOWN, "too-many",
				  "the security admin rules fill more than %d pages", ADMIN_PAGES);
		admin_end(admin, why);
		json_decref(why);
	}
}

static void
admin_page(struct admin *admin, const char *skip)
{
	json_t *body = json_pack("{s:s}", "skipToken", skip);

	arm_ask(admin->reader->fetches->arm,
		&(struct arm_ask){
		    .method = "POST", .path = admin->path, .body = body, .flags = ARM_LONG },
		admin_got, admin);
	json_decref(body);
}

void
read_admin_rules(struct vm_reader *reader)
{
	const char *key;
	const json_t *id;
	struct admin *admin;

	json_object_foreach (reader->seen, key, id) {
		if (!is_type(key, "microsoft.network/virtualnetworks"))
			continue;
		admin = malloc(sizeof(*admin));
		*admin = (struct admin){ .reader = reader,
					 .path = doc_fmt(
					     "%s/listNetworkManagerEffectiveSecurityAdminRules",
					     json_string_value(id)),
					 .value = json_array() };
		join_add(&reader->all);
		admin_page(admin, "");
	}
}

/* ---- the section ---- */

/* The ids of a kind of result that arrived. */
static json_t *
arrived(const struct vm_reader *reader, const char *action)
{
	json_t *list = json_array();
	const char *key;
	const json_t *id, *body;
	char *path;

	json_object_foreach (reader->seen, key, id) {
		if (strstr(key, "/networkinterfaces/") == NULL ||
		    (path = doc_fmt("%s/%s", json_string_value(id), action)) == NULL)
			continue;
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
