/* --deep: what Azure makes of rules, routes and this very flow, security admin rules, and who did
 * what to the VM lately. */
#include "azure/inside.h"
#include "facts/arm.h"

#include <stdlib.h>
#include <string.h>

#define ADMIN_PAGES 20

static void
post(struct read *read, const char *id, const char *action)
{
	char *path = doc_fmt("%s/%s", id, action);

	if (path != NULL)
		read_aside(read,
			   &(struct arm_ask){ .method = "POST", .path = path, .flags = ARM_LONG });
	free(path);
}

/* ---- security admin rules: paged by a token in the body ---- */

struct admin {
	struct read *read;
	char *path;
	json_t *value;
	unsigned page;
};

static void admin_page(struct admin *admin, const char *skip);

static void
admin_end(struct admin *admin, json_t *why)
{
	char key[ARM_ID_MAX];
	struct read *read = admin->read;

	if (arm_id_key(admin->path, key, sizeof(key)) == 0) {
		if (why != NULL)
			json_object_set(azure_facts(read->azure, "missing"), key, why);
		else
			json_object_set_new(azure_facts(read->azure, "resources"), key,
					    json_pack("{s:O}", "value", admin->value));
	}
	json_decref(admin->value);
	free(admin->path);
	free(admin);
	read_aside_end(read);
}

static void
admin_got(void *ctx, const struct arm_answer *answer)
{
	struct admin *admin = ctx;
	const char *skip = doc_str(answer->body, "skipToken");

	json_array_extend(admin->value, doc_list(answer->body, "value"));
	if (answer->why != NULL) {
		admin_end(admin, answer->why);
	} else if (skip == NULL || *skip == '\0') {
		admin_end(admin, NULL);
	} else if (++admin->page < ADMIN_PAGES) {
		admin_page(admin, skip);
	} else {
		json_t *why =
		    reply_entry(FACT_UNKNOWN, "too-many",
				"the security admin rules fill more than %d pages", ADMIN_PAGES);

		admin_end(admin, why);
		json_decref(why);
	}
}

static void
admin_page(struct admin *admin, const char *skip)
{
	json_t *body = json_pack("{s:s}", "skipToken", skip);

	arm_ask(admin->read->azure,
		&(struct arm_ask){
		    .method = "POST", .path = admin->path, .body = body, .flags = ARM_LONG },
		admin_got, admin);
	json_decref(body);
}

static void
ask_admin_rules(struct read *read, const char *vnet)
{
	struct admin *admin = malloc(sizeof(*admin));

	if (admin == NULL)
		return;
	*admin =
	    (struct admin){ read, doc_fmt("%s/listNetworkManagerEffectiveSecurityAdminRules", vnet),
			    json_array(), 0 };
	read->aside++;
	admin_page(admin, "");
}

/* ---- all of it ---- */

void
read_deep(struct read *read)
{
	const char *key;
	const json_t *id;
	bool runs = read_runs(read);
	char type[192];

	if (read_vm(read, NULL) == NULL)
		return;
	json_object_foreach (read->seen, key, id) {
		if (arm_id_type(key, type, sizeof(type)) < 0)
			continue;
		if (strcmp(type, "microsoft.network/virtualnetworks") == 0)
			ask_admin_rules(read, json_string_value(id));
		if (!runs || strcmp(type, "microsoft.network/networkinterfaces") != 0)
			continue;
		post(read, json_string_value(id), "effectiveNetworkSecurityGroups");
		post(read, json_string_value(id), "effectiveRouteTable");
	}
	if (runs)
		read_verify(read);
	read_activity(read);
	read_service_tags(read);
}

/* The ids of a kind of result that arrived. */
static json_t *
arrived(const struct read *read, const char *action)
{
	json_t *list = json_array();
	const char *key;
	const json_t *id, *body;
	char *path;

	json_object_foreach (read->seen, key, id) {
		if (strstr(key, "/networkinterfaces/") == NULL ||
		    (path = doc_fmt("%s/%s", json_string_value(id), action)) == NULL)
			continue;
		if (facts_resource(&read->facts, path, &body, NULL) == FACT_KNOWN)
			doc_append_str(list, path);
		free(path);
	}
	return list;
}

void
settle_deep(struct read *read)
{
	json_t *section;

	if (read_vm(read, NULL) == NULL) {
		facts_settle(&read->facts, FACT_DEEP, FACT_UNKNOWN, "no-vm",
			     "the VM itself was not read");
		return;
	}
	section = facts_known(&read->facts, FACT_DEEP);
	json_object_set_new(section, "effective_nsg",
			    arrived(read, "effectiveNetworkSecurityGroups"));
	json_object_set_new(section, "effective_routes", arrived(read, "effectiveRouteTable"));
	if (read->activity != NULL)
		json_object_set(section, "activity", read->activity);
	if (read->changes != NULL)
		json_object_set(section, "changes", read->changes);
}
