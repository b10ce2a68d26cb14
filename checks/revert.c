/* A rule that opens the port is refused, or undone again and again: by Azure Policy, or by a
 * program that watches over the rules. */
#include "checks/nsg.h"
#include "facts/time.h"
#include "facts/arm.h"
#include "model/network.h"
#include "model/vm.h"

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
by_program(const json_t *change)
{
	const char *caller = doc_str(change, "caller");

	return caller != NULL && strchr(caller, '@') == NULL;
}

static bool
is_jit(const json_t *change)
{
	const char *resource = doc_str(change, "resource");

	return resource != NULL && strcasestr(resource, "-JITRule") != NULL;
}

/* A rule was written, and does not stand in the group any more. */
static bool
rule_is_gone(const struct facts *facts, const json_t *change, const char *group)
{
	const json_t *body, *rule;
	size_t i;

	if (!ends_with(doc_str(change, "operation"), "/securityRules/write") ||
	    !doc_is(change, "status", "Succeeded") ||
	    facts_resource(facts, group, &body, NULL) != FACT_KNOWN)
		return false;
	json_array_foreach (doc_list(body, "properties.securityRules"), i, rule)
		if (doc_is(rule, "name", arm_id_name(doc_str(change, "resource"))))
			return false;
	return true;
}

/* A program took it away, or wrote the group anew, soon after another hand had written it. */
static bool
undoes(const json_t *later, const json_t *change, const char *group)
{
	const char *operation = doc_str(later, "operation");
	time_t at = time_from_iso(doc_str(change, "time")),
	       then = time_from_iso(doc_str(later, "time"));

	if (!below(doc_str(later, "resource"), group) || !by_program(later) ||
	    doc_same(doc_str(later, "caller"), doc_str(change, "caller")) || at < 0 || then <= at ||
	    then - at > SOON_S || doc_is(later, "status", "Failed"))
		return false;
	if (ends_with(operation, "/networkSecurityGroups/write"))
		return true;
	return ends_with(operation, "/securityRules/delete") &&
	       arm_id_same(doc_str(later, "resource"), doc_str(change, "resource"));
}

static bool
refused(const json_t *change)
{
	return doc_is(change, "operation", "Microsoft.Authorization/policies/deny/action");
}

static int
say_undone(const json_t *change, const json_t *later, struct finding *finding)
{
	finding_text(finding, "changed_rule", arm_id_name(doc_str(change, "resource")));
	finding_text(finding, "changed_by", doc_str(change, "caller"));
	finding_text(finding, "changed_at", doc_str(change, "time"));
	finding_text(finding, "reverted_by", doc_str(later, "caller"));
	finding_text(finding, "reverted_at", doc_str(later, "time"));
	return finding_set(finding, FAIL, CODE_POLICY_REVERTS_NSG,
			   "rule %s, written by %s at %s, was taken away by %s at %s",
			   arm_id_name(doc_str(change, "resource")), doc_str(change, "caller"),
			   doc_str(change, "time"), doc_str(later, "caller"),
			   doc_str(later, "time"));
}

/* 1 when the activity log shows it. */
static int
from_log(const struct facts *facts, const char *group, struct finding *finding)
{
	const json_t *changes = doc_list(facts_section(facts, FACT_DEEP), "changes"), *change,
		     *later;
	size_t i, j;

	json_array_foreach (changes, i, change) {
		if (!below(doc_str(change, "resource"), group) || is_jit(change))
			continue;
		if (refused(change)) {
			finding_text(finding, "changed_by", doc_str(change, "caller"));
			finding_text(finding, "changed_at", doc_str(change, "time"));
			finding_set(finding, FAIL, CODE_POLICY_REVERTS_NSG,
				    "Azure Policy refused a change of %s at %s",
				    arm_id_name(doc_str(change, "resource")),
				    doc_str(change, "time"));
			return 1;
		}
		json_array_foreach (changes, j, later)
			if (rule_is_gone(facts, change, group) && undoes(later, change, group)) {
				say_undone(change, later, finding);
				return 1;
			}
	}
	return 0;
}

struct policy {
	const json_t *body;
	const char *id;
};

/* An assignment that by its name forbids management ports, or SSH from the Internet. */
static bool
forbids_ssh(const char *id, const json_t *body, void *ctx)
{
	const char *texts[] = { doc_str(body, "name"), doc_str(body, "properties.displayName") };
	struct policy *policy = ctx;

	for (size_t i = 0; i < 2 && !doc_is(body, "properties.enforcementMode", "DoNotEnforce");
	     i++) {
		bool ports = texts[i] != NULL && strcasestr(texts[i], "port") != NULL &&
			     (strcasestr(texts[i], "mgmt") != NULL ||
			      strcasestr(texts[i], "management") != NULL);

		if (!ports && (texts[i] == NULL || strcasestr(texts[i], "ssh") == NULL ||
			       strcasestr(texts[i], "internet") == NULL))
			continue;
		*policy =
		    (struct policy){ body, doc_str(body, "id") != NULL ? doc_str(body, "id") : id };
		return true;
	}
	return false;
}

static void
add_policy(const struct policy *policy, struct finding *finding)
{
	const char *display = doc_str(policy->body, "properties.displayName");

	finding_text(finding, "policy", display != NULL ? display : arm_id_name(policy->id));
	finding_text(finding, "policy_id", policy->id);
}

int
nsg_note_policy(const struct facts *facts, struct finding *finding)
{
	const char *group = finding->changes;
	struct finding made = { 0 }, *also;
	struct policy policy = { 0 };
	bool named;
	int found;

	if (group == NULL)
		return 0;
	finding_init(&made, finding->check);
	named = net_each(facts, "microsoft.authorization/policyassignments", forbids_ssh, &policy);
	if (named)
		add_policy(&policy, &made);
	finding_text(&made, "nsg", doc_str(finding->evidence, "nsg"));
	finding_text(&made, "nsg_id", group);
	if ((found = from_log(facts, group, &made)) == 0 && named) {
		finding_set(
		    &made, WARN, CODE_POLICY_REVERTS_NSG,
		    "the policy %s is assigned here: a rule that opens the port may be refused",
		    doc_str(made.evidence, "policy"));
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
