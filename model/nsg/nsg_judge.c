#include "model/nsg/nsg.h"
#include "facts/arm.h"

#include <stdlib.h>
#include <string.h>

bool
nsg_is_definite(const struct nsg_judgement *judgement)
{
	return judgement->verdict == NSG_ALLOW || judgement->verdict == NSG_DENY;
}

static bool
present(const struct nsg_gate *gate)
{
	return gate->ref.state != FACT_ABSENT;
}

/* A gate whose group did not arrive may do anything. */
static void
judge_gate(struct nsg_gate *gate, const struct nsg_flow *flow)
{
	if (gate->ref.state == FACT_ABSENT)
		return;
	if (gate->ref.state != FACT_KNOWN) {
		gate->result = (struct nsg_result){ .can_allow = true, .can_deny = true };
		return;
	}
	if (gate->effective != NULL)
		nsg_from_effective(gate->effective, &gate->nsg);
	else if (gate->scope == NSG_SCOPE_ADMIN)
		nsg_from_admin(gate->ref.body, &gate->nsg);
	else
		nsg_from_body(gate->ref.body, &gate->nsg);
	nsg_evaluate(&gate->nsg, flow, &gate->result);
	if (gate->scope != NSG_SCOPE_ADMIN)
		gate->result.can_deny |= gate->result.open;
}

/* The admin rules in force on the VNet. They are read by an action that a Reader lacks: refused is
 * not none. */
static void
find_admin(const struct facts *facts, const struct net_path *path, struct nsg_judgement *judgement)
{
	struct nsg_gate *gate = &judgement->gates[NSG_SCOPE_ADMIN];
	char vnet[ARM_ID_MAX];
	char *id = NULL;

	gate->ref.state = FACT_ABSENT;
	if (arm_id_parent(path->subnet.id, vnet, sizeof(vnet)) == 0)
		id = doc_fmt("%s/listNetworkManagerEffectiveSecurityAdminRules", vnet);
	if (id != NULL && facts_resource(facts, id, &gate->ref.body, &gate->ref.why) == FACT_KNOWN)
		gate->ref.state = FACT_KNOWN;
	else if (gate->ref.why != NULL && doc_is(gate->ref.why, "state", "unknown"))
		judgement->admin_unread = true;
	free(id);
}

/* The subnet and the NIC let through different sources only: nothing passes both. */
static bool
nothing_passes_both(const struct nsg_gate *subnet, const struct nsg_gate *nic)
{
	const struct ip_set *a = &subnet->result.allowed, *b = &nic->result.allowed;

	if (!present(subnet) || !present(nic) || !subnet->result.exact || !nic->result.exact ||
	    subnet->ref.state != FACT_KNOWN || nic->ref.state != FACT_KNOWN ||
	    subnet->nsg.bad != NULL || nic->nsg.bad != NULL)
		return false;
	for (size_t i = 0; i < a->count; i++)
		for (size_t k = 0; k < b->count; k++)
			if (range_meets(&a->list[i], &b->list[k]))
				return false;
	return true;
}

struct outcome {
	bool can_allow, can_deny;
};

/* No group at all: a Standard address in front is closed, a Basic one and a private path are open.
 */
static struct outcome
without_groups(bool has_front, const char *sku, struct nsg_judgement *judgement)
{
	static const char *const closed[] = { "Standard", "StandardV2", "Gateway" };

	if (!has_front || doc_same(sku, "Basic"))
		return (struct outcome){ true, false };
	for (size_t i = 0; i < sizeof(closed) / sizeof(*closed); i++)
		if (doc_same(sku, closed[i])) {
			judgement->closed = true;
			return (struct outcome){ false, true };
		}
	judgement->unknown = "sku.name";
	return (struct outcome){ true, true };
}

static struct outcome
judge_groups(bool has_front, const char *sku, struct nsg_judgement *judgement)
{
	const struct nsg_gate *subnet = &judgement->gates[NSG_SCOPE_SUBNET],
			      *nic = &judgement->gates[NSG_SCOPE_NIC];
	struct outcome sum = { true, false };

	if (!present(subnet) && !present(nic))
		return without_groups(has_front, sku, judgement);
	for (size_t i = NSG_SCOPE_SUBNET; i <= NSG_SCOPE_NIC; i++) {
		const struct nsg_gate *gate = &judgement->gates[i];

		if (!present(gate))
			continue;
		sum.can_allow &= gate->result.can_allow;
		sum.can_deny |= gate->result.can_deny;
	}
	if (sum.can_allow && sum.can_deny && nothing_passes_both(subnet, nic))
		sum.can_allow = false;
	return sum;
}

static bool
denies(const struct nsg_gate *gate)
{
	return present(gate) && gate->result.can_deny && !gate->result.can_allow &&
	       !gate->result.can_always;
}

/* Which gate gives the answer: for a denial the first that denies for certain, for an allowance the
 * last group, else the first that may go either way. */
static void
name_decider(struct nsg_judgement *judgement)
{
	struct nsg_gate *gates = judgement->gates;

	for (size_t i = 0; i < 3; i++) {
		struct nsg_gate *gate = &gates[i];

		if (!present(gate) || (i == 0 && gate->result.decider == NULL))
			continue;
		if (judgement->verdict == NSG_DENY && denies(gate)) {
			if (i > 0 && judgement->deciding != NULL &&
			    arm_id_same(judgement->deciding->ref.id, gate->ref.id))
				continue;
			if (judgement->deciding == NULL)
				judgement->deciding = gate;
			else if (judgement->also == NULL &&
				 judgement->deciding->scope != NSG_SCOPE_ADMIN)
				judgement->also = gate;
		} else if (judgement->verdict == NSG_ALLOW) {
			if (i > 0 || gate->result.can_always)
				judgement->deciding = gate;
			if (i == 0 && gate->result.can_always && !gate->result.can_allow &&
			    !gate->result.open)
				return;
		} else if (judgement->verdict != NSG_DENY && judgement->deciding == NULL &&
			   gate->result.can_allow && gate->result.can_deny) {
			judgement->deciding = gate;
		}
	}
	if (judgement->deciding == NULL && judgement->verdict == NSG_DENY && !judgement->closed)
		judgement->deciding = present(&gates[NSG_SCOPE_SUBNET]) ? &gates[NSG_SCOPE_SUBNET]
									: &gates[NSG_SCOPE_NIC];
}

/* "Depends" is for conditions that can be put into words; what did not arrive or makes no sense is
 * unknown. */
static void
name_unknown(struct nsg_judgement *judgement)
{
	if (judgement->verdict != NSG_DEPENDS)
		return;
	if (judgement->unknown != NULL)
		judgement->verdict = NSG_UNKNOWN;
	for (size_t i = 0; i < 3; i++) {
		struct nsg_gate *gate = &judgement->gates[i];

		if (!present(gate) ||
		    (gate->ref.state == FACT_KNOWN && gate->result.unknown_field == NULL))
			continue;
		if (gate->result.can_allow + gate->result.can_deny + gate->result.can_always < 2)
			continue;
		judgement->verdict = NSG_UNKNOWN;
		judgement->deciding = gate;
		judgement->unknown =
		    gate->ref.state == FACT_KNOWN ? gate->result.unknown_field : NULL;
		return;
	}
}

/* All gates are set up: evaluates each and puts the verdict together. */
static void
judge_all(const struct nsg_flow *flow, bool has_front, const char *sku, struct nsg_judgement *ret)
{
	struct outcome groups, sum;
	const struct nsg_result *admin = &ret->gates[NSG_SCOPE_ADMIN].result;
	bool goes_on;

	for (size_t i = 0; i < 3; i++) {
		ret->gates[i].scope = (enum nsg_scope)i;
		judge_gate(&ret->gates[i], flow);
	}
	groups = judge_groups(has_front, sku, ret);
	goes_on = !present(&ret->gates[NSG_SCOPE_ADMIN]) || admin->can_allow || admin->open;
	sum.can_allow = admin->can_always || (goes_on && groups.can_allow);
	sum.can_deny = admin->can_deny || (goes_on && groups.can_deny);
	ret->verdict = sum.can_allow ? NSG_DEPENDS : NSG_DENY;
	if (!sum.can_deny)
		ret->verdict = NSG_ALLOW;
	if (ret->verdict == NSG_ALLOW)
		ret->closed = false;
	name_decider(ret);
	name_unknown(ret);
}

void
nsg_judge(const struct facts *facts, const struct net_path *path, const struct nsg_flow *flow,
	  bool has_front, const char *sku, struct nsg_judgement *ret)
{
	*ret = (struct nsg_judgement){ 0 };
	find_admin(facts, path, ret);
	ret->gates[NSG_SCOPE_SUBNET].ref = path->subnet_nsg;
	ret->gates[NSG_SCOPE_NIC].ref = path->nic_nsg;
	judge_all(flow, has_front, sku, ret);
}

/* An entry belongs to the NIC or the subnet that it names, one that names neither but a network
 * manager holds admin rules. */
static enum nsg_scope
scope_of(const json_t *entry, const struct net_path *path)
{
	if (arm_id_same(doc_str(entry, "association.subnet.id"), path->subnet.id) &&
	    doc_get(entry, "association.networkInterface") == NULL)
		return NSG_SCOPE_SUBNET;
	if (doc_get(entry, "association.networkInterface") != NULL)
		return NSG_SCOPE_NIC;
	return doc_get(entry, "association.subnet") != NULL ? NSG_SCOPE_SUBNET : NSG_SCOPE_ADMIN;
}

/* Each entry says what it belongs to, and no two belong to the same: else the gates cannot be told
 * apart. */
static bool
entries_make_sense(const json_t *entries, const struct net_path *path)
{
	const json_t *entry;
	unsigned seen = 0, bit;
	size_t i;

	json_array_foreach (entries, i, entry) {
		bit = 1u << scope_of(entry, path);
		if (!json_is_object(doc_get(entry, "association")) || (seen & bit) != 0)
			return false;
		seen |= bit;
	}
	return true;
}

bool
nsg_judge_effective(const struct facts *facts, const struct net_path *path,
		    const struct nsg_flow *flow, bool has_front, const char *sku,
		    struct nsg_judgement *ret)
{
	char *id = doc_fmt("%s/effectiveNetworkSecurityGroups", path->nic_id);
	const json_t *body = NULL, *entry;
	size_t i;

	if (id != NULL)
		facts_resource(facts, id, &body, NULL);
	free(id);
	if (doc_list(body, "value") == NULL || !entries_make_sense(doc_list(body, "value"), path))
		return false;
	*ret = (struct nsg_judgement){ 0 };
	for (i = 0; i < 3; i++)
		ret->gates[i].ref.state = FACT_ABSENT;
	json_array_foreach (doc_list(body, "value"), i, entry) {
		struct nsg_gate *gate = &ret->gates[scope_of(entry, path)];

		gate->ref = net_ref_by_id(facts, doc_str(entry, "networkSecurityGroup.id"));
		gate->ref.state = FACT_KNOWN;
		gate->effective = entry;
	}
	judge_all(flow, has_front, sku, ret);
	return true;
}

void
nsg_judgement_free(struct nsg_judgement *judgement)
{
	for (size_t i = 0; i < 3; i++) {
		nsg_result_free(&judgement->gates[i].result);
		nsg_free(&judgement->gates[i].nsg);
	}
	*judgement = (struct nsg_judgement){ 0 };
}
