/* The ways in: which address and port reach the VM, from its own public address, a load balancer, a
 * firewall, a Bastion, or privately. Strings are borrowed from the facts. */
#ifndef MODEL_ADDRESS_H
#define MODEL_ADDRESS_H

#include "model/network.h"

enum address_kind {
	ADDRESS_PUBLIC_IP,
	ADDRESS_NAT_RULE,
	ADDRESS_FIREWALL_DNAT,
	ADDRESS_LB_RULE,
	ADDRESS_BASTION,
	ADDRESS_PRIVATE,
	ADDRESS_NONE,
};

struct address {
	enum address_kind kind;
	char host[IP_TEXT_MAX]; /* what to connect to; "" for Bastion and none */
	int port;               /* there; 0 when it cannot be told (a member of a pool NAT rule) */
	int backend_port;       /* where it arrives at the VM */
	size_t path;            /* index into the network's paths */
	const char *name;       /* of the public IP, NAT rule, firewall or Bastion */
	const char *id;         /* its ARM id */
	const char *
	    sku; /* of the public IP or load balancer: decides whether it is open without any NSG */
	const char *allocation; /* Static, Dynamic */
	const char *fqdn;       /* DNS label of the public IP */
	bool internal;          /* a load balancer with a private front end only */
	bool depends;           /* its rule is for certain sources, and ours may be among them */
	bool floating;          /* its rule leaves the front end's address as the destination */
	const char *probe;      /* name of the health probe of a load balancing rule; NULL: none */
	const char *probe_word; /* "TCP", "HTTP", "HTTPS" */
	int probe_port;         /* at the VM; 0 when there is none */
};

const char *address_kind_word(enum address_kind kind);

/* Every way in, the best first: own public IP (of the family of the source address, when that is
 * known), NAT rule, DNAT, load balancing rule, private address. The caller frees *ret.
 * Public IPs without an address are left out. */
void address_list(const struct facts *facts, const struct network *network, struct address **ret,
		  size_t *count);

/* The address to probe, to settle the ADDRESS section with: 0; -ENOENT when the VM has none, only a
 * private one while a Bastion is the way in, or nothing is known of its network. */
int address_choose(const struct facts *facts, struct address *ret);

/* The way that the conversation takes: by the address that was connected to, or the host that was
 * asked for when it is literal, else the best one. NULL when there is none. *foreign becomes true
 * when a literal address was asked for that is none of the VM's. */
const struct address *address_in_use(const struct facts *facts, const struct address *list,
				     size_t count, bool *foreign);

/* The port ssh connects to: -p, what ssh -G says, else 22; *given: somebody chose it. */
int address_ssh_port(const struct facts *facts, bool *given);

/* The host asked for (--host, or the host name that ssh_config gives), NULL when none was; only
 * literal addresses with `ip`. */
const char *address_asked_host(const struct facts *facts);

/* true when the way leads through a jump host or a proxy command: its address, not ours, is the
 * source. */
bool address_by_proxy(const struct facts *facts);

/* That jump host or command, NULL when there is none. Borrowed. */
const char *address_proxy(const struct facts *facts);

/* ---- Bastion ---- */

struct bastion {
	const char *id, *name, *sku;
	const char *state;      /* provisioning state, as ARM says it; NULL when it does not */
	bool ready;             /* it is set up, as far as is known */
	bool tunneling;         /* native clients allowed: Standard or Premium, and enabled */
	bool private_only;      /* it has no public address: only private networks reach it */
	bool peered;            /* stands in a peered VNet */
	bool cut_off;           /* that peering does not work: see `peering` */
	struct peering peering; /* the half of it that does not */
	bool far_half;          /* that half is the one of the Bastion's own VNet */
	bool usable;            /* a native client gets through it, as far as ARM says */
	struct ip_range subnet; /* where its connections come from */
	bool subnet_known;
	struct net_ref nsg; /* of its subnet; the subnet itself when that did not arrive */
	const json_t *vnet; /* body of the VNet it stands in, NULL when not known */
};

/* A Bastion that reaches this path's VNet, or would if the peering between them worked; a usable
 * one first. false when there is none among the facts. */
bool bastion_for(const struct facts *facts, const struct net_path *path, struct bastion *ret);

/* true when all Bastions of the subscription were listed, so that none found means none. */
bool bastion_list_known(const struct facts *facts, const struct net_path *path);

/* ---- Azure Firewall ---- */

enum dnat_source { DNAT_FOR_US, DNAT_DEPENDS, DNAT_FOR_OTHERS };

struct dnat {
	const char *rule, *firewall_id, *firewall;
	const char *address;    /* the firewall's public address */
	const char *source;     /* the first one that the rule is for, NULL when it says none */
	enum dnat_source takes; /* is it for the source that we come from? */
	int port;
};

/* Where somebody connects to, of the addresses and ports that one rule may have. */
struct dnat_wish {
	const char *host; /* NULL when none was asked for */
	int port;
};

/* A TCP DNAT rule, of a firewall itself or of its policy, that leads to this private address and
 * port, one for us first; false when there is none among the facts. */
bool firewall_dnat_for(const struct facts *facts, const struct net_path *path, int backend_port,
		       const struct dnat_wish *wish, struct dnat *ret);

struct firewall {
	const char *id;
	const char *address; /* its first public one, NULL when it has none */
	const char *policy;  /* id of the policy that holds its rules; NULL for classic ones */
	const char *subnet;  /* id of its own subnet; NULL in a virtual hub */
	const char *hub;     /* id of its virtual hub, NULL when it stands in a virtual network */
};

/* The firewall that has this public or private address; false when none has. */
bool firewall_by_address(const struct facts *facts, const char *address, struct firewall *ret);

/* A firewall in reach of the path whose rules were not all read: `buf` comes to hold the id of what
 * is missing. false when all were. */
bool firewall_unread(const struct facts *facts, const struct net_path *path, char *buf,
		     size_t size);

/* ---- load balancer ---- */

/* The NAT or load balancing rules that lead to the path, appended to the list: room for `room`
 * entries; returns how many there are. */
size_t balancer_ways(const struct facts *facts, const struct net_path *path, size_t index,
		     int ssh_port, bool given, struct address *list, size_t room);

/* The first of the path's load balancers, or of the public IPs on their front ends, that was not
 * read; FACT_ABSENT when all were. `buf` may come to hold the id. */
struct net_ref balancer_unread(const struct facts *facts, const struct net_path *path, char *buf,
			       size_t size);

/* The id of a load balancer whose pool the path is in, or that refers to it; NULL when there is
 * none. The caller frees. */
char *balancer_of(const struct facts *facts, const struct net_path *path);

/* A NAT rule of the balancer for SSH that has no target; false when there is none. */
bool balancer_idle_rule(const struct facts *facts, const char *id, int ssh_port,
			struct address *ret);

/* For a new NAT rule: a front end port that no rule uses, and the name of a front end with a public
 * address; NULL when there is none. */
int balancer_free_port(const struct facts *facts, const char *id);
const char *balancer_public_front(const struct facts *facts, const char *id);

#endif
