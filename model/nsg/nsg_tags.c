#include "model/nsg/nsg.h"
#include "facts/arm.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* How much of the range lies in the list of prefix texts: all, some or nothing of it. */
static enum nsg_match
range_in_list(const json_t *list, const struct ip_range *range)
{
	const json_t *entry;
	size_t i;
	enum nsg_match found = NSG_NO;

	json_array_foreach (list, i, entry) {
		struct ip_range own;

		if (prefix_parse(json_string_value(entry), &own) < 0)
			continue;
		if (range_covers(&own, range))
			return NSG_YES;
		if (range_meets(&own, range))
			found = NSG_MAYBE;
	}
	return found;
}

static enum nsg_match
larger(enum nsg_match a, enum nsg_match b)
{
	return a > b ? a : b;
}

/* The address spaces that make up VirtualNetwork as far as they can be read: the VNet's own, the
 * peered ones, 168.63.129.16. */
static enum nsg_match
in_vnet(const struct nsg_tags *tags, const struct ip_range *range)
{
	struct ip_range platform;
	const json_t *peering;
	enum nsg_match found =
	    range_in_list(doc_list(tags->vnet, "properties.addressSpace.addressPrefixes"), range);
	size_t i;

	json_array_foreach (doc_list(tags->vnet, "properties.virtualNetworkPeerings"), i, peering) {
		if (!doc_bool(peering, "properties.allowVirtualNetworkAccess", true) ||
		    !doc_is(peering, "properties.peeringState", "Connected"))
			continue;
		found = larger(
		    found,
		    range_in_list(
			doc_list(peering, "properties.remoteAddressSpace.addressPrefixes"), range));
		found = larger(
		    found,
		    range_in_list(
			doc_list(peering,
				 "properties.remoteVirtualNetworkAddressSpace.addressPrefixes"),
			range));
	}
	if (prefix_parse("168.63.129.16", &platform) == 0 && range_covers(&platform, range))
		found = NSG_YES;
	return found;
}

/* Prefixes of user-defined routes count as VirtualNetwork; a default route "might" (Azure's own
 * words), which only the effective rules show. */
static enum nsg_match
in_routes(const struct nsg_tags *tags, const struct ip_range *range)
{
	const json_t *route;
	enum nsg_match found = NSG_NO;
	size_t i;

	json_array_foreach (doc_list(tags->routes, "properties.routes"), i, route) {
		const char *prefix = doc_str(route, "properties.addressPrefix"),
			   *hop = doc_str(route, "properties.nextHopType");
		struct ip_range own;

		if (doc_same(hop, "Internet") || doc_same(hop, "None") ||
		    prefix_parse(prefix, &own) < 0 || !range_meets(&own, range))
			continue;
		if (range_covers(&own, &range_v4) || !range_covers(&own, range))
			found = larger(found, NSG_MAYBE);
		else
			found = NSG_YES;
	}
	return found;
}

/* What reaches a private address comes from the VNet, a peered one or through a gateway: all of it
 * is VirtualNetwork. Where the source is one known address outside of what can be read, it may
 * still be on-premises. */
static enum nsg_match
in_virtual_network(const struct nsg_tags *tags, const struct ip_range *range, bool private_path)
{
	enum nsg_match found = in_vnet(tags, range);

	if (found == NSG_YES)
		return found;
	if (private_path)
		return ip_cmp(range->from, range->to) != 0 ? NSG_YES : NSG_MAYBE;
	return larger(found, in_routes(tags, range));
}

static enum nsg_match
in_table(const json_t *table, const char *tag, const struct ip_range *range)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (doc_list(table, "values"), i, entry)
		if (doc_is(entry, "name", tag))
			return range_in_list(doc_list(entry, "properties.addressPrefixes"), range);
	return NSG_MAYBE;
}

enum nsg_match
nsg_tag_has(const struct nsg_tags *tags, const char *tag, const struct ip_range *range,
	    bool private_path)
{
	struct ip_range platform;

	if (strcasecmp(tag, "VirtualNetwork") == 0)
		return in_virtual_network(tags, range, private_path);
	if (strcasecmp(tag, "AzureLoadBalancer") == 0) {
		if (prefix_parse("168.63.129.16", &platform) < 0 || !range_meets(&platform, range))
			return NSG_NO;
		return range_covers(&platform, range) ? NSG_YES : NSG_MAYBE;
	}
	if (strcasecmp(tag, "GatewayManager") == 0 && tags->table == NULL)
		return NSG_NO; /* Azure's own control plane: nobody's machine is in it */
	if (!ip_is_public(range->from) || !ip_is_public(range->to))
		return NSG_NO; /* all other tags are lists of public addresses */
	if (strcasecmp(tag, "Internet") == 0) {
		switch (in_vnet(tags, range)) {
		case NSG_YES:
			return NSG_NO;
		case NSG_NO:
			return NSG_YES;
		default:
			return NSG_MAYBE;
		}
	}
	return in_table(tags->table, tag, range);
}

const json_t *
nsg_tag_table(const struct facts *facts, const char *id, const char *location)
{
	const json_t *body = NULL;
	char subscription[128];
	char *list;

	if (location == NULL)
		return NULL;
	arm_id_subscription(id, subscription, sizeof(subscription));
	list = doc_fmt("/subscriptions/%s/providers/Microsoft.Network/locations/%s/serviceTags",
		       subscription, location);
	facts_resource(facts, list, &body, NULL);
	free(list);
	return body;
}
