/* POST {id}/{action}: what the world scripts under "actions" first, then what Azure would do. */
#include "tests/sim/sim.h"

#include <stdlib.h>
#include <string.h>

static json_t *
copy_of(const json_t *from, const char *name)
{
	json_t *value = json_object_get(from, name);

	return value != NULL && !json_is_null(value) ? json_deep_copy(value) : NULL;
}

static void
scripted(struct request *request, const json_t *script, struct reply *reply)
{
	const json_t *headers = json_object_get(script, "headers");
	const char *name;
	json_t *value;

	if (json_true_at(script, "async")) {
		struct operation_plan plan = {
			.polls = (unsigned)json_number_at(script, "polls", 1),
			.retry_after = json_number_at(script, "retry_after",
						      operation_retry_after(request->sim)),
			.body = copy_of(script, "body"),
			.status_body = copy_of(script, "status_body"),
			.error = copy_of(script, "error")
		};

		free(operation_start(request, &plan, reply));
	} else {
		reply_json(reply, (unsigned)json_number_at(script, "status", 200),
			   copy_of(script, "body"));
	}
	json_object_foreach ((json_t *)(uintptr_t)headers, name, value)
		reply_header(reply, name,
			     json_string_value(value) != NULL ? json_string_value(value) : "");
}

static bool
is_machine(const json_t *body)
{
	return resource_type_is(body, "Microsoft.Compute/virtualMachines") ||
	       resource_type_is(body, "Microsoft.Compute/virtualMachineScaleSets/virtualMachines");
}

static void
on_resource(struct request *request, const struct arm *arm, json_t *resource, const char *action,
	    struct reply *reply)
{
	if (is_machine(resource) && text_same(action, "retrieveBootDiagnosticsData"))
		bootlog_post(request, resource, reply);
	else if (is_machine(resource) && text_same(action, "runCommand"))
		runcommand_post(request, resource, reply);
	else if (is_machine(resource) && power_action(request, resource, action, reply))
		return;
	else if (text_find(json_text_at(resource, "type") != NULL ? json_text_at(resource, "type")
								  : "",
			   "jitNetworkAccessPolicies") != NULL &&
		 text_same(action, "initiate"))
		jit_initiate(request, resource, reply);
	else if (!network_action(request, resource, action, reply))
		reply_error(reply, 404, "InvalidResourceType",
			    "The resource type could not be found for the action '%s' of '%s'.",
			    action, arm->segment[arm->provider + 1]);
}

void
action_post(struct request *request, struct reply *reply)
{
	const json_t *script =
	    json_get_nocase(json_object_get(request->sim->world, "actions"), request->path);
	json_t *resource;
	struct arm arm;
	char *id;

	if (script != NULL) {
		scripted(request, script, reply);
		return;
	}
	if (arm_parse(request->path, &arm) < 0 || arm.count < 2 || arm.provider >= arm.count) {
		reply_error(reply, 404, "InvalidResourceType", "The path '%s' takes no POST.",
			    request->path);
		arm_free(&arm);
		return;
	}
	id = arm_prefix(&arm, arm.count - 1);
	if ((resource = resource_find(request->sim, id)) != NULL) {
		on_resource(request, &arm, resource, arm.segment[arm.count - 1], reply);
	} else {
		struct arm whole;

		if (arm_parse(id, &whole) == 0) {
			reply_not_found(request, &whole, reply);
			arm_free(&whole);
		}
	}
	free(id);
	arm_free(&arm);
}
