#include "checks/checks.h"

#include <string.h>

static void
evidence(const struct facts *facts, const json_t *vm, struct finding *finding)
{
	const char *name = doc_str(vm, "name");

	finding_text(finding, "name", name != NULL ? name : doc_str(facts->target, "name"));
	finding_text(finding, "host", doc_str(facts->doc, "asked.host"));
	if (json_array_size(doc_list(vm, "near")) > 0) {
		finding_text(finding, "near",
			     json_string_value(json_array_get(doc_list(vm, "near"), 0)));
		finding_value(finding, "near_all", json_deep_copy(doc_list(vm, "near")));
	}
	if (doc_list(vm, "searched") != NULL)
		finding_value(finding, "searched", json_deep_copy(doc_list(vm, "searched")));
	if (json_array_size(doc_list(vm, "other_tenants")) > 0) {
		finding_text(finding, "other_tenant",
			     json_string_value(json_array_get(doc_list(vm, "other_tenants"), 0)));
		finding_value(finding, "other_tenants",
			      json_deep_copy(doc_list(vm, "other_tenants")));
	}
	if (doc_list(vm, "candidates") != NULL)
		finding_value(finding, "candidates", json_deep_copy(doc_list(vm, "candidates")));
}

/* The VM is there, but in another subscription than the one asked for, or than the active one,
 * where every command without --subscription would miss it. Whoever gave no more than a name and
 * gets in all the same has no fault, only something to know. */
static int
run_elsewhere(const struct facts *facts, const json_t *vm, struct finding *finding)
{
	bool asked = doc_is(vm, "elsewhere.from", "option"),
	     group = doc_str(facts->target, "resource_group") != NULL;
	bool in = doc_str(facts_section(facts, FACT_AUTH), "accepted") != NULL;

	finding_text(finding, "found_in", doc_str(vm, "subscription"));
	finding_text(finding, "active", doc_str(vm, "elsewhere.active"));
	return finding_set(finding, in && !asked && !group ? WARN : FAIL, CODE_SUB_WRONG,
			   "%s is in the subscription %s, not in %s, which is %s",
			   doc_str(vm, "name"), doc_str(vm, "subscription"),
			   doc_str(vm, "elsewhere.active"),
			   asked ? "the one asked for" : "the active one");
}

static int
run_absent(const json_t *vm, const char *reason, struct finding *finding)
{
	const char *near = json_string_value(json_array_get(doc_list(vm, "near"), 0));

	if (doc_is(vm, "cause", "no-owner"))
		return finding_set(finding, UNKNOWN, CODE_HOST_OWNER_UNKNOWN, "%s", reason);
	if (doc_is(vm, "cause", "subscription-not-found"))
		return finding_set(finding, FAIL, CODE_SUBSCRIPTION_NOT_FOUND, "%s", reason);
	if (doc_is(vm, "cause", "ambiguous"))
		return finding_set(finding, UNKNOWN, CODE_VM_NAME_AMBIGUOUS, "%s", reason);
	return finding_set(finding, FAIL, CODE_VM_NOT_FOUND, "%s%s%s%s", reason,
			   near != NULL ? "; there is " : "", near != NULL ? near : "",
			   json_array_size(doc_list(vm, "near")) > 1 ? " and others like it" : "");
}

/* Nobody named this VM on the command line: worth knowing whatever becomes of it. */
static void
note_default(const struct facts *facts, const json_t *vm, struct finding *finding)
{
	struct finding *also =
	    doc_bool(facts->doc, "asked.vm_default", false) ? finding_also(finding) : NULL;

	if (also == NULL)
		return;
	finding_text(also, "name",
		     doc_str(vm, "name") != NULL ? doc_str(vm, "name")
						 : doc_str(facts->target, "name"));
	finding_set(also, PASS, CODE_VM_FROM_DEFAULT, "no VM was named: az keeps %s as its default",
		    doc_str(also->evidence, "name"));
}

int
check_vm_found(const struct scene *scene, const struct rule *rule, struct finding *finding)
{
	const struct facts *facts = scene->facts;
	const json_t *vm = facts_section(facts, FACT_VM);
	const char *reason;
	enum fact_state state = facts_state(facts, FACT_VM, &reason);

	(void)rule;
	if (state == FACT_NOT_ASKED || !doc_bool(facts->doc, "asked.azure", true))
		return finding_set(finding, SKIP, CODE_NOT_ASKED, "%s",
				   reason != NULL ? reason : "Azure was left out");
	evidence(facts, vm, finding);
	note_default(facts, vm, finding);
	if (state == FACT_PENDING)
		return finding_set(finding, UNKNOWN, CODE_VM_NOT_LOOKED_UP,
				   "the search for the VM had not ended");
	if (state == FACT_ABSENT)
		return run_absent(vm, reason != NULL ? reason : "the VM does not exist", finding);
	if (state == FACT_UNKNOWN)
		return finding_set(finding, UNKNOWN, CODE_VM_NOT_LOOKED_UP, "%s",
				   reason != NULL ? reason : "the VM could not be looked up");
	if (doc_get(vm, "elsewhere") != NULL)
		return run_elsewhere(facts, vm, finding);
	return finding_set(finding, PASS, CODE_VM_FOUND_OK, "%s is in the resource group %s",
			   doc_str(vm, "name"), doc_str(vm, "resource_group"));
}
