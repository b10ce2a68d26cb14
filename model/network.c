#include "model/network.h"
#include "facts/arm.h"
#include "model/vm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct net_ref
net_ref_by_id(const struct facts *facts, const char *id)
{
	struct net_ref ref = { .id = id, .state = FACT_ABSENT };

	if (id == NULL)
		return ref;
	ref.state = facts_resource(facts, id, &ref.body, &ref.why);
	if (ref.state == FACT_NOT_ASKED)
		ref.state = FACT_UNKNOWN;
	return ref;
}

/* true when the object is the resource itself and not a reference with settings of its own ({"id",
 * "properties": {"primary": true}}). */
static bool
is_inline(const json_t *obj)
{
	json_t *properties = doc_get(obj, "properties");
	const json_t *value;
	const char *key;

	json_object_foreach (properties, key, value)
		if (strcmp(key, "primary") != 0 && strcmp(key, "deleteOption") != 0)
			return true;
	return false;
}

/* Azure deletes nothing that is still referred to: what a reference names and Azure does not find
 * is not known, rather than absent. */
struct net_ref
net_ref_follow(const struct facts *facts, const json_t *obj)
{
	struct net_ref ref;

	if (obj == NULL)
		return (struct net_ref){ .state = FACT_ABSENT };
	ref = net_ref_by_id(facts, doc_str(obj, "id"));
	if (ref.id == NULL || ref.state == FACT_ABSENT)
		ref.state = FACT_UNKNOWN;
	if (ref.id == NULL)
		ref.field = "id";
	if (ref.state == FACT_UNKNOWN && is_inline(obj)) {
		ref.state = FACT_KNOWN;
		ref.body = obj;
		ref.field = NULL;
	}
	return ref;
}

json_t *
net_ids(const json_t *list)
{
	json_t *ids = json_array();
	const json_t *entry;
	size_t i;

	json_array_foreach (list, i, entry)
		doc_append_str(ids, doc_str(entry, "id"));
	return ids;
}

bool
net_list_has(const json_t *list, const char *id)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (list, i, entry)
		if (arm_id_same(doc_str(entry, "id"), id))
			return true;
	return false;
}

bool
net_each(const struct facts *facts, const char *type,
	 bool (*visit)(const char *id, const json_t *body, void *ctx), void *ctx)
{
	json_t *body;
	const char *id;
	char own[160];

	json_object_foreach (facts_resources(facts), id, body) {
		if (arm_id_type(id, own, sizeof(own)) == 0 && strcmp(own, type) == 0 &&
		    visit(id, body, ctx))
			return true;
	}
	return false;
}

bool
net_list_known(const struct facts *facts, const char *path)
{
	char key[ARM_ID_MAX];

	if (arm_id_key(path, key, sizeof(key)) < 0)
		return false;
	return FACT_GET(json_object_get(facts_lists(facts), key), missing, state) == FACT_KNOWN;
}

/* A subnet stands as a resource of its own or within its VNet. */
static void
follow_subnet(const struct facts *facts, struct net_path *path, const json_t *obj)
{
	char parent[ARM_ID_MAX];
	const json_t *subnet;
	size_t i;

	path->subnet = net_ref_follow(facts, obj);
	if (path->subnet.id == NULL || arm_id_parent(path->subnet.id, parent, sizeof(parent)) < 0)
		return;
	path->vnet = net_ref_by_id(facts, parent);
	path->vnet.id = NULL; /* `parent` is ours: take the borrowed one */
	json_array_foreach (doc_list(path->vnet.body, "properties.subnets"), i, subnet) {
		if (path->subnet.state != FACT_UNKNOWN ||
		    !arm_id_same(doc_str(subnet, "id"), path->subnet.id))
			continue;
		if (doc_get(subnet, "properties") != NULL) {
			path->subnet.state = FACT_KNOWN;
			path->subnet.body = subnet;
		}
	}
}

static void
follow_subnet_refs(const struct facts *facts, struct net_path *path)
{
	const struct net_ref *subnet = &path->subnet;
	const json_t *properties = doc_get(subnet->body, "properties");

	if (subnet->state == FACT_KNOWN && json_is_object(properties)) {
		path->subnet_nsg =
		    net_ref_follow(facts, doc_get(properties, "networkSecurityGroup"));
		path->route_table = net_ref_follow(facts, doc_get(properties, "routeTable"));
		return;
	}
	path->subnet_nsg = (struct net_ref){ .state = FACT_UNKNOWN, .why = subnet->why };
	if (subnet->state == FACT_KNOWN)
		path->subnet_nsg.field = "properties of the subnet";
	else if (subnet->id == NULL)
		path->subnet_nsg.field = "subnet of the ipConfiguration";
	path->route_table = path->subnet_nsg;
}

static bool
groups_make_sense(const json_t *groups)
{
	const json_t *group;
	size_t i;

	json_array_foreach (groups, i, group)
		if (doc_str(group, "id") == NULL)
			return false;
	return groups == NULL || json_is_array(groups);
}

static void
read_path(const struct facts *facts, const json_t *nic, const char *nic_id, const json_t *config,
	  struct net_path *path)
{
	const json_t *properties = doc_get(config, "properties");

	*path =
	    (struct net_path){ .nic_id = doc_str(nic, "id") != NULL ? doc_str(nic, "id") : nic_id,
			       .config_id = doc_str(config, "id"),
			       .config_name = doc_str(config, "name"),
			       .vnet = { .state = FACT_UNKNOWN } };
	path->nic_name = arm_id_name(path->nic_id);
	path->private_text = doc_str(properties, "privateIPAddress");
	path->has_private = ip_parse_loose(path->private_text, &path->private_ip) == 0;
	path->v6 = doc_is(properties, "privateIPAddressVersion", "IPv6") ||
		   (path->has_private && !ip_is_v4(path->private_ip));
	path->asgs = doc_list(properties, "applicationSecurityGroups");
	path->asgs_bad = !groups_make_sense(doc_get(properties, "applicationSecurityGroups"));
	path->nat_rules = doc_list(properties, "loadBalancerInboundNatRules");
	path->pools = doc_list(properties, "loadBalancerBackendAddressPools");
	path->pip = net_ref_follow(facts, doc_get(properties, "publicIPAddress"));
	path->nic_nsg = net_ref_follow(facts, doc_get(nic, "properties.networkSecurityGroup"));
	follow_subnet(facts, path, doc_get(properties, "subnet"));
	follow_subnet_refs(facts, path);
}

/* The paths of one NIC, its primary configuration first. */
static void
read_nic(const struct facts *facts, const char *id, const json_t *nic, bool primary,
	 struct network *network)
{
	const json_t *configs = doc_list(nic, "properties.ipConfigurations"), *config;
	size_t n = json_array_size(configs), i, first = 0;

	network->paths =
	    realloc(network->paths, (network->count + n + 1) * sizeof(*network->paths));
	json_array_foreach (configs, i, config)
		if (doc_bool(config, "properties.primary", false)) {
			first = i;
			break;
		}
	for (i = 0; i < n; i++) {
		size_t at = i <= first ? i - 1 : i;

		if (i == 0)
			at = first;
		read_path(facts, nic, id, json_array_get(configs, at),
			  &network->paths[network->count]);
		network->paths[network->count++].primary = primary && i == 0;
	}
}

/* true when the reference or the NIC itself says that it is the primary one. */
static bool
nic_is_primary(const struct facts *facts, const json_t *ref, size_t count)
{
	const json_t *body;

	if (count == 1 || doc_bool(ref, "properties.primary", false))
		return true;
	return facts_resource(facts, doc_str(ref, "id"), &body, NULL) == FACT_KNOWN &&
	       doc_get(ref, "properties.primary") == NULL &&
	       doc_bool(body, "properties.primary", false);
}

static void
read_nics(const struct facts *facts, const json_t *refs, bool primary, struct network *network)
{
	const json_t *ref;
	size_t i;

	json_array_foreach (refs, i, ref) {
		struct net_ref nic;

		if (nic_is_primary(facts, ref, json_array_size(refs)) != primary)
			continue;
		nic = net_ref_follow(facts, ref);
		if (nic.state == FACT_KNOWN &&
		    doc_list(nic.body, "properties.ipConfigurations") == NULL)
			nic.state = FACT_UNKNOWN;
		if (nic.state != FACT_KNOWN && network->missing_nic.id == NULL) {
			network->missing_nic = nic;
			if (nic.id == NULL)
				network->missing_nic.id = "";
		}
		if (nic.state == FACT_KNOWN)
			read_nic(facts, nic.id, nic.body, primary, network);
	}
}

/* The NICs as [{"id"}]: from the VM, else from what the collector found. *own is a new array to be
 * released, or NULL. */
static const json_t *
nic_refs(const struct facts *facts, json_t **own)
{
	const json_t *body = NULL, *refs, *id;
	size_t i;

	facts_resource(facts, vm_id(facts), &body, NULL);
	if (json_array_size(refs = doc_list(body, "properties.networkProfile.networkInterfaces")) >
	    0)
		return refs;
	refs = FACT_JSON(facts_section(facts, FACT_NETWORK), network, nics);
	if (json_array_size(refs) == 0) /* no VM is without one: what was read is not whole */
		return NULL;
	*own = json_array();
	json_array_foreach (refs, i, id)
		json_array_append_new(*own, json_pack("{s:O}", "id", id));
	return *own;
}

int
network_from_facts(const struct facts *facts, struct network *ret)
{
	struct network network = { 0 };
	json_t *own = NULL;
	const json_t *refs = nic_refs(facts, &own);

	if (refs == NULL)
		return -ENOENT;
	network.nic_count = json_array_size(refs);
	read_nics(facts, refs, true, &network);
	read_nics(facts, refs, false, &network);
	if (own != NULL && network.missing_nic.id != NULL)
		network.missing_nic.id = "";
	json_decref(own);
	*ret = network;
	return 0;
}

void
network_free(struct network *network)
{
	free(network->paths);
	*network = (struct network){ 0 };
}
