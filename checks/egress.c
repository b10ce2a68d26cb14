/* Web traffic and SSH may leave by different ways out: then the security rules admit the one
 * address, and the packets come from the other. */
#include "checks/inbound.h"
#include "checks/talk.h"

#include <stdio.h>
#include <string.h>

struct egress {
	const struct facts *facts;
	struct inbound in;
	struct finding *finding;
};

/* The verdict for one source; -errno when it cannot be had. */
static int
verdict_for(struct egress *egress, struct ip source, struct nsg_judgement *ret)
{
	struct nsg_flow flow = egress->in.flow;
	int r;

	flow.source = (struct ip_set){ 0 };
	if ((r = ip_set_add(&flow.source, &(struct ip_range){ source, source })) == 0)
		r = nsg_judge(egress->facts, egress->in.path, &flow, egress->in.has_front,
			      egress->in.front_sku, ret);
	ip_set_free(&flow.source);
	return r;
}

/* What a rule of its own for that address needs. */
static void
add_evidence(const struct egress *egress, const struct nsg_gate *gate, const char *other,
	     const char *from)
{
	struct finding *finding = egress->finding;
	int priority = nsg_free_priority(gate);
	char name[40], prefix[IP_TEXT_MAX + 8];

	nsg_free_name(gate, name, sizeof(name));
	snprintf(prefix, sizeof(prefix), "%s/%d", other, egress->in.path->v6 ? 128 : 32);
	finding_text(finding, "source_ip", egress->in.source_text);
	finding_text(finding, "egress_ip", other);
	finding_text(finding, "egress_from", from);
	finding_text(finding, "source_prefix", prefix);
	finding_resource(finding, "nsg", "nsg_group", gate->ref.id);
	finding_changes(finding, gate->ref.id);
	finding_text(finding, "new_rule", name);
	if (priority > 0)
		finding_number(finding, "new_priority", priority);
	finding_text(finding, "destination", egress->in.path->private_text);
}

/* true when the rules turn that address away; just-in-time access and admin rules have words of
 * their own. */
static bool
turned_away(struct egress *egress, const char *other, const char *from)
{
	struct nsg_judgement judgement;
	const struct nsg_gate *gate;
	struct ip ip, used;
	bool denied;

	if (ip_parse(other, &ip) < 0 || ip_parse(egress->in.source_text, &used) < 0 ||
	    ip_cmp(ip, used) == 0 || !ip_is_public(ip) || ip_is_v4(ip) == egress->in.path->v6 ||
	    verdict_for(egress, ip, &judgement) < 0)
		return false;
	gate = judgement.deciding;
	denied = judgement.verdict == NSG_DENY && gate != NULL && gate->scope != NSG_SCOPE_ADMIN &&
		 !(gate->result.decider != NULL && gate->result.decider->is_jit);
	if (denied)
		add_evidence(egress, gate, other, from);
	nsg_judgement_free(&judgement);
	return denied;
}

static bool
admitted(struct egress *egress)
{
	struct nsg_judgement judgement;
	bool allowed;

	if (!egress->in.source_known || egress->in.path == NULL || !egress->in.has_front ||
	    verdict_for(egress, egress->in.flow.source.list[0].from, &judgement) < 0)
		return false;
	allowed = judgement.verdict == NSG_ALLOW;
	nsg_judgement_free(&judgement);
	return allowed;
}

bool
talk_egress_differs(const struct facts *facts, struct finding *finding)
{
	struct egress egress = { .facts = facts, .finding = finding };
	const json_t *other;
	bool differs = false;
	size_t i;

	if (inbound_make(facts, &egress.in) < 0)
		return false;
	if (admitted(&egress)) {
		json_array_foreach (doc_list(facts_section(facts, FACT_SOURCE), "others"), i, other)
			differs = differs || turned_away(&egress, doc_str(other, "ip"),
							 "Azure saw the sign-in come from it");
		differs =
		    differs ||
		    turned_away(&egress, doc_str(facts_section(facts, FACT_TCP), "local_address"),
				"it is this machine's own address");
	}
	inbound_free(&egress.in);
	return differs;
}
