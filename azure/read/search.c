/* A VM by its name alone: Resource Graph first, the lists of every subscription where that does not
 * serve. */
#include "azure/arm/url.h"
#include "azure/read/reader.h"
#include "azure/read/search.h"
#include "facts/arm.h"
#include "facts/near.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NEAR_MAX 8
#define NEAR_PAGES 5
#define SUBSCRIPTIONS_MAX 200
#define VERIFIED_MAX 16

#define VM_FILTER "resourceType eq 'Microsoft.Compute/virtualMachines'"

struct search {
	struct azure *azure;
	char *name;
	struct search_result result;
	struct join all;
	struct join asked; /* the hits of Resource Graph, which ARM is asked about */
	bool ended, graph_ended, subscriptions_ended, listing, graph_knew, verified;
	void (*done)(void *ctx, const struct search_result *result);
	void *ctx;
};

void
search_result_begin(struct search_result *result)
{
	*result = (struct search_result){ .hits = json_array(),
					  .near = json_array(),
					  .way = json_array(),
					  .searched = json_array() };
}

void
search_result_free(struct search_result *result)
{
	json_decref(result->hits);
	json_decref(result->near);
	json_decref(result->way);
	json_decref(result->searched);
	json_decref(result->why);
}

void
search_add(json_t *ids, const char *id)
{
	const json_t *known;
	size_t i;

	json_array_foreach (ids, i, known)
		if (arm_id_same(json_string_value(known), id))
			return;
	doc_append_str(ids, id);
}

void
search_incomplete(struct search_result *result, const json_t *why)
{
	if (result->why == NULL && why != NULL)
		result->why = json_incref((json_t *)(uintptr_t)why);
}

bool
name_plain(const char *name)
{
	size_t len =
	    name != NULL
		? strspn(name,
			 "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.()-")
		: 0;

	return len > 0 && len <= 64 && name[len] == '\0';
}

/* Letters and digits only: "web-01" and "Web_01" are the same to a person. */
static void
bare_letters(const char *text, char ret[static 65])
{
	size_t used = 0;

	for (; *text != '\0' && used < 64; text++)
		if (isalnum((unsigned char)*text))
			ret[used++] = (char)tolower((unsigned char)*text);
	ret[used] = '\0';
}

bool
name_near(const char *typed, const char *name)
{
	char a[65], b[65];
	size_t len = strlen(typed);

	if (len == 0)
		return false;
	bare_letters(typed, a);
	bare_letters(name, b);
	if (strcmp(a, b) == 0)
		return a[0] != '\0';
	if (len >= 4 && (strcasestr(name, typed) != NULL ||
			 (strlen(name) >= 4 && strcasestr(typed, name) != NULL)))
		return true;
	return near_enough(typed, name);
}

/* ---- what was seen ---- */

static void
note_vm(struct search *search, const char *id)
{
	struct search_result *result = &search->result;
	char type[192];

	if (arm_id_type(id, type, sizeof(type)) < 0 ||
	    strcmp(type, "microsoft.compute/virtualmachines") != 0)
		return;
	if (strcasecmp(arm_id_name(id), search->name) == 0)
		search_add(result->hits, id);
	else if (json_array_size(result->near) < NEAR_MAX &&
		 name_near(search->name, arm_id_name(id)))
		search_add(result->near, id);
}

/* "SET_3", as Azure calls an instance of a scale set: where the number begins, NULL when the name
 * is no such one. */
static const char *
instance_number(const char *name)
{
	const char *bar = strrchr(name, '_');

	return bar != NULL && bar > name && bar[1] != '\0' &&
		       bar[1 + strspn(bar + 1, "0123456789")] == '\0'
		   ? bar + 1
		   : NULL;
}

/* Instances of a Uniform scale set are no VMs of their own, and are told by the name of the set. */
static void
note_instances(struct search *search, const json_t *rows)
{
	const char *number = instance_number(search->name);
	char type[192];
	const json_t *row;
	size_t i;

	json_array_foreach (rows, i, row) {
		const char *id = doc_str(row, "id");

		if (number == NULL || json_array_size(search->result.hits) > 0 || id == NULL ||
		    doc_is(row, "mode", "Flexible") || arm_id_type(id, type, sizeof(type)) < 0 ||
		    strcmp(type, "microsoft.compute/virtualmachinescalesets") != 0)
			continue;
		json_array_append_new(search->result.hits,
				      json_sprintf("%s/virtualMachines/%s", id, number));
	}
}

static void
note_vms(struct search *search, const json_t *items)
{
	const json_t *item;
	size_t i;

	json_array_foreach (items, i, item)
		if (doc_str(item, "id") != NULL)
			note_vm(search, doc_str(item, "id"));
}

/* ---- ending ---- */

static void
search_end(struct search *search)
{
	if (search->ended)
		return;
	search->ended = true;
	search->done(search->ctx, &search->result);
}

/* ARM's 404 outranks every index: a VM that was moved or deleted stays in them for a while. */
static void
drop_gone(struct search *search)
{
	const struct facts facts = { .doc = search->azure->web.doc };
	const json_t *body, *why;
	size_t i = json_array_size(search->result.hits);

	while (i-- > 0) {
		const char *id = json_string_value(json_array_get(search->result.hits, i));

		if (facts_resource(&facts, id, &body, &why) == FACT_ABSENT)
			json_array_remove(search->result.hits, i);
	}
}

static void
search_close(void *ctx)
{
	struct search *search = ctx;

	drop_gone(search);
	search_end(search);
	search_result_free(&search->result);
	free(search->name);
	free(search);
}

static void list_subscriptions(struct search *search);

static void search_step(struct search *search);

static void
hits_verified(void *ctx)
{
	struct search *search = ctx;

	search->verified = true;
	drop_gone(search);
	search_step(search);
	join_end(&search->all);
}

/* Each hit is read, as the one that remains will be anyhow. */
static void
verify_hits(struct search *search)
{
	struct fetches *fetches = &search->azure->fetches;
	const json_t *hit;
	size_t i;

	join_add(&search->all);
	join_begin(&search->asked, hits_verified, search);
	if (json_array_size(search->result.hits) == 1)
		reader_prefetch(fetches, json_string_value(json_array_get(search->result.hits, 0)));
	json_array_foreach (search->result.hits, i, hit)
		if (i < VERIFIED_MAX)
			fetch_resource(fetches, json_string_value(hit), join_end,
				       join_add(&search->asked));
	join_end(&search->asked);
}

/* A hit of Resource Graph that ARM has too ends the search; without one the subscriptions are
 * listed. */
static void
search_step(struct search *search)
{
	if (search->ended || search->listing || !search->graph_ended)
		return;
	if (json_array_size(search->result.hits) > 0 && search->verified)
		search_end(search);
	else if (json_array_size(search->result.hits) == 0 && search->subscriptions_ended)
		list_subscriptions(search);
}

/* ---- the lists ---- */

struct listing {
	struct search *search;
	char *subscription;
	bool near, models; /* only for near misses; the VM models, as the last resort */
};

static void listing_begin(struct search *search, const char *subscription, bool near, bool models);

static void
listed(void *ctx, const struct arm_answer *answer)
{
	struct listing *listing = ctx;
	struct search *search = listing->search;

	note_vms(search, answer->body);
	if (answer->why != NULL && !listing->near && !listing->models)
		listing_begin(search, listing->subscription, false, true);
	else if (answer->why != NULL && !listing->near && !doc_is(answer->why, "state", "absent"))
		search_incomplete(&search->result, answer->why);
	free(listing->subscription);
	free(listing);
	join_end(&search->all);
}

static void
listing_begin(struct search *search, const char *subscription, bool near, bool models)
{
	struct listing *listing = malloc(sizeof(*listing));
	struct arm_ask ask = { .flags = ARM_LIST };
	char *path, *query = NULL, *filter, *encoded;

	*listing = (struct listing){ search, strdup(subscription), near, models };
	path = doc_fmt("/subscriptions/%s/%s", subscription,
		       models ? "providers/Microsoft.Compute/virtualMachines" : "resources");
	if (!models) {
		filter =
		    near ? strdup(VM_FILTER) : doc_fmt(VM_FILTER " and name eq '%s'", search->name);
		encoded = url_encode(filter);
		query = doc_fmt("$filter=%s", encoded);
		free(filter);
		free(encoded);
	}
	if (near) {
		ask.flags |= ARM_HAS_FALLBACK;
		ask.pages = NEAR_PAGES;
	}
	ask.path = path;
	ask.query = query;
	join_add(&search->all);
	arm_ask(&search->azure->arm, &ask, listed, listing);
	free(path);
	free(query);
}

/* The subscription `name` is searched: by the name of the VM, and beside it for names like it. */
static void
search_subscription(struct search *search, const char *name, bool near)
{
	doc_append_str(search->result.searched, name);
	listing_begin(search, name, false, false);
	if (near)
		listing_begin(search, name, true, false);
}

static void
take_subscription(void *ctx, const char *id, const json_t *body)
{
	struct search *search = ctx;
	const char *name = doc_str(body, "subscriptionId");

	(void)id;
	if (name != NULL && !doc_is(body, "state", "Deleted") &&
	    json_array_size(search->result.searched) < SUBSCRIPTIONS_MAX)
		search_subscription(search, name, true);
}

static bool
searched(const struct search *search, const char *subscription)
{
	const json_t *name;
	size_t i;

	json_array_foreach (search->result.searched, i, name)
		if (doc_same(json_string_value(name), subscription))
			return true;
	return false;
}

static void
list_subscriptions(struct search *search)
{
	const struct azure *azure = search->azure;
	const char *active = azure->account.active;
	const json_t *state = list_state(&azure->fetches, "/subscriptions");

	search->listing = true;
	list_each(&azure->fetches, "/subscriptions", take_subscription, search);
	if (active != NULL && !searched(search, active))
		search_subscription(search, active, false);
	/* without the list of subscriptions only Resource Graph can have looked everywhere */
	if (!search->graph_knew && !doc_is(state, "state", "known"))
		search_incomplete(&search->result, state);
}

static void
subscriptions_listed(void *ctx)
{
	struct search *search = ctx;

	search->subscriptions_ended = true;
	search_step(search);
	join_end(&search->all);
}

static void
graph_answered(void *ctx, const struct arm_answer *answer)
{
	struct search *search = ctx;

	search->graph_ended = true;
	search->graph_knew = answer->why == NULL && answer->body != NULL;
	note_vms(search, answer->body);
	note_instances(search, answer->body);
	if (json_array_size(search->result.hits) > 0)
		verify_hits(search);
	else
		search_step(search);
	join_end(&search->all);
}

/* The caller frees. */
static char *
graph_query(const char *name)
{
	const char *number = instance_number(name);

	if (number == NULL)
		return doc_fmt("Resources | where type =~ 'microsoft.compute/virtualmachines' and "
			       "name =~ '%s' | project id, name, "
			       "resourceGroup, subscriptionId",
			       name);
	return doc_fmt(
	    "Resources | where (type =~ 'microsoft.compute/virtualmachines' and name =~ '%s') or "
	    "(type =~ 'microsoft.compute/virtualmachinescalesets' and name =~ '%.*s') | project "
	    "id, name, resourceGroup, "
	    "subscriptionId, mode = tostring(properties.orchestrationMode)",
	    name, (int)(number - 1 - name), name);
}

void
search_vm(struct azure *azure, const char *name,
	  void (*done)(void *ctx, const struct search_result *result), void *ctx)
{
	struct search *search = malloc(sizeof(*search));
	char *query;

	*search = (struct search){ .azure = azure, .name = strdup(name), .done = done, .ctx = ctx };
	search_result_begin(&search->result);
	join_begin(&search->all, search_close, search);
	if (name_plain(name)) { /* no VM can have another name, and it must not enter a query */
		query = graph_query(name);
		join_add(&search->all);
		graph_ask(&azure->arm, query, graph_answered, search);
		free(query);
		join_add(&search->all);
		list_fetch(&azure->fetches, "/subscriptions", false, subscriptions_listed, search);
	}
	join_end(&search->all);
}
