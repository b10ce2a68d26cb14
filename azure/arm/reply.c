#include "azure/inside.h"
#include "facts/arm.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

/* What a person calls the thing at a path: "networkSecurityGroups web-nsg", "the list of
 * networkInterfaces". */
static void
name_thing(const char *path, char *ret, size_t size)
{
	struct arm_id id;
	size_t len = strcspn(path, "?");
	char *plain = strndup(path, len);
	const char *last;

	if (plain != NULL && arm_id_parse(plain, &id) == 0) {
		snprintf(ret, size, "%.*s %.*s", (int)id.type.len, id.type.at, (int)id.name.len,
			 id.name.at);
	} else if (plain != NULL &&
		   strcasestr(plain, "/providers/Microsoft.ResourceGraph/") != NULL) {
		snprintf(ret, size, "the search by Resource Graph");
	} else {
		last = plain != NULL ? strrchr(plain, '/') : NULL;
		snprintf(ret, size, "the list of %s", last != NULL ? last + 1 : path);
	}
	free(plain);
}

/* ---- errors of the network ---- */

static json_t *
network_entry(const struct web_answer *answer, const char *thing)
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
	const char *cause = "error",
		   *text = answer->error_text != NULL && *answer->error_text != '\0'
			       ? answer->error_text
			       : strerror(-answer->error);

	for (size_t i = 0; i < sizeof(causes) / sizeof(*causes); i++)
		if (causes[i].error == answer->error)
			cause = causes[i].cause;
	if (answer->error == -ECANCELED)
		return reply_entry(FACT_UNKNOWN, cause,
				   "%s was not read: the deadline struck first", thing);
	if (answer->hurried)
		return reply_entry(
		    FACT_UNKNOWN, "deadline",
		    "%s was not read: no answer came in the time that the deadline left", thing);
	if (answer->error == -EFBIG)
		return reply_entry(FACT_UNKNOWN, cause,
				   "%s was not read: the answer is larger than this program takes",
				   thing);
	return reply_entry(FACT_UNKNOWN, cause, "%s was not read: %s", thing, text);
}

/* ---- what an error says ---- */

char *
reply_action(const char *message)
{
	const char *at = message != NULL ? strcasestr(message, "action") : NULL, *end;

	while (at != NULL && (at[6] == ' ' || at[6] == '(' || at[6] == 's') &&
	       (at = strpbrk(at, "'\"")) != NULL) {
		end = strchr(at + 1, *at);
		if (end != NULL && memchr(at + 1, '/', (size_t)(end - at - 1)) != NULL &&
		    memchr(at + 1, ' ', (size_t)(end - at - 1)) == NULL)
			return strndup(at + 1, (size_t)(end - at - 1));
		at = strcasestr(at, "action");
	}
	return NULL;
}

static char *
quoted_after(const char *message, const char *word)
{
	const char *at = message != NULL ? strcasestr(message, word) : NULL, *end;

	if (at == NULL || (at = strpbrk(at + strlen(word), "'\"")) == NULL ||
	    (end = strchr(at + 1, *at)) == NULL)
		return NULL;
	return strndup(at + 1, (size_t)(end - at - 1));
}

/* "Microsoft.Network/networkSecurityGroups/read" for a GET of one, where the error does not name
 * its action. */
static char *
implied_action(const char *method, const char *path)
{
	const char *at = NULL, *next;
	char *action, *p;
	size_t len;

	for (next = path; (next = strcasestr(next, "/providers/")) != NULL; next++)
		at = next + 11;
	if (at == NULL || (action = strndup(at, len = strcspn(at, "?"))) == NULL)
		return NULL;
	/* keep the namespace, then every other segment: the types */
	if ((p = strchr(action, '/')) != NULL) {
		char *out = p, *segment = p;

		for (size_t i = 0; segment != NULL; i++) {
			char *end = strchr(segment + 1, '/');
			size_t n = end != NULL ? (size_t)(end - segment) : strlen(segment);

			if (i % 2 == 0) {
				memmove(out, segment, n);
				out += n;
			}
			segment = end;
		}
		*out = '\0';
	}
	p = doc_fmt("%s/%s", action, strcmp(method, "GET") == 0 ? "read" : "action");
	free(action);
	return p;
}

/* The tenant that a text names in an issuer's or authority's URL and that is not the token's own:
 * where the subscription is. */
static char *
tenant_in(const char *text, const char *own)
{
	static const char hex[] = "0123456789abcdefABCDEF-";

	for (const char *p = text; p != NULL && (p = strstr(p, "://")) != NULL; p += 3) {
		const char *slash = strchr(p + 3, '/');

		if (slash != NULL && strspn(slash + 1, hex) == 36 &&
		    (own == NULL || strncasecmp(slash + 1, own, 36) != 0))
			return strndup(slash + 1, 36);
	}
	return NULL;
}

static bool
code_in(const char *code, const char *list)
{
	size_t len = code != NULL ? strlen(code) : 0;

	for (const char *p = list; len > 0 && *p != '\0'; p += strcspn(p, " "), p += *p == ' ')
		if (strncasecmp(p, code, len) == 0 && (p[len] == ' ' || p[len] == '\0'))
			return true;
	return false;
}

/* ---- one entry a status ---- */

static bool
azure_wrote(const struct web_answer *answer)
{
	return web_header(answer, "x-ms-request-id") != NULL ||
	       web_header(answer, "x-ms-correlation-request-id") != NULL;
}

static json_t *
forbidden_entry(const struct web_answer *answer, const char *method, const char *path,
		const char *thing, const char *code, const char *message)
{
	char *action, *scope;
	json_t *entry;

	if (code_in(code,
		    "ReadOnlyDisabledSubscription SubscriptionNotEnabled DisabledSubscription"))
		return reply_entry(FACT_UNKNOWN, "subscription-disabled",
				   "%s was not read: the subscription is disabled", thing);
	if (code_in(code, "SubscriptionNotFound"))
		return reply_entry(FACT_UNKNOWN, "subscription-not-found",
				   "%s was not read: this sign-in sees no such subscription",
				   thing);
	if (answer->json == NULL && (answer->body_len > 0 || !azure_wrote(answer)))
		return reply_entry(FACT_UNKNOWN, "not-json",
				   "%s was not read: something that is not Azure answered HTTP 403",
				   thing);
	if ((action = reply_action(message)) == NULL)
		action = implied_action(method, path);
	scope = quoted_after(message, "over scope");
	entry = reply_entry(FACT_UNKNOWN, "forbidden",
			    "%s was not read: the signed-in identity lacks %s", thing,
			    action != NULL ? action : "the permission");
	doc_set_str(entry, "action", action);
	doc_set_str(entry, "scope", scope);
	free(action);
	free(scope);
	return entry;
}

static json_t *
unauthorized_entry(const struct azure *azure, const struct web_answer *answer, const char *thing,
		   const char *code, const char *message)
{
	const char *own = doc_str(azure->doc, "azure.signin.tenant");
	char *tenant;
	json_t *entry;

	if (code_in(code, "InvalidAuthenticationTokenTenant")) {
		if ((tenant = tenant_in(message, own)) == NULL)
			tenant = tenant_in(reply_challenge(answer->reply, "://"), own);
		entry = reply_entry(FACT_UNKNOWN, "tenant",
				    "%s was not read: the sign-in belongs to another tenant than "
				    "the subscription%s%s",
				    thing, tenant != NULL ? ", which is in " : "",
				    tenant != NULL ? tenant : "");
		doc_set_str(entry, "tenant", tenant);
		free(tenant);
		return entry;
	}
	if (reply_challenge(answer->reply, "claims=") != NULL)
		return reply_entry(
		    FACT_UNKNOWN, "challenge",
		    "%s was not read: Conditional Access wants a new interactive sign-in", thing);
	if (code_in(code, "ExpiredAuthenticationToken") ||
	    (code == NULL && reply_challenge(answer->reply, "expired") != NULL))
		return reply_entry(FACT_UNKNOWN, "expired",
				   "%s was not read: the sign-in is over, Azure asks for a new one",
				   thing);
	return reply_entry(FACT_UNKNOWN, "unauthorized",
			   "%s was not read: Azure did not accept the token%s%s", thing,
			   code != NULL ? ": " : "", code != NULL ? code : "");
}

static json_t *
not_found_entry(const struct web_answer *answer, const char *thing, const char *code)
{
	if (code_in(code, "SubscriptionNotFound InvalidSubscriptionId"))
		return reply_entry(FACT_UNKNOWN, "subscription-not-found",
				   "%s was not read: this sign-in sees no such subscription",
				   thing);
	if (code_in(code, "InvalidResourceType NoRegisteredProviderFound "
			  "InvalidApiVersionParameter InvalidResourceNamespace"))
		return reply_entry(FACT_UNKNOWN, "not-offered",
				   "%s was not read: this cloud does not offer it", thing);
	if (code == NULL && (answer->body_len > 0 || !azure_wrote(answer)))
		return reply_entry(FACT_UNKNOWN, "not-json",
				   "%s was not read: HTTP 404 without the words that Azure would "
				   "have said it with",
				   thing);
	return reply_entry(FACT_ABSENT, "not-found", "%s does not exist", thing);
}

static json_t *
redirect_entry(const struct azure *azure, const struct web_answer *answer, const char *thing)
{
	const char *to = web_header(answer, "Location");
	char *same = url_follow(azure->cloud.arm, to);
	struct origin origin = { "", "", "" };
	json_t *entry;

	free(same);
	if (same != NULL || to == NULL || url_origin(to, &origin) < 0)
		return reply_entry(FACT_UNKNOWN, "redirect",
				   "%s was not read: HTTP %ld where an answer was due", thing,
				   answer->status);
	entry =
	    reply_entry(FACT_UNKNOWN, "foreign-host",
			"%s was not read: the answer pointed to %s, where the token is not sent",
			thing, origin.host);
	doc_set_str(entry, "host", origin.host);
	return entry;
}

static json_t *
throttled_entry(const struct web_answer *answer, const char *thing)
{
	const char *limit = doc_str(json_array_get(doc_list(answer->json, "details"), 0), "target");
	json_t *entry;

	if (limit == NULL)
		limit = reply_limit(answer->reply);

	if (answer->gave_up && answer->retry_after > 0)
		entry = reply_entry(FACT_UNKNOWN, "throttled",
				    "%s was not read: Azure is throttling and asks to wait %ld s, "
				    "more than the time left",
				    thing, answer->retry_after);
	else
		entry = reply_entry(
		    FACT_UNKNOWN, "throttled",
		    "%s was not read: Azure is throttling this subscription's requests", thing);
	if (answer->retry_after >= 0)
		doc_set_int(entry, "retry_after", answer->retry_after);
	doc_set_str(entry, "limit", limit);
	return entry;
}

static json_t *
status_entry(const struct azure *azure, const struct web_answer *answer, const char *method,
	     const char *path, const char *thing, const json_t *error)
{
	const char *code = reply_said(error, "code"), *message = reply_said(error, "message"),
		   *id = web_header(answer, "x-ms-request-id");

	if (answer->status >= 300 && answer->status < 400)
		return redirect_entry(azure, answer, thing);
	if (answer->status == 429)
		return throttled_entry(answer, thing);
	if (answer->status == 401)
		return unauthorized_entry(azure, answer, thing, code, message);
	if (answer->status == 403 || (answer->status < 300 && code_in(code, "AuthorizationFailed")))
		return forbidden_entry(answer, method, path, thing, code, message);
	if (answer->status == 404 ||
	    code_in(code, "InvalidSubscriptionId InvalidResourceType NoRegisteredProviderFound "
			  "InvalidApiVersionParameter"))
		return not_found_entry(answer, thing, code);
	if (answer->status == 409 && code_in(code, "MissingSubscriptionRegistration"))
		return reply_entry(
		    FACT_UNKNOWN, "not-registered",
		    "%s was not read: its provider is not registered in the subscription", thing);
	if (answer->status == 408 || answer->status >= 500)
		return reply_entry(FACT_UNKNOWN, "server-error",
				   "%s was not read: Azure answered HTTP %ld%s%s%s%s%s", thing,
				   answer->status, code != NULL ? ", " : "",
				   code != NULL ? code : "", id != NULL ? " (request id " : "",
				   id != NULL ? id : "", id != NULL ? ")" : "");
	return reply_entry(FACT_UNKNOWN, "error", "%s was not read: HTTP %ld%s%s%s%s", thing,
			   answer->status, code != NULL ? ", " : "", code != NULL ? code : "",
			   message != NULL ? ": " : "", message != NULL ? message : "");
}

/* An error in the clothes of a success: nothing but "error". */
static bool
failed_inside(const json_t *json)
{
	return json_object_size(json) == 1 && reply_said(doc_get(json, "error"), "code") != NULL;
}

json_t *
reply_why(struct azure *azure, const struct web_answer *answer, const char *method,
	  const char *path)
{
	const json_t *error = reply_error(answer->json);
	char thing[256], *message;
	json_t *entry;

	if (answer->error == 0 && answer->status >= 200 && answer->status < 300 &&
	    !failed_inside(answer->json) && (answer->json != NULL || answer->body_len == 0) &&
	    !(answer->status == 200 && answer->body_len == 0 && strcmp(method, "GET") == 0))
		return NULL;
	name_thing(path, thing, sizeof(thing));
	if (answer->error != 0)
		entry = network_entry(answer, thing);
	else if (answer->status == 407)
		entry = reply_entry(FACT_UNKNOWN, "proxy",
				    "%s was not read: the proxy on the way to %s wants a sign-in "
				    "of its own (HTTP 407)",
				    thing, cloud_host(&azure->cloud));
	else if (answer->status == 511 || (answer->html && answer->status < 500))
		entry = reply_entry(FACT_UNKNOWN, "not-json",
				    "%s was not read: %s answered with a web page where JSON was "
				    "due: a proxy or a captive "
				    "portal stands between",
				    thing, cloud_host(&azure->cloud));
	else if (answer->status >= 200 && answer->status < 300 && answer->json == NULL)
		entry = reply_entry(FACT_UNKNOWN, "not-json",
				    "%s was not read: the answer is not JSON", thing);
	else
		entry = status_entry(azure, answer, method, path, thing, error);
	if (answer->status != 0)
		doc_set_int(entry, "status", answer->status);
	doc_set_str(entry, "code", reply_said(error, "code"));
	if ((message = secrets_text(&azure->secrets, reply_said(error, "message"))) != NULL)
		doc_set_strn(entry, "message", message, strnlen(message, 1000));
	free(message);
	doc_set_str(entry, "request_id", web_header(answer, "x-ms-request-id"));
	doc_set_str(entry, "correlation_id", web_header(answer, "x-ms-correlation-request-id"));
	doc_set_str(entry, "client_request_id", answer->client_id);
	secrets_cut(&azure->secrets, entry);
	return entry;
}

/* ---- api-versions ---- */

static bool
looks_like_version(const char *p)
{
	static const char form[] = "dddd-dd-dd";

	for (size_t i = 0; i < sizeof(form) - 1; i++)
		if (form[i] == 'd' ? !isdigit((unsigned char)p[i]) : p[i] != form[i])
			return false;
	return true;
}

char *
reply_api_version(const json_t *body, const char *ours)
{
	const json_t *error = reply_error(body);
	const char *code = reply_said(error, "code"), *p = reply_said(error, "message"),
		   *best = NULL;

	if (!code_in(code, "InvalidApiVersionParameter NoRegisteredProviderFound "
			   "InvalidResourceType UnsupportedApiVersion") ||
	    p == NULL || (p = strcasestr(p, "supported")) == NULL)
		return NULL;
	for (; *p != '\0'; p++) {
		if (!looks_like_version(p) || isdigit((unsigned char)p[-1]))
			continue;
		if (strncmp(p, ours, 10) < 0 && p[10] != '-' &&
		    (best == NULL || strncmp(p, best, 10) > 0))
			best = p;
		p += 9;
	}
	return best != NULL ? strndup(best, 10) : NULL;
}
