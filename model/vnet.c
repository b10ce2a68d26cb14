/* What else stands in the VNet of a path. */
#include "model/network.h"
#include "facts/arm.h"

#include <string.h>

bool
net_subnet_range(const struct facts *facts, const struct net_path *path, const char *id,
		 struct ip_range *ret)
{
	struct net_ref subnet = net_ref_by_id(facts, id);
	const json_t *entry;
	size_t i;

	json_array_foreach (doc_list(path->vnet.body, "properties.subnets"), i, entry)
		if (subnet.body == NULL && arm_id_same(doc_str(entry, "id"), id))
			subnet.body = entry;
	return prefix_parse(doc_str(subnet.body, "properties.addressPrefix"), ret) == 0 ||
	       prefix_parse(json_string_value(json_array_get(
				doc_list(subnet.body, "properties.addressPrefixes"), 0)),
			    ret) == 0;
}

bool
net_hub_range(const struct facts *facts, const char *id, struct ip_range *ret)
{
	const struct net_ref hub = net_ref_by_id(facts, id);

	return prefix_parse(doc_str(hub.body, "properties.addressPrefix"), ret) == 0;
}

static bool
has_gateway_subnet(const json_t *vnet)
{
	const json_t *subnet;
	size_t i;

	json_array_foreach (doc_list(vnet, "properties.subnets"), i, subnet)
		if (doc_same(arm_id_name(doc_str(subnet, "id")), "GatewaySubnet") ||
		    doc_is(subnet, "name", "GatewaySubnet"))
			return true;
	return false;
}

bool
net_has_private_ways(const struct net_path *path)
{
	return json_array_size(doc_list(path->vnet.body, "properties.virtualNetworkPeerings")) >
		   0 ||
	       has_gateway_subnet(path->vnet.body);
}

const char *
net_gateway_network(const struct net_path *path)
{
	const json_t *peering;
	size_t i;

	if (doc_bool(path->route_table.body, "properties.disableBgpRoutePropagation", false))
		return NULL;
	json_array_foreach (doc_list(path->vnet.body, "properties.virtualNetworkPeerings"), i,
			    peering)
		if (doc_bool(peering, "properties.useRemoteGateways", false) &&
		    doc_is(peering, "properties.peeringState", "Connected"))
			return arm_id_name(doc_str(peering, "properties.remoteVirtualNetwork.id"));
	return has_gateway_subnet(path->vnet.body) ? doc_str(path->vnet.body, "name") : NULL;
}

bool
net_peering(const json_t *entry, struct peering *ret)
{
	*ret = (struct peering){
		.name = doc_str(entry, "name"),
		.state = doc_str(entry, "properties.peeringState"),
		.remote = doc_str(entry, "properties.remoteVirtualNetwork.id"),
		.closed = !doc_bool(entry, "properties.allowVirtualNetworkAccess", true),
	};
	return !ret->closed && (ret->state == NULL || doc_same(ret->state, "Connected"));
}

bool
net_peering_with(const json_t *body, const char *vnet, struct peering *ret)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (doc_list(body, "properties.virtualNetworkPeerings"), i, entry) {
		net_peering(entry, ret);
		if (arm_id_same(ret->remote, vnet))
			return true;
	}
	return false;
}

/* The other half lends its gateway; one that was not read is taken for one that does. */
static bool
lends_gateway(const json_t *remote, const char *vnet, struct peering *ret)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (doc_list(remote, "properties.virtualNetworkPeerings"), i, entry) {
		net_peering(entry, ret);
		if (arm_id_same(ret->remote, vnet))
			return doc_bool(entry, "properties.allowGatewayTransit", false);
	}
	return true;
}

bool
net_lacks_transit(const struct facts *facts, const struct net_path *path, struct transit *ret)
{
	const json_t *entry;
	char own[ARM_ID_MAX];
	bool lacks = false;
	size_t i;

	if (has_gateway_subnet(path->vnet.body) ||
	    arm_id_parent(path->subnet.id, own, sizeof(own)) < 0)
		return false;
	json_array_foreach (doc_list(path->vnet.body, "properties.virtualNetworkPeerings"), i,
			    entry) {
		bool uses = doc_bool(entry, "properties.useRemoteGateways", false);
		struct peering half, back = { 0 };
		struct net_ref remote;

		net_peering(entry, &half);
		remote = net_ref_by_id(facts, half.remote);
		if (uses && lends_gateway(remote.body, own, &back))
			return false;
		if (lacks || !has_gateway_subnet(remote.body))
			continue;
		lacks = true;
		*ret = (struct transit){ .peering = uses ? back : half,
					 .far_half = uses,
					 .owner = uses ? half.remote : NULL,
					 .gateway = arm_id_name(half.remote) };
	}
	return lacks;
}

bool
net_reaches(const struct net_path *path, const char *vnet)
{
	const json_t *entry;
	struct peering peering;
	char own[ARM_ID_MAX];
	size_t i;

	if (arm_id_parent(path->subnet.id, own, sizeof(own)) == 0 && arm_id_same(own, vnet))
		return true;
	json_array_foreach (doc_list(path->vnet.body, "properties.virtualNetworkPeerings"), i,
			    entry)
		if (net_peering(entry, &peering) && arm_id_same(peering.remote, vnet))
			return true;
	return false;
}

bool
net_broken_peering(const struct net_path *path, struct peering *ret)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (doc_list(path->vnet.body, "properties.virtualNetworkPeerings"), i,
			    entry) {
		struct peering peering;

		if (!net_peering(entry, &peering)) {
			*ret = peering;
			return true;
		}
	}
	return false;
}
