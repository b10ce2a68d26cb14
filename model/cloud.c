#include "model/cloud.h"
#include "model/prefix.h"

#include <string.h>
#include <strings.h>

static const struct suffix {
	const char *cloud, *text;
} suffixes[] = {
	{ "AzureUSGovernment", ".usgovcloudapi.net" },
	{ "AzureUSGovernment", ".usgovcloudapp.net" },
	{ "AzureUSGovernment", ".usgovtrafficmanager.net" },
	{ "AzureUSGovernment", ".azure.us" },
	{ "AzureChinaCloud", ".chinacloudapi.cn" },
	{ "AzureChinaCloud", ".chinacloudapp.cn" },
	{ "AzureChinaCloud", ".trafficmanager.cn" },
	{ "AzureChinaCloud", ".azure.cn" },
	{ "AzureCloud", ".cloudapp.azure.com" },
	{ "AzureCloud", ".cloudapp.net" },
	{ "AzureCloud", ".trafficmanager.net" },
};

static const struct range {
	const char *cloud, *prefix;
} ranges[] = {
#define RANGE(cloud, prefix) { cloud, prefix },
#include "model/cloud_ranges.def"
#undef RANGE
};

static const char *
by_suffix(const char *host)
{
	size_t length = strlen(host), n;

	if (length > 0 && host[length - 1] == '.')
		length--;
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++) {
		n = strlen(suffixes[i].text);
		if (length > n && strncasecmp(host + length - n, suffixes[i].text, n) == 0)
			return suffixes[i].cloud;
	}
	return NULL;
}

static const char *
by_address(const char *host)
{
	struct ip_range range;
	struct ip ip;

	if (ip_parse(host, &ip) < 0)
		return NULL;
	for (size_t i = 0; i < sizeof(ranges) / sizeof(*ranges); i++)
		if (prefix_parse(ranges[i].prefix, &range) == 0 && range_has(&range, ip))
			return ranges[i].cloud;
	return NULL;
}

const char *
cloud_of_host(const char *host, bool *by_name)
{
	const char *cloud = host != NULL ? by_suffix(host) : NULL;

	*by_name = cloud != NULL;
	return cloud != NULL || host == NULL ? cloud : by_address(host);
}
