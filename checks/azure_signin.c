#include "checks/checks.h"

#include <stdlib.h>
#include <string.h>

#define SKEW_S 300 /* Entra and ARM forgive five minutes */

static json_int_t
skew_of(const json_t *signin)
{
	return doc_int(signin, "skew_s", 0);
}

static bool
clock_off(const struct rule *rule, const json_t *signin)
{
	return llabs(skew_of(signin)) > rule_int(rule, "skew_s", SKEW_S);
}

static void
evidence(const json_t *signin, struct finding *finding)
{
	finding_text(finding, "credential", doc_str(signin, "credential"));
	finding_text(finding, "tenant", doc_str(signin, "tenant"));
	finding_text(finding, "reason", doc_str(signin, "reason"));
	if (doc_int(signin, "aadsts", 0) != 0)
		finding_number(finding, "aadsts", doc_int(signin, "aadsts", 0));
	if (doc_get(signin, "skew_s") != NULL && skew_of(signin) != 0)
		finding_number(finding, "skew_s", skew_of(signin));
	finding_text(finding, "trace_id", doc_str(signin, "support.trace_id"));
	finding_text(finding, "correlation_id", doc_str(signin, "support.correlation_id"));
	finding_text(finding, "request_id", doc_str(signin, "support.request_id"));
	if (doc_list(signin, "tried") != NULL)
		finding_value(finding, "tried", json_deep_copy(doc_list(signin, "tried")));
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
code_of(const json_t *signin)
{
	const char *kind =
	    doc_str(signin, "kind") != NULL ? doc_str(signin, "kind") : doc_str(signin, "cause");

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (doc_same(kinds[i].kind, kind))
			return kinds[i].code;
	return CODE_AZ_SIGNIN_FAILED;
}

static bool
refused(const json_t *entry)
{
	return doc_is(entry, "cause", "expired") || doc_is(entry, "cause", "unauthorized") ||
	       doc_is(entry, "cause", "challenge");
}

/* The sign-in succeeded, and then ARM did not take its token: the entry that tells, NULL when it
 * took it. */
static const json_t *
token_refused(const struct facts *facts)
{
	const json_t *vm = facts_section(facts, FACT_VM), *entry;
	const char *key;

	if (refused(vm))
		return vm;
	json_object_foreach (doc_get(facts->doc, "azure.missing"), key, entry)
		if (refused(entry))
			return entry;
	return NULL;
}

/* A wrong clock breaks assertions and makes tokens look over or not yet valid: then it is the
 * cause, and not what it broke. */
static bool
clock_broke_it(const struct facts *facts, const json_t *signin)
{
	return doc_is(signin, "kind", "clock") || token_refused(facts) != NULL;
}

static int
set_clock(const json_t *signin, enum status status, struct finding *finding)
{
	long long off = llabs(skew_of(signin));

	return finding_set(finding, status, CODE_CLOCK_SKEW_TOKEN,
			   "the clock of this machine is %lld minutes %s Azure's", (off + 30) / 60,
			   skew_of(signin) > 0 ? "ahead of" : "behind");
}

/* "client-secret (AZURE_CLIENT_SECRET is not set), ...": what was tried and why it did not serve;
 * the caller frees. */
static char *
tried_words(const json_t *signin)
{
	const json_t *tried = doc_list(signin, "tried"), *one;
	char *words = strdup(""), *longer;
	size_t i;

	json_array_foreach (tried, i, one) {
		const char *name = doc_str(one, "credential"), *why = doc_str(one, "why");

		longer = doc_fmt("%s%s%s (%s)", words, i > 0 ? ", " : "", name != NULL ? name : "?",
				 why != NULL ? why : "?");
		free(words);
		words = longer;
	}
	return words;
}

static int
signed_out(const json_t *signin, struct finding *finding)
{
	char *words = tried_words(signin);
	int r = finding_set(finding, UNKNOWN, CODE_AZ_NOT_LOGGED_IN, "no credential served: %s",
			    words != NULL ? words : "");

	free(words);
	return r;
}

static int
run_failed(const struct facts *facts, const json_t *signin, bool off, struct finding *finding)
{
	const char *reason = doc_str(signin, "reason");

	if (off && clock_broke_it(facts, signin))
		return set_clock(signin, UNKNOWN, finding);
	if (doc_is(signin, "cause", "signed-out") && json_array_size(doc_list(signin, "tried")) > 1)
		return signed_out(signin, finding);
	return finding_set(finding, UNKNOWN, code_of(signin), "%s",
			   reason != NULL ? reason : "the sign-in did not succeed");
}

static const char *
who(const json_t *claims)
{
	static const char *const names[] = { "upn",       "unique_name", "app_displayname",
					     "xms_mirid", "appid",       "azp",
					     "oid" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (doc_str(claims, names[i]) != NULL)
			return doc_str(claims, names[i]);
	return NULL;
}

static int
run_known(const struct facts *facts, const json_t *signin, bool off, struct finding *finding)
{
	const char *credential = doc_str(signin, "credential"),
		   *name = who(doc_get(signin, "claims"));
	const json_t *entry = token_refused(facts);
	struct finding *also;
	int r;

	if (off && clock_broke_it(facts, signin))
		return set_clock(signin, UNKNOWN, finding);
	if (entry != NULL) {
		finding_text(finding, "reason", doc_str(entry, "reason"));
		return finding_set(finding, UNKNOWN,
				   doc_is(entry, "cause", "challenge") ? CODE_TOKEN_EXPIRED_CA
								       : CODE_AZ_NOT_LOGGED_IN,
				   "Azure does not accept the token of %s any more",
				   name != NULL ? name : credential);
	}
	r = finding_set(finding, PASS, CODE_AZURE_SIGNIN_OK, "signed in%s%s (%s)",
			name != NULL ? " as " : "", name != NULL ? name : "", credential);
	if (off && (also = finding_also(finding)) != NULL) {
		evidence(signin, also);
		set_clock(signin, WARN, also);
	}
	return r;
}

int
check_azure_signin(const struct scene *scene, const struct rule *rule, struct finding *finding)
{
	const struct facts *facts = scene->facts;
	const json_t *signin = facts_section(facts, FACT_SIGNIN);
	const char *reason;
	enum fact_state state = facts_state(facts, FACT_SIGNIN, &reason);

	if (state == FACT_NOT_ASKED || !doc_bool(facts->doc, "asked.azure", true))
		return finding_set(finding, SKIP, CODE_NOT_ASKED, "%s",
				   reason != NULL ? reason : "Azure was left out");
	evidence(signin, finding);
	if (state == FACT_KNOWN)
		return run_known(facts, signin, clock_off(rule, signin), finding);
	if (state == FACT_PENDING)
		return finding_set(finding, UNKNOWN, CODE_SIGNIN_TOO_SLOW,
				   "the sign-in had not ended");
	return run_failed(facts, signin, clock_off(rule, signin), finding);
}
