/* A view of a public IP address. Strings are borrowed from the facts; what is not known is NULL. */
#ifndef MODEL_PUBLIC_IP_H
#define MODEL_PUBLIC_IP_H

#include "model/network.h"

struct public_ip {
	const char *id, *address, *sku, *allocation, *fqdn;
	const char *used_by; /* id of the ipConfiguration that has it, NULL when none has */
	bool dynamic;
	bool attached; /* a NIC or a load balancer uses it */
	bool outbound; /* a NAT gateway uses it */
};

/* Of a reference, perhaps to one that did not arrive. */
struct public_ip public_ip_view(const struct net_ref *ref);

/* The one among the facts with this address; false when there is none. */
bool public_ip_by_address(const struct facts *facts, const char *address, struct public_ip *ret);

/* One that nothing uses and whose name begins so; false when there is none. */
bool public_ip_unused(const struct facts *facts, const char *name, struct public_ip *ret);

#endif
