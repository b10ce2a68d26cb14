/* Web traffic and SSH may leave by different ways out: then the security rules admit the one
 * address, and the packets come from the other. */
#include "checks/talk.h"

#include <stdio.h>
#include <string.h>

static void
judge_source(const struct scene *scene, struct ip source, struct nsg_judgement *ret)
{
	struct nsg_flow flow = scene->inbound.flow;

	flow.source = (struct ip_set){ 0 };
	ip_set_add(&flow.source, &(struct ip_range){ source, source });
	inbound_judge(scene, &flow, ret);
	ip_set_free(&flow.source);
}

/* What a rule of its own for that address needs. */
static void
add_evidence(const struct inbound *in, const struct nsg_gate *gate, const char *other,
	     const char *from, struct finding *finding)
{
	int priority = nsg_free_priority(gate);
	char name[40], prefix[IP_TEXT_MAX + 8];

	nsg_free_name(gate, name, sizeof(name));
	snprintf(prefix, sizeof(prefix), "%s/%d", other, in->path->v6 ? 128 : 32);
	finding_text(finding, "source_ip", in->source_text);
	finding_text(finding, "egress_ip", other);
	finding_text(finding, "egress_from", from);
	finding_text(finding, "source_prefix", prefix);
	finding_resource(finding, "nsg", "nsg_group", gate->ref.id);
	finding_changes(finding, gate->ref.id);
	finding_text(finding, "new_rule", name);
	if (priority > 0)
		finding_number(finding, "new_priority", priority);
	finding_text(finding, "destination", in->path->private_text);
}

/* true when a security group denies that address: a rule of just-in-time access, or another one.
 * Admin rules have words of their own. */
static bool
is_denied(const struct scene *scene, const char *other, bool by_jit, const char *from,
	  struct finding *finding)
{
	const struct inbound *in = &scene->inbound;
	struct nsg_judgement judgement;
	const struct nsg_gate *gate;
	struct ip ip, used;
	bool denied;

	if (ip_parse(other, &ip) < 0 || ip_parse(in->source_text, &used) < 0 ||
	    ip_cmp(ip, used) == 0 || !ip_is_public(ip) || ip_is_v4(ip) == in->path->v6)
		return false;
	judge_source(scene, ip, &judgement);
	gate = judgement.deciding;
	denied = judgement.verdict == NSG_DENY && gate != NULL && gate->scope != NSG_SCOPE_ADMIN &&
		 (gate->result.decider != NULL && gate->result.decider->is_jit) == by_jit;
	if (denied && finding != NULL)
		add_evidence(in, gate, other, from, finding);
	nsg_judgement_free(&judgement);
	return denied;
}

/* The rules allow the address that the run went by, so another one may be why nothing comes back.
 */
static bool
can_differ(const struct scene *scene)
{
	const struct inbound *in = &scene->inbound;

	return in->source_known && in->path != NULL && in->has_front &&
	       scene->nsg.verdict == NSG_ALLOW;
}

const char *
egress_outside_request(const struct scene *scene)
{
	if (can_differ(scene) && scene->tcp->result == TCP_TIMEOUT)
		for (size_t i = 0; i < scene->source->others_count; i++)
			if (is_denied(scene, scene->source->others[i].ip, true, NULL, NULL))
				return scene->source->others[i].ip;
	return NULL;
}

bool
talk_egress_differs(const struct scene *scene, struct finding *finding)
{
	if (!can_differ(scene))
		return false;
	for (size_t i = 0; i < scene->source->others_count; i++)
		if (is_denied(scene, scene->source->others[i].ip, false,
			      "Azure saw the sign-in come from it", finding))
			return true;
	return is_denied(scene, scene->tcp->local_address, false,
			 "it is this computer's own address", finding);
}
