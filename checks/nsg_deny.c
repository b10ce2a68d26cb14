#include "checks/nsg.h"
#include "facts/arm.h"
#include "model/jit.h"
#include "model/vm.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
nsg_gate_evidence(const struct nsg_gate *gate, const struct inbound *in, struct finding *finding)
{
	const struct nsg_rule *rule = gate->result.decider;
	char *source;

	finding_text(finding, "scope", nsg_scope_word(gate->scope));
	if (gate->scope == NSG_SCOPE_ADMIN) {
		finding_text(finding, "nsg", gate->nsg.name);
	} else {
		finding_resource(finding, "nsg", "nsg_group", gate->ref.id);
		finding_changes(finding, gate->ref.id);
	}
	if (rule != NULL) {
		finding_text(finding, "rule", rule->name);
		if (rule->priority >= 0)
			finding_number(finding, "priority", rule->priority);
		source = nsg_source_text(rule);
		finding_text(finding, "source", source);
		free(source);
	}
	finding_number(finding, "port", in->flow.port);
}

/* The source that the new rule is for: a known one, or whose address the reader has to put in. */
static void
add_source(const struct inbound *in, struct finding *finding)
{
	int bits = in->path->v6 ? 128 : 32;
	char source[IP_TEXT_MAX + 8];

	finding_number(finding, "source_bits", bits);
	if (in->source_known)
		snprintf(source, sizeof(source), "%s/%d", in->source_text, bits);
	else
		snprintf(source, sizeof(source), "%s", in->source_text);
	if (*source != '\0')
		finding_text(finding, "source_prefix", source);
	else
		finding_value(finding,
			      in->flow.private_path ? "needs_private_ip" : "needs_public_ip",
			      json_true());
}

void
nsg_remedy_evidence(const struct nsg_gate *gate, const struct inbound *in, struct finding *finding)
{
	int priority = nsg_free_priority(gate);
	char name[40];

	finding_place(finding, "nsg_place", gate->ref.id, in);
	nsg_free_name(gate, name, sizeof(name));
	finding_text(finding, "new_rule", name);
	if (priority > 0)
		finding_number(finding, "new_priority", priority);
	else
		finding_value(finding, "no_priority", json_true());
	add_source(in, finding);
}

/* The other group denies as well: what would open it stands beside, since opening one of the two
 * would not help. */
static void
add_other_remedy(const struct nsg_gate *gate, const struct inbound *in, struct finding *finding)
{
	int priority = nsg_free_priority(gate);
	const char *source = doc_str(finding->evidence, "source_prefix");
	char name[40];

	if (gate->result.decider != NULL && gate->result.decider->is_jit)
		return;
	finding_resource(finding, "other_nsg", "other_nsg_group", gate->ref.id);
	if (doc_get(finding->evidence, "source_bits") == NULL)
		return;
	nsg_free_name(gate, name, sizeof(name));
	finding_place(finding, "other_nsg_place", gate->ref.id, in);
	finding_text(finding, "other_new_rule", name);
	if (priority > 0)
		finding_number(finding, "other_new_priority", priority);
	if (source != NULL)
		finding_text(finding, "other_source_prefix", source);
	else
		finding_value(finding, "other_needs_ip", json_true());
}

/* Just-in-time access's own deny decides. Where its policy may not be read, the rule's description
 * names it, and the request can be put together all the same; where the policies were read and none
 * is for this VM, the rule was left behind. */
static void
add_jit_request(const struct scene *scene, const struct nsg_rule *rule, struct finding *finding)
{
	const struct inbound *in = &scene->inbound;
	const struct jit *jit = &scene->access;
	const char *vm = scene->vm->id,
		   *at = rule->description != NULL ? strstr(rule->description, "policy '") : NULL;
	char subscription[128], group[128];
	char *body_text, *url;

	if (jit->state != JIT_NONE && jit->state != JIT_UNCLEAR)
		return; /* the check jit says what to do */
	if (jit->state == JIT_NONE && scene->jit->state == FACT_KNOWN && jit->missing == NULL) {
		finding_value(finding, "jit_left_behind", json_true());
		return;
	}
	if (scene->instance == NULL || scene->instance->location == NULL || jit->source_forbidden)
		return;
	arm_id_subscription(vm, subscription, sizeof(subscription));
	arm_id_group(vm, group, sizeof(group));
	if (jit->policy_id != NULL)
		url = doc_fmt("%s/initiate?api-version=2020-01-01", jit->policy_id);
	else
		url = doc_fmt("/subscriptions/%s/resourceGroups/%s/providers/Microsoft.Security/"
			      "locations/%s/jitNetworkAccessPolicies/%.*s/"
			      "initiate?api-version=2020-01-01",
			      subscription, group, scene->instance->location,
			      at != NULL ? (int)strcspn(at + 8, "'/? ") : 7,
			      at != NULL ? at + 8 : "default");
	body_text = jit_request_body(jit, vm, (int)in->flow.port,
				     in->source_known ? in->source_text : NULL, scene->now);
	finding_text(finding, "jit_url", url);
	finding_text(finding, "jit_body", body_text);
	free(body_text);
	free(url);
}

struct answer {
	enum code code;
	const char *words;
};

static const struct answer near_answers[] = {
	[NSG_NEAR_SHADOWED] = { CODE_NSG_PRIORITY_SHADOWED, "comes before the allow rule" },
	[NSG_NEAR_PROTOCOL] = { CODE_NSG_UDP_NOT_TCP,
				"decides, since SSH is TCP and not the protocol of rule" },
	[NSG_NEAR_ASG] = { CODE_NSG_ASG_NOT_ATTACHED, "decides, since the NIC is not in the "
						      "application security group of rule" },
	[NSG_NEAR_SOURCE] = { CODE_NSG_SOURCE_IP_CHANGED,
			      "decides, since your address is not in the source of rule" },
	[NSG_NEAR_TAG] = { CODE_NSG_WRONG_SERVICE_TAG,
			   "decides, since your address is not in the source of rule" },
	[NSG_NEAR_SOURCE_PORT] = { CODE_NSG_WRONG_SOURCE_PORT,
				   "decides, since no client has the source port of rule" },
	[NSG_NEAR_DESTINATION] = { CODE_NSG_WRONG_DESTINATION,
				   "decides, since the VM's private address is not the destination "
				   "of rule" },
	[NSG_NEAR_PORT] = { CODE_NSG_WRONG_PORT, "decides, since the port is not that of rule" },
};

/* Does the other group of the path, the one that does not decide, let the flow through (or is there
 * none)? */
static bool
other_lets_through(const struct nsg_judgement *judgement, const struct nsg_gate *gate)
{
	const struct nsg_gate *other =
	    &judgement->gates[gate->scope == NSG_SCOPE_SUBNET ? NSG_SCOPE_NIC : NSG_SCOPE_SUBNET];

	return other->ref.state == FACT_KNOWN && other->result.can_allow && !other->result.can_deny;
}

/* The code for a gate that denies:
 *  - a just-in-time deny decides: jit's business, this finding follows from it;
 *  - an allow rule comes near (nsg_near.c): what is wrong with it; but a rule that merely opens
 * another port says less than the other group letting the flow through, which makes it "this of the
 * two groups denies";
 *  - a custom deny decides, or the other group allows, or the other denies too: the group of the
 * subnet, or of the NIC, denies;
 *  - only the default deny matches and nothing comes near: there is no allow rule. */
static enum code
code_for(const struct nsg_judgement *judgement, const struct nsg_gate *gate,
	 const struct nsg_near *near)
{
	const struct nsg_rule *rule = gate->result.decider;
	enum code by_scope =
	    gate->scope == NSG_SCOPE_SUBNET ? CODE_NSG_DENY_SUBNET : CODE_NSG_DENY_NIC;
	bool both = judgement->also != NULL;

	if (rule != NULL && rule->is_jit)
		return CODE_NSG_JIT_DENY;
	if (near->kind != NSG_NEAR_NONE &&
	    !(near->kind >= NSG_NEAR_DESTINATION && (other_lets_through(judgement, gate) || both)))
		return near_answers[near->kind].code;
	if ((rule != NULL && !rule->is_default) || other_lets_through(judgement, gate) || both)
		return by_scope;
	return CODE_NSG_NO_ALLOW_RULE;
}

/* The NIC's groups with one more, as the words of an option. */
static void
add_groups(const struct nsg_rule *rule, const struct inbound *in, struct finding *finding)
{
	json_t *wanted = net_ids(rule->destination.asgs), *all = net_ids(in->path->asgs);
	const char *id = json_string_value(json_array_get(wanted, 0));

	finding_text(finding, "asg", arm_id_name(id));
	finding_text(finding, "asg_id", id);
	if (json_array_size(all) > 0)
		finding_value(finding, "old_asg_ids", json_copy(all));
	doc_append_str(all, id);
	finding_value(finding, "asg_ids", all);
	json_decref(wanted);
}

static void
add_near(const struct nsg_near *near, const struct inbound *in, struct finding *finding)
{
	char *source = nsg_source_text(near->rule);

	finding_text(finding, "near_rule", near->rule->name);
	finding_number(finding, "near_priority", near->rule->priority);
	finding_text(finding, "near_source", source);
	finding_text(finding, "near_protocol", near->rule->protocol_text);
	finding_text(finding, "near_destination", near->rule->destination.text);
	finding_text(finding, "near_source_port", near->rule->source_ports.text);
	finding_text(finding, "allowed_port", near->rule->destination_ports.text);
	if (near->kind == NSG_NEAR_ASG)
		add_groups(near->rule, in, finding);
	free(source);
}

static int
deny_at(const struct scene *scene, const struct nsg_judgement *judgement,
	const struct nsg_gate *gate, struct finding *finding)
{
	const struct inbound *in = &scene->inbound;
	struct nsg_near near = nsg_near_miss(gate, &in->flow);
	const struct nsg_rule *rule = gate->result.decider;
	const char *name = rule != NULL ? rule->name : "no rule",
		   *group = arm_id_name(gate->ref.id);
	bool uses_near;
	enum code code;
	int r;

	if (near.kind == NSG_NEAR_SOURCE && in->way != NULL &&
	    in->way->kind == ADDRESS_FIREWALL_DNAT)
		near.kind = NSG_NEAR_NONE; /* the client's address was right, and is not what the
					      rules see */
	code = in->by_bastion ? CODE_BASTION_NSG_BLOCKS_22 : code_for(judgement, gate, &near);
	uses_near = near.kind != NSG_NEAR_NONE && code == near_answers[near.kind].code;
	if (uses_near && near.kind == NSG_NEAR_SOURCE && scene->machine.cloud_shell)
		code = CODE_CLOUDSHELL_IP_NOT_ALLOWED;
	if (uses_near)
		r = finding_set(finding, FAIL, code, "%s (%d) in %s %s %s (%d)", name,
				rule->priority, group, near_answers[near.kind].words,
				near.rule->name, near.rule->priority);
	else
		r = finding_set(
		    finding, FAIL, code,
		    "%s (%d) in %s, the security group of the %s, denies TCP %u from %s", name,
		    rule != NULL ? rule->priority : 0, group,
		    gate->scope == NSG_SCOPE_SUBNET ? "subnet" : "NIC", in->flow.port,
		    *in->source_text != '\0' ? in->source_text : "any address");
	if (uses_near)
		add_near(&near, in, finding);
	if (!in->source_known) {
		char *condition = nsg_condition(judgement, true);

		finding_text(finding, "condition", condition);
		free(condition);
	}
	if (rule != NULL && rule->is_jit)
		add_jit_request(scene, rule, finding);
	else
		nsg_remedy_evidence(gate, in, finding);
	return r;
}

static int
deny_by_admin(const struct nsg_judgement *judgement, const struct inbound *in,
	      struct finding *finding)
{
	const struct nsg_rule *rule = judgement->deciding->result.decider;
	char *manager = nsg_manager_name(judgement->deciding);

	finding_text(finding, "network_manager", manager);
	free(manager);
	return finding_set(finding, FAIL, CODE_SECURITY_ADMIN_RULE_DENY,
			   "security admin rule %s (%d) denies TCP %u before any security group",
			   rule != NULL ? rule->name : "?", rule != NULL ? rule->priority : 0,
			   in->flow.port);
}

/* Closed for want of any group: the words of a new one. */
static int
deny_closed(const struct inbound *in, struct finding *finding)
{
	char *name = doc_fmt("%s-nsg", in->path->nic_name);

	finding_text(finding, "new_nsg", name);
	finding_text(finding, "new_rule", "allow-ssh-me");
	finding_number(finding, "new_priority", 300);
	add_source(in, finding);
	free(name);
	return finding_set(finding, FAIL, CODE_PIP_STANDARD_NO_NSG,
			   "neither the subnet nor the NIC has a security group, and a %s public "
			   "address allows nothing without one",
			   in->front_sku);
}

int
nsg_deny(const struct scene *scene, const struct nsg_judgement *judgement, struct finding *finding)
{
	const struct inbound *in = &scene->inbound;
	struct finding *also;
	int r;

	if (judgement->closed)
		return deny_closed(in, finding);
	if (judgement->deciding == NULL)
		return finding_set(finding, UNKNOWN, CODE_NSG_UNKNOWN,
				   "no security group could be named");
	if (judgement->deciding->scope == NSG_SCOPE_ADMIN)
		return deny_by_admin(judgement, in, finding);
	r = deny_at(scene, judgement, judgement->deciding, finding);
	if (r < 0 || judgement->also == NULL || (also = finding_also(finding)) == NULL)
		return r;
	add_other_remedy(judgement->also, in, finding);
	r = deny_at(scene, judgement, judgement->also, also);
	finding_text(also, "verdict", "deny");
	nsg_gate_evidence(judgement->also, in, also);
	finding_text(also, "destination", in->path->private_text);
	inbound_evidence(in, also);
	if (*in->source_text != '\0')
		finding_text(also, "source_ip", in->source_text);
	return r;
}
