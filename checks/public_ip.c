#include "checks/checks.h"
#include "checks/inbound.h"
#include "model/arm.h"
#include "model/route.h"
#include "model/vm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MAPPING "Microsoft.Network/loadBalancers/backendAddressPools/queryInboundNatRulePortMapping/action"

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

struct owner_search {
	const char *host, *vm_name;
	const char *id;
	const json_t *body;
};

static bool
power_is(const struct facts *facts, const char *word)
{
	struct vm vm;

	return vm_from_facts(facts, &vm, NULL) == 0 && doc_same(vm.power, word);
}

static bool
owns_host(const char *id, const json_t *body, void *ctx)
{
	struct owner_search *search = ctx;

	if (!doc_same(doc_str(body, "properties.ipAddress"), search->host))
		return false;
	search->id = doc_str(body, "id") != NULL ? doc_str(body, "id") : id;
	search->body = body;
	return true;
}

/* A public IP that nothing uses and that carries the VM's name: most likely it was this VM's. */
static bool
was_this_vms(const char *id, const json_t *body, void *ctx)
{
	struct owner_search *search = ctx;

	if (doc_get(body, "properties.ipConfiguration") != NULL || doc_get(body, "properties.natGateway") != NULL ||
	    strncasecmp(arm_id_name(id), search->vm_name, strlen(search->vm_name)) != 0)
		return false;
	search->id = doc_str(body, "id") != NULL ? doc_str(body, "id") : id;
	search->body = body;
	return true;
}

/* The host asked for is none of the VM's addresses: a public IP taken off it, an address it had before it was restarted, a
 * firewall that does not forward, or somebody else's. */
static int
foreign_host(const struct facts *facts, const struct inbound *in, struct finding *finding)
{
	struct owner_search search = { .host = address_asked_host(facts) };
	const char *firewall = NULL, *now = in->way != NULL ? in->way->host : NULL;
	const json_t *pip = in->path != NULL ? in->path->pip.body : NULL;
	struct ip ip = { 0 };

	finding_text(finding, "asked_host", search.host);
	if (net_each(facts, "microsoft.network/publicipaddresses", owns_host, &search) &&
	    doc_get(search.body, "properties.natGateway") != NULL)
		return finding_set(finding, FAIL, "wrong-target-address",
				   "%s is the address of a NAT gateway, which leads out only; the VM has %s", search.host,
				   now != NULL ? now : "no address of its own");
	if (search.body != NULL && doc_get(search.body, "properties.ipConfiguration") == NULL) {
		finding_resource(finding, "public_ip", "public_ip_group", search.id);
		return finding_set(finding, FAIL, "pip-detached",
				   "%s is the public IP %s, which is not attached to this VM any more", search.host,
				   arm_id_name(search.id));
	}
	if (firewall_by_address(facts, search.host, &firewall) != NULL) {
		finding_resource(finding, "firewall", "firewall_group", firewall);
		finding_text(finding, "firewall_address", search.host);
		return finding_set(finding, FAIL, "azure-firewall-dnat-missing",
				   "%s is the firewall %s, which has no DNAT rule for SSH to this VM", search.host,
				   arm_id_name(firewall));
	}
	if (search.body == NULL && doc_is(pip, "properties.publicIPAllocationMethod", "Dynamic") &&
	    doc_str(pip, "properties.ipAddress") != NULL && ip_parse(search.host, &ip) == 0 && ip_is_public(ip)) {
		finding_resource(finding, "public_ip", "public_ip_group", in->path->pip.id);
		return finding_set(finding, FAIL, "pip-changed-after-restart",
				   "%s is not this VM's address: its public IP is dynamic and is %s now", search.host,
				   doc_str(pip, "properties.ipAddress"));
	}
	return finding_set(finding, FAIL, "wrong-target-address", "%s is none of this VM's addresses%s%s", search.host,
			   now != NULL ? "; it has " : "", now != NULL ? now : "");
}

/* A public IP is attached and has no address at present. */
static int
unallocated(const struct inbound *in, struct finding *finding)
{
	bool dynamic = doc_is(in->path->pip.body, "properties.publicIPAllocationMethod", "Dynamic");

	finding_resource(finding, "public_ip", "public_ip_group", in->path->pip.id);
	finding_text(finding, "sku", doc_str(in->path->pip.body, "sku.name"));
	finding_text(finding, "allocation", doc_str(in->path->pip.body, "properties.publicIPAllocationMethod"));
	if (dynamic)
		return finding_set(finding, FAIL, "pip-dynamic-unallocated", "the dynamic public IP %s has no address at present",
				   arm_id_name(in->path->pip.id));
	return finding_set(finding, FAIL, "pip-no-address", "the public IP %s has no address", arm_id_name(in->path->pip.id));
}

static int
bastion(const struct inbound *in, struct finding *finding)
{
	if (in->bastion.tunneling)
		return finding_set(finding, PASS, "bastion-way-in",
				   "az network bastion ssh -n %s: the way in without a public address", in->bastion.name);
	return finding_set(finding, FAIL, "bastion-tunneling-disabled",
			   "no public address, and Bastion %s (%s) does not take native SSH clients", in->bastion.name,
			   in->bastion.sku != NULL ? in->bastion.sku : "SKU unknown");
}

/* A private address counts as this VM only with a known or proven host key: home networks use 10.0.0.4 too. */
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
				if (doc_same(doc_str(key, "fingerprint"), doc_str(entry, "fingerprint")) &&
				    doc_str(entry, "marker") == NULL)
					return true;
	return false;
}

/* Is there a gateway or peering in the VNet, by which somebody may come in privately? */
static bool
has_private_ways(const struct net_path *path)
{
	const json_t *subnet;
	size_t i;

	if (json_array_size(doc_list(path->vnet.body, "properties.virtualNetworkPeerings")) > 0)
		return true;
	json_array_foreach (doc_list(path->vnet.body, "properties.subnets"), i, subnet)
		if (doc_same(arm_id_name(doc_str(subnet, "id")), "GatewaySubnet") || doc_is(subnet, "name", "GatewaySubnet"))
			return true;
	return false;
}

/* The subnet sends everything to a firewall with a public address: the way in would be a DNAT rule of that one. */
static bool
behind_firewall(const struct facts *facts, const struct net_path *path, struct finding *finding)
{
	struct route route = { 0 };
	const json_t *config;
	const char *id = NULL;
	bool effective;
	size_t i;

	if (route_to(facts, path, NULL, &route, &effective) != ROUTE_FOUND || !doc_same(route.hop_type, "VirtualAppliance"))
		return false;
	json_array_foreach (doc_list(firewall_by_address(facts, route.hop, &id), "properties.ipConfigurations"), i, config) {
		struct net_ref pip = net_ref_follow(facts, doc_get(config, "properties.publicIPAddress"));

		if (doc_str(pip.body, "properties.ipAddress") == NULL)
			continue;
		finding_resource(finding, "firewall", "firewall_group", id);
		finding_text(finding, "firewall_address", doc_str(pip.body, "properties.ipAddress"));
		return true;
	}
	return false;
}

/* No way in from the Internet: which of the reasons is it? */
static int
no_way_in(const struct facts *facts, const struct inbound *in, const struct vm *vm, struct finding *finding)
{
	struct owner_search search = { .vm_name = vm->name };
	bool private_front = in->way != NULL && in->way->internal;
	char unread_id[ARM_ID_MAX], *lb;
	struct net_ref unread = balancer_unread(facts, in->path, unread_id, sizeof(unread_id));
	int r;

	if (unread.id != NULL)
		return finding_missing(finding, "public-ip-unknown", "the way through the load balancer", &unread);
	finding_text(finding, "kind", address_kind_word(ADDRESS_NONE));
	if (!private_front && (lb = balancer_of(in->path)) != NULL) {
		finding_resource(finding, "lb", "lb_group", lb);
		r = finding_set(finding, FAIL, "lb-nat-no-rule",
				"the VM is behind load balancer %s, which has no inbound rule for SSH to it", arm_id_name(lb));
		free(lb);
		return r;
	}
	if (!private_front && behind_firewall(facts, in->path, finding)) {
		r = finding_set(finding, FAIL, "azure-firewall-dnat-missing",
				"everything from the VM's subnet goes through firewall %s, which has no DNAT rule for SSH to this VM",
				doc_str(finding->evidence, "firewall"));
		finding->confidence = LIKELY;
		return r;
	}
	if (vm->scale_set != NULL || vm->uniform) {
		finding_text(finding, "scale_set", arm_id_name(vm->scale_set));
		return finding_set(finding, FAIL, "vmss-flexible-no-pip",
				   "the VM belongs to a scale set, whose instances have no public IP of their own");
	}
	if (vm->name != NULL && *vm->name != '\0' &&
	    net_each(facts, "microsoft.network/publicipaddresses", was_this_vms, &search)) {
		finding_resource(finding, "public_ip", "public_ip_group", search.id);
		r = finding_set(finding, FAIL, "pip-detached", "public IP %s is not attached to anything, and the VM has none",
				arm_id_name(search.id));
		finding->confidence = LIKELY;
		return r;
	}
	if (bastion_list_known(facts, in->path) && in->path->vnet.state == FACT_KNOWN && !has_private_ways(in->path))
		return finding_set(finding, FAIL, "no-pip-no-bastion",
				   "the VM has no public IP, and neither a Bastion nor a gateway leads to it");
	return finding_set(finding, FAIL, "no-public-ip", "the VM has no public IP address");
}

static int
only_private(const struct facts *facts, const struct inbound *in, const struct vm *vm, struct finding *finding)
{
	struct ip asked;
	int r;

	if (address_by_proxy(facts))
		return finding_set(finding, PASS, "private-by-jump", "no public address; ssh goes through a jump host");
	if (wire_accepted(facts) || (wire_answers(facts) && host_key_known(facts)))
		return finding_set(finding, PASS, "private-path", "the private address %s answers from here",
				   in->path->private_text);
	if (wire_answers(facts)) {
		r = finding_set(
		    finding, WARN, "private-address-unproven",
		    "something answers at %s, but nothing proves that it is this VM: other networks use such addresses too",
		    in->path->private_text);
		finding->confidence = LIKELY;
		return r;
	}
	if (ip_parse(address_asked_host(facts), &asked) == 0 && !in->foreign)
		return finding_set(finding, PASS, "private-path", "you asked for the private address %s", in->path->private_text);
	return no_way_in(facts, in, vm, finding);
}

/* A retired Basic address is to blame only where everything else lets us in and nothing comes back. */
static int
judge_retired(const struct facts *facts, const struct inbound *in, struct finding *finding)
{
	struct nsg_judgement judgement;
	enum nsg_verdict verdict;
	int r;

	if (!doc_same(in->way->sku, "Basic") || !wire_timed_out(facts) || !power_is(facts, "running"))
		return 0;
	if ((r = nsg_judge(facts, in->path, &in->flow, true, in->front_sku, &judgement)) < 0)
		return r;
	verdict = judgement.verdict;
	nsg_judgement_free(&judgement);
	if (verdict != NSG_ALLOW)
		return 0;
	r = finding_set(finding, FAIL, "pip-basic-retired",
			"public IP %s is of the Basic SKU, which Azure has retired, and nothing comes back", in->way->name);
	finding->confidence = LIKELY;
	return r;
}

/* The private address was asked for, nothing answers there, and the VM has a public one. */
static const struct address *
public_instead(const struct facts *facts, const struct inbound *in)
{
	const json_t *tcp = facts_section(facts, FACT_TCP);

	if (address_asked_host(facts) == NULL || address_by_proxy(facts) || tcp == NULL || doc_is(tcp, "result", "connected"))
		return NULL;
	for (size_t i = 0; i < in->way_count; i++)
		if (in->ways[i].kind == ADDRESS_PUBLIC_IP || in->ways[i].kind == ADDRESS_NAT_RULE)
			return &in->ways[i];
	return NULL;
}

static int
judge(const struct facts *facts, const struct inbound *in, const struct vm *vm, struct finding *finding)
{
	const struct address *way = in->way, *instead;
	enum address_kind kind = in->by_bastion ? ADDRESS_BASTION : way != NULL ? way->kind : ADDRESS_NONE;

	if (in->foreign) {
		add_evidence(in, way != NULL ? kind : ADDRESS_NONE, finding);
		return foreign_host(facts, in, finding);
	}
	if (kind == ADDRESS_PRIVATE && !wire_answers(facts) && address_asked_host(facts) == NULL &&
	    in->path->pip.state == FACT_UNKNOWN) {
		add_evidence(in, kind, finding);
		return finding_missing(finding, "public-ip-unknown", "the public IP", &in->path->pip);
	}
	if (in->path != NULL && in->path->pip.state == FACT_KNOWN &&
	    doc_str(in->path->pip.body, "properties.ipAddress") == NULL && (kind == ADDRESS_PRIVATE || kind == ADDRESS_NONE) &&
	    !wire_answers(facts)) {
		finding_text(finding, "kind", address_kind_word(ADDRESS_NONE));
		inbound_evidence(in, finding);
		return unallocated(in, finding);
	}
	add_evidence(in, kind, finding);
	if (kind == ADDRESS_BASTION)
		return bastion(in, finding);
	if (kind == ADDRESS_NONE || in->path == NULL)
		return finding_set(finding, FAIL, "no-public-ip", "the VM has no address at all");
	if (kind == ADDRESS_PRIVATE && (instead = public_instead(facts, in)) != NULL) {
		finding_text(finding, "public_address", instead->host);
		return finding_set(finding, FAIL, "private-ip-from-internet",
				   "%s is the VM's private address; from the Internet it is %s", way->host, instead->host);
	}
	if (kind == ADDRESS_PRIVATE)
		return only_private(facts, in, vm, finding);
	if (kind == ADDRESS_LB_RULE)
		return finding_set(finding, PASS, "lb-rule-way-in",
				   "%s:%d reaches some member of the load balancer's pool, not always this VM", way->host,
				   way->port);
	if (way->internal)
		return only_private(facts, in, vm, finding);
	if (way->port == 0) {
		finding_text(finding, "action", MAPPING);
		return finding_set(finding, UNKNOWN, "lb-nat-port-unknown",
				   "%s leads to the VM by pool NAT rule %s; its port for this VM is not known (asking takes %s)",
				   way->host, way->name, MAPPING);
	}
	return finding_set(finding, PASS, "address-known", "%s:%d (%s %s)", way->host, way->port, address_kind_word(way->kind),
			   way->name);
}

static int
public_ip_run(const struct facts *facts, const struct rule *rule, struct finding *finding)
{
	struct net_ref ref = net_ref_by_id(facts, vm_id(facts));
	struct inbound in;
	struct vm vm = { 0 };
	int r;

	(void)rule;
	if ((r = inbound_make(facts, &in)) == -ENOENT)
		return finding_missing(finding, "public-ip-unknown", "the VM", &ref);
	if (r < 0)
		return r;
	if (vm_from_facts(facts, &vm, NULL) < 0)
		vm.name = arm_id_name(ref.id);
	if (in.way == NULL && in.network.missing_nic.id != NULL)
		r = finding_missing(finding, "public-ip-unknown", "the network interface", &in.network.missing_nic);
	else
		r = judge(facts, &in, &vm, finding);
	if (r == 0 && finding->status == PASS && in.way != NULL && in.way->kind == ADDRESS_PUBLIC_IP)
		r = judge_retired(facts, &in, finding);
	inbound_free(&in);
	return r;
}

const struct check check_public_ip = {
	.id = "public-ip",
	.title = "Reachable address",
	.needs = FACTS_BIT(VM) | FACTS_BIT(NETWORK),
	.run = public_ip_run,
};
