/* The VM behind an address: its own public IP, a load balancer's, or a private one. */
#include "azure/inside.h"
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
	unsigned pending;
	bool graph_ended, subscriptions_ended, listing;
	void (*done)(void *ctx, const struct search_result *result);
	void *ctx;
};

struct hop {
	struct owner *owner;
	char *id, *via;
};

static void owner_drop(struct owner *owner);
static void follow_part(struct owner *owner, const char *id);

static void
add_hit(struct owner *owner, const char *id)
{
	const json_t *hit;
	struct arm_id parsed;
	size_t i;

	if (arm_id_parse(id, &parsed) < 0)
		return;
	json_array_foreach (owner->result.hits, i, hit)
		if (arm_id_same(json_string_value(hit), id))
			return;
	doc_append_str(owner->result.hits, id);
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
	struct facts facts = { .doc = owner->azure->doc };
	const json_t *body, *why;
	char type[192] = "";

	arm_id_type(hop->id, type, sizeof(type));
	if (facts_resource(&facts, hop->id, &body, &why) == FACT_KNOWN &&
	    strcmp(type, "microsoft.network/networkinterfaces") == 0)
		add_hit(owner, doc_str(body, "properties.virtualMachine.id") != NULL
				   ? doc_str(body, "properties.virtualMachine.id")
				   : "");
	else if (body != NULL && strcmp(type, "microsoft.network/loadbalancers") == 0)
		through_balancer(owner, body, hop->via);
	else if (body == NULL && why != NULL && owner->result.why == NULL)
		owner->result.why = json_incref((json_t *)(uintptr_t)why);
	free(hop->id);
	free(hop->via);
	free(hop);
	owner_drop(owner);
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
	    json_object_get(owner->followed, key) != NULL || (hop = malloc(sizeof(*hop))) == NULL)
		return;
	json_object_set_new(owner->followed, key, json_true());
	*hop = (struct hop){ owner, strdup(parent), strdup(id) };
	owner->pending++;
	fetch_resource(owner->azure, parent, hop_arrived, hop);
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
look_at_addresses(struct owner *owner, const char *path)
{
	const json_t *id;
	size_t i;

	json_array_foreach ((json_t *)(uintptr_t)fetch_listed(owner->azure, path), i, id) {
		const json_t *body = fetch_held(owner->azure, json_string_value(id));

		if (address_fits(owner, body))
			follow_part(owner, doc_str(body, "properties.ipConfiguration.id"));
	}
}

static void
look_at_nics(struct owner *owner, const char *path)
{
	const json_t *id, *config;
	size_t i, j;

	json_array_foreach ((json_t *)(uintptr_t)fetch_listed(owner->azure, path), i, id) {
		const json_t *body = fetch_held(owner->azure, json_string_value(id));

		json_array_foreach (doc_list(body, "properties.ipConfigurations"), j, config)
			if (is_one(owner, doc_str(config, "properties.privateIPAddress")) &&
			    doc_str(body, "properties.virtualMachine.id") != NULL)
				add_hit(owner, doc_str(body, "properties.virtualMachine.id"));
	}
}

struct look {
	struct owner *owner;
	char *path;
	void (*at)(struct owner *owner, const char *path);
};

static void
look_listed(void *ctx)
{
	struct look *look = ctx;
	struct owner *owner = look->owner;
	char key[ARM_ID_MAX];
	const json_t *entry = arm_id_key(look->path, key, sizeof(key)) == 0
				  ? json_object_get(azure_facts(owner->azure, "lists"), key)
				  : NULL;

	look->at(owner, look->path);
	if (!doc_is(entry, "state", "known") && owner->result.why == NULL)
		owner->result.why = json_incref((json_t *)(uintptr_t)entry);
	free(look->path);
	free(look);
	owner_drop(owner);
}

static void
look_begin(struct owner *owner, const char *subscription, const char *type,
	   void (*at)(struct owner *, const char *))
{
	struct look *look = malloc(sizeof(*look));

	if (look == NULL)
		return;
	*look = (struct look){
		owner,
		doc_fmt("/subscriptions/%s/providers/Microsoft.Network/%s", subscription, type), at
	};
	owner->pending++;
	fetch_list(owner->azure, look->path, false, look_listed, look);
}

/* The first address decides: a name has private ones or public ones. */
static bool
is_private(const struct owner *owner)
{
	const char *first = json_string_value(json_array_get(owner->addresses, 0));

	return ip_text_is(first, IP_PRIVATE);
}

static void
look_everywhere(struct owner *owner)
{
	const json_t *id;
	size_t i;

	owner->listing = true;
	json_array_foreach ((json_t *)(uintptr_t)fetch_listed(owner->azure, "/subscriptions"), i,
			    id) {
		const char *name =
		    doc_str(fetch_held(owner->azure, json_string_value(id)), "subscriptionId");

		if (name == NULL || i >= SUBSCRIPTIONS_MAX)
			continue;
		json_array_append_new(owner->result.searched, json_string(name));
		if (is_private(owner))
			look_begin(owner, name, "networkInterfaces", look_at_nics);
		else
			look_begin(owner, name, "publicIPAddresses", look_at_addresses);
	}
}

/* ---- the way ---- */

static void
owner_drop(struct owner *owner)
{
	if (--owner->pending > 0)
		return;
	if (!owner->listing && json_array_size(owner->result.hits) == 0) {
		owner->pending = 1;
		look_everywhere(owner);
		owner_drop(owner);
		return;
	}
	owner->done(owner->ctx, &owner->result);
	json_decref(owner->result.hits);
	json_decref(owner->result.near);
	json_decref(owner->result.searched);
	json_decref(owner->result.why);
	json_decref(owner->followed);
	json_decref(owner->addresses);
	free(owner->host);
	free(owner);
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
	owner_drop(owner);
}

static void
subscriptions_listed(void *ctx)
{
	owner_drop(ctx);
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

	owner->pending = 3;
	graph_ask(owner->azure, query, graph_answered, owner);
	free(query);
	fetch_list(owner->azure, "/subscriptions", false, subscriptions_listed, owner);
	owner_drop(owner);
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
	struct owner *owner = calloc(1, sizeof(*owner));

	if (owner == NULL)
		return;
	*owner = (struct owner){ .azure = azure,
				 .host = strdup(host),
				 .port = doc_int(azure->doc, "asked.port", 22),
				 .followed = json_object(),
				 .addresses = json_array(),
				 .done = done,
				 .ctx = ctx,
				 .pending = 1 };
	owner->result = (struct search_result){ .hits = json_array(),
						.near = json_array(),
						.searched = json_array() };
	if (!host_plain(host)) {
		owner->listing = true;
		owner_drop(owner);
		return;
	}
	if (ip_is_text(host))
		doc_append_str(owner->addresses, host);
	else if (resolver != NULL &&
		 loop_child(azure->loop,
			    &(struct child_request){ .argv = argv, .timeout_ms = RESOLVE_MS },
			    resolved, owner) == 0)
		return;
	owner_begin(owner);
}
