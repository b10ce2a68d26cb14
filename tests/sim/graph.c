/* Azure Resource Graph: POST /providers/Microsoft.ResourceGraph/resources */
#include "tests/sim/sim.h"

#include <stdlib.h>
#include <string.h>

static void
bad_query(struct reply *reply, const char *why)
{
	reply_json(reply, 400,
		   json_pack("{s:{s:s,s:s,s:[{s:s,s:s},{s:s,s:o}]}}", "error", "code", "BadRequest",
			     "message",
			     "Please provide below info when asking for support: timestamp = "
			     "2026-01-01T00:00:00Z, correlationId = "
			     "00000000-0000-0000-0000-000000000000.",
			     "details", "code", "InvalidQuery", "message",
			     "Query is invalid. Please refer to the documentation for the Azure "
			     "Resource Graph service and fix the error "
			     "before retrying.",
			     "code", "ParserFailure", "message", json_bytes(why)));
}

static bool
subscription_wanted(const json_t *query, const char *subscription)
{
	json_t *list = json_object_get(query, "subscriptions"), *wanted;
	size_t i;

	if (!json_is_array(list))
		return true;
	json_array_foreach (list, i, wanted) {
		if (text_same(json_string_value(wanted), subscription))
			return true;
	}
	return false;
}

static json_t *
row_of(const struct sim *sim, const json_t *body, const struct arm *arm)
{
	static const char *const copied[] = {
		"id",   "name", "location", "kind",  "managedBy",        "sku",
		"plan", "tags", "identity", "zones", "extendedLocation", "properties"
	};
	json_t *row = json_object(), *power;
	char *type =
	    text_lower(json_text_at(body, "type") != NULL ? json_text_at(body, "type") : "");
	char *group = text_lower(arm_group(arm) != NULL ? arm_group(arm) : "");

	for (size_t i = 0; i < sizeof copied / sizeof copied[0]; i++) {
		if (json_object_get(body, copied[i]) != NULL)
			json_put(row, copied[i], json_deep_copy(json_object_get(body, copied[i])));
	}
	json_put_text(row, "type", type);
	json_put_text(row, "resourceGroup", group);
	json_put_text(row, "subscriptionId",
		      arm_subscription(arm) != NULL ? arm_subscription(arm) : "");
	json_put_text(row, "tenantId", world_tenant(sim));
	if (vm_power(body) != NULL) {
		char *code = text_format("PowerState/%s", vm_power(body)),
		     *shown = text_format("VM %s", vm_power(body));

		json_object_del(json_object_get(row, "properties"), "instanceView");
		power = json_pack("{s:s,s:s,s:s}", "code", code, "displayStatus", shown, "level",
				  "Info");
		json_put(json_section(json_section(json_section(row, "properties"), "extended"),
				      "instanceView"),
			 "powerState", power);
		free(code);
		free(shown);
	}
	free(type);
	free(group);
	return row;
}

/* Resources holds what stands directly below a provider, and VM extensions; ComputeResources the
 * scale set instances. */
static bool
in_table(const char *table, const struct arm *arm, const json_t *body)
{
	bool member =
	    resource_type_is(body, "Microsoft.Compute/virtualMachineScaleSets/virtualMachines");

	if (text_same(table, "ComputeResources"))
		return member;
	if (text_same(table, "ResourceContainers"))
		return arm->provider >= arm->count;
	return arm->count - arm->provider == 4 && arm->provider < arm->count &&
	       !text_same(arm->segment[arm->provider + 1], "Microsoft.Authorization");
}

/* A query that begins with the types it wants and has no other choice in it: false for a type that
 * it does not name, without the interpreter being asked. */
static bool
type_wanted(const char *query, const char *type)
{
	bool wanted;
	char *quoted;

	if (strstr(query, "| where type ") == NULL || strstr(query, " or ") != NULL ||
	    strchr(query, '!') != NULL || strstr(query, "not(") != NULL || type == NULL)
		return true;
	quoted = text_format("'%s'", type);
	wanted = text_find(query, quoted) != NULL;
	free(quoted);
	return wanted;
}

static json_t *
rows_of(const struct request *request, const json_t *query, const char *table)
{
	const struct sim *sim = request->sim;
	json_t *rows = json_array(), *body;
	const char *id, *tenant = json_text_at(request->caller, "tid");

	json_object_foreach (sim->resources, id, body) {
		struct arm arm;
		json_t *subscription;

		if (!type_wanted(json_text_at(query, "query"), json_text_at(body, "type")) ||
		    arm_parse(json_text_at(body, "id"), &arm) < 0)
			continue;
		if (arm_subscription(&arm) != NULL &&
		    subscription_wanted(query, arm_subscription(&arm)) &&
		    in_table(table, &arm, body)) {
			subscription = subscription_body(sim, arm_subscription(&arm));
			if (tenant == NULL ||
			    text_same(tenant, json_text_at(subscription, "tenantId")))
				json_array_append_new(rows, row_of(sim, body, &arm));
			json_decref(subscription);
		}
		arm_free(&arm);
	}
	return rows;
}

static json_t *
as_table(const json_t *data)
{
	json_t *columns = json_array(), *rows = json_array(), *row, *value, *cells;
	const char *name;
	size_t i;

	json_object_foreach (json_array_get(data, 0), name, value)
		json_array_append_new(columns,
				      json_pack("{s:s,s:s}", "name", name, "type",
						json_is_string(value) ? "string" : "object"));
	json_array_foreach ((json_t *)(uintptr_t)data, i, row) {
		cells = json_array();
		json_object_foreach (row, name, value)
			json_array_append(cells, value);
		json_array_append_new(rows, cells);
	}
	return json_pack("{s:o,s:o}", "columns", columns, "rows", rows);
}

static void
answer(const struct request *request, const json_t *query, json_t *all, struct reply *reply)
{
	const json_t *options = json_object_get(query, "options");
	const char *token = json_text_at(options, "$skipToken"),
		   *format = json_text_at(options, "resultFormat");
	long long size = json_number_at(request->sim->world, "page_size", 50),
		  from = token != NULL ? strtoll(token, NULL, 10) : 0;
	long long top = json_number_at(options, "$top", 1000);
	json_t *page = json_array(), *body;
	bool more;

	from += token == NULL ? json_number_at(options, "$skip", 0) : 0;
	top = top > size || top < 1 ? size : top;
	for (long long i = from < 0 ? 0 : from;
	     i < (long long)json_array_size(all) && i < from + top; i++)
		json_array_append(page, json_array_get(all, (size_t)i));
	more = from + top < (long long)json_array_size(all);
	body = json_pack("{s:I,s:I,s:s,s:[]}", "totalRecords", (json_int_t)json_array_size(all),
			 "count", (json_int_t)json_array_size(page), "resultTruncated",
			 more ? "true" : "false", "facets");
	if (more) {
		char *next = text_format("%lld", from + top);

		json_put_text(body, "$skipToken", next);
		free(next);
	}
	json_put(body, "data", text_same(format, "table") ? as_table(page) : json_incref(page));
	json_decref(page);
	reply_header(reply, "x-ms-user-quota-remaining", "14");
	reply_header(reply, "x-ms-user-quota-resets-after", "00:00:05");
	reply_json(reply, 200, body);
}

/* What tells a query from others, whatever page of it is asked for. The caller frees. */
static char *
key_of(const json_t *query)
{
	json_t *copy = json_deep_copy(query);
	char *key;

	json_object_del(json_object_get(copy, "options"), "$skipToken");
	key = json_dumps(copy, JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(copy);
	return key;
}

/* Further pages are of the rows that the first one was of. */
static json_t *
all_rows(const struct request *request, const json_t *query, const struct kql *kql)
{
	struct sim *sim = request->sim;
	const json_t *options = json_object_get(query, "options");
	char *key = key_of(query);
	json_t *rows, *all = json_object_get(sim->pages, key);

	if (all != NULL && json_text_at(options, "$skipToken") != NULL) {
		free(key);
		return json_incref(all);
	}
	rows = rows_of(request, query, kql_table(kql));
	all = kql_run(kql, rows);
	json_decref(rows);
	if (sim->pages == NULL || json_object_size(sim->pages) > 32) {
		json_decref(sim->pages);
		sim->pages = json_object();
	}
	json_object_set(sim->pages, key, all);
	free(key);
	return all;
}

void
graph_query(struct request *request, struct reply *reply)
{
	json_t *query = request->body != NULL ? json_loads(request->body, 0, NULL) : NULL, *all;
	const char *text = json_text_at(query, "query"), *table;
	struct kql *kql = NULL;
	char *why = NULL;

	if (text == NULL) {
		bad_query(reply, "The query is missing.");
	} else if (kql_parse(text, &kql, &why) < 0) {
		bad_query(reply, why);
	} else if (table = kql_table(kql), !text_same(table, "Resources") &&
					       !text_same(table, "ComputeResources") &&
					       !text_same(table, "ResourceContainers")) {
		bad_query(reply, "The table is not known.");
	} else {
		all = all_rows(request, query, kql);
		answer(request, query, all, reply);
		json_decref(all);
	}
	kql_free(kql);
	free(why);
	json_decref(query);
}
