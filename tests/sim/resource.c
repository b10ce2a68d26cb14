/* ARM ids, and finding the resource that one names. */
#include "tests/sim/sim.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int
arm_parse(const char *path, struct arm *ret)
{
	struct arm arm = { .text = text_copy(path) };
	char *rest = NULL;

	*ret = (struct arm){ 0 };
	for (char *part = strtok_r(arm.text, "/", &rest); part != NULL;
	     part = strtok_r(NULL, "/", &rest)) {
		if (arm.count == sizeof arm.segment / sizeof arm.segment[0]) {
			free(arm.text);
			return -E2BIG;
		}
		arm.segment[arm.count++] = part;
	}
	arm.provider = arm.count;
	for (size_t i = 0; i < arm.count; i += 1) {
		if (text_same(arm.segment[i], "providers"))
			arm.provider = i;
	}
	*ret = arm;
	return 0;
}

void
arm_free(struct arm *arm)
{
	free(arm->text);
	arm->text = NULL;
}

const char *
arm_subscription(const struct arm *arm)
{
	return arm->count > 1 && text_same(arm->segment[0], "subscriptions") ? arm->segment[1]
									     : NULL;
}

const char *
arm_group(const struct arm *arm)
{
	return arm_subscription(arm) != NULL && arm->count > 3 &&
		       text_same(arm->segment[2], "resourcegroups")
		   ? arm->segment[3]
		   : NULL;
}

char *
arm_prefix(const struct arm *arm, size_t segments)
{
	char *path = text_copy("");

	for (size_t i = 0; i < segments && i < arm->count; i++) {
		char *longer = text_format("%s/%s", path, arm->segment[i]);

		free(path);
		path = longer;
	}
	return path;
}

char *
arm_type(const struct arm *arm)
{
	char *type;

	if (arm->provider + 1 >= arm->count)
		return text_copy("");
	type = text_copy(arm->segment[arm->provider + 1]);
	for (size_t i = arm->provider + 2; i < arm->count; i += 2) {
		char *longer = text_format("%s/%s", type, arm->segment[i]);

		free(type);
		type = longer;
	}
	return type;
}

bool
arm_is_resource(const struct arm *arm)
{
	size_t after = arm->count - arm->provider;

	return arm->provider < arm->count && after >= 4 && after % 2 == 0;
}

json_t *
resource_children(const json_t *parent, const char *type)
{
	json_t *array = json_get_nocase(json_object_get(parent, "properties"), type);

	if (json_is_array(array))
		return array;
	array = json_object_get(parent, "resources");
	return text_same(type, "extensions") && json_is_array(array) ? array : NULL;
}

json_t *
resource_child(const json_t *parent, const char *type, const char *name)
{
	return json_named(resource_children(parent, type), name);
}

json_t *
resource_find(const struct sim *sim, const char *path)
{
	struct arm arm;
	char *lower = text_lower(path), *parent = NULL;
	size_t length = strlen(lower);
	json_t *found;

	while (length > 0 && lower[length - 1] == '/')
		lower[--length] = '\0';
	found = json_object_get(sim->resources, lower);
	free(lower);
	if (found != NULL || arm_parse(path, &arm) < 0)
		return found;
	if (arm_is_resource(&arm) && arm.count - arm.provider >= 6) {
		parent = arm_prefix(&arm, arm.count - 2);
		found = resource_child(resource_find(sim, parent), arm.segment[arm.count - 2],
				       arm.segment[arm.count - 1]);
		free(parent);
	}
	arm_free(&arm);
	return found;
}

void
resource_identify(const char *id, json_t *body)
{
	struct arm arm;
	char *type;

	json_put_default(body, "id", json_bytes(id));
	if (arm_parse(id, &arm) < 0)
		return;
	if (arm.count > 0 && !(arm.count == 2 && arm_subscription(&arm) != NULL))
		json_put_default(body, "name", json_bytes(arm.segment[arm.count - 1]));
	type = arm_type(&arm);
	if (*type != '\0' && arm_is_resource(&arm))
		json_put_default(body, "type", json_bytes(type));
	else if (arm.count == 4 && arm_group(&arm) != NULL)
		json_put_default(body, "type", json_string("Microsoft.Resources/resourceGroups"));
	free(type);
	arm_free(&arm);
}

static bool
scope_exists(const struct sim *sim, char *prefix)
{
	char *lower = text_lower(prefix), *inside = text_format("%s/", lower);
	bool exists = json_object_get(sim->resources, lower) != NULL;
	const char *id;
	json_t *body;

	json_object_foreach (sim->resources, id, body) {
		if (exists)
			break;
		exists = strncmp(id, inside, strlen(inside)) == 0;
	}
	free(lower);
	free(inside);
	free(prefix);
	return exists;
}

bool
subscription_exists(const struct sim *sim, const char *subscription)
{
	return scope_exists(sim, text_format("/subscriptions/%s", subscription));
}

bool
group_exists(const struct sim *sim, const char *subscription, const char *group)
{
	return scope_exists(
	    sim, text_format("/subscriptions/%s/resourceGroups/%s", subscription, group));
}

json_t *
subscription_body(const struct sim *sim, const char *subscription)
{
	char *id = text_format("/subscriptions/%s", subscription), *lower = text_lower(id);
	json_t *stored = json_object_get(sim->resources, lower),
	       *body = stored != NULL ? json_deep_copy(stored) : json_object();

	json_put_default(body, "id", json_bytes(id));
	json_put_default(body, "subscriptionId", json_bytes(subscription));
	json_put_default(body, "tenantId", json_bytes(world_tenant(sim)));
	json_put_default(body, "displayName", json_string("Sim Subscription"));
	json_put_default(body, "state", json_string("Enabled"));
	json_put_default(body, "subscriptionPolicies",
			 json_pack("{s:s,s:s,s:s}", "locationPlacementId", "Public_2014-09-01",
				   "quotaId", "PayAsYouGo_2014-09-01", "spendingLimit", "Off"));
	json_put_default(body, "authorizationSource", json_string("RoleBased"));
	json_put_default(body, "managedByTenants", json_array());
	free(id);
	free(lower);
	return body;
}

static const char *
location_inside(const struct sim *sim, const char *prefix)
{
	const char *id;
	json_t *body;

	json_object_foreach (sim->resources, id, body) {
		if (strncmp(id, prefix, strlen(prefix)) == 0 &&
		    json_text_at(body, "location") != NULL)
			return json_text_at(body, "location");
	}
	return "eastus";
}

json_t *
group_body(const struct sim *sim, const char *subscription, const char *group)
{
	char *id = text_format("/subscriptions/%s/resourceGroups/%s", subscription, group),
	     *lower = text_lower(id);
	json_t *stored = json_object_get(sim->resources, lower),
	       *body = stored != NULL ? json_deep_copy(stored) : json_object();

	json_put_default(body, "id", json_bytes(id));
	json_put_default(body, "name", json_bytes(group));
	json_put_default(body, "type", json_string("Microsoft.Resources/resourceGroups"));
	json_put_default(body, "location", json_bytes(location_inside(sim, lower)));
	json_put_default(json_section(body, "properties"), "provisioningState",
			 json_string("Succeeded"));
	free(id);
	free(lower);
	return body;
}

bool
resource_type_is(const json_t *body, const char *type)
{
	return text_same(json_text_at(body, "type"), type);
}
