/* Security rules: reading them, matching a flow against them, judging a VM's whole inbound way
 * (admin rules, the subnet's group, the NIC's group), and what would mend it. Three-valued
 * throughout: what is not known, or makes no sense, never counts as a match nor as none, and ends
 * in "depends" or "unknown" with its name.
 *
 * nsg_parse.c reads one rule, nsg_load.c a group of them, nsg_match.c matches one rule,
 * nsg_evaluate.c one list of rules, nsg_judge.c all gates of a path, nsg_near.c finds the allow
 * rule that nearly fits, nsg_remedy.c the rule that would admit the flow, nsg_tags.c the service
 * tags, nsg_words.c puts steps and verdicts into words. */
#ifndef MODEL_NSG_H
#define MODEL_NSG_H

#include "model/network.h"
#include "model/prefix.h"

enum nsg_access { NSG_ACCESS_ALLOW, NSG_ACCESS_DENY, NSG_ACCESS_ALWAYS, NSG_ACCESS_UNKNOWN };
enum nsg_match { NSG_NO, NSG_MAYBE, NSG_YES };

#define NSG_PROTOCOL_ANY (-1)
#define NSG_PROTOCOL_BAD (-2)

struct nsg_ports {
	struct port_range {
		unsigned from, to;
	} * list;
	size_t count;
	const char *bad;  /* name of the field that makes no sense, NULL for none */
	const char *text; /* as the rule says it (the first of several) */
};

/* IPv4 prefixes stand in 8 bytes each: there may be millions of them, and reading memory is what
 * takes the time. */
struct nsg_side {
	struct range4 {
		uint32_t from, to;
	} * v4;
	size_t v4_count;
	struct range4 hull;    /* from the lowest to the highest of them: most flows lie outside */
	bool sorted;           /* they ascend and do not overlap, as lists often do */
	struct ip_range *list; /* what is not IPv4 only */
	size_t count;
	const char **tags; /* service tags, as text */
	size_t tag_count;
	const json_t *asgs; /* array of {"id"} */
	const char *bad, *text;
};

struct nsg_rule {
	const char *name, *description;
	int priority; /* -1 when missing or nonsense */
	enum nsg_access access;
	int protocol; /* IANA number or one of the above */
	const char *protocol_text;
	struct nsg_side source, destination;
	struct nsg_ports source_ports, destination_ports;
	const char
	    *bad; /* direction, priority, access or protocol when one of them makes no sense */
	bool is_default, is_jit;
	bool twin; /* shares its priority with another rule of the other access */
};

/* One security group (or list of admin rules): the rules of one direction, in order of priority. */
struct nsg {
	const char *id, *name;
	struct nsg_rule *rules;
	size_t count;
	const char *bad; /* field that is missing or no list: nothing can be said */
};

/* Strings are borrowed from the body, which must outlive the view. */
void nsg_from_body(const json_t *body, struct nsg *ret);
void nsg_outbound_from_body(const json_t *body, struct nsg *ret); /* its outbound rules instead */
void nsg_from_admin(const json_t *body,
		    struct nsg *ret); /* reply of listNetworkManagerEffectiveSecurityAdminRules */
void nsg_from_effective(const json_t *entry,
			struct nsg *ret); /* one value[] of effectiveNetworkSecurityGroups */
void nsg_free(struct nsg *nsg);

/* Does the group with that id have a rule of that name? FACT_MAYBE when it did not arrive. */
enum fact_maybe nsg_has_rule(const struct facts *facts, const char *id, const char *name);

/* The ranges of a side, both kinds. */
size_t nsg_side_size(const struct nsg_side *side);
struct ip_range nsg_side_at(const struct nsg_side *side, size_t i);

/* YES: one of its ranges covers this one; MAYBE: some meet it; tags and groups are not asked. */
enum nsg_match nsg_side_meets(const struct nsg_side *side, const struct ip_range *range);

/* What service tags mean here. */
struct nsg_tags {
	const json_t *table;  /* {"values": [{name, properties.addressPrefixes}]} of the service tag
				 list, NULL when not read */
	const json_t *vnet;   /* the VNet's body, NULL when not known */
	const json_t *routes; /* the subnet's route table body, NULL for none */
};

/* The service tag list of a location, as seen by the subscription of an ARM id, when it was read;
 * else NULL. */
const json_t *nsg_tag_table(const struct facts *facts, const char *id, const char *location);

/* Is the address range in the tag? private_path: the flow comes by a private address. *added (may
 * be NULL) gets the tag's ranges. */
enum nsg_match nsg_tag_has(const struct nsg_tags *tags, const char *tag,
			   const struct ip_range *range, bool private_path);

struct nsg_flow {
	int protocol; /* 6 for TCP */
	struct ip_set
	    source; /* one address, or every address it may be; owned by whoever made the flow */
	bool private_path; /* it reaches the private address directly (VNet, peering, VPN, Bastion)
			    */
	struct ip destination; /* the private address */
	bool destination_known;
	const json_t *asgs; /* application security groups of the destination */
	bool asgs_bad;      /* its list of them makes no sense */
	unsigned port;      /* at the VM: behind a load balancer the backend port */
	struct nsg_tags tags;
};

/* Why a rule matches or not; `field` names what does not fit or makes no sense. */
struct nsg_step {
	const struct nsg_rule *rule;
	enum nsg_match match;
	const char *field; /* "protocol", "destinationPortRange", "sourceAddressPrefix", ...; NULL
			      for a plain match */
	bool nonsense;     /* MAYBE because the field makes no sense */
};

struct nsg_result {
	bool can_allow, can_deny,
	    can_always;                 /* what may become of the flow; exactly one set: certain */
	const struct nsg_rule *decider; /* the rule that settles it (NULL: no rule matched) */
	const struct nsg_rule *other;   /* a rule that may settle it the other way */
	const char
	    *unknown_field; /* what makes no sense or is missing, when it matters; else NULL */
	const struct nsg_rule *unknown_rule;
	const char *unknown_tag; /* a tag or group that could not be resolved, when it matters */
	struct ip_set allowed;   /* the part of the source that is allowed for certain */
	bool exact;              /* `allowed` is all that may be allowed */
	bool open;               /* some of the source is settled by no rule */
	struct nsg_step *steps;  /* every rule looked at, in order */
	size_t step_count;
};

/* Does one rule match, but for its source's addresses? */
struct nsg_step nsg_match_rule(const struct nsg_rule *rule, const struct nsg_flow *flow);

/* Is this range of sources in the rule's source? (NSG_MAYBE: *tag names the unresolved tag or
 * *nonsense is set.) */
enum nsg_match nsg_match_source(const struct nsg_rule *rule, const struct nsg_flow *flow,
				const struct ip_range *range, const char **tag, bool *nonsense);

void nsg_evaluate(const struct nsg *nsg, const struct nsg_flow *flow, struct nsg_result *ret);
void nsg_result_free(struct nsg_result *result);

/* "130 rule1 (allow): destinationPortRange 80 does not match", for the trace; the caller frees. */
char *nsg_step_words(const struct nsg_step *step);

/* ---- the whole way ---- */

enum nsg_verdict { NSG_ALLOW, NSG_DENY, NSG_DEPENDS, NSG_UNKNOWN };
enum nsg_scope { NSG_SCOPE_ADMIN, NSG_SCOPE_SUBNET, NSG_SCOPE_NIC };

struct nsg_gate {
	enum nsg_scope scope;
	struct net_ref ref; /* ABSENT: there is no group here */
	const json_t
	    *effective; /* its entry of the effective rules, NULL when judged by its own body */
	struct nsg nsg;
	struct nsg_result result;
};

struct nsg_judgement {
	enum nsg_verdict verdict;
	struct nsg_gate gates[3];        /* admin, subnet, nic */
	const struct nsg_gate *deciding; /* NULL when no gate decided (no group anywhere) */
	const struct nsg_gate *also;     /* a further gate that denies for certain */
	bool closed;                     /* no group at all and a Standard address: denied */
	const char *unknown; /* what is not known: a field's name, "sku.name", or NULL when a gate's
				ref says why */
	bool admin_unread;   /* admin rules may exist, reading them was refused */
};

/* `sku` is that of the public address or load balancer in front (NULL: private path, nothing in
 * front). Subnet and NIC may name the same group. The judgement refers to itself: it
 * must not be copied. */
void nsg_judge(const struct facts *facts, const struct net_path *path, const struct nsg_flow *flow,
	       bool has_front, const char *sku, struct nsg_judgement *ret);

/* The same by the effective rules of the NIC (--deep), in which tags, groups and admin rules are
 * expanded; false when they were not read, or do not say what they belong to. */
bool nsg_judge_effective(const struct facts *facts, const struct net_path *path,
			 const struct nsg_flow *flow, bool has_front, const char *sku,
			 struct nsg_judgement *ret);
void nsg_judgement_free(struct nsg_judgement *judgement);

bool nsg_is_definite(const struct nsg_judgement *judgement); /* allow or deny */
const char *nsg_verdict_word(enum nsg_verdict verdict); /* "allow", "deny", "depends", "unknown" */
const char *nsg_scope_word(enum nsg_scope scope);

/* A field of a gate's rule as the group's body has it: "sourceAddressPrefix is \"300.1.2.3\"". The
 * caller frees. */
char *nsg_field_words(const struct nsg_gate *gate, const struct nsg_rule *rule, const char *field);

/* The network manager whose admin rule decides, NULL when it is not known. The caller frees. */
char *nsg_manager_name(const struct nsg_gate *gate);

/* What IP flow verify (--deep) said: the answer, and the flow that it was asked about. */
struct nsg_verified {
	const char *access, *rule;  /* "Allow", "Deny"; NULL when there is no answer */
	const char *remote, *local; /* addresses */
	unsigned port;              /* at the VM */
	const json_t *why;          /* a fact_missing when it was not asked or refused, else NULL */
};

/* false when neither an answer nor a reason is known. */
bool nsg_verified(const struct facts *facts, const struct net_path *path, struct nsg_verified *ret);

/* The condition of a verdict that depends, or denies: "allowed from 10.0.0.0/8 and VirtualNetwork
 * only"; `all` tells also the sources that this flow does not have for certain. The caller frees,
 * NULL when there is none. */
char *nsg_condition(const struct nsg_judgement *judgement, bool all);

/* The deciding rule's source as text ("*" when it has several, their list shortened); the caller
 * frees. */
char *nsg_source_text(const struct nsg_rule *rule);

/* ---- near misses and the remedy ---- */

enum nsg_near_kind {
	NSG_NEAR_NONE,
	NSG_NEAR_SHADOWED,
	NSG_NEAR_PROTOCOL,
	NSG_NEAR_ASG,
	NSG_NEAR_SOURCE,
	NSG_NEAR_TAG,
	NSG_NEAR_SOURCE_PORT,
	NSG_NEAR_DESTINATION,
	NSG_NEAR_PORT,
};

struct nsg_near {
	enum nsg_near_kind kind;
	const struct nsg_rule *rule;
};

/* The allow rule that comes nearest in a gate that denies: fully matching but behind the deny
 * (shadowed), or wrong in exactly one respect and standing before it. */
struct nsg_near nsg_near_miss(const struct nsg_gate *gate, const struct nsg_flow *flow);

/* A free priority before the deciding deny (300 when it serves), and a name not taken
 * ("allow-ssh-me"); 0 when there is none. */
int nsg_free_priority(const struct nsg_gate *gate);
/* The same behind a rule: where a deny could go so that the rule is asked first (4000 when it
 * serves); 0 when there is none. */
int nsg_free_behind(const struct nsg_gate *gate, const struct nsg_rule *rule);
void nsg_free_name(const struct nsg_gate *gate, char *ret, size_t size);

#endif
