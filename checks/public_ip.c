#include "checks/checks.h"
#include "checks/inbound.h"
#include "facts/arm.h"
#include "model/vm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MAPPING                                                                                    \
	"Microsoft.Network/loadBalancers/backendAddressPools/queryInboundNatRulePortMapping/"      \
	"action"

static void
add_evidence(const struct inbound *in, enum address_kind kind, struct finding *finding)
{
	const struct address *way = in->way;

	finding_text(finding, "kind", address_kind_word(kind));
	inbound_evidence(in, finding);
	if (in->path != NULL)
		finding_text(finding, "private_address", in->path->private_text);
	if (kind == ADDRESS_BASTION) {
		finding_resource(finding, "bastion", "bastion_group", in->bastion.id);
		finding_text(finding, "bastion_sku", in->bastion.sku);
		finding_value(finding, "tunneling", json_boolean(in->bastion.tunneling));
		return;
	}
	if (way == NULL || kind == ADDRESS_NONE)
		return;
	if (*way->host != '\0')
		finding_text(finding, "address", way->host);
	if (way->port > 0)
		finding_number(finding, "port", way->port);
	finding_text(finding, "sku", way->sku);
	finding_text(finding, "allocation", way->allocation);
	finding_text(finding, "fqdn", way->fqdn);
	if (kind == ADDRESS_PUBLIC_IP)
		finding_resource(finding, "public_ip", "public_ip_group", way->id);
	if (kind == ADDRESS_NAT_RULE || kind == ADDRESS_LB_RULE) {
		char lb[ARM_ID_MAX];

		finding_text(finding, "nat_rule", way->name);
		if (arm_id_parent(way->id, lb, sizeof(lb)) == 0)
			finding_resource(finding, "lb", "lb_group", lb);
	}
	if (kind == ADDRESS_FIREWALL_DNAT)
		finding_resource(finding, "firewall", "firewall_group", way->id);
}

static bool
power_is(const struct facts *facts, const char *word)
{
	struct vm vm;

	return vm_from_facts(facts, &vm, NULL) == 0 && doc_same(vm.power, word);
}

/* A public IP is attached and has no address at present. */
static int
unallocated(const struct inbound *in, struct finding *finding)
{
	bool dynamic = doc_is(in->path->pip.body, "properties.publicIPAllocationMethod", "Dynamic");

	finding_resource(finding, "public_ip", "public_ip_group", in->path->pip.id);
	finding_text(finding, "sku", doc_str(in->path->pip.body, "sku.name"));
	finding_text(finding, "allocation",
		     doc_str(in->path->pip.body, "properties.publicIPAllocationMethod"));
	if (dynamic)
		return finding_set(finding, FAIL, CODE_PIP_DYNAMIC_UNALLOCATED,
				   "the dynamic public IP %s has no address at present",
				   arm_id_name(in->path->pip.id));
	return finding_set(finding, FAIL, CODE_PIP_NO_ADDRESS, "the public IP %s has no address",
			   arm_id_name(in->path->pip.id));
}

static int
bastion(const struct inbound *in, struct finding *finding)
{
	if (in->bastion.tunneling)
		return finding_set(
		    finding, PASS, CODE_BASTION_WAY_IN,
		    "az network bastion ssh -n %s: the way in without a public address",
		    in->bastion.name);
	return finding_set(
	    finding, FAIL, CODE_BASTION_TUNNELING_DISABLED,
	    "no public address, and Bastion %s (%s) does not take native SSH clients",
	    in->bastion.name, in->bastion.sku != NULL ? in->bastion.sku : "SKU unknown");
}

/* A private address counts as this VM only with a known or proven host key: home networks
 * use 10.0.0.4 too. */
static bool
host_key_known(const struct facts *facts)
{
	const json_t *live = doc_list(facts_section(facts, FACT_HOST_KEY), "keys");
	const json_t *lists[] = { doc_list(facts_section(facts, FACT_KNOWN_HOSTS), "entries"),
				  doc_list(facts_section(facts, FACT_PROOF), "keys") };
	const json_t *key, *entry;
	size_t i, j;

	json_array_foreach (live, i, key)
		for (size_t list = 0; list < 2; list++)
			json_array_foreach (lists[list], j, entry)
				if (doc_same(doc_str(key, "fingerprint"),
					     doc_str(entry, "fingerprint")) &&
				    doc_str(entry, "marker") == NULL)
					return true;
	return false;
}

static int
only_private(const struct facts *facts, const struct inbound *in, const struct vm *vm,
	     struct finding *finding)
{
	struct ip asked;
	int r;

	if (address_by_proxy(facts))
		return finding_set(finding, PASS, CODE_PRIVATE_BY_JUMP,
				   "no public address; ssh goes through a jump host");
	if (wire_accepted(facts) || (wire_answers(facts) && host_key_known(facts)))
		return finding_set(finding, PASS, CODE_PRIVATE_PATH,
				   "the private address %s answers from here",
				   in->path->private_text);
	if (wire_answers(facts)) {
		r = finding_set(finding, WARN, CODE_PRIVATE_ADDRESS_UNPROVEN,
				"something answers at %s, but nothing proves that it is this VM: "
				"other networks use such addresses too",
				in->path->private_text);
		finding->confidence = LIKELY;
		return r;
	}
	if (ip_parse(address_asked_host(facts), &asked) == 0 && !in->foreign)
		return finding_set(finding, PASS, CODE_PRIVATE_PATH,
				   "you asked for the private address %s", in->path->private_text);
	return inbound_none(facts, in, vm, finding);
}

/* A retired Basic address is to blame only where everything else lets us in and nothing comes back.
 */
static int
judge_retired(const struct facts *facts, const struct inbound *in, struct finding *finding)
{
	struct nsg_judgement judgement;
	enum nsg_verdict verdict;
	int r;

	if (!doc_same(in->way->sku, "Basic") || !wire_timed_out(facts) ||
	    !power_is(facts, "running"))
		return 0;
	if ((r = nsg_judge(facts, in->path, &in->flow, true, in->front_sku, &judgement)) < 0)
		return r;
	verdict = judgement.verdict;
	nsg_judgement_free(&judgement);
	if (verdict != NSG_ALLOW)
		return 0;
	r = finding_set(
	    finding, FAIL, CODE_PIP_BASIC_RETIRED,
	    "public IP %s is of the Basic SKU, which Azure has retired, and nothing comes back",
	    in->way->name);
	finding->confidence = LIKELY;
	return r;
}

/* The private address was asked for, nothing answers there, and the VM has a public one. */
static const struct address *
public_instead(const struct facts *facts, const struct inbound *in)
{
	const json_t *tcp = facts_section(facts, FACT_TCP);

	if (address_asked_host(facts) == NULL || address_by_proxy(facts) || tcp == NULL ||
	    doc_is(tcp, "result", "connected"))
		return NULL;
	for (size_t i = 0; i < in->way_count; i++)
		if (in->ways[i].kind == ADDRESS_PUBLIC_IP || in->ways[i].kind == ADDRESS_NAT_RULE)
			return &in->ways[i];
	return NULL;
}

static int
judge(const struct facts *facts, const struct inbound *in, const struct vm *vm,
      struct finding *finding)
{
	const struct address *way = in->way, *instead;
	enum address_kind kind = in->by_bastion ? ADDRESS_BASTION
				 : way != NULL  ? way->kind
						: ADDRESS_NONE;

	if (in->foreign) {
		add_evidence(in, way != NULL ? kind : ADDRESS_NONE, finding);
		return inbound_foreign(facts, in, finding);
	}
	if (kind == ADDRESS_PRIVATE && !wire_answers(facts) && address_asked_host(facts) == NULL &&
	    in->path->pip.state == FACT_UNKNOWN) {
		add_evidence(in, kind, finding);
		return finding_missing(finding, CODE_PUBLIC_IP_UNKNOWN, "the public IP",
				       &in->path->pip);
	}
	if (in->path != NULL && in->path->pip.state == FACT_KNOWN &&
	    doc_str(in->path->pip.body, "properties.ipAddress") == NULL &&
	    (kind == ADDRESS_PRIVATE || kind == ADDRESS_NONE) && !wire_answers(facts)) {
		finding_text(finding, "kind", address_kind_word(ADDRESS_NONE));
		inbound_evidence(in, finding);
		return unallocated(in, finding);
	}
	add_evidence(in, kind, finding);
	if (kind == ADDRESS_BASTION)
		return bastion(in, finding);
	if (kind == ADDRESS_NONE || in->path == NULL)
		return finding_set(finding, FAIL, CODE_NO_PUBLIC_IP,
				   "the VM has no address at all");
	if (kind == ADDRESS_PRIVATE && (instead = public_instead(facts, in)) != NULL) {
		finding_text(finding, "public_address", instead->host);
		return finding_set(finding, FAIL, CODE_PRIVATE_IP_FROM_INTERNET,
				   "%s is the VM's private address; from the Internet it is %s",
				   way->host, instead->host);
	}
	if (kind == ADDRESS_PRIVATE)
		return only_private(facts, in, vm, finding);
	if (kind == ADDRESS_LB_RULE)
		return finding_set(
		    finding, PASS, CODE_LB_RULE_WAY_IN,
		    "%s:%d reaches some member of the load balancer's pool, not always this VM",
		    way->host, way->port);
	if (way->internal)
		return only_private(facts, in, vm, finding);
	if (way->port == 0) {
		finding_text(finding, "action", MAPPING);
		return finding_set(finding, UNKNOWN, CODE_LB_NAT_PORT_UNKNOWN,
				   "%s leads to the VM by pool NAT rule %s; its port for this VM "
				   "is not known (asking takes %s)",
				   way->host, way->name, MAPPING);
	}
	return finding_set(finding, PASS, CODE_ADDRESS_KNOWN, "%s:%d (%s %s)", way->host, way->port,
			   address_kind_word(way->kind), way->name);
}

int
check_public_ip(const struct scene *scene, const struct rule *rule, struct finding *finding)
{
	const struct facts *facts = scene->facts;
	struct net_ref ref = net_ref_by_id(facts, vm_id(facts));
	struct inbound in;
	struct vm vm = { 0 };
	int r;

	(void)rule;
	if ((r = inbound_make(facts, &in)) == -ENOENT)
		return finding_missing(finding, CODE_PUBLIC_IP_UNKNOWN, "the VM", &ref);
	if (r < 0)
		return r;
	if (vm_from_facts(facts, &vm, NULL) < 0)
		vm.name = arm_id_name(ref.id);
	finding_changes(finding, in.path != NULL ? in.path->nic_id : NULL);
	if (in.way == NULL && in.network.missing_nic.id != NULL)
		r = finding_missing(finding, CODE_PUBLIC_IP_UNKNOWN, "the network interface",
				    &in.network.missing_nic);
	else
		r = judge(facts, &in, &vm, finding);
	if (r == 0 && finding->status == PASS && in.way != NULL &&
	    in.way->kind == ADDRESS_PUBLIC_IP)
		r = judge_retired(facts, &in, finding);
	inbound_free(&in);
	return r;
}
