#include "azure/read/follow.h"
#include "facts/arm.h"

#include <stdlib.h>
#include <string.h>

#define FOLLOW_MAX 500 /* resources one VM may refer to */

static void
follow_at(struct vm_reader *reader, const json_t *body, const char *path)
{
	const char *id = doc_str(body, path);

	if (id != NULL)
		follow(reader, id);
}

/* The owner of a part: a NAT rule's or a pool's load balancer. */
static void
follow_owner(struct vm_reader *reader, const char *id)
{
	char parent[ARM_ID_MAX];

	if (id != NULL && arm_id_parent(id, parent, sizeof(parent)) == 0)
		follow(reader, parent);
}

static void
follow_vm(struct vm_reader *reader, const char *id, const json_t *body)
{
	const json_t *nic;
	size_t i;

	(void)id;
	json_array_foreach (doc_list(body, "properties.networkProfile.networkInterfaces"), i, nic)
		follow_at(reader, nic, "id");
}

static void
follow_nic(struct vm_reader *reader, const char *id, const json_t *body)
{
	const json_t *config, *part;
	size_t i, j;

	(void)id;
	follow_at(reader, body, "properties.networkSecurityGroup.id");
	json_array_foreach (doc_list(body, "properties.ipConfigurations"), i, config) {
		follow_at(reader, config, "properties.publicIPAddress.id");
		follow_at(reader, config, "properties.subnet.id");
		json_array_foreach (doc_list(config, "properties.loadBalancerInboundNatRules"), j,
				    part)
			follow_owner(reader, doc_str(part, "id"));
		json_array_foreach (doc_list(config, "properties.loadBalancerBackendAddressPools"),
				    j, part)
			follow_owner(reader, doc_str(part, "id"));
	}
}

static void
follow_subnet(struct vm_reader *reader, const char *id, const json_t *body)
{
	follow_at(reader, body, "properties.networkSecurityGroup.id");
	follow_at(reader, body, "properties.routeTable.id");
	follow_at(reader, body, "properties.natGateway.id");
	follow_owner(reader, id);
}

/* The port of each member under a NAT rule of a pool is told by an action of the pool alone. */
static void
ask_mapping(struct vm_reader *reader, const char *pool, const char *config)
{
	char *path = doc_fmt("%s/queryInboundNatRulePortMapping", pool);
	json_t *body = json_pack("{s:{s:s}}", "ipConfiguration", "id", config);

	reader_ask(
	    reader, &reader->network,
	    &(struct arm_ask){ .method = "POST", .path = path, .body = body, .flags = ARM_LONG });
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
ask_mappings(struct vm_reader *reader, const char *pool)
{
	const char *key;
	const json_t *id, *body, *config;
	size_t i;

	json_object_foreach (reader->seen, key, id) {
		if (strstr(key, "/networkinterfaces/") == NULL ||
		    facts_resource(&reader->facts, key, &body, NULL) != FACT_KNOWN)
			continue;
		json_array_foreach (doc_list(body, "properties.ipConfigurations"), i, config)
			if (doc_str(config, "id") != NULL && in_pool(config, pool))
				ask_mapping(reader, pool, doc_str(config, "id"));
	}
}

static void
follow_balancer(struct vm_reader *reader, const char *id, const json_t *body)
{
	const json_t *front, *rule;
	size_t i;

	(void)id;
	json_array_foreach (doc_list(body, "properties.frontendIPConfigurations"), i, front)
		follow_at(reader, front, "properties.publicIPAddress.id");
	json_array_foreach (doc_list(body, "properties.inboundNatRules"), i, rule) {
		if (doc_get(rule, "properties") == NULL)
			follow_at(reader, rule, "id");
		if (doc_str(rule, "properties.backendAddressPool.id") != NULL)
			ask_mappings(reader, doc_str(rule, "properties.backendAddressPool.id"));
	}
}

static void
follow_firewall(struct vm_reader *reader, const char *id, const json_t *body)
{
	const json_t *config;
	size_t i;

	(void)id;
	follow_at(reader, body, "properties.firewallPolicy.id");
	json_array_foreach (doc_list(body, "properties.ipConfigurations"), i, config)
		follow_at(reader, config, "properties.publicIPAddress.id");
}

static void
follow_policy(struct vm_reader *reader, const char *id, const json_t *body)
{
	const json_t *group;
	size_t i;

	(void)id;
	follow_at(reader, body, "properties.basePolicy.id");
	json_array_foreach (doc_list(body, "properties.ruleCollectionGroups"), i, group)
		follow_at(reader, group, "id");
}

static const struct {
	const char *type;
	void (*follow)(struct vm_reader *reader, const char *id, const json_t *body);
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

static void
follow_body(struct vm_reader *reader, const char *id, const json_t *body)
{
	char type[192];

	if (arm_id_type(id, type, sizeof(type)) < 0)
		return;
	for (size_t i = 0; i < sizeof(followers) / sizeof(*followers); i++)
		if (strcmp(type, followers[i].type) == 0)
			followers[i].follow(reader, id, body);
}

struct step {
	struct vm_reader *reader;
	char *id;
};

static void
step_arrived(void *ctx)
{
	struct step *step = ctx;
	struct vm_reader *reader = step->reader;
	const json_t *body;

	if (facts_resource(&reader->facts, step->id, &body, NULL) == FACT_KNOWN)
		follow_body(reader, step->id, body);
	free(step->id);
	free(step);
	join_end(&reader->network);
}

void
follow(struct vm_reader *reader, const char *id)
{
	char key[ARM_ID_MAX];
	struct arm_id parsed;
	struct step *step;

	if (arm_id_parse(id, &parsed) < 0 || arm_id_key(id, key, sizeof(key)) < 0 ||
	    json_object_get(reader->seen, key) != NULL ||
	    json_object_size(reader->seen) >= FOLLOW_MAX)
		return;
	json_object_set_new(reader->seen, key, json_string(id));
	step = malloc(sizeof(*step));
	*step = (struct step){ reader, strdup(id) };
	join_add(&reader->network);
	fetch_resource(reader->fetches, id, step_arrived, step);
}
