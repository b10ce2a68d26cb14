#include "model/policy.h"
#include "facts/arm.h"
#include "model/network.h"

#include <string.h>

static bool
speaks_of_ssh(const char *text)
{
	if (text == NULL)
		return false;
	if (strcasestr(text, "port") != NULL &&
	    (strcasestr(text, "mgmt") != NULL || strcasestr(text, "management") != NULL))
		return true;
	return strcasestr(text, "ssh") != NULL && strcasestr(text, "internet") != NULL;
}

static bool
forbids_ssh(const char *id, const json_t *body, void *ctx)
{
	const char *name = doc_str(body, "name"), *own = doc_str(body, "id"),
		   *display = doc_str(body, "properties.displayName");
	struct policy *policy = ctx;

	if (doc_is(body, "properties.enforcementMode", "DoNotEnforce") ||
	    (!speaks_of_ssh(name) && !speaks_of_ssh(display)))
		return false;
	policy->id = own != NULL ? own : id;
	policy->name = display != NULL ? display : arm_id_name(policy->id);
	return true;
}

bool
policy_on_ssh(const struct facts *facts, struct policy *ret)
{
	return net_each(facts, "microsoft.authorization/policyassignments", forbids_ssh, ret);
}
