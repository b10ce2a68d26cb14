/* Whoever is signed in with az: a token that az has kept and that still serves, else one that az is
 * asked for. */
#include "azure/arm/json.h"
#include "azure/signin/aadsts.h"
#include "azure/signin/credentials.h"
#include "azure/signin/oauth.h"
#include "facts/doc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CACHE_MAX (8u << 20)
#define SPARE_S 300 /* a token with less left than this is not worth taking */

static const char *
wanted_tenant(const struct signin *signin)
{
	return signin->account->tenant != NULL ? signin->account->tenant
					       : signin->account->profile_tenant;
}

/* ---- az's token cache ---- */

/* "target" lists scopes, parted by blanks: true when one of them is for this cloud's ARM. */
static bool
target_fits(const struct cloud *cloud, const char *target)
{
	static const char *const ends[] = { "/.default", "/user_impersonation", ".default" };
	char *copy = target != NULL ? strdup(target) : NULL, *rest = copy, *scope;
	bool fits = false;

	while (!fits && rest != NULL && (scope = strsep(&rest, " ")) != NULL)
		for (size_t i = 0; !fits && i < sizeof(ends) / sizeof(*ends); i++) {
			size_t len = strlen(scope), end = strlen(ends[i]);
			char kept;

			if (len <= end || strcasecmp(scope + len - end, ends[i]) != 0)
				continue;
			kept = scope[len - end];
			scope[len - end] = '\0';
			fits = cloud_audience_fits(cloud, scope);
			scope[len - end] = kept;
		}
	free(copy);
	return fits;
}

/* The account of the active subscription, as far as the cache tells: another person's token would
 * show another Azure. */
static bool
account_fits(const struct signin *signin, const json_t *cache, const json_t *entry)
{
	const json_t *profile = signin->account->active != NULL
				    ? config_subscription(&signin->account->config,
							  signin->account->active)
				    : NULL,
		     *account;
	const char *user = doc_str(profile, "user.name"), *home = doc_str(entry, "home_account_id"),
		   *key;

	if (user == NULL)
		return true;
	if (home == NULL)
		return doc_is(entry, "client_id", user);
	json_object_foreach ((json_t *)(uintptr_t)json_object_get(cache, "Account"), key, account)
		if (doc_is(account, "home_account_id", home))
			return doc_is(account, "username", user);
	return true;
}

static bool
entry_fits(const struct signin *signin, const json_t *cache, const json_t *entry)
{
	const char *tenant = wanted_tenant(signin), *type = doc_str(entry, "token_type");

	return doc_str(entry, "secret") != NULL && tenant != NULL &&
	       doc_is(entry, "realm", tenant) && (type == NULL || doc_same(type, "Bearer")) &&
	       doc_int(entry, "expires_on", 0) > (json_int_t)time(NULL) + SPARE_S &&
	       cloud_authority_fits(signin->cloud, doc_str(entry, "environment")) &&
	       target_fits(signin->cloud, doc_str(entry, "target")) &&
	       account_fits(signin, cache, entry);
}

static void
wipe_cache(json_t *cache)
{
	static const char *const kinds[] = { "AccessToken", "RefreshToken", "IdToken" };
	const char *key;
	json_t *entry;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		json_object_foreach (json_object_get(cache, kinds[i]), key, entry) {
			const char *secret = doc_str(entry, "secret");

			if (secret != NULL)
				explicit_bzero((char *)(uintptr_t)secret, strlen(secret));
		}
	json_decref(cache);
}

/* Ends the try with a cached token; false when there is none. */
static bool
take_cached(struct signin *signin)
{
	char *text = config_file(&signin->account->config, "msal_token_cache.json", CACHE_MAX);
	json_t *cache = text != NULL ? parse_json(text, strlen(text)) : NULL, *entry, *found = NULL;
	const char *key;

	secret_free(text);
	json_object_foreach (json_object_get(cache, "AccessToken"), key, entry)
		if (entry_fits(signin, cache, entry) &&
		    doc_int(entry, "expires_on", 0) > doc_int(found, "expires_on", 0))
			found = entry;
	if (found != NULL)
		credential_token(signin, doc_str(found, "secret"),
				 (time_t)doc_int(found, "expires_on", 0), doc_str(found, "realm"));
	wipe_cache(cache);
	return found != NULL;
}

/* ---- az itself ---- */

/* expires_on is an epoch; the older expiresOn is local time without a zone. */
static time_t
az_expiry(const json_t *json)
{
	const char *text = doc_str(json, "expiresOn");
	struct tm tm = { .tm_isdst = -1 };

	if (doc_int(json, "expires_on", 0) > 0)
		return (time_t)doc_int(json, "expires_on", 0);
	return text != NULL && strptime(text, "%Y-%m-%d %H:%M:%S", &tm) != NULL ? mktime(&tm) : 0;
}

/* The line of az's stderr that says what is wrong. */
static char *
error_line(const struct signin *signin, const char *text)
{
	const char *at = strstr(text, "ERROR:"), *line = at != NULL ? at + 6 : text;
	char *copy, *cut;

	line += strspn(line, " \r\n");
	copy = strndup(line, strcspn(line, "\r\n") < 400 ? strcspn(line, "\r\n") : 400);
	cut = secrets_text(&signin->web->secrets, copy);
	free(copy);
	return cut;
}

static void
az_refused(struct signin *signin, const struct child_reply *reply)
{
	long number = aadsts_number(reply->err);
	char *line;

	if (credential_known(signin, number))
		return;
	line = error_line(signin, reply->err);
	if (strstr(reply->err, "az login --") != NULL)
		credential_refused(signin, "expired", NULL, number, "%s", line);
	else if (number != 0)
		credential_refused(signin, "failed", NULL, number, "%s", line);
	else if (strstr(reply->err, "az login") != NULL ||
		 strstr(reply->err, "az account set") != NULL)
		credential_unavailable(signin, "az is not signed in");
	else
		credential_failed(signin, "failed", "az ended with status %d: %s", reply->status,
				  *line != '\0' ? line : "it said nothing");
	free(line);
}

static void
az_ended(void *ctx, const struct child_reply *reply)
{
	struct signin *signin = ctx;
	json_t *json;
	const char *token;

	if (reply->error == -ENOENT || (reply->error == 0 && reply->status == 127)) {
		credential_unavailable(signin, "az is not installed");
	} else if (reply->error == -ECANCELED) {
		credential_failed(signin, "deadline",
				  "the time was over while az was asked for a token");
	} else if (reply->error != 0) {
		credential_failed(signin, "failed", "az did not answer: %s",
				  strerror(-reply->error));
	} else if (reply->status != 0) {
		az_refused(signin, reply);
	} else {
		json = parse_json(reply->out, reply->out_len);
		token = doc_str(json, "accessToken");
		if (token != NULL && *token != '\0')
			credential_token(signin, token, az_expiry(json), doc_str(json, "tenant"));
		else
			credential_failed(signin, "failed", "az answered without a token");
		if (token != NULL)
			explicit_bzero((char *)(uintptr_t)token, strlen(token));
		json_decref(json);
	}
}

void
credential_cli(struct signin *signin)
{
	const char *argv[12] = { "az",   "account",    "get-access-token",     "--output",
				 "json", "--resource", signin->cloud->audience };
	size_t n = 7;
	int r;

	if (!signin->fresh && take_cached(signin))
		return;
	if (signin->account->tenant != NULL) {
		argv[n++] = "--tenant";
		argv[n++] = signin->account->tenant;
	} else if (signin->account->subscription != NULL && signin->account->active != NULL &&
		   config_subscription(&signin->account->config, signin->account->active) != NULL) {
		argv[n++] = "--subscription";
		argv[n++] = signin->account->active;
	}
	r = loop_child(
	    signin->web->loop,
	    &(struct child_request){ .argv = argv, .azure_env = true, .timeout_ms = 13000 },
	    az_ended, signin);
	if (r == -ENOENT)
		credential_unavailable(signin, "az is not installed");
	else if (r < 0)
		credential_failed(signin, r == -ECANCELED ? "deadline" : "failed",
				  "az could not be started: %s", strerror(-r));
}
