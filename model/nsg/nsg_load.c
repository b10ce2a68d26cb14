#include "model/nsg/nsg.h"
#include "facts/arm.h"
#include "model/nsg/nsg_rule.h"

#include <stdint.h>
#include <stdlib.h>

static void
add_rule(struct nsg *nsg, const char *name, const json_t *properties)
{
	nsg->count += nsg_rule_read(name, properties, false, &nsg->rules[nsg->count]);
}

/* What Azure adds to every group; a body that leaves them out means them all the same. */
static const struct built_in {
	const char *name, *source, *destination;
	int priority;
	enum nsg_access access;
} built_in_outbound[] = {
	{ "AllowVnetOutBound", "VirtualNetwork", "VirtualNetwork", 65000, NSG_ACCESS_ALLOW },
	{ "AllowInternetOutBound", "*", "Internet", 65001, NSG_ACCESS_ALLOW },
	{ "DenyAllOutBound", "*", "*", 65500, NSG_ACCESS_DENY },
}, built_in_inbound[] = {
	{ "AllowVnetInBound", "VirtualNetwork", "VirtualNetwork", 65000, NSG_ACCESS_ALLOW },
	{ "AllowAzureLoadBalancerInBound", "AzureLoadBalancer", "*", 65001, NSG_ACCESS_ALLOW },
	{ "DenyAllInBound", "*", "*", 65500, NSG_ACCESS_DENY },
};

#define BUILT_IN_COUNT (sizeof(built_in_inbound) / sizeof(*built_in_inbound))

static void
add_built_in(struct nsg *nsg, const struct built_in *built_in)
{
	struct nsg_rule *rule = &nsg->rules[nsg->count];

	for (size_t k = 0; k < nsg->count; k++)
		if (nsg->rules[k].priority == built_in->priority)
			return;
	nsg->count++;
	*rule = (struct nsg_rule){ .name = built_in->name,
				   .priority = built_in->priority,
				   .access = built_in->access,
				   .protocol = NSG_PROTOCOL_ANY,
				   .protocol_text = "*",
				   .is_default = true };
	nsg_rule_fill(rule, built_in->source, built_in->destination);
}

static int
by_priority(const void *a, const void *b)
{
	const struct nsg_rule *x = a, *y = b;

	return x->priority < y->priority ? -1 : x->priority > y->priority;
}

static void
sort_rules(struct nsg *nsg)
{
	qsort(nsg->rules, nsg->count, sizeof(*nsg->rules), by_priority);
	for (size_t i = 0, end; i < nsg->count; i = end) {
		bool mixed = false;

		for (end = i + 1;
		     end < nsg->count && nsg->rules[end].priority == nsg->rules[i].priority; end++)
			mixed |= nsg->rules[end].access != nsg->rules[i].access;
		for (size_t k = i; mixed && k < end; k++)
			nsg->rules[k].twin = true;
	}
}

static void
add_list(struct nsg *nsg, const json_t *list, bool outbound)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (list, i, entry) {
		const char *name = doc_str(entry, "name");

		nsg->count +=
		    nsg_rule_read(name != NULL ? name : arm_id_name(doc_str(entry, "id")),
				  doc_get(entry, "properties"), outbound, &nsg->rules[nsg->count]);
	}
}

static void
load_body(const json_t *body, bool outbound, struct nsg *ret)
{
	const json_t *custom = doc_get(body, "properties.securityRules"),
		     *defaults = doc_get(body, "properties.defaultSecurityRules");
	struct nsg nsg = { .id = doc_str(body, "id"), .name = doc_str(body, "name") };

	if (nsg.name == NULL)
		nsg.name = arm_id_name(nsg.id);
	if (!json_is_array(custom)) /* ARM says [] for none */
		nsg.bad = "properties.securityRules";
	else if (defaults != NULL && !json_is_array(defaults))
		nsg.bad = "properties.defaultSecurityRules";
	nsg.rules = calloc(json_array_size(custom) + json_array_size(defaults) + BUILT_IN_COUNT,
			   sizeof(*nsg.rules));
	add_list(&nsg, custom, outbound);
	add_list(&nsg, defaults, outbound);
	for (size_t i = 0; i < BUILT_IN_COUNT; i++)
		add_built_in(&nsg, outbound ? &built_in_outbound[i] : &built_in_inbound[i]);
	sort_rules(&nsg);
	*ret = nsg;
}

void
nsg_from_body(const json_t *body, struct nsg *ret)
{
	load_body(body, false, ret);
}

void
nsg_outbound_from_body(const json_t *body, struct nsg *ret)
{
	load_body(body, true, ret);
}

/* The prefixes of a side of an admin rule, a list of {addressPrefixType, addressPrefix}; no list,
 * or an empty one, is no restriction. A new reference. */
static json_t *
admin_prefixes(const json_t *side)
{
	json_t *list = json_array(), *prefix;
	const json_t *entry;
	size_t i;

	if (side != NULL && !json_is_array(side))
		json_array_append_new(list, json_null());
	json_array_foreach (side, i, entry) {
		prefix = json_object_get(entry, "addressPrefix");
		json_array_append_new(list, prefix != NULL ? json_incref(prefix) : json_null());
	}
	if (json_array_size(list) == 0)
		json_array_append_new(list, json_string("*"));
	return list;
}

/* Admin rules in the shape of the others; a new reference. */
static json_t *
flatten_admin(const json_t *properties)
{
	json_t *flat = json_copy((json_t *)(uintptr_t)properties);

	json_object_set_new(flat, "sourceAddressPrefixes",
			    admin_prefixes(doc_get(properties, "sources")));
	json_object_set_new(flat, "destinationAddressPrefixes",
			    admin_prefixes(doc_get(properties, "destinations")));
	return flat;
}

void
nsg_from_admin(const json_t *body, struct nsg *ret)
{
	const json_t *list = doc_list(body, "value"), *entry;
	struct nsg nsg = { .id = "", .name = "security admin rules" };
	size_t i;

	if (list == NULL)
		nsg.bad = "value";
	nsg.rules = calloc(json_array_size(list) + 1, sizeof(*nsg.rules));
	json_array_foreach (list, i, entry) {
		const json_t *properties = doc_get(entry, "properties");
		json_t *flat = json_is_object(properties) ? flatten_admin(properties) : json_null();

		add_rule(&nsg, arm_id_name(doc_str(entry, "id")), flat);
		json_decref(flat); /* the strings in it are shared with the body and live on */
	}
	sort_rules(&nsg);
	*ret = nsg;
}

void
nsg_from_effective(const json_t *entry, struct nsg *ret)
{
	const json_t *list = doc_list(entry, "effectiveSecurityRules"), *rule;
	struct nsg nsg = { .id = doc_str(entry, "networkSecurityGroup.id") };
	size_t i;

	nsg.name = arm_id_name(nsg.id);
	if (list == NULL)
		nsg.bad = "effectiveSecurityRules";
	nsg.rules = calloc(json_array_size(list) + 1, sizeof(*nsg.rules));
	json_array_foreach (list, i, rule)
		add_rule(&nsg, arm_id_name(doc_str(rule, "name")), rule);
	sort_rules(&nsg);
	*ret = nsg;
}

void
nsg_free(struct nsg *nsg)
{
	for (size_t i = 0; i < nsg->count; i++)
		nsg_rule_free(&nsg->rules[i]);
	free(nsg->rules);
	*nsg = (struct nsg){ 0 };
}

enum fact_maybe
nsg_has_rule(const struct facts *facts, const char *id, const char *name)
{
	const json_t *body, *rule;
	size_t i;

	if (facts_resource(facts, id, &body, NULL) != FACT_KNOWN)
		return FACT_MAYBE;
	json_array_foreach (doc_list(body, "properties.securityRules"), i, rule)
		if (doc_is(rule, "name", name))
			return FACT_YES;
	return FACT_NO;
}
