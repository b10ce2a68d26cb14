/* Effective security rules and routes of a network interface, derived from its raw groups and
 * routes. */
#include "tests/sim/sim.h"

#include <stdlib.h>
#include <string.h>

json_t *
vm_of_nic(const struct sim *sim, const json_t *nic)
{
	const char *id = json_text_at(nic, "properties.virtualMachine.id");

	return id != NULL ? resource_find(sim, id) : NULL;
}

json_t *
subnet_of_nic(const struct sim *sim, const json_t *nic)
{
	const json_t *first = json_array_get(json_at(nic, "properties.ipConfigurations"), 0);
	const char *id = json_text_at(first, "properties.subnet.id");

	return id != NULL ? resource_find(sim, id) : NULL;
}

json_t *
vnet_of_subnet(const struct sim *sim, const json_t *subnet)
{
	const char *id = json_text_at(subnet, "id");
	struct arm arm;
	json_t *vnet;
	char *above;

	if (id == NULL || arm_parse(id, &arm) < 0)
		return NULL;
	above = arm_prefix(&arm, arm.count < 2 ? 0 : arm.count - 2);
	vnet = resource_find(sim, above);
	free(above);
	arm_free(&arm);
	return vnet;
}

static void
append_strings(json_t *list, const json_t *from)
{
	json_t *value;
	size_t i;

	json_array_foreach ((json_t *)(uintptr_t)from, i, value)
		json_array_append(list, value);
}

/* What a service tag stands for; NULL when it is no tag known here. */
static json_t *
tag_prefixes(const char *tag, const json_t *vnet)
{
	static const char *const internet[] = {
		"1.0.0.0/8",      "2.0.0.0/7",      "4.0.0.0/6",      "8.0.0.0/7",
		"11.0.0.0/8",     "12.0.0.0/6",     "16.0.0.0/4",     "32.0.0.0/3",
		"64.0.0.0/3",     "96.0.0.0/6",     "100.0.0.0/10",   "100.128.0.0/9",
		"101.0.0.0/8",    "102.0.0.0/7",    "104.0.0.0/5",    "112.0.0.0/5",
		"120.0.0.0/6",    "124.0.0.0/7",    "126.0.0.0/8",    "128.0.0.0/3",
		"160.0.0.0/5",    "168.0.0.0/6",    "172.0.0.0/12",   "172.32.0.0/11",
		"172.64.0.0/10",  "172.128.0.0/9",  "173.0.0.0/8",    "174.0.0.0/7",
		"176.0.0.0/4",    "192.0.0.0/9",    "192.128.0.0/11", "192.160.0.0/13",
		"192.169.0.0/16", "192.170.0.0/15", "192.172.0.0/14", "192.176.0.0/12",
		"192.192.0.0/10", "193.0.0.0/8",    "194.0.0.0/7",    "196.0.0.0/6",
		"200.0.0.0/5",    "208.0.0.0/4"
	};
	json_t *list = json_array(), *peering;
	size_t i;

	if (text_same(tag, "VirtualNetwork")) {
		append_strings(list, json_at(vnet, "properties.addressSpace.addressPrefixes"));
		json_array_foreach (json_at(vnet, "properties.virtualNetworkPeerings"), i, peering)
			append_strings(
			    list,
			    json_at(peering, "properties.remoteAddressSpace.addressPrefixes"));
		json_array_append_new(list, json_string("168.63.129.16/32"));
	} else if (text_same(tag, "AzureLoadBalancer")) {
		json_array_append_new(list, json_string("168.63.129.16/32"));
	} else if (text_same(tag, "Internet")) {
		for (i = 0; i < sizeof internet / sizeof internet[0]; i++)
			json_array_append_new(list, json_string(internet[i]));
	} else {
		json_decref(list);
		list = NULL;
	}
	return list;
}

/* Addresses of the interfaces that belong to one of these application security groups. */
static void
append_members(const struct sim *sim, const json_t *groups, json_t *list)
{
	json_t *nic, *configuration, *member, *group;
	const char *id;
	size_t i, k, g;

	json_object_foreach (sim->resources, id, nic) {
		if (text_find(id, "/networkinterfaces/") == NULL)
			continue;
		json_array_foreach (json_at(nic, "properties.ipConfigurations"), i, configuration) {
			json_array_foreach (
			    json_at(configuration, "properties.applicationSecurityGroups"), k,
			    member) {
				json_array_foreach ((json_t *)(uintptr_t)groups, g, group) {
					char *host;

					if (!text_same(json_text_at(group, "id"),
						       json_text_at(member, "id")) ||
					    json_text_at(configuration,
							 "properties.privateIPAddress") == NULL)
						continue;
					host = text_format(
					    "%s/32", json_text_at(configuration,
								  "properties.privateIPAddress"));
					json_array_append_new(list, json_string(host));
					free(host);
				}
			}
		}
	}
}

static json_t *
effective_prefix(const char *prefix)
{
	char *host;
	json_t *value;

	if (prefix == NULL)
		return json_string("");
	if (strcmp(prefix, "*") == 0 || text_same(prefix, "Any"))
		return json_string("0.0.0.0/0");
	host = text_format(strchr(prefix, ':') != NULL ? "%s/128" : "%s/32", prefix);
	value = strpbrk(prefix, ".:") != NULL && strchr(prefix, '/') == NULL && *prefix >= '0' &&
			*prefix <= '9'
		    ? json_string(host)
		    : json_bytes(prefix);
	free(host);
	return value;
}

static void
put_addresses(const struct sim *sim, json_t *to, const json_t *rule, const char *side,
	      const json_t *vnet)
{
	char *one = text_format("%sAddressPrefix", side),
	     *many = text_format("%sAddressPrefixes", side);
	char *groups = text_format("%sApplicationSecurityGroups", side),
	     *expanded = text_format("expanded%c%sAddressPrefix", *side - 'a' + 'A', side + 1);
	const char *single = json_text_at(rule, one);
	json_t *list = json_array(), *prefix, *wide;
	size_t i;

	if (single != NULL && *single != '\0')
		json_array_append_new(list, effective_prefix(single));
	json_array_foreach (json_object_get(rule, many), i, prefix)
		json_array_append_new(list, effective_prefix(json_string_value(prefix)));
	append_members(sim, json_object_get(rule, groups), list);
	if (json_array_size(list) == 1)
		json_put(to, one, json_incref(json_array_get(list, 0)));
	json_put(to, many, list);
	wide = json_array_size(list) == 1
		   ? tag_prefixes(json_string_value(json_array_get(list, 0)), vnet)
		   : NULL;
	if (wide != NULL)
		json_put(to, expanded, wide);
	free(one);
	free(many);
	free(groups);
	free(expanded);
}

static json_t *
effective_range(const char *range)
{
	char *both = text_format("%s-%s", range, range);
	json_t *value = strcmp(range, "*") == 0      ? json_string("0-65535")
			: strchr(range, '-') != NULL ? json_bytes(range)
						     : json_bytes(both);

	free(both);
	return value;
}

static void
put_ports(json_t *to, const json_t *rule, const char *one, const char *many)
{
	const char *single = json_text_at(rule, one);
	json_t *list = json_array(), *range;
	size_t i;

	if (single != NULL && *single != '\0')
		json_array_append_new(list, effective_range(single));
	json_array_foreach (json_object_get(rule, many), i, range)
		json_array_append_new(list, effective_range(json_string_value(range) != NULL
								? json_string_value(range)
								: ""));
	if (json_array_size(list) == 1)
		json_put(to, one, json_incref(json_array_get(list, 0)));
	json_put(to, many, list);
}

static void
append_rules(const struct sim *sim, json_t *rules, const json_t *nsg, const char *list,
	     const json_t *vnet)
{
	json_t *rule;
	size_t i;

	json_array_foreach (json_object_get(json_object_get(nsg, "properties"), list), i, rule) {
		const json_t *properties = json_object_get(rule, "properties");
		const char *protocol = json_text_at(properties, "protocol"),
			   *name = json_text_at(rule, "name");
		char *full = text_format("%s/%s", list, name != NULL ? name : "");
		json_t *made =
		    json_pack("{s:s,s:s}", "name", full, "protocol",
			      protocol == NULL || strcmp(protocol, "*") == 0 ? "All" : protocol);

		put_ports(made, properties, "sourcePortRange", "sourcePortRanges");
		put_ports(made, properties, "destinationPortRange", "destinationPortRanges");
		put_addresses(sim, made, properties, "source", vnet);
		put_addresses(sim, made, properties, "destination", vnet);
		json_put(made, "access", json_incref(json_object_get(properties, "access")));
		json_put(made, "priority", json_integer(json_number_at(properties, "priority", 0)));
		json_put(made, "direction", json_incref(json_object_get(properties, "direction")));
		json_array_append_new(rules, made);
		free(full);
	}
}

static void
append_group(const struct sim *sim, json_t *value, const char *group, const char *kind,
	     const json_t *place, const json_t *vnet)
{
	const json_t *nsg = group != NULL ? resource_find(sim, group) : NULL;
	json_t *rules = json_array();

	if (nsg == NULL) {
		json_decref(rules);
		return;
	}
	append_rules(sim, rules, nsg, "securityRules", vnet);
	append_rules(sim, rules, nsg, "defaultSecurityRules", vnet);
	json_array_append_new(value, json_pack("{s:{s:s},s:{s:{s:s}},s:o}", "networkSecurityGroup",
					       "id", json_text_at(nsg, "id"), "association", kind,
					       "id", json_text_at(place, "id"),
					       "effectiveSecurityRules", rules));
}

json_t *
effective_groups(const struct sim *sim, const json_t *nic)
{
	const json_t *subnet = subnet_of_nic(sim, nic), *vnet = vnet_of_subnet(sim, subnet);
	json_t *value = json_array(), *whole;

	append_group(sim, value, json_text_at(subnet, "properties.networkSecurityGroup.id"),
		     "subnet", subnet, vnet);
	append_group(sim, value, json_text_at(nic, "properties.networkSecurityGroup.id"),
		     "networkInterface", nic, vnet);
	whole = json_pack("{s:o}", "value", json_deep_copy(value));
	json_decref(value);
	return whole;
}

static void
append_route(json_t *value, const char *source, const char *state, const char *prefix,
	     const char *type, const char *via)
{
	json_t *route = json_pack("{s:s,s:s,s:[s],s:s,s:[]}", "source", source, "state", state,
				  "addressPrefix", prefix, "nextHopType", type, "nextHopIpAddress");

	if (via != NULL)
		json_array_append_new(json_object_get(route, "nextHopIpAddress"), json_bytes(via));
	json_array_append_new(value, route);
}

json_t *
effective_routes(const struct sim *sim, const json_t *nic)
{
	static const char *const unused[] = { "10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12",
					      "192.168.0.0/16" };
	const json_t *subnet = subnet_of_nic(sim, nic), *vnet = vnet_of_subnet(sim, subnet), *table;
	const char *id = json_text_at(subnet, "properties.routeTable.id");
	json_t *value = json_array(), *route, *prefix;
	bool replaced = false;
	size_t i;

	table = id != NULL ? resource_find(sim, id) : NULL;
	json_array_foreach (json_at(table, "properties.routes"), i, route)
		replaced = replaced ||
			   text_same(json_text_at(route, "properties.addressPrefix"), "0.0.0.0/0");
	json_array_foreach (json_at(vnet, "properties.addressSpace.addressPrefixes"), i, prefix)
		append_route(value, "Default", "Active",
			     json_string_value(prefix) != NULL ? json_string_value(prefix) : "",
			     "VnetLocal", NULL);
	append_route(value, "Default", replaced ? "Invalid" : "Active", "0.0.0.0/0", "Internet",
		     NULL);
	for (i = 0; i < sizeof unused / sizeof unused[0]; i++)
		append_route(value, "Default", "Active", unused[i], "None", NULL);
	json_array_foreach (json_at(table, "properties.routes"), i, route) {
		const char *to = json_text_at(route, "properties.addressPrefix"),
			   *type = json_text_at(route, "properties.nextHopType");

		append_route(value, "User", "Active", to != NULL ? to : "",
			     type != NULL ? type : "None",
			     json_text_at(route, "properties.nextHopIpAddress"));
	}
	return json_pack("{s:o}", "value", value);
}
