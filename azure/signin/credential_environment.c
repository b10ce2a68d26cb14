/* Service principals from the environment: a secret, or a certificate. The secret wins when both
 * are set. */
#include "azure/signin/credentials.h"
#include "azure/signin/jwt.h"
#include "azure/signin/oauth.h"
#include "facts/doc.h"

#include <stdlib.h>
#include <string.h>

static const char *
environment_tenant(const struct signin *signin)
{
	if (signin->cloud->adfs)
		return "adfs";
	if (signin->account->tenant != NULL)
		return signin->account->tenant;
	return env_text("AZURE_TENANT_ID");
}

/* The first of the three variables that is lacking. */
static const char *
missing(const char *proof, const char *variable, const char *client)
{
	if (proof == NULL)
		return variable;
	return client == NULL ? "AZURE_CLIENT_ID" : "AZURE_TENANT_ID";
}

static void
secret_try(struct signin *signin)
{
	const char *tenant = environment_tenant(signin), *client = env_text("AZURE_CLIENT_ID"),
		   *secret = env_text("AZURE_CLIENT_SECRET");

	if (secret == NULL || client == NULL || tenant == NULL) {
		credential_unavailable(signin, "%s is not set",
				       missing(secret, "AZURE_CLIENT_SECRET", client));
		return;
	}
	credential_prove(signin, tenant, "client_secret", secret);
}

static void
certificate_try(struct signin *signin)
{
	const char *tenant = environment_tenant(signin), *client = env_text("AZURE_CLIENT_ID"),
		   *path = env_text("AZURE_CLIENT_CERTIFICATE_PATH");
	const char *password = env_text("AZURE_CLIENT_CERTIFICATE_PASSWORD"),
		   *chain = env_text("AZURE_CLIENT_SEND_CERTIFICATE_CHAIN");
	struct err err = { "" };
	char *endpoint, *assertion;

	if (path == NULL || client == NULL || tenant == NULL) {
		credential_unavailable(signin, "%s is not set",
				       missing(path, "AZURE_CLIENT_CERTIFICATE_PATH", client));
		return;
	}
	secrets_learn(&signin->web->secrets, password);
	endpoint = credential_endpoint(signin->cloud, tenant);
	assertion =
	    jwt_assertion(path, password, client, endpoint,
			  chain != NULL && (doc_same(chain, "true") || strcmp(chain, "1") == 0),
			  signin->cloud->adfs, time(NULL), &err);
	free(endpoint);
	if (assertion == NULL) {
		credential_failed(signin, "failed", NULL, 0, "%s", err.text);
		return;
	}
	credential_prove(signin, tenant, "client_assertion", assertion);
	secret_free(assertion);
}

const struct credential credential_secret = {
	.name = "client-secret",
	.kind = "environment",
	.sdk = "EnvironmentCredential",
	.prod = true,
	.by_authority = true,
	.try = secret_try,
};

const struct credential credential_certificate = {
	.name = "client-certificate",
	.kind = "environment",
	.sdk = "EnvironmentCredential",
	.prod = true,
	.by_authority = true,
	.try = certificate_try,
};
