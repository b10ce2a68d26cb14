/* Who is behind a load balancer: members of its pools by network interface or by address, and the
 * probes that decide whether a member gets anything. */
#include "model/balancer.h"
#include "facts/arm.h"

#include <string.h>

static const json_t *
part(const json_t *balancer, const char *list, const char *id)
{
	const json_t *one;
	size_t i;

	json_array_foreach (doc_list(balancer, list), i, one)
		if (arm_id_same(doc_str(one, "id"), id))
			return one;
	return NULL;
}

/* The same private address may be used in another network. */
static bool
in_other_network(const struct net_path *path, const json_t *member, const json_t *pool)
{
	char vnet[ARM_ID_MAX];
	const char *named = doc_str(member, "properties.virtualNetwork.id");

	if (named == NULL)
		named = doc_str(pool, "properties.virtualNetwork.id");
	return named != NULL && arm_id_parent(path->subnet.id, vnet, sizeof(vnet)) == 0 &&
	       !arm_id_same(named, vnet);
}

static bool
is_member(const struct net_path *path, const json_t *member, const json_t *pool)
{
	const char *config = doc_str(member, "properties.networkInterfaceIPConfiguration.id");
	struct ip ip;

	if (config != NULL)
		return arm_id_same(config, path->config_id);
	return path->has_private && ip_parse(doc_str(member, "properties.ipAddress"), &ip) == 0 &&
	       ip_cmp(ip, path->private_ip) == 0 && !in_other_network(path, member, pool);
}

const json_t *
balancer_member(const json_t *balancer, const char *pool_id, const struct net_path *path)
{
	const json_t *pool = part(balancer, "properties.backendAddressPools", pool_id), *member;
	size_t i;

	json_array_foreach (doc_list(pool, "properties.loadBalancerBackendAddresses"), i, member)
		if (is_member(path, member, pool))
			return member;
	return NULL;
}

bool
balancer_pool_has(const json_t *balancer, const char *pool_id, const struct net_path *path)
{
	const json_t *pool = part(balancer, "properties.backendAddressPools", pool_id);

	return pool_id != NULL &&
	       (net_list_has(path->pools, pool_id) ||
		net_list_has(doc_list(pool, "properties.backendIPConfigurations"),
			     path->config_id) ||
		balancer_member(balancer, pool_id, path) != NULL);
}

/* Calls visit for each pool that the rule names: one, or several. */
static bool
each_pool(const json_t *rule, bool (*visit)(const char *id, void *ctx), void *ctx)
{
	const json_t *each;
	size_t i;

	if (visit(doc_str(rule, "properties.backendAddressPool.id"), ctx))
		return true;
	json_array_foreach (doc_list(rule, "properties.backendAddressPools"), i, each)
		if (visit(doc_str(each, "id"), ctx))
			return true;
	return false;
}

struct pools {
	const struct facts *facts;
	const json_t *balancer, *rule;
	const struct net_path *path;
};

static bool
pool_leads(const char *id, void *ctx)
{
	const struct pools *pools = ctx;

	return balancer_pool_has(pools->balancer, id, pools->path);
}

bool
balancer_rule_leads(const json_t *balancer, const json_t *rule, const struct net_path *path)
{
	struct pools pools = { .balancer = balancer, .path = path };

	return each_pool(rule, pool_leads, &pools);
}

/* A rule of the regional load balancer takes what arrives at that front end. */
static bool
front_leads(const struct pools *pools, const char *front)
{
	char id[ARM_ID_MAX];
	struct net_ref regional;
	const json_t *rule;
	size_t i;

	if (arm_id_parent(front, id, sizeof(id)) < 0)
		return false;
	regional = net_ref_by_id(pools->facts, id);
	json_array_foreach (doc_list(regional.body, "properties.loadBalancingRules"), i, rule)
		if (arm_id_same(doc_str(rule, "properties.frontendIPConfiguration.id"), front) &&
		    doc_int(rule, "properties.frontendPort", -1) ==
			doc_int(pools->rule, "properties.backendPort", -2) &&
		    balancer_rule_leads(regional.body, rule, pools->path))
			return true;
	return false;
}

static bool
pool_leads_on(const char *id, void *ctx)
{
	const struct pools *pools = ctx;
	const json_t *member;
	size_t i;

	json_array_foreach (doc_list(part(pools->balancer, "properties.backendAddressPools", id),
				     "properties.loadBalancerBackendAddresses"),
			    i, member)
		if (front_leads(
			pools,
			doc_str(member, "properties.loadBalancerFrontendIPConfiguration.id")))
			return true;
	return false;
}

bool
balancer_leads_on(const struct facts *facts, const json_t *balancer, const json_t *rule,
		  const struct net_path *path)
{
	struct pools pools = { facts, balancer, rule, path };

	return each_pool(rule, pool_leads_on, &pools);
}

bool
balancer_has(const json_t *balancer, const struct net_path *path)
{
	const json_t *pool;
	size_t i;

	json_array_foreach (doc_list(balancer, "properties.backendAddressPools"), i, pool)
		if (balancer_pool_has(balancer, doc_str(pool, "id"), path))
			return true;
	return false;
}

static const char *
probe_word(const char *protocol)
{
	if (doc_same(protocol, "Http"))
		return "HTTP";
	return doc_same(protocol, "Https") ? "HTTPS" : "TCP";
}

void
balancer_read_probe(const json_t *balancer, const json_t *rule, struct address *address)
{
	const json_t *probe =
	    part(balancer, "properties.probes", doc_str(rule, "properties.probe.id"));
	json_int_t port = doc_int(probe, "properties.port", 0);

	if (port <= 0 || port > 65535)
		return;
	address->probe = doc_str(probe, "name") != NULL ? doc_str(probe, "name") : "?";
	address->probe_word = probe_word(doc_str(probe, "properties.protocol"));
	address->probe_port = (int)port;
}

struct search {
	const struct net_path *path;
	const char *id;
};

static bool
has_path(const char *id, const json_t *body, void *ctx)
{
	struct search *search = ctx;

	search->id = doc_str(body, "id") != NULL ? doc_str(body, "id") : id;
	return balancer_has(body, search->path);
}

char *
balancer_of(const struct facts *facts, const struct net_path *path)
{
	const json_t *lists[] = { path->nat_rules, path->pools };
	struct search search = { .path = path };
	char parent[ARM_ID_MAX];

	for (size_t i = 0; i < 2; i++)
		if (arm_id_parent(doc_str(json_array_get(lists[i], 0), "id"), parent,
				  sizeof(parent)) == 0)
			return doc_fmt("%s", parent);
	return net_each(facts, "microsoft.network/loadbalancers", has_path, &search)
		   ? doc_fmt("%s", search.id)
		   : NULL;
}
