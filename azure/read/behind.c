/* From a part of something that has an address (a network interface, a load balancer, a firewall)
 * to the VMs behind it. */
#include "azure/arm/fetch.h"
#include "azure/read/owner.h"
#include "facts/arm.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct hop {
	struct owner *owner;
	char *id, *via;
};

void
owner_hit(struct owner *owner, const char *id)
{
	struct arm_id parsed;

	if (id != NULL && arm_id_parse(id, &parsed) == 0)
		search_add(owner->result.hits, id);
}

/* Rules of the load balancer that lead from the frontend to VMs: the NAT rule of the port if there
 * is one, else every way in. */
static void
through_balancer(struct owner *owner, const json_t *balancer, const char *frontend)
{
	const json_t *rule, *pool, *member;
	size_t i, j;
	bool found = false;

	json_array_foreach (doc_list(balancer, "properties.inboundNatRules"), i, rule)
		if (arm_id_same(doc_str(rule, "properties.frontendIPConfiguration.id"), frontend) &&
		    doc_int(rule, "properties.frontendPort", -1) == owner->port) {
			owner_follow(owner, doc_str(rule, "properties.backendIPConfiguration.id"));
			found = true;
		}
	if (found)
		return;
	json_array_foreach (doc_list(balancer, "properties.inboundNatRules"), i, rule)
		if (arm_id_same(doc_str(rule, "properties.frontendIPConfiguration.id"), frontend))
			owner_follow(owner, doc_str(rule, "properties.backendIPConfiguration.id"));
	json_array_foreach (doc_list(balancer, "properties.backendAddressPools"), i, pool)
		json_array_foreach (doc_list(pool, "properties.backendIPConfigurations"), j, member)
			owner_follow(owner, doc_str(member, "id"));
}

static void
hop_arrived(void *ctx)
{
	struct hop *hop = ctx;
	struct owner *owner = hop->owner;
	struct facts facts = { .doc = owner->azure->web.doc };
	const json_t *body, *why;
	char type[192] = "";

	arm_id_type(hop->id, type, sizeof(type));
	if (facts_resource(&facts, hop->id, &body, &why) == FACT_KNOWN &&
	    strcmp(type, "microsoft.network/networkinterfaces") == 0)
		owner_hit(owner, doc_str(body, "properties.virtualMachine.id"));
	else if (body != NULL && strcmp(type, "microsoft.network/loadbalancers") == 0)
		through_balancer(owner, body, hop->via);
	else if (body == NULL && !doc_is(why, "state", "absent"))
		search_incomplete(&owner->result, why);
	free(hop->id);
	free(hop->via);
	free(hop);
	join_end(&owner->join);
}

/* What the part is a part of leads on. Instances of scale sets say who they are in their path. */
void
owner_follow(struct owner *owner, const char *part)
{
	char parent[ARM_ID_MAX], key[ARM_ID_MAX];
	const char *instance, *nics;
	struct hop *hop;

	if (part == NULL || arm_id_parent(part, parent, sizeof(parent)) < 0)
		return;
	if ((instance = strcasestr(parent, "/virtualMachineScaleSets/")) != NULL &&
	    (nics = strcasestr(instance, "/networkInterfaces/")) != NULL) {
		parent[nics - parent] = '\0';
		owner_hit(owner, parent);
		return;
	}
	if (arm_id_key(parent, key, sizeof(key)) < 0 ||
	    json_object_get(owner->followed, key) != NULL)
		return;
	json_object_set_new(owner->followed, key, json_true());
	search_add(owner->result.way, parent);
	hop = malloc(sizeof(*hop));
	*hop = (struct hop){ owner, strdup(parent), strdup(part) };
	join_add(&owner->join);
	fetch_resource(&owner->azure->fetches, parent, hop_arrived, hop);
}
