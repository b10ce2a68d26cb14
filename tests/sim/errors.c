/* Answers, and the error bodies of Azure Resource Manager. */
#include "tests/sim/sim.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void
reply_init(struct reply *reply)
{
	*reply = (struct reply){ .status = 500, .headers = json_object() };
}

void
reply_free(struct reply *reply)
{
	json_decref(reply->json);
	json_decref(reply->headers);
	free(reply->text);
	free(reply->content_type);
	*reply = (struct reply){ 0 };
}

void
reply_json(struct reply *reply, unsigned status, json_t *body)
{
	json_decref(reply->json);
	free(reply->text);
	reply->text = NULL;
	reply->length = 0;
	reply->json = body;
	reply->status = status;
}

void
reply_header(struct reply *reply, const char *name, const char *value)
{
	json_put_text(reply->headers, name, value);
}

static void
error_json(struct reply *reply, unsigned status, const char *code, const char *message)
{
	reply_json(
	    reply, status,
	    json_pack("{s:{s:s,s:o}}", "error", "code", code, "message", json_bytes(message)));
}

void
reply_error(struct reply *reply, unsigned status, const char *code, const char *format, ...)
{
	va_list list;
	char *message = NULL;

	va_start(list, format);
	if (vasprintf(&message, format, list) < 0)
		message = NULL;
	va_end(list);
	error_json(reply, status, code, message != NULL ? message : "");
	free(message);
}

/* Names of nested things in sentences: "Microsoft.Compute/virtualMachines/x". */
static char *
resource_sentence_name(const struct arm *arm)
{
	char *all = arm_prefix(arm, arm->count), *scope = arm_prefix(arm, arm->provider + 1),
	     *name = text_copy(all + strlen(scope));

	memmove(name, name + (*name == '/'), strlen(name) + (*name != '/'));
	free(scope);
	free(all);
	return name;
}

void
reply_not_found(const struct request *request, const struct arm *arm, struct reply *reply)
{
	const struct sim *sim = request->sim;
	const char *subscription = arm_subscription(arm), *group = arm_group(arm);
	char *parent, *name, *type, *last;
	bool orphan;

	if (subscription != NULL && !subscription_exists(sim, subscription)) {
		reply_error(reply, 404, "SubscriptionNotFound",
			    "The subscription '%s' could not be found.", subscription);
		return;
	}
	if (group != NULL && !group_exists(sim, subscription, group)) {
		reply_error(reply, 404, "ResourceGroupNotFound",
			    "Resource group '%s' could not be found.", group);
		return;
	}
	if (arm->provider >= arm->count || arm->provider + 2 >= arm->count) {
		reply_error(reply, 404, "InvalidResourceType",
			    "The requested resource path '%s' is not known.", request->path);
		return;
	}
	parent = arm_prefix(arm, arm->count - 2);
	name = resource_sentence_name(arm);
	type = arm_type(arm);
	last = strrchr(type, '/');
	orphan = arm->count - arm->provider >= 6 && resource_find(sim, parent) == NULL;
	if (orphan && arm_is_resource(arm))
		reply_error(
		    reply, 404, "ParentResourceNotFound",
		    "Failed to perform '%s' on resource(s) of type '%s', because the parent "
		    "resource '%s' could not be found.",
		    text_same(request->method, "GET") ? "read" : "write", last != NULL ? type : "",
		    parent);
	else if (arm->count - arm->provider >= 6)
		reply_error(reply, 404, "NotFound", "Resource %s not found.", request->path);
	else
		reply_error(
		    reply, 404, "ResourceNotFound",
		    "The Resource '%s' under resource group '%s' was not found. For more details "
		    "please go to https://aka.ms/ARMResourceNotFoundFix",
		    name, group != NULL ? group : "<null>");
	free(type);
	free(name);
	free(parent);
}

/* The action that role-based access would have been asked for, and the scope it would have been
 * checked at. */
char *
action_of(const struct request *request, char **ret_scope)
{
	const char *verb = text_same(request->method, "PUT") || text_same(request->method, "PATCH")
			       ? "write"
			   : text_same(request->method, "DELETE") ? "delete"
			   : text_same(request->method, "POST")   ? "action"
								  : "read";
	struct arm arm;
	char *type, *action;
	size_t scope;

	if (arm_parse(request->path, &arm) < 0) {
		*ret_scope = text_copy("/");
		return text_copy("Microsoft.Resources/subscriptions/read");
	}
	scope = arm.count;
	type = arm_type(&arm);
	if (*type == '\0') {
		static const char *const above[] = { "subscriptions", "subscriptions",
						     "subscriptions/%s",
						     "subscriptions/resourceGroups",
						     "subscriptions/resourceGroups/%s" };
		const char *tail = arm.count > 0 ? arm.segment[arm.count - 1] : "";

		action = arm.count == 3 && !text_same(tail, "resourceGroups")
			     ? text_format("Microsoft.Resources/subscriptions/%s/%s", tail, verb)
			 : arm.count == 5
			     ? text_format("Microsoft.Resources/subscriptions/resourceGroups/%s/%s",
					   tail, verb)
			     : text_format("Microsoft.Resources/%s/%s",
					   arm.count < 3 ? above[0] : above[3], verb);
		scope = arm.count % 2 == 0 ? arm.count : arm.count - 1;
	} else {
		if (!arm_is_resource(&arm) && (arm.count - arm.provider) % 2 == 1 &&
		    text_same(verb, "action"))
			scope = arm.count -
				1; /* POST id/action: the action's name is in the type already */
		else if (!arm_is_resource(&arm))
			scope = text_same(arm.segment[arm.count - 1], "instanceView")
				    ? arm.count - 1
				: arm.count - arm.provider == 3 ? arm.provider
								: arm.count - 1;
		action = text_format("%s/%s", type, verb);
	}
	*ret_scope = arm_prefix(&arm, scope);
	free(type);
	arm_free(&arm);
	return action;
}

static void
reply_forbidden(const struct request *request, const char *code, struct reply *reply)
{
	char *scope, *action = action_of(request, &scope);
	const char *client = json_text_at(request->caller, "appid"),
		   *object = json_text_at(request->caller, "oid");

	if (client == NULL)
		client = "00000000-0000-0000-0000-0000000000c1";
	reply_error(reply, 403, code,
		    "The client '%s' with object id '%s' does not have authorization to perform "
		    "action '%s' over scope '%s' "
		    "or the scope is invalid. If access was recently granted, please refresh your "
		    "credentials.",
		    client, object != NULL ? object : client, action, *scope != '\0' ? scope : "/");
	free(scope);
	free(action);
}

static void
reply_throttled(const struct request *request, const char *code, const char *message,
		struct reply *reply)
{
	if (code != NULL || message != NULL ||
	    text_find(request->path, "/Microsoft.Compute/") == NULL) {
		error_json(reply, 429, code != NULL ? code : "TooManyRequests",
			   message != NULL ? message
					   : "The request is being throttled as the limit has been "
					     "reached for operation type - "
					     "Read_ObservationWindow_00:05:00.");
		return;
	}
	reply_header(reply, "x-ms-ratelimit-remaining-resource",
		     "Microsoft.Compute/HighCostGet30Min;0");
	reply_json(
	    reply, 429,
	    json_pack("{s:s,s:s,s:[{s:s,s:s,s:s}]}", "code", "OperationNotAllowed", "message",
		      "The server rejected the request because too many requests have been "
		      "received for this subscription.",
		      "details", "code", "TooManyRequests", "target", "HighCostGet30Min", "message",
		      "{\"operationGroup\":\"HighCostGet30Min\",\"startTime\":\"2026-01-01T19:54:"
		      "21.0914017+00:00\",\"endTime\":"
		      "\"2026-01-01T20:14:21.0914017+00:00\",\"allowedRequestCount\":800,"
		      "\"measuredRequestCount\":1238}"));
}

/* An answer of this status as Azure would word it; code and message may be NULL. */
void
reply_status(const struct request *request, unsigned status, const char *code, const char *message,
	     struct reply *reply)
{
	static const struct {
		unsigned status;
		const char *code, *message;
	} usual[] = {
		{ 400, "BadRequest", "The request is not valid." },
		{ 401, "InvalidAuthenticationToken", "The access token is invalid." },
		{ 404, "ResourceNotFound", "The resource was not found." },
		{ 408, "RequestTimeout", "The request timed out." },
		{ 409, "Conflict",
		  "The request conflicts with the current state of the resource." },
		{ 500, "InternalServerError",
		  "Encountered internal server error. Diagnostic information: timestamp and "
		  "tracking id." },
		{ 502, "BadGateway",
		  "The gateway received an invalid answer from the resource provider." },
		{ 503, "ServiceUnavailable", "The service is temporarily unavailable." },
		{ 504, "GatewayTimeout",
		  "The gateway did not receive a response from the resource provider in time." },
	};
	struct arm arm;

	if (status == 403 && message == NULL) {
		reply_forbidden(request, code != NULL ? code : "AuthorizationFailed", reply);
		return;
	}
	if (status == 429) {
		reply_throttled(request, code, message, reply);
		return;
	}
	if (status == 404 && code == NULL && message == NULL &&
	    arm_parse(request->path, &arm) == 0) {
		reply_not_found(request, &arm, reply);
		arm_free(&arm);
		return;
	}
	for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++) {
		if (usual[i].status != status)
			continue;
		code = code != NULL ? code : usual[i].code;
		message = message != NULL ? message : usual[i].message;
	}
	if (status < 400)
		reply_json(reply, status, json_object());
	else
		error_json(reply, status, code != NULL ? code : "Error",
			   message != NULL ? message : "The request failed.");
	if (status == 401) {
		char *header =
		    text_format("Bearer authorization_uri=\"https://login.windows.net/%s\", "
				"error=\"invalid_token\", "
				"error_description=\"The access token is invalid.\"",
				world_tenant(request->sim));

		reply_header(reply, "WWW-Authenticate", header);
		free(header);
	}
}
