#include "azure/signin/built_in.h"
#include "facts/doc.h"
#include "azure/arm/url.h"

#include <stddef.h>
#include <strings.h>

const struct built_in built_in_clouds[] = {
	{ "AzureCloud", "https://management.azure.com", "https://login.microsoftonline.com",
	  "https://management.core.windows.net/", "https://login.windows.net" },
	{ "AzureUSGovernment", "https://management.usgovcloudapi.net",
	  "https://login.microsoftonline.us", "https://management.core.usgovcloudapi.net/", NULL },
	{ "AzureChinaCloud", "https://management.chinacloudapi.cn",
	  "https://login.chinacloudapi.cn", "https://management.core.chinacloudapi.cn/",
	  "https://login.partner.microsoftonline.cn" },
};

const unsigned built_in_count = sizeof(built_in_clouds) / sizeof(*built_in_clouds);

const struct built_in *
built_in_named(const char *name)
{
	for (size_t i = 0; i < built_in_count; i++)
		if (strcasecmp(built_in_clouds[i].name, name) == 0)
			return &built_in_clouds[i];
	return NULL;
}

const struct built_in *
built_in_at(const char *arm)
{
	for (size_t i = 0; i < built_in_count; i++)
		if (url_same_origin(built_in_clouds[i].arm, arm))
			return &built_in_clouds[i];
	return NULL;
}

/* The built-in cloud that an audience names, by either of its two forms. */
const struct built_in *
built_in_of(const char *audience)
{
	for (size_t i = 0; i < built_in_count; i++)
		if (doc_same_but_slash(audience, built_in_clouds[i].audience) ||
		    doc_same_but_slash(audience, built_in_clouds[i].arm) ||
		    url_same_origin(audience, built_in_clouds[i].arm) ||
		    url_same_origin(audience, built_in_clouds[i].audience))
			return &built_in_clouds[i];
	return NULL;
}

const struct built_in *
built_in_signing(const char *authority)
{
	for (size_t i = 0; i < built_in_count; i++)
		if (url_same_origin(authority, built_in_clouds[i].authority) ||
		    url_same_origin(authority, built_in_clouds[i].authority_too))
			return &built_in_clouds[i];
	return NULL;
}
