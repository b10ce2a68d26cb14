#include "checks/checks.h"

#include <string.h>

/* The VM's name, or the one that was asked for. */
static const char *
name_of(const struct scene *scene)
{
	return scene->vm->name != NULL ? scene->vm->name : scene->target.name;
}

static void
evidence(const struct scene *scene, struct finding *finding)
{
	const struct fact_vm *vm = scene->vm;

	finding_text(finding, "name", name_of(scene));
	finding_text(finding, "host", scene->asked.host);
	if (vm->near_count > 0) {
		finding_text(finding, "near", vm->near[0]);
		finding_texts(finding, "near_all", vm->near, vm->near_count);
	}
	finding_texts(finding, "searched", vm->searched, vm->searched_count);
	if (vm->other_tenants_count > 0) {
		finding_text(finding, "other_tenant", vm->other_tenants[0]);
		finding_texts(finding, "other_tenants", vm->other_tenants, vm->other_tenants_count);
	}
	finding_texts(finding, "candidates", vm->candidates, vm->candidates_count);
}

/* az is signed in, and its own list of subscriptions lacks the VM's: until it is refreshed, az
 * refuses to work there. */
static bool
az_lacks(const struct fact_vm *vm)
{
	return vm->az_profile != NULL && !doc_same(vm->az_profile, "listed");
}

static int
az_behind(const struct fact_vm *vm, struct finding *finding)
{
	bool none = doc_same(vm->az_profile, "tenant-level");

	finding_text(finding, "found_in", vm->subscription);
	finding_text(finding, "unlisted", vm->az_profile);
	return finding_set(finding, WARN, CODE_AZ_PROFILE_STALE, "%s is in the subscription %s; %s",
			   vm->name, vm->subscription,
			   none ? "az has no subscription yet (az account list --refresh)"
				: "az's own list does not have it (az account list --refresh)");
}

/* The VM is there, but in another subscription than the one asked for, or than the active one,
 * where every command without --subscription would miss it. Whoever gave no more than a name and
 * gets in all the same has no fault, only something to know. */
static int
run_elsewhere(const struct scene *scene, struct finding *finding)
{
	const struct fact_vm *vm = scene->vm;
	const char *active = vm->elsewhere->active;
	bool asked = doc_same(vm->elsewhere->from, "option"),
	     group = scene->target.resource_group != NULL;

	finding_text(finding, "found_in", vm->subscription);
	finding_text(finding, "active", active);
	finding_text(finding, "unlisted", az_lacks(vm) ? vm->az_profile : NULL);
	return finding_set(finding, scene->accepted && !asked && !group ? WARN : FAIL,
			   CODE_SUB_WRONG, "%s is in the subscription %s, not in %s, which is %s",
			   vm->name, vm->subscription, active,
			   asked ? "the one asked for" : "the active one");
}

/* The host is one of another cloud, whose VMs this sign-in never sees. A host alone, without a VM's
 * name, is no fault: what the wire shows of it counts. */
static int
run_other_cloud(const struct scene *scene, struct finding *finding)
{
	const struct fact_vm *vm = scene->vm;
	const char *host = address_asked_host(scene->facts);

	finding_text(finding, "other_cloud", vm->cloud);
	finding_text(finding, "host", host);
	finding_text(finding, "name", name_of(scene));
	finding_set(finding, doc_same(vm->cause, "no-owner") ? UNKNOWN : FAIL,
		    CODE_VM_IN_OTHER_CLOUD, "%s; %s %s of %s", vm->reason,
		    host != NULL ? host : name_of(scene),
		    vm->cloud_by_name ? "is a name" : "is an address", vm->cloud);
	if (!vm->cloud_by_name)
		finding->confidence = LIKELY;
	return 0;
}

static int
run_absent(const struct scene *scene, struct finding *finding)
{
	const struct fact_vm *vm = scene->vm;
	const char *reason = vm->reason != NULL ? vm->reason : "the VM does not exist";

	if (vm->cloud != NULL && vm->reason != NULL && !doc_same(vm->cause, "ambiguous"))
		return run_other_cloud(scene, finding);
	if (doc_same(vm->cause, "no-owner"))
		return finding_set(finding, UNKNOWN, CODE_HOST_OWNER_UNKNOWN, "%s", reason);
	if (doc_same(vm->cause, "subscription-not-found"))
		return finding_set(finding, FAIL, CODE_SUBSCRIPTION_NOT_FOUND, "%s", reason);
	if (doc_same(vm->cause, "ambiguous"))
		return finding_set(finding, UNKNOWN, CODE_VM_NAME_AMBIGUOUS, "%s", reason);
	return finding_set(finding, FAIL, CODE_VM_NOT_FOUND, "%s%s%s%s", reason,
			   vm->near_count > 0 ? "; there is " : "",
			   vm->near_count > 0 ? vm->near[0] : "",
			   vm->near_count > 1 ? " and others like it" : "");
}

/* Nobody named this VM on the command line: worth knowing whatever becomes of it. */
static void
note_default(const struct scene *scene, struct finding *finding)
{
	struct finding *also = scene->asked.vm_default ? finding_also(finding) : NULL;

	if (also == NULL)
		return;
	finding_text(also, "name", name_of(scene));
	finding_set(also, PASS, CODE_VM_FROM_DEFAULT, "no VM was named: az keeps %s as its default",
		    name_of(scene));
}

/* The host works, which would pass for the VM: nothing has shown that they belong together. */
static void
note_unconfirmed(const struct scene *scene, struct finding *finding)
{
	struct finding *also;

	if (!scene->accepted || scene->asked.host == NULL || name_of(scene) == NULL)
		return;
	also = finding_also(finding);
	finding_text(also, "name", name_of(scene));
	finding_text(also, "host", scene->asked.host);
	finding_set(also, WARN, CODE_HOST_UNCONFIRMED,
		    "%s accepts the key, and nothing shows that it is %s: Azure could not be read",
		    scene->asked.host, name_of(scene));
}

int
check_vm_found(const struct scene *scene, const struct rule *rule, struct finding *finding)
{
	const struct fact_vm *vm = scene->vm;

	(void)rule;
	if (vm->state == FACT_NOT_ASKED || !scene->asked.azure)
		return finding_set(finding, SKIP, CODE_NOT_ASKED, "%s",
				   vm->reason != NULL ? vm->reason : "Azure was left out");
	evidence(scene, finding);
	note_default(scene, finding);
	if (vm->state == FACT_PENDING)
		return finding_set(finding, UNKNOWN, CODE_VM_NOT_LOOKED_UP,
				   "the search for the VM had not ended");
	if (vm->state == FACT_ABSENT)
		return run_absent(scene, finding);
	if (vm->state == FACT_UNKNOWN)
		note_unconfirmed(scene, finding);
	if (vm->state == FACT_UNKNOWN)
		return finding_set(finding, UNKNOWN, CODE_VM_NOT_LOOKED_UP, "%s",
				   vm->reason != NULL ? vm->reason
						      : "the VM could not be looked up");
	if (vm->elsewhere != NULL)
		return run_elsewhere(scene, finding);
	if (az_lacks(vm))
		return az_behind(vm, finding);
	return finding_set(finding, PASS, CODE_VM_FOUND_OK, "%s is in the resource group %s",
			   vm->name, vm->resource_group);
}
