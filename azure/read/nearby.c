#include "azure/read/rows.h"
#include "facts/arm.h"
#include "model/network.h"

#include <string.h>
#include <strings.h>

/* ---- where a VM is reached by another address ---- */

/* Calls visit for the networks peered with the VM's own until it returns true; returns what the
 * last call did. */
static bool
each_peered(struct vm_reader *reader,
	    bool (*visit)(struct vm_reader *reader, const char *remote, const void *ctx),
	    const void *ctx)
{
	const json_t *peering, *body;
	const char *id, *remote;
	size_t i;

	for (void *at = NULL; (id = reader_seen(reader, "/virtualnetworks/", &at)) != NULL;) {
		facts_resource(&reader->facts, id, &body, NULL);
		json_array_foreach (doc_list(body, "properties.virtualNetworkPeerings"), i,
				    peering) {
			remote = doc_str(peering, "properties.remoteVirtualNetwork.id");
			if (remote != NULL && visit(reader, remote, ctx))
				return true;
		}
	}
	return false;
}

/* A virtual hub lies behind a network of Azure's own that is named after it: HV_myHub_0a1b... */
static bool
is_hub_network(const char *vnet, const char *hub)
{
	const char *name = arm_id_name(vnet);
	size_t length = strlen(hub);

	return strncasecmp(name, "HV_", 3) == 0 && strncasecmp(name + 3, hub, length) == 0 &&
	       (name[3 + length] == '_' || name[3 + length] == '\0');
}

static bool
near_hub(const struct vm_reader *reader, const char *hub)
{
	const json_t *peering, *body;
	const char *id;
	size_t i;

	if (hub == NULL)
		return false;
	for (void *at = NULL; (id = reader_seen(reader, "/virtualnetworks/", &at)) != NULL;) {
		facts_resource(&reader->facts, id, &body, NULL);
		json_array_foreach (doc_list(body, "properties.virtualNetworkPeerings"), i, peering)
			if (is_hub_network(doc_str(peering, "properties.remoteVirtualNetwork.id"),
					   arm_id_name(hub)))
				return true;
	}
	return false;
}

static bool
is_vnet(struct vm_reader *reader, const char *remote, const void *ctx)
{
	(void)reader;
	return arm_id_same(remote, ctx);
}

/* The VNets that a Bastion or a firewall must stand in to reach the VM: its own and those peered
 * with it. */
static bool
near_vnet(struct vm_reader *reader, const char *vnet)
{
	const char *id;

	for (void *at = NULL; (id = reader_seen(reader, "/virtualnetworks/", &at)) != NULL;)
		if (arm_id_same(id, vnet))
			return true;
	return each_peered(reader, is_vnet, vnet);
}

static bool
in_reach(struct vm_reader *reader, const json_t *body)
{
	char vnet[ARM_ID_MAX];
	const json_t *config;
	size_t i;

	if (near_hub(reader, doc_str(body, "properties.virtualHub.id")))
		return true;
	if (near_vnet(reader, doc_str(body, "properties.virtualNetwork.id")))
		return true;
	json_array_foreach (doc_list(body, "properties.ipConfigurations"), i, config)
		if (arm_id_parent(doc_str(config, "properties.subnet.id"), vnet, sizeof(vnet)) ==
			0 &&
		    near_vnet(reader, vnet))
			return true;
	return false;
}

static bool
has_public_way(const struct vm_reader *reader)
{
	void *at = NULL;

	return reader_seen(reader, "/publicipaddresses/", &at) != NULL;
}

static void
follow_near(void *ctx, const char *id, const json_t *body)
{
	struct vm_reader *reader = ctx;

	if (in_reach(reader, body))
		reader_follow(reader, id);
}

static void
keep_near(void *ctx, const char *id, const json_t *body)
{
	struct vm_reader *reader = ctx;

	if (in_reach(reader, body))
		reader_keep(reader, id);
}

bool
reader_needs_front(const struct vm_reader *reader)
{
	return (reader_vm(reader, NULL) != NULL || reader->nics != NULL) &&
	       (!has_public_way(reader) || reader->elsewhere);
}

static bool
read_network(struct vm_reader *reader, const char *remote, const void *ctx)
{
	(void)ctx;
	reader_fetch(reader, &reader->network, remote, NULL);
	return false;
}

/* The networks peered with the VM's own are no part of it: one that may not be read is told only
 * where that matters. */
void
read_peered(struct vm_reader *reader)
{
	each_peered(reader, read_network, NULL);
}

struct near {
	const char *type;
	void (*item)(void *ctx, const char *id, const json_t *body);
};

static bool
list_beside(struct vm_reader *reader, const char *remote, const void *ctx)
{
	const struct near *near = ctx;
	char own[128], subscription[128];

	arm_id_subscription(reader->id, own, sizeof(own));
	arm_id_subscription(remote, subscription, sizeof(subscription));
	if (strcasecmp(own, subscription) != 0)
		reader_list(reader, &reader->network, path_in_subscription(remote, near->type),
			    true, near->item);
	return false;
}

/* What may stand in the VM's own networks or in those peered with it: every such subscription is
 * listed, each once. */
static void
list_near(struct vm_reader *reader, const struct near *near)
{
	reader_list(reader, &reader->network, path_in_subscription(reader->id, near->type), false,
		    near->item);
	each_peered(reader, list_beside, near);
}

static bool
fetch_group(const char *id, const json_t *body, void *ctx)
{
	struct vm_reader *reader = ctx;
	const char *nsg = doc_str(body, "properties.networkSecurityGroup.id");

	if (nsg != NULL && strcasecmp(arm_id_name(id), "AzureBastionSubnet") == 0)
		reader_fetch(reader, &reader->network, nsg, NULL);
	return false;
}

static void
bastion_subnet_arrived(struct vm_reader *reader)
{
	net_each(&reader->facts, "microsoft.network/virtualnetworks/subnets", fetch_group, reader);
}

/* The rules of a Bastion's own subnet decide as well; its network's other parts do not. */
static void
follow_bastion(void *ctx, const char *id, const json_t *body)
{
	struct vm_reader *reader = ctx;
	const json_t *config;
	const char *subnet;
	size_t i;

	if (!in_reach(reader, body))
		return;
	reader_follow(reader, id);
	json_array_foreach (doc_list(body, "properties.ipConfigurations"), i, config)
		if ((subnet = doc_str(config, "properties.subnet.id")) != NULL)
			reader_fetch(reader, &reader->network, subnet, bastion_subnet_arrived);
}

/* With a public address a Bastion is a way round at most: nothing waits for it. */
void
read_bastions(struct vm_reader *reader)
{
	static const struct near bastions = { "Microsoft.Network/bastionHosts", follow_bastion };

	if (!has_public_way(reader))
		list_near(reader, &bastions);
	else if (reader_runs(reader))
		reader_list(reader, &reader->all, path_in_subscription(reader->id, bastions.type),
			    true, keep_near);
}

void
read_firewalls(struct vm_reader *reader)
{
	static const struct near firewalls = { "Microsoft.Network/azureFirewalls", follow_near };

	if (reader_needs_front(reader))
		list_near(reader, &firewalls);
}

/* A pool may name its members by address: then nothing of the VM's leads to the load balancer. */
static bool
has_member(const struct vm_reader *reader, const json_t *pool)
{
	const json_t *member, *id, *body, *config;
	const char *key, *address;
	size_t i, j;

	json_array_foreach (doc_list(pool, "properties.loadBalancerBackendAddresses"), i, member)
		json_object_foreach (reader->seen, key, id) {
			facts_resource(&reader->facts, key, &body, NULL);
			json_array_foreach (doc_list(body, "properties.ipConfigurations"), j,
					    config) {
				address = doc_str(config, "properties.privateIPAddress");
				if (address != NULL &&
				    doc_is(member, "properties.ipAddress", address))
					return true;
			}
		}
	return false;
}

static void
follow_front(void *ctx, const char *id, const json_t *body)
{
	struct vm_reader *reader = ctx;
	const json_t *pool;
	size_t i;

	json_array_foreach (doc_list(body, "properties.backendAddressPools"), i, pool)
		if (has_member(reader, pool)) {
			reader_follow(reader, id);
			return;
		}
}

void
read_balancers(struct vm_reader *reader)
{
	if (reader_needs_front(reader))
		reader_list(reader, &reader->network,
			    path_in_subscription(reader->id, "Microsoft.Network/loadBalancers"),
			    true, follow_front);
}

/* ---- addresses that were once the VM's ---- */

/* A public IP that nothing uses and that bears the VM's name, or that has the address asked for. */
static bool
former_address(const struct vm_reader *reader, const json_t *address)
{
	const char *name = arm_id_name(reader->id),
		   *host = doc_str(reader->facts.doc, "asked.host");

	if (host != NULL && (doc_is(address, "properties.ipAddress", host) ||
			     doc_is(address, "properties.dnsSettings.fqdn", host)))
		return true;
	return doc_get(address, "properties.ipConfiguration") == NULL &&
	       doc_get(address, "properties.natGateway") == NULL && *name != '\0' &&
	       strncasecmp(arm_id_name(doc_str(address, "id")), name, strlen(name)) == 0;
}

static void
keep_former(void *ctx, const char *id, const json_t *body)
{
	struct vm_reader *reader = ctx;

	if (former_address(reader, body))
		reader_keep(reader, id);
}

/* The group's addresses were listed beside the VM; that list may still be on its way when the NIC
 * has arrived. */
void
read_former_addresses(struct vm_reader *reader)
{
	if (doc_str(reader->facts.doc, "asked.host") != NULL || !has_public_way(reader))
		reader_list(reader, &reader->network,
			    path_in_group(reader->id, "Microsoft.Network/publicIPAddresses"), true,
			    keep_former);
}
