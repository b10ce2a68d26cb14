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

static bool
works(const struct peering *peering)
{
	return !peering->closed &&
	       (peering->state == NULL || doc_same(peering->state, "Connected"));
}

/* The Bastion's VNet is peered with the VM's. Both halves must work; that of a VNet which was not
 * read is taken for one that does. */
static bool
look_at_peering(const struct search *search, const char *vnet, struct bastion *bastion)
{
	struct peering back;

	if (!net_peering_with(search->path->vnet.body, vnet, &bastion->peering))
		return false;
	bastion->peered = true;
	bastion->cut_off = !works(&bastion->peering);
	if (!bastion->cut_off && net_peering_with(bastion->vnet, search->vnet, &back) &&
	    !works(&back)) {
		bastion->peering = back;
		bastion->far_half = true;
		bastion->cut_off = true;
	}
	return true;
}

/* A subnet stands among the resources, or within its VNet only. */
static const json_t *
subnet_of(const struct facts *facts, const struct bastion *bastion, const char *id)
{
	const json_t *subnet = net_ref_by_id(facts, id).body, *entry;
	size_t i;

	json_array_foreach (doc_list(bastion->vnet, "properties.subnets"), i, entry)
		if (subnet == NULL && arm_id_same(doc_str(entry, "id"), id))
			subnet = entry;
	return subnet;
}

static void
look_at_subnet(const struct facts *facts, const char *id, struct bastion *bastion)
{
	const json_t *subnet = subnet_of(facts, bastion, id);
	const char *prefix = doc_str(subnet, "properties.addressPrefix");

	if (prefix == NULL || *prefix == '\0')
		prefix = json_string_value(
		    json_array_get(doc_list(subnet, "properties.addressPrefixes"), 0));
	bastion->subnet_known = prefix_parse(prefix, &bastion->subnet) == 0;
	if (subnet != NULL)
		bastion->nsg =
		    net_ref_follow(facts, doc_get(subnet, "properties.networkSecurityGroup"));
	else
		bastion->nsg = net_ref_by_id(facts, id); /* its group is not known either */
}

static bool
is_ready(const char *state)
{
	return state == NULL || doc_same(state, "Succeeded");
}

static struct bastion
view(const char *id, const json_t *body)
{
	const char *own = doc_str(body, "id"), *sku = doc_str(body, "sku.name");
	struct bastion bastion = {
		.id = own != NULL ? own : id,
		.name = doc_str(body, "name"),
		.sku = sku,
		.state = doc_str(body, "properties.provisioningState"),
		.private_only = doc_bool(body, "properties.enablePrivateOnlyBastion", false),
		.tunneling = (doc_same(sku, "Standard") || doc_same(sku, "Premium")) &&
			     doc_bool(body, "properties.enableTunneling", false),
		.nsg = { .state = FACT_ABSENT },
	};

	bastion.ready = is_ready(bastion.state);
	if (bastion.name == NULL)
		bastion.name = arm_id_name(bastion.id);
	return bastion;
}

/* Better: usable; else one whose peering works; else one for native clients. */
static int
rank(const struct bastion *bastion)
{
	return bastion->usable * 8 + !bastion->cut_off * 4 + bastion->tunneling * 2 +
	       bastion->ready;
}

static bool
visit(const char *id, const json_t *body, void *ctx)
{
	struct search *search = ctx;
	struct bastion bastion = view(id, body);
	const json_t *config = json_array_get(doc_list(body, "properties.ipConfigurations"), 0);
	const char *subnet = doc_str(config, "properties.subnet.id"),
		   *own = doc_str(body, "properties.virtualNetwork.id");
	char vnet[ARM_ID_MAX];

	if (arm_id_parent(subnet, vnet, sizeof(vnet)) < 0)
		snprintf(vnet, sizeof(vnet), "%s", own != NULL ? own : "");
	bastion.vnet = net_ref_by_id(search->facts, vnet).body;
	if (!arm_id_same(vnet, search->vnet)) {
		if (doc_same(bastion.sku, "Developer") || !look_at_peering(search, vnet, &bastion))
			return false;
	} else {
		bastion.vnet = search->path->vnet.body;
	}
	bastion.usable = bastion.ready && bastion.tunneling && !bastion.cut_off;
	if (subnet != NULL)
		look_at_subnet(search->facts, subnet, &bastion);
	if (!search->found || rank(&bastion) > rank(&search->best))
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
