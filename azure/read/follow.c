#include "azure/read/reader.h"
#include "facts/arm.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FOLLOW_MAX 500 /* resources one VM may refer to */

#define CONFIGS "properties.ipConfigurations[].properties."

/* Where a body of that type names another resource; parent: it names a part of it. */
static const struct reference {
	const char *type, *path;
	bool parent;
} references[] = {
	{ "virtualMachines", "properties.networkProfile.networkInterfaces[].id", false },
	{ "networkInterfaces", "properties.networkSecurityGroup.id", false },
	{ "networkInterfaces", CONFIGS "publicIPAddress.id", false },
	{ "networkInterfaces", CONFIGS "subnet.id", false },
	{ "networkInterfaces", CONFIGS "loadBalancerInboundNatRules[].id", true },
	{ "networkInterfaces", CONFIGS "loadBalancerBackendAddressPools[].id", true },
	{ "subnets", "properties.networkSecurityGroup.id", false },
	{ "subnets", "properties.routeTable.id", false },
	{ "subnets", "properties.natGateway.id", false },
	{ "subnets", "id", true },
	{ "loadBalancers", "properties.frontendIPConfigurations[].properties.publicIPAddress.id",
	  false },
	{ "loadBalancers",
	  "properties.backendAddressPools[].properties.loadBalancerBackendAddresses[].properties."
	  "loadBalancerFrontendIPConfiguration.id",
	  true },
	{ "azureFirewalls", "properties.firewallPolicy.id", false },
	{ "azureFirewalls", CONFIGS "publicIPAddress.id", false },
	{ "azureFirewalls", "properties.virtualHub.id", false },
	{ "firewallPolicies", "properties.ruleCollectionGroups[].id", false },
};

static void
follow_path(struct vm_reader *reader, const json_t *body, const char *path, bool parent)
{
	const char *list = strstr(path, "[]."), *id = doc_str(body, path);
	char *name, owner[ARM_ID_MAX];
	const json_t *item;
	size_t i;

	if (list != NULL) {
		name = strndup(path, (size_t)(list - path));
		json_array_foreach (doc_list(body, name), i, item)
			follow_path(reader, item, list + 3, parent);
		free(name);
	} else if (!parent && id != NULL) {
		reader_follow(reader, id);
	} else if (id != NULL && arm_id_parent(id, owner, sizeof(owner)) == 0) {
		reader_follow(reader, owner);
	}
}

/* ---- NAT rules of a pool ---- */

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
follow_nat_rules(struct vm_reader *reader, const json_t *balancer)
{
	const json_t *rule;
	size_t i;

	json_array_foreach (doc_list(balancer, "properties.inboundNatRules"), i, rule) {
		if (doc_get(rule, "properties") == NULL)
			follow_path(reader, rule, "id", false);
		if (doc_str(rule, "properties.backendAddressPool.id") != NULL)
			ask_mappings(reader, doc_str(rule, "properties.backendAddressPool.id"));
	}
}

/* ---- the sources of DNAT rules ---- */

static void
follow_ip_groups(struct vm_reader *reader, const json_t *rules)
{
	const json_t *rule, *group;
	size_t i, j;

	json_array_foreach (rules, i, rule)
		if (doc_str(rule, "translatedAddress") != NULL)
			json_array_foreach (doc_list(rule, "sourceIpGroups"), j, group)
				if (json_is_string(group))
					reader_follow(reader, json_string_value(group));
}

/* Of a firewall with rules of its own, and of a policy's rule collection group. */
static void
follow_dnat_rules(struct vm_reader *reader, const json_t *body)
{
	const json_t *collection;
	size_t i;

	json_array_foreach (doc_list(body, "properties.natRuleCollections"), i, collection)
		follow_ip_groups(reader, doc_list(collection, "properties.rules"));
	json_array_foreach (doc_list(body, "properties.ruleCollections"), i, collection)
		follow_ip_groups(reader, doc_list(collection, "rules"));
}

/* ---- every resource ---- */

static void
follow_body(struct vm_reader *reader, const char *id, const json_t *body)
{
	struct arm_id parsed;

	if (arm_id_parse(id, &parsed) < 0)
		return;
	for (size_t i = 0; i < sizeof(references) / sizeof(*references); i++) {
		const struct reference *to = &references[i];

		if (strlen(to->type) == parsed.type.len &&
		    strncasecmp(to->type, parsed.type.at, parsed.type.len) == 0)
			follow_path(reader, body, to->path, to->parent);
	}
	follow_nat_rules(reader, body);
	follow_dnat_rules(reader, body);
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

	fetch_share(reader->fetches, step->id, reader->facts.doc);
	if (facts_resource(&reader->facts, step->id, &body, NULL) == FACT_KNOWN)
		follow_body(reader, step->id, body);
	free(step->id);
	free(step);
	join_end(&reader->network);
}

void
reader_follow(struct vm_reader *reader, const char *id)
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
