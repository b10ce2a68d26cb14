/* A VM by its name alone: Resource Graph first, the lists of every subscription where that does not
 * serve. */
#include "azure/inside.h"
#include "facts/arm.h"
#include "facts/near.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NEAR_MAX 8
#define NEAR_PAGES 5
#define SUBSCRIPTIONS_MAX 200

#define VM_FILTER "resourceType eq 'Microsoft.Compute/virtualMachines'"

struct search {
	struct azure *azure;
	char *name;
	struct search_result result;
	unsigned pending;
	bool ended, graph_ended, subscriptions_ended, listing, graph_knew;
	json_t *graph_why;
	void (*done)(void *ctx, const struct search_result *result);
	void *ctx;
};

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
	const char *name = arm_id_name(id);
	char type[192];
	struct arm_id parsed;
	const json_t *known;
	json_t *list;
	size_t i;

	if (arm_id_parse(id, &parsed) < 0 || arm_id_type(id, type, sizeof(type)) < 0 ||
	    strcmp(type, "microsoft.compute/virtualmachines") != 0)
		return;
	list = strcasecmp(name, search->name) == 0 ? search->result.hits
	       : name_near(search->name, name)     ? search->result.near
						   : NULL;
	if (list == NULL || (list == search->result.near && json_array_size(list) >= NEAR_MAX))
		return;
	json_array_foreach (list, i, known)
		if (arm_id_same(json_string_value(known), id))
			return;
	doc_append_str(list, id);
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

static void
note_why(struct search *search, const json_t *why)
{
	if (search->result.why == NULL && why != NULL)
		search->result.why = json_incref((json_t *)(uintptr_t)why);
}

/* ---- ending ---- */

static void
search_free(struct search *search)
{
	json_decref(search->result.hits);
	json_decref(search->result.near);
	json_decref(search->result.searched);
	json_decref(search->result.why);
	json_decref(search->graph_why);
	free(search->name);
	free(search);
}

static void
search_end(struct search *search)
{
	if (search->ended)
		return;
	search->ended = true;
	search->done(search->ctx, &search->result);
}

static void list_subscriptions(struct search *search);

static void
search_drop(struct search *search)
{
	if (!search->ended && search->graph_ended && json_array_size(search->result.hits) > 0 &&
	    !search->listing)
		search_end(search);
	else if (!search->ended && search->graph_ended && search->subscriptions_ended &&
		 !search->listing)
		list_subscriptions(search);
	if (--search->pending > 0)
		return;
	search_end(search);
	search_free(search);
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
		note_why(search, answer->why);
	free(listing->subscription);
	free(listing);
	search_drop(search);
}

static void
listing_begin(struct search *search, const char *subscription, bool near, bool models)
{
	struct listing *listing = malloc(sizeof(*listing));
	char *path = doc_fmt("/subscriptions/%s/%s", subscription,
			     models ? "providers/Microsoft.Compute/virtualMachines" : "resources");
	char *filter =
	    near ? strdup(VM_FILTER) : doc_fmt(VM_FILTER " and name eq '%s'", search->name);
	char *encoded = url_encode(filter), *query = models ? NULL : doc_fmt("$filter=%s", encoded);

	if (listing != NULL && path != NULL) {
		*listing = (struct listing){ search, strdup(subscription), near, models };
		search->pending++;
		arm_ask(search->azure,
			&(struct arm_ask){ .path = path,
					   .query = query,
					   .flags = ARM_LIST | (near ? ARM_SPARE : 0),
					   .pages = near ? NEAR_PAGES : 0 },
			listed, listing);
	}
	free(path);
	free(filter);
	free(encoded);
	free(query);
}

static bool
usable(const json_t *subscription)
{
	const char *state = doc_str(subscription, "state");

	return doc_str(subscription, "subscriptionId") != NULL && !doc_same(state, "Deleted");
}

static void
list_subscriptions(struct search *search)
{
	const json_t *ids = fetch_listed(search->azure, "/subscriptions"), *id;
	bool active = false;
	size_t i;

	search->listing = true;
	json_array_foreach (ids, i, id) {
		const json_t *body = fetch_held(search->azure, json_string_value(id));
		const char *name = doc_str(body, "subscriptionId");

		if (!usable(body) || i >= SUBSCRIPTIONS_MAX)
			continue;
		active = active || doc_same(name, search->azure->active);
		json_array_append_new(search->result.searched, json_string(name));
		listing_begin(search, name, false, false);
		listing_begin(search, name, true, false);
	}
	if (!active && search->azure->active != NULL) {
		json_array_append_new(search->result.searched, json_string(search->azure->active));
		listing_begin(search, search->azure->active, false, false);
	}
	/* without the list of subscriptions only Resource Graph can have looked everywhere */
	if (!search->graph_knew) {
		const json_t *entry =
		    json_object_get(azure_facts(search->azure, "lists"), "/subscriptions");

		if (!doc_is(entry, "state", "known"))
			note_why(search, entry);
	}
}

static void
subscriptions_listed(void *ctx)
{
	struct search *search = ctx;

	search->subscriptions_ended = true;
	search_drop(search);
}

static void
graph_answered(void *ctx, const struct arm_answer *answer)
{
	struct search *search = ctx;

	search->graph_ended = true;
	search->graph_knew = answer->why == NULL && answer->body != NULL;
	note_vms(search, answer->body);
	note_instances(search, answer->body);
	search_drop(search);
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
	struct search *search = calloc(1, sizeof(*search));
	char *query;

	if (search == NULL)
		return;
	*search = (struct search){
		.azure = azure, .name = strdup(name), .done = done, .ctx = ctx, .pending = 1
	};
	search->result = (struct search_result){ .hits = json_array(),
						 .near = json_array(),
						 .searched = json_array() };
	if (!name_plain(name)) {
		/* no VM can bear such a name, and it must not stand in a query */
		search_drop(search);
		return;
	}
	search->pending += 2;
	query = graph_query(name);
	graph_ask(azure, query, graph_answered, search);
	free(query);
	fetch_list(azure, "/subscriptions", false, subscriptions_listed, search);
	search_drop(search);
}
