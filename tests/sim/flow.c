/* Would this packet pass, and where does the reply go? A plain reading of rules and routes, for IP
 * flow verify and next hop. */
#include "tests/sim/sim.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

struct packet {
	const char *direction, *protocol, *source, *destination;
	const char *source_port, *destination_port;
	const json_t *vnet;
};

bool
prefix_contains(const char *prefix, const char *address)
{
	unsigned char net[16], host[16];
	char *text = text_copy(prefix), *slash = strchr(text, '/');
	int family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET;
	long bits = family == AF_INET ? 32 : 128;
	bool inside = true;

	if (slash != NULL) {
		*slash = '\0';
		bits = strtol(slash + 1, NULL, 10);
	}
	if (inet_pton(family, text, net) != 1 || inet_pton(family, address, host) != 1)
		inside = false;
	for (long bit = 0; inside && bit < bits && bit < (family == AF_INET ? 32 : 128); bit++)
		inside =
		    (net[bit / 8] >> (7 - bit % 8) & 1) == (host[bit / 8] >> (7 - bit % 8) & 1);
	free(text);
	return inside;
}

static bool
is_private(const char *address)
{
	static const char *const ranges[] = { "10.0.0.0/8",    "172.16.0.0/12", "192.168.0.0/16",
					      "100.64.0.0/10", "127.0.0.0/8",   "fc00::/7" };

	for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
		if (prefix_contains(ranges[i], address))
			return true;
	}
	return false;
}

static bool
in_vnet(const json_t *vnet, const char *address)
{
	json_t *prefix, *peering;
	size_t i, k;

	json_array_foreach (json_at(vnet, "properties.addressSpace.addressPrefixes"), i, prefix) {
		if (prefix_contains(json_string_value(prefix) != NULL ? json_string_value(prefix)
								      : "",
				    address))
			return true;
	}
	json_array_foreach (json_at(vnet, "properties.virtualNetworkPeerings"), k, peering) {
		json_array_foreach (
		    json_at(peering, "properties.remoteAddressSpace.addressPrefixes"), i, prefix) {
			if (prefix_contains(
				json_string_value(prefix) != NULL ? json_string_value(prefix) : "",
				address))
				return true;
		}
	}
	return strcmp(address, "168.63.129.16") == 0;
}

static bool
address_matches(const char *pattern, const char *address, const json_t *vnet)
{
	if (pattern == NULL || *pattern == '\0')
		return false;
	if (strcmp(pattern, "*") == 0 || text_same(pattern, "Any"))
		return true;
	if (text_same(pattern, "VirtualNetwork"))
		return in_vnet(vnet, address);
	if (text_same(pattern, "Internet"))
		return !is_private(address) && !in_vnet(vnet, address);
	if (text_same(pattern, "AzureLoadBalancer"))
		return strcmp(address, "168.63.129.16") == 0;
	return prefix_contains(pattern, address);
}

static bool
port_matches(const char *pattern, const char *port)
{
	long low, high, wanted = strtol(port, NULL, 10);
	char *end;

	if (pattern == NULL || *pattern == '\0')
		return false;
	if (strcmp(pattern, "*") == 0 || strcmp(port, "*") == 0)
		return true;
	low = high = strtol(pattern, &end, 10);
	if (*end == '-')
		high = strtol(end + 1, NULL, 10);
	return wanted >= low && wanted <= high;
}

/* One of the singular and the plural form. */
static bool
any_matches(const json_t *properties, const char *one, const char *many, const char *value,
	    const json_t *vnet, bool ports)
{
	const char *single = json_text_at(properties, one);
	json_t *pattern;
	size_t i;

	if (single != NULL &&
	    (ports ? port_matches(single, value) : address_matches(single, value, vnet)))
		return true;
	json_array_foreach (json_object_get(properties, many), i, pattern) {
		const char *text = json_string_value(pattern);

		if (text != NULL &&
		    (ports ? port_matches(text, value) : address_matches(text, value, vnet)))
			return true;
	}
	return false;
}

static bool
rule_matches(const json_t *rule, const struct packet *packet)
{
	const json_t *properties = json_object_get(rule, "properties");
	const char *protocol = json_text_at(properties, "protocol");

	return text_same(json_text_at(properties, "direction"), packet->direction) &&
	       (text_same(protocol, "*") || text_same(protocol, packet->protocol)) &&
	       any_matches(properties, "sourceAddressPrefix", "sourceAddressPrefixes",
			   packet->source, packet->vnet, false) &&
	       any_matches(properties, "destinationAddressPrefix", "destinationAddressPrefixes",
			   packet->destination, packet->vnet, false) &&
	       any_matches(properties, "sourcePortRange", "sourcePortRanges", packet->source_port,
			   NULL, true) &&
	       any_matches(properties, "destinationPortRange", "destinationPortRanges",
			   packet->destination_port, NULL, true);
}

static const json_t *
deciding_rule(const json_t *nsg, const struct packet *packet)
{
	static const char *const lists[] = { "properties.securityRules",
					     "properties.defaultSecurityRules" };
	const json_t *best = NULL;
	json_t *rule;
	size_t i;

	for (size_t list = 0; list < 2; list++) {
		json_array_foreach (json_at(nsg, lists[list]), i, rule) {
			if (rule_matches(rule, packet) &&
			    (best == NULL ||
			     json_number_at(rule, "properties.priority", 70000) <
				 json_number_at(best, "properties.priority", 70000)))
				best = rule;
		}
	}
	return best;
}

/* Inbound the subnet's group speaks first, outbound the interface's; a deny ends it. */
json_t *
flow_verify(const struct sim *sim, const json_t *nic, const json_t *question)
{
	const json_t *subnet = subnet_of_nic(sim, nic), *rule = NULL;
	const char *near = json_text_at(nic, "properties.networkSecurityGroup.id");
	const char *far = json_text_at(subnet, "properties.networkSecurityGroup.id");
	const char *local = json_text_at(question, "localIPAddress"),
		   *remote = json_text_at(question, "remoteIPAddress");
	const char *local_port = json_text_at(question, "localPort"),
		   *remote_port = json_text_at(question, "remotePort");
	bool inbound = !text_same(json_text_at(question, "direction"), "Outbound");
	const char *order[2] = { inbound ? far : near, inbound ? near : far };
	struct packet packet = { .direction = inbound ? "Inbound" : "Outbound",
				 .protocol = json_text_at(question, "protocol"),
				 .source = inbound ? remote : local,
				 .destination = inbound ? local : remote,
				 .source_port = inbound ? remote_port : local_port,
				 .destination_port = inbound ? local_port : remote_port,
				 .vnet = vnet_of_subnet(sim, subnet) };
	char *name;
	json_t *answer;

	if (local == NULL || remote == NULL || local_port == NULL || remote_port == NULL ||
	    packet.protocol == NULL)
		return NULL;
	for (size_t i = 0; i < 2; i++) {
		const json_t *nsg = order[i] != NULL ? resource_find(sim, order[i]) : NULL,
			     *decides;

		if (nsg == NULL)
			continue;
		decides = deciding_rule(nsg, &packet);
		rule = decides != NULL ? decides : rule;
		if (text_same(json_text_at(rule, "properties.access"), "Deny"))
			break;
	}
	name = text_format("%s/%s",
			   json_number_at(rule, "properties.priority", 0) >= 65000
			       ? "defaultSecurityRules"
			       : "securityRules",
			   json_text_at(rule, "name") != NULL ? json_text_at(rule, "name") : "");
	answer = json_pack("{s:s,s:s}", "access",
			   rule != NULL ? json_text_at(rule, "properties.access") : "Allow",
			   "ruleName", rule != NULL ? name : "");
	free(name);
	return answer;
}

/* Longest prefix; a user route beats a default one of the same length. */
json_t *
flow_next_hop(const struct sim *sim, const json_t *nic, const char *to)
{
	json_t *table = effective_routes(sim, nic), *route, *answer;
	const json_t *best = NULL;
	const char *type, *via,
	    *source = json_text_at(subnet_of_nic(sim, nic), "properties.routeTable.id");
	long longest = -1;
	size_t i;

	json_array_foreach (json_object_get(table, "value"), i, route) {
		const char *prefix =
		    json_string_value(json_array_get(json_object_get(route, "addressPrefix"), 0));
		long bits = prefix != NULL && strchr(prefix, '/') != NULL
				? strtol(strchr(prefix, '/') + 1, NULL, 10)
				: 0;

		if (prefix == NULL || !prefix_contains(prefix, to) ||
		    !text_same(json_text_at(route, "state"), "Active"))
			continue;
		if (bits > longest ||
		    (bits == longest && text_same(json_text_at(route, "source"), "User"))) {
			best = route;
			longest = bits;
		}
	}
	type = json_text_at(best, "nextHopType");
	via = json_string_value(json_array_get(json_object_get(best, "nextHopIpAddress"), 0));
	answer = json_pack("{s:s,s:s}", "nextHopType", type != NULL ? type : "None", "routeTableId",
			   text_same(json_text_at(best, "source"), "User") && source != NULL
			       ? source
			       : "System Route");
	if (via != NULL)
		json_put_text(answer, "nextHopIpAddress", via);
	json_decref(table);
	return answer;
}
