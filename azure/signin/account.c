#include "azure/signin/account.h"
#include "facts/doc.h"

#include <stdlib.h>
#include <string.h>

static char *
copy(const char *text)
{
	return text != NULL && *text != '\0' ? strdup(text) : NULL;
}

void
account_load(struct account *account, const struct azure_options *options)
{
	*account = (struct account){ .tenant = copy(options->tenant),
				     .subscription = copy(options->subscription) };
	config_load(&account->config);
}

void
account_free(struct account *account)
{
	config_free(&account->config);
	free(account->tenant);
	free(account->profile_tenant);
	free(account->subscription);
	free(account->active);
}

static bool
is_guid(const char *text)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

	for (size_t i = 0; i < sizeof(form); i++)
		if (form[i] == 'x'
			? strchr("0123456789abcdefABCDEF", text[i]) == NULL || text[i] == '\0'
			: text[i] != form[i])
			return false;
	return true;
}

void
account_choose(struct account *account, const struct cloud *cloud)
{
	const char *asked = account->subscription, *id = NULL;
	const json_t *entry;

	account->active_from = "option";
	if (asked == NULL) {
		asked = env_text("AZURE_SUBSCRIPTION_ID");
		account->active_from = "environment";
	}
	if (asked == NULL) {
		account->active_from = "profile";
		entry = config_default_subscription(&account->config,
						    cloud->custom ? NULL : cloud->name);
	} else {
		entry = config_subscription(&account->config, asked);
		if (entry == NULL && (account->subscription == NULL || is_guid(asked)))
			id = asked;
	}
	if (entry != NULL && !config_is_tenant_level(entry))
		id = doc_str(entry, "id");
	account->active = copy(id);
	if (account->tenant == NULL)
		account->profile_tenant = copy(doc_str(entry, "tenantId"));
}
