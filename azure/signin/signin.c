#include "azure/signin/signin.h"
#include "azure/signin/jwt.h"
#include "facts/doc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void try_next(struct signin *signin);

/* ---- ending ---- */

static void
note_tried(struct signin *signin, const char *result, const char *why)
{
	json_t *entry = json_object();

	doc_set_str(entry, "credential", signin->credentials[signin->at]->name);
	doc_set_str(entry, "result", result);
	doc_set_str(entry, "why", why);
	secrets_cut(&signin->web->secrets, entry);
	json_array_append_new(signin->tried, entry);
}

const char *
signin_tenant(const struct signin *signin)
{
	if (signin->cloud->adfs)
		return "adfs";
	if (signin->account->tenant != NULL)
		return signin->account->tenant;
	return env_text("AZURE_TENANT_ID");
}

static void
signin_end(struct signin *signin)
{
	signin->signing = false;
	waiters_call(&signin->waiters);
}

/* Starts azure.signin anew; NULL when a former sign-in stands there, which a failed renewal does
 * not take back. */
static json_t *
signin_section(struct signin *signin, enum fact_state state)
{
	json_t *section, *azure_object = doc_get(signin->web->doc, "azure");

	if (state != FACT_KNOWN && signin->used != NULL)
		return NULL;
	section =
	    json_pack("{s:s, s:O}", "state", FACT_WORD(fact_state, state), "tried", signin->tried);
	json_object_set_new(azure_object, "signin", section);
	if (signin->web->skew_known)
		doc_set_int(section, "skew_s", signin->web->skew);
	return section;
}

static void
settle_unknown(struct signin *signin, const char *cause, long aadsts, const char *kind,
	       const char *reason)
{
	json_t *section = signin_section(signin, FACT_UNKNOWN);

	if (section != NULL) {
		doc_set_str(section, "cause", cause);
		doc_set_str(section, "reason", reason);
		doc_set_str(section, "kind", kind);
		doc_set_str(section, "tenant", signin->account->tenant);
		if (aadsts != 0)
			doc_set_int(section, "aadsts", aadsts);
		if (signin->support != NULL && json_object_size(signin->support) > 0)
			json_object_set(section, "support", signin->support);
		secrets_cut(&signin->web->secrets, section);
	}
	signin_end(signin);
}

/* The token that came is for the audience asked for. An opaque one cannot tell. */
static bool
token_fits(const struct signin *signin, const json_t *claims, struct err *err)
{
	const char *audience = doc_str(claims, "aud");

	if (!cloud_may_ask(signin->cloud, signin->credentials[signin->at]->by_authority, err))
		return false;
	if (json_object_get(claims, "aud") == NULL || cloud_audience_fits(signin->cloud, audience))
		return true;
	err_set(err, "the token that came is for \"%s\", not for %s as asked", audience,
		signin->cloud->audience);
	return false;
}

void
credential_token(struct signin *signin, const char *token, time_t expires, const char *tenant)
{
	const struct credential *credential = signin->credentials[signin->at];
	json_t *claims = jwt_claims(token), *section;
	struct err err = { "" };

	if (!token_fits(signin, claims, &err)) {
		json_decref(claims);
		credential_failed(signin, "foreign-host", "%s", err.text);
		return;
	}
	secrets_learn(&signin->web->secrets, token);
	secret_free(signin->token->text);
	signin->token->text = strdup(token);
	signin->token->expires = expires != 0 ? expires : (time_t)doc_int(claims, "exp", 0);
	signin->token->generation++;
	signin->used = credential;
	note_tried(signin, "used", NULL);
	section = signin_section(signin, FACT_KNOWN);
	doc_set_str(section, "credential", credential->name);
	if (doc_str(claims, "tid") != NULL)
		tenant = doc_str(claims, "tid");
	else if (tenant == NULL && credential->by_authority)
		tenant = signin_tenant(signin);
	doc_set_str(section, "tenant", tenant);
	if (claims != NULL)
		json_object_set_new(section, "claims", claims);
	secrets_cut(&signin->web->secrets, section);
	signin_end(signin);
}

void
credential_unavailable(struct signin *signin, const char *fmt, ...)
{
	va_list ap;
	char *why;

	va_start(ap, fmt);
	why = doc_vfmt(fmt, ap);
	va_end(ap);
	note_tried(signin, "unavailable", why);
	free(why);
	signin->at++;
	try_next(signin);
}

/* Takes `why`. */
static void
try_failed(struct signin *signin, const char *cause, const char *kind, long aadsts, char *why)
{
	const struct credential *credential = signin->credentials[signin->at];
	char *reason = doc_fmt("signing in by %s failed: %s", credential->name, why);

	note_tried(signin, "failed", why);
	free(why);
	if (strcmp(cause, "deadline") != 0 && !credential->prod &&
	    signin->credentials[signin->at + 1] != NULL) {
		signin->at++;
		try_next(signin);
	} else {
		settle_unknown(signin, cause, aadsts, kind, reason);
	}
	free(reason);
}

void
credential_failed(struct signin *signin, const char *cause, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	try_failed(signin, cause, cause, 0, doc_vfmt(fmt, ap));
	va_end(ap);
}

void
credential_refused(struct signin *signin, const char *cause, const char *kind, long aadsts,
		   const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	try_failed(signin, cause, kind != NULL ? kind : cause, aadsts, doc_vfmt(fmt, ap));
	va_end(ap);
}

/* ---- the walk ---- */

static void
none_left(struct signin *signin)
{
	const char *hint =
	    "run az login, or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET";
	char *reason;

	if (signin->refused.text[0] != '\0') {
		settle_unknown(signin, "foreign-host", 0, "foreign-host", signin->refused.text);
		return;
	}
	if (signin->chosen && json_array_size(signin->tried) > 0)
		reason = doc_fmt("the credential asked for did not serve: %s",
				 doc_str(json_array_get(signin->tried, 0), "why"));
	else
		reason = doc_fmt("not signed in to Azure: no credential served; %s", hint);
	settle_unknown(signin, "signed-out", 0, "signed-out", reason);
	free(reason);
}

/* Passes over credentials that may not be asked for this cloud's audience. */
static void
try_next(struct signin *signin)
{
	const struct credential *credential;

	for (; (credential = signin->credentials[signin->at]) != NULL; signin->at++) {
		if (cloud_may_ask(signin->cloud, credential->by_authority, &signin->refused)) {
			credential->try(signin);
			return;
		}
		note_tried(signin, "failed", signin->refused.text);
	}
	none_left(signin);
}

static void
walk(void *ctx)
{
	struct signin *signin = ctx;
	const struct cloud *cloud = signin->cloud;
	json_t *facts = azure_facts(signin->web->doc, "cloud");
	struct err err = { "" };

	doc_set_str(facts, "name", cloud->name);
	doc_set_str(facts, "arm", cloud->arm);
	doc_set_str(facts, "authority", cloud->authority);
	doc_set_str(facts, "audience", cloud->audience);
	if (signin->account->config.unread != NULL)
		settle_unknown(signin, "failed", 0, "failed", signin->account->config.unread);
	else if (cloud_may_ask(cloud, true, &err))
		try_next(signin);
	else
		settle_unknown(signin, "foreign-host", 0, "foreign-host", err.text);
}

void
signin_start(struct signin *signin, void (*done)(void *), void *ctx)
{
	waiters_add(&signin->waiters, done, ctx);
	if (signin->signing)
		return;
	signin->signing = true;
	signin->at = 0;
	signin->refused.text[0] = '\0';
	json_decref(signin->tried);
	signin->tried = json_array();
	cloud_discover(signin->cloud, signin->web, walk, signin);
}

void
signin_renew(void *ctx, unsigned generation, void (*done)(void *ctx), void *done_ctx)
{
	struct signin *signin = ctx;

	if (!signin->signing) {
		if (signin->token->generation != generation || signin->renewals >= 2) {
			done(done_ctx);
			return;
		}
		signin->renewals++;
	}
	signin->fresh = true;
	signin_start(signin, done, done_ctx);
}

void
signin_free(struct signin *signin)
{
	json_decref(signin->tried);
	json_decref(signin->support);
}
