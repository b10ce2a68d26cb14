#include "azure/inside.h"

#include <stdlib.h>
#include <string.h>

/* What Entra's error numbers mean for the person at the keyboard. */
static const struct aadsts table[] = {
	{ 50020, "failed", "tenant",
	    "the account is not in this tenant: sign in with the right account or name the tenant with --tenant" },
	{ 50034, "failed", "tenant", "no such user is in this tenant: check the account and the tenant" },
	{ 90002, "failed", "tenant", "there is no such tenant: check its id, and whether it lies in another cloud" },
	{ 700016, "failed", "tenant", "the application is not in this tenant: check AZURE_CLIENT_ID and AZURE_TENANT_ID" },
	{ 50053, "failed", "account", "the account is locked: wait, or ask an administrator" },
	{ 50055, "expired", "expired", "the password has expired: change it, then run az login" },
	{ 50057, "failed", "account", "the account is disabled: ask an administrator" },
	{ 50126, "failed", "account", "the user name or password is wrong" },
	{ 50072, "expired", "expired", "multi-factor authentication is required: run az login again" },
	{ 50074, "expired", "expired", "multi-factor authentication is required: run az login again" },
	{ 50076, "expired", "expired", "multi-factor authentication is required: run az login again" },
	{ 50079, "expired", "expired", "multi-factor authentication has to be set up: run az login again" },
	{ 50158, "expired", "expired", "an external security challenge has to be answered: run az login again" },
	{ 50173, "expired", "expired", "the sign-in was revoked: run az login again" },
	{ 70008, "expired", "expired", "the sign-in has expired: run az login again" },
	{ 70043, "expired", "expired", "the sign-in is older than Conditional Access allows: run az login again" },
	{ 700082, "expired", "expired", "the sign-in expired after a long time without use: run az login again" },
	{ 700084, "expired", "expired", "the sign-in has expired: run az login again" },
	{ 50132, "expired", "expired", "the session is no longer valid: run az login again" },
	{ 50133, "expired", "expired", "the session is no longer valid: run az login again" },
	{ 50078, "expired", "expired", "multi-factor authentication has expired: run az login again" },
	{ 50131, "failed", "blocked", "Conditional Access blocks this sign-in (device, place or policy): ask an administrator" },
	{ 53000, "failed", "blocked", "Conditional Access wants a compliant device" },
	{ 53001, "failed", "blocked", "Conditional Access wants a domain-joined device" },
	{ 53003, "failed", "blocked", "Conditional Access blocks this sign-in: ask an administrator" },
	{ 50105, "failed", "consent", "the account is not assigned to the application: ask an administrator" },
	{ 65001, "failed", "consent", "nobody has consented to the application's use of Azure: ask an administrator" },
	{ 70001, "failed", "app", "the application is disabled or not in this tenant" },
	{ 70002, "failed", "secret", "the client secret is wrong: AZURE_CLIENT_SECRET wants its value, not its id" },
	{ 7000215, "failed", "secret", "the client secret is wrong: AZURE_CLIENT_SECRET wants its value, not its id" },
	{ 7000222, "expired", "secret", "the client secret has expired: make a new one for the application" },
	{ 7000112, "failed", "app", "the application is disabled" },
	{ 700024, "failed", "clock", "the assertion is outside its time: set the clock, or renew the federated token" },
	{ 700027, "failed", "secret", "the certificate is not registered for the application, or is another one" },
	{ 50012, "failed", "secret", "the certificate or its signature is not accepted" },
	{ 70021, "failed", "federated",
	    "no federated credential of the application matches this token's issuer, subject and audience" },
	{ 700211, "failed", "federated", "no federated credential of the application matches this token's issuer" },
	{ 700212, "failed", "federated", "no federated credential of the application matches this token's audience" },
	{ 700213, "failed", "federated", "no federated credential of the application matches this token's subject" },
	{ 70011, "failed", "scope", "the scope asked for is not valid here: check --cloud" },
	{ 500011, "failed", "scope", "this tenant does not know the resource asked for: check --cloud and --tenant" },
	{ 90033, "network", "transient", "the sign-in service has a passing fault: try again" },
	{ 50033, "network", "transient", "the sign-in service has a passing fault: try again" },
	{ 50087, "network", "transient", "the sign-in service has a passing fault: try again" },
	{ 90006, "network", "transient", "the sign-in service has a passing fault: try again" },
};

const struct aadsts *
aadsts_find(long number)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		if (table[i].number == number)
			return &table[i];
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
