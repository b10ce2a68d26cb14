/* Where answers go: the subnet's route table, or the effective routes when they were read. */
#ifndef MODEL_ROUTE_H
#define MODEL_ROUTE_H

#include "model/network.h"

struct route {
	const char *name;   /* of the user-defined route; NULL in effective routes without names */
	const char *prefix; /* as text */
	const char
	    *hop_type; /* Internet, VirtualAppliance, VirtualNetworkGateway, VnetLocal, None, ... */
	const char *hop; /* address of the appliance, NULL for the other types */
	const char
	    *source; /* "User", "VirtualNetworkGateway", "Default"; NULL for raw route tables */
};

enum route_state {
	ROUTE_NONE, /* no user-defined route covers the address: Azure's own routes apply */
	ROUTE_FOUND,
	ROUTE_UNKNOWN,  /* the subnet or its route table did not arrive */
	ROUTE_NONSENSE, /* the prefix of this route makes no sense, and it might be the one */
};

/* The route that answers to this address take, by the longest prefix (in effective routes, among
 * equals: User before VirtualNetworkGateway before Default). destination NULL: the default route.
 * *effective: it was read from the effective routes. */
enum route_state route_to(const struct facts *facts, const struct net_path *path,
			  const struct ip *destination, struct route *ret, bool *effective);

#endif
