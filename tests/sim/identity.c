/* Instance metadata, Cloud Shell's token endpoint, GitHub's OIDC endpoint, discovery documents,
 * /metadata/endpoints. */
#include "tests/sim/sim.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void
oauth_error(struct reply *reply, unsigned status, const char *error, const char *description)
{
	reply_json(reply, status,
		   json_pack("{s:s,s:s}", "error", error, "error_description", description));
}

static void
managed_token(struct request *request, const char *resource, const char *client,
	      struct reply *reply)
{
	struct sim *sim = request->sim;
	long long expires_in, now = (long long)time(NULL);
	char *token = token_issue(sim, json_object_get(sim->world, "token"), resource,
				  world_tenant(sim), client, &expires_in);
	char *in = text_format("%lld", expires_in), *on = text_format("%lld", now + expires_in),
	     *from = text_format("%lld", now - 1);

	reply_json(reply, 200,
		   json_pack("{s:s,s:o,s:s,s:s,s:s,s:s,s:o,s:s}", "access_token", token,
			     "client_id", json_bytes(client), "expires_in", in, "expires_on", on,
			     "ext_expires_in", in, "not_before", from, "resource",
			     json_bytes(resource), "token_type", "Bearer"));
	free(token);
	free(in);
	free(on);
	free(from);
}

/* The metadata service's gate: false when it answered. Without an identity service the connection
 * is reset. */
static bool
imds_open(const struct request *request, struct reply *reply)
{
	const json_t *imds = json_object_get(request->sim->world, "imds");

	if (!json_is_true(imds) && !json_is_object(imds)) {
		reply->stream = STREAM_RESET;
		return false;
	}
	if (!text_same(json_text_at(request->headers, "metadata"), "true")) {
		oauth_error(reply, 400, "invalid_request",
			    "Required metadata header not specified");
		return false;
	}
	if (json_text_at(request->headers, "x-forwarded-for") != NULL) {
		oauth_error(reply, 400, "invalid_request",
			    "Requests with the X-Forwarded-For header are refused");
		return false;
	}
	if (json_text_at(request->args, "api-version") == NULL) {
		oauth_error(reply, 400, "invalid_request",
			    "Required query variable 'api-version' is missing");
		return false;
	}
	return true;
}

static void
imds_token(struct request *request, struct reply *reply)
{
	const json_t *imds = json_object_get(request->sim->world, "imds");
	const char *resource = json_text_at(request->args, "resource"),
		   *client = json_text_at(request->args, "client_id");
	const json_t *body = json_object_get(imds, "body");

	if (!imds_open(request, reply))
		return;
	if (resource == NULL) {
		oauth_error(reply, 400, "invalid_request",
			    "Required query variable 'resource' is missing");
	} else if (body != NULL && json_is_string(body)) {
		reply->text = text_copy(json_string_value(body));
		reply->length = strlen(reply->text);
		reply->content_type = text_copy("text/plain");
		reply->status = (unsigned)json_number_at(imds, "status", 400);
	} else if (json_object_get(imds, "status") != NULL || body != NULL) {
		reply_json(reply, (unsigned)json_number_at(imds, "status", 400),
			   body != NULL ? json_deep_copy(body) : json_object());
	} else {
		managed_token(request, resource,
			      client != NULL ? client : "00000000-0000-0000-0000-0000000000d1",
			      reply);
	}
}

static const json_t *
first_machine(const struct sim *sim)
{
	const char *id;
	json_t *body;

	json_object_foreach (sim->resources, id, body) {
		if (resource_type_is(body, "Microsoft.Compute/virtualMachines"))
			return body;
	}
	return NULL;
}

static void
imds_instance(struct request *request, struct reply *reply)
{
	const json_t *vm = first_machine(request->sim),
		     *given = json_at(request->sim->world, "imds.instance");
	const char *id = json_text_at(vm, "id"), *name = json_text_at(vm, "name"),
		   *location = json_text_at(vm, "location");
	struct arm arm;

	if (!imds_open(request, reply))
		return;
	if (given != NULL || id == NULL || arm_parse(id, &arm) < 0) {
		reply_json(reply, 200, given != NULL ? json_deep_copy(given) : json_object());
		return;
	}
	reply_json(reply, 200,
		   json_pack("{s:{s:s,s:s,s:s,s:s,s:s,s:s,s:s}}", "compute", "azEnvironment",
			     "AzurePublicCloud", "location", location != NULL ? location : "eastus",
			     "name", name != NULL ? name : "", "osType", "Linux",
			     "resourceGroupName", arm_group(&arm) != NULL ? arm_group(&arm) : "",
			     "resourceId", id, "subscriptionId",
			     arm_subscription(&arm) != NULL ? arm_subscription(&arm) : ""));
	arm_free(&arm);
}

static void
cloud_shell_token(struct request *request, struct reply *reply)
{
	json_t *form = request_form(request);
	const char *resource = json_text_at(form, "resource");

	if (!text_same(json_text_at(request->headers, "metadata"), "true"))
		reply_json(reply, 400,
			   json_pack("{s:{s:s,s:s}}", "error", "code", "invalid_request", "message",
				     "Required metadata header not specified"));
	else if (resource == NULL)
		reply_json(reply, 400,
			   json_pack("{s:{s:s,s:s}}", "error", "code", "invalid_request", "message",
				     "Required parameter 'resource' is missing"));
	else
		managed_token(request, resource, "00000000-0000-0000-0000-0000000000d2", reply);
	json_decref(form);
}

/* GET $ACTIONS_ID_TOKEN_REQUEST_URL&audience=...: what comes back is made for use as a client
 * assertion. */
static void
github_token(struct request *request, struct reply *reply)
{
	const char *header = json_text_at(request->headers, "authorization"),
		   *audience = json_text_at(request->args, "audience");
	const char *wanted = json_text_at(request->sim->world, "github.token");
	json_t *settings;
	long long expires_in;
	char *token;

	request->auth = header != NULL ? "bad" : "none";
	if (!text_has_prefix(header, "bearer ") ||
	    (wanted != NULL && strcmp(header + 7, wanted) != 0)) {
		reply_json(
		    reply, 401,
		    json_pack("{s:s}", "message", "The request token is missing or not valid."));
		return;
	}
	request->auth = "bearer";
	settings =
	    json_pack("{s:i,s:{s:s,s:s,s:n,s:n,s:n,s:n}}", "expires_in", 300, "claims", "iss",
		      "https://token.actions.githubusercontent.com", "sub",
		      "repo:octo-org/octo-repo:ref:refs/heads/main", "tid", "oid", "idp", "appid");
	token = token_issue(request->sim, settings,
			    audience != NULL ? audience : "https://github.com/octo-org",
			    world_tenant(request->sim), "github", &expires_in);
	json_object_del(request->sim->tokens, token); /* no bearer for anything here */
	reply_json(reply, 200, json_pack("{s:i,s:s}", "count", (int)strlen(token), "value", token));
	json_decref(settings);
	free(token);
}

static void
discovery(struct request *request, const char *tenant, struct reply *reply)
{
	bool adfs = text_same(tenant, "adfs");
	char *issuer = adfs ? text_format("%s/adfs", request->base)
			    : text_format("%s/%s/v2.0", request->base, tenant);
	char *authorize =
	    text_format("%s/%s/oauth2/%sauthorize", request->base, tenant, adfs ? "" : "v2.0/");
	char *token =
	    text_format("%s/%s/oauth2/%stoken", request->base, tenant, adfs ? "" : "v2.0/");
	char *device =
	    text_format("%s/%s/oauth2/%sdevicecode", request->base, tenant, adfs ? "" : "v2.0/");
	char *keys = text_format("%s/%s/discovery/keys", request->base, tenant);

	reply_json(reply, 200,
		   json_pack("{s:s,s:s,s:s,s:s,s:s,s:[s,s,s],s:[s],s:[s],s:[s],s:s}", "issuer",
			     issuer, "authorization_endpoint", authorize, "token_endpoint", token,
			     "device_authorization_endpoint", device, "jwks_uri", keys,
			     "token_endpoint_auth_methods_supported", "client_secret_post",
			     "client_secret_basic", "private_key_jwt", "response_types_supported",
			     "code", "subject_types_supported", "pairwise",
			     "id_token_signing_alg_values_supported", "RS256",
			     "tenant_region_scope", "WW"));
	free(issuer);
	free(authorize);
	free(token);
	free(device);
	free(keys);
}

static void
instance_discovery(struct request *request, struct reply *reply)
{
	const char *host = strstr(request->base, "://");
	char *endpoint = text_format("%s/common/.well-known/openid-configuration", request->base);

	host = host != NULL ? host + 3 : request->base;
	reply_json(reply, 200,
		   json_pack("{s:s,s:s,s:[{s:s,s:s,s:[s]}]}", "tenant_discovery_endpoint", endpoint,
			     "api-version", "1.1", "metadata", "preferred_network", host,
			     "preferred_cache", host, "aliases", host));
	free(endpoint);
}

/* The shapes that /metadata/endpoints had over time, all pointing here. */
static void
metadata_endpoints(struct request *request, struct reply *reply)
{
	const char *version = json_text_at(request->args, "api-version"), *base = request->base;
	const json_t *patch = json_object_get(request->sim->world, "endpoints");
	json_t *cloud;

	if (version == NULL) {
		reply_error(reply, 400, "MissingApiVersionParameter",
			    "The api-version query parameter (?api-version=) is required for all "
			    "requests.");
		return;
	}
	if (strcmp(version, "2018-01-01") < 0)
		cloud = json_pack("{s:s,s:s,s:s,s:{s:s,s:[s]}}", "galleryEndpoint", base,
				  "graphEndpoint", "https://graph.windows.net/", "portalEndpoint",
				  base, "authentication", "loginEndpoint", base, "audiences",
				  "https://management.azure.com/");
	else
		cloud = json_pack(
		    "{s:s,s:s,s:{s:s,s:[s,s],s:s,s:s},s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:{s:s,s:s}}",
		    "name", "SimCloud", "portal", base, "authentication", "loginEndpoint", base,
		    "audiences", "https://management.core.windows.net/",
		    "https://management.azure.com/", "tenant", "common", "identityProvider", "AAD",
		    "resourceManager", base, "graph", "https://graph.windows.net/", "graphAudience",
		    "https://graph.windows.net/", "media", base, "batch", base, "sqlManagement",
		    base, "gallery", base, "suffixes", "storage", "core.windows.net", "keyVaultDns",
		    "vault.azure.net");
	json_merge_patch(cloud, patch);
	reply_json(reply, 200,
		   strcmp(version, "2018-01-01") >= 0 && strcmp(version, "2022-01-01") < 0
		       ? json_pack("[o]", cloud)
		       : cloud);
}

static bool
ends_with_words(const struct arm *arm, const char *before_last, const char *last)
{
	return arm->count >= 2 && text_same(arm->segment[arm->count - 1], last) &&
	       text_same(arm->segment[arm->count - 2], before_last);
}

int
identity_endpoint(struct request *request, struct reply *reply)
{
	bool get = text_same(request->method, "GET") || text_same(request->method, "HEAD");
	const char *path = request->path;
	struct arm arm;
	int r = 0;

	if (arm_parse(path, &arm) < 0)
		return -ENOENT;
	if (get && text_same(path, "/metadata/identity/oauth2/token"))
		imds_token(request, reply);
	else if (get && text_same(path, "/metadata/instance"))
		imds_instance(request, reply);
	else if (get && text_same(path, "/metadata/endpoints"))
		metadata_endpoints(request, reply);
	else if (text_same(request->method, "POST") && text_same(path, "/oauth2/token"))
		cloud_shell_token(request, reply);
	else if (get && text_same(path, "/github/oidc"))
		github_token(request, reply);
	else if (get && ends_with_words(&arm, ".well-known", "openid-configuration") &&
		 arm.count > 2)
		discovery(request, arm.segment[0], reply);
	else if (get && ends_with_words(&arm, "discovery", "instance"))
		instance_discovery(request, reply);
	else if (get && ends_with_words(&arm, "discovery", "keys"))
		reply_json(reply, 200, json_pack("{s:[]}", "keys"));
	else
		r = -ENOENT;
	arm_free(&arm);
	return r;
}
