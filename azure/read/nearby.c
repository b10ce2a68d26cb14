/* Where a VM has no public address of its own: Bastions and firewalls in reach, and addresses that
 * were once its own. */
#include "azure/inside.h"
#include "facts/arm.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The VNets that a Bastion or a firewall must stand in to reach the VM: its own and those peered
 * with it. */
static bool
near_vnet(const struct read *read, const char *vnet)
{
	const char *key;
	const json_t *id, *peering, *body;
	size_t i;

	json_object_foreach (read->seen, key, id) {
		if (strcasestr(key, "/virtualnetworks/") == NULL ||
		    strcasestr(key, "/subnets/") != NULL)
			continue;
		if (arm_id_same(key, vnet))
			return true;
		facts_resource(&read->facts, key, &body, NULL);
		json_array_foreach (doc_list(body, "properties.virtualNetworkPeerings"), i, peering)
			if (arm_id_same(doc_str(peering, "properties.remoteVirtualNetwork.id"),
					vnet))
				return true;
	}
	return false;
}

static bool
in_reach(const struct read *read, const json_t *body)
{
	char vnet[ARM_ID_MAX];
	const json_t *config;
	size_t i;

	if (near_vnet(read, doc_str(body, "properties.virtualNetwork.id")))
		return true;
	json_array_foreach (doc_list(body, "properties.ipConfigurations"), i, config)
		if (arm_id_parent(doc_str(config, "properties.subnet.id"), vnet, sizeof(vnet)) ==
			0 &&
		    near_vnet(read, vnet))
			return true;
	return false;
}

struct nearby {
	struct read *read;
	char *path;
};

static void
nearby_listed(void *ctx)
{
	struct nearby *nearby = ctx;
	struct read *read = nearby->read;
	const json_t *id;
	size_t i;

	json_array_foreach ((json_t *)(uintptr_t)fetch_listed(read->azure, nearby->path), i, id)
		if (in_reach(read, fetch_held(read->azure, json_string_value(id))))
			read_follow(read, json_string_value(id));
	free(nearby->path);
	free(nearby);
	read_drop(read);
}

static struct nearby *
nearby_new(struct read *read, const char *type)
{
	struct nearby *nearby = malloc(sizeof(*nearby));
	char subscription[128];

	arm_id_subscription(read->id, subscription, sizeof(subscription));
	if (nearby != NULL)
		*nearby =
		    (struct nearby){ read,
				     doc_fmt("/subscriptions/%s/providers/Microsoft.Network/%s",
					     subscription, type) };
	return nearby;
}

static void
look_nearby(struct read *read, const char *type)
{
	struct nearby *nearby = nearby_new(read, type);

	if (nearby == NULL)
		return;
	read->pending++;
	fetch_list(read->azure, nearby->path, false, nearby_listed, nearby);
}

/* Keeps what of the list fits, and ends the question; returns whose it was. */
static struct read *
keep_those(struct nearby *nearby, bool (*fits)(const struct read *read, const json_t *body))
{
	struct read *read = nearby->read;
	const json_t *id;
	size_t i;

	json_array_foreach ((json_t *)(uintptr_t)fetch_listed(read->azure, nearby->path), i, id)
		if (fits(read, fetch_held(read->azure, json_string_value(id))))
			fetch_keep(read->azure, json_string_value(id));
	free(nearby->path);
	free(nearby);
	return read;
}

static void
bastions_listed(void *ctx)
{
	read_aside_end(keep_those(ctx, in_reach));
}

/* With a public address a Bastion is a way round at most: nothing waits for it. */
static void
look_for_bastions(struct read *read)
{
	struct nearby *nearby = read_runs(read) ? nearby_new(read, "bastionHosts") : NULL;

	if (nearby == NULL)
		return;
	read->aside++;
	fetch_list(read->azure, nearby->path, true, bastions_listed, nearby);
}

/* The host asked for is an address, and none that has been read. */
static bool
asked_elsewhere(const struct read *read)
{
	const char *host = doc_str(read->facts.doc, "asked.host"), *key;
	const json_t *id, *body, *config;
	size_t i;

	if (host == NULL || host[strspn(host, "0123456789.:abcdefABCDEF")] != '\0')
		return false;
	json_object_foreach (read->seen, key, id) {
		facts_resource(&read->facts, key, &body, NULL);
		if (doc_is(body, "properties.ipAddress", host))
			return false;
		json_array_foreach (doc_list(body, "properties.ipConfigurations"), i, config)
			if (doc_is(config, "properties.privateIPAddress", host))
				return false;
	}
	return true;
}

/* A public IP that nothing uses and that bears the VM's name, or that has the address asked for. */
static bool
former_address(const struct read *read, const json_t *address)
{
	const char *name = arm_id_name(read->id), *host = doc_str(read->facts.doc, "asked.host");

	if (host != NULL && (doc_is(address, "properties.ipAddress", host) ||
			     doc_is(address, "properties.dnsSettings.fqdn", host)))
		return true;
	return doc_get(address, "properties.ipConfiguration") == NULL &&
	       doc_get(address, "properties.natGateway") == NULL && *name != '\0' &&
	       strncasecmp(arm_id_name(doc_str(address, "id")), name, strlen(name)) == 0;
}

static void
former_listed(void *ctx)
{
	read_drop(keep_those(ctx, former_address));
}

/* The group's addresses were listed beside the VM; that list may still be on its way when the NIC
 * has arrived. */
static void
keep_former_addresses(struct read *read)
{
	struct nearby *nearby = malloc(sizeof(*nearby));

	if (nearby == NULL)
		return;
	*nearby = (struct nearby){ read, fetch_group_path(read->id,
							  "Microsoft.Network/publicIPAddresses") };
	if (nearby->path == NULL) {
		free(nearby);
		return;
	}
	read->pending++;
	fetch_list(read->azure, nearby->path, true, former_listed, nearby);
}

static bool
has_public_way(const struct read *read)
{
	const char *key;
	const json_t *id;

	json_object_foreach (read->seen, key, id)
		if (strstr(key, "/publicipaddresses/") != NULL)
			return true;
	return false;
}

void
read_nearby(struct read *read)
{
	bool asked = doc_str(read->facts.doc, "asked.host") != NULL;

	if (read_vm(read, NULL) == NULL && read->nics == NULL)
		return;
	if (asked || !has_public_way(read))
		keep_former_addresses(read);
	if (!has_public_way(read) || asked_elsewhere(read))
		look_nearby(read, "azureFirewalls");
	if (!has_public_way(read))
		look_nearby(read, "bastionHosts");
	else
		look_for_bastions(read);
	read_locks(read);
}
