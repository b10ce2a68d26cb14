#include "azure/inside.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void try_next(struct azure *azure);

/* ---- which credentials ---- */

static bool
word_is(const char *word, size_t len, const char *text)
{
	return strlen(text) == len && strncasecmp(word, text, len) == 0;
}

bool
credential_selected(const char *words, const struct credential *credential)
{
	size_t len;

	if (words == NULL)
		return true;
	while (*words == ' ' || *words == '\t')
		words++;
	for (len = strlen(words); len > 0 && (words[len - 1] == ' ' || words[len - 1] == '\t'); len--)
		continue;
	if (len == 0 || word_is(words, len, "auto"))
		return true;
	if (word_is(words, len, "prod") || word_is(words, len, "dev"))
		return credential->prod == word_is(words, len, "prod");
	return word_is(words, len, credential->kind) || word_is(words, len, credential->name) ||
	    word_is(words, len, credential->sdk);
}

/* ---- ending ---- */

static void
note_tried(struct azure *azure, const char *result, const char *why)
{
	json_t *entry = json_object();

	doc_set_str(entry, "credential", azure->credentials[azure->at]->name);
	doc_set_str(entry, "result", result);
	doc_set_str(entry, "why", why);
	secrets_cut(&azure->secrets, entry);
	json_array_append_new(azure->tried, entry);
}

static void
signin_end(struct azure *azure)
{
	struct waiter *waiters = azure->waiters;

	azure->waiters = NULL;
	azure->signing = false;
	while (waiters != NULL) {
		struct waiter *next = waiters->next;

		waiters->done(waiters->ctx);
		free(waiters);
		waiters = next;
	}
}

/* Starts azure.signin anew; NULL when a former sign-in stands there, which a failed renewal does not take back. */
static json_t *
signin_section(struct azure *azure, enum fact_state state)
{
	json_t *section, *azure_object = doc_get(azure->doc, "azure");

	if (state != FACT_KNOWN && azure->used != NULL)
		return NULL;
	section = json_pack("{s:s, s:O}", "state", facts_state_word(state), "tried", azure->tried);
	json_object_set_new(azure_object, "signin", section);
	if (azure->skew_known)
		doc_set_int(section, "skew_s", azure->skew);
	return section;
}

static void
settle_unknown(struct azure *azure, const char *cause, long aadsts, const char *kind, const char *reason)
{
	json_t *section = signin_section(azure, FACT_UNKNOWN);

	if (section != NULL) {
		doc_set_str(section, "cause", cause);
		doc_set_str(section, "reason", reason);
		doc_set_str(section, "kind", kind);
		doc_set_str(section, "tenant", azure->tenant);
		if (aadsts != 0)
			doc_set_int(section, "aadsts", aadsts);
		secrets_cut(&azure->secrets, section);
	}
	signin_end(azure);
}

void
credential_token(struct azure *azure, const char *token, time_t expires, const char *tenant)
{
	const struct credential *credential = azure->credentials[azure->at];
	json_t *claims = jwt_claims(token), *section;
	struct err err = { "" };

	if (!cloud_may_receive(
		&azure->cloud, doc_str(claims, "aud") != NULL ? doc_str(claims, "aud") : azure->cloud.audience, &err)) {
		json_decref(claims);
		credential_failed(azure, "foreign-host", 0, "%s", err.text);
		return;
	}
	secrets_learn(&azure->secrets, token);
	secret_free(azure->token);
	azure->token = strdup(token);
	azure->token_expires = expires != 0 ? expires : (time_t)doc_int(claims, "exp", 0);
	azure->generation++;
	azure->used = credential;
	note_tried(azure, "used", NULL);
	section = signin_section(azure, FACT_KNOWN);
	doc_set_str(section, "credential", credential->name);
	doc_set_str(section, "tenant", doc_str(claims, "tid") != NULL ? doc_str(claims, "tid") : tenant);
	if (claims != NULL)
		json_object_set_new(section, "claims", claims);
	secrets_cut(&azure->secrets, section);
	signin_end(azure);
}

void
credential_unavailable(struct azure *azure, const char *fmt, ...)
{
	va_list ap;
	char *why;

	va_start(ap, fmt);
	why = doc_vfmt(fmt, ap);
	va_end(ap);
	note_tried(azure, "unavailable", why);
	free(why);
	azure->at++;
	try_next(azure);
}

void
credential_failed(struct azure *azure, const char *cause, long aadsts, const char *fmt, ...)
{
	const struct aadsts *known = aadsts_find(aadsts);
	const char *name = azure->credentials[azure->at]->name;
	char *why, *reason;
	va_list ap;

	va_start(ap, fmt);
	why = doc_vfmt(fmt, ap);
	va_end(ap);
	note_tried(azure, "failed", why);
	if (strcmp(cause, "deadline") != 0 && !azure->credentials[azure->at]->prod && azure->credentials[azure->at + 1] != NULL) {
		free(why);
		azure->at++;
		try_next(azure);
		return;
	}
	reason = doc_fmt("signing in by %s failed: %s", name, why != NULL ? why : "");
	settle_unknown(azure, known != NULL ? known->cause : cause, aadsts, known != NULL ? known->kind : cause, reason);
	free(reason);
	free(why);
}

/* ---- the walk ---- */

static void
none_left(struct azure *azure)
{
	const char *hint = "run az login, or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET";
	char *reason;

	if (azure->chosen && json_array_size(azure->tried) > 0)
		reason = doc_fmt("the credential asked for did not serve: %s", doc_str(json_array_get(azure->tried, 0), "why"));
	else
		reason = doc_fmt("not signed in to Azure: no credential served; %s", hint);
	azure->signed_out = true;
	settle_unknown(azure, "signed-out", 0, "signed-out", reason);
	free(reason);
}

static void
try_next(struct azure *azure)
{
	if (azure->credentials[azure->at] == NULL)
		none_left(azure);
	else
		azure->credentials[azure->at]->try(azure);
}

static void
record_cloud(struct azure *azure)
{
	json_t *cloud = azure_facts(azure, "cloud");

	doc_set_str(cloud, "name", azure->cloud.name);
	doc_set_str(cloud, "arm", azure->cloud.arm);
	doc_set_str(cloud, "authority", azure->cloud.authority);
	doc_set_str(cloud, "audience", azure->cloud.audience);
}

static void
walk(struct azure *azure)
{
	struct err err = { "" };

	record_cloud(azure);
	if (cloud_may_receive(&azure->cloud, azure->cloud.audience, &err))
		try_next(azure);
	else
		settle_unknown(azure, "foreign-host", 0, "foreign-host", err.text);
}

static void
signin_start(struct azure *azure, void (*done)(void *), void *ctx)
{
	struct waiter *waiter = malloc(sizeof(*waiter)), **end = &azure->waiters;

	if (waiter == NULL) {
		done(ctx);
		return;
	}
	*waiter = (struct waiter){ .done = done, .ctx = ctx };
	while (*end != NULL)
		end = &(*end)->next;
	*end = waiter;
	if (azure->signing)
		return;
	azure->signing = true;
	azure->at = 0;
	json_decref(azure->tried);
	azure->tried = json_array();
	cloud_discover(azure, walk);
}

void
azure_signin(struct azure *azure, void (*done)(void *ctx), void *ctx)
{
	signin_start(azure, done, ctx);
}

void
token_renew(struct azure *azure, unsigned generation, void (*done)(void *ctx), void *ctx)
{
	if (!azure->signing && (azure->generation != generation || azure->renewals >= 2)) {
		done(ctx);
		return;
	}
	if (!azure->signing)
		azure->renewals++;
	azure->fresh = true;
	signin_start(azure, done, ctx);
}

/* ---- what credentials share ---- */

char *
credential_endpoint(const struct cloud *cloud, const char *tenant)
{
	char *name, *url;

	if (cloud->adfs)
		return doc_fmt("%s/adfs/oauth2/token", cloud->authority);
	name = url_encode(tenant);
	url = name != NULL ? doc_fmt("%s/%s/oauth2/v2.0/token", cloud->authority, name) : NULL;
	free(name);
	return url;
}

char *
credential_form(const char *name, ...)
{
	char *form = strdup(""), *value, *longer;
	const char *text;
	va_list ap;

	va_start(ap, name);
	for (; form != NULL && name != NULL; name = va_arg(ap, const char *)) {
		if ((text = va_arg(ap, const char *)) == NULL)
			continue;
		value = url_encode(text);
		longer = value != NULL ? doc_fmt("%s%s%s=%s", form, *form != '\0' ? "&" : "", name, value) : NULL;
		secret_free(value);
		secret_free(form);
		form = longer;
	}
	va_end(ap);
	return form;
}

/* A sentence for an answer that holds no OAuth error: the network, a proxy, a page. */
static void
answer_broken(struct azure *azure, const struct web_answer *answer)
{
	if (answer->error == -ECANCELED)
		credential_failed(azure, "deadline", 0, "the time was over");
	else if (answer->error != 0)
		credential_failed(azure, "network", 0, "%s", answer->error_text);
	else if (answer->html)
		credential_failed(azure, "network", 0,
		    "the sign-in service answered with a web page (HTTP %ld): a proxy or a captive portal stands between",
		    answer->status);
	else
		credential_failed(
		    azure, "network", 0, "the sign-in service answered HTTP %ld without the JSON that was due", answer->status);
}

static time_t
token_expiry(const json_t *json)
{
	json_int_t at = doc_int(json, "expires_on", 0), in = doc_int(json, "expires_in", 0);

	return at > 1000000000 ? (time_t)at : in > 0 && in < 100000000 ? time(NULL) + (time_t)in : 0;
}

void
credential_answer(struct azure *azure, const struct web_answer *answer, const char *tenant)
{
	const char *token = doc_str(answer->json, "access_token"), *text = doc_str(answer->json, "error_description");
	const char *word = doc_str(answer->json, "error");
	const struct aadsts *known;
	long number;

	if (answer->error != 0 || answer->json == NULL || answer->html) {
		answer_broken(azure, answer);
		return;
	}
	if (answer->status == 200 && token != NULL && *token != '\0') {
		credential_token(azure, token, token_expiry(answer->json), tenant);
		return;
	}
	number = (long)json_integer_value(json_array_get(doc_list(answer->json, "error_codes"), 0));
	if (number == 0)
		number = aadsts_number(text);
	if (text == NULL)
		text = doc_str(answer->json, "error.message") != NULL ? doc_str(answer->json, "error.message") :
									doc_str(answer->json, "message");
	if ((known = aadsts_find(number)) != NULL)
		credential_failed(azure, "failed", number, "AADSTS%ld: %s", number, known->words);
	else if (answer->status == 429 || answer->status >= 500)
		credential_failed(azure, "network", number, "the sign-in service answered HTTP %ld", answer->status);
	else
		credential_failed(azure, "failed", number, "%.*s", text != NULL ? (int)strcspn(text, "\r\n") : 200,
		    text != NULL     ? text :
			word != NULL ? word :
				       "the answer holds no token");
}

static void
posted(void *ctx, const struct web_answer *answer)
{
	struct azure *azure = ctx;

	credential_answer(azure, answer, azure->asked_tenant);
}

void
credential_post(struct azure *azure, const char *tenant, char *form)
{
	char *url = credential_endpoint(&azure->cloud, tenant);

	free(azure->asked_tenant);
	azure->asked_tenant = strdup(tenant);
	if (url != NULL && form != NULL && url_safe(url))
		web_ask(azure, &(struct web_ask){ .method = "POST", .url = url, .body = form, .max_bytes = 1u << 20 }, posted, azure);
	else
		credential_failed(azure, "failed", 0, "the sign-in address cannot be used");
	secret_free(form);
	free(url);
}
