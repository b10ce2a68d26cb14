#include "azure/arm/version.h"
#include "azure/arm/path.h"
#include "facts/doc.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

void
version_type(const char *path, char ret[static VERSION_TYPE_MAX])
{
	if (!path_types(path, ret, VERSION_TYPE_MAX))
		strcpy(ret,
		       doc_same(strrchr(path, '/'), "/resources") ? "resources" : "subscriptions");
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
version_of(const char *type)
{
	for (size_t i = 0; i < sizeof(versions) / sizeof(*versions); i++)
		if (strncasecmp(type, versions[i].prefix, strlen(versions[i].prefix)) == 0)
			return versions[i].version;
	return "2021-04-01";
}
