#include "azure/signin/cloud.h"
#include "azure/arm/url.h"
#include "facts/doc.h"
#include "azure/signin/built_in.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static char *
without_slash(const char *url)
{
	char *text = url != NULL ? strdup(url) : NULL;
	size_t len = text != NULL ? strlen(text) : 0;

	while (len > 0 && text[len - 1] == '/')
		text[--len] = '\0';
	return text;
}

void
cloud_free(struct cloud *cloud)
{
	free(cloud->name);
	free(cloud->arm);
	free(cloud->authority);
	free(cloud->audience);
	*cloud = (struct cloud){ 0 };
}

/* An AD FS authority ends in /adfs: the authority is what stands before it. */
static void
take_authority(struct cloud *cloud, const char *url)
{
	size_t len;

	free(cloud->authority);
	if ((cloud->authority = without_slash(url)) == NULL)
		return;
	len = strlen(cloud->authority);
	cloud->adfs = len > 5 && strcasecmp(cloud->authority + len - 5, "/adfs") == 0;
	if (cloud->adfs)
		cloud->authority[len - 5] = '\0';
}

static void
take_built_in(struct cloud *cloud, const struct built_in *from)
{
	cloud->name = strdup(from->name);
	cloud->arm = strdup(from->arm);
	cloud->audience = doc_fmt("%s/", from->arm);
	take_authority(cloud, from->authority);
}

/* A cloud that `az cloud register` wrote. */
static int
take_registered(struct cloud *cloud, const struct az_config *config, const char *name,
		struct err *err)
{
	char *arm = config_get(config->clouds, name, "endpoint_resource_manager");
	char *authority = config_get(config->clouds, name, "endpoint_active_directory");

	if (arm == NULL || !url_safe(arm)) {
		if (strcasecmp(name, "AzureGermanCloud") == 0)
			err_set(err,
				"cloud \"%s\" is closed; known are AzureCloud, AzureUSGovernment "
				"and AzureChinaCloud",
				name);
		else if (arm == NULL)
			err_set(err,
				"cloud \"%s\" is not known; known are AzureCloud, "
				"AzureUSGovernment, AzureChinaCloud and those that "
				"az has registered",
				name);
		else
			err_set(err,
				"cloud \"%s\": its endpoint \"%s\" is not an https URL (plain http "
				"only to this machine)",
				name, arm);
		free(arm);
		free(authority);
		return -EINVAL;
	}
	cloud->name = strdup(name);
	cloud->arm = without_slash(arm);
	cloud->custom = built_in_at(arm) == NULL;
	if (url_safe(authority)) {
		take_authority(cloud, authority);
		cloud->authority_chosen = true;
	}
	cloud->audience = config_get(config->clouds, name, "endpoint_active_directory_resource_id");
	cloud->ask = cloud->authority == NULL || cloud->audience == NULL;
	free(arm);
	free(authority);
	return 0;
}

static int
take_endpoint(struct cloud *cloud, const char *url, struct err *err)
{
	const struct built_in *known = built_in_at(url);

	if (!url_safe(url)) {
		err_set(err,
			"the ARM endpoint \"%s\" is not an https URL (plain http is taken only to "
			"this machine)",
			url);
		return -EINVAL;
	}
	if (known != NULL) {
		take_built_in(cloud, known);
		return 0;
	}
	cloud->name = strdup("custom");
	cloud->arm = without_slash(url);
	cloud->arm[strcspn(cloud->arm, "?#")] = '\0';
	cloud->custom = cloud->ask = true;
	return 0;
}

static int
take_authority_host(struct cloud *cloud, const char *host, struct err *err)
{
	char *url = strstr(host, "://") != NULL ? strdup(host) : doc_fmt("https://%s", host);

	if (url == NULL || !url_safe(url)) {
		err_set(err,
			"AZURE_AUTHORITY_HOST \"%s\" is not an https URL (plain http is taken only "
			"to this machine)",
			host);
		free(url);
		return -EINVAL;
	}
	take_authority(cloud, url);
	cloud->authority_chosen = true;
	if (cloud->custom && url_loopback(cloud->arm))
		cloud->ask = false;
	free(url);
	return 0;
}

int
cloud_choose(const struct azure_options *options, const struct az_config *config, struct cloud *ret,
	     struct err *err)
{
	struct cloud cloud = { 0 };
	const char *endpoint =
	    options->arm_endpoint != NULL ? options->arm_endpoint : env_text("AZSSH_ARM_ENDPOINT");
	char *name = options->cloud != NULL ? strdup(options->cloud)
					    : config_setting(config, "cloud", "name");
	const struct built_in *known = built_in_named(name != NULL ? name : "AzureCloud");
	int r = 0;

	if (options->cloud != NULL && known == NULL)
		r = take_registered(&cloud, config, name, err);
	else if (endpoint != NULL)
		r = take_endpoint(&cloud, endpoint, err);
	else if (known != NULL)
		take_built_in(&cloud, known);
	else
		r = take_registered(&cloud, config, name, err);
	if (r == 0 && env_text("AZURE_AUTHORITY_HOST") != NULL)
		r = take_authority_host(&cloud, env_text("AZURE_AUTHORITY_HOST"), err);
	free(name);
	if (r < 0) {
		cloud_free(&cloud);
		return r;
	}
	*ret = cloud;
	return 0;
}

/* What is still open after discovery, or without it. */
static void
fill_gaps(struct cloud *cloud)
{
	bool loopback = url_loopback(cloud->arm);

	if (cloud->authority == NULL)
		take_authority(cloud, loopback ? cloud->arm : built_in_clouds[0].authority);
	if (cloud->audience == NULL)
		cloud->audience = doc_fmt("%s/", loopback ? built_in_clouds[0].arm : cloud->arm);
	cloud->ask = false;
}

/* Both shapes: one object, or an array of clouds of which the one at our endpoint (else the first)
 * counts. */
static const json_t *
own_entry(const struct cloud *cloud, const json_t *reply)
{
	const json_t *entry;
	size_t i;

	if (!json_is_array(reply))
		return reply;
	json_array_foreach (reply, i, entry)
		if (url_same_origin(doc_str(entry, "resourceManager"), cloud->arm))
			return entry;
	return json_array_size(reply) == 1 ? json_array_get(reply, 0) : NULL;
}

struct discovery {
	struct cloud *cloud;
	struct web *web;
	bool oldest; /* Stack Hub knows only the oldest version, which is asked with at last */
	void (*done)(void *ctx);
	void *ctx;
};

static void
discovery_end(struct discovery *discovery)
{
	void (*done)(void *) = discovery->done;
	void *ctx = discovery->ctx;

	fill_gaps(discovery->cloud);
	free(discovery);
	done(ctx);
}

static void discovered(void *ctx, const struct web_answer *answer);

static void
ask_metadata(struct discovery *discovery)
{
	char *url = doc_fmt("%s/metadata/endpoints?api-version=%s", discovery->cloud->arm,
			    discovery->oldest ? "2015-01-01" : "2022-09-01");

	web_ask(discovery->web,
		&(struct web_ask){
		    .url = url, .flags = WEB_ONCE, .timeout_ms = 3000, .max_bytes = 1u << 20 },
		discovered, discovery);
	free(url);
}

static void
discovered(void *ctx, const struct web_answer *answer)
{
	struct discovery *discovery = ctx;
	struct cloud *cloud = discovery->cloud;
	const json_t *entry = answer->status == 200 ? own_entry(cloud, answer->json) : NULL;
	const char *login = doc_str(entry, "authentication.loginEndpoint");
	const char *audience =
	    json_string_value(json_array_get(doc_list(entry, "authentication.audiences"), 0));

	if (entry == NULL && answer->status >= 400 && answer->status < 500 && !discovery->oldest) {
		discovery->oldest = true;
		ask_metadata(discovery);
		return;
	}
	if (cloud->authority == NULL && login != NULL && url_safe(login))
		take_authority(cloud, login);
	if (cloud->audience == NULL && audience != NULL)
		cloud->audience = strdup(audience);
	discovery_end(discovery);
}

void
cloud_discover(struct cloud *cloud, struct web *web, void (*done)(void *ctx), void *ctx)
{
	struct discovery *discovery = malloc(sizeof(*discovery));

	*discovery = (struct discovery){ .cloud = cloud, .web = web, .done = done, .ctx = ctx };
	if (cloud->ask)
		ask_metadata(discovery);
	else
		discovery_end(discovery);
}
