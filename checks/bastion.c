/* A Bastion is the way in: is it set up, does it take native clients, and do the rules of its own
 * subnet let you in and it out? That the VM's rules let it in is the nsg check's, that the networks
 * are connected the route check's. */
#include "checks/scene.h"
#include "facts/arm.h"

#include <stdlib.h>
#include <string.h>

#define TCP 6
#define CLIENT_PORT 443

static int
not_ready(const struct bastion *bastion, struct finding *finding)
{
	finding_text(finding, "bastion_state", bastion->state);
	if (doc_same(bastion->state, "Failed"))
		finding_value(finding, "bastion_failed", json_true());
	return finding_likely(finding, FAIL, CODE_BASTION_NOT_READY,
			      "the provisioning state of Bastion %s is %s", bastion->name,
			      bastion->state);
}

/* Its public address is what a client on the Internet connects to. */
static bool
is_out_of_reach(const struct scene *scene)
{
	const struct fact_tcp *tcp = scene->tcp;

	return scene->inbound.bastion.private_only && !tcp->on_azure && tcp->tunnels_count == 0;
}

/* ---- the rules of its subnet ---- */

/* The group denies the flow for certain; the gate then holds the rule that does. */
static bool
denies(struct nsg_gate *gate, const struct nsg_flow *flow)
{
	nsg_evaluate(&gate->nsg, flow, &gate->result);
	return gate->result.can_deny && !gate->result.can_allow && !gate->result.can_always;
}

static void
add_rule(const struct nsg_gate *gate, struct finding *finding)
{
	const struct nsg_rule *rule = gate->result.decider;
	char name[96];
	int priority = nsg_free_priority(gate);

	finding_resource(finding, "nsg", "nsg_group", gate->ref.id);
	finding_text(finding, "rule", rule != NULL ? rule->name : NULL);
	if (rule != NULL && rule->priority >= 0)
		finding_number(finding, "priority", rule->priority);
	nsg_free_name(gate, name, sizeof(name));
	finding_text(finding, "new_rule", name);
	if (priority > 0)
		finding_number(finding, "new_priority", priority);
	finding_changes(finding, gate->ref.id);
}

static int
client_denied(const struct scene *scene, const struct nsg_gate *gate, struct finding *finding)
{
	char *prefix =
	    doc_fmt("%s/%d", scene->source->ip, strchr(scene->source->ip, ':') != NULL ? 128 : 32);

	add_rule(gate, finding);
	finding_text(finding, "source_prefix", prefix);
	free(prefix);
	finding_set(finding, FAIL, CODE_BASTION_SUBNET_DENIES_CLIENT,
		    "%s, the security group of Bastion's subnet, denies TCP %d from %s",
		    arm_id_name(gate->ref.id), CLIENT_PORT, scene->source->ip);
	if (scene->source->likely)
		finding->confidence = LIKELY;
	return 0;
}

static int
target_denied(const struct scene *scene, const struct nsg_gate *gate, struct finding *finding)
{
	const struct inbound *in = &scene->inbound;
	char prefix[IP_TEXT_MAX * 2];

	add_rule(gate, finding);
	range_format(&in->bastion.subnet, prefix, sizeof(prefix));
	finding_text(finding, "source_prefix", prefix);
	finding_text(finding, "destination", in->path->private_text);
	finding_number(finding, "target_port", in->flow.port);
	return finding_set(finding, FAIL, CODE_BASTION_SUBNET_DENIES_TARGET,
			   "%s, the security group of Bastion's subnet, denies what goes out to %s "
			   "port %u",
			   arm_id_name(gate->ref.id), in->path->private_text, in->flow.port);
}

static struct nsg_flow
flow_to(const struct scene *scene, unsigned port)
{
	struct nsg_flow flow = { .protocol = TCP, .port = port };

	flow.tags.vnet = scene->inbound.bastion.vnet;
	flow.tags.table = scene->inbound.flow.tags.table;
	return flow;
}

/* You reach the Bastion by its public address. */
static bool
judge_client(const struct scene *scene, struct nsg_gate *gate, struct finding *finding)
{
	struct nsg_flow flow = flow_to(scene, CLIENT_PORT);
	struct ip ip;
	bool denied;

	if (ip_parse(scene->source->ip, &ip) < 0 || !ip_is_public(ip))
		return false;
	ip_set_add(&flow.source, &(struct ip_range){ ip, ip });
	nsg_from_body(gate->ref.body, &gate->nsg);
	denied = denies(gate, &flow);
	if (denied)
		client_denied(scene, gate, finding);
	ip_set_free(&flow.source);
	return denied;
}

/* It reaches the VM by the private address. */
static bool
judge_target(const struct scene *scene, struct nsg_gate *gate, struct finding *finding)
{
	const struct inbound *in = &scene->inbound;
	struct nsg_flow flow = flow_to(scene, in->flow.port);
	bool denied;

	if (!in->bastion.subnet_known)
		return false;
	flow.private_path = true;
	flow.destination = in->path->private_ip;
	flow.destination_known = in->path->has_private;
	ip_set_add(&flow.source, &in->bastion.subnet);
	nsg_outbound_from_body(gate->ref.body, &gate->nsg);
	denied = denies(gate, &flow);
	if (denied)
		target_denied(scene, gate, finding);
	ip_set_free(&flow.source);
	return denied;
}

/* true when the group of its subnet stops the connection, or may not be read. */
static bool
judge_subnet(const struct scene *scene, struct finding *finding)
{
	static bool (*const judges[])(const struct scene *, struct nsg_gate *,
				      struct finding *) = { judge_client, judge_target };
	const struct net_ref *nsg = &scene->inbound.bastion.nsg;
	bool stops = false;

	if (nsg->state == FACT_UNKNOWN && nsg->why != NULL) {
		finding_missing(finding, CODE_BASTION_UNVERIFIED, "the rules of Bastion's subnet",
				nsg);
		return true;
	}
	for (size_t i = 0; i < 2 && !stops && nsg->state == FACT_KNOWN; i++) {
		struct nsg_gate gate = { .scope = NSG_SCOPE_SUBNET, .ref = *nsg };

		stops = judges[i](scene, &gate, finding);
		nsg_result_free(&gate.result);
		nsg_free(&gate.nsg);
	}
	return stops;
}

int
bastion_judge(const struct scene *scene, struct finding *finding)
{
	const struct bastion *bastion = &scene->inbound.bastion;

	if (!bastion->tunneling)
		return finding_set(
		    finding, FAIL, CODE_BASTION_TUNNELING_DISABLED,
		    "no public address, and Bastion %s (%s) does not take native SSH clients",
		    bastion->name, bastion->sku != NULL ? bastion->sku : "SKU unknown");
	if (!bastion->ready)
		return not_ready(bastion, finding);
	if (is_out_of_reach(scene))
		return finding_likely(finding, FAIL, CODE_BASTION_PRIVATE_ONLY,
				      "Bastion %s has no public address, and no VPN is up here",
				      bastion->name);
	if (judge_subnet(scene, finding))
		return 0;
	return finding_set(finding, PASS, CODE_BASTION_WAY_IN,
			   "az network bastion ssh -n %s: the way in without a public address",
			   bastion->name);
}
