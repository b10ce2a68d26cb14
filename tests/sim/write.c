/* PUT, PATCH and DELETE of resources, children inside their parents included. */
#include "tests/sim/sim.h"

#include <stdlib.h>
#include <string.h>

static json_t *
body_of(const struct request *request, struct reply *reply)
{
	json_t *body = request->body != NULL ? json_loads(request->body, 0, NULL) : NULL;

	if (json_is_object(body))
		return body;
	json_decref(body);
	reply_error(reply, 400, "InvalidRequestContent",
		    "The request content was invalid and could not be deserialized.");
	return NULL;
}

/* Takes a resource out of the world, wherever it lies. */
static bool
take_out(struct sim *sim, const char *path)
{
	char *lower = text_lower(path), *above = NULL;
	json_t *parent, *array, *child = NULL;
	struct arm arm;
	bool found = json_object_del(sim->resources, lower) == 0;
	size_t i;

	free(lower);
	if (found || arm_parse(path, &arm) < 0)
		return found;
	if (arm_is_resource(&arm) && arm.count - arm.provider >= 6) {
		above = arm_prefix(&arm, arm.count - 2);
		parent = resource_find(sim, above);
		array = resource_children(parent, arm.segment[arm.count - 2]);
		json_array_foreach (array, i, child) {
			if (child == json_named(array, arm.segment[arm.count - 1]))
				break;
		}
		found = array != NULL && i < json_array_size(array);
		if (found)
			json_array_remove(array, i);
	}
	free(above);
	arm_free(&arm);
	return found;
}

/* Two rules of one direction may not share a priority. */
static bool
priority_taken(const struct sim *sim, const struct arm *arm, const json_t *body,
	       struct reply *reply)
{
	char *above = arm_prefix(arm, arm->count - 2);
	const json_t *rules = resource_children(resource_find(sim, above), "securityRules");
	const char *name = arm->segment[arm->count - 1],
		   *direction = json_text_at(body, "properties.direction");
	json_t *rule;
	bool taken = false;
	size_t i;

	free(above);
	if (!text_same(arm->segment[arm->count - 2], "securityRules"))
		return false;
	json_array_foreach ((json_t *)(uintptr_t)rules, i, rule) {
		if (taken || text_same(json_text_at(rule, "name"), name) ||
		    !text_same(json_text_at(rule, "properties.direction"), direction) ||
		    json_number_at(rule, "properties.priority", -1) !=
			json_number_at(body, "properties.priority", -2))
			continue;
		reply_error(
		    reply, 400, "SecurityRuleConflict",
		    "Security rule %s conflicts with rule %s. Rules cannot have the same Priority "
		    "and Direction. To troubleshoot this issue, see "
		    "aka.ms/AzureNetworkSecurityRules.",
		    name, json_text_at(rule, "name"));
		taken = true;
	}
	return taken;
}

static bool
target_missing(const struct request *request, const struct arm *arm, struct reply *reply)
{
	char *above;
	bool missing = false;

	if (!arm_is_resource(arm) ||
	    (arm_group(arm) != NULL &&
	     !group_exists(request->sim, arm_subscription(arm), arm_group(arm)))) {
		reply_not_found(request, arm, reply);
		return true;
	}
	if (arm->count - arm->provider >= 6 &&
	    !text_same(arm->segment[arm->count - 4], "locations")) {
		above = arm_prefix(arm, arm->count - 2);
		missing = resource_find(request->sim, above) == NULL;
		free(above);
		if (missing)
			reply_not_found(request, arm, reply);
	}
	return missing;
}

static void
finish_write(struct request *request, const char *id, unsigned status, struct reply *reply)
{
	struct operation_plan plan = { .polls = 0,
				       .retry_after = operation_retry_after(request->sim),
				       .status = status };

	plan.first = derive_body(request->sim, resource_find(request->sim, id), NULL);
	plan.body = json_deep_copy(plan.first);
	free(operation_start(request, &plan, reply));
}

void
write_put(struct request *request, struct reply *reply)
{
	json_t *body = body_of(request, reply);
	struct arm arm;
	bool replaced;

	if (body == NULL || arm_parse(request->path, &arm) < 0) {
		json_decref(body);
		return;
	}
	if (target_missing(request, &arm, reply) ||
	    priority_taken(request->sim, &arm, body, reply)) {
		json_decref(body);
		arm_free(&arm);
		return;
	}
	replaced = take_out(request->sim, request->path);
	json_put_text(json_section(body, "properties"), "provisioningState", "Succeeded");
	json_object_del(body, "id");
	json_object_del(body, "name");
	json_object_del(body, "type");
	world_settle(request->sim, request->path, body);
	finish_write(request, request->path, replaced ? 200 : 201, reply);
	arm_free(&arm);
}

void
write_patch(struct request *request, struct reply *reply)
{
	json_t *there = resource_find(request->sim, request->path), *patch;
	struct arm arm;

	if (there == NULL && arm_parse(request->path, &arm) == 0) {
		reply_not_found(request, &arm, reply);
		arm_free(&arm);
		return;
	}
	if ((patch = body_of(request, reply)) == NULL)
		return;
	json_merge_patch(there, patch);
	json_decref(patch);
	finish_write(request, request->path, 200, reply);
}

void
write_delete(struct request *request, struct reply *reply)
{
	struct operation_plan plan = { .polls = 0,
				       .retry_after = operation_retry_after(request->sim) };

	if (take_out(request->sim, request->path))
		free(operation_start(request, &plan, reply));
	else
		reply->status = 204;
}
