#include "checks/unread.h"
#include "model/route.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool
found(struct unread *ret, const char *what, const char *id)
{
	ret->what = what;
	snprintf(ret->id, sizeof(ret->id), "%s", id);
	return true;
}

/* What has the address that was asked for, or what uses that. */
static bool
unread_owner(const struct scene *scene, struct unread *ret)
{
	const struct fact_network_asked *asked = scene->network->asked;

	if (asked == NULL)
		return false;
	for (size_t i = 0; i < asked->way_count; i++) {
		struct net_ref ref = net_ref_by_id(scene->facts, asked->way[i]);

		if (ref.state != FACT_KNOWN)
			return found(ret, "what has that address,", asked->way[i]);
		/* an application gateway forwards TCP by these, whose rules nothing here judges */
		if (json_array_size(doc_list(ref.body, "properties.listeners")) > 0)
			return found(ret, "the TCP listeners of", asked->way[i]);
	}
	if (asked->way_count == 0 && asked->state == FACT_UNKNOWN)
		return found(ret, "the public IPs of every subscription", "");
	return false;
}

static bool
list_unread(const struct scene *scene, const char *of, const char *type)
{
	char subscription[128], path[256];

	arm_id_subscription(of, subscription, sizeof(subscription));
	snprintf(path, sizeof(path), "/subscriptions/%s/providers/Microsoft.Network/%s",
		 subscription, type);
	return !net_list_known(scene->facts, path);
}

static bool
unread_network(const struct scene *scene, struct unread *ret)
{
	const json_t *peering;
	struct peering peered;
	size_t i;

	json_array_foreach (
	    doc_list(scene->inbound.path->vnet.body, "properties.virtualNetworkPeerings"), i,
	    peering) {
		if (!net_peering(peering, &peered) || peered.remote == NULL)
			continue;
		if (net_ref_by_id(scene->facts, peered.remote).state != FACT_KNOWN)
			return found(ret, "the peered network", peered.remote);
		if (list_unread(scene, peered.remote, "azureFirewalls"))
			return found(ret, "the firewalls beside", peered.remote);
		if (list_unread(scene, peered.remote, "bastionHosts"))
			return found(ret, "the Bastions beside", peered.remote);
	}
	return false;
}

static bool
is_own_address(const struct scene *scene, const char *address)
{
	const struct network *network = &scene->inbound.network;

	for (size_t i = 0; i < network->count; i++)
		if (doc_same(network->paths[i].private_text, address))
			return true;
	return false;
}

/* An appliance that the VM's answers go to may forward to it as well: its own rules are nobody's to
 * read. */
static bool
unread_appliance(const struct scene *scene, struct unread *ret)
{
	struct route route = { 0 };
	struct firewall firewall;
	bool effective;

	return route_to(scene->facts, scene->inbound.path, NULL, &route, &effective) ==
		   ROUTE_FOUND &&
	       doc_same(route.hop_type, "VirtualAppliance") && route.hop != NULL &&
	       !firewall_by_address(scene->facts, route.hop, &firewall) &&
	       !is_own_address(scene, route.hop) && found(ret, "the appliance", route.hop);
}

bool
unread_in_front(const struct scene *scene, struct unread *ret)
{
	const struct net_path *path = scene->inbound.path;

	if (unread_owner(scene, ret))
		return true;
	if (path == NULL)
		return false;
	if (firewall_unread(scene->facts, path, ret->id, sizeof(ret->id))) {
		ret->what = "the firewall's rules in";
		return true;
	}
	return unread_network(scene, ret) || unread_appliance(scene, ret);
}

char *
unread_words(const struct unread *unread)
{
	return doc_fmt("%s%s%s", unread->what, *unread->id != '\0' ? " " : "", unread->id);
}

void
finding_unread(struct finding *finding, const struct unread *unread)
{
	char *words = unread_words(unread);

	finding_text(finding, "unread", words);
	if (*unread->id == '/')
		finding_text(finding, "unread_id", unread->id);
	free(words);
}
