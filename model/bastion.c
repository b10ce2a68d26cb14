#include "model/address.h"
#include "facts/arm.h"

#include <stdio.h>
#include <string.h>

struct search {
	const struct facts *facts;
	const struct net_path *path;
	const char *vnet; /* of the VM */
	struct bastion best;
	bool found;
};

/* true when the VNet has a working peering with that one. */
static bool
is_peered(const struct net_path *path, const char *vnet)
{
	const json_t *peering;
	size_t i;

	json_array_foreach (doc_list(path->vnet.body, "properties.virtualNetworkPeerings"), i,
			    peering)
		if (arm_id_same(doc_str(peering, "properties.remoteVirtualNetwork.id"), vnet) &&
		    doc_is(peering, "properties.peeringState", "Connected") &&
		    doc_bool(peering, "properties.allowVirtualNetworkAccess", true))
			return true;
	return false;
}

static void
read_subnet(const struct facts *facts, const char *id, struct bastion *bastion)
{
	const json_t *body;
	const char *prefix;

	if (facts_resource(facts, id, &body, NULL) != FACT_KNOWN)
		return;
	if ((prefix = doc_str(body, "properties.addressPrefix")) == NULL || *prefix == '\0')
		prefix = json_string_value(
		    json_array_get(doc_list(body, "properties.addressPrefixes"), 0));
	bastion->subnet_known = prefix_parse(prefix, &bastion->subnet) == 0;
}

/* The subnet may stand within the VM's own VNet only. */
static void
read_subnet_in_vnet(const struct net_path *path, const char *id, struct bastion *bastion)
{
	const json_t *subnet;
	size_t i;

	json_array_foreach (doc_list(path->vnet.body, "properties.subnets"), i, subnet)
		if (!bastion->subnet_known && arm_id_same(doc_str(subnet, "id"), id))
			bastion->subnet_known =
			    prefix_parse(doc_str(subnet, "properties.addressPrefix"),
					 &bastion->subnet) == 0;
}

static bool
visit(const char *id, const json_t *body, void *ctx)
{
	struct search *search = ctx;
	struct bastion bastion = { .id = doc_str(body, "id") != NULL ? doc_str(body, "id") : id,
				   .name = doc_str(body, "name"),
				   .sku = doc_str(body, "sku.name") };
	const json_t *config = json_array_get(doc_list(body, "properties.ipConfigurations"), 0);
	const char *subnet = doc_str(config, "properties.subnet.id"),
		   *own = doc_str(body, "properties.virtualNetwork.id");
	bool developer = doc_same(bastion.sku, "Developer");
	char vnet[ARM_ID_MAX];

	if (bastion.name == NULL)
		bastion.name = arm_id_name(bastion.id);
	if (arm_id_parent(subnet, vnet, sizeof(vnet)) < 0)
		snprintf(vnet, sizeof(vnet), "%s", own != NULL ? own : "");
	if (!arm_id_same(vnet, search->vnet)) {
		if (developer || !is_peered(search->path, vnet))
			return false;
		bastion.peered = true;
	}
	bastion.tunneling =
	    (doc_same(bastion.sku, "Standard") || doc_same(bastion.sku, "Premium")) &&
	    doc_bool(body, "properties.enableTunneling", false);
	if (subnet != NULL) {
		read_subnet(search->facts, subnet, &bastion);
		read_subnet_in_vnet(search->path, subnet, &bastion);
	}
	if (!search->found || (bastion.tunneling && !search->best.tunneling))
		search->best = bastion;
	search->found = true;
	return false;
}

bool
bastion_for(const struct facts *facts, const struct net_path *path, struct bastion *ret)
{
	char vnet[ARM_ID_MAX];
	struct search search = { .facts = facts, .path = path, .vnet = vnet };

	if (arm_id_parent(path->subnet.id, vnet, sizeof(vnet)) < 0)
		return false;
	net_each(facts, "microsoft.network/bastionhosts", visit, &search);
	if (search.found)
		*ret = search.best;
	return search.found;
}

bool
bastion_list_known(const struct facts *facts, const struct net_path *path)
{
	char subscription[128], list[256];

	arm_id_subscription(path->nic_id, subscription, sizeof(subscription));
	snprintf(list, sizeof(list), "/subscriptions/%s/providers/Microsoft.Network/bastionHosts",
		 subscription);
	return net_list_known(facts, list);
}
