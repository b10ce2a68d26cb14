#include "azure/signin/aadsts.h"
#include "facts/doc.h"

#include <stdlib.h>
#include <string.h>

#define MFA "multi-factor authentication is required: run az login again"
#define AGAIN "the sign-in has expired: run az login again"
#define POLICY                                                                                     \
	"Conditional Access blocks this sign-in (device, place or policy): ask an administrator"
#define DEVICE "Conditional Access wants a device that the tenant knows and finds in order"
#define PASSWORD "the password has expired or has to be changed: change it, then run az login"
#define CONSENT "the application has no consent to use Azure: ask an administrator"
#define SECRET "the client secret is wrong: AZURE_CLIENT_SECRET wants its value, not its id"
#define CERTIFICATE "the certificate is not registered for the application, or is another one"
#define TENANT "there is no such tenant: check its id, and whether it lies in another cloud"
#define ELSEWHERE                                                                                  \
	"the account is not in this tenant: sign in with the right account or name the tenant "    \
	"with --tenant"
#define APPLICATION                                                                                \
	"the application is not in this tenant: check AZURE_CLIENT_ID and AZURE_TENANT_ID"
#define RESOURCE "this tenant does not know the resource asked for: check --cloud and --tenant"
#define PASSING "the sign-in service has a passing fault: try again"
#define TIME "the assertion is outside its time: set the clock, or renew the federated token"

/* What Entra's error numbers mean for the person at the keyboard. */
static const struct aadsts table[] = {
	{ 50020, "failed", "tenant", ELSEWHERE },
	{ 90072, "failed", "tenant", ELSEWHERE },
	{ 51004, "failed", "tenant", ELSEWHERE },
	{ 50034, "failed", "tenant",
	  "no such user is in this tenant: check the account and the tenant" },
	{ 90002, "failed", "tenant", TENANT },
	{ 900021, "failed", "tenant", TENANT },
	{ 900023, "failed", "tenant", TENANT },
	{ 50128, "failed", "tenant", TENANT },
	{ 50059, "failed", "tenant",
	  "the request names no tenant: name it with --tenant or AZURE_TENANT_ID" },
	{ 90019, "failed", "tenant",
	  "the request names no tenant: name it with --tenant or AZURE_TENANT_ID" },
	{ 50194, "failed", "tenant",
	  "the application is of one tenant: name that tenant with --tenant or AZURE_TENANT_ID" },
	{ 90038, "failed", "tenant",
	  "the tenant lies in another cloud: name the cloud with --cloud" },
	{ 900439, "failed", "tenant",
	  "the tenant lies in another cloud: name the cloud with --cloud" },
	{ 700016, "failed", "tenant", APPLICATION },
	{ 7000229, "failed", "tenant", APPLICATION },
	{ 50053, "failed", "account",
	  "the account is locked, or its address is suspected: wait, or ask an administrator" },
	{ 50055, "expired", "expired", PASSWORD },
	{ 50125, "expired", "expired", PASSWORD },
	{ 50135, "expired", "expired", PASSWORD },
	{ 50144, "expired", "expired", PASSWORD },
	{ 50056, "failed", "account", "the user name or password is wrong" },
	{ 50057, "failed", "account", "the account is disabled: ask an administrator" },
	{ 50126, "failed", "account", "the user name or password is wrong" },
	{ 50072, "expired", "expired", MFA },
	{ 50074, "expired", "expired", MFA },
	{ 50076, "expired", "expired", MFA },
	{ 50078, "expired", "expired",
	  "multi-factor authentication has expired: run az login again" },
	{ 50079, "expired", "expired",
	  "multi-factor authentication has to be set up: run az login again" },
	{ 500121, "expired", "expired",
	  "multi-factor authentication was not passed: run az login again" },
	{ 50158, "expired", "expired",
	  "an external security challenge has to be answered: run az login again" },
	{ 16000, "expired", "expired", AGAIN },
	{ 50058, "expired", "expired", AGAIN },
	{ 50089, "expired", "expired", AGAIN },
	{ 50132, "expired", "expired", "the session is no longer valid: run az login again" },
	{ 50133, "expired", "expired", "the session is no longer valid: run az login again" },
	{ 50173, "expired", "expired", "the sign-in was revoked: run az login again" },
	{ 70000, "expired", "expired", AGAIN },
	{ 70008, "expired", "expired", "the sign-in has expired: run az login again" },
	{ 70043, "expired", "expired",
	  "the sign-in is older than Conditional Access allows: run az login again" },
	{ 700081, "expired", "expired", AGAIN },
	{ 700082, "expired", "expired",
	  "the sign-in expired after a long time without use: run az login again" },
	{ 700084, "expired", "expired", "the sign-in has expired: run az login again" },
	{ 50005, "failed", "blocked", DEVICE },
	{ 50097, "failed", "blocked", DEVICE },
	{ 50129, "failed", "blocked", DEVICE },
	{ 50131, "failed", "blocked", POLICY },
	{ 50155, "failed", "blocked", DEVICE },
	{ 500021, "failed", "blocked",
	  "the network's tenant restrictions keep this tenant out: ask an administrator" },
	{ 500022, "failed", "blocked",
	  "the network's tenant restrictions keep this tenant out: ask an administrator" },
	{ 53000, "failed", "blocked", "Conditional Access wants a compliant device" },
	{ 53001, "failed", "blocked", "Conditional Access wants a domain-joined device" },
	{ 53002, "failed", "blocked", "Conditional Access wants an approved application" },
	{ 53003, "failed", "blocked", POLICY },
	{ 53004, "expired", "expired",
	  "multi-factor authentication has to be set up: run az login again" },
	{ 53009, "failed", "blocked", POLICY },
	{ 53011, "failed", "blocked",
	  "the account is held to be at risk: an administrator has to clear it" },
	{ 530002, "failed", "blocked", DEVICE },
	{ 530003, "failed", "blocked", DEVICE },
	{ 530031, "failed", "blocked", POLICY },
	{ 530032, "failed", "blocked", POLICY },
	{ 530034, "failed", "blocked", POLICY },
	{ 530035, "failed", "blocked",
	  "the tenant's security defaults block this sign-in: ask an administrator" },
	{ 530084, "failed", "blocked",
	  "the tenant's token protection policy blocks this sign-in: ask an administrator" },
	{ 700003, "failed", "blocked",
	  "the tenant does not know this device any more: register it again, or ask an "
	  "administrator" },
	{ 135010, "failed", "blocked",
	  "the tenant does not know this device any more: register it again, or ask an "
	  "administrator" },
	{ 135011, "failed", "blocked",
	  "this device is disabled in the tenant: ask an administrator to enable it" },
	{ 50105, "failed", "consent",
	  "the account is not assigned to the application: ask an administrator" },
	{ 501051, "failed", "consent",
	  "the application is not assigned a role: ask an administrator" },
	{ 65001, "failed", "consent", CONSENT },
	{ 65004, "failed", "consent",
	  "consent to the application was declined: give it, or ask an administrator" },
	{ 90008, "failed", "consent", CONSENT },
	{ 90094, "failed", "consent",
	  "an administrator has to consent to the application's use of Azure" },
	{ 70001, "failed", "app",
	  "the application is disabled or not in this tenant: check AZURE_CLIENT_ID and "
	  "AZURE_TENANT_ID" },
	{ 700025, "failed", "app",
	  "the application is a public one and takes no secret: use another one, or az login" },
	{ 7000112, "failed", "app", "the application is disabled: an administrator can enable it" },
	{ 7000114, "failed", "app",
	  "the application is not allowed to sign in like this: check AZURE_CLIENT_ID" },
	{ 70002, "failed", "secret", SECRET },
	{ 7000214, "failed", "secret",
	  "the certificate has been revoked: give the application another one" },
	{ 7000215, "failed", "secret", SECRET },
	{ 7000216, "failed", "secret",
	  "a secret or certificate of the application is required: set AZURE_CLIENT_SECRET" },
	{ 7000218, "failed", "secret",
	  "a secret or certificate of the application is required: set AZURE_CLIENT_SECRET" },
	{ 7000222, "expired", "secret",
	  "the client secret has expired: make a new one for the application" },
	{ 700024, "failed", "clock", TIME },
	{ 500133, "failed", "clock", TIME },
	{ 700027, "failed", "secret", CERTIFICATE },
	{ 50012, "failed", "secret",
	  "the certificate or its signature is not accepted: check that it is the application's" },
	{ 50013, "failed", "federated",
	  "the assertion is not accepted: check who issued it, for whom, and until when" },
	{ 50027, "failed", "federated",
	  "the sign-in service cannot read the assertion as a token: check its source" },
	{ 5000811, "failed", "federated",
	  "the issuer's key that signed the token cannot be found: check the issuer" },
	{ 70021, "failed", "federated",
	  "no federated credential of the application matches this token's issuer, subject and "
	  "audience: compare them" },
	{ 700211, "failed", "federated",
	  "no federated credential of the application matches this token's issuer: compare them" },
	{ 700212, "failed", "federated",
	  "no federated credential of the application matches this token's audience: compare "
	  "them" },
	{ 700213, "failed", "federated",
	  "no federated credential of the application matches this token's subject: compare them" },
	{ 700223, "failed", "federated",
	  "the application may not use federated credentials: ask an administrator" },
	{ 70011, "failed", "scope", "the scope asked for is not valid here: check --cloud" },
	{ 50001, "failed", "scope", RESOURCE },
	{ 500011, "failed", "scope", RESOURCE },
	{ 500014, "failed", "scope",
	  "the resource asked for is disabled in this tenant: ask an administrator" },
	{ 50196, "network", "transient", "too many sign-ins were asked for: wait some minutes" },
	{ 90055, "network", "transient", "too many sign-ins were asked for: wait some minutes" },
	{ 90006, "network", "transient", PASSING },
	{ 90012, "network", "transient", PASSING },
	{ 90024, "network", "transient", PASSING },
	{ 90025, "network", "transient", PASSING },
	{ 90033, "network", "transient", PASSING },
	{ 50033, "network", "transient", PASSING },
	{ 50087, "network", "transient", PASSING },
};

const struct aadsts *
aadsts_find(long number)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		if (table[i].number == number)
			return &table[i];
	return NULL;
}

/* Of a number that is not in the table OAuth's own words still tell the kind. */
const char *
aadsts_kind(const char *error, const char *suberror)
{
	static const struct {
		const char *word, *kind;
	} kinds[] = {
		{ "consent_required", "consent" },
		{ "interaction_required", "expired" },
		{ "login_required", "expired" },
		{ "token_expired", "expired" },
		{ "protection_policy_required", "blocked" },
		{ "temporarily_unavailable", "transient" },
		{ "server_error", "transient" },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (doc_same(suberror, kinds[i].word) || doc_same(error, kinds[i].word))
			return kinds[i].kind;
	return NULL;
}

long
aadsts_number(const char *text)
{
	const char *at = text != NULL ? strcasestr(text, "AADSTS") : NULL;
	char *end;
	long number;

	if (at == NULL)
		return 0;
	number = strtol(at + 6, &end, 10);
	return end - at - 6 > 9 || number < 0 ? 0 : number;
}
