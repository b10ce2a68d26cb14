#include "checks/checks.h"
#include "checks/nsg.h"
#include "checks/talk.h"
#include "facts/arm.h"
#include "model/jit.h"
#include "model/vm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define EXPIRING_MIN 5

static const struct nsg_rule *
decider(const struct nsg_judgement *judgement)
{
	return judgement->deciding != NULL ? judgement->deciding->result.decider : NULL;
}

/* A just-in-time deny that matches this flow but stands behind an allow rule protects nothing. */
static const struct nsg_rule *
idle_deny(const struct nsg_judgement *judgement, const struct nsg_flow *flow)
{
	for (size_t g = NSG_SCOPE_SUBNET; g <= NSG_SCOPE_NIC; g++) {
		const struct nsg *nsg = &judgement->gates[g].nsg;

		for (size_t i = 0; i < nsg->count; i++)
			if (nsg->rules[i].is_jit && nsg->rules[i].access == NSG_ACCESS_DENY &&
			    nsg_match_rule(&nsg->rules[i], flow).match == NSG_YES)
				return &nsg->rules[i];
	}
	return NULL;
}

/* Everything a request needs: its URL (az rest puts the cloud's host in front) and its body. None
 * where the policy would refuse it. */
static void
add_request(const struct scene *scene, const char *source, struct finding *finding)
{
	const struct jit *jit = &scene->access;
	const struct inbound *in = &scene->inbound;
	const char *vm = scene->vm->id;
	char *body, *url;

	if (jit->policy_id == NULL || jit->port == NULL || jit->source_forbidden)
		return;
	body = jit_request_body(jit, vm, jit->number > 0 ? jit->number : (int)in->flow.port, source,
				scene->now);
	url = doc_fmt("%s/initiate?api-version=2020-01-01", jit->policy_id);
	finding_text(finding, "jit_url", url);
	finding_text(finding, "jit_body", body);
	free(url);
	free(body);
}

static void
add_evidence(const struct scene *scene, struct finding *finding)
{
	const struct jit *jit = &scene->access;
	const struct inbound *in = &scene->inbound;
	char *allowed = jit_sources(jit->granted),
	     *policy = jit->source_forbidden ? jit_sources(jit->port) : NULL;

	finding_text(finding, "state", jit_state_word(jit->state));
	if (jit->minutes_left >= 0)
		finding_number(finding, "minutes_left", jit->minutes_left);
	finding_resource(finding, "policy", "policy_group", jit->policy_id);
	finding_text(finding, "source_allowed", allowed);
	finding_text(finding, "policy_sources", policy);
	finding_text(finding, "end_time", jit->end);
	finding_text(finding, "requester", jit->requestor);
	finding_text(finding, "field", jit->state == JIT_UNCLEAR ? jit->field : NULL);
	if (*in->source_text != '\0')
		finding_text(finding, "source_ip", in->source_text);
	finding_number(finding, "port", in->flow.port);
	if (jit->port != NULL && jit->bad_limit == NULL)
		finding_number(finding, "max_minutes", jit->max_seconds / 60);
	finding_text(finding, "bad_limit", jit->bad_limit);
	add_request(scene, in->source_known ? in->source_text : NULL, finding);
	free(allowed);
	free(policy);
}

/* The request is in force and somebody else's deny still stands before its allow rule, or in the
 * other group. */
static bool
shadowed_by_older(const struct nsg_judgement *judgement)
{
	const struct nsg_rule *rule = decider(judgement);

	return judgement->verdict == NSG_DENY && rule != NULL && !rule->is_jit &&
	       !rule->is_default && judgement->deciding->scope != NSG_SCOPE_ADMIN;
}

/* The allow rule that the request made, in one of the groups; NULL when it stands in none. */
static const struct nsg_rule *
request_rule(const struct nsg_gate *gates, size_t count, const struct nsg_flow *flow)
{
	for (size_t g = 0; g < count; g++)
		for (size_t i = 0; i < gates[g].nsg.count; i++) {
			const struct nsg_rule *rule = &gates[g].nsg.rules[i];

			if (rule->is_jit && rule->access == NSG_ACCESS_ALLOW &&
			    nsg_match_rule(rule, flow).match == NSG_YES)
				return rule;
		}
	return NULL;
}

/* The allow rule of the request stands behind the deny: that has to go behind it. In the other of
 * the two groups there is none: there a rule of its own before the deny helps. */
static void
add_way_around(const struct nsg_judgement *judgement, const struct inbound *in,
	       struct finding *finding)
{
	const struct nsg_gate *gate = judgement->deciding;
	const struct nsg_rule *allow = request_rule(gate, 1, &in->flow);
	int priority = allow != NULL ? nsg_free_behind(gate, allow) : 0;

	if (priority > 0)
		finding_number(finding, "behind_priority", priority);
	else
		nsg_remedy_evidence(gate, in, finding);
	finding_text(finding, "destination", in->path->private_text);
}

/* The request is in force for the client, and a firewall on the way has put its own address in the
 * place of the client's, which the request's rule does not fit. */
static bool
behind_source_nat(const struct nsg_judgement *judgement, const struct inbound *in)
{
	const struct nsg_rule *rule = decider(judgement);

	return in->way != NULL && in->way->kind == ADDRESS_FIREWALL_DNAT &&
	       judgement->verdict == NSG_DENY && rule != NULL && rule->is_jit &&
	       judgement->deciding->scope != NSG_SCOPE_ADMIN &&
	       request_rule(judgement->gates, 3, &in->flow) != NULL;
}

static int
say_source_nat(const struct nsg_judgement *judgement, const struct inbound *in,
	       struct finding *finding)
{
	const struct nsg_rule *rule = decider(judgement);

	finding_resource(finding, "nsg", "nsg_group", judgement->deciding->ref.id);
	finding_changes(finding, judgement->deciding->ref.id);
	finding_text(finding, "rule", rule->name);
	finding_number(finding, "priority", rule->priority);
	nsg_remedy_evidence(judgement->deciding, in, finding);
	finding_text(finding, "destination", in->path->private_text);
	return finding_set(finding, FAIL, CODE_JIT_BEHIND_SOURCE_NAT,
			   "a request is active and yours, and its rule does not fit packets from "
			   "firewall %s, which come from %s: %s (%d) denies them",
			   in->way->name,
			   *in->source_text != '\0' ? in->source_text : "its own addresses",
			   rule->name, rule->priority);
}

/* Web traffic and SSH leave by different addresses, and the request is for the first. */
static int
say_other_egress(const struct scene *scene, const char *other, struct finding *finding)
{
	finding_text(finding, "source_ip", other);
	add_request(scene, other, finding);
	return finding_likely(finding, FAIL, CODE_JIT_REQUEST_WRONG_SOURCE_IP,
			      "the active request is for %s, but this computer is also seen as %s, "
			      "and the connection times out",
			      scene->inbound.source_text, other);
}

static int
active(const struct scene *scene, struct finding *finding)
{
	const struct jit *jit = &scene->access;
	const struct nsg_judgement *judgement = &scene->nsg;
	const struct inbound *in = &scene->inbound;
	const struct nsg_rule *rule = decider(judgement);
	const char *other = egress_outside_request(scene);

	if (other != NULL)
		return say_other_egress(scene, other, finding);
	if (jit->source_unknown && judgement->verdict != NSG_ALLOW)
		return finding_set(finding, UNKNOWN, CODE_JIT_SOURCE_UNKNOWN,
				   "a request is active for another %ld min, for certain "
				   "addresses; whether yours is among them is not known",
				   jit->minutes_left);
	if (behind_source_nat(judgement, in))
		return say_source_nat(judgement, in, finding);
	if (shadowed_by_older(judgement)) {
		finding_resource(finding, "nsg", "nsg_group", judgement->deciding->ref.id);
		finding_changes(finding, judgement->deciding->ref.id);
		finding_text(finding, "rule", rule->name);
		finding_number(finding, "priority", rule->priority);
		add_way_around(judgement, in, finding);
		return finding_set(finding, FAIL, CODE_JIT_SHADOWED_BY_OLDER_DENY,
				   "a request is active, but %s (%d) in %s still denies: it comes "
				   "before the rule that just-in-time access added",
				   rule->name, rule->priority,
				   arm_id_name(judgement->deciding->ref.id));
	}
	if (judgement->verdict == NSG_DENY && rule != NULL &&
	    judgement->deciding->scope != NSG_SCOPE_ADMIN &&
	    (rule->is_jit || request_rule(judgement->gates, 3, &in->flow) == NULL))
		return finding_likely(
		    finding, FAIL, CODE_JIT_NOT_APPLIED,
		    "a request is active, but its allow rule is not in the security group (yet)");
	if (jit->minutes_left >= 0 && jit->minutes_left < EXPIRING_MIN)
		return finding_set(finding, WARN, CODE_JIT_ACTIVE_EXPIRING,
				   "the request is active for another %ld min only",
				   jit->minutes_left);
	return finding_set(finding, PASS, CODE_JIT_ACTIVE,
			   "a request is active for another %ld min", jit->minutes_left);
}

/* The rules let us in although no request is in force: by a rule of just-in-time access that still
 * (or already) stands, or by one that makes the whole control idle. */
static int
open_anyway(const struct jit *jit, const struct nsg_judgement *judgement, const struct inbound *in,
	    struct finding *finding)
{
	const struct nsg_rule *rule = idle_deny(judgement, &in->flow), *first = decider(judgement);

	if (first != NULL && first->is_jit &&
	    (jit->state == JIT_EXPIRED || jit->state == JIT_REVOKED)) {
		finding_number(finding, "minutes_left", 0);
		return finding_set(
		    finding, WARN, CODE_JIT_ACTIVE_EXPIRING,
		    "the request has expired; its rule %s is still there and will be removed",
		    first->name);
	}
	if (first != NULL && first->is_jit)
		return finding_set(finding, PASS, CODE_JIT_ACTIVE, "%s lets you in", first->name);
	finding_text(finding, "rule", rule != NULL ? rule->name : NULL);
	finding_text(finding, "allow_rule", first != NULL ? first->name : NULL);
	return finding_set(
	    finding, WARN, CODE_JIT_INEFFECTIVE,
	    "port %u is protected by just-in-time access, but %s allows you without a request",
	    in->flow.port, first != NULL ? first->name : "the absence of a security group");
}

/* No request opens the port now. That is a failure only where the rules do not let us in all the
 * same. */
static int
closed(const struct jit *jit, const struct nsg_judgement *judgement, const struct inbound *in,
       struct finding *finding)
{
	int r;

	if (judgement->verdict == NSG_ALLOW)
		return open_anyway(jit, judgement, in, finding);
	switch (jit->state) {
	case JIT_EXPIRED:
	case JIT_REVOKED:
		r = finding_set(finding, FAIL, CODE_JIT_REQUEST_EXPIRED,
				"the last just-in-time request for port %u %s", in->flow.port,
				jit->state == JIT_EXPIRED ? "has run out" : "was revoked");
		break;
	case JIT_OTHER_SOURCE:
		r = finding_set(finding, FAIL, CODE_JIT_REQUEST_WRONG_SOURCE_IP,
				"the active just-in-time request is for another address than %s",
				in->source_text);
		break;
	case JIT_FAILED:
		r = finding_set(finding, FAIL, CODE_JIT_REQUEST_FAILED,
				"the last just-in-time request for port %u failed", in->flow.port);
		break;
	case JIT_UNCLEAR:
		return finding_set(finding, UNKNOWN, CODE_JIT_INVALID_POLICY,
				   "there is a just-in-time request for port %u, but its %s is "
				   "missing or invalid: it does not count as active",
				   in->flow.port, jit->field);
	case JIT_PENDING:
		r = finding_set(finding, FAIL, CODE_JIT_REQUEST_PENDING,
				"a just-in-time request for port %u is not in force yet",
				in->flow.port);
		break;
	default:
		r = finding_set(
		    finding, FAIL, CODE_JIT_NO_ACTIVE_REQUEST,
		    "port %u is under just-in-time control, and there is no active request",
		    in->flow.port);
	}
	if (judgement->verdict != NSG_DENY || jit->missing != NULL ||
	    (in->source_likely && jit->state == JIT_OTHER_SOURCE))
		finding->confidence = LIKELY;
	return r;
}

/* The policy lets requests be made from certain addresses only: a request for ours would be
 * refused. */
static int
add_forbidden_source(const struct jit *jit, const struct inbound *in, struct finding *finding)
{
	struct finding *also = finding_also(finding);
	char *allowed = jit_sources(jit->port);
	int r = -ENOMEM;

	if (also != NULL && allowed != NULL) {
		r = finding_set(also, WARN, CODE_JIT_POLICY_FORBIDS_SOURCE,
				"policy %s takes requests from %s only, not from %s",
				jit->policy_name != NULL ? jit->policy_name : "", allowed,
				in->source_text);
		finding_text(also, "source_allowed", allowed);
		finding_text(also, "source_ip", in->source_text);
		finding_resource(also, "policy", "policy_group", jit->policy_id);
	}
	free(allowed);
	return r;
}

static int
add_forbidden_duration(const struct jit *jit, struct finding *finding)
{
	struct finding *also = finding_also(finding);

	if (also == NULL)
		return -ENOMEM;
	finding_number(also, "asked_minutes", jit->asked_seconds / 60);
	finding_number(also, "max_minutes", jit->max_seconds / 60);
	finding_resource(also, "policy", "policy_group", jit->policy_id);
	return finding_set(also, WARN, CODE_JIT_POLICY_FORBIDS_DURATION,
			   "the request asked for %ld min, and policy %s allows %ld at most",
			   jit->asked_seconds / 60,
			   jit->policy_name != NULL ? jit->policy_name : "", jit->max_seconds / 60);
}

/* Through Azure Firewall the request opened a port of the firewall: that one is to be used. */
static int
add_mapping(const struct scene *scene, struct finding *finding)
{
	const struct jit *jit = &scene->access;
	const struct inbound *in = &scene->inbound;
	struct finding *also;
	bool given;

	if (in->way != NULL ? in->way->port == jit->mapped_port
			    : address_ssh_port(scene->facts, &given) == jit->mapped_port)
		return 0;
	if ((also = finding_also(finding)) == NULL)
		return -ENOMEM;
	finding_number(also, "mapped_port", jit->mapped_port);
	finding_text(also, "mapped_address", jit->mapped_address);
	return finding_set(
	    also, WARN, CODE_JIT_MAPPED_PORT,
	    "the request opened port %d of %s, which leads to port %u of the VM", jit->mapped_port,
	    jit->mapped_address != NULL ? jit->mapped_address : "the firewall's public address",
	    in->flow.port);
}

/* What stands beside the state: what the policy would refuse, and where an open port is to be
 * found. */
static int
add_remarks(const struct scene *scene, struct finding *finding)
{
	const struct jit *jit = &scene->access;
	const struct inbound *in = &scene->inbound;
	bool blocked = finding->status == FAIL || finding->status == UNKNOWN;
	int r = 0;

	if (jit->source_forbidden && blocked)
		r = add_forbidden_source(jit, in, finding);
	if (r == 0 && jit->state == JIT_FAILED && blocked && jit->bad_limit == NULL &&
	    jit->asked_seconds > jit->max_seconds)
		r = add_forbidden_duration(jit, finding);
	if (r == 0 && jit->state == JIT_ACTIVE && jit->mapped_port != 0)
		r = add_mapping(scene, finding);
	return r;
}

int
check_jit(const struct scene *scene, const struct rule *rule, struct finding *finding)
{
	const struct jit *jit = &scene->access;
	const struct inbound *in = &scene->inbound;
	int r;

	(void)rule;
	add_evidence(scene, finding);
	if (jit->state == JIT_NONE && jit->missing != NULL)
		r = finding_missing(finding, CODE_JIT_UNKNOWN, "a just-in-time policy",
				    &(struct net_ref){ .why = jit->missing });
	else if (jit->state == JIT_NONE)
		r = finding_set(finding, PASS, CODE_JIT_NONE,
				"no just-in-time policy names the VM");
	else if (jit->state == JIT_NOT_COVERED)
		r = finding_set(finding, PASS, CODE_JIT_NOT_COVERED,
				"just-in-time access does not cover port %u", in->flow.port);
	else if (jit->state == JIT_ACTIVE)
		r = active(scene, finding);
	else
		r = closed(jit, &scene->nsg, in, finding);
	return r == 0 ? add_remarks(scene, finding) : r;
}
