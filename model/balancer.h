/* Parts of a load balancer's body, as seen from one path of a VM. Strings are borrowed. */
#ifndef MODEL_BALANCER_H
#define MODEL_BALANCER_H

#include "model/address.h"

/* The path is in the pool: by the NIC's own reference, the pool's list, or its private address. */
bool balancer_pool_has(const json_t *balancer, const char *pool_id, const struct net_path *path);

/* The path is in one of the pools that the load balancing rule names. */
bool balancer_rule_leads(const json_t *balancer, const json_t *rule, const struct net_path *path);

/* A cross-region load balancer: the rule leads to the front end of a regional one, whose rule for
 * the same port leads to the path. */
bool balancer_leads_on(const struct facts *facts, const json_t *balancer, const json_t *rule,
		       const struct net_path *path);

/* The path is in any of its pools. */
bool balancer_has(const json_t *balancer, const struct net_path *path);

/* The pool's entry for the path, which may hold the ports of NAT rules; NULL when there is none. */
const json_t *balancer_member(const json_t *balancer, const char *pool_id,
			      const struct net_path *path);

/* Sets probe and probe_port as the rule's probe has them. */
void balancer_read_probe(const json_t *balancer, const json_t *rule, struct address *address);

#endif
