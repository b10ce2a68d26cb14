/* The VM's paths: every ipConfiguration of every NIC with what stands on the way to it. Every
 * reference says whether its resource arrived; what was refused (403) is never taken for "there is
 * none". Strings and bodies are borrowed from the facts. */
#ifndef MODEL_NETWORK_H
#define MODEL_NETWORK_H

#include "facts/facts.h"
#include "model/prefix.h"

/* A reference to another resource: FACT_ABSENT with a NULL id means that nothing is referred to. */
struct net_ref {
	const char *id;
	enum fact_state state; /* KNOWN: body; ABSENT: no reference, or the resource does not exist;
				  UNKNOWN: see why */
	const json_t *body;
	const json_t *why; /* entry of azure.missing, NULL when there is none */
	const char *field; /* UNKNOWN because this field of what did arrive is missing or makes no
			      sense; else NULL */
};

struct net_path {
	const char *nic_id, *nic_name;
	const char *config_id, *config_name;
	bool primary; /* primary configuration of the primary NIC */
	bool v6;
	const char *private_text; /* as ARM wrote it */
	struct ip private_ip;
	bool has_private;
	struct net_ref pip, nic_nsg, subnet, subnet_nsg, vnet, route_table;
	const json_t *asgs, *nat_rules, *pools; /* arrays of {"id"}; NULL for none */
	bool asgs_bad;                          /* its application security groups make no sense */
};

struct network {
	struct net_path *paths; /* the primary one first */
	size_t count;
	struct net_ref missing_nic; /* a NIC that did not arrive; id NULL when all did */
	size_t nic_count;           /* how many NICs the VM has */
};

/* Builds the view; 0, or -ENOENT when neither the VM's body nor the list of its NICs is
 * known. */
int network_from_facts(const struct facts *facts, struct network *ret);
void network_free(struct network *network);

/* Follows {"id": ..., perhaps the whole body inline}; NULL is no reference. */
struct net_ref net_ref_follow(const struct facts *facts, const json_t *ref);
struct net_ref net_ref_by_id(const struct facts *facts, const char *id);

/* The prefix of a subnet, by itself or within the path's VNet; false when it is not known. */
bool net_subnet_range(const struct facts *facts, const struct net_path *path, const char *id,
		      struct ip_range *ret);

/* The address space of a virtual hub; false when it is not known. */
bool net_hub_range(const struct facts *facts, const char *id, struct ip_range *ret);

/* Is there a gateway or a peering in the VNet, by which people may come in privately? */
bool net_has_private_ways(const struct net_path *path);

/* The network whose gateway may hand out routes to the path's own one: the other side of a peering
 * that uses remote gateways, or its own when it has a GatewaySubnet. NULL when there is none, or
 * the route table keeps such routes away. */
const char *net_gateway_network(const struct net_path *path);

struct peering {
	const char *name, *state, *remote; /* remote: id of the other VNet */
	bool closed;                       /* to traffic: allowVirtualNetworkAccess is false */
};

/* One entry of a VNet's peerings; true when it works. */
bool net_peering(const json_t *entry, struct peering *ret);

/* The VNet is the path's own, or has a peering with it that works. */
bool net_reaches(const struct net_path *path, const char *vnet);

/* The half of the peering with that VNet which the body of one VNet holds; false when it has none.
 */
bool net_peering_with(const json_t *body, const char *vnet, struct peering *ret);

/* Who comes by the VPN or ExpressRoute gateway of a peered VNet does not get to this one, since a
 * half of the peering does not say that it uses, or lends, the gateway. */
struct transit {
	struct peering peering; /* that half */
	bool far_half;          /* it is the one of the VNet with the gateway */
	const char *owner;      /* id of the VNet whose half it is; NULL: the path's own */
	const char *gateway;    /* name of the VNet with the gateway */
};

/* false when the VNet has a gateway of its own or uses that of a peered one, or none is known. */
bool net_lacks_transit(const struct facts *facts, const struct net_path *path, struct transit *ret);

/* A peering of the VNet that does not work; false when all do. */
bool net_broken_peering(const struct net_path *path, struct peering *ret);

/* The ids of an array of {"id"}, as a new array of texts. */
json_t *net_ids(const json_t *list);

/* true when the array of {"id"} holds this id. */
bool net_list_has(const json_t *list, const char *id);

/* Calls visit for every known resource of that (lower-case) type until it returns true; returns
 * what the last call did. */
bool net_each(const struct facts *facts, const char *type,
	      bool (*visit)(const char *id, const json_t *body, void *ctx), void *ctx);

/* true when the whole list of that path is known (azure.lists), so that what is not among the
 * resources does not exist. */
bool net_list_known(const struct facts *facts, const char *path);

#endif
