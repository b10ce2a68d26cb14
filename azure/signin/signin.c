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
	for (len = strlen(words); len > 0 && (words[len - 1] == ' ' || words[len - 1] == '\t');
	     len--)
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

/* Starts azure.signin anew; NULL when a former sign-in stands there, which a failed renewal does
 * not take back. */
static json_t *
signin_section(struct azure *azure, enum fact_state state)
{
	json_t *section, *azure_object = doc_get(azure->doc, "azure");

	if (state != FACT_KNOWN && azure->used != NULL)
		return NULL;
	section =
	    json_pack("{s:s, s:O}", "state", FACT_WORD(fact_state, state), "tried", azure->tried);
	json_object_set_new(azure_object, "signin", section);
	if (azure->skew_known)
		doc_set_int(section, "skew_s", azure->skew);
	return section;
}

static void
settle_unknown(struct azure *azure, const char *cause, long aadsts, const char *kind,
	       const char *reason)
{
	json_t *section = signin_section(azure, FACT_UNKNOWN);

	if (section != NULL) {
		doc_set_str(section, "cause", cause);
		doc_set_str(section, "reason", reason);
		doc_set_str(section, "kind", kind);
		doc_set_str(section, "tenant", azure->tenant);
		if (aadsts != 0)
			doc_set_int(section, "aadsts", aadsts);
		if (azure->support != NULL && json_object_size(azure->support) > 0)
			json_object_set(section, "support", azure->support);
		secrets_cut(&azure->secrets, section);
	}
	signin_end(azure);
}

/* The token that came is for the audience asked for. An opaque one cannot tell. */
static bool
token_fits(const struct azure *azure, const json_t *claims, struct err *err)
{
	const char *audience = doc_str(claims, "aud");

	if (!cloud_may_ask(&azure->cloud, azure->credentials[azure->at]->by_authority, err))
		return false;
	if (json_object_get(claims, "aud") == NULL || cloud_audience_fits(&azure->cloud, audience))
		return true;
	err_set(err, "the token that came is for \"%s\", not for %s as asked", audience,
		azure->cloud.audience);
	return false;
}

void
credential_token(struct azure *azure, const char *token, time_t expires, const char *tenant)
{
	const struct credential *credential = azure->credentials[azure->at];
	json_t *claims = jwt_claims(token), *section;
	struct err err = { "" };

	if (!token_fits(azure, claims, &err)) {
		json_decref(claims);
		credential_failed(azure, "foreign-host", NULL, 0, "%s", err.text);
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
	doc_set_str(section, "tenant",
		    doc_str(claims, "tid") != NULL ? doc_str(claims, "tid") : tenant);
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
credential_failed(struct azure *azure, const char *cause, const char *kind, long aadsts,
		  const char *fmt, ...)
{
	const char *name = azure->credentials[azure->at]->name;
	char *why, *reason;
	va_list ap;

	va_start(ap, fmt);
	why = doc_vfmt(fmt, ap);
	va_end(ap);
	note_tried(azure, "failed", why);
	if (strcmp(cause, "deadline") != 0 && !azure->credentials[azure->at]->prod &&
	    azure->credentials[azure->at + 1] != NULL) {
		free(why);
		azure->at++;
		try_next(azure);
		return;
	}
	reason = doc_fmt("signing in by %s failed: %s", name, why != NULL ? why : "");
	settle_unknown(azure, cause, aadsts, kind != NULL ? kind : cause, reason);
	free(reason);
	free(why);
}

/* ---- the walk ---- */

static void
none_left(struct azure *azure)
{
	const char *hint =
	    "run az login, or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET";
	char *reason;

	if (azure->refused.text[0] != '\0') {
		settle_unknown(azure, "foreign-host", 0, "foreign-host", azure->refused.text);
		return;
	}
	if (azure->chosen && json_array_size(azure->tried) > 0)
		reason = doc_fmt("the credential asked for did not serve: %s",
				 doc_str(json_array_get(azure->tried, 0), "why"));
	else
		reason = doc_fmt("not signed in to Azure: no credential served; %s", hint);
	azure->signed_out = true;
	settle_unknown(azure, "signed-out", 0, "signed-out", reason);
	free(reason);
}

/* Passes over credentials that may not be asked for this cloud's audience. */
static void
try_next(struct azure *azure)
{
	const struct credential *credential;

	for (; (credential = azure->credentials[azure->at]) != NULL; azure->at++) {
		if (cloud_may_ask(&azure->cloud, credential->by_authority, &azure->refused)) {
			credential->try(azure);
			return;
		}
		note_tried(azure, "failed", azure->refused.text);
	}
	none_left(azure);
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
	if (azure->config.unread != NULL)
		settle_unknown(azure, "failed", 0, "failed", azure->config.unread);
	else if (cloud_may_ask(&azure->cloud, true, &err))
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
	azure->refused.text[0] = '\0';
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
