/* Which further resources a body names, by its type. */
#include "azure/inside.h"
#include "facts/arm.h"

#include <stdlib.h>
#include <string.h>

static void
follow_at(struct read *read, const json_t *body, const char *path)
{
	const char *id = doc_str(body, path);

	if (id != NULL)
		read_follow(read, id);
}

/* The owner of a part: a NAT rule's or a pool's load balancer. */
static void
follow_owner(struct read *read, const char *id)
{
	char parent[ARM_ID_MAX];

	if (id != NULL && arm_id_parent(id, parent, sizeof(parent)) == 0)
		read_follow(read, parent);
}

static void
follow_vm(struct read *read, const char *id, const json_t *body)
{
	const json_t *nic;
	size_t i;

	(void)id;
	json_array_foreach (doc_list(body, "properties.networkProfile.networkInterfaces"), i, nic)
		follow_at(read, nic, "id");
}

static void
follow_nic(struct read *read, const char *id, const json_t *body)
{
	const json_t *config, *part;
	size_t i, j;

	(void)id;
	follow_at(read, body, "properties.networkSecurityGroup.id");
	json_array_foreach (doc_list(body, "properties.ipConfigurations"), i, config) {
		follow_at(read, config, "properties.publicIPAddress.id");
		follow_at(read, config, "properties.subnet.id");
		json_array_foreach (doc_list(config, "properties.loadBalancerInboundNatRules"), j,
				    part)
			follow_owner(read, doc_str(part, "id"));
		json_array_foreach (doc_list(config, "properties.loadBalancerBackendAddressPools"),
				    j, part)
			follow_owner(read, doc_str(part, "id"));
	}
}

static void
follow_subnet(struct read *read, const char *id, const json_t *body)
{
	follow_at(read, body, "properties.networkSecurityGroup.id");
	follow_at(read, body, "properties.routeTable.id");
	follow_at(read, body, "properties.natGateway.id");
	follow_owner(read, id);
}

/* The port of each member under a NAT rule of a pool is told by an action of the pool alone. */
static void
ask_mapping(struct read *read, const char *pool, const char *config)
{
	char *path = doc_fmt("%s/queryInboundNatRulePortMapping", pool);
	json_t *body = json_pack("{s:{s:s}}", "ipConfiguration", "id", config);

	if (path != NULL && body != NULL)
		read_with(read,
			  &(struct arm_ask){
			      .method = "POST", .path = path, .body = body, .flags = ARM_LONG });
	json_decref(body);
	free(path);
}

static bool
in_pool(const json_t *config, const char *pool)
{
	const json_t *member;
	size_t i;

	json_array_foreach (doc_list(config, "properties.loadBalancerBackendAddressPools"), i,
			    member)
		if (arm_id_same(doc_str(member, "id"), pool))
			return true;
	return false;
}

/* Our configurations in the pool: those of the NICs that have led here. */
static void
ask_mappings(struct read *read, const char *pool)
{
	const char *key;
	const json_t *id, *body, *config;
	size_t i;

	json_object_foreach (read->seen, key, id) {
		if (strstr(key, "/networkinterfaces/") == NULL ||
		    facts_resource(&read->facts, key, &body, NULL) != FACT_KNOWN)
			continue;
		json_array_foreach (doc_list(body, "properties.ipConfigurations"), i, config)
			if (doc_str(config, "id") != NULL && in_pool(config, pool))
				ask_mapping(read, pool, doc_str(config, "id"));
	}
}

static void
follow_balancer(struct read *read, const char *id, const json_t *body)
{
	const json_t *front, *rule;
	size_t i;

	(void)id;
	json_array_foreach (doc_list(body, "properties.frontendIPConfigurations"), i, front)
		follow_at(read, front, "properties.publicIPAddress.id");
	json_array_foreach (doc_list(body, "properties.inboundNatRules"), i, rule) {
		if (doc_get(rule, "properties") == NULL)
			follow_at(read, rule, "id");
		if (doc_str(rule, "properties.backendAddressPool.id") != NULL)
			ask_mappings(read, doc_str(rule, "properties.backendAddressPool.id"));
	}
}

static void
follow_firewall(struct read *read, const char *id, const json_t *body)
{
	const json_t *config;
	size_t i;

	(void)id;
	follow_at(read, body, "properties.firewallPolicy.id");
	json_array_foreach (doc_list(body, "properties.ipConfigurations"), i, config)
		follow_at(read, config, "properties.publicIPAddress.id");
}

static void
follow_policy(struct read *read, const char *id, const json_t *body)
{
	const json_t *group;
	size_t i;

	(void)id;
	follow_at(read, body, "properties.basePolicy.id");
	json_array_foreach (doc_list(body, "properties.ruleCollectionGroups"), i, group)
		follow_at(read, group, "id");
}

static const struct {
	const char *type;
	void (*follow)(struct read *read, const char *id, const json_t *body);
} followers[] = {
	{ "microsoft.compute/virtualmachines", follow_vm },
	{ "microsoft.compute/virtualmachinescalesets/virtualmachines", follow_vm },
	{ "microsoft.network/networkinterfaces", follow_nic },
	{ "microsoft.compute/virtualmachinescalesets/virtualmachines/networkinterfaces",
	  follow_nic },
	{ "microsoft.network/virtualnetworks/subnets", follow_subnet },
	{ "microsoft.network/loadbalancers", follow_balancer },
	{ "microsoft.network/azurefirewalls", follow_firewall },
	{ "microsoft.network/firewallpolicies", follow_policy },
};

void
follow_body(struct read *read, const char *id, const json_t *body)
{
	char type[192];

	if (arm_id_type(id, type, sizeof(type)) < 0)
		return;
	for (size_t i = 0; i < sizeof(followers) / sizeof(*followers); i++)
		if (strcmp(type, followers[i].type) == 0)
			followers[i].follow(read, id, body);
}
