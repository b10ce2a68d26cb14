/* Power of a VM: start, deallocate and the like, as long-running operations that change the
 * instance view. */
#include "tests/sim/sim.h"

#include <stdlib.h>
#include <string.h>

static const struct {
	const char *action, *meanwhile, *power;
} powers[] = {
	{ "start", "starting", "running" },
	{ "restart", NULL, "running" },
	{ "redeploy", NULL, "running" },
	{ "reapply", NULL, NULL },
	{ "reimage", NULL, "running" },
	{ "powerOff", "stopping", "stopped" },
	{ "deallocate", "deallocating", "deallocated" },
};

static json_t *
power_status(json_t *vm)
{
	json_t *view = json_section(json_section(vm, "properties"), "instanceView"),
	       *statuses = json_object_get(view, "statuses"), *status;
	size_t i;

	if (!json_is_array(statuses)) {
		statuses = json_array();
		json_put(view, "statuses", statuses);
	}
	json_array_foreach (statuses, i, status) {
		if (text_has_prefix(json_text_at(status, "code"), "PowerState/"))
			return status;
	}
	status = json_pack("{s:s}", "level", "Info");
	json_array_append_new(statuses, status);
	return status;
}

/* Without its machine the guest agent stops answering; with it, it comes back. */
static void
agent_set(json_t *vm, bool ready)
{
	json_t *status = json_array_get(json_at(vm, "properties.instanceView.vmAgent.statuses"), 0);

	if (status == NULL)
		return;
	json_put_text(status, "code",
		      ready ? "ProvisioningState/succeeded" : "ProvisioningState/Unavailable");
	json_put_text(status, "displayStatus", ready ? "Ready" : "Not Ready");
	json_put_text(status, "message",
		      ready ? "Guest Agent is running"
			    : "VM status blob is found but not yet populated.");
}

void
power_set(struct sim *sim, const char *id, const char *power)
{
	json_t *vm = id != NULL ? resource_find(sim, id) : NULL, *status;
	char code[64];

	if (vm == NULL || power == NULL)
		return;
	status = power_status(vm);
	snprintf(code, sizeof code, "PowerState/%s", power);
	json_put_text(status, "code", code);
	snprintf(code, sizeof code, "VM %s", power);
	json_put_text(status, "displayStatus", code);
	agent_set(vm, text_same(power, "running"));
}

bool
power_action(struct request *request, json_t *vm, const char *action, struct reply *reply)
{
	struct operation_plan plan = { .polls = 1,
				       .retry_after = operation_retry_after(request->sim) };
	const char *id = json_text_at(vm, "id");
	size_t i = 0;
	char *operation;

	while (i < sizeof powers / sizeof powers[0] && !text_same(powers[i].action, action))
		i++;
	if (i == sizeof powers / sizeof powers[0])
		return false;
	if ((text_same(action, "restart") || text_same(action, "redeploy")) &&
	    !text_same(vm_power(vm), "running")) {
		reply_error(reply, 409, "OperationNotAllowed",
			    "The operation requires the VM to be running (or set to run).");
		return true;
	}
	if (powers[i].power != NULL)
		plan.then = json_pack("{s:s,s:s}", "id", id, "power", powers[i].power);
	if (powers[i].meanwhile != NULL)
		power_set(request->sim, id, powers[i].meanwhile);
	operation = operation_start(request, &plan, reply);
	free(operation);
	return true;
}
