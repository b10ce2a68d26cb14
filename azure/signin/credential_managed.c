/* Managed identity: whichever of Azure's token services this machine has. None of them is ever
 * reached through a proxy. */
#include "azure/arm/url.h"
#include "azure/signin/credentials.h"
#include "azure/signin/oauth.h"
#include "facts/doc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define IMDS "http://169.254.169.254"
#define IMDS_PATH "/metadata/identity/oauth2/token"

static char *
resource_of(const struct signin *signin)
{
	return url_encode(signin->cloud->audience);
}

static void
managed_answer(void *ctx, const struct web_answer *answer)
{
	struct signin *signin = ctx;
	const char *text = doc_str(answer->json, "error_description");

	if (answer->status == 404 && answer->json == NULL)
		credential_unavailable(
		    signin, "the identity endpoint of this machine serves no tokens (HTTP 404)");
	else if (answer->status != 400 || text == NULL ||
		 strcasestr(text, "identity not found") == NULL)
		credential_answer(signin, answer);
	else if (env_text("AZURE_CLIENT_ID") != NULL)
		credential_unavailable(signin, "no managed identity of the client id in "
					       "AZURE_CLIENT_ID is assigned to this machine");
	else
		credential_unavailable(signin, "no managed identity is assigned to this machine");
}

/* A token service named by the environment: its URL with the query, and the header line that proves
 * we run there (NULL: none). */
static void
ask_service(struct signin *signin, const char *method, char *url, char *header, char *body)
{
	const char *headers[] = { "Metadata: true", header, NULL };

	web_ask(signin->web,
		&(struct web_ask){ .method = method,
				   .url = url,
				   .headers = headers,
				   .body = body,
				   .no_proxy = true,
				   .flags = WEB_METADATA,
				   .max_bytes = TOKEN_MAX },
		managed_answer, signin);
	free(url);
	free(body);
	secret_free(header);
}

/* client_key and id_key name a user-assigned identity by its client id or by its resource id; NULL
 * where it cannot be named so. */
static char *
service_url(const struct signin *signin, const char *endpoint, const char *version,
	    const char *client_key, const char *id_key)
{
	char *resource = resource_of(signin), *client = url_encode(env_text("AZURE_CLIENT_ID"));
	bool user;
	char *url;

	if (client != NULL && strncasecmp(client, "%2Fsubscriptions%2F", 19) == 0)
		client_key = id_key;
	user = client != NULL && client_key != NULL;
	url = doc_fmt("%s%sapi-version=%s&resource=%s%s%s%s%s", endpoint,
		      strchr(endpoint, '?') != NULL ? "&" : "?", version, resource, user ? "&" : "",
		      user ? client_key : "", user ? "=" : "", user ? client : "");
	free(resource);
	free(client);
	return url;
}

/* ---- the instance metadata service of a VM ---- */

static char *
imds_url(void)
{
	const char *host = env_text("AZURE_POD_IDENTITY_AUTHORITY_HOST");
	char *url = doc_fmt("%s" IMDS_PATH, host != NULL ? host : IMDS);
	char *twice;

	/* a host that ends in a slash */
	if ((twice = strstr(url, "//metadata/")) != NULL)
		memmove(twice, twice + 1, strlen(twice));
	return url;
}

static void
imds_ask(struct signin *signin)
{
	char *base = imds_url();

	ask_service(signin, "GET",
		    service_url(signin, base, "2018-02-01", "client_id", "msi_res_id"), NULL, NULL);
	free(base);
}

/* Without its Metadata header the service answers 400 at once; where there is none, nothing answers
 * within a second. */
static void
imds_probed(void *ctx, const struct web_answer *answer)
{
	struct signin *signin = ctx;

	if (answer->error == -ECANCELED)
		credential_unanswered(signin, answer, "the instance metadata service");
	else if (answer->error != 0)
		credential_unavailable(signin, "this machine has no instance metadata service (%s)",
				       answer->error_text);
	else if (answer->status == 404 || answer->html ||
		 (answer->status == 403 && strcasestr(answer->body, "unreachable") != NULL))
		credential_unavailable(signin,
				       "this machine has no instance metadata service (HTTP %ld)",
				       answer->status);
	else
		imds_ask(signin);
}

static void
imds_try(struct signin *signin)
{
	char *url = imds_url();
	struct origin origin;

	if (url_origin(url, &origin) < 0)
		credential_failed(signin, "failed",
				  "AZURE_POD_IDENTITY_AUTHORITY_HOST \"%s\" is not a URL",
				  env_text("AZURE_POD_IDENTITY_AUTHORITY_HOST"));
	else
		web_ask(signin->web,
			&(struct web_ask){ .url = url,
					   .flags = WEB_ONCE,
					   .timeout_ms = 1000,
					   .connect_timeout_ms = 1000,
					   .no_proxy = true,
					   .max_bytes = TOKEN_MAX },
			imds_probed, signin);
	free(url);
}

/* ---- which of them ---- */

static void
cloud_shell_try(struct signin *signin)
{
	const char *endpoint = env_text("MSI_ENDPOINT");
	char *resource = resource_of(signin), *body = doc_fmt("resource=%s", resource);

	free(resource);
	ask_service(signin, "POST", strdup(endpoint),
		    strdup("Content-Type: application/x-www-form-urlencoded"), body);
}

void
credential_managed(struct signin *signin)
{
	const char *endpoint = env_text("IDENTITY_ENDPOINT"), *header = env_text("IDENTITY_HEADER"),
		   *msi = env_text("MSI_ENDPOINT");
	const char *secret = env_text("MSI_SECRET"), *shell = env_text("AZUREPS_HOST_ENVIRONMENT");

	secrets_learn(&signin->web->secrets, header);
	secrets_learn(&signin->web->secrets, secret);
	if (endpoint != NULL && header != NULL && env_text("IDENTITY_SERVER_THUMBPRINT") != NULL)
		ask_service(signin, "GET",
			    service_url(signin, endpoint, "2019-07-01-preview", NULL, NULL),
			    doc_fmt("Secret: %s", header), NULL);
	else if (endpoint != NULL && header != NULL)
		ask_service(signin, "GET",
			    service_url(signin, endpoint, "2019-08-01", "client_id", "mi_res_id"),
			    doc_fmt("X-IDENTITY-HEADER: %s", header), NULL);
	else if (msi != NULL && secret != NULL)
		ask_service(signin, "GET", service_url(signin, msi, "2017-09-01", "clientid", NULL),
			    doc_fmt("secret: %s", secret), NULL);
	else if (msi != NULL && (shell == NULL || strncasecmp(shell, "cloud-shell", 11) == 0))
		cloud_shell_try(signin);
	else
		imds_try(signin);
}
