/* No way in: the host asked for is none of the VM's, or the VM has no address that the Internet
 * reaches. Which of the reasons is it? */
#include "checks/scene.h"
#include "facts/arm.h"
#include "model/route.h"
#include "model/vm.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FRONT_PORT 50001

struct owner_search {
	const char *host, *vm_name;
	const char *id;
	const json_t *body;
};

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

	if (doc_get(body, "properties.ipConfiguration") != NULL ||
	    doc_get(body, "properties.natGateway") != NULL ||
	    strncasecmp(arm_id_name(id), search->vm_name, strlen(search->vm_name)) != 0)
		return false;
	search->id = doc_str(body, "id") != NULL ? doc_str(body, "id") : id;
	search->body = body;
	return true;
}

/* The firewall that would have to forward, and the policy that holds its rules where they are no
 * classic ones. */
static void
add_firewall(const json_t *body, const char *id, const char *address, struct finding *finding)
{
	finding_resource(finding, "firewall", "firewall_group", id);
	finding_text(finding, "firewall_address", address);
	finding_resource(finding, "policy", "policy_group",
			 doc_str(body, "properties.firewallPolicy.id"));
}

/* The host asked for is none of the VM's addresses: a public IP taken off it, an address it had
 * before it was restarted, a firewall that does not forward, or somebody else's. */
int
inbound_foreign(const struct scene *scene, struct finding *finding)
{
	const struct facts *facts = scene->facts;
	const struct inbound *in = &scene->inbound;
	struct owner_search search = { .host = address_asked_host(facts) };
	const char *firewall = NULL, *now = in->way != NULL ? in->way->host : NULL;
	const json_t *pip = in->path != NULL ? in->path->pip.body : NULL;
	struct ip ip = { 0 };

	finding_text(finding, "asked_host", search.host);
	if (net_each(facts, "microsoft.network/publicipaddresses", owns_host, &search) &&
	    doc_get(search.body, "properties.natGateway") != NULL)
		return finding_set(
		    finding, FAIL, CODE_WRONG_TARGET_ADDRESS,
		    "%s is the address of a NAT gateway, which leads out only; the VM has %s",
		    search.host, now != NULL ? now : "no address of its own");
	if (search.body != NULL && doc_get(search.body, "properties.ipConfiguration") == NULL) {
		finding_resource(finding, "public_ip", "public_ip_group", search.id);
		return finding_set(
		    finding, FAIL, CODE_PIP_DETACHED,
		    "%s is the public IP %s, which is not attached to this VM any more",
		    search.host, arm_id_name(search.id));
	}
	if (firewall_by_address(facts, search.host, &firewall) != NULL) {
		add_firewall(firewall_by_address(facts, search.host, NULL), firewall, search.host,
			     finding);
		return finding_set(
		    finding, FAIL, CODE_AZURE_FIREWALL_DNAT_MISSING,
		    "%s is the firewall %s, which has no DNAT rule for SSH to this VM", search.host,
		    arm_id_name(firewall));
	}
	if (search.body == NULL && doc_is(pip, "properties.publicIPAllocationMethod", "Dynamic") &&
	    doc_str(pip, "properties.ipAddress") != NULL && ip_parse(search.host, &ip) == 0 &&
	    ip_is_public(ip)) {
		finding_resource(finding, "public_ip", "public_ip_group", in->path->pip.id);
		return finding_set(
		    finding, FAIL, CODE_PIP_CHANGED_AFTER_RESTART,
		    "%s is not this VM's address: its public IP is dynamic and is %s now",
		    search.host, doc_str(pip, "properties.ipAddress"));
	}
	if (search.body == NULL && doc_is(pip, "properties.publicIPAllocationMethod", "Dynamic") &&
	    doc_str(pip, "properties.ipAddress") == NULL && ip_parse(search.host, &ip) == 0 &&
	    ip_is_public(ip)) {
		finding_resource(finding, "public_ip", "public_ip_group", in->path->pip.id);
		return finding_set(finding, FAIL, CODE_PIP_DYNAMIC_UNALLOCATED,
				   "the dynamic public IP %s has no address at present; %s is not, "
				   "or no longer, this VM's",
				   arm_id_name(in->path->pip.id), search.host);
	}
	return finding_set(finding, FAIL, CODE_WRONG_TARGET_ADDRESS,
			   "%s is none of this VM's addresses%s%s", search.host,
			   now != NULL ? "; it has " : "", now != NULL ? now : "");
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
		if (doc_same(arm_id_name(doc_str(subnet, "id")), "GatewaySubnet") ||
		    doc_is(subnet, "name", "GatewaySubnet"))
			return true;
	return false;
}

static bool
port_in_use(const json_t *balancer, json_int_t port)
{
	static const char *const lists[] = { "properties.inboundNatRules",
					     "properties.loadBalancingRules" };
	const json_t *rule;
	size_t i;

	for (size_t list = 0; list < 2; list++)
		json_array_foreach (doc_list(balancer, lists[list]), i, rule)
			if (doc_int(rule, "properties.frontendPort", 0) == port ||
			    (doc_int(rule, "properties.frontendPortRangeStart", 65536) <= port &&
			     doc_int(rule, "properties.frontendPortRangeEnd", 0) >= port))
				return true;
	return false;
}

/* The load balancer, a front end of it with a public address, and a port that is free there. */
static void
add_balancer(const struct facts *facts, const char *id, struct finding *finding)
{
	struct net_ref balancer = net_ref_by_id(facts, id);
	json_int_t port = FRONT_PORT;
	const json_t *front;
	size_t i;

	finding_resource(finding, "lb", "lb_group", id);
	while (port < FRONT_PORT + 1000 && port_in_use(balancer.body, port))
		port++;
	finding_number(finding, "frontend_port", port);
	json_array_foreach (doc_list(balancer.body, "properties.frontendIPConfigurations"), i,
			    front)
		if (doc_get(front, "properties.publicIPAddress") != NULL &&
		    doc_get(finding->evidence, "frontend") == NULL)
			finding_text(finding, "frontend", doc_str(front, "name"));
}

/* The subnet sends everything to a firewall with a public address: the way in would be a DNAT rule
 * of that one. */
static bool
behind_firewall(const struct facts *facts, const struct net_path *path, struct finding *finding)
{
	struct route route = { 0 };
	const json_t *firewall, *config;
	const char *id = NULL;
	bool effective;
	size_t i;

	if (route_to(facts, path, NULL, &route, &effective) != ROUTE_FOUND ||
	    !doc_same(route.hop_type, "VirtualAppliance"))
		return false;
	firewall = firewall_by_address(facts, route.hop, &id);
	json_array_foreach (doc_list(firewall, "properties.ipConfigurations"), i, config) {
		struct net_ref pip =
		    net_ref_follow(facts, doc_get(config, "properties.publicIPAddress"));

		if (doc_str(pip.body, "properties.ipAddress") == NULL)
			continue;
		add_firewall(firewall, id, doc_str(pip.body, "properties.ipAddress"), finding);
		return true;
	}
	return false;
}

int
inbound_none(const struct scene *scene, struct finding *finding)
{
	const struct facts *facts = scene->facts;
	const struct inbound *in = &scene->inbound;
	const struct vm *vm = scene->instance;
	struct owner_search search = { .vm_name =
					   vm != NULL ? vm->name : arm_id_name(scene->vm->id) };
	bool private_front = in->way != NULL && in->way->internal;
	char unread_id[ARM_ID_MAX], *lb;
	struct net_ref unread = balancer_unread(facts, in->path, unread_id, sizeof(unread_id));
	int r;

	if (unread.id != NULL)
		return finding_missing(finding, CODE_PUBLIC_IP_UNKNOWN,
				       "the way through the load balancer", &unread);
	finding_text(finding, "kind", address_kind_word(ADDRESS_NONE));
	if (!private_front && (lb = balancer_of(in->path)) != NULL) {
		add_balancer(facts, lb, finding);
		r = finding_set(
		    finding, FAIL, CODE_LB_NAT_NO_RULE,
		    "the VM is behind load balancer %s, which has no inbound rule for SSH to it",
		    arm_id_name(lb));
		free(lb);
		return r;
	}
	if (!private_front && behind_firewall(facts, in->path, finding)) {
		r = finding_set(finding, FAIL, CODE_AZURE_FIREWALL_DNAT_MISSING,
				"everything from the VM's subnet goes through firewall %s, which "
				"has no DNAT rule for SSH to this VM",
				doc_str(finding->evidence, "firewall"));
		finding->confidence = LIKELY;
		return r;
	}
	if (vm != NULL && (vm->scale_set != NULL || vm->uniform)) {
		finding_text(finding, "scale_set", arm_id_name(vm->scale_set));
		return finding_set(finding, FAIL, CODE_VMSS_FLEXIBLE_NO_PIP,
				   "the VM belongs to a scale set, whose instances have no public "
				   "IP of their own");
	}
	if (search.vm_name != NULL && *search.vm_name != '\0' &&
	    net_each(facts, "microsoft.network/publicipaddresses", was_this_vms, &search)) {
		finding_resource(finding, "public_ip", "public_ip_group", search.id);
		r = finding_set(finding, FAIL, CODE_PIP_DETACHED,
				"public IP %s is not attached to anything, and the VM has none",
				arm_id_name(search.id));
		finding->confidence = LIKELY;
		return r;
	}
	if (bastion_list_known(facts, in->path) && in->path->vnet.state == FACT_KNOWN &&
	    !has_private_ways(in->path))
		return finding_set(
		    finding, FAIL, CODE_NO_PIP_NO_BASTION,
		    "the VM has no public IP, and neither a Bastion nor a gateway leads to it");
	return finding_set(finding, FAIL, CODE_NO_PUBLIC_IP, "the VM has no public IP address");
}
