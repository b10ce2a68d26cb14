/* Which part answers a request. */
#include "tests/sim/sim.h"

#include <stdlib.h>
#include <string.h>

/* Things Azure makes up for a resource when asked, where the world says nothing. */
static bool
derived_get(const struct request *request, const struct arm *arm, struct reply *reply)
{
	const char *last = arm->segment[arm->count - 1];
	char *parent = arm_prefix(arm, arm->count - 1), *above = arm_prefix(arm, arm->provider),
	     *id;
	const json_t *vm = resource_find(request->sim, parent),
		     *scope = resource_find(request->sim, above);
	const json_t *view = json_at(vm, "properties.instanceView");
	bool mine = true;

	id = arm_prefix(arm, arm->count);
	if (text_same(last, "instanceView") && vm != NULL)
		reply_json(reply, 200, view != NULL ? json_deep_copy(view) : json_object());
	else if (scope != NULL && text_same(last, "current") &&
		 text_same(arm->segment[arm->count - 2], "availabilityStatuses"))
		reply_json(reply, 200,
			   json_pack("{s:s,s:s,s:s,s:O*,s:{s:s,s:s,s:s,s:s,s:s,s:s,s:[]}}", "id",
				     id, "name", "current", "type",
				     "Microsoft.ResourceHealth/AvailabilityStatuses", "location",
				     json_object_get(scope, "location"), "properties",
				     "availabilityState", "Available", "title", "Available",
				     "summary",
				     "There aren't any known Azure platform problems affecting "
				     "this virtual machine.",
				     "reasonType", "", "occuredTime", "2026-01-01T00:00:00Z",
				     "reasonChronicity", "Transient", "recommendedActions"));
	else
		mine = false;
	free(id);
	free(above);
	free(parent);
	return mine;
}

static bool
provider_get(const struct request *request, const struct arm *arm, struct reply *reply)
{
	const char *subscription = arm_subscription(arm), *name;
	char *id;

	if (subscription == NULL || arm->provider != 2 || arm->count != 4 ||
	    !subscription_exists(request->sim, subscription))
		return false;
	name = arm->segment[3];
	id = text_format("/subscriptions/%s/providers/%s", subscription, name);
	reply_json(reply, 200,
		   json_pack("{s:s,s:o,s:s,s:s,s:[]}", "id", id, "namespace", json_bytes(name),
			     "registrationState", "Registered", "registrationPolicy",
			     "RegistrationRequired", "resourceTypes"));
	free(id);
	return true;
}

/* Subscriptions and groups that are only mentioned exist too. */
static bool
scope_get(const struct request *request, const struct arm *arm, struct reply *reply)
{
	const char *subscription = arm_subscription(arm), *group = arm_group(arm);

	if (subscription != NULL && arm->count == 2 &&
	    subscription_exists(request->sim, subscription))
		reply_json(reply, 200, subscription_body(request->sim, subscription));
	else if (group != NULL && arm->count == 4 &&
		 group_exists(request->sim, subscription, group))
		reply_json(reply, 200, group_body(request->sim, subscription, group));
	else
		return false;
	return true;
}

static bool
scopes_missing(const struct request *request, const struct arm *arm)
{
	const char *subscription = arm_subscription(arm), *group = arm_group(arm);

	return (subscription != NULL && !subscription_exists(request->sim, subscription)) ||
	       (group != NULL && !group_exists(request->sim, subscription, group));
}

/* A list below a resource needs that resource. */
static bool
list_parent_missing(const struct request *request, const struct arm *arm)
{
	char *parent;
	bool missing;

	if (arm->provider >= arm->count ||
	    (arm->provider + 2 < arm->count &&
	     text_same(arm->segment[arm->provider + 2], "eventtypes")))
		return false;
	parent = arm_prefix(arm, arm->count - arm->provider >= 5 ? arm->count - 1 : arm->provider);
	missing = arm->count - arm->provider >= 5 &&
		  !text_same(arm->segment[arm->provider + 2], "locations") &&
		  resource_find(request->sim, parent) == NULL;
	if (arm->count - arm->provider == 3 && arm->provider > 4)
		missing = resource_find(request->sim, parent) == NULL;
	free(parent);
	return missing;
}

static void
get_resource(struct request *request, const struct arm *arm, struct reply *reply)
{
	const json_t *body = resource_find(request->sim, request->path);

	if (operation_poll(request, arm, reply) == 0 || scope_get(request, arm, reply))
		return;
	if (body != NULL)
		reply_json(reply, 200,
			   derive_body(request->sim, body, json_text_at(request->args, "$expand")));
	else if (scopes_missing(request, arm) || arm->count == 0)
		reply_not_found(request, arm, reply);
	else if (derived_get(request, arm, reply) || provider_get(request, arm, reply))
		return;
	else if (!list_parent_missing(request, arm) && list_get(request, arm, reply) == 0)
		return;
	else
		reply_not_found(request, arm, reply);
}

static bool
api_version_missing(const struct request *request, struct reply *reply)
{
	if (json_text_at(request->args, "api-version") != NULL)
		return false;
	reply_error(
	    reply, 400, "MissingApiVersionParameter",
	    "The api-version query parameter (?api-version=) is required for all requests.");
	return true;
}

/* A cloud that knows only old api-versions: "api_versions": {"Microsoft.Compute": ["2020-06-01"],
 * "Microsoft.Security": []}. */
static bool
api_version_refused(const struct request *request, const struct arm *arm, struct reply *reply)
{
	const char *version = json_text_at(request->args, "api-version"), *space;
	json_t *served, *one;
	char *list, *type, *longer;
	size_t i;

	if (arm->provider + 1 >= arm->count)
		return false;
	space = arm->segment[arm->provider + 1];
	served = json_get_nocase(json_object_get(request->sim->world, "api_versions"), space);
	if (served == NULL)
		return false;
	if (json_array_size(served) == 0) {
		reply_error(reply, 404, "InvalidResourceNamespace",
			    "The resource namespace '%s' is invalid.", space);
		return true;
	}
	list = text_copy("");
	json_array_foreach (served, i, one) {
		if (text_same(json_string_value(one), version))
			break;
		longer = text_format("%s%s%s", list, i > 0 ? ", " : "",
				     json_string_value(one) != NULL ? json_string_value(one) : "");
		free(list);
		list = longer;
	}
	type = arm_type(arm);
	if (i == json_array_size(served))
		reply_error(
		    reply, 400, "NoRegisteredProviderFound",
		    "No registered resource provider found for location 'local' and API version "
		    "'%s' for type '%s'. The supported api-versions are '%s'.",
		    version, strchr(type, '/') != NULL ? strchr(type, '/') + 1 : type, list);
	free(type);
	free(list);
	return i == json_array_size(served);
}

static void
arm_request(struct request *request, struct reply *reply)
{
	struct arm arm;

	if (!auth_check(request, reply) || api_version_missing(request, reply))
		return;
	if (arm_parse(request->path, &arm) < 0) {
		reply_error(reply, 400, "InvalidRequestUri", "The request URI is too long.");
		return;
	}
	if (api_version_refused(request, &arm, reply))
		;
	else if (text_same(request->method, "POST") &&
		 text_same(request->path, "/providers/Microsoft.ResourceGraph/resources"))
		graph_query(request, reply);
	else if (text_same(request->method, "GET") || text_same(request->method, "HEAD"))
		get_resource(request, &arm, reply);
	else if (text_same(request->method, "POST"))
		action_post(request, reply);
	else if (text_same(request->method, "PUT"))
		write_put(request, reply);
	else if (text_same(request->method, "PATCH"))
		write_patch(request, reply);
	else if (text_same(request->method, "DELETE"))
		write_delete(request, reply);
	else
		reply_error(reply, 405, "MethodNotAllowed", "The method %s is not allowed.",
			    request->method);
	arm_free(&arm);
}

void
route_request(struct request *request, struct reply *reply)
{
	const char *secret = json_text_at(request->headers, "authorization");

	if (text_has_prefix(request->path, "/sas/")) {
		request->auth = secret == NULL                       ? "none"
				: text_has_prefix(secret, "bearer ") ? "bearer"
								     : "basic";
		bootlog_get(request, reply);
	} else if (identity_endpoint(request, reply) < 0 && token_endpoint(request, reply) < 0) {
		arm_request(request, reply);
	}
}
