/* Where a token may go: an audience is asked for only if it belongs to the host that will get the
 * token. The list holds what is allowed; no reply adds to it. */
#include "azure/arm/url.h"
#include "azure/signin/cloud.h"
#include "azure/signin/built_in.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ARM's application id: the audience of some tokens, in every built-in cloud. */
#define ARM_APPLICATION "797f4846-ba00-4fd7-ba43-dac1f8f63013"

/* The audience becomes part of a scope and an argument of az, where a blank or an escape could name
 * a second audience. */
static bool
audience_plain(const char *audience)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789:/.-_~[]";

	return url_safe(audience) && audience[strspn(audience, plain)] == '\0';
}

static bool
host_under(const char *host, const char *domain)
{
	size_t len = strlen(host), end = strlen(domain);

	return len >= end && strcmp(host + len - end, domain) == 0 &&
	       (len == end || host[len - end - 1] == '.');
}

static bool
is_guid(const char *text)
{
	return strlen(text) == 36 && strspn(text, "0123456789abcdefABCDEF-") == 36 &&
	       text[8] == '-' && text[13] == '-' && text[18] == '-' && text[23] == '-';
}

/* "https://HOST/GUID": how a Stack Hub registers its ARM. */
static bool
guid_path(const char *audience)
{
	const char *host = strstr(audience, "://"), *path = NULL;

	if (host != NULL)
		path = strchr(host + 3, '/');
	return path != NULL && is_guid(path + 1);
}

/* A host of Microsoft's public services, their sign-in among them. */
static bool
microsoft_host(const char *url)
{
	static const char *const domains[] = { "azure.com",          "azure.net",
					       "azure.us",           "azure.cn",
					       "chinacloudapi.cn",   "dynamics.com",
					       "microsoft.com",      "microsoft.us",
					       "microsoftonline.cn", "microsoftonline.com",
					       "microsoftonline.de", "microsoftonline.us",
					       "office.com",         "office365.com",
					       "sharepoint.com",     "usgovcloudapi.net",
					       "visualstudio.com",   "windows.net" };
	struct origin origin;

	if (url_origin(url, &origin) < 0)
		return true;
	for (size_t i = 0; i < sizeof(domains) / sizeof(*domains); i++)
		if (host_under(origin.host, domains[i]))
			return true;
	return false;
}

/* An authority that serves this endpoint alone may know it by more names: one in the domain of the
 * ARM host, the internal one that the AD FS of a Stack Hub uses, any when both run on this machine.
 * Only the user can vouch for such an authority. */
static bool
own_authority_knows(const struct cloud *cloud, const struct origin *arm, const struct origin *to)
{
	const char *domain = strchr(arm->host, '.');

	if (microsoft_host(cloud->authority) || microsoft_host(cloud->audience))
		return false;
	if (url_loopback(cloud->arm) && url_loopback(cloud->authority))
		return true;
	if (!cloud->authority_chosen)
		return false;
	if (domain != NULL && strchr(domain + 1, '.') != NULL && host_under(to->host, domain + 1))
		return true;
	return cloud->adfs && strncmp(to->host, "management.", 11) == 0 &&
	       guid_path(cloud->audience);
}

bool
cloud_may_ask(const struct cloud *cloud, bool by_authority, struct err *err)
{
	const struct built_in *at = built_in_at(cloud->arm), *owner = built_in_of(cloud->audience);
	struct origin arm, to;

	if (!url_safe(cloud->arm)) {
		err_set(err, "%s would receive the token unencrypted", cloud->arm);
		return false;
	}
	if (!audience_plain(cloud->audience)) {
		err_set(err, "\"%s\" is not an audience for a token", cloud->audience);
		return false;
	}
	if (owner != NULL) {
		if (owner == at || url_loopback(cloud->arm))
			return true;
		err_set(err, "a token for %s belongs to %s and is not sent to %s", cloud->audience,
			owner->name, url_host(cloud->arm));
		return false;
	}
	if (at == NULL && url_origin(cloud->arm, &arm) == 0 &&
	    url_origin(cloud->audience, &to) == 0 &&
	    (strcmp(arm.host, to.host) == 0 ||
	     (host_under(to.host, "onmicrosoft.com") && guid_path(cloud->audience)) ||
	     (by_authority && own_authority_knows(cloud, &arm, &to))))
		return true;
	err_set(err, "a token for %s does not belong to %s, so none is asked for", cloud->audience,
		url_host(cloud->arm));
	return false;
}

bool
cloud_may_prove(const struct cloud *cloud, struct err *err)
{
	if (cloud->authority_chosen || !cloud->custom ||
	    built_in_signing(cloud->authority) != NULL ||
	    (url_loopback(cloud->arm) && url_loopback(cloud->authority)))
		return true;
	err_set(err,
		"%s names %s as the place to sign in; a secret goes there only if "
		"AZURE_AUTHORITY_HOST names it too",
		url_host(cloud->arm), cloud->authority);
	return false;
}

char *
cloud_scope(const struct cloud *cloud)
{
	const struct built_in *owner = built_in_of(cloud->audience);

	if (owner != NULL && doc_same_but_slash(cloud->audience, owner->arm))
		return doc_fmt("%s/.default", owner->arm);
	/* a v2 scope is the audience and "/.default", so an audience that ends in a slash gives two
	 * of them */
	return doc_fmt("%s/.default", cloud->audience);
}

bool
cloud_audience_fits(const struct cloud *cloud, const char *audience)
{
	const struct built_in *asked = built_in_of(cloud->audience);

	if (doc_same_but_slash(audience, cloud->audience))
		return true;
	return asked != NULL &&
	       (asked == built_in_of(audience) || doc_same(audience, ARM_APPLICATION));
}

bool
cloud_authority_fits(const struct cloud *cloud, const char *host)
{
	const char *own = cloud->authority != NULL ? strstr(cloud->authority, "://") : NULL;
	char *url = doc_fmt("https://%s", host != NULL ? host : "");
	const struct built_in *signing = built_in_signing(url);
	bool fits = own != NULL && host != NULL && strcasecmp(own + 3, host) == 0;

	free(url);
	if (signing != NULL && cloud->custom && url_loopback(cloud->arm))
		return fits || signing == built_in_of(cloud->audience);
	return fits || (signing != NULL && signing == built_in_at(cloud->arm));
}
