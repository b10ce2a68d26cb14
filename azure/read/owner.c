/* What has an address: a public IP and what uses it, or the VM of a private one. Resource Graph
 * says where to look, ARM what is there. */
#include "azure/read/owner.h"
#include "azure/arm/fetch.h"
#include "facts/arm.h"
#include "model/prefix.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SUBSCRIPTIONS_MAX 50
#define ADDRESSES_MAX 8
#define RESOLVE_MS 3000

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

	if (!address_fits(owner, body))
		return;
	list_keep(&owner->azure->fetches, id);
	search_add(owner->result.way, id);
	owner_follow(owner, doc_str(body, "properties.ipConfiguration.id"));
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
			owner_hit(owner, doc_str(body, "properties.virtualMachine.id"));
}

/* The first address decides: a name has private ones or public ones. */
static bool
is_private(const struct owner *owner)
{
	const char *first = json_string_value(json_array_get(owner->addresses, 0));

	return ip_text_is(first, IP_PRIVATE);
}

/* ---- the lists ---- */

struct look {
	struct owner *owner;
	char *path; /* of a list, or the id of a resource */
};

static struct look *
look_begin(struct owner *owner, char *path)
{
	struct look *look = malloc(sizeof(*look));

	*look = (struct look){ owner, path };
	join_add(&owner->join);
	return look;
}

static void
look_end(struct look *look)
{
	struct owner *owner = look->owner;

	free(look->path);
	free(look);
	join_end(&owner->join);
}

static void
look_listed(void *ctx)
{
	struct look *look = ctx;
	struct owner *owner = look->owner;
	const json_t *state = list_state(&owner->azure->fetches, look->path);

	if (!doc_is(state, "state", "known"))
		search_incomplete(&owner->result, state);
	look_end(look);
}

static void
look_in_subscription(void *ctx, const char *id, const json_t *body)
{
	struct owner *owner = ctx;
	const char *name = doc_str(body, "subscriptionId");
	bool private = is_private(owner);
	struct look *look;

	(void)id;
	if (name == NULL || json_array_size(owner->result.searched) >= SUBSCRIPTIONS_MAX ||
	    (owner->whole && owner->where != NULL && !doc_same(owner->where, name)))
		return;
	doc_append_str(owner->result.searched, name);
	look = look_begin(owner, doc_fmt("/subscriptions/%s/providers/Microsoft.Network/%s", name,
					 private ? "networkInterfaces" : "publicIPAddresses"));
	list_visit(&owner->azure->fetches, look->path, false,
		   private ? look_at_nic : look_at_address, owner, look_listed, look);
}

/* ---- Resource Graph ---- */

static void
row_arrived(void *ctx)
{
	struct look *look = ctx;
	struct owner *owner = look->owner;
	const struct facts facts = { .doc = owner->azure->web.doc };
	const json_t *body, *why;
	enum fact_state state = facts_resource(&facts, look->path, &body, &why);

	if (state == FACT_KNOWN && is_private(owner))
		look_at_nic(owner, look->path, body);
	else if (state == FACT_KNOWN)
		look_at_address(owner, look->path, body);
	else if (state != FACT_ABSENT)
		search_incomplete(&owner->result, why);
	look_end(look);
}

static void
owner_end(void *ctx)
{
	struct owner *owner = ctx;

	owner->done(owner->ctx, &owner->result);
	search_result_free(&owner->result);
	json_decref(owner->followed);
	json_decref(owner->addresses);
	free(owner->host);
	free(owner->where);
	free(owner);
}

/* What Resource Graph named has been read, and the subscriptions are known: without a hit they are
 * listed. */
static void
graph_done(void *ctx)
{
	struct owner *owner = ctx;
	const json_t *state = list_state(&owner->azure->fetches, "/subscriptions");

	join_begin(&owner->join, owner_end, owner);
	if (json_array_size(owner->result.hits) == 0 && json_array_size(owner->result.way) == 0) {
		if (!owner->whole && !doc_is(state, "state", "known"))
			search_incomplete(&owner->result, state);
		list_each(&owner->azure->fetches, "/subscriptions", look_in_subscription, owner);
	}
	join_end(&owner->join);
}

static void
graph_answered(void *ctx, const struct arm_answer *answer)
{
	struct owner *owner = ctx;
	const json_t *row;
	size_t i;

	owner->whole = answer->why == NULL && answer->body != NULL;
	json_array_foreach (answer->body, i, row) {
		const char *id = doc_str(row, "id");

		if (id != NULL && i < ADDRESSES_MAX)
			fetch_resource(&owner->azure->fetches, id, row_arrived,
				       look_begin(owner, strdup(id)));
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
				"ip.properties.privateIPAddress in (%s) | project id",
				list);
	else if (json_array_size(owner->addresses) > 0)
		query = doc_fmt("Resources | where type =~ 'microsoft.network/publicipaddresses' "
				"and (properties.ipAddress in (%s) or "
				"properties.dnsSettings.fqdn =~ '%s') | project id",
				list, owner->host);
	else
		query = doc_fmt("Resources | where type =~ 'microsoft.network/publicipaddresses' "
				"and properties.dnsSettings.fqdn =~ '%s' | project id",
				owner->host);
	free(list);
	return query;
}

/* ---- the host ---- */

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
	char *query;

	if (owner->known != NULL && owner->known(owner->ctx, owner->addresses)) {
		owner_end(owner);
		return;
	}
	query = owner_query(owner);
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
search_owner(struct azure *azure, const struct owner_ask *ask,
	     void (*done)(void *ctx, const struct search_result *result), void *ctx)
{
	const char *argv[] = { azure->resolver, "--resolve-for-probe", ask->host, NULL };
	struct owner *owner = malloc(sizeof(*owner));

	*owner = (struct owner){ .azure = azure,
				 .host = strdup(ask->host),
				 .where = ask->where != NULL ? strdup(ask->where) : NULL,
				 .known = ask->known,
				 .port = doc_int(azure->web.doc, "asked.port", 22),
				 .followed = json_object(),
				 .addresses = json_array(),
				 .done = done,
				 .ctx = ctx };
	search_result_begin(&owner->result);
	if (!host_plain(ask->host)) {
		owner_end(owner);
		return;
	}
	if (ip_is_text(ask->host))
		doc_append_str(owner->addresses, ask->host);
	else if (azure->resolver != NULL &&
		 loop_child(azure->web.loop,
			    &(struct child_request){ .argv = argv, .timeout_ms = RESOLVE_MS },
			    resolved, owner) == 0)
		return;
	owner_begin(owner);
}
