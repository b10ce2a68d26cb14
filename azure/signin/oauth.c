/* Token requests, and what their answers mean. */
#include "azure/signin/oauth.h"
#include "azure/signin/aadsts.h"
#include "azure/arm/url.h"
#include "facts/doc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define QUOTED_MAX 400 /* of a message in a code that nobody here knows */

char *
credential_endpoint(const struct signin *signin)
{
	const struct cloud *cloud = signin->cloud;
	char *name, *url;

	if (cloud->adfs)
		return doc_fmt("%s/adfs/oauth2/token", cloud->authority);
	name = url_encode(signin_tenant(signin));
	url = doc_fmt("%s/%s/oauth2/v2.0/token", cloud->authority, name);
	free(name);
	return url;
}

const char *
credential_missing(const struct signin *signin, const char *proof)
{
	if (env_text(proof) == NULL)
		return proof;
	if (env_text("AZURE_CLIENT_ID") == NULL)
		return "AZURE_CLIENT_ID";
	return signin_tenant(signin) == NULL ? "AZURE_TENANT_ID" : NULL;
}

/* "name=value&..." with values encoded, ended by NULL; a name with NULL value is left out. The
 * caller frees with secret_free. */
static char *
form_of(const char *name, ...)
{
	char *form = strdup(""), *value, *longer;
	const char *text;
	va_list ap;

	va_start(ap, name);
	for (; name != NULL; name = va_arg(ap, const char *)) {
		if ((text = va_arg(ap, const char *)) == NULL)
			continue;
		value = url_encode(text);
		longer = doc_fmt("%s%s%s=%s", form, *form != '\0' ? "&" : "", name, value);
		secret_free(value);
		secret_free(form);
		form = longer;
	}
	va_end(ap);
	return form;
}

/* ---- answers ---- */

void
credential_unanswered(struct signin *signin, const struct web_answer *answer, const char *who)
{
	static const char between[] = ": a proxy or a captive portal stands between";
	long status = answer->status;

	if (answer->error == -ECANCELED)
		credential_failed(signin, "deadline", "the deadline came before %s had answered",
				  who);
	else if (answer->hurried)
		credential_failed(signin, "deadline",
				  "%s did not answer in the time that the deadline left", who);
	else if (answer->error == -EMFILE || answer->error == -ENFILE || answer->error == -EFBIG)
		credential_failed(signin, "failed", "%s was not asked: %s", who,
				  strerror(-answer->error));
	else if (answer->error != 0)
		credential_failed(signin, "network", "%s: %s", who, answer->error_text);
	else if (status == 407)
		credential_failed(
		    signin, "network",
		    "the proxy on the way to %s wants a sign-in of its own (HTTP 407)", who);
	else if (status >= 300 && status < 400)
		credential_failed(signin, "network", "%s answered with a redirection (HTTP %ld)%s",
				  who, status, between);
	else if (answer->html)
		credential_failed(signin, "network", "%s answered with a web page (HTTP %ld)%s",
				  who, status, between);
	else
		credential_failed(signin, "network",
				  "%s answered HTTP %ld without the JSON that was due", who,
				  status);
}

/* What is left of it counts before its end, which another clock has set. */
static time_t
token_expiry(const json_t *json)
{
	json_int_t at = doc_int(json, "expires_on", 0), in = doc_int(json, "expires_in", 0);

	if (in > 0 && in < 100000000)
		return time(NULL) + (time_t)in;
	return at > 1000000000 ? (time_t)at : 0;
}

/* The first of the numbers that is in the table, else the first there is. */
static long
refusal_number(const json_t *body, const char *text)
{
	long first = 0, number;
	const json_t *code;
	size_t i;

	json_array_foreach (doc_list(body, "error_codes"), i, code) {
		number = json_is_string(code) ? strtol(json_string_value(code), NULL, 10)
					      : (long)json_integer_value(code);
		if (aadsts_find(number) != NULL)
			return number;
		first = first == 0 ? number : first;
	}
	return first != 0 ? first : aadsts_number(text);
}

/* The sentence of a refusal: Entra's ends where its ids begin. */
static const char *
refusal_text(const json_t *body, int *len)
{
	static const char *const places[] = { "error_description", "error.message", "message",
					      "Message",           "error.code",    "error" };
	const char *text = NULL, *end;
	size_t n;

	for (size_t i = 0; text == NULL && i < sizeof(places) / sizeof(*places); i++)
		text = doc_str(body, places[i]);
	if (text == NULL)
		text = "the answer holds no token";
	n = strcspn(text, "\r\n");
	if ((end = strstr(text, " Trace ID:")) != NULL && (size_t)(end - text) < n)
		n = (size_t)(end - text);
	while (n > 0 && (text[n - 1] == ' ' || text[n - 1] == '.'))
		n--;
	*len = (int)(n < QUOTED_MAX ? n : QUOTED_MAX);
	return text;
}

/* The ids that Microsoft's support asks for. */
static void
keep_ids(struct signin *signin, const struct web_answer *answer)
{
	json_decref(signin->support);
	signin->support = json_object();
	doc_set_str(signin->support, "trace_id", doc_str(answer->json, "trace_id"));
	doc_set_str(signin->support, "correlation_id", doc_str(answer->json, "correlation_id"));
	doc_set_str(signin->support, "request_id", web_header(answer, "x-ms-request-id"));
}

bool
credential_known(struct signin *signin, long number)
{
	const struct aadsts *known = aadsts_find(number);

	if (known != NULL)
		credential_refused(signin, known->cause, known->kind, number, "AADSTS%ld: %s",
				   number, known->words);
	return known != NULL;
}

static void
refused(struct signin *signin, const struct web_answer *answer)
{
	const json_t *body = answer->json;
	long number = refusal_number(body, doc_str(body, "error_description"));
	const char *kind = aadsts_kind(doc_str(body, "error"), doc_str(body, "suberror")), *text;
	int len;

	keep_ids(signin, answer);
	text = refusal_text(body, &len);
	if (credential_known(signin, number))
		return;
	if (answer->status == 429 || answer->status >= 500)
		credential_refused(signin, "network", "transient", number,
				   "the sign-in service answered HTTP %ld: %.*s", answer->status,
				   len, text);
	else if (number != 0 && aadsts_number(text) == 0)
		credential_refused(signin, "failed", kind, number, "AADSTS%ld: %.*s", number, len,
				   text);
	else
		credential_refused(signin, "failed", kind, number, "%.*s", len, text);
}

void
credential_answer(void *ctx, const struct web_answer *answer)
{
	struct signin *signin = ctx;
	const char *token = doc_str(answer->json, "access_token");

	if (answer->error != 0 || !json_is_object(answer->json) || answer->html)
		credential_unanswered(signin, answer, "the sign-in service");
	else if (answer->status == 200 && token != NULL && *token != '\0')
		credential_token(signin, token, token_expiry(answer->json), NULL);
	else
		refused(signin, answer);
}

/* ---- asking ---- */

void
credential_prove(struct signin *signin, const char *proof, const char *value)
{
	const struct cloud *cloud = signin->cloud;
	char *url = credential_endpoint(signin), *scope = cloud_scope(cloud), *form;
	const char *type = NULL;
	struct err err = { "" };

	secrets_learn(&signin->web->secrets, value);
	if (strcmp(proof, "client_assertion") == 0)
		type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
	form =
	    form_of("grant_type", "client_credentials", "client_id", env_text("AZURE_CLIENT_ID"),
		    "client_assertion_type", type, proof, value, cloud->adfs ? "resource" : "scope",
		    cloud->adfs ? cloud->audience : scope, NULL);
	if (!cloud_may_prove(cloud, &err))
		credential_failed(signin, "foreign-host", "%s", err.text);
	else if (!url_safe(url))
		credential_failed(signin, "failed", "the sign-in address cannot be used");
	else
		web_ask(signin->web,
			&(struct web_ask){
			    .method = "POST", .url = url, .body = form, .max_bytes = TOKEN_MAX },
			credential_answer, signin);
	secret_free(form);
	free(scope);
	free(url);
}
