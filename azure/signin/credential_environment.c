/* Service principals from the environment: a secret, or a certificate. The secret wins when both
 * are set. */
#include "azure/signin/credentials.h"
#include "azure/signin/jwt.h"
#include "azure/signin/oauth.h"
#include "facts/doc.h"

#include <stdlib.h>

void
credential_secret(struct signin *signin)
{
	const char *missing = credential_missing(signin, "AZURE_CLIENT_SECRET");

	if (missing != NULL)
		credential_unavailable(signin, "%s is not set", missing);
	else
		credential_prove(signin, "client_secret", env_text("AZURE_CLIENT_SECRET"));
}

void
credential_certificate(struct signin *signin)
{
	const char *missing = credential_missing(signin, "AZURE_CLIENT_CERTIFICATE_PATH"),
		   *password = env_text("AZURE_CLIENT_CERTIFICATE_PASSWORD"),
		   *chain = env_text("AZURE_CLIENT_SEND_CERTIFICATE_CHAIN");
	struct err err = { "" };
	char *endpoint, *assertion;

	if (missing != NULL) {
		credential_unavailable(signin, "%s is not set", missing);
		return;
	}
	secrets_learn(&signin->web->secrets, password);
	endpoint = credential_endpoint(signin);
	assertion = jwt_assertion(env_text("AZURE_CLIENT_CERTIFICATE_PATH"), password,
				  env_text("AZURE_CLIENT_ID"), endpoint,
				  doc_same(chain, "true") || doc_same(chain, "1"),
				  signin->cloud->adfs, time(NULL), &err);
	free(endpoint);
	if (assertion == NULL)
		credential_failed(signin, "failed", "%s", err.text);
	else
		credential_prove(signin, "client_assertion", assertion);
	secret_free(assertion);
}
