/* Lists: derived from the resources, paged by nextLink. */
#include "tests/sim/sim.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void
list_reply(struct request *request, json_t *all, struct reply *reply)
{
	long long size = json_number_at(request->sim->world, "page_size", 50), from = 0, top = size;
	const char *token = json_text_at(request->args, "$skiptoken"),
		   *asked = json_text_at(request->args, "$top");
	json_t *page = json_array(), *body;

	if (token != NULL)
		from = strtoll(token, NULL, 10);
	if (asked != NULL && strtoll(asked, NULL, 10) > 0 && strtoll(asked, NULL, 10) < top)
		top = strtoll(asked, NULL, 10);
	if (from < 0 || size < 1) {
		from = 0;
		top = size = 50;
	}
	for (size_t i = (size_t)from; i < json_array_size(all) && i < (size_t)(from + top); i++)
		json_array_append(page, json_array_get(all, i));
	body = json_pack("{s:o}", "value", page);
	if ((size_t)(from + top) < json_array_size(all)) {
		char *query = text_copy(request->query), *old = strcasestr(query, "&%24skiptoken="),
		     *link;

		if (old == NULL)
			old = strcasestr(query, "&$skiptoken=");
		if (old != NULL)
			*old = '\0';
		link = text_format("%s%.*s?%s&%%24skiptoken=%lld", request->base,
				   (int)strcspn(request->target, "?"), request->target, query,
				   from + top);
		json_put_text(body, "nextLink", link);
		free(link);
		free(query);
	}
	json_decref(all);
	reply_json(reply, 200, body);
}

static bool
wanted_by_filter(const struct request *request, const json_t *body)
{
	const char *filter = json_text_at(request->args, "$filter"),
		   *set = json_text_at(body, "properties.virtualMachineScaleSet.id");

	if (filter == NULL || text_find(filter, "virtualMachineScaleSet/id") == NULL)
		return true;
	return set != NULL && text_find(filter, set) != NULL;
}

/* Role assignments of a principal are those of the scope and of all above it; NULL when something
 * else is asked for. */
static json_t *
assigned_to(const struct request *request, const struct arm *arm)
{
	const char *filter = json_text_at(request->args, "$filter"), *id;
	char *above = arm_prefix(arm, arm->count - 3);
	json_t *all, *body;

	if (filter == NULL || text_find(filter, "assignedTo('") == NULL ||
	    !text_same(arm->segment[arm->count - 1], "roleAssignments")) {
		free(above);
		return NULL;
	}
	all = json_array();
	json_object_foreach (request->sim->resources, id, body) {
		const char *type =
			       text_find(id, "/providers/microsoft.authorization/roleassignments/"),
			   *principal = json_text_at(body, "properties.principalId");

		if (type != NULL && principal != NULL && text_find(filter, principal) != NULL &&
		    strncasecmp(above, id, (size_t)(type - id)) == 0)
			json_array_append(all, body);
	}
	free(above);
	return all;
}

/* The answer to a list of one type. Lists Azure makes up for every resource are never missing, only
 * empty. */
static int
typed_list(struct request *request, const struct arm *arm, struct reply *reply)
{
	const char *expand = json_text_at(request->args, "$expand"),
		   *status_only = json_text_at(request->args, "statusonly");
	json_t *found, *all = assigned_to(request, arm), *body;
	size_t i;

	if (all != NULL) {
		list_reply(request, all, reply);
		return 0;
	}
	all = json_array();
	if ((found = list_collect(request->sim, arm)) == NULL) {
		json_decref(all);
		return -ENOENT;
	}
	if (status_only != NULL && text_same(status_only, "true"))
		expand = "instanceView";
	json_array_foreach (found, i, body) {
		if (wanted_by_filter(request, body))
			json_array_append_new(all, derive_body(request->sim, body, expand));
	}
	json_decref(found);
	if (text_same(arm->segment[arm->provider + 1], "Microsoft.Authorization") &&
	    json_array_size(all) == 0 && text_same(arm->segment[arm->count - 1], "permissions"))
		json_array_append_new(all,
				      json_pack("{s:[s],s:[],s:[],s:[]}", "actions", "*",
						"notActions", "dataActions", "notDataActions"));
	list_reply(request, all, reply);
	return 0;
}

/* /resources with $filter: entries without properties. */
static void
resource_list(struct request *request, const struct arm *arm, struct reply *reply)
{
	static const char *const shown[] = { "id",       "name", "type", "kind",     "managedBy",
					     "location", "sku",  "tags", "identity", "zones" };
	const char *filter = json_text_at(request->args, "$filter"), *id;
	char *scope = arm_prefix(arm, arm->count - 1), *lower = text_lower(scope),
	     *inside = text_format("%s/", lower), *why = NULL;
	struct kql *kql = NULL;
	json_t *rows = json_array(), *body, *kept;

	json_object_foreach (request->sim->resources, id, body) {
		const char *at =
		    strncmp(id, inside, strlen(inside)) == 0 ? strstr(id, "/providers/") : NULL;
		struct arm own;
		json_t *row;

		if (at == NULL || arm_parse(json_text_at(body, "id"), &own) < 0)
			continue;
		if (own.count - own.provider == 4) {
			row = json_object();
			for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++) {
				if (json_object_get(body, shown[i]) != NULL)
					json_put(row, shown[i],
						 json_deep_copy(json_object_get(body, shown[i])));
			}
			json_put_default(
			    row, "resourceType",
			    json_bytes(json_text_at(row, "type") ? json_text_at(row, "type") : ""));
			json_put_default(
			    row, "resourceGroup",
			    json_bytes(arm_group(&own) != NULL ? arm_group(&own) : ""));
			json_array_append_new(rows, row);
		}
		arm_free(&own);
	}
	if (filter != NULL && *filter != '\0' && kql_parse_filter(filter, &kql, &why) < 0) {
		reply_error(reply, 400, "InvalidFilterInQueryString",
			    "Invalid $filter '%s' specified in the query string: %s", filter, why);
	} else {
		size_t i;

		kept = kql != NULL ? kql_run(kql, rows) : json_incref(rows);
		json_array_foreach (kept, i, body) {
			json_object_del(body, "resourceType");
			json_object_del(body, "resourceGroup");
		}
		list_reply(request, kept, reply);
	}
	json_decref(rows);
	kql_free(kql);
	free(why);
	free(inside);
	free(lower);
	free(scope);
}

/* Distinct subscriptions or groups that the world mentions, in the order of the file. */
static json_t *
scopes(const struct sim *sim, const char *subscription, const char *tenant)
{
	json_t *seen = json_object(), *all = json_array(), *body;
	const char *key;

	json_object_foreach (sim->resources, key, body) {
		struct arm arm;
		const char *name;
		json_t *scope;

		if (arm_parse(json_text_at(body, "id"), &arm) < 0)
			continue;
		name = subscription != NULL ? arm_group(&arm) : arm_subscription(&arm);
		if (name != NULL &&
		    (subscription == NULL || text_same(arm_subscription(&arm), subscription))) {
			char *lower = text_lower(name);

			scope = subscription != NULL ? group_body(sim, subscription, name)
						     : subscription_body(sim, name);
			if (json_object_get(seen, lower) == NULL &&
			    (tenant == NULL || text_same(json_text_at(scope, "tenantId"), tenant)))
				json_array_append(all, scope);
			json_put(seen, lower, json_true());
			json_decref(scope);
			free(lower);
		}
		arm_free(&arm);
	}
	json_decref(seen);
	return all;
}

static json_t *
tenants(const struct sim *sim)
{
	char *id = text_format("/tenants/%s", world_tenant(sim));
	json_t *list = json_array();

	json_array_append_new(
	    list, json_pack("{s:s,s:s,s:s,s:s,s:[s],s:s,s:s,s:s}", "id", id, "tenantId",
			    world_tenant(sim), "countryCode", "US", "displayName", "Sim Directory",
			    "domains", "sim.onmicrosoft.com", "tenantCategory", "Home",
			    "defaultDomain", "sim.onmicrosoft.com", "tenantType", "AAD"));
	free(id);
	return list;
}

static json_t *
locations(const char *subscription)
{
	static const char *const names[][2] = { { "eastus", "East US" },
						{ "westeurope", "West Europe" },
						{ "westus", "West US" } };
	json_t *list = json_array();

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		char *id = text_format("/subscriptions/%s/locations/%s", subscription, names[i][0]);

		json_array_append_new(list,
				      json_pack("{s:s,s:s,s:s,s:s,s:s,s:{s:s}}", "id", id, "name",
						names[i][0], "type", "Region", "displayName",
						names[i][1], "regionalDisplayName", names[i][1],
						"metadata", "regionType", "Physical"));
		free(id);
	}
	return list;
}

int
list_get(struct request *request, const struct arm *arm, struct reply *reply)
{
	const struct sim *sim = request->sim;
	const char *subscription = arm_subscription(arm),
		   *last = arm->count > 0 ? arm->segment[arm->count - 1] : "";

	if (arm->provider < arm->count && arm->provider + 1 < arm->count)
		return typed_list(request, arm, reply);
	if (arm->count == 1 && text_same(last, "subscriptions"))
		list_reply(request, scopes(sim, NULL, json_text_at(request->caller, "tid")), reply);
	else if (arm->count == 1 && text_same(last, "tenants"))
		list_reply(request, tenants(sim), reply);
	else if (subscription != NULL && arm->count == 3 && text_same(last, "resourceGroups"))
		list_reply(request, scopes(sim, subscription, NULL), reply);
	else if (subscription != NULL && arm->count == 3 && text_same(last, "locations"))
		list_reply(request, locations(subscription), reply);
	else if (subscription != NULL && (arm->count == 3 || arm->count == 5) &&
		 text_same(last, "resources"))
		resource_list(request, arm, reply);
	else
		return -ENOENT;
	return 0;
}
