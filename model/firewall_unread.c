/* A firewall whose rules are those of a policy is known only with the policy and all its groups of
 * rules; NAT rules are not inherited. */
#include "model/address.h"
#include "facts/arm.h"

#include <stdio.h>

struct search {
	const struct facts *facts;
	const struct net_path *path;
	char *buf;
	size_t size;
};

static bool
missing(struct search *search, const char *id)
{
	if (id == NULL || net_ref_by_id(search->facts, id).state == FACT_KNOWN)
		return false;
	snprintf(search->buf, search->size, "%s", id);
	return true;
}

static bool
policy_unread(struct search *search, const char *id)
{
	const json_t *body = net_ref_by_id(search->facts, id).body, *group;
	size_t i;

	if (missing(search, id))
		return true;
	json_array_foreach (doc_list(body, "properties.ruleCollectionGroups"), i, group)
		if (missing(search, doc_str(group, "id")))
			return true;
	return false;
}

static bool
visit(const char *id, const json_t *body, void *ctx)
{
	struct search *search = ctx;
	const json_t *config = json_array_get(doc_list(body, "properties.ipConfigurations"), 0);
	const char *policy = doc_str(body, "properties.firewallPolicy.id");
	char vnet[ARM_ID_MAX];

	(void)id;
	if (policy == NULL ||
	    arm_id_parent(doc_str(config, "properties.subnet.id"), vnet, sizeof(vnet)) < 0 ||
	    !net_reaches(search->path, vnet))
		return false;
	return policy_unread(search, policy);
}

bool
firewall_unread(const struct facts *facts, const struct net_path *path, char *buf, size_t size)
{
	struct search search = { .facts = facts, .path = path, .buf = buf, .size = size };

	return path != NULL && net_each(facts, "microsoft.network/azurefirewalls", visit, &search);
}
