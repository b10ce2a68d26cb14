#include "checks/checks.h"
#include "checks/inbound.h"
#include "model/arm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TRACE_MAX 40

/* The trace of the gates: every rule looked at and why it matched or not, the last ones when there are many. */
static void
add_trace(const struct nsg_judgement *judgement, struct finding *finding)
{
	json_t *trace = json_array();

	for (size_t g = 0; g < 3; g++) {
		const struct nsg_gate *gate = &judgement->gates[g];
		size_t count = gate->result.step_count;

		for (size_t i = count > TRACE_MAX ? count - TRACE_MAX : 0; i < count; i++) {
			char *words = nsg_step_words(&gate->result.steps[i]);
			char *line =
			    doc_fmt("%s %s: %s", nsg_scope_word(gate->scope), gate->nsg.name, words != NULL ? words : "?");

			doc_append_str(trace, line);
			free(line);
			free(words);
		}
	}
	if (json_array_size(trace) > 0)
		finding_value(finding, "trace", trace);
	else
		json_decref(trace);
}

static void
add_gate(const struct nsg_gate *gate, const struct inbound *in, struct finding *finding)
{
	const struct nsg_rule *rule = gate->result.decider;
	char *source;

	finding_text(finding, "scope", nsg_scope_word(gate->scope));
	if (gate->scope == NSG_SCOPE_ADMIN)
		finding_text(finding, "nsg", gate->nsg.name);
	else
		finding_resource(finding, "nsg", "nsg_group", gate->ref.id);
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

/* What stands in every answer, whatever the status. */
static void
add_evidence(const struct nsg_judgement *judgement, const struct inbound *in, struct finding *finding)
{
	if (judgement->verdict != NSG_UNKNOWN)
		finding_text(finding, "verdict", nsg_verdict_word(judgement->verdict));
	if (judgement->deciding != NULL)
		add_gate(judgement->deciding, in, finding);
	finding_number(finding, "port", in->flow.port);
	if (*in->source_text != '\0')
		finding_text(finding, "source_ip", in->source_text);
	if (in->flow.destination_known)
		finding_text(finding, "destination", in->path->private_text);
	inbound_evidence(in, finding);
	if (judgement->admin_unread)
		finding_text(finding, "admin_rules",
			     "could not be read: the verdict holds unless a security admin rule says otherwise");
	add_trace(judgement, finding);
}

/* The smallest rule that would admit this source in a gate that denies: one address, the VM's own as destination, one port. */
static void
add_remedy(const struct nsg_gate *gate, const struct inbound *in, struct finding *finding)
{
	int priority = nsg_free_priority(gate);
	char name[40], source[IP_TEXT_MAX + 8];

	nsg_free_name(gate, name, sizeof(name));
	finding_text(finding, "new_rule", name);
	if (priority > 0)
		finding_number(finding, "new_priority", priority);
	if (in->source_known)
		snprintf(source, sizeof(source), "%s/%d", in->source_text, in->path->v6 ? 128 : 32);
	else
		snprintf(source, sizeof(source), "%s", in->source_text);
	if (*source != '\0')
		finding_text(finding, "source_prefix", source);
}

/* The other group denies as well: what would open it stands beside, since opening one of the two would not help. */
static void
add_other_remedy(const struct nsg_gate *gate, struct finding *finding)
{
	int priority = nsg_free_priority(gate);
	char name[40];

	if (gate->result.decider != NULL && gate->result.decider->is_jit)
		return;
	nsg_free_name(gate, name, sizeof(name));
	finding_resource(finding, "other_nsg", "other_nsg_group", gate->ref.id);
	finding_text(finding, "other_new_rule", name);
	if (priority > 0)
		finding_number(finding, "other_new_priority", priority);
}

struct answer {
	const char *code, *words;
};

static const struct answer near_answers[] = {
	[NSG_NEAR_SHADOWED] = { "nsg-priority-shadowed", "stands before the allow rule" },
	[NSG_NEAR_PROTOCOL] = { "nsg-udp-not-tcp", "decides, since SSH is TCP and not the protocol of rule" },
	[NSG_NEAR_ASG] = { "nsg-asg-not-attached", "decides, since the NIC is not in the application security group of rule" },
	[NSG_NEAR_SOURCE] = { "nsg-source-ip-changed", "decides, since your address is not in the source of rule" },
	[NSG_NEAR_TAG] = { "nsg-wrong-service-tag", "decides, since your address is not in the source of rule" },
	[NSG_NEAR_SOURCE_PORT] = { "nsg-wrong-source-port", "decides, since no client has the source port of rule" },
	[NSG_NEAR_DESTINATION] = { "nsg-wrong-destination",
				   "decides, since the VM's private address is not the destination of rule" },
	[NSG_NEAR_PORT] = { "nsg-wrong-port", "decides, since the port is not that of rule" },
};

/* Does the other group of the path, the one that does not decide, let the flow through (or is there none)? */
static bool
other_lets_through(const struct nsg_judgement *judgement, const struct nsg_gate *gate)
{
	const struct nsg_gate *other = &judgement->gates[gate->scope == NSG_SCOPE_SUBNET ? NSG_SCOPE_NIC : NSG_SCOPE_SUBNET];

	return other->ref.state == FACT_KNOWN && other->result.can_allow && !other->result.can_deny;
}

/* The code for a gate that denies:
 *  - a just-in-time deny decides: jit's business, this finding follows from it;
 *  - an allow rule comes near (nsg_near.c): what is wrong with it; but a rule that merely opens another port says less than the
 * other group letting the flow through, which makes it "this of the two groups denies";
 *  - a custom deny decides, or the other group allows, or the other denies too: the group of the subnet, or of the NIC, denies;
 *  - only the default deny matches and nothing comes near: there is no allow rule. */
static const char *
code_for(const struct nsg_judgement *judgement, const struct nsg_gate *gate, const struct nsg_near *near)
{
	const struct nsg_rule *rule = gate->result.decider;
	const char *by_scope = gate->scope == NSG_SCOPE_SUBNET ? "nsg-deny-subnet" : "nsg-deny-nic";
	bool both = judgement->also != NULL;

	if (rule != NULL && rule->is_jit)
		return "nsg-jit-deny";
	if (near->kind != NSG_NEAR_NONE && !(near->kind >= NSG_NEAR_DESTINATION && (other_lets_through(judgement, gate) || both)))
		return near_answers[near->kind].code;
	if ((rule != NULL && !rule->is_default) || other_lets_through(judgement, gate) || both)
		return by_scope;
	return "nsg-no-allow-rule";
}

static int
deny_at(const struct facts *facts, const struct nsg_judgement *judgement, const struct nsg_gate *gate, const struct inbound *in,
	struct finding *finding)
{
	struct nsg_near near = nsg_near_miss(gate, &in->flow);
	const struct nsg_rule *rule = gate->result.decider;
	const char *code = in->by_bastion ? "bastion-nsg-blocks-22" : code_for(judgement, gate, &near);
	const char *name = rule != NULL ? rule->name : "no rule", *group = arm_id_name(gate->ref.id);
	bool uses_near = near.kind != NSG_NEAR_NONE && strcmp(code, near_answers[near.kind].code) == 0;
	int r;

	if (uses_near && near.kind == NSG_NEAR_SOURCE && doc_bool(facts->doc, "machine.cloud_shell", false))
		code = "cloudshell-ip-not-allowed";
	if (uses_near)
		r = finding_set(finding, FAIL, code, "%s (%d) in %s %s %s (%d)", name, rule->priority, group,
				near_answers[near.kind].words, near.rule->name, near.rule->priority);
	else
		r = finding_set(finding, FAIL, code, "%s (%d) in %s, the security group of the %s, denies TCP %u from %s", name,
				rule != NULL ? rule->priority : 0, group, gate->scope == NSG_SCOPE_SUBNET ? "subnet" : "NIC",
				in->flow.port, *in->source_text != '\0' ? in->source_text : "any address");
	if (uses_near) {
		char *source = nsg_source_text(near.rule);

		finding_text(finding, "near_rule", near.rule->name);
		finding_number(finding, "near_priority", near.rule->priority);
		finding_text(finding, "near_source", source);
		finding_text(finding, "near_protocol", near.rule->protocol_text);
		finding_text(finding, "allowed_port", near.rule->destination_ports.text);
		if (near.kind == NSG_NEAR_ASG)
			finding_text(finding, "asg_id", doc_str(json_array_get(near.rule->destination.asgs, 0), "id"));
		if (near.kind == NSG_NEAR_ASG)
			finding_text(finding, "asg", arm_id_name(doc_str(json_array_get(near.rule->destination.asgs, 0), "id")));
		free(source);
	}
	if (rule == NULL || !rule->is_jit)
		add_remedy(gate, in, finding);
	return r;
}

static int
deny_by_admin(const struct nsg_judgement *judgement, const struct inbound *in, struct finding *finding)
{
	const struct nsg_rule *rule = judgement->deciding->result.decider;
	const json_t *entry;
	size_t i;

	json_array_foreach (doc_list(judgement->deciding->ref.body, "value"), i, entry) {
		const char *id = doc_str(entry, "id"), *manager = id != NULL ? strcasestr(id, "/networkManagers/") : NULL;

		if (manager != NULL && rule != NULL && doc_same(arm_id_name(id), rule->name)) {
			size_t len = strcspn(manager + 17, "/");

			doc_set_strn(finding->evidence, "network_manager", manager + 17, len);
		}
	}
	return finding_set(finding, FAIL, "security-admin-rule-deny",
			   "security admin rule %s (%d) denies TCP %u before any security group", rule != NULL ? rule->name : "?",
			   rule != NULL ? rule->priority : 0, in->flow.port);
}

static int
deny(const struct facts *facts, const struct nsg_judgement *judgement, const struct inbound *in, struct finding *finding)
{
	struct finding *also;
	int r;

	if (judgement->closed) {
		char *name = doc_fmt("%s-nsg", in->path->nic_name);

		finding_text(finding, "new_nsg", name);
		finding_text(finding, "new_rule", "allow-ssh-me");
		finding_number(finding, "new_priority", 300);
		if (in->source_known) {
			char *prefix = doc_fmt("%s/%d", in->source_text, in->path->v6 ? 128 : 32);

			finding_text(finding, "source_prefix", prefix);
			free(prefix);
		}
		free(name);
		return finding_set(
		    finding, FAIL, "pip-standard-no-nsg",
		    "neither the subnet nor the NIC has a security group, and a %s public address lets nothing in without one",
		    in->front_sku);
	}
	if (judgement->deciding == NULL)
		return finding_set(finding, UNKNOWN, "nsg-unknown", "no security group could be named");
	if (judgement->deciding->scope == NSG_SCOPE_ADMIN)
		return deny_by_admin(judgement, in, finding);
	r = deny_at(facts, judgement, judgement->deciding, in, finding);
	if (r < 0 || judgement->also == NULL || (also = finding_also(finding)) == NULL)
		return r;
	add_other_remedy(judgement->also, finding);
	r = deny_at(facts, judgement, judgement->also, in, also);
	finding_text(also, "verdict", "deny");
	add_gate(judgement->also, in, also);
	finding_text(also, "destination", in->path->private_text);
	inbound_evidence(in, also);
	if (*in->source_text != '\0')
		finding_text(also, "source_ip", in->source_text);
	return r;
}

/* It depends: on who you are, or on what a tag holds. When the address is known, a tag is all that is open and nothing came back
 * on the wire, the tag most likely does not hold it. */
static int
depends(const struct facts *facts, const struct nsg_judgement *judgement, const struct inbound *in, struct finding *finding)
{
	const struct nsg_gate *gate = judgement->deciding;
	const char *tag = gate != NULL ? gate->result.unknown_tag : NULL;
	char *condition = nsg_condition(judgement);
	const char *words = condition != NULL ? condition : "the rules differ by source";
	int r;

	finding_text(finding, "condition", condition);
	finding_text(finding, "tag", tag);
	if (in->source_known && tag != NULL && gate->result.decider != NULL && gate->result.decider->access == NSG_ACCESS_DENY &&
	    wire_timed_out(facts)) {
		r = finding_set(finding, FAIL, "nsg-wrong-service-tag",
				"%s: %s, and most likely %s does not include %s, since nothing came back",
				arm_id_name(gate->ref.id), words, tag, in->source_text);
		finding->confidence = LIKELY;
		finding_text(finding, "near_rule", gate->result.other != NULL ? gate->result.other->name : NULL);
		finding_text(finding, "near_source", tag);
		add_remedy(gate, in, finding);
	} else if (in->source_known) {
		r = finding_set(finding, UNKNOWN, "nsg-depends-on-tag",
				"%s: %s; whether that holds for %s cannot be told from here",
				gate != NULL ? arm_id_name(gate->ref.id) : "security groups", words, in->source_text);
	} else {
		r = finding_set(finding, UNKNOWN, "nsg-depends-on-source",
				"%s: %s, and the address you connect from is not known (--source-ip says it)",
				gate != NULL ? arm_id_name(gate->ref.id) : "security groups", words);
		if (gate != NULL && gate->scope != NSG_SCOPE_ADMIN)
			add_remedy(gate, in, finding);
	}
	free(condition);
	return r;
}

static int
not_known(const struct nsg_judgement *judgement, struct finding *finding)
{
	const struct nsg_gate *gate = judgement->deciding;
	const char *what = gate == NULL || gate->scope == NSG_SCOPE_ADMIN ? "the security admin rules"
			   : gate->scope == NSG_SCOPE_SUBNET              ? "the subnet's security group"
									  : "the NIC's security group";

	if (judgement->unknown != NULL && gate != NULL && gate->ref.state == FACT_KNOWN) {
		const struct nsg_rule *rule = gate->result.unknown_rule;

		finding_text(finding, "field", judgement->unknown);
		return finding_set(
		    finding, UNKNOWN, "nsg-nonsense", "%s: %s of %s makes no sense or is missing, so nothing certain can be said",
		    arm_id_name(gate->ref.id), judgement->unknown, rule != NULL ? rule->name : "the security group");
	}
	if (judgement->unknown != NULL) {
		finding_text(finding, "field", judgement->unknown);
		return finding_set(finding, UNKNOWN, "nsg-nonsense", "%s is missing, so nothing certain can be said",
				   judgement->unknown);
	}
	return finding_missing(finding, "nsg-unknown", what, gate != NULL ? &gate->ref : NULL);
}

/* A verdict that holds whatever the source is stays certain though the source is only likely. */
static int
is_certain(const struct facts *facts, const struct inbound *in, const struct nsg_judgement *judgement, bool *ret)
{
	struct nsg_judgement any;
	struct nsg_flow flow;
	int r;

	*ret = !judgement->admin_unread;
	if (!in->source_likely)
		return 0;
	if ((r = inbound_any_source(in, &flow)) < 0 ||
	    (r = nsg_judge(facts, in->path, &flow, in->has_front, in->front_sku, &any)) < 0) {
		ip_set_free(&flow.source);
		return r;
	}
	if (any.verdict != judgement->verdict)
		*ret = false;
	nsg_judgement_free(&any);
	ip_set_free(&flow.source);
	return 0;
}

/* The verdict in words, without words on how certain it is. */
static int
say(const struct facts *facts, const struct inbound *in, const struct nsg_judgement *judgement, struct finding *finding)
{
	const struct nsg_rule *rule = judgement->deciding != NULL ? judgement->deciding->result.decider : NULL;

	add_evidence(judgement, in, finding);
	if (judgement->verdict == NSG_DENY)
		return deny(facts, judgement, in, finding);
	if (judgement->verdict == NSG_DEPENDS)
		return depends(facts, judgement, in, finding);
	if (judgement->verdict == NSG_UNKNOWN)
		return not_known(judgement, finding);
	return finding_set(finding, PASS, "nsg-allows", "TCP %u from %s is allowed%s%s", in->flow.port,
			   *in->source_text != '\0' ? in->source_text : "any address", rule != NULL ? " by " : "",
			   rule != NULL ? rule->name : "");
}

static bool
is_definite(const struct nsg_judgement *judgement)
{
	return judgement->verdict == NSG_ALLOW || judgement->verdict == NSG_DENY;
}

/* The effective rules (--deep) settle what the raw ones leave open; where both are definite and disagree, both are shown. */
static int
second_opinion(const struct nsg_judgement *raw, const struct nsg_judgement *effective, struct finding *finding)
{
	struct finding *also;
	char *words;
	int r;

	if (!is_definite(raw) || !is_definite(effective) || raw->verdict == effective->verdict)
		return 0;
	if ((also = finding_also(finding)) == NULL)
		return -ENOMEM;
	words = doc_fmt("the rules as written say %s, the effective rules that Azure computes say %s",
			nsg_verdict_word(raw->verdict), nsg_verdict_word(effective->verdict));
	finding_text(also, "second_opinion", words);
	r = finding_set(also, WARN, "nsg-second-opinion", "%s", words != NULL ? words : "two answers");
	free(words);
	finding->confidence = LIKELY;
	return r;
}

static int
judge(const struct facts *facts, const struct inbound *in, struct finding *finding)
{
	struct nsg_judgement raw, effective = { 0 };
	const struct nsg_judgement *best = &raw;
	bool certain = true;
	int r, deep;

	if ((r = nsg_judge(facts, in->path, &in->flow, in->has_front, in->front_sku, &raw)) < 0)
		return r;
	deep = nsg_judge_effective(facts, in->path, &in->flow, in->has_front, in->front_sku, &effective);
	if (deep == 0 && !is_definite(&raw) && is_definite(&effective))
		best = &effective;
	r = deep == -ENOMEM ? deep : best == &raw ? is_certain(facts, in, &raw, &certain) : 0;
	if (r == 0)
		r = say(facts, in, best, finding);
	if (best == &effective)
		finding_text(finding, "judged_by", "effective rules");
	else if (!certain && finding->confidence == CERTAIN && (finding->status == PASS || finding->status == FAIL))
		finding->confidence = LIKELY;
	if (r == 0 && deep == 0)
		r = second_opinion(&raw, &effective, finding);
	nsg_judgement_free(&raw);
	if (deep == 0)
		nsg_judgement_free(&effective);
	return r;
}

static int
nsg_run(const struct facts *facts, const struct rule *rule, struct finding *finding)
{
	struct net_ref vm = net_ref_by_id(facts, doc_str(facts_section(facts, FACT_VM), "id"));
	struct inbound in;
	int r;

	(void)rule;
	if ((r = inbound_make(facts, &in)) == -ENOENT)
		return finding_missing(finding, "nsg-unknown", "the VM", &vm);
	if (r < 0)
		return r;
	if (in.path == NULL)
		r = finding_missing(finding, "nsg-unknown", "the network interface",
				    in.network.missing_nic.id != NULL ? &in.network.missing_nic : NULL);
	else
		r = judge(facts, &in, finding);
	inbound_free(&in);
	return r;
}

const struct check check_nsg = {
	.id = "nsg",
	.title = "Security groups",
	.needs = FACTS_BIT(VM) | FACTS_BIT(NETWORK),
	.run = nsg_run,
};
