#include "rules/rules.h"
#include "facts/arm.h"
#include "facts/doc.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* A waiver's resource is an ARM id, a scope above it, GROUP/NAME or a name. */
static bool
covers(const char *waived, const char *resource)
{
	size_t len = strlen(waived);
	char group[128];

	if (resource == NULL)
		return false;
	if (waived[0] == '/') {
		while (len > 1 && waived[len - 1] == '/')
			len--;
		return strncasecmp(waived, resource, len) == 0 &&
		       (resource[len] == '\0' || resource[len] == '/');
	}
	if (strchr(waived, '/') == NULL)
		return doc_same(waived, arm_id_name(resource));
	arm_id_group(resource, group, sizeof(group));
	len = strlen(group);
	return len > 0 && strncasecmp(waived, group, len) == 0 && waived[len] == '/' &&
	       doc_same(waived + len + 1, arm_id_name(resource));
}

/* The last day a waiver names is the last day it holds, in UTC. */
static bool
holds(const json_t *waiver, time_t now)
{
	const char *expires = doc_str(waiver, "expires");
	char today[16];
	struct tm tm;

	if (expires == NULL)
		return true;
	return gmtime_r(&now, &tm) != NULL &&
	       strftime(today, sizeof(today), "%Y-%m-%d", &tm) == 10 && strcmp(today, expires) <= 0;
}

const json_t *
rules_waiver(const struct rules *rules, const char *code, const char *resource, time_t now,
	     const json_t **expired)
{
	const json_t *waivers = rules_waivers(rules);

	if (expired != NULL)
		*expired = NULL;
	for (size_t i = 0; i < json_array_size(waivers); i++) {
		const json_t *waiver = json_array_get(waivers, i);
		const char *waived = doc_str(waiver, "resource");

		if (!doc_is(waiver, "code", code) || (waived != NULL && !covers(waived, resource)))
			continue;
		if (holds(waiver, now))
			return waiver;
		if (expired != NULL)
			*expired = waiver;
	}
	return NULL;
}
