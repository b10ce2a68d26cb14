#include "checks/checks.h"
#include "facts/time.h"
#include "facts/arm.h"
#include "model/vm.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

/* A VM that was created or started so lately may still be booting; the first start of Windows takes
 * longer. */
#define YOUNG_S 300
#define YOUNG_WINDOWS_S 900

/* The activity log's word on who stopped it (--deep): the caller of the last deallocation, NULL
 * when not known. */
static struct fact_activity
last_stop(const struct scene *scene)
{
	struct fact_activity found = { 0 };

	for (size_t i = 0; i < scene->deep->activity_count; i++) {
		const struct fact_activity *entry = &scene->deep->activity[i];

		if (entry->operation == NULL ||
		    (strcasestr(entry->operation, "deallocate") == NULL &&
		     strcasestr(entry->operation, "powerOff") == NULL))
			continue;
		if (found.operation == NULL ||
		    time_from_iso(entry->time) > time_from_iso(found.time))
			found = *entry;
	}
	return found;
}

static bool
by_customer(const struct scene *scene)
{
	return vm_health(scene->facts).by_customer || last_stop(scene).caller != NULL;
}

/* The last start found no room: no capacity, no such size there, or no quota left. */
static bool
had_no_room(const struct vm *vm)
{
	static const char *const errors[] = { "AllocationFailed",
					      "ZonalAllocationFailed",
					      "OverconstrainedAllocationRequest",
					      "OverconstrainedZonalAllocationRequest",
					      "SkuNotAvailable",
					      "QuotaExceeded" };

	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++)
		if (doc_same(vm->provisioning_error, errors[i]))
			return true;
	return false;
}

static int
without_room(const struct vm *vm, struct finding *finding)
{
	const char *said = vm->provisioning_message;

	if (doc_same(vm->provisioning_error, "QuotaExceeded"))
		finding_text(finding, "quota", vm->provisioning_error);
	finding_text(finding, "message",
		     said != NULL ? said : "Azure gives no more than the code.");
	return finding_set(finding, FAIL, CODE_VM_ALLOCATION_FAILED,
			   "the VM does not run: its last start failed with %s",
			   vm->provisioning_error);
}

static int
deallocated(const struct scene *scene, struct finding *finding)
{
	const struct vm *vm = scene->instance;
	const struct fact_activity stop = last_stop(scene);
	const char *caller = stop.caller, *when = stop.time;
	struct vm_schedule schedule;
	bool scheduled = vm_shutdown_schedule(scene->facts, vm, &schedule);
	const char *at = scheduled ? schedule.time : NULL;

	finding_text(finding, "stopped_by", caller);
	finding_text(finding, "stopped_at", when);
	finding_text(finding, "shutdown_time", at);
	if (vm->hibernated)
		return finding_set(finding, FAIL, CODE_VM_HIBERNATED, "the VM is hibernated");
	if (vm->spot && !doc_same(vm->eviction, "Delete") && !by_customer(scene))
		return finding_likely(
		    finding, FAIL, CODE_VM_SPOT_EVICTED,
		    "the VM is a Spot VM and deallocated: Azure took its capacity back");
	if (scheduled && (caller == NULL || strcasestr(caller, "@") == NULL))
		return finding_likely(
		    finding, FAIL, CODE_VM_AUTO_SHUTDOWN,
		    "the VM is deallocated, and a schedule shuts it down every day%s%.2s%s%s",
		    at != NULL ? " at " : "", at != NULL ? at : "", at != NULL ? ":" : "",
		    at != NULL && strlen(at) >= 4 ? at + 2 : "");
	return finding_set(finding, FAIL, CODE_VM_DEALLOCATED,
			   "the VM is stopped (deallocated)%s%s%s%s", caller != NULL ? " by " : "",
			   caller != NULL ? caller : "",
			   caller != NULL && when != NULL ? " at " : "",
			   caller != NULL && when != NULL ? when : "");
}

/* Seconds since a time that Azure gives; -1 when it gives none. */
static long long
seconds_since(const struct scene *scene, const char *when)
{
	time_t time = time_from_iso(when);

	return time > 0 && scene->now >= time ? (long long)(scene->now - time) : -1;
}

/* Seconds since the VM was created or last started, -1 when that is not known. */
static long long
age_of(const struct scene *scene)
{
	long long created = seconds_since(scene, scene->instance->created),
		  started = seconds_since(scene, scene->instance->power_time);

	return started >= 0 && (created < 0 || started < created) ? started : created;
}

/* Created or started so lately, and the agent not up: still on its way. */
static bool
is_booting(const struct scene *scene)
{
	const struct vm *vm = scene->instance;
	long long age = age_of(scene);
	bool young = age >= 0 && age < (scene->windows ? YOUNG_WINDOWS_S : YOUNG_S);
	bool busy = doc_same(vm->provisioning, "Creating") ||
		    doc_same(vm->provisioning, "Updating") ||
		    doc_same(vm->provisioning_detail, "OSProvisioningInProgress");

	return vm->agent != VM_AGENT_READY && (young || (busy && vm->agent == VM_AGENT_NOT_READY));
}

/* The next step of a start, by what Azure shows of it. */
static const char *
awaited(const struct vm *vm)
{
	if (vm->power == NULL)
		return "Azure to create it";
	if (!doc_same(vm->power, "running"))
		return "Azure to start it";
	if (doc_same(vm->provisioning_detail, "OSProvisioningInProgress"))
		return "the system to set up its user and key";
	return vm->agent == VM_AGENT_UNKNOWN ? "the system to boot"
					     : "the guest agent to report that the system is up";
}

static int
starting(const struct scene *scene, struct finding *finding, enum status status)
{
	const char *what = awaited(scene->instance);
	long long age = age_of(scene);

	finding_text(finding, "waits_for", what);
	if (age >= 0)
		finding_number(finding, "age_s", age);
	if (age < 0 || age > 24LL * 3600)
		return finding_set(finding, status, CODE_VM_STARTING, "the VM waits for %s", what);
	return finding_set(finding, status, CODE_VM_STARTING,
			   "the VM was created or started %lld min ago and waits for %s", age / 60,
			   what);
}

/* A finding about a running VM is a failure only as long as the server has not let us in. */
static int
unless_it_works(const struct scene *scene, struct finding *finding, enum code code,
		const char *words)
{
	return finding_likely(finding, scene->accepted ? WARN : FAIL, code, "%s", words);
}

static int
running(const struct scene *scene, struct finding *finding)
{
	const struct vm *vm = scene->instance;
	const struct vm_health health = vm_health(scene->facts);
	bool unavailable = doc_same(health.state, "Unavailable");

	if (!health.by_person && (unavailable || doc_same(health.state, "Degraded"))) {
		finding_text(finding, "health", health.state);
		finding_text(finding, "reason",
			     health.summary != NULL ? health.summary : "Azure gives no reason.");
		if (unavailable)
			return unless_it_works(scene, finding, CODE_VM_HEALTH_UNAVAILABLE,
					       "Azure itself reports the VM as unavailable");
		return finding_set(finding, WARN, CODE_VM_HEALTH_DEGRADED,
				   "Azure itself reports the VM as degraded");
	}
	if (vm->provisioning_error != NULL &&
	    strncasecmp(vm->provisioning_error, "OSProvisioning", 14) == 0)
		return unless_it_works(scene, finding, CODE_VM_PROVISIONING_FAILED,
				       "the operating system never reported that it was set up: "
				       "user and key may be missing");
	if (is_booting(scene)) {
		starting(scene, finding, scene->accepted ? WARN : FAIL);
		finding->confidence = LIKELY;
		return 0;
	}
	if (doc_same(vm->provisioning, "Failed"))
		return finding_set(
		    finding, WARN, CODE_VM_LAST_OPERATION_FAILED,
		    "the VM runs; the last change to it failed, which alone does not break SSH");
	return finding_set(finding, PASS, CODE_VM_RUNNING, "the VM runs");
}

/* What Azure says of a VM whose model is there but whose power state is not: it may be on its way,
 * or simply not told. */
static int
no_power_state(const struct scene *scene, struct finding *finding)
{
	const struct vm *vm = scene->instance;

	if (doc_same(vm->provisioning, "Creating"))
		return starting(scene, finding, FAIL);
	if (doc_same(vm->provisioning, "Deleting"))
		return finding_set(finding, FAIL, CODE_VM_DELETING, "the VM is being deleted");
	return finding_set(finding, UNKNOWN, CODE_VM_POWER_UNKNOWN,
			   "Azure does not say whether the VM runs");
}

static int
judge_power(const struct scene *scene, struct finding *finding)
{
	const struct vm *vm = scene->instance;
	const char *power = vm->power;

	if (had_no_room(vm) && !doc_same(power, "running"))
		return without_room(vm, finding);
	if (vm->generalized)
		return finding_set(
		    finding, FAIL, CODE_VM_GENERALIZED,
		    "the VM was generalized for use as an image and cannot be started");
	if (doc_same(vm->provisioning, "Deleting"))
		return finding_set(finding, FAIL, CODE_VM_DELETING, "the VM is being deleted");
	if (power == NULL || strcasecmp(power, "unknown") == 0)
		return no_power_state(scene, finding);
	if (strcasecmp(power, "running") == 0)
		return running(scene, finding);
	if (strcasecmp(power, "deallocated") == 0)
		return deallocated(scene, finding);
	if (strcasecmp(power, "stopped") == 0)
		return finding_set(
		    finding, FAIL, CODE_VM_STOPPED_GUEST,
		    "the VM was shut down from inside and is stopped, but still allocated");
	if (strcasecmp(power, "starting") == 0 || strcasecmp(power, "creating") == 0)
		return starting(scene, finding, FAIL);
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
	static const char *const agents[] = { [VM_AGENT_UNKNOWN] = NULL,
					      [VM_AGENT_NONE] = "absent",
					      [VM_AGENT_NOT_READY] = "Not Ready",
					      [VM_AGENT_READY] = "Ready" };
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
	finding_text(finding, "agent_status", agents[vm->agent]);
	finding_text(finding, "priority", vm->priority);
	finding_text(finding, "eviction_policy", vm->eviction);
	if (subscription != NULL && strcasecmp(subscription, "Enabled") != 0)
		finding_text(finding, "subscription_state", subscription);
}

int
check_vm_state(const struct scene *scene, const struct rule *rule, struct finding *finding)
{
	const char *id = scene->vm->id;
	struct net_ref ref = net_ref_by_id(scene->facts, id);
	int r;

	(void)rule;
	if (scene->instance == NULL)
		return finding_missing(finding, CODE_VM_UNKNOWN, "the VM", &ref);
	finding_changes(finding, ref.id);
	add_evidence(scene->instance, subscription_state(scene->facts, id), finding);
	if ((r = judge_power(scene, finding)) < 0)
		return r;
	add_notes(scene->instance, finding);
	return 0;
}
