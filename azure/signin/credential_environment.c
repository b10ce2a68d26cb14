/* Service principals from the environment: a secret, or a certificate. The secret wins when both
 * are set. */
#include "azure/inside.h"

#include <stdlib.h>
#include <string.h>

static const char *
environment_tenant(const struct azure *azure)
{
	return azure->cloud.adfs       ? "adfs"
	       : azure->tenant != NULL ? azure->tenant
				       : env_text("AZURE_TENANT_ID");
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
secret_try(struct azure *azure)
{
	const char *tenant = environment_tenant(azure), *client = env_text("AZURE_CLIENT_ID"),
		   *secret = env_text("AZURE_CLIENT_SECRET");
	char *scope;

	if (secret == NULL || client == NULL || tenant == NULL) {
		credential_unavailable(azure, "%s is not set",
				       missing(secret, "AZURE_CLIENT_SECRET", client));
		return;
	}
	secrets_learn(&azure->secrets, secret);
	scope = cloud_scope(&azure->cloud);
	credential_post(azure, tenant,
			credential_form("grant_type", "client_credentials", "client_id", client,
					"client_secret", secret,
					azure->cloud.adfs ? "resource" : "scope",
					azure->cloud.adfs ? azure->cloud.audience : scope, NULL));
	free(scope);
}

static void
certificate_try(struct azure *azure)
{
	const char *tenant = environment_tenant(azure), *client = env_text("AZURE_CLIENT_ID"),
		   *path = env_text("AZURE_CLIENT_CERTIFICATE_PATH");
	const char *password = env_text("AZURE_CLIENT_CERTIFICATE_PASSWORD"),
		   *chain = env_text("AZURE_CLIENT_SEND_CERTIFICATE_CHAIN");
	struct err err = { "" };
	char *scope, *endpoint, *assertion;

	if (path == NULL || client == NULL || tenant == NULL) {
		credential_unavailable(azure, "%s is not set",
				       missing(path, "AZURE_CLIENT_CERTIFICATE_PATH", client));
		return;
	}
	secrets_learn(&azure->secrets, password);
	endpoint = credential_endpoint(&azure->cloud, tenant);
	assertion =
	    jwt_assertion(path, password, client, endpoint,
			  chain != NULL && (doc_same(chain, "true") || strcmp(chain, "1") == 0),
			  azure->cloud.adfs, time(NULL), &err);
	free(endpoint);
	if (assertion == NULL) {
		credential_failed(azure, "failed", NULL, 0, "%s", err.text);
		return;
	}
	secrets_learn(&azure->secrets, assertion);
	scope = cloud_scope(&azure->cloud);
	credential_post(azure, tenant,
			credential_form("grant_type", "client_credentials", "client_id", client,
					"client_assertion_type",
					"urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
					"client_assertion", assertion,
					azure->cloud.adfs ? "resource" : "scope",
					azure->cloud.adfs ? azure->cloud.audience : scope, NULL));
	secret_free(assertion);
	free(scope);
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
