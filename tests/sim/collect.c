/* Which resources a list holds. */
#include "tests/sim/sim.h"

#include <stdlib.h>
#include <string.h>

/* Below a resource: its children, those inside it and those with ids of their own. */
static json_t *
collect_children(const struct sim *sim, const struct arm *arm)
{
	char *path = arm_prefix(arm, arm->count), *lower = text_lower(path),
	     *prefix = text_format("%s/", lower), *above;
	const char *type = arm->segment[arm->count - 1], *id;
	json_t *found = json_array(), *body, *child;
	size_t i;

	above = arm_prefix(arm, arm->count - 1);
	json_array_foreach (resource_children(resource_find(sim, above), type), i, child)
		json_array_append(found, child);
	json_object_foreach (sim->resources, id, body) {
		if (strncmp(id, prefix, strlen(prefix)) == 0 &&
		    strchr(id + strlen(prefix), '/') == NULL)
			json_array_append(found, body);
	}
	free(above);
	free(prefix);
	free(lower);
	free(path);
	return found;
}

/* All network interfaces (or public addresses) of a scale set:
 * .../virtualMachineScaleSets/S/networkInterfaces */
static void
add_scale_set_members(const struct sim *sim, const struct arm *arm, json_t *found)
{
	const char *type = arm->segment[arm->count - 1], *id;
	char *above = arm_prefix(arm, arm->count - 1), *lower = text_lower(above),
	     *members = text_format("%s/virtualmachines/", lower);
	char *tail = text_format("/%s/", type);
	json_t *body;

	json_object_foreach (sim->resources, id, body) {
		const char *at =
		    strncmp(id, members, strlen(members)) == 0 ? text_find(id, tail) : NULL;

		if (at != NULL && strchr(at + strlen(tail), '/') == NULL &&
		    !text_same(type, "virtualMachines"))
			json_array_append(found, body);
	}
	free(tail);
	free(members);
	free(lower);
	free(above);
}

/* At subscription or group level: what follows "providers" must be the same, and one name more. */
static json_t *
collect_scope(const struct sim *sim, const struct arm *arm)
{
	char *scope = arm_prefix(arm, arm->provider), *lower = text_lower(scope),
	     *inside = text_format("%s/", lower), *above, *wanted;
	bool any_location = arm->count - arm->provider == 3 &&
			    text_same(arm->segment[arm->count - 1], "jitNetworkAccessPolicies");
	json_t *found = json_array(), *body;
	const char *id;

	above = arm_prefix(arm, arm->count);
	wanted = text_lower(above + strlen(scope));
	json_object_foreach (sim->resources, id, body) {
		const char *at = strncmp(id, inside, strlen(inside)) == 0
				     ? strstr(id, "/providers/")
				     : NULL,
			   *last = strrchr(id, '/');
		size_t length = strlen(wanted);

		if (at == NULL || last == NULL)
			continue;
		if (any_location
			? strstr(at, "/jitnetworkaccesspolicies/") != NULL
			: (size_t)(last - at) == length && strncmp(at, wanted, length) == 0)
			json_array_append(found, body);
	}
	free(wanted);
	free(above);
	free(inside);
	free(lower);
	free(scope);
	return found;
}

json_t *
list_collect(const struct sim *sim, const struct arm *arm)
{
	size_t after = arm->count - arm->provider;
	json_t *found;

	if (arm->provider >= arm->count || after < 3 || after % 2 == 0)
		return NULL;
	if ((arm->provider == 2 || arm->provider == 4) &&
	    (after == 3 || text_same(arm->segment[arm->provider + 2], "locations")))
		return collect_scope(sim, arm);
	found = collect_children(sim, arm);
	if (text_same(arm->segment[arm->count - 3], "virtualMachineScaleSets"))
		add_scale_set_members(sim, arm, found);
	return found;
}
