#include "model/balancer.h"
#include "facts/arm.h"
#include "model/public_ip.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SSH_PORT 22
#define FRONT_PORT 50001 /* the first one proposed for a new NAT rule */

struct search {
	const struct facts *facts;
	const struct net_path *path;
	const json_t *balancer; /* body */
	int ssh_port;
	bool given;
	size_t index;
	struct address *list;
	size_t room, count;
};

/* The front end's body by its id, within the load balancer. */
static const json_t *
front_end(const struct search *search, const char *id)
{
	const json_t *front;
	size_t i;

	json_array_foreach (doc_list(search->balancer, "properties.frontendIPConfigurations"), i,
			    front)
		if (arm_id_same(doc_str(front, "id"), id))
			return front;
	return NULL;
}

/* Host, name and allocation of the front end a rule uses; false when it has no address that we
 * know. */
static bool
fill_front(const struct search *search, const json_t *rule, struct address *address)
{
	const json_t *front =
	    front_end(search, doc_str(rule, "properties.frontendIPConfiguration.id"));
	struct net_ref pip =
	    net_ref_follow(search->facts, doc_get(front, "properties.publicIPAddress"));
	const struct public_ip view = public_ip_view(&pip);
	const char *host = view.address;

	address->internal =
	    pip.state == FACT_ABSENT && doc_str(front, "properties.privateIPAddress") != NULL;
	if (address->internal)
		host = doc_str(front, "properties.privateIPAddress");
	address->sku = doc_str(search->balancer, "sku.name") != NULL
			   ? doc_str(search->balancer, "sku.name")
			   : view.sku;
	address->allocation = view.allocation;
	address->fqdn = view.fqdn;
	if (host == NULL)
		return false;
	snprintf(address->host, sizeof(address->host), "%s", host);
	return true;
}

/* The front end port that a list of mappings has for the rule; 0 when it has none. */
static int
mapped_port(const json_t *list, const json_t *rule, int *backend)
{
	const json_t *mapping;
	size_t i;

	json_array_foreach (list, i, mapping)
		if (doc_same(doc_str(mapping, "inboundNatRuleName"), doc_str(rule, "name"))) {
			*backend = (int)doc_int(mapping, "backendPort", *backend);
			return (int)doc_int(mapping, "frontendPort", 0);
		}
	return 0;
}

/* The port of this member under a pool NAT rule: as Azure maps it, or the only one of the range. */
static int
pool_port(const struct search *search, const json_t *rule, int *backend)
{
	const char *pool = doc_str(rule, "properties.backendAddressPool.id");
	json_int_t from = doc_int(rule, "properties.frontendPortRangeStart", 0),
		   to = doc_int(rule, "properties.frontendPortRangeEnd", 0);
	char *id = pool != NULL ? doc_fmt("%s/queryInboundNatRulePortMapping", pool) : NULL;
	const json_t *body = NULL, *member = balancer_member(search->balancer, pool, search->path);
	int port;

	if (id != NULL)
		facts_resource(search->facts, id, &body, NULL);
	free(id);
	port = mapped_port(doc_list(body, "inboundNatRulePortMappings"), rule, backend);
	if (port == 0)
		port = mapped_port(doc_list(member, "properties.inboundNatRulesPortMapping"), rule,
				   backend);
	return port == 0 && from == to ? (int)from : port;
}

static bool
nat_rule_leads_here(const struct search *search, const json_t *rule)
{
	const struct net_path *path = search->path;
	const char *pool = doc_str(rule, "properties.backendAddressPool.id");

	return arm_id_same(doc_str(rule, "properties.backendIPConfiguration.id"),
			   path->config_id) ||
	       net_list_has(path->nat_rules, doc_str(rule, "id")) ||
	       balancer_pool_has(search->balancer, pool, path);
}

static bool
rule_is_tcp(const json_t *rule)
{
	return doc_is(rule, "properties.protocol", "Tcp") ||
	       doc_is(rule, "properties.protocol", "All");
}

/* A rule for all ports ("high availability ports") leaves the port as it is. */
static bool
is_for_all_ports(const json_t *rule)
{
	return doc_is(rule, "properties.protocol", "All") &&
	       doc_int(rule, "properties.frontendPort", -1) == 0 &&
	       doc_int(rule, "properties.backendPort", 0) == 0;
}

/* A rule serves when it leads to the SSH port: the one that ssh connects to (in front or behind),
 * else 22. */
static void
try_rule(struct search *search, const json_t *rule, enum address_kind kind)
{
	struct address address = { .kind = kind,
				   .path = search->index,
				   .name = doc_str(rule, "name"),
				   .id = doc_str(rule, "id"),
				   .floating =
				       doc_bool(rule, "properties.enableFloatingIP", false) };
	json_int_t front = doc_int(rule, "properties.frontendPort", 0),
		   back = doc_int(rule, "properties.backendPort", 0);
	bool wanted;

	if (!rule_is_tcp(rule) || search->count >= search->room || front < 0 || front > 65535 ||
	    back < 0 || back > 65535)
		return;
	address.port = (int)front;
	address.backend_port = (int)back;
	if (kind == ADDRESS_NAT_RULE && doc_get(rule, "properties.frontendPortRangeStart") != NULL)
		address.port = pool_port(search, rule, &address.backend_port);
	if (is_for_all_ports(rule))
		address.port = address.backend_port = search->ssh_port;
	wanted = address.port == search->ssh_port;
	if (address.backend_port != SSH_PORT && address.backend_port != search->ssh_port && !wanted)
		return;
	if (address.name == NULL)
		address.name = arm_id_name(address.id);
	if (!fill_front(search, rule, &address))
		return;
	balancer_read_probe(search->balancer, rule, &address);
	search->list[search->count++] = address;
	if (wanted && search->given &&
	    search->count > 1) { /* the one that was asked for comes first */
		search->list[search->count - 1] = search->list[0];
		search->list[0] = address;
	}
}

static void
try_balancer(struct search *search)
{
	const json_t *rule;
	size_t i;

	json_array_foreach (doc_list(search->balancer, "properties.inboundNatRules"), i, rule) {
		struct net_ref full = net_ref_follow(search->facts, rule);

		rule = doc_get(rule, "properties") == NULL && full.body != NULL ? full.body : rule;
		if (nat_rule_leads_here(search, rule))
			try_rule(search, rule, ADDRESS_NAT_RULE);
	}
	json_array_foreach (doc_list(search->balancer, "properties.loadBalancingRules"), i, rule)
		if (balancer_rule_leads(search->balancer, rule, search->path) ||
		    balancer_leads_on(search->facts, search->balancer, rule, search->path))
			try_rule(search, rule, ADDRESS_LB_RULE);
}

static bool
visit_balancer(const char *id, const json_t *body, void *ctx)
{
	struct search *search = ctx;

	(void)id;
	search->balancer = body;
	try_balancer(search);
	return false;
}

size_t
balancer_ways(const struct facts *facts, const struct net_path *path, size_t index, int ssh_port,
	      bool given, struct address *list, size_t room)
{
	struct search search = { .facts = facts,
				 .path = path,
				 .ssh_port = ssh_port,
				 .given = given,
				 .index = index,
				 .list = list,
				 .room = room };

	net_each(facts, "microsoft.network/loadbalancers", visit_balancer, &search);
	return search.count;
}

/* A front end's public IP that was not read. */
static struct net_ref
front_unread(const struct facts *facts, const json_t *balancer)
{
	const json_t *front;
	size_t i;

	json_array_foreach (doc_list(balancer, "properties.frontendIPConfigurations"), i, front) {
		struct net_ref pip =
		    net_ref_follow(facts, doc_get(front, "properties.publicIPAddress"));

		if (pip.state == FACT_UNKNOWN)
			return pip;
	}
	return (struct net_ref){ .state = FACT_ABSENT };
}

struct net_ref
balancer_unread(const struct facts *facts, const struct net_path *path, char *buf, size_t size)
{
	const json_t *lists[] = { path->nat_rules, path->pools }, *entry;
	size_t i;

	for (size_t list = 0; list < 2; list++)
		json_array_foreach (lists[list], i, entry) {
			struct net_ref ref;

			if (arm_id_parent(doc_str(entry, "id"), buf, size) < 0)
				continue;
			ref = net_ref_by_id(facts, buf);
			if (ref.state != FACT_KNOWN)
				return ref;
			ref = front_unread(facts, ref.body);
			if (ref.state == FACT_UNKNOWN)
				return ref;
		}
	return (struct net_ref){ .state = FACT_ABSENT };
}

static bool
port_in_use(const json_t *balancer, json_int_t port)
{
	static const char *const lists[] = { "properties.inboundNatRules",
					     "properties.loadBalancingRules" };
	const json_t *rule;
	size_t i;

	for (size_t list = 0; list < 2; list++)
		json_array_foreach (doc_list(balancer, lists[list]), i, rule)
			if (doc_int(rule, "properties.frontendPort", 0) == port ||
			    (doc_int(rule, "properties.frontendPortRangeStart", 65536) <= port &&
			     doc_int(rule, "properties.frontendPortRangeEnd", 0) >= port))
				return true;
	return false;
}

int
balancer_free_port(const struct facts *facts, const char *id)
{
	const struct net_ref balancer = net_ref_by_id(facts, id);
	int port = FRONT_PORT;

	while (port < FRONT_PORT + 1000 && port_in_use(balancer.body, port))
		port++;
	return port;
}

const char *
balancer_public_front(const struct facts *facts, const char *id)
{
	const struct net_ref balancer = net_ref_by_id(facts, id);
	const json_t *front;
	const char *name;
	size_t i;

	json_array_foreach (doc_list(balancer.body, "properties.frontendIPConfigurations"), i,
			    front)
		if (doc_get(front, "properties.publicIPAddress") != NULL &&
		    (name = doc_str(front, "name")) != NULL)
			return name;
	return NULL;
}

/* A single rule for that port of the VM which has no target yet. */
static bool
is_idle(const json_t *rule, int ssh_port)
{
	json_int_t front = doc_int(rule, "properties.frontendPort", 0),
		   back = doc_int(rule, "properties.backendPort", 0);

	return rule_is_tcp(rule) && front > 0 && front <= 65535 &&
	       (back == SSH_PORT || back == ssh_port) && doc_str(rule, "name") != NULL &&
	       doc_get(rule, "properties.backendIPConfiguration") == NULL &&
	       doc_get(rule, "properties.backendAddressPool") == NULL;
}

bool
balancer_idle_rule(const struct facts *facts, const char *id, int ssh_port, struct address *ret)
{
	const struct net_ref balancer = net_ref_by_id(facts, id);
	const struct search search = { .facts = facts, .balancer = balancer.body };
	const json_t *rule;
	size_t i;

	json_array_foreach (doc_list(balancer.body, "properties.inboundNatRules"), i, rule) {
		struct net_ref full = net_ref_follow(facts, rule);

		rule = doc_get(rule, "properties") == NULL && full.body != NULL ? full.body : rule;
		*ret = (struct address){ .kind = ADDRESS_NAT_RULE,
					 .name = doc_str(rule, "name"),
					 .id = doc_str(rule, "id") };
		if (!is_idle(rule, ssh_port) || !fill_front(&search, rule, ret))
			continue;
		ret->port = (int)doc_int(rule, "properties.frontendPort", 0);
		ret->backend_port = (int)doc_int(rule, "properties.backendPort", 0);
		return true;
	}
	return false;
}
