#include "azure/arm/path.h"
#include "facts/arm.h"
#include "facts/doc.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

bool
path_types(const char *path, char *ret, size_t size)
{
	const char *at = NULL;
	size_t used = 0;

	for (const char *next = path; (next = strcasestr(next, "/providers/")) != NULL; next++)
		at = next + 11;
	for (size_t i = 0; at != NULL && *at != '\0' && *at != '?'; i++) {
		size_t len = strcspn(at, "/?");

		if ((i == 0 || i % 2 == 1) && used + len + 2 < size) {
			if (used > 0)
				ret[used++] = '/';
			memcpy(ret + used, at, len);
			used += len;
		}
		at += len + (at[len] == '/');
	}
	ret[used] = '\0';
	return at != NULL;
}

char *
path_in_group(const char *id, const char *type)
{
	struct arm_id parsed;

	if (arm_id_parse(id, &parsed) < 0 || parsed.group.len == 0)
		return NULL;
	return doc_fmt("/subscriptions/%.*s/resourceGroups/%.*s/providers/%s",
		       (int)parsed.subscription.len, parsed.subscription.at, (int)parsed.group.len,
		       parsed.group.at, type);
}

char *
path_in_subscription(const char *id, const char *type)
{
	char subscription[128];

	arm_id_subscription(id, subscription, sizeof(subscription));
	if (type == NULL)
		return doc_fmt("/subscriptions/%s", subscription);
	return doc_fmt("/subscriptions/%s/providers/%s", subscription, type);
}

void
path_type(const char *path, char ret[static PATH_TYPE_MAX])
{
	if (!path_types(path, ret, PATH_TYPE_MAX))
		snprintf(ret, PATH_TYPE_MAX, "%s",
			 doc_same(strrchr(path, '/'), "/resources") ? "resources"
								    : "subscriptions");
	for (char *p = ret; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
}

/* The longest prefix of the type decides. */
static const struct version {
	const char *prefix, *version;
} versions[] = {
	{ "microsoft.compute/virtualmachinescalesets/virtualmachines/networkinterfaces",
	  "2018-10-01" },
	{ "microsoft.compute", "2024-07-01" },
	{ "microsoft.network", "2024-01-01" },
	{ "microsoft.security", "2020-01-01" },
	{ "microsoft.resourcegraph", "2022-10-01" },
	{ "microsoft.authorization/locks", "2020-05-01" },
	{ "microsoft.authorization/policyassignments", "2022-06-01" },
	{ "microsoft.authorization", "2022-04-01" },
	{ "microsoft.resourcehealth", "2022-10-01" },
	{ "microsoft.maintenance", "2023-04-01" },
	{ "microsoft.insights", "2015-04-01" },
	{ "microsoft.devtestlab", "2018-09-15" },
	{ "subscriptions", "2022-12-01" },
	{ "resources", "2021-04-01" },
};

const char *
type_version(const char *type)
{
	for (size_t i = 0; i < sizeof(versions) / sizeof(*versions); i++)
		if (strncasecmp(type, versions[i].prefix, strlen(versions[i].prefix)) == 0)
			return versions[i].version;
	return "2021-04-01";
}
