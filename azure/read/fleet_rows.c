#include "azure/arm/path.h"
#include "azure/read/fleet.h"
#include "azure/read/reader.h"
#include "facts/arm.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- bodies ---- */

/* Resource Graph says in words of its own what ARM calls the instance view. */
static void
translate_view(json_t *body)
{
	const char *power = doc_str(body, "properties.extended.instanceView.powerState.code"),
		   *state = doc_str(body, "properties.provisioningState");
	json_t *properties = doc_get(body, "properties"), *statuses;
	char *code;

	if (doc_get(body, "properties.instanceView") != NULL || power == NULL)
		return;
	statuses = json_array();
	if (state != NULL) {
		code = doc_fmt("ProvisioningState/%s", state);
		for (char *p = code + strlen("ProvisioningState/"); *p != '\0'; p++)
			*p = (char)tolower((unsigned char)*p);
		json_array_append_new(statuses, json_pack("{s:s}", "code", code));
		free(code);
	}
	json_array_append_new(statuses, json_pack("{s:s}", "code", power));
	json_object_set_new(properties, "instanceView", json_pack("{s:o}", "statuses", statuses));
	json_object_del(properties, "extended");
}

json_t *
fleet_row(json_t *body)
{
	json_t *row = json_object();
	char *text;

	translate_view(body);
	text = json_dumps(body, JSON_COMPACT);
	doc_set_str(row, "id", doc_str(body, "id"));
	doc_set_str(row, "type", doc_str(body, "type"));
	doc_set_str(row, "state", doc_str(body, "properties.provisioningState"));
	json_object_set(row, "tags", json_object_get(body, "tags"));
	json_object_set_new(row, "text", json_string(text));
	free(text);
	return row;
}

void
fleet_hold(struct azure *azure, const json_t *rows)
{
	const json_t *row;
	size_t i;

	json_array_foreach (rows, i, row)
		if (doc_str(row, "id") != NULL)
			list_hold(&azure->fetches, doc_str(row, "id"),
				  json_incref(json_object_get(row, "text")));
}

void
fleet_hold_vms(struct azure *azure, const json_t *rows)
{
	char key[ARM_ID_MAX];
	const json_t *row;
	json_t *named;
	size_t i;

	fleet_hold(azure, rows);
	json_array_foreach (rows, i, row) {
		const char *id = doc_str(row, "id"), *name;

		if (arm_id_key(id, key, sizeof(key)) < 0)
			continue;
		name = strrchr(key, '/') + 1;
		if ((named = json_object_get(azure->fleet, name)) == NULL)
			json_object_set_new(azure->fleet, name, named = json_array());
		doc_append_str(named, id);
	}
}

void
fleet_view(struct azure *azure, const char *id, json_t *view)
{
	char key[ARM_ID_MAX], *text;
	json_t *held, *body;

	if (arm_id_key(id, key, sizeof(key)) < 0 ||
	    (held = json_object_get(azure->fetches.held, key)) == NULL ||
	    (body = json_loads(json_string_value(held), 0, NULL)) == NULL)
		return;
	json_object_set(doc_get(body, "properties"), "instanceView", view);
	text = json_dumps(body, JSON_COMPACT);
	list_hold(&azure->fetches, id, json_string(text));
	free(text);
	json_decref(body);
}

json_t *
fleet_named(const struct azure *azure, const char *group, const char *name)
{
	char key[ARM_ID_MAX], in[128];
	json_t *found = json_array(), *id;
	size_t i, len = strlen(name);

	if (azure->fleet == NULL || len >= sizeof(key))
		return found;
	for (i = 0; i <= len; i++)
		key[i] = (char)tolower((unsigned char)name[i]);
	json_array_foreach (json_object_get(azure->fleet, key), i, id) {
		arm_id_group(json_string_value(id), in, sizeof(in));
		if (group == NULL || strcasecmp(in, group) == 0)
			json_array_append(found, id);
	}
	return found;
}

/* ---- lists ---- */

/* Takes the path. */
static void
add_to_list(json_t *lists, char *path, const char *id)
{
	char key[ARM_ID_MAX];
	json_t *list;

	if (path != NULL && arm_id_key(path, key, sizeof(key)) == 0) {
		if ((list = json_object_get(lists, key)) == NULL)
			json_object_set_new(lists, key, list = json_array());
		if (id != NULL)
			doc_append_str(list, id);
	}
	free(path);
}

static void
feed_all(struct azure *azure, json_t *lists, json_t *why)
{
	const char *path;
	const json_t *items;

	json_object_foreach (lists, path, items)
		list_feed(&azure->fetches, path, items, why);
	json_decref(lists);
}

/* Of the lists that the reading of a VM looks into, those of networks come with the rows. */
void
fleet_lists(struct azure *azure, const json_t *vms, const json_t *rows)
{
	json_t *lists = json_object(), *wanted = json_object();
	const char *type, *path, *id;
	const json_t *vm, *row;
	size_t i;

	json_array_foreach (vms, i, vm)
		for (size_t j = 0; (type = reader_list_type(j)) != NULL; j++)
			if (strncasecmp(type, "Microsoft.Network/", 18) == 0)
				add_to_list(wanted, path_in_group(json_string_value(vm), type),
					    NULL);
	json_array_foreach (rows, i, row) {
		if ((id = doc_str(row, "id")) != NULL && doc_str(row, "type") != NULL)
			add_to_list(lists, path_in_group(id, doc_str(row, "type")), id);
	}
	json_object_foreach (wanted, path, row)
		if (json_object_get(lists, path) != NULL)
			json_object_set(wanted, path, json_object_get(lists, path));
	json_decref(lists);
	feed_all(azure, wanted, NULL);
}

struct split {
	json_t *lists;
	const char *type;
};

/* What lies in a group of none of the VMs is nobody's; what lies in no group holds for all. */
static void
split_item(void *ctx, const char *id, const json_t *body)
{
	const struct split *split = ctx;
	char *path = path_in_group(id, split->type), key[ARM_ID_MAX];
	const char *each;
	json_t *list;

	(void)body; /* it is held, since the list was fetched */
	if (path == NULL) {
		json_object_foreach (split->lists, each, list)
			doc_append_str(list, id);
		return;
	}
	if (arm_id_key(path, key, sizeof(key)) == 0 &&
	    (list = json_object_get(split->lists, key)) != NULL)
		doc_append_str(list, id);
	free(path);
}

void
fleet_split(struct azure *azure, const json_t *vms, const char *subscription, const char *type)
{
	struct split split = { .lists = json_object(), .type = type };
	char *path = doc_fmt("/subscriptions/%s/providers/%s", subscription, type), of[128];
	json_t *state, *why = NULL;
	const json_t *vm;
	size_t i;

	json_array_foreach (vms, i, vm) {
		arm_id_subscription(json_string_value(vm), of, sizeof(of));
		if (strcasecmp(of, subscription) == 0)
			add_to_list(split.lists, path_in_group(json_string_value(vm), type), NULL);
	}
	state = (json_t *)(uintptr_t)list_state(&azure->fetches, path);
	if (!doc_is(state, "state", "known"))
		why = state;
	list_each(&azure->fetches, path, split_item, &split);
	free(path);
	feed_all(azure, split.lists, why);
}

void
azure_forget(struct azure *azure, const json_t *doc)
{
	static const char *const own[] = { "microsoft.compute/virtualmachines",
					   "microsoft.network/networkinterfaces",
					   "microsoft.network/publicipaddresses" };
	char type[192];
	const char *id;
	const json_t *body;

	if (azure == NULL || azure->fleet == NULL)
		return;
	json_object_foreach (doc_get(doc, "azure.resources"), id, body)
		for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
			if (arm_id_type(id, type, sizeof(type)) == 0 && strcmp(type, own[i]) == 0)
				list_forget(&azure->fetches, id);
}
