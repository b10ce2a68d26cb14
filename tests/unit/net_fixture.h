/* A facts document with one healthy VM (its public IP 20.51.230.13, private 10.0.0.4, NIC and
 * subnet NSG, source 203.0.113.7), and the means to break it. JSON is written with ' for ". */
#ifndef TESTS_NET_FIXTURE_H
#define TESTS_NET_FIXTURE_H

#include "facts/facts.h"

#define RG "/subscriptions/s1/resourceGroups/rg"
#define NET RG "/providers/Microsoft.Network"
#define VM_ID RG "/providers/Microsoft.Compute/virtualMachines/myVM"
#define NIC_ID NET "/networkInterfaces/myVM-nic"
#define PIP_ID NET "/publicIPAddresses/myVM-ip"
#define NSG_ID NET "/networkSecurityGroups/myVM-nsg"
#define SUBNET_NSG_ID NET "/networkSecurityGroups/subnet-nsg"
#define VNET_ID NET "/virtualNetworks/vnet"
#define SUBNET_ID VNET_ID "/subnets/default"
#define JIT_ID                                                                                     \
	RG "/providers/Microsoft.Security/locations/westeurope/jitNetworkAccessPolicies/default"
#define NOW "2026-01-01T12:00:00Z"

struct net {
	json_t *doc;
	struct facts facts;
};

json_t *net_json(const char *text);          /* aborts on bad JSON: a mistake in the test */
void net_merge(json_t *into, json_t *patch); /* as net_patch */
void net_start(struct net *net);
void net_end(struct net *net);
void net_put(struct net *net, const char *id, const char *json); /* the whole body */
void net_patch(struct net *net, const char *id,
	       const char *json);                 /* merges objects deeply; null takes away */
void net_remove(struct net *net, const char *id); /* as if nobody had asked */
void net_forbid(struct net *net, const char *id, const char *action); /* 403 */
void net_rules(struct net *net, const char *nsg_id,
	       const char *rules); /* array of the rules' properties with "name" in them */
void net_section(struct net *net, enum fact_section section, const char *json);
void net_asked(struct net *net, const char *json);

#endif
