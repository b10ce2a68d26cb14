#include "checks/checks.h"
#include "facts/arm.h"
#include "model/route.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The network of Azure's own by which a virtual hub is peered with this one. */
static const char *
hub_network(const struct net_path *path)
{
	const char *network = net_gateway_network(path);

	return network != NULL && strncasecmp(network, "HV_", 3) == 0 ? network : NULL;
}

static void
add_route(const struct inbound *in, const struct route *route, struct finding *finding)
{
	finding_text(finding, "route", route->name);
	finding_text(finding, "prefix", route->prefix);
	finding_text(finding, "next_hop_type", route->hop_type);
	finding_text(finding, "next_hop", route->hop);
	finding_resource(finding, "route_table", "route_table_group", in->path->route_table.id);
	if (in->path->route_table.id == NULL)
		finding_value(finding, "no_table", json_true());
	if (doc_same(route->hop_type, "VirtualNetworkGateway"))
		finding_text(finding, "hub_network", hub_network(in->path));
	finding_changes(finding, in->path->route_table.id);
	if (in->source_known) {
		char *prefix = doc_fmt("%s/%d", in->source_text, in->path->v6 ? 128 : 32);

		finding_text(finding, "source_prefix", prefix);
		free(prefix);
	}
}

/* This machine stands in Azure, or some tunnel or route leads from it to the private address. What
 * has not been tried is taken at its word. */
static bool
comes_privately(const struct scene *scene)
{
	const struct fact_tcp *tcp = scene->tcp;

	if (tcp->state != FACT_KNOWN)
		return address_asked_host(scene->facts) != NULL;
	return tcp->route == NULL || !tcp->route->default_ || tcp->on_azure ||
	       tcp->tunnels_count > 0;
}

/* The half of a peering that does not work, of the VNet with that id. */
static void
add_peering(const struct peering *peering, const char *vnet, struct finding *finding)
{
	if (vnet != NULL)
		finding_resource(finding, "vnet", "vnet_group", vnet);
	finding_text(finding, "peering", peering->name);
	finding_text(finding, "peering_state",
		     peering->closed ? "closed to traffic (allowVirtualNetworkAccess is false)"
				     : peering->state);
	if (peering->closed)
		finding_value(finding, "closed", json_true());
	finding_text(finding, "remote_vnet", arm_id_name(peering->remote));
	finding_text(finding, "remote_vnet_id", peering->remote);
}

static const char *
peering_words(const struct peering *peering)
{
	return peering->closed ? "closed to traffic" : peering->state;
}

/* You come by a VPN or an ExpressRoute that ends in a peered network, and the VM's network does not
 * use the gateway there. */
static int
gateway_way(const struct scene *scene, struct finding *finding)
{
	struct transit transit;
	const char *setting;

	if (scene->answers || !scene->timed_out || scene->tcp->on_azure ||
	    !comes_privately(scene) ||
	    !net_lacks_transit(scene->facts, scene->inbound.path, &transit))
		return finding_set(
		    finding, PASS, CODE_ROUTE_PRIVATE,
		    "the way is private; nothing seen of the network stands against it");
	setting = transit.far_half ? "allowGatewayTransit" : "useRemoteGateways";
	add_peering(&transit.peering, transit.owner, finding);
	finding_text(finding, "setting", setting);
	finding_text(finding, "gateway_network", transit.gateway);
	return finding_likely(finding, FAIL, CODE_PEERING_WITHOUT_GATEWAY,
			      "peering %s keeps what comes by the gateway of %s away: %s is false",
			      transit.peering.name != NULL ? transit.peering.name : "?",
			      transit.gateway, setting);
}

/* The Bastion stands in another network: only the peering with that one concerns it. */
static int
bastion_way(const struct scene *scene, struct finding *finding)
{
	const struct bastion *bastion = &scene->inbound.bastion;

	if (!bastion->cut_off)
		return finding_set(finding, PASS, CODE_ROUTE_PRIVATE,
				   "nothing stands between Bastion %s and the VM's network",
				   bastion->name);
	add_peering(&bastion->peering, bastion->far_half ? doc_str(bastion->vnet, "id") : NULL,
		    finding);
	return finding_set(finding, FAIL, CODE_PEERING_DISCONNECTED,
			   "Bastion %s is the way in, and peering %s between its network and the "
			   "VM's is %s",
			   bastion->name,
			   bastion->peering.name != NULL ? bastion->peering.name : "?",
			   peering_words(&bastion->peering));
}

/* A jump host may stand in the peered network; whether it does is not known. */
static bool
jump_is_stuck(const struct scene *scene)
{
	return address_by_proxy(scene->facts) && scene->timed_out;
}

/* Came in by the private address: the routes that matter are those between networks. */
static int
private_way(const struct scene *scene, struct finding *finding)
{
	const struct inbound *in = &scene->inbound;
	struct peering peering;

	if (in->by_bastion)
		return bastion_way(scene, finding);
	if (!net_broken_peering(in->path, &peering))
		return gateway_way(scene, finding);
	add_peering(&peering, NULL, finding);
	if (scene->answers || !(comes_privately(scene) || jump_is_stuck(scene)))
		return finding_set(finding, PASS, CODE_ROUTE_PRIVATE,
				   "a peering is not connected, which does not concern this way");
	return finding_likely(finding, FAIL, CODE_PEERING_DISCONNECTED,
			      "peering %s of the virtual network is %s",
			      peering.name != NULL ? peering.name : "?", peering_words(&peering));
}

/* An address of the VM itself, on any of its network interfaces. */
static bool
is_vm_itself(const struct inbound *in, const char *hop)
{
	struct ip ip;

	if (ip_parse(hop, &ip) < 0)
		return false;
	for (size_t i = 0; i < in->network.count; i++)
		if (in->network.paths[i].has_private &&
		    ip_cmp(in->network.paths[i].private_ip, ip) == 0)
			return true;
	return false;
}

static enum route_state
answers_route(const struct scene *scene, struct route *ret, bool *effective)
{
	const struct inbound *in = &scene->inbound;

	return route_to(scene->facts, in->path,
			in->source_known ? &in->flow.source.list[0].from : NULL, ret, effective);
}

static bool
through_firewall(const struct inbound *in)
{
	return in->way != NULL && in->way->kind == ADDRESS_FIREWALL_DNAT;
}

const char *
route_by_gateway(const struct scene *scene)
{
	const struct inbound *in = &scene->inbound;
	struct route route = { 0 };
	bool effective;

	if (in->path == NULL || in->flow.private_path ||
	    answers_route(scene, &route, &effective) != ROUTE_NONE || effective)
		return NULL;
	return net_gateway_network(in->path);
}

bool
route_loses_answers(const struct scene *scene)
{
	const struct inbound *in = &scene->inbound;
	struct route route = { 0 };
	bool effective;

	return in->path != NULL && !in->flow.private_path && !through_firewall(in) &&
	       answers_route(scene, &route, &effective) == ROUTE_FOUND &&
	       (doc_same(route.hop_type, "VirtualAppliance") ||
		doc_same(route.hop_type, "VirtualNetworkGateway") ||
		doc_same(route.hop_type, "None"));
}

/* Answers to a client on the Internet that leave by anything but Internet come back by another way
 * than the request, and are dropped. */
static int
judge_hop(const struct scene *scene, const struct route *route, bool effective,
	  struct finding *finding)
{
	const char *type = route->hop_type;
	bool works = scene->answers || scene->tcp->result == TCP_REFUSED;
	const char *words;
	enum code code;
	int r;

	if (type == NULL)
		return finding_set(finding, UNKNOWN, CODE_ROUTE_INVALID,
				   "nextHopType of route %s is missing",
				   route->name != NULL ? route->name : "?");
	if (strcasecmp(type, "Internet") == 0 || strcasecmp(type, "VnetLocal") == 0 ||
	    strcasecmp(type, "VNetPeering") == 0)
		return finding_set(finding, PASS, CODE_ROUTE_DIRECT, "answers leave by %s (%s)",
				   type, route->prefix);
	if (works)
		return finding_set(finding, PASS, CODE_ROUTE_WORKS,
				   "answers to you leave by %s%s%s, and come back all the same",
				   type, route->hop != NULL ? " " : "",
				   route->hop != NULL ? route->hop : "");
	if (strcasecmp(type, "VirtualAppliance") == 0 &&
	    is_vm_itself(&scene->inbound, route->hop)) {
		code = CODE_UDR_TO_THE_VM;
		words = "the VM itself";
	} else if (strcasecmp(type, "VirtualAppliance") == 0) {
		code = CODE_UDR_DEFAULT_TO_NVA;
		words = "an appliance that never saw the request";
	} else if (strcasecmp(type, "VirtualNetworkGateway") == 0) {
		code = CODE_UDR_DEFAULT_TO_GATEWAY;
		words = "the gateway (forced tunnelling)";
	} else if (strcasecmp(type, "None") == 0) {
		code = CODE_UDR_NONE_BLACKHOLE;
		words = "nowhere: they are dropped";
	} else {
		return finding_set(finding, UNKNOWN, CODE_ROUTE_INVALID,
				   "next hop type %s is not known to this program", type);
	}
	r = finding_set(finding, FAIL, code, "answers to you match %s and go to %s%s%s%s",
			route->prefix, words, route->hop != NULL ? " (" : "",
			route->hop != NULL ? route->hop : "", route->hop != NULL ? ")" : "");
	finding->confidence = effective && scene->timed_out ? CERTAIN : LIKELY;
	return r;
}

static int
judge(const struct scene *scene, struct finding *finding)
{
	const struct inbound *in = &scene->inbound;
	const struct net_path *path = in->path;
	struct route route = { 0 };
	bool effective;

	inbound_evidence(in, finding);
	if (through_firewall(in))
		return finding_set(
		    finding, PASS, CODE_ROUTE_DIRECT,
		    "the connection goes through the firewall, and so do the replies");
	if (in->flow.private_path)
		return private_way(scene, finding);
	switch (route_to(scene->facts, path,
			 in->source_known ? &in->flow.source.list[0].from : NULL, &route,
			 &effective)) {
	case ROUTE_NONE:
		return finding_set(finding, PASS, CODE_ROUTE_DIRECT,
				   "no user-defined route affects the replies");
	case ROUTE_UNKNOWN:
		if (path->subnet.state != FACT_KNOWN)
			return finding_missing(finding, CODE_ROUTE_UNKNOWN, "the subnet",
					       &path->subnet);
		return finding_missing(finding, CODE_ROUTE_UNKNOWN, "the route table",
				       &path->route_table);
	case ROUTE_NONSENSE:
		finding_text(finding, "field", "addressPrefix");
		finding_text(finding, "route", route.name);
		return finding_set(finding, UNKNOWN, CODE_ROUTE_INVALID,
				   "addressPrefix of route %s is invalid (%s)",
				   route.name != NULL ? route.name : "?",
				   route.prefix != NULL ? route.prefix : "missing");
	default:
		add_route(in, &route, finding);
		return judge_hop(scene, &route, effective, finding);
	}
}

int
check_route(const struct scene *scene, const struct rule *rule, struct finding *finding)
{
	(void)rule;
	return inbound_missing(scene, CODE_ROUTE_UNKNOWN, finding) ? 0 : judge(scene, finding);
}
