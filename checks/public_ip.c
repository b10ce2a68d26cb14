#include "checks/checks.h"
#include "facts/arm.h"
#include "model/public_ip.h"
#include "model/vm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MAPPING                                                                                    \
	"Microsoft.Network/loadBalancers/backendAddressPools/queryInboundNatRulePortMapping/"      \
	"action"

/* What a Bastion can be changed to depends on what it is: the Developer SKU has no subnet and no
 * address of its own. */
static void
add_sku(const char *sku, struct finding *finding)
{
	bool basic = doc_same(sku, "Basic"),
	     fit = doc_same(sku, "Standard") || doc_same(sku, "Premium");

	if (basic)
		finding_value(finding, "bastion_basic", json_true());
	if (fit)
		finding_value(finding, "bastion_fit", json_true());
	if (basic || fit)
		finding_value(finding, "bastion_dedicated", json_true());
}

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
		finding_place(finding, "bastion_place", in->bastion.id, in);
		finding_text(finding, "bastion_sku", in->bastion.sku);
		finding_value(finding, "tunneling", json_boolean(in->bastion.tunneling));
		add_sku(in->bastion.sku, finding);
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
		if (kind == ADDRESS_LB_RULE)
			finding_value(finding, "lb_rule", json_true());
		if (arm_id_parent(way->id, lb, sizeof(lb)) == 0)
			finding_resource(finding, "lb", "lb_group", lb);
	}
	if (way->floating)
		finding_value(finding, "floating_ip", json_true());
	if (way->probe_port > 0) {
		finding_text(finding, "probe", way->probe);
		finding_number(finding, "probe_port", way->probe_port);
	}
	if (kind == ADDRESS_FIREWALL_DNAT)
		finding_resource(finding, "firewall", "firewall_group", way->id);
}

/* A public IP is attached and has no address at present. */
static int
unallocated(const struct inbound *in, struct finding *finding)
{
	const struct public_ip pip = public_ip_view(&in->path->pip);

	finding_resource(finding, "public_ip", "public_ip_group", pip.id);
	finding_text(finding, "sku", pip.sku);
	finding_text(finding, "allocation", pip.allocation);
	if (pip.dynamic)
		return finding_set(finding, FAIL, CODE_PIP_DYNAMIC_UNALLOCATED,
				   "the dynamic public IP %s has no address at present",
				   arm_id_name(pip.id));
	return finding_set(finding, FAIL, CODE_PIP_NO_ADDRESS, "the public IP %s has no address",
			   arm_id_name(pip.id));
}

/* A private address counts as this VM only with a known or proven host key: home networks
 * use 10.0.0.4 too. */
static bool
host_key_known(const struct scene *scene)
{
	const struct fact_known_hosts *known = scene->known_hosts;
	const struct fact_proof *proof = scene->proof;

	for (size_t i = 0; i < scene->host_key->keys_count; i++) {
		const char *live = scene->host_key->keys[i].fingerprint;

		for (size_t j = 0; j < known->entries_count; j++)
			if (known->entries[j].marker == MARKER_NONE &&
			    doc_same(live, known->entries[j].fingerprint))
				return true;
		for (size_t j = 0; j < proof->keys_count; j++)
			if (doc_same(live, proof->keys[j].fingerprint))
				return true;
		for (size_t j = 0; j < scene->boot->keys_count; j++)
			if (doc_same(live, scene->boot->keys[j].fingerprint))
				return true;
	}
	return false;
}

static int
only_private(const struct scene *scene, struct finding *finding)
{
	const struct inbound *in = &scene->inbound;
	struct ip asked;

	if (address_by_proxy(scene->facts))
		return finding_set(finding, PASS, CODE_PRIVATE_BY_JUMP,
				   "no public address; ssh goes through a jump host");
	if (scene->accepted || (scene->answers && host_key_known(scene)))
		return finding_set(finding, PASS, CODE_PRIVATE_PATH,
				   "the private address %s answers from here",
				   in->path->private_text);
	if (scene->answers)
		return finding_likely(
		    finding, WARN, CODE_PRIVATE_ADDRESS_UNPROVEN,
		    "something answers at %s, but nothing proves that it is this VM: "
		    "other networks use such addresses too",
		    in->path->private_text);
	if (ip_parse(address_asked_host(scene->facts), &asked) == 0 && !in->foreign)
		return finding_set(finding, PASS, CODE_PRIVATE_PATH,
				   "you asked for the private address %s", in->path->private_text);
	return inbound_none(scene, finding);
}

/* Everything else lets us in and nothing comes back: then the way itself is suspected. */
static bool
is_silent(const struct scene *scene)
{
	return scene->timed_out && scene->instance != NULL &&
	       doc_same(scene->instance->power, "running") && scene->nsg.verdict == NSG_ALLOW;
}

/* A retired Basic address is to blame only where everything else lets us in and nothing comes back.
 */
static int
judge_retired(const struct scene *scene, struct finding *finding)
{
	const struct address *way = scene->inbound.way;

	if (way->kind != ADDRESS_PUBLIC_IP || !doc_same(way->sku, "Basic") || !is_silent(scene))
		return 0;
	return finding_likely(
	    finding, FAIL, CODE_PIP_BASIC_RETIRED,
	    "public IP %s is of the Basic SKU, which Azure has retired, and nothing comes back",
	    way->name);
}

/* The private address was asked for, nothing answers there, and the VM has a public one. */
static const struct address *
public_instead(const struct scene *scene)
{
	const struct inbound *in = &scene->inbound;

	if (address_asked_host(scene->facts) == NULL || address_by_proxy(scene->facts) ||
	    scene->tcp->state == FACT_PENDING || scene->tcp->result == TCP_CONNECTED)
		return NULL;
	for (size_t i = 0; i < in->way_count; i++)
		if (in->ways[i].kind == ADDRESS_PUBLIC_IP || in->ways[i].kind == ADDRESS_NAT_RULE)
			return &in->ways[i];
	return NULL;
}

static int
judge(const struct scene *scene, struct finding *finding)
{
	const struct inbound *in = &scene->inbound;
	const struct address *way = in->way, *instead;
	enum address_kind kind = way != NULL ? way->kind : ADDRESS_NONE;

	if (in->by_bastion)
		kind = ADDRESS_BASTION;
	if (in->foreign) {
		add_evidence(in, way != NULL ? kind : ADDRESS_NONE, finding);
		return inbound_foreign(scene, finding);
	}
	if (kind == ADDRESS_PRIVATE && !scene->answers &&
	    address_asked_host(scene->facts) == NULL && in->path->pip.state == FACT_UNKNOWN) {
		add_evidence(in, kind, finding);
		return finding_missing(finding, CODE_PUBLIC_IP_UNKNOWN, "the public IP",
				       &in->path->pip);
	}
	if (in->path != NULL && in->path->pip.state == FACT_KNOWN &&
	    public_ip_view(&in->path->pip).address == NULL &&
	    (kind == ADDRESS_PRIVATE || kind == ADDRESS_NONE) && !scene->answers) {
		finding_text(finding, "kind", address_kind_word(ADDRESS_NONE));
		inbound_evidence(in, finding);
		return unallocated(in, finding);
	}
	add_evidence(in, kind, finding);
	if (kind == ADDRESS_BASTION)
		return bastion_judge(scene, finding);
	if (kind == ADDRESS_NONE || in->path == NULL)
		return finding_set(finding, FAIL, CODE_NO_PUBLIC_IP,
				   "the VM has no address at all");
	if (kind == ADDRESS_PRIVATE && (instead = public_instead(scene)) != NULL) {
		finding_text(finding, "public_address", instead->host);
		return finding_set(finding, FAIL, CODE_PRIVATE_IP_FROM_INTERNET,
				   "%s is the VM's private address; from the Internet it is %s",
				   way->host, instead->host);
	}
	if (kind == ADDRESS_PRIVATE)
		return only_private(scene, finding);
	if (kind == ADDRESS_LB_RULE)
		return finding_set(
		    finding, PASS, CODE_LB_RULE_WAY_IN,
		    "%s:%d reaches some member of the load balancer's pool, not always this VM",
		    way->host, way->port);
	if (way->internal)
		return only_private(scene, finding);
	if (way->port == 0) {
		finding_text(finding, "action", MAPPING);
		return finding_set(finding, UNKNOWN, CODE_LB_NAT_PORT_UNKNOWN,
				   "%s leads to the VM by pool NAT rule %s; its port for this VM "
				   "is not known (asking takes %s)",
				   way->host, way->name, MAPPING);
	}
	if (way->depends && !scene->answers)
		return finding_set(finding, UNKNOWN, CODE_AZURE_FIREWALL_DNAT_DEPENDS,
				   "firewall %s forwards %s:%d to the VM for certain sources, and "
				   "whether you are among them is not known",
				   way->name, way->host, way->port);
	return finding_set(finding, PASS, CODE_ADDRESS_KNOWN, "%s:%d (%s %s)", way->host, way->port,
			   address_kind_word(way->kind), way->name);
}

int
check_public_ip(const struct scene *scene, const struct rule *rule, struct finding *finding)
{
	const struct inbound *in = &scene->inbound;
	int r;

	(void)rule;
	finding_changes(finding, in->path != NULL ? in->path->nic_id : NULL);
	if (!scene->network_known && inbound_missing(scene, CODE_PUBLIC_IP_UNKNOWN, finding))
		return 0;
	if (in->way == NULL && in->network.missing_nic.id != NULL)
		return finding_missing(finding, CODE_PUBLIC_IP_UNKNOWN, "the network interface",
				       &in->network.missing_nic);
	r = judge(scene, finding);
	if (r == 0 && finding->status == PASS && in->way != NULL)
		r = judge_retired(scene, finding);
	if (r == 0 && finding->status == PASS && in->way != NULL)
		r = front_end_judge(scene, is_silent(scene), finding);
	if (r == 0 && finding->status == PASS && in->way != NULL && is_silent(scene))
		r = second_nic_judge(scene, finding);
	return r;
}
