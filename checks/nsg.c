#include "checks/checks.h"
#include "checks/nsg.h"
#include "facts/arm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TRACE_MAX 40

/* The trace of the gates: every rule looked at and why it matched or not, the last ones when there
 * are many. */
static void
add_trace(const struct nsg_judgement *judgement, struct finding *finding)
{
	json_t *trace = json_array();

	for (size_t g = 0; g < 3; g++) {
		const struct nsg_gate *gate = &judgement->gates[g];
		size_t count = gate->result.step_count;

		if (count > TRACE_MAX) {
			char *line = doc_fmt(
			    "%s %s: %zu rules before these were looked at and do not decide",
			    nsg_scope_word(gate->scope), gate->nsg.name, count - TRACE_MAX);

			doc_append_str(trace, line);
			free(line);
		}
		for (size_t i = count > TRACE_MAX ? count - TRACE_MAX : 0; i < count; i++) {
			char *words = nsg_step_words(&gate->result.steps[i]);
			char *line = doc_fmt("%s %s: %s", nsg_scope_word(gate->scope),
					     gate->nsg.name, words != NULL ? words : "?");

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

/* What stands in every answer, whatever the status. */
static void
add_evidence(const struct nsg_judgement *judgement, const struct inbound *in,
	     struct finding *finding)
{
	if (judgement->verdict != NSG_UNKNOWN)
		finding_text(finding, "verdict", nsg_verdict_word(judgement->verdict));
	if (judgement->deciding != NULL)
		nsg_gate_evidence(judgement->deciding, in, finding);
	finding_number(finding, "port", in->flow.port);
	if (*in->source_text != '\0')
		finding_text(finding, "source_ip", in->source_text);
	if (in->flow.destination_known)
		finding_text(finding, "destination", in->path->private_text);
	inbound_evidence(in, finding);
	if (judgement->admin_unread)
		finding_text(finding, "admin_rules",
			     "could not be read: the verdict holds unless a security admin rule "
			     "says otherwise");
	add_trace(judgement, finding);
}

/* It depends: on who you are, or on what a tag holds. When the address is known, a tag is all that
 * is open and nothing came back on the wire, the tag most likely does not hold it; not where a
 * route loses the answers, since the silence then says nothing about the tag. */
static int
depends(const struct scene *scene, const struct nsg_judgement *judgement, struct finding *finding)
{
	const struct inbound *in = &scene->inbound;
	const struct nsg_gate *gate = judgement->deciding;
	const char *tag = gate != NULL ? gate->result.unknown_tag : NULL;
	char *condition = nsg_condition(judgement, !in->source_known);
	const char *words = condition != NULL ? condition : "the rules differ by source";
	int r;

	finding_text(finding, "condition", condition);
	finding_text(finding, "tag", tag);
	if (in->source_known && tag != NULL && gate->result.decider != NULL &&
	    gate->result.decider->access == NSG_ACCESS_DENY && scene->timed_out &&
	    !route_loses_answers(scene)) {
		r = finding_likely(
		    finding, FAIL, CODE_NSG_WRONG_SERVICE_TAG,
		    "%s: %s, and most likely %s does not include %s, since nothing came back",
		    arm_id_name(gate->ref.id), words, tag, in->source_text);
		finding_text(finding, "near_rule",
			     gate->result.other != NULL ? gate->result.other->name : NULL);
		finding_text(finding, "near_source", tag);
		nsg_remedy_evidence(gate, in, finding);
	} else if (in->source_known) {
		r = finding_set(finding, UNKNOWN, CODE_NSG_DEPENDS_ON_TAG,
				"%s: %s; whether that holds for %s cannot be told from here",
				gate != NULL ? arm_id_name(gate->ref.id) : "security groups", words,
				in->source_text);
	} else {
		r = finding_set(
		    finding, UNKNOWN, CODE_NSG_DEPENDS_ON_SOURCE,
		    "%s: %s, and the %s you connect from is not known (--source-ip says it)",
		    gate != NULL ? arm_id_name(gate->ref.id) : "security groups", words,
		    in->source_private ? "public address" : "address");
		if (gate != NULL && gate->scope != NSG_SCOPE_ADMIN)
			nsg_remedy_evidence(gate, in, finding);
	}
	free(condition);
	return r;
}

static int
nonsense(const struct nsg_judgement *judgement, struct finding *finding)
{
	const struct nsg_gate *gate = judgement->deciding;
	const struct nsg_rule *rule = gate->result.unknown_rule;
	char *words = rule != NULL ? nsg_field_words(gate, rule, judgement->unknown) : NULL;
	int r;

	finding_text(finding, "field", judgement->unknown);
	finding_text(finding, "rule", rule != NULL ? rule->name : NULL);
	if (rule != NULL)
		r = finding_set(finding, UNKNOWN, CODE_NSG_INVALID_RULE,
				"%s: %s in rule %s, so nothing certain can be said",
				gate->scope == NSG_SCOPE_ADMIN ? gate->nsg.name
							       : arm_id_name(gate->ref.id),
				words != NULL ? words : judgement->unknown, rule->name);
	else
		r = finding_set(finding, UNKNOWN, CODE_NSG_INVALID_RULE,
				"%s: %s is missing or invalid, so the result is not certain",
				gate->scope == NSG_SCOPE_ADMIN ? "security admin rules"
							       : arm_id_name(gate->ref.id),
				judgement->unknown);
	free(words);
	return r;
}

/* Without any group the kind of the public address decides, and that is not known. */
static int
front_not_known(const struct nsg_judgement *judgement, const struct inbound *in,
		struct finding *finding)
{
	if (in->path->pip.state != FACT_KNOWN && in->path->pip.state != FACT_ABSENT)
		return finding_missing(finding, CODE_NSG_UNKNOWN,
				       "there is no security group, and the public address",
				       &in->path->pip);
	finding_text(finding, "field", judgement->unknown);
	return finding_set(finding, UNKNOWN, CODE_NSG_INVALID_RULE,
			   "there is no security group, and %s of what stands in front is %s: "
			   "whether that is open without one cannot be said",
			   judgement->unknown, in->front_sku != NULL ? in->front_sku : "missing");
}

static int
not_known(const struct nsg_judgement *judgement, const struct inbound *in, struct finding *finding)
{
	const struct nsg_gate *gate = judgement->deciding;
	static const char *const scopes[] = { [NSG_SCOPE_ADMIN] = "the security admin rules",
					      [NSG_SCOPE_SUBNET] = "the subnet's security group",
					      [NSG_SCOPE_NIC] = "the NIC's security group" };
	const char *what = scopes[gate != NULL ? gate->scope : NSG_SCOPE_ADMIN];

	if (judgement->unknown != NULL && gate != NULL && gate->ref.state == FACT_KNOWN)
		return nonsense(judgement, finding);
	if (judgement->unknown != NULL)
		return front_not_known(judgement, in, finding);
	return finding_missing(finding, CODE_NSG_UNKNOWN, what, gate != NULL ? &gate->ref : NULL);
}

/* A verdict that holds whatever the source is stays certain though the source is only likely. */
static bool
is_certain(const struct scene *scene)
{
	struct nsg_judgement any;
	struct nsg_flow flow;
	bool same;

	if (scene->nsg.admin_unread || !scene->inbound.source_likely)
		return !scene->nsg.admin_unread;
	flow = inbound_any_source(&scene->inbound);
	inbound_judge(scene, &flow, &any);
	same = any.verdict == scene->nsg.verdict;
	nsg_judgement_free(&any);
	ip_set_free(&flow.source);
	return same;
}

/* The verdict in words, without words on how certain it is. */
static int
say(const struct scene *scene, const struct nsg_judgement *judgement, struct finding *finding)
{
	const struct inbound *in = &scene->inbound;
	const struct nsg_rule *rule =
	    judgement->deciding != NULL ? judgement->deciding->result.decider : NULL;

	add_evidence(judgement, in, finding);
	if (judgement->verdict == NSG_DENY)
		return nsg_deny(scene, judgement, finding);
	if (judgement->verdict == NSG_DEPENDS)
		return depends(scene, judgement, finding);
	if (judgement->verdict == NSG_UNKNOWN)
		return not_known(judgement, in, finding);
	return finding_set(finding, PASS, CODE_NSG_ALLOWS, "TCP %u from %s is allowed%s%s",
			   in->flow.port,
			   *in->source_text != '\0' ? in->source_text : "any address",
			   rule != NULL ? " by " : "", rule != NULL ? rule->name : "");
}

/* The answer is Azure's, since ours was none: that is said. */
static void
tell_judge(struct finding *finding)
{
	char *words = doc_fmt(
	    "%s (by the effective rules that Azure computes; the rules as written leave it open)",
	    finding->summary);

	free(finding->summary);
	finding->summary = words;
	finding_text(finding, "judged_by", "effective rules");
}

/* ---- the load balancer's health probe ---- */

static int
say_probe(const struct scene *scene, const struct nsg_judgement *judgement, struct finding *finding)
{
	const struct inbound *in = &scene->inbound;
	const struct address *way = in->way;
	const struct nsg_rule *rule = judgement->deciding->result.decider;
	int r;

	add_evidence(judgement, in, finding);
	nsg_remedy_evidence(judgement->deciding, in, finding);
	finding_number(finding, "port", way->probe_port);
	finding_text(finding, "source_prefix", "AzureLoadBalancer");
	finding_text(finding, "source_ip", INBOUND_PROBES_FROM);
	finding_text(finding, "probe", way->probe);
	r = finding_set(finding, FAIL, CODE_LB_PROBE_DENIED,
			"%s (%d) in %s denies TCP %d from " INBOUND_PROBES_FROM
			": the health probe%s%s of the load balancer fails, so it sends "
			"nothing to the VM",
			rule != NULL ? rule->name : "no rule", rule != NULL ? rule->priority : 0,
			arm_id_name(judgement->deciding->ref.id), way->probe_port,
			way->probe != NULL ? " " : "", way->probe != NULL ? way->probe : "");
	return r;
}

/* A load balancer sends nothing to a member whose probe fails, whatever the rules say of us. */
static int
add_probe(const struct scene *scene, struct finding *finding)
{
	const struct address *way = scene->inbound.way;
	struct nsg_judgement judgement = { 0 };
	struct finding *at = finding;
	int r = 0;

	if (way == NULL || way->kind != ADDRESS_LB_RULE || way->probe_port == 0)
		return 0;
	inbound_judge_probe(scene, &judgement);
	if (judgement.verdict == NSG_DENY && !judgement.closed && judgement.deciding != NULL &&
	    judgement.deciding->scope != NSG_SCOPE_ADMIN) {
		if (finding->status != PASS)
			at = finding_also(finding);
		r = say_probe(scene, &judgement, at);
	}
	nsg_judgement_free(&judgement);
	return r;
}

/* ---- all of it ---- */

static int
judge(const struct scene *scene, struct finding *finding)
{
	const struct inbound *in = &scene->inbound;
	const struct nsg_judgement *raw = &scene->nsg, *best = raw;
	struct nsg_judgement effective = { 0 };
	bool certain = true, deep;
	int r;

	deep = nsg_judge_effective(scene->facts, in->path, &in->flow, in->has_front, in->front_sku,
				   &effective);
	if (deep && !nsg_is_definite(raw) && nsg_is_definite(&effective))
		best = &effective;
	if (best == raw)
		certain = is_certain(scene);
	r = say(scene, best, finding);
	if (best == &effective)
		tell_judge(finding);
	else if (!certain && finding->confidence == CERTAIN &&
		 (finding->status == PASS || finding->status == FAIL))
		finding->confidence = LIKELY;
	if (r == 0)
		r = add_probe(scene, finding);
	if (r == 0)
		r = nsg_opinions(scene, deep ? &effective : NULL, finding);
	if (deep)
		nsg_judgement_free(&effective);
	return r;
}

int
check_nsg(const struct scene *scene, const struct rule *rule, struct finding *finding)
{
	int r;

	(void)rule;
	if (inbound_missing(scene, CODE_NSG_UNKNOWN, finding))
		return 0;
	if ((r = judge(scene, finding)) == 0 && finding->status == FAIL &&
	    finding->id != CODE_NSG_JIT_DENY && finding->id != CODE_SECURITY_ADMIN_RULE_DENY &&
	    !scene->answers && !address_by_proxy(scene->facts))
		nsg_note_policy(scene, finding);
	return r;
}
