/* Resource Graph reads for many VMs; where it may not be asked, ARM's lists of each subscription.
 */
#include "azure/read/fleet.h"
#include "azure/read/reader.h"
#include "azure/read/search.h"
#include "facts/arm.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define VMS "microsoft.compute/virtualmachines"
#define LIST_PAGES 2000
#define HEALTH "Microsoft.ResourceHealth/availabilityStatuses"

/* What is listed for the group of a VM, and is read for the whole subscription here. */
static const char *const split_types[] = { "Microsoft.Authorization/locks", DENY_ASSIGNMENTS,
					   JIT_POLICIES };

struct fleet {
	struct azure *azure;
	struct azure_selection selection; /* what it points to is the caller's */
	json_t *subscriptions;            /* ids */
	json_t *vms, *rows;               /* bodies; ids of the VMs come of them */
	json_t *ids;
	json_t *why; /* the first gap */
	bool listing;
	struct join join;
	void (*done)(void *ctx, json_t *ids, const json_t *why);
	void *ctx;
};

/* ---- the end ---- */

static int
by_id(const void *a, const void *b)
{
	return strcasecmp(json_string_value(*(json_t *const *)a),
			  json_string_value(*(json_t *const *)b));
}

/* The order of ARM ids, which no page order changes. */
static json_t *
sorted_ids(const json_t *vms)
{
	size_t count = json_array_size(vms), i;
	json_t **at = calloc(count + 1, sizeof(*at)), *sorted = json_array();
	const json_t *vm;

	json_array_foreach (vms, i, vm)
		at[i] = json_object_get(vm, "id");
	qsort(at, count, sizeof(*at), by_id);
	for (i = 0; i < count; i++)
		if (i == 0 ||
		    strcasecmp(json_string_value(at[i - 1]), json_string_value(at[i])) != 0)
			json_array_append(sorted, at[i]);
	free(at);
	return sorted;
}

static void
note_gap(struct fleet *fleet, const json_t *why)
{
	if (fleet->why == NULL && why != NULL)
		fleet->why = json_incref((json_t *)(uintptr_t)why);
}

static void
lists_arrived(void *ctx)
{
	struct fleet *fleet = ctx;
	const json_t *subscription;
	size_t i;

	json_array_foreach (fleet->subscriptions, i, subscription) {
		for (size_t j = 0; j < sizeof(split_types) / sizeof(*split_types); j++)
			fleet_split(fleet->azure, fleet->ids, json_string_value(subscription),
				    split_types[j]);
	}
	fleet->done(fleet->ctx, fleet->ids, fleet->why);
	json_decref(fleet->subscriptions);
	json_decref(fleet->vms);
	json_decref(fleet->rows);
	json_decref(fleet->ids);
	json_decref(fleet->why);
	free(fleet);
}

static void
take_health(void *ctx, const char *id, const json_t *body)
{
	struct fleet *fleet = ctx;

	fetch_enter(&fleet->azure->fetches, id, json_incref((json_t *)(uintptr_t)body), NULL);
}

static void
list_of(struct fleet *fleet, const char *subscription, const char *type,
	void (*item)(void *ctx, const char *id, const json_t *body))
{
	char *path = doc_fmt("/subscriptions/%s/providers/%s", subscription, type);

	if (item != NULL)
		list_visit(&fleet->azure->fetches, path, false, item, fleet, join_end,
			   join_add(&fleet->join));
	else
		list_fetch(&fleet->azure->fetches, path, false, join_end, join_add(&fleet->join));
	free(path);
}

/* The states of VMs that are held. */
static void
take_states(void *ctx, json_t *items)
{
	const struct fleet *fleet = ctx;
	json_t *body, *view;
	size_t i;

	json_array_foreach (items, i, body)
		if ((view = doc_get(body, "properties.instanceView")) != NULL)
			fleet_view(fleet->azure, doc_str(body, "id"), view);
}

static void
list_ended(void *ctx, const struct arm_answer *answer)
{
	struct fleet *fleet = ctx;

	note_gap(fleet, answer->why);
	join_end(&fleet->join);
}

/* Of ARM's lists each page is taken as it comes. */
static void
ask_list(struct fleet *fleet, const char *subscription, const char *type, const char *query,
	 void (*page)(void *ctx, json_t *items))
{
	char *path = doc_fmt("/subscriptions/%s/providers/%s", subscription, type);

	join_add(&fleet->join);
	arm_ask(&fleet->azure->arm,
		&(struct arm_ask){ .path = path,
				   .query = query,
				   .flags = ARM_LIST | ARM_LARGE,
				   .pages = LIST_PAGES,
				   .page = page },
		list_ended, fleet);
	free(path);
}

/* Resource Graph knows the power state, some minutes old, and neither why a VM was not provisioned
 * nor what its agent says. */
static void
ask_states(struct fleet *fleet, const char *subscription)
{
	ask_list(fleet, subscription, "Microsoft.Compute/virtualMachines", "statusOnly=true",
		 take_states);
}

/* What Resource Graph has not, by one list of each subscription. */
static void
rows_arrived(void *ctx)
{
	struct fleet *fleet = ctx;
	const json_t *subscription, *vm;
	size_t i;

	fleet_hold_vms(fleet->azure, fleet->vms);
	fleet->ids = sorted_ids(fleet->vms);
	fleet_hold(fleet->azure, fleet->rows);
	fleet_lists(fleet->azure, fleet->ids, fleet->rows);
	json_array_clear(fleet->rows);
	json_array_foreach (fleet->vms, i, vm)
		json_object_del((json_t *)(uintptr_t)vm, "text");
	join_begin(&fleet->join, lists_arrived, fleet);
	json_array_foreach (fleet->subscriptions, i, subscription) {
		for (size_t j = 0; j < sizeof(split_types) / sizeof(*split_types); j++)
			list_of(fleet, json_string_value(subscription), split_types[j], NULL);
		list_of(fleet, json_string_value(subscription), HEALTH, take_health);
		ask_states(fleet, json_string_value(subscription));
	}
	join_end(&fleet->join);
}

/* ---- which VMs ---- */

static bool
has_tag(const json_t *body, const char *tag)
{
	size_t len = strcspn(tag, "=");
	const char *name;
	const json_t *value;

	json_object_foreach (json_object_get(body, "tags"), name, value)
		if (strlen(name) == len && strncasecmp(name, tag, len) == 0 &&
		    (tag[len] == '\0' || doc_same(json_string_value(value), tag + len + 1)))
			return true;
	return false;
}

static bool
selected(const struct fleet *fleet, const json_t *body)
{
	const struct azure_selection *selection = &fleet->selection;
	char group[128], type[192];
	const char *id = doc_str(body, "id");

	if (id == NULL || arm_id_type(id, type, sizeof(type)) < 0 || strcmp(type, VMS) != 0)
		return false;
	arm_id_group(id, group, sizeof(group));
	if (selection->group != NULL && strcasecmp(group, selection->group) != 0)
		return false;
	for (size_t i = 0; i < selection->tag_count; i++)
		if (!has_tag(body, selection->tags[i]))
			return false;
	return true;
}

static void
take_vms(struct fleet *fleet, const json_t *rows)
{
	const json_t *row;
	size_t i;

	json_array_foreach (rows, i, row)
		if (selected(fleet, row))
			json_array_append(fleet->vms, (json_t *)(uintptr_t)row);
}

/* ---- ARM's lists ---- */

static json_t *
rows_of(json_t *items)
{
	json_t *rows = json_array(), *item;
	size_t i;

	json_array_foreach (items, i, item)
		json_array_append_new(rows, fleet_row(item));
	return rows;
}

static void
take_models(void *ctx, json_t *items)
{
	json_t *rows = rows_of(items);

	take_vms(ctx, rows);
	json_decref(rows);
}

static void
take_networks(void *ctx, json_t *items)
{
	json_t *rows = rows_of(items);

	json_array_extend(((struct fleet *)ctx)->rows, rows);
	json_decref(rows);
}

static void
models_listed(void *ctx)
{
	struct fleet *fleet = ctx;
	const json_t *subscription;
	const char *type;
	size_t i;

	join_begin(&fleet->join, rows_arrived, fleet);
	json_array_foreach (fleet->subscriptions, i, subscription) {
		for (size_t j = 0; (type = reader_list_type(j)) != NULL; j++)
			if (strncasecmp(type, "Microsoft.Network/", 18) == 0)
				ask_list(fleet, json_string_value(subscription), type, NULL,
					 take_networks);
	}
	join_end(&fleet->join);
}

static void
list_models(struct fleet *fleet)
{
	const json_t *subscription;
	size_t i;

	fleet->listing = true;
	json_array_clear(fleet->vms);
	json_array_clear(fleet->rows);
	join_begin(&fleet->join, models_listed, fleet);
	json_array_foreach (fleet->subscriptions, i, subscription)
		ask_list(fleet, json_string_value(subscription),
			 "Microsoft.Compute/virtualMachines", NULL, take_models);
	join_end(&fleet->join);
}

/* ---- Resource Graph ---- */

static void
graph_ended(void *ctx)
{
	struct fleet *fleet = ctx;

	if (fleet->listing)
		list_models(fleet);
	else
		rows_arrived(fleet);
}

static void
graph_vms(void *ctx, const struct arm_answer *answer)
{
	struct fleet *fleet = ctx;

	fleet->listing = fleet->listing || answer->why != NULL || answer->more;
	take_vms(fleet, answer->body);
	join_end(&fleet->join);
}

static void
graph_rows(void *ctx, const struct arm_answer *answer)
{
	struct fleet *fleet = ctx;

	fleet->listing = fleet->listing || answer->why != NULL || answer->more;
	json_array_extend(fleet->rows, answer->body);
	join_end(&fleet->join);
}

static void
ask_graph(struct fleet *fleet, const char *types,
	  void (*got)(void *ctx, const struct arm_answer *answer))
{
	char *query;

	query = doc_fmt("Resources | where type in~ (%s) | project id, name, type, location, tags, "
			"zones, sku, properties | order by id asc",
			types);
	join_add(&fleet->join);
	graph_read(&fleet->azure->arm, query, fleet->subscriptions, got, fleet);
	free(query);
}

/* One query a kind: Resource Graph gives 1,000 rows a page, and kinds come side by side. */
static void
begin(struct fleet *fleet)
{
	fleet->azure->fleet = json_object();
	join_begin(&fleet->join, graph_ended, fleet);
	ask_graph(fleet, "'microsoft.compute/virtualmachines'", graph_vms);
	ask_graph(fleet, "'microsoft.network/networkinterfaces'", graph_rows);
	ask_graph(fleet, "'microsoft.network/publicipaddresses'", graph_rows);
	ask_graph(fleet,
		  "'microsoft.network/networksecuritygroups', 'microsoft.network/virtualnetworks', "
		  "'microsoft.network/routetables', 'microsoft.network/natgateways', "
		  "'microsoft.devtestlab/schedules'",
		  graph_rows);
	join_end(&fleet->join);
}

/* ---- which subscriptions ---- */

static bool
asked_for(const struct fleet *fleet, const json_t *body)
{
	const struct azure_selection *selection = &fleet->selection;

	for (size_t i = 0; i < selection->subscription_count; i++)
		if (doc_same(doc_str(body, "subscriptionId"), selection->subscriptions[i]) ||
		    doc_same(doc_str(body, "displayName"), selection->subscriptions[i]))
			return true;
	return selection->subscription_count == 0 && !doc_is(body, "state", "Deleted");
}

static void
take_subscription(void *ctx, const char *id, const json_t *body)
{
	struct fleet *fleet = ctx;

	(void)id;
	if (asked_for(fleet, body) && doc_str(body, "subscriptionId") != NULL)
		doc_append_str(fleet->subscriptions, doc_str(body, "subscriptionId"));
}

static void
subscriptions_known(void *ctx)
{
	struct fleet *fleet = ctx;
	const json_t *state = list_state(&fleet->azure->fetches, "/subscriptions");
	size_t found = json_array_size(fleet->subscriptions);

	if (!doc_is(state, "state", "known"))
		note_gap(fleet, state);
	else if (found < fleet->selection.subscription_count)
		fleet->why = json_pack(
		    "{s:s, s:s, s:s}", "state", "unknown", "cause", "subscription-not-found",
		    "reason", "this sign-in does not see every subscription that was named");
	begin(fleet);
}

void
azure_fleet(struct azure *azure, const struct azure_selection *selection,
	    void (*done)(void *ctx, json_t *ids, const json_t *why), void *ctx)
{
	struct fleet *fleet = malloc(sizeof(*fleet));

	*fleet = (struct fleet){ .azure = azure,
				 .selection = *selection,
				 .subscriptions = json_array(),
				 .vms = json_array(),
				 .rows = json_array(),
				 .done = done,
				 .ctx = ctx };
	if (selection->subscription_count == 0 && azure->account.active != NULL) {
		doc_append_str(fleet->subscriptions, azure->account.active);
		begin(fleet);
		return;
	}
	list_visit(&azure->fetches, "/subscriptions", false, take_subscription, fleet,
		   subscriptions_known, fleet);
}
