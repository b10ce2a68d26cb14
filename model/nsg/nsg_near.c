#include "model/nsg/nsg.h"

#include <string.h>
#include <strings.h>

/* Which allow rule comes near, for a gate that denies:
 *  - one that matches in every respect but stands behind the deny: shadowed;
 *  - one before the deny that is wrong in exactly one respect: the protocol, the application
 * security group, the source, the client's port, the destination address or the port. When several
 * come near, the order of enum nsg_near_kind decides: what has the right port speaks of SSH more
 * surely than what has the right source, so the wrong port comes last. Just-in-time access's own
 * rules are no near misses: its state is the business of another check. */

static bool
is_wide(const struct nsg_side *side)
{
	if (nsg_side_meets(side, &range_v4) == NSG_YES)
		return true;
	for (size_t i = 0; i < side->tag_count; i++)
		if (strcasecmp(side->tags[i], "Internet") == 0)
			return true;
	return false;
}

/* Does the rule's source take the flow's whole source? */
static bool
source_fits(const struct nsg_rule *rule, const struct nsg_flow *flow)
{
	for (size_t i = 0; i < flow->source.count; i++) {
		const char *tag = NULL;
		bool nonsense = false;

		if (nsg_match_source(rule, flow, &flow->source.list[i], &tag, &nonsense) != NSG_YES)
			return false;
	}
	return true;
}

/* A source that is a tag or only private ranges was never meant for this client's address; a public
 * one was, once. */
static enum nsg_near_kind
source_kind(const struct nsg_rule *rule)
{
	for (size_t i = 0; i < nsg_side_size(&rule->source); i++)
		if (ip_is_public(nsg_side_at(&rule->source, i).from))
			return NSG_NEAR_SOURCE;
	return NSG_NEAR_TAG;
}

/* A rule for every port ("allow ping", "allow the VNet") is no attempt at SSH that went wrong. */
static bool
names_ports(const struct nsg_rule *rule)
{
	for (size_t i = 0; i < rule->destination_ports.count; i++)
		if (rule->destination_ports.list[i].from == 0 &&
		    rule->destination_ports.list[i].to == 65535)
			return false;
	return true;
}

/* The single respect in which the allow rule does not fit, NONE when it is none or more than one.
 */
static enum nsg_near_kind
misfit(const struct nsg_rule *rule, const struct nsg_flow *flow)
{
	struct nsg_flow other = *flow;
	struct nsg_step step = nsg_match_rule(rule, flow);
	bool source = source_fits(rule, flow);

	if (step.match == NSG_MAYBE)
		return NSG_NEAR_NONE;
	if (step.match == NSG_YES && !source)
		return source_kind(rule) == NSG_NEAR_SOURCE || names_ports(rule) ? source_kind(rule)
										 : NSG_NEAR_NONE;
	if (!source || step.match == NSG_YES)
		return NSG_NEAR_NONE;
	if (strcmp(step.field, "protocol") == 0) {
		if (!names_ports(rule))
			return NSG_NEAR_NONE;
		other.protocol = rule->protocol;
		return nsg_match_rule(rule, &other).match == NSG_YES ? NSG_NEAR_PROTOCOL
								     : NSG_NEAR_NONE;
	}
	if (strcmp(step.field, "destinationPortRange") == 0 && rule->destination_ports.count > 0) {
		other.port = rule->destination_ports.list[0].from;
		return nsg_match_rule(rule, &other).match == NSG_YES ? NSG_NEAR_PORT
								     : NSG_NEAR_NONE;
	}
	if (strcmp(step.field, "sourcePortRange") == 0)
		return NSG_NEAR_SOURCE_PORT;
	if (strcmp(step.field, "destinationApplicationSecurityGroups") == 0)
		return NSG_NEAR_ASG;
	return strcmp(step.field, "destinationAddressPrefix") == 0 ? NSG_NEAR_DESTINATION
								   : NSG_NEAR_NONE;
}

struct nsg_near
nsg_near_miss(const struct nsg_gate *gate, const struct nsg_flow *flow)
{
	const struct nsg_rule *decider = gate->result.decider;
	struct nsg_near best = { .kind = NSG_NEAR_NONE };

	for (size_t i = 0; decider != NULL && i < gate->nsg.count; i++) {
		const struct nsg_rule *rule = &gate->nsg.rules[i];
		enum nsg_near_kind kind;

		if (rule->access != NSG_ACCESS_ALLOW || rule->is_default || rule->is_jit ||
		    rule->bad != NULL)
			continue;
		if (rule->priority > decider->priority) {
			if (best.kind == NSG_NEAR_NONE || best.kind > NSG_NEAR_SHADOWED)
				if (nsg_match_rule(rule, flow).match == NSG_YES &&
				    source_fits(rule, flow))
					best = (struct nsg_near){ NSG_NEAR_SHADOWED, rule };
			continue;
		}
		/* a narrow deny was put there for this flow: allow rules before it for others are
		 * no attempt that failed */
		if (!decider->is_default && !is_wide(&decider->source))
			continue;
		kind = misfit(rule, flow);
		if (kind == NSG_NEAR_PORT &&
		    names_ports(decider)) /* denied by name: opening another port was no attempt at
					     this one */
			continue;
		if (kind != NSG_NEAR_NONE && (best.kind == NSG_NEAR_NONE || kind < best.kind))
			best = (struct nsg_near){ kind, rule };
	}
	return best;
}
