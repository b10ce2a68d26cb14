/* What the checks of Azure's network share: the VM's paths, its ways in, the one in use, and the
 * flow that a security rule would see. Pure, as the checks are. */
#ifndef CHECKS_INBOUND_H
#define CHECKS_INBOUND_H

#include "model/address.h"
#include "checks/finding.h"
#include "model/nsg/nsg.h"

struct inbound {
	struct network network;
	struct address *ways;
	size_t way_count;
	const struct address *way;   /* in use; NULL when there is none */
	const struct net_path *path; /* its path, or the primary one; NULL when no NIC arrived */
	bool foreign;    /* a literal host was asked for that is none of the VM's addresses */
	bool by_bastion; /* no direct way, but a Bastion reaches the VNet */
	struct bastion bastion;
	bool has_front; /* a public address or load balancer stands in front */
	const char *front_sku;
	struct nsg_flow flow;
	bool source_known;   /* flow.source is one address */
	bool source_likely;  /* it was taken from the sign-in */
	bool source_private; /* the one given is private, which no public address ever sees */
	char source_text[IP_TEXT_MAX]; /* "" when not known */
};

/* For scene.c, from the scene's sections and what the wire has shown. 0, -ENOENT when neither the
 * VM nor its NICs are known (then only flow.port is set). */
struct scene;
int inbound_make(const struct scene *scene, struct inbound *ret);
void inbound_free(struct inbound *in);

/* What the security rules say of another flow on the way in use (its path is not NULL); owned by
 * the caller. */
void inbound_judge(const struct scene *scene, const struct nsg_flow *flow,
		   struct nsg_judgement *ret);

/* What they say of the health probe of the load balancing rule in use, which comes from an address
 * of Azure's own (tag AzureLoadBalancer); owned by the caller. */
#define INBOUND_PROBES_FROM "168.63.129.16"
void inbound_judge_probe(const struct scene *scene, struct nsg_judgement *ret);

/* The same flow with every address the source might be; owned by the caller (ip_set_free of its
 * source). */
struct nsg_flow inbound_any_source(const struct inbound *in);

/* The answers to the client take a route that loses them, which explains silence by itself. */
bool route_loses_answers(const struct scene *scene);

/* The network whose gateway may hand out the route that the answers take, which only the effective
 * routes (--deep) tell; NULL when none may. */
const char *route_by_gateway(const struct scene *scene);

/* Why the host asked for is none of the VM's addresses: a public IP taken off it, an address it had
 * before it was restarted, a firewall that does not forward, or somebody else's. Returns as
 * finding_set. */
int inbound_foreign(const struct scene *scene, struct finding *finding);

/* Why no way from the Internet leads to the VM. Returns as finding_set. */
int inbound_none(const struct scene *scene, struct finding *finding);

/* Does the Bastion that is the way in (by_bastion) take you to the VM? Returns as finding_set. */
int bastion_judge(const struct scene *scene, struct finding *finding);

/* The way in use leads through a load balancer or a firewall: the connection goes past it, or what
 * is forwarded is not answered (silent: everything else lets us in and nothing comes back). 0 when
 * nothing is wrong with it, else as finding_set. */
int front_end_judge(const struct scene *scene, bool silent, struct finding *finding);

/* The public address is that of a further interface or of a further address of one, and nothing
 * comes back. 0 when it is the first one's, else as finding_set. */
int second_nic_judge(const struct scene *scene, struct finding *finding);

/* The connection goes to a host and port in front of the VM that do not lead to it, while the way
 * in use would. Returns as finding_set. */
int front_end_mismatch(const struct scene *scene, const char *host, struct finding *finding);

/* Sets the globals way_bastion, way_bastion_group (native clients), way_browser, way_shell,
 * way_powershell (Run Command) and way_console for those that exist. */
void inbound_ways(const struct scene *scene, json_t *globals);

/* The address that we connect from, as far as it can be the one that Azure sees; borrowed, NULL
 * when it is not known. */
const char *inbound_source(const struct scene *scene);

/* Adds nic, ip_config, subnet, vnet, destination and their groups as evidence. */
void inbound_evidence(const struct inbound *in, struct finding *finding);

/* UNKNOWN with the name of what did not arrive, and the Azure action that reading it needs; returns
 * 0. */
int finding_missing(struct finding *finding, enum code code, const char *what,
		    const struct net_ref *ref);

/* Sets UNKNOWN, and returns true, when no path to the VM is known: the VM or its network interface
 * did not arrive. */
bool inbound_missing(const struct scene *scene, enum code code, struct finding *finding);

/* The words after -g of an az command about a resource: its group, and its subscription where that
 * is not the VM's. Nothing when the id is NULL. */
json_t *inbound_place(const struct inbound *in, const char *id);
void finding_place(struct finding *finding, const char *key, const char *id,
		   const struct inbound *in);

/* The name of a resource and its group as two keys of evidence ("nsg", "nsg_group"). */
void finding_resource(struct finding *finding, const char *key, const char *group_key,
		      const char *id);

#endif
