#include "azure/arm/reply.h"
#include "azure/arm/error.h"
#include "azure/arm/path.h"
#include "azure/arm/url.h"
#include "facts/arm.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* One answer and what it was to be. */
struct reply {
	const struct web *web;
	const struct web_answer *answer;
	const char *base, *method, *path;
	const char *code, *message; /* of its error; NULL: none */
	char thing[256];            /* what a person calls it */
};

json_t *
reply_entry(enum fact_state state, const char *cause, const char *fmt, ...)
{
	json_t *entry =
	    json_pack("{s:s, s:s}", "state", FACT_WORD(fact_state, state), "cause", cause);
	va_list ap;
	char *reason;

	va_start(ap, fmt);
	reason = doc_vfmt(fmt, ap);
	va_end(ap);
	doc_set_str(entry, "reason", reason);
	free(reason);
	return entry;
}

/* The entry of a thing that was not read for a reason. */
__attribute__((format(printf, 3, 4))) static json_t *
unread(const struct reply *reply, const char *cause, const char *fmt, ...)
{
	json_t *entry;
	va_list ap;
	char *why;

	va_start(ap, fmt);
	why = doc_vfmt(fmt, ap);
	va_end(ap);
	entry = reply_entry(FACT_UNKNOWN, cause, "%s was not read: %s", reply->thing, why);
	free(why);
	return entry;
}

/* What a person calls the thing at a path: "networkSecurityGroups web-nsg", "the list of
 * networkInterfaces". */
static void
name_thing(struct reply *reply)
{
	char *plain = strndup(reply->path, strcspn(reply->path, "?")), *ret = reply->thing;
	const char *last = strrchr(plain, '/');
	size_t size = sizeof(reply->thing);
	struct arm_id id;

	if (arm_id_parse(plain, &id) == 0)
		snprintf(ret, size, "%.*s %.*s", (int)id.type.len, id.type.at, (int)id.name.len,
			 id.name.at);
	else if (strcasestr(plain, "/providers/Microsoft.ResourceGraph/") != NULL)
		snprintf(ret, size, "the search by Resource Graph");
	else
		snprintf(ret, size, "the list of %s", last != NULL ? last + 1 : reply->path);
	free(plain);
}

/* ---- errors of the network ---- */

static const char *
network_cause(int error)
{
	static const struct {
		int error;
		const char *cause;
	} causes[] = {
		{ -ECANCELED, "deadline" },
		{ -EACCES, "proxy" },
		{ -ETIMEDOUT, "timeout" },
		{ -EFBIG, "too-big" },
		{ -EPROTO, "tls" },
		{ -ENOENT, "unresolved" },
		{ -ECONNREFUSED, "unreachable" },
		{ -EHOSTUNREACH, "unreachable" },
		{ -ENETUNREACH, "unreachable" },
		{ -ECONNRESET, "reset" },
		{ -EXDEV, "foreign-host" },
		{ -EKEYEXPIRED, "expired" },
	};

	for (size_t i = 0; i < sizeof(causes) / sizeof(*causes); i++)
		if (causes[i].error == error)
			return causes[i].cause;
	return "error";
}

static json_t *
network_entry(const struct reply *reply)
{
	const struct web_answer *answer = reply->answer;
	const char *cause = network_cause(answer->error), *text = answer->error_text;

	if (answer->error == -ECANCELED)
		return unread(reply, cause, "the deadline struck first");
	if (answer->hurried)
		return unread(reply, "deadline",
			      "no answer came in the time that the deadline left");
	if (answer->error == -EFBIG)
		return unread(reply, cause, "the answer is larger than this program takes");
	if (text == NULL || *text == '\0')
		text = strerror(-answer->error);
	return unread(reply, cause, "%s", text);
}

/* ---- one entry a status ---- */

static bool
azure_wrote(const struct web_answer *answer)
{
	return web_header(answer, "x-ms-request-id") != NULL ||
	       web_header(answer, "x-ms-correlation-request-id") != NULL;
}

/* "Microsoft.Network/networkSecurityGroups/read" for a GET of one, where the error does not name
 * its action. The caller frees. */
static char *
implied_action(const struct reply *reply)
{
	char types[256];

	if (!path_types(reply->path, types, sizeof(types)))
		return NULL;
	return doc_fmt("%s/%s", types, strcmp(reply->method, "GET") == 0 ? "read" : "action");
}

static json_t *
forbidden_entry(const struct reply *reply)
{
	char *action, *scope;
	json_t *entry;

	if (error_is(reply->code,
		     "ReadOnlyDisabledSubscription SubscriptionNotEnabled DisabledSubscription"))
		return unread(reply, "subscription-disabled", "the subscription is disabled");
	if (error_is(reply->code, "SubscriptionNotFound"))
		return unread(reply, "subscription-not-found",
			      "this sign-in sees no such subscription");
	if (reply->answer->json == NULL &&
	    (reply->answer->body_len > 0 || !azure_wrote(reply->answer)))
		return unread(reply, "not-json", "something that is not Azure answered HTTP 403");
	if ((action = error_action(reply->message)) == NULL)
		action = implied_action(reply);
	scope = error_scope(reply->message);
	entry = unread(reply, "forbidden", "the signed-in identity lacks %s",
		       action != NULL ? action : "the permission");
	doc_set_str(entry, "action", action);
	doc_set_str(entry, "scope", scope);
	free(action);
	free(scope);
	return entry;
}

static json_t *
other_tenant_entry(const struct reply *reply)
{
	const char *own = doc_str(reply->web->doc, "azure.signin.tenant");
	char *tenant = error_tenant(reply->message, own);
	json_t *entry;

	if (tenant == NULL)
		tenant = error_tenant(error_challenge(reply->answer->reply, "://"), own);
	entry = unread(reply, "tenant",
		       "the sign-in belongs to another tenant than the subscription%s%s",
		       tenant != NULL ? ", which is in " : "", tenant != NULL ? tenant : "");
	doc_set_str(entry, "tenant", tenant);
	free(tenant);
	return entry;
}

static json_t *
unauthorized_entry(const struct reply *reply)
{
	const struct http_reply *http = reply->answer->reply;

	if (error_is(reply->code, "InvalidAuthenticationTokenTenant"))
		return other_tenant_entry(reply);
	if (error_challenge(http, "claims=") != NULL)
		return unread(reply, "challenge",
			      "Conditional Access wants a new interactive sign-in");
	if (error_is(reply->code, "ExpiredAuthenticationToken") ||
	    (reply->code == NULL && error_challenge(http, "expired") != NULL))
		return unread(reply, "expired",
			      "the sign-in has expired; Azure requires a new one");
	return unread(reply, "unauthorized", "Azure did not accept the token%s%s",
		      reply->code != NULL ? ": " : "", reply->code != NULL ? reply->code : "");
}

static json_t *
not_found_entry(const struct reply *reply)
{
	if (error_is(reply->code, "SubscriptionNotFound InvalidSubscriptionId"))
		return unread(reply, "subscription-not-found",
			      "this sign-in sees no such subscription");
	if (error_is(reply->code, "InvalidResourceType NoRegisteredProviderFound "
				  "InvalidApiVersionParameter InvalidResourceNamespace"))
		return unread(reply, "not-offered", "this cloud does not offer it");
	if (reply->code == NULL && (reply->answer->body_len > 0 || !azure_wrote(reply->answer)))
		return unread(reply, "not-json",
			      "HTTP 404 without the words that Azure would have said it with");
	return reply_entry(FACT_ABSENT, "not-found", "%s does not exist", reply->thing);
}

static json_t *
redirect_entry(const struct reply *reply)
{
	const char *to = web_header(reply->answer, "Location");
	char *same = url_follow(reply->base, to);
	struct origin origin = { "", "", "" };
	json_t *entry;

	free(same);
	if (same != NULL || to == NULL || url_origin(to, &origin) < 0)
		return unread(reply, "redirect", "HTTP %ld where an answer was due",
			      reply->answer->status);
	entry = unread(reply, "foreign-host",
		       "the answer pointed to %s, where the token is not sent", origin.host);
	doc_set_str(entry, "host", origin.host);
	return entry;
}

static json_t *
throttled_entry(const struct reply *reply)
{
	const struct web_answer *answer = reply->answer;
	const char *limit = doc_str(json_array_get(doc_list(answer->json, "details"), 0), "target");
	json_t *entry;

	if (answer->gave_up && answer->retry_after > 0)
		entry =
		    unread(reply, "throttled",
			   "Azure is throttling and asks to wait %ld s, more than the time left",
			   answer->retry_after);
	else
		entry =
		    unread(reply, "throttled", "Azure is throttling this subscription's requests");
	if (answer->retry_after >= 0)
		doc_set_int(entry, "retry_after", answer->retry_after);
	doc_set_str(entry, "limit", limit != NULL ? limit : web_limit(answer->reply));
	return entry;
}

static json_t *
server_error_entry(const struct reply *reply)
{
	const char *id = web_header(reply->answer, "x-ms-request-id");

	return unread(reply, "server-error", "Azure answered HTTP %ld%s%s%s%s%s",
		      reply->answer->status, reply->code != NULL ? ", " : "",
		      reply->code != NULL ? reply->code : "", id != NULL ? " (request id " : "",
		      id != NULL ? id : "", id != NULL ? ")" : "");
}

static json_t *
status_entry(const struct reply *reply)
{
	long status = reply->answer->status;

	if (status >= 300 && status < 400)
		return redirect_entry(reply);
	if (status == 429)
		return throttled_entry(reply);
	if (status == 401)
		return unauthorized_entry(reply);
	if (status == 403 || (status < 300 && error_is(reply->code, "AuthorizationFailed")))
		return forbidden_entry(reply);
	if (status == 404 ||
	    error_is(reply->code, "InvalidSubscriptionId InvalidResourceType "
				  "NoRegisteredProviderFound InvalidApiVersionParameter"))
		return not_found_entry(reply);
	if (status == 409 && error_is(reply->code, "MissingSubscriptionRegistration"))
		return unread(reply, "not-registered",
			      "its provider is not registered in the subscription");
	if (status == 408 || status >= 500)
		return server_error_entry(reply);
	return unread(reply, "error", "HTTP %ld%s%s%s%s", status, reply->code != NULL ? ", " : "",
		      reply->code != NULL ? reply->code : "", reply->message != NULL ? ": " : "",
		      reply->message != NULL ? reply->message : "");
}

static json_t *
entry_of(const struct reply *reply)
{
	const struct web_answer *answer = reply->answer;
	const char *host = url_host(reply->base);

	if (answer->error != 0)
		return network_entry(reply);
	if (answer->status == 407)
		return unread(reply, "proxy",
			      "the proxy on the way to %s wants a sign-in of its own (HTTP 407)",
			      host);
	if (answer->status == 511 || (answer->html && answer->status < 500))
		return unread(
		    reply, "not-json",
		    "%s answered with a web page where JSON was due: a proxy or a captive "
		    "portal stands between",
		    host);
	if (answer->status >= 200 && answer->status < 300 && answer->json == NULL)
		return unread(reply, "not-json", "the answer is not JSON");
	return status_entry(reply);
}

/* ---- the whole answer ---- */

static bool
is_well(const struct web_answer *answer, const char *method)
{
	if (answer->error != 0 || answer->status < 200 || answer->status >= 300)
		return false;
	if (answer->json == NULL)
		return answer->body_len == 0 &&
		       (answer->status != 200 || strcmp(method, "GET") != 0);
	/* an error in a body of its own, under a status that says success */
	return json_object_size(answer->json) != 1 ||
	       error_text(doc_get(answer->json, "error"), "code") == NULL;
}

json_t *
reply_why(const struct web *web, const char *base, const struct web_answer *answer,
	  const char *method, const char *path)
{
	const json_t *error = error_find(answer->json);
	struct reply reply = { .web = web,
			       .answer = answer,
			       .base = base,
			       .method = method,
			       .path = path,
			       .code = error_text(error, "code"),
			       .message = error_text(error, "message") };
	char *message;
	json_t *entry;

	if (is_well(answer, method))
		return NULL;
	name_thing(&reply);
	entry = entry_of(&reply);
	if (answer->status != 0)
		doc_set_int(entry, "status", answer->status);
	doc_set_str(entry, "code", reply.code);
	if ((message = secrets_text(&web->secrets, reply.message)) != NULL)
		doc_set_strn(entry, "message", message, strnlen(message, 1000));
	free(message);
	doc_set_str(entry, "request_id", web_header(answer, "x-ms-request-id"));
	doc_set_str(entry, "correlation_id", web_header(answer, "x-ms-correlation-request-id"));
	doc_set_str(entry, "client_request_id", answer->client_id);
	secrets_cut(&web->secrets, entry);
	return entry;
}
