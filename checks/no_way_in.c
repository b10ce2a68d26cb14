/* No way in: the host asked for is none of the VM's, or the VM has no address that the Internet
 * reaches. Which of the reasons is it? */
#include "checks/unread.h"
#include "facts/arm.h"
#include "model/public_ip.h"
#include "model/route.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The firewall that would have to forward, and the policy that holds its rules where they are no
 * classic ones. */
static void
add_firewall(const struct inbound *in, const struct firewall *firewall, const char *address,
	     struct finding *finding)
{
	finding_resource(finding, "firewall", "firewall_group", firewall->id);
	finding_place(finding, "firewall_place", firewall->id, in);
	finding_text(finding, "firewall_address", address);
	finding_resource(finding, "policy", "policy_group", firewall->policy);
	finding_place(finding, "policy_place", firewall->policy, in);
}

/* A firewall's rule leads to the VM, for other sources than ours. Returns false when none does. */
static bool
dnat_for_others(const struct scene *scene, struct finding *finding)
{
	const struct inbound *in = &scene->inbound;
	const struct dnat_wish wish = { address_asked_host(scene->facts), (int)in->flow.port };
	struct firewall firewall;
	struct dnat dnat;

	if (in->path == NULL ||
	    (!firewall_dnat_for(scene->facts, in->path, 22, &wish, &dnat) &&
	     !firewall_dnat_for(scene->facts, in->path, wish.port, &wish, &dnat)) ||
	    dnat.takes != DNAT_FOR_OTHERS)
		return false;
	if (firewall_by_address(scene->facts, dnat.address, &firewall))
		add_firewall(in, &firewall, dnat.address, finding);
	finding_text(finding, "nat_rule", dnat.rule);
	finding_number(finding, "frontend_port", dnat.port);
	finding_text(finding, "rule_source", dnat.source);
	finding_set(finding, FAIL, CODE_AZURE_FIREWALL_DNAT_OTHER_SOURCE,
		    "firewall %s forwards %s port %d to this VM, but only for %s, not for %s",
		    dnat.firewall, dnat.address, dnat.port, dnat.source != NULL ? dnat.source : "?",
		    scene->source->ip != NULL ? scene->source->ip : "you");
	if (scene->source->likely)
		finding->confidence = LIKELY;
	return true;
}

/* The VM is behind that load balancer, which forwards no SSH to it: a rule waits for a target, or
 * there is none. */
static int
balancer_without_rule(const struct scene *scene, const char *lb, struct finding *finding)
{
	struct address idle;
	bool given;

	finding_resource(finding, "lb", "lb_group", lb);
	if (balancer_idle_rule(scene->facts, lb, address_ssh_port(scene->facts, &given), &idle)) {
		finding_text(finding, "nat_rule", idle.name);
		finding_text(finding, "frontend_address", idle.host);
		finding_number(finding, "frontend_port", idle.port);
		return finding_set(finding, FAIL, CODE_LB_NAT_NO_TARGET,
				   "NAT rule %s of load balancer %s leads from %s port %d to port "
				   "%d of no VM: it has no target",
				   idle.name, arm_id_name(lb), idle.host, idle.port,
				   idle.backend_port);
	}
	finding_number(finding, "frontend_port", balancer_free_port(scene->facts, lb));
	finding_text(finding, "frontend", balancer_public_front(scene->facts, lb));
	return finding_set(
	    finding, FAIL, CODE_LB_NAT_NO_RULE,
	    "the VM is behind load balancer %s, which has no inbound rule for SSH to it",
	    arm_id_name(lb));
}

/* The way in use is a rule of that load balancer, or of that firewall. */
static bool
leads_from(const struct scene *scene, const char *id)
{
	const struct address *way = scene->inbound.way;
	char lb[ARM_ID_MAX];

	if (way == NULL || way->port <= 0 || way->internal || scene->accepted)
		return false;
	if (way->kind == ADDRESS_FIREWALL_DNAT)
		return arm_id_same(way->id, id);
	return (way->kind == ADDRESS_NAT_RULE || way->kind == ADDRESS_LB_RULE) &&
	       arm_id_parent(way->id, lb, sizeof(lb)) == 0 && arm_id_same(lb, id);
}

/* The address is that of a load balancer's front end. Returns false when it is not. */
static bool
balancer_in_front(const struct scene *scene, const struct public_ip *owner, const char *host,
		  struct finding *finding)
{
	const struct net_path *path = scene->inbound.path;
	char lb[ARM_ID_MAX], type[160], *own;
	bool ours;

	if (owner->used_by == NULL || arm_id_parent(owner->used_by, lb, sizeof(lb)) < 0 ||
	    arm_id_type(lb, type, sizeof(type)) < 0 ||
	    !doc_same(type, "microsoft.network/loadbalancers"))
		return false;
	if (leads_from(scene, lb)) {
		finding_resource(finding, "lb", "lb_group", lb);
		front_end_mismatch(scene, host, finding);
		return true;
	}
	own = path != NULL ? balancer_of(scene->facts, path) : NULL;
	ours = arm_id_same(own, lb);
	free(own);
	if (ours) {
		balancer_without_rule(scene, lb, finding);
		return true;
	}
	finding_resource(finding, "lb", "lb_group", lb);
	finding_likely(finding, FAIL, CODE_WRONG_TARGET_ADDRESS,
		       "%s is the front end of load balancer %s, and no pool of it that could be "
		       "read holds this VM",
		       host, arm_id_name(lb));
	return true;
}

/* What of Azure's has the address, for a sentence; NULL when it is nothing that keeps SSH from
 * coming through to this VM for certain. */
static const char *
kind_of_user(const char *type)
{
	static const struct {
		const char *type, *words;
	} kinds[] = {
		{ "microsoft.network/bastionhosts", "the Bastion" },
		{ "microsoft.network/virtualnetworkgateways", "the gateway" },
		{ "microsoft.network/vpngateways", "the VPN gateway" },
		{ "microsoft.network/applicationgateways", "the application gateway" },
		{ "microsoft.network/networkinterfaces", "the network interface" },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (doc_same(kinds[i].type, type))
			return kinds[i].words;
	return NULL;
}

/* The address is that of something else for certain: another VM, a Bastion, a gateway. Returns
 * false when it is not. */
static bool
somebody_else(const struct scene *scene, const struct public_ip *owner, const char *host,
	      struct finding *finding)
{
	char user[ARM_ID_MAX], type[160];
	struct net_ref ref;
	const char *kind, *vm;

	if (owner->used_by == NULL || arm_id_parent(owner->used_by, user, sizeof(user)) < 0 ||
	    arm_id_type(user, type, sizeof(type)) < 0 || (kind = kind_of_user(type)) == NULL)
		return false;
	ref = net_ref_by_id(scene->facts, user);
	if (strcasestr(user, "/applicationGateways/") != NULL &&
	    (ref.state != FACT_KNOWN ||
	     json_array_size(doc_list(ref.body, "properties.listeners")) > 0))
		return false;
	vm = doc_str(ref.body, "properties.virtualMachine.id");
	finding_text(finding, "owner", vm != NULL ? vm : user);
	finding_set(finding, FAIL, CODE_WRONG_TARGET_ADDRESS, "%s is the address of %s %s", host,
		    vm != NULL ? "the VM" : kind, arm_id_name(vm != NULL ? vm : user));
	return true;
}

/* No address that was read. A server there that accepts the key ends the matter: something in front
 * forwards, or it is another address of the VM's. What was not read may do so. Returns false when
 * the address is a wrong one for certain. */
static bool
perhaps_forwarded(const struct scene *scene, const char *host, struct finding *finding)
{
	struct unread unread;
	bool may = unread_in_front(scene, &unread);
	char *words = may ? unread_words(&unread) : NULL;

	if (!may && !scene->accepted)
		return false;
	if (may)
		finding_unread(finding, &unread);
	finding_text(finding, "belongs", "may lead");
	if (scene->accepted)
		finding_likely(finding, WARN, CODE_WRONG_TARGET_ADDRESS,
			       "%s is no address of this VM that could be read, and the server "
			       "there accepts your key: most likely %s%s forwards to it",
			       host, may ? words : "something in front",
			       may ? ", which was not read," : "");
	else
		finding_set(finding, UNKNOWN, CODE_WRONG_TARGET_ADDRESS,
			    "%s is no address of this VM that could be read, but %s was not read "
			    "and may forward to it",
			    host, words);
	free(words);
	return true;
}

/* The host asked for is none of the VM's addresses: a public IP taken off it, an address it had
 * before it was restarted, a firewall that does not forward, or somebody else's. */
int
inbound_foreign(const struct scene *scene, struct finding *finding)
{
	const struct inbound *in = &scene->inbound;
	const struct net_ref none = { .state = FACT_ABSENT };
	const struct public_ip pip = public_ip_view(in->path != NULL ? &in->path->pip : &none);
	const char *host = address_asked_host(scene->facts),
		   *now = in->way != NULL ? in->way->host : NULL;
	struct public_ip owner;
	bool owned = public_ip_by_address(scene->facts, host, &owner);
	struct firewall firewall;
	struct unread unread;
	struct ip ip = { 0 };

	finding_text(finding, "asked_host", host);
	finding_text(finding, "belongs", "does not belong");
	if (owned && owner.outbound)
		return finding_set(
		    finding, FAIL, CODE_WRONG_TARGET_ADDRESS,
		    "%s is the address of a NAT gateway, which leads out only; the VM has %s", host,
		    now != NULL ? now : "no address of its own");
	if (owned && !owner.attached) {
		finding_resource(finding, "public_ip", "public_ip_group", owner.id);
		return finding_set(
		    finding, FAIL, CODE_PIP_DETACHED,
		    "%s is the public IP %s, which is not attached to this VM any more", host,
		    arm_id_name(owner.id));
	}
	if (owned && balancer_in_front(scene, &owner, host, finding))
		return 0;
	if (firewall_by_address(scene->facts, host, &firewall) && dnat_for_others(scene, finding))
		return 0;
	if (firewall_by_address(scene->facts, host, &firewall) &&
	    (scene->accepted ||
	     firewall_unread(scene->facts, in->path, unread.id, sizeof(unread.id))) &&
	    perhaps_forwarded(scene, host, finding))
		return 0;
	if (firewall_by_address(scene->facts, host, &firewall)) {
		if (leads_from(scene, firewall.id))
			return front_end_mismatch(scene, host, finding);
		add_firewall(in, &firewall, host, finding);
		return finding_set(
		    finding, FAIL, CODE_AZURE_FIREWALL_DNAT_MISSING,
		    "%s is the firewall %s, which has no DNAT rule for SSH to this VM", host,
		    arm_id_name(firewall.id));
	}
	if (!owned && pip.dynamic && ip_parse(host, &ip) == 0 && ip_is_public(ip)) {
		finding_resource(finding, "public_ip", "public_ip_group", pip.id);
		if (pip.address != NULL)
			return finding_set(finding, FAIL, CODE_PIP_CHANGED_AFTER_RESTART,
					   "%s is not this VM's address: its public IP is dynamic "
					   "and is %s now",
					   host, pip.address);
		return finding_set(finding, FAIL, CODE_PIP_DYNAMIC_UNALLOCATED,
				   "the dynamic public IP %s has no address at present; %s is not, "
				   "or no longer, this VM's",
				   arm_id_name(pip.id), host);
	}
	if ((owned && somebody_else(scene, &owner, host, finding)) ||
	    perhaps_forwarded(scene, host, finding))
		return 0;
	return finding_set(finding, FAIL, CODE_WRONG_TARGET_ADDRESS,
			   "%s is none of this VM's addresses%s%s", host,
			   now != NULL ? "; it has " : "", now != NULL ? now : "");
}

/* The subnet sends everything to a firewall with a public address: the way in would be a DNAT rule
 * of that one. */
static bool
behind_firewall(const struct scene *scene, struct firewall *ret)
{
	struct route route = { 0 };
	bool effective;

	return route_to(scene->facts, scene->inbound.path, NULL, &route, &effective) ==
		   ROUTE_FOUND &&
	       doc_same(route.hop_type, "VirtualAppliance") &&
	       firewall_by_address(scene->facts, route.hop, ret) && ret->address != NULL;
}

/* A load balancer or a firewall stands in front and forwards no SSH. Returns false when neither
 * does. */
static bool
front_without_rule(const struct scene *scene, struct finding *finding)
{
	const struct inbound *in = &scene->inbound;
	struct firewall firewall;
	struct unread unread;
	char *lb;

	if (in->way != NULL && in->way->internal)
		return false;
	if ((lb = balancer_of(scene->facts, in->path)) != NULL) {
		balancer_without_rule(scene, lb, finding);
		free(lb);
		return true;
	}
	if (dnat_for_others(scene, finding))
		return true;
	if (!behind_firewall(scene, &firewall) ||
	    firewall_unread(scene->facts, in->path, unread.id, sizeof(unread.id)))
		return false;
	add_firewall(in, &firewall, firewall.address, finding);
	finding_likely(
	    finding, FAIL, CODE_AZURE_FIREWALL_DNAT_MISSING,
	    "everything from the VM's subnet goes through firewall %s, which has no DNAT "
	    "rule for SSH to this VM",
	    arm_id_name(firewall.id));
	return true;
}

int
inbound_none(const struct scene *scene, struct finding *finding)
{
	const struct net_path *path = scene->inbound.path;
	const struct vm *vm = scene->instance;
	const char *name = vm != NULL ? vm->name : arm_id_name(scene->vm->id);
	char unread_id[ARM_ID_MAX];
	struct net_ref unread = balancer_unread(scene->facts, path, unread_id, sizeof(unread_id));
	struct public_ip detached;
	struct unread front;

	if (unread.id != NULL)
		return finding_missing(finding, CODE_PUBLIC_IP_UNKNOWN,
				       "the way through the load balancer", &unread);
	finding_text(finding, "kind", address_kind_word(ADDRESS_NONE));
	if (front_without_rule(scene, finding))
		return 0;
	if (vm != NULL && (vm->scale_set != NULL || vm->uniform)) {
		finding_text(finding, "scale_set", arm_id_name(vm->scale_set));
		return finding_set(finding, FAIL, CODE_VMSS_FLEXIBLE_NO_PIP,
				   "the VM belongs to a scale set, whose instances have no public "
				   "IP of their own");
	}
	if (name != NULL && *name != '\0' && public_ip_unused(scene->facts, name, &detached)) {
		finding_resource(finding, "public_ip", "public_ip_group", detached.id);
		return finding_likely(
		    finding, FAIL, CODE_PIP_DETACHED,
		    "public IP %s is not attached to anything, and the VM has none",
		    arm_id_name(detached.id));
	}
	if (unread_in_front(scene, &front)) {
		finding_unread(finding, &front);
		return finding_set(finding, UNKNOWN, CODE_NO_PUBLIC_IP,
				   "the VM has no public IP address; whether %s, which was not "
				   "read, leads to it is not known",
				   doc_str(finding->evidence, "unread"));
	}
	if (bastion_list_known(scene->facts, path) && path->vnet.state == FACT_KNOWN &&
	    !net_has_private_ways(path))
		return finding_set(
		    finding, FAIL, CODE_NO_PIP_NO_BASTION,
		    "the VM has no public IP, and neither a Bastion nor a gateway leads to it");
	return finding_set(finding, FAIL, CODE_NO_PUBLIC_IP, "the VM has no public IP address");
}
