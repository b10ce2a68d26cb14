#include "azure/read/fleet.h"
#include "azure/read/reader.h"
#include "azure/read/search.h"
#include "azure/signin/built_in.h"
#include "facts/arm.h"
#include "model/address.h"
#include "model/cloud.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct find {
	struct azure *azure;
	struct facts facts;
	char *id, *group, *name, *host; /* as asked */
	char *try;                      /* the id being tried */
	bool exact;                     /* asked for by its full id */
	void (*done)(void *ctx);
	void *ctx;
};

/* No VM was found: the host, or the name, may be one of another cloud. That any other cloud is
 * AzureCloud is only worth telling where one of the others was chosen. */
static void
note_cloud(struct find *find)
{
	const char *hosts[] = { address_asked_host(&find->facts), find->host, find->name },
		   *here = find->azure->cloud.name, *cloud = NULL;
	json_t *section = facts_section(&find->facts, FACT_VM);
	bool by_name = false;

	for (size_t i = 0; i < 3 && cloud == NULL; i++)
		cloud = cloud_of_host(hosts[i], &by_name);
	if (cloud == NULL || doc_same(cloud, here) ||
	    (doc_same(cloud, "AzureCloud") && built_in_named(here != NULL ? here : "") == NULL))
		return;
	FACT_PUT(section, vm, cloud, cloud);
	FACT_PUT(section, vm, cloud_by_name, by_name);
}

static void
find_end(struct find *find)
{
	void (*done)(void *) = find->done;
	void *ctx = find->ctx;

	if (facts_state(&find->facts, FACT_VM, NULL) == FACT_ABSENT)
		note_cloud(find);
	free(find->id);
	free(find->group);
	free(find->name);
	free(find->host);
	free(find->try);
	free(find);
	done(ctx);
}

/* ---- what came of it ---- */

/* Azure calls an instance of a Uniform scale set by the set and its number: uni_0. */
static void
set_name(json_t *section, const char *id)
{
	const char *instance = strcasestr(id, "/virtualMachineScaleSets/");
	char set[ARM_ID_MAX], *name;

	if (instance == NULL || arm_id_parent(id, set, sizeof(set)) < 0) {
		doc_set_str(section, "name", arm_id_name(id));
		return;
	}
	name = doc_fmt("%s_%s", arm_id_name(set), arm_id_name(id));
	doc_set_str(section, "name", name);
	free(name);
}

static void
name_parts(json_t *section, const char *id)
{
	char subscription[128], group[128];

	arm_id_subscription(id, subscription, sizeof(subscription));
	arm_id_group(id, group, sizeof(group));
	doc_set_str(section, "id", id);
	set_name(section, id);
	doc_set_str(section, "resource_group", group);
	doc_set_str(section, "subscription", subscription);
}

static void
settle_found(struct find *find, const char *id, const char *from)
{
	json_t *section = facts_known(&find->facts, FACT_VM), *elsewhere;
	char subscription[128];

	arm_id_subscription(id, subscription, sizeof(subscription));
	name_parts(section, id);
	doc_set_str(section, "from", from);
	doc_set_str(section, "az_profile",
		    config_lists(&find->azure->account.config,
				 find->azure->cloud.custom ? NULL : find->azure->cloud.name,
				 subscription));
	if (find->exact || find->host != NULL || find->azure->account.active == NULL ||
	    strcasecmp(find->azure->account.active, subscription) == 0)
		return;
	elsewhere = json_object();
	doc_set_str(elsewhere, "active", find->azure->account.active);
	doc_set_str(elsewhere, "from", find->azure->account.active_from);
	json_object_set_new(section, "elsewhere", elsewhere);
}

static void
settle_missing(struct find *find, const json_t *why)
{
	json_t *section;

	facts_settle(&find->facts, FACT_VM,
		     doc_is(why, "state", "absent") ? FACT_ABSENT : FACT_UNKNOWN,
		     entry_text(why, "cause", "error"), "%s",
		     entry_text(why, "reason", "the VM was not read"));
	section = facts_section(&find->facts, FACT_VM);
	doc_set_str(section, "action", doc_str(why, "action"));
	doc_set_str(section, "tenant", doc_str(why, "tenant"));
	if (find->try != NULL)
		name_parts(section, find->try);
}

/* ---- hits ---- */

/* The hits that lie in that subscription or group (NULL: any); a new array. */
static json_t *
narrow(const json_t *hits, const char *subscription, const char *group, const char *but)
{
	json_t *kept = json_array();
	char in[128], of[128];
	const json_t *hit;
	size_t i;

	json_array_foreach (hits, i, hit) {
		const char *id = json_string_value(hit);

		arm_id_subscription(id, of, sizeof(of));
		arm_id_group(id, in, sizeof(in));
		if ((subscription == NULL || strcasecmp(of, subscription) == 0) &&
		    (group == NULL || strcasecmp(in, group) == 0) && !arm_id_same(id, but))
			json_array_append(kept, (json_t *)(uintptr_t)hit);
	}
	return kept;
}

/* Tenants that az knows subscriptions of and that this sign-in does not see into: whoever has
 * several may look in the wrong one. */
static json_t *
other_tenants(const struct azure *azure)
{
	const char *own = doc_str(azure->web.doc, "azure.signin.tenant"), *tenant;
	json_t *tenants = json_array();
	const json_t *entry, *known;
	size_t i, j;

	json_array_foreach (doc_list(azure->account.config.profile, "subscriptions"), i, entry) {
		bool again = false;

		tenant = doc_str(entry, "tenantId");
		json_array_foreach (tenants, j, known)
			again = again || doc_same(json_string_value(known), tenant);
		if (own != NULL && tenant != NULL && !doc_same(tenant, own) && !again &&
		    (azure->cloud.custom || doc_is(entry, "environmentName", azure->cloud.name)))
			doc_append_str(tenants, tenant);
	}
	return tenants;
}

static void
count_one(void *ctx, const char *id, const json_t *body)
{
	(void)id;
	(void)body;
	++*(size_t *)ctx;
}

/* Azure lists the subscriptions where the identity has any role at all: none. */
static bool
sees_none(const struct find *find)
{
	const struct fetches *fetches = &find->azure->fetches;
	size_t count = 0;

	list_each(fetches, "/subscriptions", count_one, &count);
	return count == 0 && doc_is(list_state(fetches, "/subscriptions"), "state", "known");
}

static void
settle_without_role(struct find *find)
{
	facts_settle(&find->facts, FACT_VM, FACT_UNKNOWN, "no-subscriptions",
		     "the signed-in identity sees no subscription");
	if (find->try != NULL)
		name_parts(facts_section(&find->facts, FACT_VM), find->try);
}

static void
settle_none(struct find *find, const struct search_result *result, const json_t *others)
{
	const json_t *near, *body, *why = NULL;
	json_t *section, *names;
	size_t i;

	if (find->try != NULL)
		facts_resource(&find->facts, find->try, &body, &why);
	if (sees_none(find) && json_array_size(result->hits) == 0 && name_plain(find->name)) {
		settle_without_role(find);
	} else if (doc_is(why, "cause", "subscription-not-found")) {
		facts_settle(&find->facts, FACT_VM, FACT_UNKNOWN, "subscription-not-found", "%s",
			     doc_str(why, "reason"));
	} else if (result->why != NULL && json_array_size(others) == 0) {
		facts_settle(&find->facts, FACT_VM, FACT_UNKNOWN, doc_str(result->why, "cause"),
			     "not every subscription could be searched: %s",
			     doc_str(result->why, "reason"));
	} else if (find->group != NULL) {
		facts_settle(&find->facts, FACT_VM, FACT_ABSENT, "not-found",
			     "there is no VM named %s in the resource group %s", find->name,
			     find->group);
	} else {
		facts_settle(&find->facts, FACT_VM, FACT_ABSENT, "not-found",
			     "no subscription that this sign-in sees has a VM named %s",
			     find->name);
	}
	section = facts_section(&find->facts, FACT_VM);
	json_object_set_new(section, "near", names = json_array());
	json_array_foreach (others, i, near) {
		char group[128], *text;

		arm_id_group(json_string_value(near), group, sizeof(group));
		text = doc_fmt("%s/%s", group, arm_id_name(json_string_value(near)));
		doc_append_str(names, text);
		free(text);
	}
	json_array_foreach (result->near, i, near)
		doc_append_str(names, arm_id_name(json_string_value(near)));
	json_object_set(section, "searched", result->searched);
	json_object_set_new(section, "other_tenants", other_tenants(find->azure));
}

static void
settle_many(struct find *find, const json_t *hits)
{
	facts_settle(&find->facts, FACT_VM, FACT_ABSENT, "ambiguous", "%zu VMs are named %s",
		     json_array_size(hits), find->name != NULL ? find->name : find->host);
	json_object_set(facts_section(&find->facts, FACT_VM), "candidates",
			(json_t *)(uintptr_t)hits);
}

static void
searched(void *ctx, const struct search_result *result)
{
	struct find *find = ctx;
	json_t *hits = narrow(result->hits, NULL, find->group, find->try),
	       *others = narrow(result->hits, NULL, NULL, find->try), *own;

	if (find->azure->account.subscription != NULL && find->azure->account.active != NULL) {
		own = narrow(hits, find->azure->account.active, NULL, NULL);
		if (json_array_size(own) > 0) {
			json_decref(hits);
			hits = json_incref(own);
		}
		json_decref(own);
	}
	if (find->exact)
		json_array_clear(hits);
	if (json_array_size(hits) == 1)
		settle_found(find, json_string_value(json_array_get(hits, 0)), "search");
	else if (json_array_size(hits) > 1)
		settle_many(find, hits);
	else
		settle_none(find, result, others);
	json_decref(hits);
	json_decref(others);
	find_end(find);
}

/* ---- by id ---- */

/* Refused: by the lack of a role there, or of any role anywhere. */
static void
subscriptions_listed(void *ctx)
{
	struct find *find = ctx;
	const json_t *body, *why;

	facts_resource(&find->facts, find->try, &body, &why);
	if (sees_none(find))
		settle_without_role(find);
	else
		settle_missing(find, why);
	find_end(find);
}

static void
tried(void *ctx)
{
	struct find *find = ctx;
	const json_t *body, *why;
	enum fact_state state;

	fetch_share(&find->azure->fetches, find->try, find->facts.doc);
	state = facts_resource(&find->facts, find->try, &body, &why);

	if (state == FACT_KNOWN) {
		settle_found(find, find->try, find->exact ? "id" : "group");
	} else if (find->name != NULL &&
		   (state == FACT_ABSENT || doc_is(why, "cause", "subscription-not-found"))) {
		search_vm(find->azure, find->name, searched, find);
		return;
	} else if (doc_is(why, "cause", "forbidden")) {
		list_fetch(&find->azure->fetches, "/subscriptions", true, subscriptions_listed,
			   find);
		return;
	} else {
		settle_missing(find, why);
	}
	find_end(find);
}

static void
try_id(struct find *find, char *id)
{
	free(find->try);
	find->try = id;
	reader_prefetch(&find->azure->fetches, id);
	fetch_resource(&find->azure->fetches, id, tried, find);
}

static char *
vm_id(const char *subscription, const char *group, const char *name)
{
	return doc_fmt(
	    "/subscriptions/%s/resourceGroups/%s/providers/Microsoft.Compute/virtualMachines/%s",
	    subscription, group, name);
}

/* ---- by name ---- */

/* Of many VMs that were read beforehand; false when none of them is meant. */
static bool
found_before(struct find *find)
{
	json_t *hits = fleet_named(find->azure, find->group, find->name);
	size_t count = json_array_size(hits);

	if (count == 1) {
		settle_found(find, json_string_value(json_array_get(hits, 0)), "search");
		find_end(find);
	} else if (count > 1) {
		settle_many(find, hits);
		find_end(find);
	}
	json_decref(hits);
	return count > 0;
}

static void
by_name(struct find *find)
{
	char *group;
	const char *in;

	if (found_before(find))
		return;
	group = find->group == NULL
		    ? config_setting(&find->azure->account.config, "defaults", "group")
		    : NULL;
	in = find->group != NULL ? find->group : group;
	if (in != NULL && find->azure->account.active != NULL && name_plain(find->name) &&
	    strpbrk(in, "/?#%") == NULL)
		try_id(find, vm_id(find->azure->account.active, in, find->name));
	else
		search_vm(find->azure, find->name, searched, find);
	free(group);
}

/* --subscription by a name that az's profile does not have. */
static void
take_subscription(void *ctx, const char *id, const json_t *body)
{
	struct account *account = &((struct find *)ctx)->azure->account;

	(void)id;
	if (account->active == NULL && doc_is(body, "displayName", account->subscription) &&
	    doc_str(body, "subscriptionId") != NULL)
		account->active = strdup(doc_str(body, "subscriptionId"));
}

static void
subscriptions_known(void *ctx)
{
	struct find *find = ctx;
	const struct azure *azure = find->azure;
	const json_t *state = list_state(&azure->fetches, "/subscriptions");

	if (azure->account.active != NULL) {
		by_name(find);
		return;
	}
	if (doc_is(state, "state", "known"))
		facts_settle(&find->facts, FACT_VM, FACT_ABSENT, "subscription-not-found",
			     "this sign-in sees no subscription named %s",
			     azure->account.subscription);
	else
		settle_missing(find, state);
	find_end(find);
}

static void
owner_found(void *ctx, const struct search_result *result)
{
	struct find *find = ctx;

	if (json_array_size(result->hits) == 1)
		settle_found(find, json_string_value(json_array_get(result->hits, 0)), "address");
	else if (json_array_size(result->hits) > 1)
		settle_many(find, result->hits);
	else if (result->why != NULL)
		facts_settle(&find->facts, FACT_VM, FACT_UNKNOWN, doc_str(result->why, "cause"),
			     "whose address %s is was not found out: %s", find->host,
			     doc_str(result->why, "reason"));
	else
		facts_settle(&find->facts, FACT_VM, FACT_ABSENT, "no-owner",
			     "no VM that this sign-in sees has the address %s", find->host);
	find_end(find);
}

static char *
copy(const char *text)
{
	return text != NULL && *text != '\0' ? strdup(text) : NULL;
}

void
azure_find(struct azure *azure, struct facts *facts, const struct azure_target *target,
	   void (*done)(void *ctx), void *ctx)
{
	struct find *find;
	struct arm_id parsed;

	if (facts_state(facts, FACT_SIGNIN, NULL) != FACT_KNOWN) {
		facts_settle(facts, FACT_VM, FACT_UNKNOWN, "signed-out", "%s",
			     entry_text(facts_section(facts, FACT_SIGNIN), "reason",
					"not signed in to Azure"));
		done(ctx);
		return;
	}
	find = malloc(sizeof(*find));
	*find = (struct find){ .azure = azure,
			       .facts = *facts,
			       .group = copy(target->group),
			       .name = copy(target->name),
			       .host = copy(target->host),
			       .done = done,
			       .ctx = ctx };
	if (target->id != NULL && arm_id_parse(target->id, &parsed) == 0) {
		find->exact = true;
		free(find->name);
		find->name = strndup(parsed.name.at, parsed.name.len);
		try_id(find, strdup(target->id));
	} else if (find->name != NULL && azure->account.subscription != NULL &&
		   azure->account.active == NULL) {
		list_visit(&azure->fetches, "/subscriptions", false, take_subscription, find,
			   subscriptions_known, find);
	} else if (find->name != NULL) {
		by_name(find);
	} else if (find->host != NULL) {
		search_owner(azure, &(struct owner_ask){ .host = find->host }, owner_found, find);
	} else {
		facts_settle(facts, FACT_VM, FACT_UNKNOWN, "no-vm", "no VM was named");
		find_end(find);
	}
}
