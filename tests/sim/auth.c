/* Is the caller's bearer token one that was issued here, for ARM, for this tenant, and valid now?
 */
#include "tests/sim/sim.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool
refuse(const struct request *request, struct reply *reply, const char *code,
       const char *description, char *message)
{
	char *header = text_format(
	    "Bearer authorization_uri=\"https://login.windows.net/%s\", error=\"invalid_token\", "
	    "error_description=\"%s\"",
	    world_tenant(request->sim), description);

	reply_error(reply, 401, code, "%s", message);
	reply_header(reply, "WWW-Authenticate", header);
	free(header);
	free(message);
	return false;
}

static bool
audience_serves(const struct request *request, const char *audience)
{
	const char *host = strstr(request->base, "://");
	json_t *extra;
	size_t i;

	if (audience == NULL || text_find(audience, "://management.") != NULL)
		return true;
	json_array_foreach (json_object_get(request->sim->world, "audiences"), i, extra) {
		if (text_same(json_string_value(extra), audience))
			return true;
	}
	return host != NULL && text_find(audience, host + 3) != NULL;
}

static bool
refuse_by_time(const struct request *request, struct reply *reply, long long expires, long long now)
{
	char *then = time_us((time_t)expires), *current = time_us((time_t)now);
	bool expired = expires <= now;
	char *message = expired ? text_format("The access token expiry UTC time '%s' is earlier "
					      "than current UTC time '%s'.",
					      then, current)
				: text_format("The access token is not valid yet: its start '%s' "
					      "is later than current UTC time '%s'.",
					      then, current);

	free(then);
	free(current);
	return expired ? refuse(request, reply, "ExpiredAuthenticationToken",
				"The access token has expired.", message)
		       : refuse(request, reply, "InvalidAuthenticationToken",
				"The access token is not valid yet.", message);
}

static bool
refuse_by_tenant(const struct request *request, struct reply *reply, const char *has,
		 const char *wants)
{
	return refuse(
	    request, reply, "InvalidAuthenticationTokenTenant",
	    "The access token is from the wrong issuer.",
	    text_format(
		"The access token is from the wrong issuer 'https://sts.windows.net/%s/'. It must "
		"match the tenant "
		"'https://sts.windows.net/%s/' associated with this subscription. Please use the "
		"authority (URL) "
		"'https://login.windows.net/%s' to get the token. Note, if the subscription is "
		"transferred to another "
		"tenant there is no "
		"impact to the services, but information about new tenant could take time to "
		"propagate (up to an hour). "
		"If you just "
		"transferred your subscription and see this error message, please try back later.",
		has, wants, wants));
}

/* The tenant that owns the subscription in the path; NULL when that cannot be said. New text. */
static char *
owning_tenant(const struct request *request)
{
	struct arm arm;
	char *tenant = NULL;

	if (arm_parse(request->path, &arm) < 0)
		return NULL;
	if (arm_subscription(&arm) != NULL &&
	    subscription_exists(request->sim, arm_subscription(&arm))) {
		json_t *body = subscription_body(request->sim, arm_subscription(&arm));

		tenant = text_copy(json_text_at(body, "tenantId"));
		json_decref(body);
	}
	arm_free(&arm);
	return tenant;
}

static bool
check_token(struct request *request, const json_t *token, struct reply *reply)
{
	long long now =
	    (long long)time(NULL) + json_number_at(request->sim->world, "clock_skew", 0);
	long long expires = json_number_at(token, "exp", 0),
		  start = json_number_at(token, "nbf", 0);
	const char *has = json_text_at(token, "tid");
	char *wants;
	bool fine = true;

	if (expires <= now || start > now + 300)
		return refuse_by_time(request, reply, expires <= now ? expires : start, now);
	if (!audience_serves(request, json_text_at(token, "aud")))
		return refuse(
		    request, reply, "InvalidAuthenticationToken", "The audience is wrong.",
		    text_format("The access token has been obtained for wrong audience or resource "
				"'%s'. It should exactly match with "
				"one of "
				"the allowed audiences "
				"'https://management.core.windows.net/','https://"
				"management.core.windows.net',"
				"'https://management.azure.com/','https://management.azure.com'.",
				json_text_at(token, "aud")));
	wants = owning_tenant(request);
	if (wants != NULL && has != NULL && !text_same(has, wants))
		fine = refuse_by_tenant(request, reply, has, wants);
	free(wants);
	return fine;
}

bool
auth_check(struct request *request, struct reply *reply)
{
	const char *header = json_text_at(request->headers, "authorization");
	json_t *token;

	if (header == NULL)
		return refuse(
		    request, reply, "AuthenticationFailed", "The access token is missing.",
		    text_copy("Authentication failed. The 'Authorization' header is missing."));
	request->auth = "bad";
	if (strncasecmp(header, "bearer ", 7) != 0) {
		if (strncasecmp(header, "basic ", 6) == 0)
			request->auth = "basic";
		return refuse(request, reply, "AuthenticationFailed",
			      "The authentication scheme is not supported.",
			      text_copy("Authentication failed. The 'Authorization' header is "
					"provided in an invalid format."));
	}
	header += 7;
	header += strspn(header, " ");
	if ((token = json_object_get(request->sim->tokens, header)) == NULL)
		return refuse(request, reply, "InvalidAuthenticationToken",
			      "The access token is invalid.",
			      text_copy("The access token is invalid."));
	if (!check_token(request, token, reply))
		return false;
	request->auth = "bearer";
	request->caller = json_deep_copy(token);
	return true;
}
