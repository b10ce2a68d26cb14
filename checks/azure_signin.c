#include "checks/checks.h"
#include "facts/words.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SKEW_S 300 /* Entra and ARM forgive five minutes */

static bool
clock_off(const struct rule *rule, const struct fact_signin *signin)
{
	return llabs(signin->skew_s) > rule_int(rule, "skew_s", SKEW_S);
}

static void
evidence(const struct fact_signin *signin, struct finding *finding)
{
	json_t *tried = signin->tried != NULL ? json_array() : NULL;

	finding_text(finding, "credential", signin->credential);
	finding_text(finding, "tenant", signin->tenant);
	finding_text(finding, "reason", signin->reason);
	if (signin->aadsts != 0)
		finding_number(finding, "aadsts", signin->aadsts);
	if (signin->skew_s != 0)
		finding_number(finding, "skew_s", signin->skew_s);
	finding_text(finding, "trace_id", signin->support.trace_id);
	finding_text(finding, "correlation_id", signin->support.correlation_id);
	finding_text(finding, "request_id", signin->support.request_id);
	for (size_t i = 0; i < signin->tried_count; i++)
		json_array_append_new(tried, fact_object(shape_of_signin_try(), &signin->tried[i]));
	finding_value(finding, "tried", tried);
}

/* What kept a failed sign-in from succeeding, by the kind of its error. */
static const struct kind {
	const char *kind;
	enum code code;
} kinds[] = {
	{ "signed-out", CODE_AZ_NOT_LOGGED_IN },
	{ "expired", CODE_TOKEN_EXPIRED_CA },
	{ "blocked", CODE_SIGNIN_BLOCKED_CA },
	{ "tenant", CODE_TENANT_WRONG },
	{ "secret", CODE_SIGNIN_SECRET_WRONG },
	{ "clock", CODE_SIGNIN_ASSERTION_TIME },
	{ "consent", CODE_SIGNIN_CONSENT_MISSING },
	{ "federated", CODE_SIGNIN_FEDERATION_MISMATCH },
	{ "network", CODE_SIGNIN_UNREACHABLE },
	{ "transient", CODE_SIGNIN_UNREACHABLE },
	{ "deadline", CODE_SIGNIN_TOO_SLOW },
	{ "foreign-host", CODE_FOREIGN_HOST_REFUSED },
};

static enum code
code_of(const struct fact_signin *signin)
{
	const char *kind = signin->kind != NULL ? signin->kind : signin->cause;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (doc_same(kinds[i].kind, kind))
			return kinds[i].code;
	return CODE_AZ_SIGNIN_FAILED;
}

static bool
refused(const json_t *entry)
{
	static const char *const causes[] = { "expired", "unauthorized", "challenge" };

	const char *cause = FACT_GET(entry, missing, cause);

	return cause != NULL && word_among(cause, causes, sizeof(causes) / sizeof(*causes));
}

/* The sign-in succeeded, and then ARM did not take its token: the entry that tells, a fact_missing;
 * NULL when it took it. */
static const json_t *
token_refused(const struct facts *facts)
{
	const json_t *vm = facts_section(facts, FACT_VM);
	json_t *entry;
	const char *key;

	if (refused(vm))
		return vm;
	json_object_foreach ((json_t *)(uintptr_t)facts_missing(facts), key, entry)
		if (refused(entry))
			return entry;
	return NULL;
}

/* A wrong clock breaks assertions and makes tokens look over or not yet valid: then it is the
 * cause, and not what it broke. */
static bool
clock_broke_it(const struct scene *scene)
{
	return doc_same(scene->signin->kind, "clock") || token_refused(scene->facts) != NULL;
}

static int
set_clock(const struct fact_signin *signin, enum status status, struct finding *finding)
{
	long long off = llabs(signin->skew_s);

	return finding_set(finding, status, CODE_CLOCK_SKEW_TOKEN,
			   "the clock of this machine is %lld minutes %s Azure's", (off + 30) / 60,
			   signin->skew_s > 0 ? "ahead of" : "behind");
}

/* "client-secret (AZURE_CLIENT_SECRET is not set), ...": what was tried and why it did not serve;
 * the caller frees. */
static char *
tried_words(const struct fact_signin *signin)
{
	char *words = strdup(""), *longer;

	for (size_t i = 0; i < signin->tried_count; i++) {
		const struct fact_signin_try *one = &signin->tried[i];

		longer = doc_fmt("%s%s%s (%s)", words, i > 0 ? ", " : "",
				 one->credential != NULL ? one->credential : "?",
				 one->why != NULL ? one->why : "?");
		free(words);
		words = longer;
	}
	return words;
}

static int
signed_out(const struct fact_signin *signin, struct finding *finding)
{
	char *words = tried_words(signin);
	int r = finding_set(finding, UNKNOWN, CODE_AZ_NOT_LOGGED_IN, "no credential served: %s",
			    words != NULL ? words : "");

	free(words);
	return r;
}

static int
run_failed(const struct scene *scene, bool off, struct finding *finding)
{
	const struct fact_signin *signin = scene->signin;

	if (off && clock_broke_it(scene))
		return set_clock(signin, UNKNOWN, finding);
	if (doc_same(signin->cause, "signed-out") && signin->tried_count > 1)
		return signed_out(signin, finding);
	return finding_set(finding, UNKNOWN, code_of(signin), "%s",
			   signin->reason != NULL ? signin->reason : "the sign-in did not succeed");
}

static const char *
who(const struct fact_signin_claims *claims)
{
	const char *const names[] = {
		claims->upn,       claims->unique_name, claims->app_displayname,
		claims->xms_mirid, claims->appid,       claims->azp,
		claims->oid
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (names[i] != NULL)
			return names[i];
	return NULL;
}

static int
run_known(const struct scene *scene, bool off, struct finding *finding)
{
	const struct fact_signin *signin = scene->signin;
	const char *name = who(&signin->claims);
	const json_t *entry = token_refused(scene->facts);
	struct finding *also;
	int r;

	if (off && clock_broke_it(scene))
		return set_clock(signin, UNKNOWN, finding);
	if (entry != NULL) {
		finding_text(finding, "reason", FACT_GET(entry, missing, reason));
		return finding_set(finding, UNKNOWN,
				   doc_same(FACT_GET(entry, missing, cause), "challenge")
				       ? CODE_TOKEN_EXPIRED_CA
				       : CODE_AZ_NOT_LOGGED_IN,
				   "Azure does not accept the token of %s any more",
				   name != NULL ? name : signin->credential);
	}
	r = finding_set(finding, PASS, CODE_AZURE_SIGNIN_OK, "signed in%s%s (%s)",
			name != NULL ? " as " : "", name != NULL ? name : "", signin->credential);
	if (off && (also = finding_also(finding)) != NULL) {
		evidence(signin, also);
		set_clock(signin, WARN, also);
	}
	return r;
}

int
check_azure_signin(const struct scene *scene, const struct rule *rule, struct finding *finding)
{
	const struct fact_signin *signin = scene->signin;

	if (signin->state == FACT_NOT_ASKED || !scene->asked.azure)
		return finding_set(finding, SKIP, CODE_NOT_ASKED, "%s",
				   signin->reason != NULL ? signin->reason : "Azure was left out");
	evidence(signin, finding);
	if (signin->state == FACT_KNOWN)
		return run_known(scene, clock_off(rule, signin), finding);
	if (signin->state == FACT_PENDING)
		return finding_set(finding, UNKNOWN, CODE_SIGNIN_TOO_SLOW,
				   "the sign-in had not ended");
	return run_failed(scene, clock_off(rule, signin), finding);
}
