/* A rule that opens the port is refused or undone: by Azure Policy, or by a program that watches
 * the rules. */
#include "checks/nsg.h"
#include "facts/time.h"
#include "facts/arm.h"
#include "model/policy.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SOON_S (24 * 3600)

static bool
ends_with(const char *text, const char *end)
{
	size_t len = text != NULL ? strlen(text) : 0;

	return len >= strlen(end) && strcasecmp(text + len - strlen(end), end) == 0;
}

static bool
below(const char *resource, const char *group)
{
	size_t len = strlen(group);

	return resource != NULL && strncasecmp(resource, group, len) == 0 &&
	       (resource[len] == '/' || resource[len] == '\0');
}

/* People sign in with a name that has an @; policies and other programs have none. */
static bool
by_program(const struct fact_activity *change)
{
	return change->caller != NULL && strchr(change->caller, '@') == NULL;
}

static bool
is_jit(const struct fact_activity *change)
{
	return change->resource != NULL && strcasestr(change->resource, "-JITRule") != NULL;
}

/* A rule was written, and the group has it no longer. */
static bool
rule_is_gone(const struct facts *facts, const struct fact_activity *change, const char *group)
{
	return ends_with(change->operation, "/securityRules/write") &&
	       doc_same(change->status, "Succeeded") &&
	       nsg_has_rule(facts, group, arm_id_name(change->resource)) == FACT_NO;
}

/* A program deleted it, or replaced the group, soon after another caller had written it. */
static bool
undoes(const struct fact_activity *later, const struct fact_activity *change, const char *group)
{
	const char *operation = later->operation;
	time_t at = time_from_iso(change->time), then = time_from_iso(later->time);

	if (!below(later->resource, group) || !by_program(later) ||
	    doc_same(later->caller, change->caller) || at < 0 || then <= at || then - at > SOON_S ||
	    doc_same(later->status, "Failed"))
		return false;
	if (ends_with(operation, "/networkSecurityGroups/write"))
		return true;
	return ends_with(operation, "/securityRules/delete") &&
	       arm_id_same(later->resource, change->resource);
}

static bool
refused(const struct fact_activity *change)
{
	return doc_same(change->operation, "Microsoft.Authorization/policies/deny/action");
}

static int
say_undone(const struct fact_activity *change, const struct fact_activity *later,
	   struct finding *finding)
{
	finding_text(finding, "changed_rule", arm_id_name(change->resource));
	finding_text(finding, "changed_by", change->caller);
	finding_text(finding, "changed_at", change->time);
	finding_text(finding, "reverted_by", later->caller);
	finding_text(finding, "reverted_at", later->time);
	return finding_set(finding, FAIL, CODE_POLICY_REVERTS_NSG,
			   "rule %s, written by %s at %s, was taken away by %s at %s",
			   arm_id_name(change->resource), change->caller, change->time,
			   later->caller, later->time);
}

/* 1 when the activity log shows it. */
static int
from_log(const struct scene *scene, const char *group, struct finding *finding)
{
	const struct fact_deep *deep = scene->deep;

	for (size_t i = 0; i < deep->changes_count; i++) {
		const struct fact_activity *change = &deep->changes[i];

		if (!below(change->resource, group) || is_jit(change))
			continue;
		if (refused(change)) {
			finding_text(finding, "changed_by", change->caller);
			finding_text(finding, "changed_at", change->time);
			finding_set(finding, FAIL, CODE_POLICY_REVERTS_NSG,
				    "Azure Policy refused a change of %s at %s",
				    arm_id_name(change->resource), change->time);
			return 1;
		}
		for (size_t j = 0; j < deep->changes_count; j++)
			if (rule_is_gone(scene->facts, change, group) &&
			    undoes(&deep->changes[j], change, group)) {
				say_undone(change, &deep->changes[j], finding);
				return 1;
			}
	}
	return 0;
}

int
nsg_note_policy(const struct scene *scene, struct finding *finding)
{
	const char *group = finding->changes;
	struct finding made = { 0 }, *also;
	struct policy policy = { 0 };
	bool named;
	int found;

	if (group == NULL)
		return 0;
	finding_init(&made, finding->check);
	named = policy_on_ssh(scene->facts, &policy);
	finding_text(&made, "policy", policy.name);
	finding_text(&made, "policy_id", policy.id);
	finding_text(&made, "nsg", doc_str(finding->evidence, "nsg"));
	finding_text(&made, "nsg_id", group);
	if ((found = from_log(scene, group, &made)) == 0 && named) {
		finding_set(
		    &made, WARN, CODE_POLICY_REVERTS_NSG,
		    "the policy %s is assigned here: a rule that opens the port may be refused",
		    policy.name);
		found = 1;
	}
	made.confidence = LIKELY;
	if (found > 0 && (also = finding_also(finding)) != NULL) {
		finding_free(also);
		*also = made;
	} else {
		finding_free(&made);
	}
	return found;
}
