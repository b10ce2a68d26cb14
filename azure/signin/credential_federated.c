/* Federated identities: a token that somebody else issued (Kubernetes, GitHub) stands in for a
 * secret. */
#include "azure/inside.h"
#include "facts/file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TOKEN_FILE_MAX (64u << 10)

static void
post_assertion(struct azure *azure, const char *assertion)
{
	const char *tenant = azure->tenant != NULL ? azure->tenant : env_text("AZURE_TENANT_ID");
	char *scope = cloud_scope(&azure->cloud);

	secrets_learn(&azure->secrets, assertion);
	credential_post(azure, tenant,
			credential_form("grant_type", "client_credentials", "client_id",
					env_text("AZURE_CLIENT_ID"), "client_assertion_type",
					"urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
					"client_assertion", assertion, "scope", scope, NULL));
	free(scope);
}

static const char *
missing_identity(const struct azure *azure)
{
	if (env_text("AZURE_CLIENT_ID") == NULL)
		return "AZURE_CLIENT_ID";
	return azure->tenant == NULL && env_text("AZURE_TENANT_ID") == NULL ? "AZURE_TENANT_ID"
									    : NULL;
}

static void
workload_try(struct azure *azure)
{
	const char *path = env_text("AZURE_FEDERATED_TOKEN_FILE"),
		   *missing = path == NULL ? "AZURE_FEDERATED_TOKEN_FILE" : missing_identity(azure);
	struct buffer file = { 0 };
	char *text;
	size_t len, at;

	if (missing != NULL) {
		credential_unavailable(azure, "%s is not set", missing);
		return;
	}
	if (file_read(path, TOKEN_FILE_MAX, &file, NULL) < 0) {
		credential_failed(azure, "failed", NULL, 0,
				  "the federated token file %s cannot be read", path);
		return;
	}
	text = (char *)file.at;
	at = strspn(text, " \t\r\n");
	len = strcspn(text + at, " \t\r\n");
	text[at + len] = '\0';
	if (len == 0)
		credential_failed(azure, "failed", NULL, 0, "the federated token file %s is empty",
				  path);
	else
		post_assertion(azure, text + at);
	buffer_free(&file);
}

static void
github_answer(void *ctx, const struct web_answer *answer)
{
	struct azure *azure = ctx;
	const char *token = doc_str(answer->json, "value");

	if (answer->error != 0 || answer->html)
		credential_unanswered(azure, answer, "GitHub's token service");
	else if (answer->status != 200 || token == NULL || *token == '\0')
		credential_failed(azure, "failed", NULL, 0,
				  "GitHub's token service answered HTTP %ld without a token",
				  answer->status);
	else
		post_assertion(azure, token);
}

static const char *
github_audience(const struct azure *azure)
{
	if (doc_same(azure->cloud.name, "AzureUSGovernment"))
		return "api://AzureADTokenExchangeUSGov";
	return doc_same(azure->cloud.name, "AzureChinaCloud") ? "api://AzureADTokenExchangeChina"
							      : "api://AzureADTokenExchange";
}

static void
github_try(struct azure *azure)
{
	const char *base = env_text("ACTIONS_ID_TOKEN_REQUEST_URL"),
		   *token = env_text("ACTIONS_ID_TOKEN_REQUEST_TOKEN"), *missing;
	char *url, *header, *audience;

	if (base == NULL || token == NULL) {
		credential_unavailable(azure, "%s",
				       env_text("GITHUB_ACTIONS") != NULL
					   ? "the workflow lacks \"permissions: id-token: write\""
					   : "this is no GitHub workflow");
		return;
	}
	if ((missing = missing_identity(azure)) != NULL) {
		credential_unavailable(azure, "%s is not set", missing);
		return;
	}
	if (!url_safe(base)) {
		credential_failed(azure, "failed", NULL, 0,
				  "ACTIONS_ID_TOKEN_REQUEST_URL is no https URL");
		return;
	}
	secrets_learn(&azure->secrets, token);
	audience = url_encode(github_audience(azure));
	url = doc_fmt("%s%saudience=%s", base, strchr(base, '?') != NULL ? "&" : "?", audience);
	header = doc_fmt("Authorization: bearer %s", token);
	web_ask(azure,
		&(struct web_ask){ .url = url,
				   .headers = (const char *const[]){ header, NULL },
				   .max_bytes = 1u << 20 },
		github_answer, azure);
	secret_free(header);
	free(audience);
	free(url);
}

const struct credential credential_workload = {
	.name = "workload-identity",
	.kind = "workload",
	.sdk = "WorkloadIdentityCredential",
	.prod = true,
	.by_authority = true,
	.try = workload_try,
};

const struct credential credential_github = {
	.name = "github",
	.kind = "github",
	.sdk = "GitHubCredential",
	.prod = true,
	.by_authority = true,
	.try = github_try,
};
