#include "azure/inside.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct credential *const chain[] = { &credential_secret,   &credential_certificate,
						  &credential_workload, &credential_github,
						  &credential_managed,  &credential_cli };

#define CHAIN (sizeof(chain) / sizeof(*chain))

const char *
env_text(const char *name)
{
	const char *text = getenv(name);

	return text != NULL && *text != '\0' ? text : NULL;
}

json_t *
azure_facts(struct azure *azure, const char *member)
{
	json_t *object = doc_get(azure->doc, "azure");

	if (object == NULL) {
		object = json_object();
		json_object_set_new(azure->doc, "azure", object);
	}
	if (json_object_get(object, member) == NULL)
		json_object_set_new(object, member,
				    strcmp(member, "requests") == 0 ? json_array() : json_object());
	return json_object_get(object, member);
}

static int
choose_credentials(struct azure *azure, const char *option, struct err *err)
{
	const char *words = option != NULL && strcasecmp(option, "auto") != 0
				? option
				: env_text("AZURE_TOKEN_CREDENTIALS");
	size_t n = 0;

	azure->chosen = words != NULL && words == option;
	for (size_t i = 0; i < CHAIN; i++)
		if (credential_selected(words, chain[i]))
			azure->credentials[n++] = chain[i];
	if (n > 0)
		return 0;
	if (azure->chosen)
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

/* The subscription that was asked for or is active. One asked for by a name that az does not know
 * stays open until ARM tells. */
static void
choose_subscription(struct azure *azure)
{
	const char *asked = azure->subscription, *id;
	const json_t *entry;

	azure->active_from = "option";
	if (asked == NULL) {
		asked = env_text("AZURE_SUBSCRIPTION_ID");
		azure->active_from = "environment";
	}
	if (asked != NULL) {
		entry = config_subscription(&azure->config, asked);
		id = entry != NULL                                   ? doc_str(entry, "id")
		     : is_guid(asked) || azure->subscription == NULL ? asked
								     : NULL;
	} else {
		entry = config_default_subscription(&azure->config,
						    azure->cloud.custom ? NULL : azure->cloud.name);
		id = doc_str(entry, "id");
		azure->active_from = "profile";
	}
	if (id != NULL)
		azure->active = strdup(id);
	if (azure->tenant == NULL && azure->profile_tenant == NULL &&
	    doc_str(entry, "tenantId") != NULL)
		azure->profile_tenant = strdup(doc_str(entry, "tenantId"));
}

static char *
copy(const char *text)
{
	return text != NULL && *text != '\0' ? strdup(text) : NULL;
}

int
azure_new(struct loop *loop, json_t *doc, const struct azure_options *options, struct azure **ret,
	  struct err *err)
{
	struct azure *azure = calloc(1, sizeof(*azure));
	int r;

	if (azure == NULL)
		return -ENOMEM;
	azure->loop = loop;
	azure->doc = doc;
	azure->deep = options->deep;
	azure->guest = options->guest;
	azure->tenant = copy(options->tenant);
	azure->subscription = copy(options->subscription);
	azure->api = json_object();
	azure->held = json_object();
	azure->fetches = json_object();
	azure->tried = json_array();
	azure->seed = (unsigned)loop_now(loop) ^ (unsigned)(uintptr_t)azure;
	config_load(&azure->config);
	if ((r = choose_credentials(azure, options->credential, err)) < 0 ||
	    (r = cloud_choose(options, &azure->config, &azure->cloud, err)) < 0) {
		azure_free(azure);
		return r;
	}
	choose_subscription(azure);
	*ret = azure;
	return 0;
}

char *
azure_default_vm(void)
{
	struct az_config config;
	char *vm;

	config_load(&config);
	vm = config_setting(&config, "defaults", "vm");
	config_free(&config);
	return vm;
}

void
azure_cut(const struct azure *azure, json_t *value)
{
	secrets_cut(azure != NULL ? &azure->secrets : NULL, value);
}

void
azure_free(struct azure *azure)
{
	if (azure == NULL)
		return;
	secret_free(azure->token);
	secrets_free(&azure->secrets);
	config_free(&azure->config);
	cloud_free(&azure->cloud);
	fetch_free(azure);
	free(azure->tenant);
	free(azure->profile_tenant);
	free(azure->subscription);
	free(azure->active);
	free(azure->asked_tenant);
	json_decref(azure->tried);
	json_decref(azure->support);
	json_decref(azure->api);
	json_decref(azure->held);
	free(azure);
}
