/* Federated identities: a token that somebody else issued (Kubernetes, GitHub) stands in for a
 * secret. */
#include "azure/arm/url.h"
#include "azure/signin/credentials.h"
#include "azure/signin/oauth.h"
#include "facts/doc.h"
#include "facts/file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TOKEN_FILE_MAX (64u << 10)

void
credential_workload(struct signin *signin)
{
	const char *missing = credential_missing(signin, "AZURE_FEDERATED_TOKEN_FILE"),
		   *path = env_text("AZURE_FEDERATED_TOKEN_FILE");
	struct buffer file = { 0 };
	char *text;
	size_t len, at;

	if (missing != NULL) {
		credential_unavailable(signin, "%s is not set", missing);
		return;
	}
	if (file_read(path, TOKEN_FILE_MAX, &file, NULL) < 0) {
		credential_failed(signin, "failed", "the federated token file %s cannot be read",
				  path);
		return;
	}
	text = (char *)file.at;
	at = strspn(text, " \t\r\n");
	len = strcspn(text + at, " \t\r\n");
	text[at + len] = '\0';
	if (len == 0)
		credential_failed(signin, "failed", "the federated token file %s is empty", path);
	else
		credential_prove(signin, "client_assertion", text + at);
	buffer_free(&file);
}

static void
github_answer(void *ctx, const struct web_answer *answer)
{
	struct signin *signin = ctx;
	const char *token = doc_str(answer->json, "value");

	if (answer->error != 0 || answer->html)
		credential_unanswered(signin, answer, "GitHub's token service");
	else if (answer->status != 200 || token == NULL || *token == '\0')
		credential_failed(signin, "failed",
				  "GitHub's token service answered HTTP %ld without a token",
				  answer->status);
	else
		credential_prove(signin, "client_assertion", token);
}

static const char *
github_audience(const struct signin *signin)
{
	if (doc_same(signin->cloud->name, "AzureUSGovernment"))
		return "api://AzureADTokenExchangeUSGov";
	return doc_same(signin->cloud->name, "AzureChinaCloud") ? "api://AzureADTokenExchangeChina"
								: "api://AzureADTokenExchange";
}

void
credential_github(struct signin *signin)
{
	const char *base = env_text("ACTIONS_ID_TOKEN_REQUEST_URL"),
		   *token = env_text("ACTIONS_ID_TOKEN_REQUEST_TOKEN"), *missing;
	char *url, *header, *audience;

	if (base == NULL || token == NULL) {
		credential_unavailable(signin, "%s",
				       env_text("GITHUB_ACTIONS") != NULL
					   ? "the workflow lacks \"permissions: id-token: write\""
					   : "this is not a GitHub workflow");
		return;
	}
	if ((missing = credential_missing(signin, "ACTIONS_ID_TOKEN_REQUEST_TOKEN")) != NULL) {
		credential_unavailable(signin, "%s is not set", missing);
		return;
	}
	if (!url_safe(base)) {
		credential_failed(signin, "failed",
				  "ACTIONS_ID_TOKEN_REQUEST_URL is not an https URL");
		return;
	}
	secrets_learn(&signin->web->secrets, token);
	audience = url_encode(github_audience(signin));
	url = doc_fmt("%s%saudience=%s", base, strchr(base, '?') != NULL ? "&" : "?", audience);
	header = doc_fmt("Authorization: bearer %s", token);
	web_ask(signin->web,
		&(struct web_ask){ .url = url,
				   .headers = (const char *const[]){ header, NULL },
				   .max_bytes = TOKEN_MAX },
		github_answer, signin);
	secret_free(header);
	free(audience);
	free(url);
}
