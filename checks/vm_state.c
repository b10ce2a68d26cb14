#include "checks/checks.h"
#include "checks/inbound.h"
#include "facts/arm.h"
#include "model/vm.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#define YOUNG_S 300 /* a VM that was created or started so lately may still be booting */

/* The activity log's word on who stopped it (--deep): the caller of the last deallocation, NULL
 * when not known. */
static const json_t *
last_stop(const struct facts *facts)
{
	const json_t *entry, *found = NULL;
	size_t i;

	json_array_foreach (doc_list(facts_section(facts, FACT_DEEP), "activity"), i, entry) {
		const char *operation = doc_str(entry, "operation");

		if (operation == NULL || (strcasestr(operation, "deallocate") == NULL &&
					  strcasestr(operation, "powerOff") == NULL))
			continue;
		if (found == NULL ||
		    time_from_iso(doc_str(entry, "time")) > time_from_iso(doc_str(found, "time")))
			found = entry;
	}
	return found;
}

static bool
by_customer(const struct facts *facts)
{
	const json_t *health = vm_sub_resource(
	    facts, "/providers/Microsoft.ResourceHealth/availabilityStatuses/current");

	return doc_is(health, "properties.context", "Customer Initiated") ||
	       doc_str(last_stop(facts), "caller") != NULL;
}

static int
deallocated(const struct facts *facts, const struct vm *vm, struct finding *finding)
{
	const json_t *schedule = vm_shutdown_schedule(facts, vm), *stop = last_stop(facts);
	const char *caller = doc_str(stop, "caller"), *when = doc_str(stop, "time"),
		   *at = doc_str(schedule, "properties.dailyRecurrence.time");
	int r;

	finding_text(finding, "stopped_by", caller);
	finding_text(finding, "stopped_at", when);
	finding_text(finding, "shutdown_time", at);
	if (vm->hibernated)
		return finding_set(finding, FAIL, CODE_VM_HIBERNATED, "the VM is hibernated");
	if (vm->spot && !doc_same(vm->eviction, "Delete") && !by_customer(facts)) {
		r = finding_set(
		    finding, FAIL, CODE_VM_SPOT_EVICTED,
		    "the VM is a Spot VM and deallocated: Azure took its capacity back");
		finding->confidence = LIKELY;
		return r;
	}
	if (schedule != NULL && (caller == NULL || strcasestr(caller, "@") == NULL)) {
		r = finding_set(
		    finding, FAIL, CODE_VM_AUTO_SHUTDOWN,
		    "the VM is deallocated, and a schedule shuts it down every day%s%.2s%s%s",
		    at != NULL ? " at " : "", at != NULL ? at : "", at != NULL ? ":" : "",
		    at != NULL && strlen(at) >= 4 ? at + 2 : "");
		finding->confidence = LIKELY;
		return r;
	}
	return finding_set(finding, FAIL, CODE_VM_DEALLOCATED,
			   "the VM is stopped (deallocated)%s%s%s%s", caller != NULL ? " by " : "",
			   caller != NULL ? caller : "",
			   caller != NULL && when != NULL ? " at " : "",
			   caller != NULL && when != NULL ? when : "");
}

/* Created or started so lately, and the agent not up: still on its way. */
static bool
is_booting(const struct facts *facts, const struct vm *vm)
{
	time_t created = time_from_iso(vm->created), started = time_from_iso(vm->power_time);
	bool young = (created > 0 && facts->now >= created && facts->now - created < YOUNG_S) ||
		     (started > 0 && facts->now >= started && facts->now - started < YOUNG_S);
	bool busy = doc_same(vm->provisioning, "Creating") ||
		    doc_same(vm->provisioning, "Updating") ||
		    doc_same(vm->provisioning_detail, "OSProvisioningInProgress");

	return vm->agent != VM_AGENT_READY && (young || (busy && vm->agent == VM_AGENT_NOT_READY));
}

/* A finding about a running VM is a failure only as long as the server has not let us in. */
static int
unless_it_works(const struct facts *facts, struct finding *finding, enum code code,
		const char *words)
{
	bool works = wire_accepted(facts);
	int r = finding_set(finding, works ? WARN : FAIL, code, "%s", words);

	finding->confidence = LIKELY;
	return r;
}

/* "Customer Initiated", "UserInitiated" and the like. */
static bool
by_person(const char *text)
{
	return text != NULL &&
	       (strcasestr(text, "customer") != NULL || strcasestr(text, "user") != NULL);
}

static const json_t *
bad_health(const struct facts *facts)
{
	const json_t *health = vm_sub_resource(
	    facts, "/providers/Microsoft.ResourceHealth/availabilityStatuses/current");

	if (by_person(doc_str(health, "properties.context")) ||
	    by_person(doc_str(health, "properties.reasonType")))
		return NULL;
	return doc_is(health, "properties.availabilityState", "Unavailable") ||
		       doc_is(health, "properties.availabilityState", "Degraded")
		   ? health
		   : NULL;
}

static int
running(const struct facts *facts, const struct vm *vm, struct finding *finding)
{
	const json_t *health = bad_health(facts);

	if (health != NULL) {
		finding_text(finding, "health", doc_str(health, "properties.availabilityState"));
		finding_text(finding, "reason",
			     doc_str(health, "properties.summary") != NULL
				 ? doc_str(health, "properties.summary")
			     : doc_str(health, "properties.title") != NULL
				 ? doc_str(health, "properties.title")
				 : "Azure gives no reason.");
		if (doc_is(health, "properties.availabilityState", "Unavailable"))
			return unless_it_works(facts, finding, CODE_VM_HEALTH_UNAVAILABLE,
					       "Azure itself reports the VM as unavailable");
		return finding_set(finding, WARN, CODE_VM_HEALTH_DEGRADED,
				   "Azure itself reports the VM as degraded");
	}
	if (vm->provisioning_error != NULL &&
	    strncasecmp(vm->provisioning_error, "OSProvisioning", 14) == 0)
		return unless_it_works(facts, finding, CODE_VM_PROVISIONING_FAILED,
				       "the operating system never reported that it was set up: "
				       "user and key may be missing");
	if (is_booting(facts, vm))
		return unless_it_works(facts, finding, CODE_VM_STARTING,
				       "the VM runs, but is still booting or being set up");
	if (doc_same(vm->provisioning, "Failed"))
		return finding_set(
		    finding, WARN, CODE_VM_LAST_OPERATION_FAILED,
		    "the VM runs; the last change to it failed, which alone does not break SSH");
	return finding_set(finding, PASS, CODE_VM_RUNNING, "the VM runs");
}

/* What Azure says of a VM whose model is there but whose power state is not: it may be on its way,
 * or simply not told. */
static int
no_power_state(const struct vm *vm, struct finding *finding)
{
	if (doc_same(vm->provisioning, "Creating"))
		return finding_set(finding, FAIL, CODE_VM_STARTING,
				   "the VM is still being created");
	if (doc_same(vm->provisioning, "Deleting"))
		return finding_set(finding, FAIL, CODE_VM_DELETING, "the VM is being deleted");
	return finding_set(finding, UNKNOWN, CODE_VM_POWER_UNKNOWN,
			   "Azure does not say whether the VM runs");
}

static int
judge_power(const struct facts *facts, const struct vm *vm, struct finding *finding)
{
	const char *power = vm->power;

	if (vm->generalized)
		return finding_set(
		    finding, FAIL, CODE_VM_GENERALIZED,
		    "the VM was generalized for use as an image and cannot be started");
	if (doc_same(vm->provisioning, "Deleting"))
		return finding_set(finding, FAIL, CODE_VM_DELETING, "the VM is being deleted");
	if (power == NULL || strcasecmp(power, "unknown") == 0)
		return no_power_state(vm, finding);
	if (strcasecmp(power, "running") == 0)
		return running(facts, vm, finding);
	if (strcasecmp(power, "deallocated") == 0)
		return deallocated(facts, vm, finding);
	if (strcasecmp(power, "stopped") == 0)
		return finding_set(
		    finding, FAIL, CODE_VM_STOPPED_GUEST,
		    "the VM was shut down from inside and is stopped, but still allocated");
	if (strcasecmp(power, "starting") == 0 || strcasecmp(power, "creating") == 0)
		return finding_set(finding, FAIL, CODE_VM_STARTING, "the VM is %s", power);
	if (strcasecmp(power, "stopping") == 0 || strcasecmp(power, "deallocating") == 0)
		return finding_set(finding, FAIL, CODE_VM_STOPPING, "the VM is %s", power);
	finding_text(finding, "field", "PowerState");
	return finding_set(finding, UNKNOWN, CODE_VM_POWER_UNKNOWN,
			   "Azure reports the power state \"%s\", which this program does not know",
			   power);
}

/* Notes beside the verdict; the agent never breaks SSH, it only bars repair from outside. */
static void
add_notes(const struct vm *vm, struct finding *finding)
{
	bool runs = doc_same(vm->power, "running");
	struct finding *also;

	if (runs && vm->agent_wanted && vm->has_instance_view &&
	    (vm->agent == VM_AGENT_NOT_READY || vm->agent == VM_AGENT_NONE) &&
	    finding->id != CODE_VM_STARTING && (also = finding_also(finding)) != NULL) {
		finding_set(also, vm->agent == VM_AGENT_NONE ? PASS : WARN, CODE_VM_AGENT_NOT_READY,
			    "the guest agent %s: Run Command and key reset do not work, SSH may",
			    vm->agent == VM_AGENT_NONE ? "does not report" : "is not ready");
		finding_text(also, "agent_status",
			     vm->agent == VM_AGENT_NONE ? "absent" : "Not Ready");
		finding_text(also, "message", vm->agent_message);
	}
	if (vm->boot_diagnostics == 0 && (also = finding_also(finding)) != NULL)
		finding_set(
		    also, PASS, CODE_BOOT_DIAGNOSTICS_DISABLED,
		    "boot diagnostics are off: neither serial log nor serial console can be used");
}

/* An instance of a Uniform scale set is started by its set's name and its number. */
static void
add_instance(const struct vm *vm, struct finding *finding)
{
	char set[ARM_ID_MAX];

	if (!vm->uniform || arm_id_parent(vm->id, set, sizeof(set)) < 0)
		return;
	finding_text(finding, "scale_set", arm_id_name(set));
	finding_text(finding, "instance", arm_id_name(vm->id));
}

static void
add_evidence(const struct vm *vm, const char *subscription, struct finding *finding)
{
	char power[32] = "";

	add_instance(vm, finding);

	for (size_t i = 0; vm->power != NULL && vm->power[i] != '\0' && i < sizeof(power) - 1;
	     i++) {
		power[i] = vm->power[i] >= 'A' && vm->power[i] <= 'Z' ? (char)(vm->power[i] + 32)
								      : vm->power[i];
		power[i + 1] = '\0';
	}
	if (*power != '\0')
		finding_text(finding, "power_state", power);
	finding_text(finding, "provisioning_state", vm->provisioning);
	finding_text(finding, "code", vm->provisioning_error);
	if (vm->agent != VM_AGENT_UNKNOWN)
		finding_text(finding, "agent_status",
			     vm->agent == VM_AGENT_READY  ? "Ready"
			     : vm->agent == VM_AGENT_NONE ? "absent"
							  : "Not Ready");
	finding_text(finding, "priority", doc_str(vm->body, "properties.priority"));
	finding_text(finding, "eviction_policy", vm->eviction);
	if (subscription != NULL && strcasecmp(subscription, "Enabled") != 0)
		finding_text(finding, "subscription_state", subscription);
}

int
check_vm_state(const struct scene *scene, const struct rule *rule, struct finding *finding)
{
	const struct facts *facts = scene->facts;
	struct net_ref ref = net_ref_by_id(facts, vm_id(facts));
	const char *subscription = subscription_state(facts, vm_id(facts));
	struct vm vm;
	int r;

	(void)rule;
	if (vm_from_facts(facts, &vm, NULL) < 0)
		return finding_missing(finding, CODE_VM_UNKNOWN, "the VM", &ref);
	finding_changes(finding, ref.id);
	add_evidence(&vm, subscription, finding);
	if ((r = judge_power(facts, &vm, finding)) < 0)
		return r;
	add_notes(&vm, finding);
	return 0;
}
