#include "model/address.h"
#include "facts/arm.h"
#include "model/public_ip.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct search {
	const struct facts *facts;
	const struct net_path *path;
	int backend_port;
	struct dnat_wish wish;
	const char *wanted; /* address to find the owner of, or a policy's id */
	const char *id;     /* of the firewall being looked at */
	struct dnat dnat;
	struct firewall owner;
};

/* Classic rules say protocols, those of a policy ipProtocols. */
static bool
rule_is_tcp(const json_t *rule)
{
	const json_t *list = doc_list(rule, "protocols"), *word;
	size_t i;

	if (list == NULL && (list = doc_list(rule, "ipProtocols")) == NULL)
		return true;
	json_array_foreach (list, i, word)
		if (doc_same(json_string_value(word), "TCP") ||
		    doc_same(json_string_value(word), "Any"))
			return true;
	return false;
}

static enum dnat_source
in_prefixes(const json_t *list, struct ip source)
{
	enum dnat_source found = DNAT_FOR_OTHERS;
	const json_t *prefix;
	size_t i;

	json_array_foreach (list, i, prefix) {
		const char *text = json_string_value(prefix), *dash = strchr(text ? text : "", '-');
		struct ip_range range;
		char from[IP_TEXT_MAX];

		if (doc_same(text, "*"))
			return DNAT_FOR_US;
		if (dash != NULL && dash - text < IP_TEXT_MAX) {
			snprintf(from, sizeof(from), "%.*s", (int)(dash - text), text);
			if (ip_parse(from, &range.from) < 0 || ip_parse(dash + 1, &range.to) < 0)
				found = DNAT_DEPENDS;
			else if (range_has(&range, source))
				return DNAT_FOR_US;
		} else if (prefix_parse(text, &range) < 0) {
			found = DNAT_DEPENDS;
		} else if (range_has(&range, source)) {
			return DNAT_FOR_US;
		}
	}
	return found;
}

/* Does the rule forward for the source that we come from? Its sources are a filter like those of a
 * security rule, by prefixes and IP groups; an IP group that was not read holds us or not. */
static enum dnat_source
rule_takes_source(const struct search *search, const json_t *rule)
{
	const json_t *list = doc_list(rule, "sourceAddresses"),
		     *groups = doc_list(rule, "sourceIpGroups"), *id;
	enum dnat_source found, one;
	struct ip source;
	size_t i;

	if (json_array_size(list) == 0 && json_array_size(groups) == 0)
		return DNAT_FOR_US;
	if (ip_parse(FACTS_GET(search->facts, source, ip), &source) < 0)
		return json_array_size(list) == 1 &&
			       doc_same(json_string_value(json_array_get(list, 0)), "*")
			   ? DNAT_FOR_US
			   : DNAT_DEPENDS;
	found = in_prefixes(list, source);
	json_array_foreach (groups, i, id) {
		struct net_ref group = net_ref_by_id(search->facts, json_string_value(id));

		one = group.state == FACT_KNOWN
			  ? in_prefixes(doc_list(group.body, "properties.ipAddresses"), source)
			  : DNAT_DEPENDS;
		if (found == DNAT_FOR_OTHERS || one == DNAT_FOR_US)
			found = one;
	}
	return found;
}

/* The sources as the rule has them: prefixes, then the names of IP groups. */
static const char *
first_source(const json_t *rule)
{
	const char *prefix =
	    json_string_value(json_array_get(doc_list(rule, "sourceAddresses"), 0));

	return prefix != NULL ? prefix
			      : arm_id_name(json_string_value(
				    json_array_get(doc_list(rule, "sourceIpGroups"), 0)));
}

static bool
rule_leads_here(const struct search *search, const json_t *rule)
{
	struct ip target;

	return search->path->has_private &&
	       ip_parse(doc_str(rule, "translatedAddress"), &target) == 0 &&
	       ip_cmp(target, search->path->private_ip) == 0 &&
	       doc_int(rule, "translatedPort", 0) == search->backend_port && rule_is_tcp(rule);
}

/* The address that was asked for if the rule is for it, else its first one. */
static const char *
front_address(const struct search *search, const json_t *rule)
{
	const json_t *list = doc_list(rule, "destinationAddresses"), *one;
	size_t i;

	json_array_foreach (list, i, one)
		if (doc_same(json_string_value(one), search->wish.host))
			return search->wish.host;
	return json_string_value(json_array_get(list, 0));
}

/* "2222" or "2200-2299": the port that was asked for if the rule is for it, else its first one; 0
 * for none. */
static int
front_port(const struct search *search, const json_t *rule)
{
	const json_t *list = doc_list(rule, "destinationPorts"), *one;
	long first = 0;
	size_t i;

	json_array_foreach (list, i, one) {
		const char *text = json_string_value(one);
		char *end = NULL;
		long from = text != NULL ? strtol(text, &end, 10) : 0,
		     to = from > 0 && *end == '-' ? strtol(end + 1, NULL, 10) : from;

		if (from <= 0 || to > 65535)
			continue;
		if (search->wish.port >= from && search->wish.port <= to)
			return search->wish.port;
		first = first == 0 ? from : first;
	}
	return (int)first;
}

/* Keeps the rule that fits best; true when it is for us for certain. */
static bool
take_rules(struct search *search, const json_t *rules, const char *firewall)
{
	const json_t *rule;
	size_t i;

	json_array_foreach (rules, i, rule) {
		const char *address = front_address(search, rule);
		int port = front_port(search, rule);
		enum dnat_source takes;

		if (!rule_leads_here(search, rule) || address == NULL || port == 0)
			continue;
		takes = rule_takes_source(search, rule);
		if (search->dnat.rule != NULL && takes >= search->dnat.takes)
			continue;
		search->dnat = (struct dnat){ .rule = doc_str(rule, "name"),
					      .firewall_id = firewall,
					      .firewall = arm_id_name(firewall),
					      .address = address,
					      .source = first_source(rule),
					      .takes = takes,
					      .port = port };
		if (search->dnat.rule == NULL)
			search->dnat.rule = "?";
	}
	return search->dnat.rule != NULL && search->dnat.takes == DNAT_FOR_US;
}

static bool
visit_firewall(const char *id, const json_t *body, void *ctx)
{
	struct search *search = ctx;
	const json_t *collection;
	size_t i;

	json_array_foreach (doc_list(body, "properties.natRuleCollections"), i, collection)
		if (take_rules(search, doc_list(collection, "properties.rules"),
			       doc_str(body, "id") != NULL ? doc_str(body, "id") : id))
			return true;
	return false;
}

/* A firewall under that policy. One that inherits from it does not count: NAT rules are not
 * inherited, since each is for the addresses of one firewall. */
static bool
under_policy(const char *id, const json_t *body, void *ctx)
{
	struct search *search = ctx;

	if (!arm_id_same(doc_str(body, "properties.firewallPolicy.id"), search->wanted))
		return false;
	search->id = doc_str(body, "id") != NULL ? doc_str(body, "id") : id;
	return true;
}

static bool
visit_policy_group(const char *id, const json_t *body, void *ctx)
{
	struct search *search = ctx;
	struct search owner = { .facts = search->facts };
	char policy[ARM_ID_MAX];
	const json_t *collection;
	size_t i;

	if (arm_id_parent(id, policy, sizeof(policy)) < 0)
		return false;
	owner.wanted = policy;
	if (!net_each(search->facts, "microsoft.network/azurefirewalls", under_policy, &owner))
		return false;
	json_array_foreach (doc_list(body, "properties.ruleCollections"), i, collection)
		if (doc_is(collection, "ruleCollectionType", "FirewallPolicyNatRuleCollection") &&
		    take_rules(search, doc_list(collection, "rules"), owner.id))
			return true;
	return false;
}

bool
firewall_dnat_for(const struct facts *facts, const struct net_path *path, int backend_port,
		  const struct dnat_wish *wish, struct dnat *ret)
{
	struct search search = {
		.facts = facts, .path = path, .backend_port = backend_port, .wish = *wish
	};

	if (!net_each(facts, "microsoft.network/azurefirewalls", visit_firewall, &search) &&
	    !net_each(facts, "microsoft.network/firewallpolicies/rulecollectiongroups",
		      visit_policy_group, &search))
		if (search.dnat.rule == NULL)
			return false;
	*ret = search.dnat;
	return true;
}

/* The public addresses of a firewall in a virtual hub stand in its own body. */
static bool
hub_has_address(const json_t *body, struct search *search)
{
	const json_t *list = doc_list(body, "properties.hubIPAddresses.publicIPs.addresses"), *one;
	bool has = doc_is(body, "properties.hubIPAddresses.privateIPAddress", search->wanted);
	size_t i;

	json_array_foreach (list, i, one) {
		const char *address = doc_str(one, "address");

		if (search->owner.address == NULL)
			search->owner.address = address;
		has = has || doc_same(address, search->wanted);
	}
	return has;
}

static bool
owns_address(const char *id, const json_t *body, void *ctx)
{
	struct search *search = ctx;
	const json_t *configs = doc_list(body, "properties.ipConfigurations"), *config;
	const char *own = doc_str(body, "id");
	struct firewall *owner = &search->owner;
	bool owns;
	size_t i;

	*owner = (struct firewall){ .id = own != NULL ? own : id,
				    .policy = doc_str(body, "properties.firewallPolicy.id"),
				    .hub = doc_str(body, "properties.virtualHub.id"),
				    .subnet = doc_str(json_array_get(configs, 0),
						      "properties.subnet.id") };
	owns = hub_has_address(body, search);
	json_array_foreach (configs, i, config) {
		struct net_ref ref =
		    net_ref_follow(search->facts, doc_get(config, "properties.publicIPAddress"));
		const char *address = public_ip_view(&ref).address;

		owner->address = owner->address != NULL ? owner->address : address;
		owns = owns || doc_same(address, search->wanted) ||
		       doc_is(config, "properties.privateIPAddress", search->wanted);
	}
	return owns;
}

bool
firewall_by_address(const struct facts *facts, const char *address, struct firewall *ret)
{
	struct search search = { .facts = facts, .wanted = address };

	if (address == NULL ||
	    !net_each(facts, "microsoft.network/azurefirewalls", owns_address, &search))
		return false;
	*ret = search.owner;
	return true;
}
