/* The credentials in the order of the walk, and which of them were chosen. */
#include "azure/signin/credentials.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

static const struct credential chain[] = {
	{ "client-secret", "environment", "EnvironmentCredential", true, true, credential_secret },
	{ "client-certificate", "environment", "EnvironmentCredential", true, true,
	  credential_certificate },
	{ "workload-identity", "workload", "WorkloadIdentityCredential", true, true,
	  credential_workload },
	{ "github", "github", "GitHubCredential", true, true, credential_github },
	{ "managed-identity", "managed", "ManagedIdentityCredential", true, false,
	  credential_managed },
	{ "azure-cli", "cli", "AzureCliCredential", false, false, credential_cli },
};

#define CHAIN (sizeof(chain) / sizeof(*chain))

static bool
word_is(const char *word, size_t len, const char *text)
{
	return strlen(text) == len && strncasecmp(word, text, len) == 0;
}

static bool
selected(const char *words, const struct credential *credential)
{
	size_t len;

	if (words == NULL)
		return true;
	while (*words == ' ' || *words == '\t')
		words++;
	for (len = strlen(words); len > 0 && (words[len - 1] == ' ' || words[len - 1] == '\t');
	     len--)
		continue;
	if (len == 0 || word_is(words, len, "auto"))
		return true;
	if (word_is(words, len, "prod") || word_is(words, len, "dev"))
		return credential->prod == word_is(words, len, "prod");
	return word_is(words, len, credential->kind) || word_is(words, len, credential->name) ||
	       word_is(words, len, credential->sdk);
}

int
signin_choose(struct signin *signin, const char *option, struct err *err)
{
	const char *words = option != NULL && strcasecmp(option, "auto") != 0
				? option
				: env_text("AZURE_TOKEN_CREDENTIALS");
	size_t n = 0;

	signin->chosen = words != NULL && words == option;
	for (size_t i = 0; i < CHAIN; i++)
		if (selected(words, &chain[i]))
			signin->credentials[n++] = &chain[i];
	if (n > 0)
		return 0;
	if (signin->chosen)
		err_set(err,
			"credential \"%s\" is not known; known are auto, environment, workload, "
			"github, managed and cli",
			words);
	else
		err_set(
		    err,
		    "AZURE_TOKEN_CREDENTIALS \"%s\" names no credential of this program; it takes "
		    "prod, dev, "
		    "EnvironmentCredential, "
		    "WorkloadIdentityCredential, ManagedIdentityCredential or AzureCliCredential",
		    words);
	return -EINVAL;
}
