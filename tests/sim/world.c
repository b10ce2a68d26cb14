/* Loading a world: resources get their id, name and type; children move into their parents, so that
 * both views agree. */
#include "tests/sim/sim.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Types whose children Azure shows inside the parent: the array that holds them, under properties.
 */
static const struct {
	const char *parent;
	const char *children;
} nested[] = {
	{ "Microsoft.Network/virtualNetworks", "subnets" },
	{ "Microsoft.Network/virtualNetworks", "virtualNetworkPeerings" },
	{ "Microsoft.Network/networkSecurityGroups", "securityRules" },
	{ "Microsoft.Network/loadBalancers", "inboundNatRules" },
	{ "Microsoft.Network/loadBalancers", "backendAddressPools" },
	{ "Microsoft.Network/loadBalancers", "frontendIPConfigurations" },
	{ "Microsoft.Network/loadBalancers", "probes" },
	{ "Microsoft.Network/networkInterfaces", "ipConfigurations" },
	{ "Microsoft.Network/routeTables", "routes" },
};

const char *
world_tenant(const struct sim *sim)
{
	const char *tenant = json_text_at(sim->world, "tenant");

	return tenant != NULL ? tenant : "11111111-1111-1111-1111-111111111111";
}

/* The array of the parent that must hold a child of this type; made when Azure would. */
static json_t *
nest_for(json_t *parent, const char *type)
{
	json_t *array = resource_children(parent, type);

	for (size_t i = 0; array == NULL && i < sizeof nested / sizeof nested[0]; i++) {
		if (!resource_type_is(parent, nested[i].parent) ||
		    !text_same(type, nested[i].children))
			continue;
		array = json_array();
		json_put(json_section(parent, "properties"), nested[i].children, array);
	}
	if (array == NULL && text_same(type, "extensions") &&
	    resource_type_is(parent, "Microsoft.Compute/virtualMachines")) {
		array = json_array();
		json_put(parent, "resources", array);
	}
	return array;
}

/* Gives the elements of a network resource's arrays their ids; "provisioningState" is what az
 * reads. */
static void
identify_children(json_t *body)
{
	const char *id = json_text_at(body, "id"), *key;
	json_t *array, *child;
	size_t i;

	if (id == NULL || !text_has_prefix(json_text_at(body, "type"), "Microsoft.Network/"))
		return;
	json_object_foreach (json_object_get(body, "properties"), key, array) {
		json_array_foreach (array, i, child) {
			char *own;

			if (json_text_at(child, "name") == NULL ||
			    !json_is_object(json_object_get(child, "properties")))
				continue;
			own = text_format("%s/%s/%s", id, key, json_text_at(child, "name"));
			resource_identify(own, child);
			json_put_default(json_object_get(child, "properties"), "provisioningState",
					 json_string("Succeeded"));
			free(own);
		}
	}
}

/* Puts a child into its parent, merging with what is there. False when it has no parent that holds
 * children. */
static bool
nest_child(struct sim *sim, const char *id, json_t *body)
{
	struct arm arm;
	char *above = NULL;
	json_t *parent, *array = NULL, *there;

	if (arm_parse(id, &arm) < 0)
		return false;
	if (arm_is_resource(&arm) && arm.count - arm.provider >= 6) {
		above = arm_prefix(&arm, arm.count - 2);
		parent = resource_find(sim, above);
		array = parent != NULL ? nest_for(parent, arm.segment[arm.count - 2]) : NULL;
	}
	if (array != NULL) {
		there = json_named(array, arm.segment[arm.count - 1]);
		if (there != NULL)
			json_merge_patch(there, body);
		else
			json_array_append(array, body);
	}
	free(above);
	arm_free(&arm);
	return array != NULL;
}

void
world_settle(struct sim *sim, const char *id, json_t *body)
{
	char *lower = text_lower(id);
	size_t length = strlen(lower);

	while (length > 1 && lower[length - 1] == '/')
		lower[--length] = '\0';
	resource_identify(id, body);
	if (nest_child(sim, id, body)) {
		json_decref(body);
	} else {
		if (resource_type_is(body, "Microsoft.Network/networkSecurityGroups"))
			derive_default_rules(body);
		identify_children(body);
		json_put(sim->resources, lower, body);
	}
	free(lower);
}

static int
by_length(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;
	size_t left = strlen(*x), right = strlen(*y);

	return left != right ? (left < right ? -1 : 1) : strcmp(*x, *y);
}

/* Parents before children, whatever the order in the file. */
static int
settle_all(struct sim *sim, json_t *resources, char **why)
{
	size_t count = json_object_size(resources), i = 0;
	const char **ids = calloc(count + 1, sizeof *ids), *id;
	json_t *body;
	int r = -ENOMEM;

	if (ids == NULL)
		goto out;
	json_object_foreach (resources, id, body) {
		r = -EINVAL;
		if (*id != '/' || !json_is_object(body)) {
			*why = text_format("resources: \"%s\" is no id with an object", id);
			goto out;
		}
		ids[i++] = id;
	}
	qsort(ids, count, sizeof *ids, by_length);
	for (i = 0; i < count; i++)
		world_settle(sim, ids[i], json_deep_copy(json_object_get(resources, ids[i])));
	r = 0;
out:
	free(ids);
	return r;
}

static void
declare_tokens(struct sim *sim)
{
	const char *bearer;
	json_t *settings;

	json_object_foreach (json_object_get(sim->world, "tokens"), bearer, settings)
		token_declare(sim, bearer, settings);
}

int
world_load(struct sim *sim, const char *path, char **why)
{
	json_error_t error;
	json_t *resources;
	int r;

	sim->world = json_load_file(path, JSON_ALLOW_NUL, &error);
	if (!json_is_object(sim->world)) {
		*why = text_format("%s:%d:%d: %s", path, error.line, error.column, error.text);
		return -EBADMSG;
	}
	sim->resources = json_object();
	sim->tokens = json_object();
	sim->operations = json_object();
	resources = json_object_get(sim->world, "resources");
	if ((r = settle_all(sim, resources, why)) < 0)
		return r;
	json_object_del(sim->world, "resources");
	declare_tokens(sim);
	return fault_load(sim, json_object_get(sim->world, "requests"), why);
}

void
world_free(struct sim *sim)
{
	fault_free(sim);
	json_decref(sim->operations);
	json_decref(sim->pages);
	json_decref(sim->tokens);
	json_decref(sim->resources);
	json_decref(sim->world);
}
