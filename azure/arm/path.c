#include "azure/arm/path.h"
#include "facts/arm.h"
#include "facts/doc.h"

#include <string.h>

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
