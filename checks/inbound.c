#include "checks/scene.h"
#include "facts/arm.h"
#include "model/public_ip.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SSH_PORT 22
#define TCP 6

/* With no direct way in, a Bastion counts as the way; not where somebody named a host or a jump
 * host of his own. */
static void
find_bastion(const struct facts *facts, struct inbound *in)
{
	if (in->path == NULL || in->has_front || address_asked_host(facts) != NULL ||
	    address_by_proxy(facts))
		return;
	in->by_bastion = bastion_for(facts, in->path, &in->bastion);
}

/* What stands in front of the path decides whether it is open without any security group. An
 * address that is not allocated at present (VM off) or could not be read is in front all the same.
 */
static void
find_front(const struct facts *facts, struct inbound *in)
{
	const struct address *way = in->way;
	struct ip asked;
	bool literal = ip_parse(address_asked_host(facts), &asked) == 0;

	if (way != NULL && (way->kind == ADDRESS_PUBLIC_IP || way->kind == ADDRESS_NAT_RULE ||
			    way->kind == ADDRESS_LB_RULE)) {
		in->has_front = !way->internal;
		in->front_sku = way->sku;
	} else if (in->path != NULL && in->path->pip.state != FACT_ABSENT &&
		   (!literal || in->foreign)) {
		in->has_front = true;
		in->front_sku = public_ip_view(&in->path->pip).sku;
	}
}

/* Every source that a path may have. */
static void
any_source(const struct inbound *in, struct ip_set *ret)
{
	const bool v6 = in->path != NULL && in->path->v6;

	if (in->flow.private_path)
		ip_set_private(ret, v6);
	else
		ip_set_public(ret, v6);
}

/* Azure Firewall puts an address of its own subnet in the place of the client's: that is what the
 * rules see. */
static void
set_firewall_source(const struct facts *facts, struct inbound *in)
{
	struct firewall firewall;
	struct ip_range range;

	if (!firewall_by_address(facts, in->way->host, &firewall) ||
	    (!net_subnet_range(facts, in->path, firewall.subnet, &range) &&
	     !net_hub_range(facts, firewall.hub, &range))) {
		ip_set_private(&in->flow.source, in->path->v6);
		return;
	}
	range_format(&range, in->source_text, sizeof(in->source_text));
	ip_set_add(&in->flow.source, &range);
}

static void
set_source(const struct scene *scene, struct inbound *in)
{
	bool v6 = in->path != NULL && in->path->v6, direct;
	struct ip ip;

	if (in->way != NULL && in->way->kind == ADDRESS_FIREWALL_DNAT && in->path != NULL) {
		set_firewall_source(scene->facts, in);
		return;
	}
	if (in->by_bastion && in->bastion.subnet_known) {
		range_format(&in->bastion.subnet, in->source_text, sizeof(in->source_text));
		ip_set_add(&in->flow.source, &in->bastion.subnet);
		return;
	}
	direct = !in->by_bastion && !address_by_proxy(scene->facts) &&
		 ip_parse(scene->source->ip, &ip) == 0 && ip_is_v4(ip) == !v6;
	in->source_private = direct && !in->flow.private_path && !ip_is_public(ip);
	if (direct && in->flow.private_path != ip_is_public(ip)) {
		in->source_known = true;
		in->source_likely = scene->source->likely;
		ip_format(ip, in->source_text, sizeof(in->source_text));
		ip_set_add(&in->flow.source, &(struct ip_range){ ip, ip });
	} else {
		any_source(in, &in->flow.source);
	}
}

static void
make_flow(const struct scene *scene, struct inbound *in)
{
	const struct net_path *path = in->path;

	in->flow.protocol = TCP;
	if (in->way != NULL)
		in->flow.port = (unsigned)in->way->backend_port;
	if (in->by_bastion && in->flow.port == 0)
		in->flow.port = SSH_PORT;
	in->flow.private_path = !in->has_front;
	if (path != NULL) {
		in->flow.destination = path->private_ip;
		in->flow.destination_known = path->has_private;
		in->flow.asgs = path->asgs;
		in->flow.asgs_bad = path->asgs_bad;
		in->flow.tags.vnet = path->vnet.body;
		in->flow.tags.routes = path->route_table.body;
	}
	set_source(scene, in);
}

int
inbound_make(const struct scene *scene, struct inbound *ret)
{
	const struct facts *facts = scene->facts;
	bool given;

	*ret = (struct inbound){ .flow.port = (unsigned)address_ssh_port(facts, &given) };
	if (network_from_facts(facts, &ret->network) < 0)
		return -ENOENT;
	address_list(facts, &ret->network, &ret->ways, &ret->way_count);
	ret->way = address_in_use(facts, ret->ways, ret->way_count, &ret->foreign);
	if (ret->way != NULL)
		ret->path = &ret->network.paths[ret->way->path];
	else if (ret->network.count > 0)
		ret->path = &ret->network.paths[0];
	find_front(facts, ret);
	if (ret->way == NULL || (ret->way->kind == ADDRESS_PRIVATE && !scene->answers))
		find_bastion(facts, ret);
	if (scene->instance != NULL)
		ret->flow.tags.table =
		    nsg_tag_table(facts, scene->vm->id, scene->instance->location);
	make_flow(scene, ret);
	return 0;
}

void
inbound_judge(const struct scene *scene, const struct nsg_flow *flow, struct nsg_judgement *ret)
{
	nsg_judge(scene->facts, scene->inbound.path, flow, !flow->private_path,
		  scene->inbound.front_sku, ret);
}

void
inbound_judge_probe(const struct scene *scene, struct nsg_judgement *ret)
{
	struct nsg_flow flow = scene->inbound.flow;
	struct ip_range platform;

	flow.source = (struct ip_set){ 0 };
	flow.port = (unsigned)scene->inbound.way->probe_port;
	if (prefix_parse(INBOUND_PROBES_FROM, &platform) == 0)
		ip_set_add(&flow.source, &platform);
	inbound_judge(scene, &flow, ret);
	ip_set_free(&flow.source);
}

void
inbound_free(struct inbound *in)
{
	ip_set_free(&in->flow.source);
	network_free(&in->network);
	free(in->ways);
	*in = (struct inbound){ 0 };
}

struct nsg_flow
inbound_any_source(const struct inbound *in)
{
	struct nsg_flow flow = in->flow;

	flow.source = (struct ip_set){ 0 };
	any_source(in, &flow.source);
	return flow;
}

const char *
inbound_source(const struct scene *scene)
{
	return scene->inbound.source_private ? NULL : scene->source->ip;
}

void
finding_resource(struct finding *finding, const char *key, const char *group_key, const char *id)
{
	char group[128];

	if (id == NULL || *id == '\0')
		return;
	finding_text(finding, key, arm_id_name(id));
	arm_id_group(id, group, sizeof(group));
	if (*group != '\0')
		finding_text(finding, group_key, group);
}

json_t *
inbound_place(const struct inbound *in, const char *id)
{
	char group[128], own[128], vm[128] = "";
	json_t *words = json_array();

	arm_id_group(id, group, sizeof(group));
	arm_id_subscription(id, own, sizeof(own));
	if (in->path != NULL)
		arm_id_subscription(in->path->nic_id, vm, sizeof(vm));
	doc_append_str(words, group);
	if (*own != '\0' && *vm != '\0' && !doc_same(own, vm)) {
		doc_append_str(words, "--subscription");
		doc_append_str(words, own);
	}
	return words;
}

void
finding_place(struct finding *finding, const char *key, const char *id, const struct inbound *in)
{
	if (id != NULL && *id != '\0')
		finding_value(finding, key, inbound_place(in, id));
}

void
inbound_evidence(const struct inbound *in, struct finding *finding)
{
	const struct net_path *path = in->path;
	char vnet[ARM_ID_MAX];

	if (path == NULL)
		return;
	finding_resource(finding, "nic", "nic_group", path->nic_id);
	finding_text(finding, "ip_config", path->config_name);
	if (path->subnet.id == NULL)
		return;
	finding_text(finding, "subnet", arm_id_name(path->subnet.id));
	if (arm_id_parent(path->subnet.id, vnet, sizeof(vnet)) == 0)
		finding_resource(finding, "vnet", "vnet_group", vnet);
}

/* "Microsoft.Network/networkSecurityGroups/read" of an id, for when the entry does not name the
 * action. */
static char *
action_of(const char *id)
{
	char type[160];

	return id != NULL && arm_id_type(id, type, sizeof(type)) == 0 ? doc_fmt("%s/read", type)
								      : NULL;
}

int
finding_missing(struct finding *finding, enum code code, const char *what,
		const struct net_ref *ref)
{
	const json_t *why = ref != NULL ? ref->why : NULL;
	const char *cause = FACT_GET(why, missing, cause), *reason = FACT_GET(why, missing, reason),
		   *action = FACT_GET(why, missing, action), *id = ref != NULL ? ref->id : NULL;
	char *derived = doc_same(cause, "forbidden") && action == NULL ? action_of(id) : NULL;
	int r;

	if (action == NULL)
		action = derived;
	if (ref != NULL && ref->field != NULL)
		r = finding_set(finding, UNKNOWN, code, "%s is not known: %s is missing or invalid",
				what, ref->field);
	else if (doc_same(cause, "forbidden"))
		r = finding_set(finding, UNKNOWN, code, "%s%s%s may not be read: you lack %s", what,
				id != NULL ? " " : "", arm_id_name(id),
				action != NULL ? action : "the permission");
	else
		r = finding_set(finding, UNKNOWN, code, "%s%s%s could not be read: %s", what,
				id != NULL ? " " : "", arm_id_name(id),
				reason != NULL ? reason : "it did not arrive whole");
	finding_text(finding, "field", ref != NULL ? ref->field : NULL);
	finding_text(finding, "cause", cause);
	finding_text(finding, "reason", reason);
	finding_text(finding, "action", action);
	finding_text(finding, "scope_id", id);
	free(derived);
	return r;
}

bool
inbound_missing(const struct scene *scene, enum code code, struct finding *finding)
{
	const struct net_ref vm = net_ref_by_id(scene->facts, scene->vm->id),
			     *nic = &scene->inbound.network.missing_nic;

	if (!scene->network_known)
		finding_missing(finding, code, "the VM", &vm);
	else if (scene->inbound.path == NULL)
		finding_missing(finding, code, "the network interface",
				nic->id != NULL ? nic : NULL);
	return scene->inbound.path == NULL;
}
