/* The sign-in service: POST to a token endpoint of Entra ID (v1, v2) or AD FS; JWT-shaped tokens,
 * remembered. */
#include "tests/sim/sim.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

json_t *
request_form(const struct request *request)
{
	return url_arguments(request->body != NULL ? request->body : "");
}

static char *
jwt_make(const json_t *claims)
{
	static const char header[] =
	    "{\"typ\":\"JWT\",\"alg\":\"RS256\",\"x5t\":\"c2ltdWxhdG9yLW5vLXJlYWwta2V5\",\"kid\":"
	    "\"c2ltdWxhdG9yLW5vLXJlYWwta2V5\"}";
	char *guid = random_guid(), *payload = json_dumps(claims, JSON_COMPACT);
	char *head = base64url(header, sizeof header - 1),
	     *body = base64url(payload, strlen(payload));
	char *signature = base64url(guid, strlen(guid)),
	     *token = text_format("%s.%s.%s", head, body, signature);

	free(guid);
	free(payload);
	free(head);
	free(body);
	free(signature);
	return token;
}

static json_t *
claims_for(const struct sim *sim, const json_t *settings, const char *audience, const char *tenant,
	   const char *client)
{
	long long now = (long long)time(NULL) + json_number_at(sim->world, "clock_skew", 0);
	char *issuer = text_format("https://sts.windows.net/%s/", tenant), *id = random_guid();
	json_t *claims = json_pack(
	    "{s:s,s:s,s:I,s:I,s:I,s:o,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "aud", audience, "iss",
	    issuer, "iat", (json_int_t)now, "nbf",
	    (json_int_t)(now + json_number_at(settings, "not_before", -1)), "exp",
	    (json_int_t)(now + json_number_at(settings, "expires_in", 3599)), "appid",
	    json_bytes(client), "appidacr", "1", "idp", issuer, "idtyp", "app", "oid",
	    "00000000-0000-0000-0000-0000000000f1", "sub", "00000000-0000-0000-0000-0000000000f1",
	    "tid", tenant, "uti", id, "ver", "1.0");

	json_merge_patch(claims, json_object_get(settings, "claims"));
	free(issuer);
	free(id);
	return claims;
}

char *
token_issue(struct sim *sim, const json_t *settings, const char *audience, const char *tenant,
	    const char *client, long long *ret_expires_in)
{
	json_t *claims = claims_for(sim, settings, audience, tenant, client);
	char *token = jwt_make(claims);

	*ret_expires_in = json_number_at(settings, "expires_in", 3599);
	json_put(sim->tokens, token, claims);
	return token;
}

void
token_declare(struct sim *sim, const char *bearer, const json_t *settings)
{
	const char *tenant = json_text_at(settings, "tenant"),
		   *audience = json_text_at(settings, "audience");

	json_put(sim->tokens, bearer,
		 claims_for(sim, settings,
			    audience != NULL ? audience : "https://management.azure.com/",
			    tenant != NULL ? tenant : world_tenant(sim),
			    "00000000-0000-0000-0000-0000000000c1"));
}

/* {"error", "error_description", "error_codes"...} as Entra ID words it. */
static void
sign_in_error(struct reply *reply, unsigned status, const char *error, long code,
	      const char *sentence)
{
	char *trace = random_guid(), *correlation = random_guid(), *now = time_iso(time(NULL));
	char *text =
		 text_format("AADSTS%ld: %s Trace ID: %s Correlation ID: %s Timestamp: %.10s %.8sZ",
			     code, sentence, trace, correlation, now, now + 11),
	     *stamp = text_format("%.10s %.8sZ", now, now + 11);
	char *uri = text_format("https://login.microsoftonline.com/error?code=%ld", code);

	reply_json(reply, status,
		   json_pack("{s:s,s:o,s:[I],s:s,s:s,s:s,s:s}", "error", error, "error_description",
			     json_bytes(text), "error_codes", (json_int_t)code, "timestamp", stamp,
			     "trace_id", trace, "correlation_id", correlation, "error_uri", uri));
	free(trace);
	free(correlation);
	free(now);
	free(text);
	free(stamp);
	free(uri);
}

static bool
tenant_known(const struct sim *sim, const char *tenant)
{
	const char *id;
	json_t *body;

	if (text_same(tenant, world_tenant(sim)) || text_same(tenant, "adfs") ||
	    text_same(tenant, "common") || text_same(tenant, "organizations"))
		return true;
	json_object_foreach (sim->resources, id, body) {
		if (text_same(json_text_at(body, "tenantId"), tenant))
			return true;
	}
	return false;
}

static bool
client_good(struct request *request, const json_t *form, struct reply *reply)
{
	const char *id = json_text_at(form, "client_id"),
		   *secret = json_text_at(form, "client_secret");
	const char *assertion = json_text_at(form, "client_assertion");
	const json_t *client =
	    id != NULL ? json_get_nocase(json_object_get(request->sim->world, "clients"), id)
		       : NULL;
	char *why = NULL;

	if (client == NULL) {
		why = text_format("Application with identifier '%s' was not found in the directory "
				  "'Sim Directory'. This can happen if the "
				  "application has not been installed by the administrator of the "
				  "tenant or consented to by any user in the "
				  "tenant. You may "
				  "have sent your authentication request to the wrong tenant.",
				  id != NULL ? id : "");
		sign_in_error(reply, 400, "unauthorized_client", 700016, why);
	} else if (json_true_at(client, "expired")) {
		why = text_format("The provided client secret keys for app '%s' are expired. Visit "
				  "the Azure portal to create new keys for "
				  "your app: https://aka.ms/NewClientSecret.",
				  id);
		sign_in_error(reply, 401, "invalid_client", 7000222, why);
	} else if (assertion != NULL && !json_true_at(client, "assertion")) {
		why = text_format("The certificate with identifier used to sign the client "
				  "assertion is not registered on application. "
				  "[Reason - The key was not found.] Client app ID: %s.",
				  id);
		sign_in_error(reply, 401, "invalid_client", 700027, why);
	} else if (assertion == NULL && secret == NULL) {
		sign_in_error(reply, 401, "invalid_client", 7000218,
			      "The request body must contain the following parameter: "
			      "'client_assertion' or 'client_secret'.");
	} else if (assertion == NULL && (json_text_at(client, "secret") == NULL ||
					 strcmp(secret, json_text_at(client, "secret")) != 0)) {
		why = text_format("Invalid client secret provided. Ensure the secret being sent in "
				  "the request is the client secret value, not "
				  "the client secret ID, for a secret added to app '%s'.",
				  id);
		sign_in_error(reply, 401, "invalid_client", 7000215, why);
	} else {
		return true;
	}
	free(why);
	return false;
}

/* "https://management.core.windows.net//.default": the audience is what stands before "/.default".
 */
static char *
audience_asked(const json_t *form)
{
	const char *scope = json_text_at(form, "scope"), *resource = json_text_at(form, "resource");
	size_t length;

	if (resource != NULL)
		return text_copy(resource);
	if (scope == NULL)
		return text_copy("");
	length = strcspn(scope, " ");
	if (length >= 9 && strncmp(scope + length - 9, "/.default", 9) == 0)
		length -= 9;
	return text_format("%.*s", (int)length, scope);
}

static void
answer_token(struct request *request, const json_t *form, const char *tenant, bool v1,
	     struct reply *reply)
{
	struct sim *sim = request->sim;
	char *audience = audience_asked(form), *token;
	const char *guid = text_same(tenant, "adfs") || text_same(tenant, "common") ||
				   text_same(tenant, "organizations")
			       ? world_tenant(sim)
			       : tenant;
	long long expires_in;

	if (*audience == '\0') {
		sign_in_error(reply, 400, "invalid_request", 900144,
			      "The request body must contain the following parameter: 'scope'.");
		free(audience);
		return;
	}
	token = token_issue(sim, json_object_get(sim->world, "token"), audience, guid,
			    json_text_at(form, "client_id"), &expires_in);
	if (v1) {
		char *in = text_format("%lld", expires_in),
		     *on = text_format("%lld", (long long)time(NULL) + expires_in);
		char *from = text_format("%lld", (long long)time(NULL) - 1);

		reply_json(reply, 200,
			   json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "token_type", "Bearer",
				     "expires_in", in, "ext_expires_in", in, "expires_on", on,
				     "not_before", from, "resource", audience, "access_token",
				     token));
		free(in);
		free(on);
		free(from);
	} else {
		reply_json(reply, 200,
			   json_pack("{s:s,s:I,s:I,s:s}", "token_type", "Bearer", "expires_in",
				     (json_int_t)expires_in, "ext_expires_in",
				     (json_int_t)expires_in, "access_token", token));
	}
	free(audience);
	free(token);
}

int
token_endpoint(struct request *request, struct reply *reply)
{
	const json_t *error = json_at(request->sim->world, "token.error");
	const char *grant;
	struct arm arm;
	json_t *form;
	bool v2, v1;

	if (!text_same(request->method, "POST") || arm_parse(request->path, &arm) < 0)
		return -ENOENT;
	v2 = arm.count == 4 && text_same(arm.segment[1], "oauth2") &&
	     text_same(arm.segment[2], "v2.0") && text_same(arm.segment[3], "token");
	v1 = arm.count == 3 && text_same(arm.segment[1], "oauth2") &&
	     text_same(arm.segment[2], "token");
	if (!v1 && !v2) {
		arm_free(&arm);
		return -ENOENT;
	}
	form = request_form(request);
	grant = json_text_at(form, "grant_type");
	if (error != NULL)
		reply_json(
		    reply,
		    (unsigned)json_number_at(
			request->sim->world, "token.status",
			text_same(json_text_at(error, "error"), "invalid_client") ? 401 : 400),
		    json_deep_copy(error));
	else if (!tenant_known(request->sim, arm.segment[0]))
		sign_in_error(
		    reply, 400, "invalid_request", 90002,
		    "Tenant not found. Check to make sure you have the correct tenant ID and are "
		    "signing into the correct cloud. Check with your subscription administrator, "
		    "this may happen if there are no "
		    "active "
		    "subscriptions for the tenant.");
	else if (grant == NULL || strcmp(grant, "client_credentials") != 0)
		sign_in_error(reply, 400, "unsupported_grant_type", 70003,
			      "The app requested an unsupported grant type.");
	else if (client_good(request, form, reply))
		answer_token(request, form, arm.segment[0],
			     v1 && !text_same(arm.segment[0], "adfs"), reply);
	json_decref(form);
	arm_free(&arm);
	return 0;
}
