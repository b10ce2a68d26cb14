/* The VM behind an address: its own public IP, a load balancer's, or a private one. */
#include "azure/arm/fetch.h"
#include "azure/read/search.h"
#include "facts/arm.h"
#include "model/prefix.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SUBSCRIPTIONS_MAX 50
#define ADDRESSES_MAX 8
#define RESOLVE_MS 3000

struct owner {
	struct azure *azure;
	char *host;
	json_t *addresses; /* the host itself, or what its name resolves to */
	json_int_t port;
	struct search_result result;
	json_t *followed; /* keys of what was fetched on the way */
	struct join join;
	void (*done)(void *ctx, const struct search_result *result);
	void *ctx;
};

struct hop {
	struct owner *owner;
	char *id, *via;
};

static void follow_part(struct owner *owner, const char *id);

static void
add_hit(struct owner *owner, const char *id)
{
	struct arm_id parsed;

	if (id != NULL && arm_id_parse(id, &parsed) == 0)
		search_add(owner->result.hits, id);
}

/* ---- from a part of something to the VM ---- */

/* Rules of the load balancer that lead from the frontend to VMs: the NAT rule of the port if there
 * is one, else every way in. */
static void
through_balancer(struct owner *owner, const json_t *balancer, const char *frontend)
{
	const json_t *rule, *pool, *member;
	size_t i, j;
	bool found = false;

	json_array_foreach (doc_list(balancer, "properties.inboundNatRules"), i, rule)
		if (arm_id_same(doc_str(rule, "properties.frontendIPConfiguration.id"), frontend) &&
		    doc_int(rule, "properties.frontendPort", -1) == owner->port) {
			follow_part(owner, doc_str(rule, "properties.backendIPConfiguration.id"));
			found = true;
		}
	if (found)
		return;
	json_array_foreach (doc_list(balancer, "properties.inboundNatRules"), i, rule)
		if (arm_id_same(doc_str(rule, "properties.frontendIPConfiguration.id"), frontend))
			follow_part(owner, doc_str(rule, "properties.backendIPConfiguration.id"));
	json_array_foreach (doc_list(balancer, "properties.backendAddressPools"), i, pool)
		json_array_foreach (doc_list(pool, "properties.backendIPConfigurations"), j, member)
			follow_part(owner, doc_str(member, "id"));
}

static void
hop_arrived(void *ctx)
{
	struct hop *hop = ctx;
	struct owner *owner = hop->owner;
	struct facts facts = { .doc = owner->azure->web.doc };
	const json_t *body, *why;
	char type[192] = "";

	arm_id_type(hop->id, type, sizeof(type));
	if (facts_resource(&facts, hop->id, &body, &why) == FACT_KNOWN &&
	    strcmp(type, "microsoft.network/networkinterfaces") == 0)
		add_hit(owner, doc_str(body, "properties.virtualMachine.id"));
	else if (body != NULL && strcmp(type, "microsoft.network/loadbalancers") == 0)
		through_balancer(owner, body, hop->via);
	else if (body == NULL)
		search_incomplete(&owner->result, why);
	free(hop->id);
	free(hop->via);
	free(hop);
	join_end(&owner->join);
}

/* An ipConfiguration or a frontend: what it is a part of leads on. Instances of scale sets say who
 * they are in their path. */
static void
follow_part(struct owner *owner, const char *id)
{
	char parent[ARM_ID_MAX], key[ARM_ID_MAX], type[192];
	const char *instance, *nics;
	struct hop *hop;

	if (id == NULL || arm_id_parent(id, parent, sizeof(parent)) < 0 ||
	    arm_id_type(parent, type, sizeof(type)) < 0)
		return;
	if ((instance = strcasestr(parent, "/virtualMachineScaleSets/")) != NULL &&
	    (nics = strcasestr(instance, "/networkInterfaces/")) != NULL) {
		parent[nics - parent] = '\0';
		add_hit(owner, parent);
		return;
	}
	if ((strcmp(type, "microsoft.network/networkinterfaces") != 0 &&
	     strcmp(type, "microsoft.network/loadbalancers") != 0) ||
	    arm_id_key(parent, key, sizeof(key)) < 0 ||
	    json_object_get(owner->followed, key) != NULL)
		return;
	json_object_set_new(owner->followed, key, json_true());
	hop = malloc(sizeof(*hop));
	*hop = (struct hop){ owner, strdup(parent), strdup(id) };
	join_add(&owner->join);
	fetch_resource(&owner->azure->fetches, parent, hop_arrived, hop);
}

/* ---- addresses ---- */

static bool
is_one(const struct owner *owner, const char *address)
{
	const json_t *one;
	size_t i;

	json_array_foreach (owner->addresses, i, one)
		if (doc_same(json_string_value(one), address))
			return true;
	return false;
}

static bool
address_fits(const struct owner *owner, const json_t *address)
{
	return is_one(owner, doc_str(address, "properties.ipAddress")) ||
	       doc_is(address, "properties.dnsSettings.fqdn", owner->host);
}

static void
look_at_address(void *ctx, const char *id, const json_t *body)
{
	struct owner *owner = ctx;

	(void)id;
	if (address_fits(owner, body))
		follow_part(owner, doc_str(body, "properties.ipConfiguration.id"));
}

static void
look_at_nic(void *ctx, const char *id, const json_t *body)
{
	struct owner *owner = ctx;
	const json_t *config;
	size_t i;

	(void)id;
	json_array_foreach (doc_list(body, "properties.ipConfigurations"), i, config)
		if (is_one(owner, doc_str(config, "properties.privateIPAddress")))
			add_hit(owner, doc_str(body, "properties.virtualMachine.id"));
}

struct look {
	struct owner *owner;
	char *path;
};

static void
look_listed(void *ctx)
{
	struct look *look = ctx;
	struct owner *owner = look->owner;
	const json_t *state = list_state(&owner->azure->fetches, look->path);

	if (!doc_is(state, "state", "known"))
		search_incomplete(&owner->result, state);
	free(look->path);
	free(look);
	join_end(&owner->join);
}

/* The first address decides: a name has private ones or public ones. */
static bool
is_private(const struct owner *owner)
{
	const char *first = json_string_value(json_array_get(owner->addresses, 0));

	return ip_text_is(first, IP_PRIVATE);
}

static void
look_in_subscription(void *ctx, const char *id, const json_t *body)
{
	struct owner *owner = ctx;
	const char *name = doc_str(body, "subscriptionId");
	bool private = is_private(owner);
	struct look *look;

	(void)id;
	if (name == NULL || json_array_size(owner->result.searched) >= SUBSCRIPTIONS_MAX)
		return;
	doc_append_str(owner->result.searched, name);
	look = malloc(sizeof(*look));
	*look =
	    (struct look){ owner, doc_fmt("/subscriptions/%s/providers/Microsoft.Network/%s", name,
					  private ? "networkInterfaces" : "publicIPAddresses") };
	join_add(&owner->join);
	list_visit(&owner->azure->fetches, look->path, false,
		   private ? look_at_nic : look_at_address, owner, look_listed, look);
}

/* ---- the way ---- */

static void
owner_end(void *ctx)
{
	struct owner *owner = ctx;

	owner->done(owner->ctx, &owner->result);
	search_result_free(&owner->result);
	json_decref(owner->followed);
	json_decref(owner->addresses);
	free(owner->host);
	free(owner);
}

/* Resource Graph has answered, and the subscriptions are known: without a hit they are listed. */
static void
graph_done(void *ctx)
{
	struct owner *owner = ctx;

	join_begin(&owner->join, owner_end, owner);
	if (json_array_size(owner->result.hits) == 0)
		list_each(&owner->azure->fetches, "/subscriptions", look_in_subscription, owner);
	join_end(&owner->join);
}

static void
graph_answered(void *ctx, const struct arm_answer *answer)
{
	struct owner *owner = ctx;
	const json_t *row;
	size_t i;

	json_array_foreach (answer->body, i, row) {
		if (doc_str(row, "vm") != NULL)
			add_hit(owner, doc_str(row, "vm"));
		else
			follow_part(owner, doc_str(row, "config"));
	}
	join_end(&owner->join);
}

/* "'a', 'b'": the addresses as a list in a query. Each has been read as an address, so nothing else
 * can stand in it. */
static char *
address_list(const struct owner *owner)
{
	char *list = strdup(""), *longer;
	const json_t *one;
	size_t i;

	json_array_foreach (owner->addresses, i, one) {
		longer = doc_fmt("%s%s'%s'", list, i > 0 ? ", " : "", json_string_value(one));
		free(list);
		list = longer;
	}
	return list;
}

static char *
owner_query(const struct owner *owner)
{
	char *list = address_list(owner), *query;

	if (is_private(owner))
		query = doc_fmt("Resources | where type =~ 'microsoft.network/networkinterfaces' | "
				"mv-expand ip = "
				"properties.ipConfigurations | where "
				"ip.properties.privateIPAddress in (%s) | project id, vm = "
				"tostring(properties.virtualMachine.id)",
				list);
	else if (json_array_size(owner->addresses) > 0)
		query = doc_fmt("Resources | where type =~ 'microsoft.network/publicipaddresses' "
				"and (properties.ipAddress in (%s) or "
				"properties.dnsSettings.fqdn =~ '%s') | project id, config = "
				"tostring(properties.ipConfiguration.id)",
				list, owner->host);
	else
		query = doc_fmt("Resources | where type =~ 'microsoft.network/publicipaddresses' "
				"and properties.dnsSettings.fqdn =~ '%s' | "
				"project id, config = tostring(properties.ipConfiguration.id)",
				owner->host);
	free(list);
	return query;
}

static bool
host_plain(const char *host)
{
	return host[strspn(host,
			   "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:-")] ==
		   '\0' &&
	       strlen(host) <= 253;
}

static void
owner_begin(struct owner *owner)
{
	char *query = owner_query(owner);

	join_begin(&owner->join, graph_done, owner);
	join_add(&owner->join);
	graph_ask(&owner->azure->arm, query, graph_answered, owner);
	free(query);
	list_fetch(&owner->azure->fetches, "/subscriptions", false, join_end,
		   join_add(&owner->join));
	join_end(&owner->join);
}

/* One address a line. A resolver that fails leaves the name itself to be looked for. */
static void
resolved(void *ctx, const struct child_reply *reply)
{
	struct owner *owner = ctx;
	char *copy = strdup(reply->error == 0 && reply->status == 0 ? reply->out : ""),
	     *rest = copy, *line;

	while (rest != NULL && (line = strsep(&rest, "\n")) != NULL &&
	       json_array_size(owner->addresses) < ADDRESSES_MAX)
		if (ip_is_text(line))
			doc_append_str(owner->addresses, line);
	free(copy);
	owner_begin(owner);
}

void
search_owner(struct azure *azure, const char *host, const char *resolver,
	     void (*done)(void *ctx, const struct search_result *result), void *ctx)
{
	const char *argv[] = { resolver, "--resolve-for-probe", host, NULL };
	struct owner *owner = malloc(sizeof(*owner));

	*owner = (struct owner){ .azure = azure,
				 .host = strdup(host),
				 .port = doc_int(azure->web.doc, "asked.port", 22),
				 .followed = json_object(),
				 .addresses = json_array(),
				 .done = done,
				 .ctx = ctx };
	search_result_begin(&owner->result);
	if (!host_plain(host)) {
		owner_end(owner);
		return;
	}
	if (ip_is_text(host))
		doc_append_str(owner->addresses, host);
	else if (resolver != NULL &&
		 loop_child(azure->web.loop,
			    &(struct child_request){ .argv = argv, .timeout_ms = RESOLVE_MS },
			    resolved, owner) == 0)
		return;
	owner_begin(owner);
}
