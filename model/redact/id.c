#include "model/redact/inner.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static bool
is_word(const char *text, size_t len, const char *word)
{
	return strlen(word) == len && strncasecmp(text, word, len) == 0;
}

/* Names of these types are Azure's own. */
static bool
is_platform_type(const char *type, size_t len)
{
	static const char *const types[] = {
		"locations", "roleDefinitions", "eventtypes",
		"providers", "publishers",      "offers",
		"skus",      "versions",        "availabilityStatuses"
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (is_word(type, len, types[i]))
			return true;
	return len > 7 && strncasecmp(type, "default", 7) == 0;
}

/* "networkSecurityGroups" to "networksecuritygroup", "policies" to "policy". */
static void
sort_of(const char *type, size_t len, char ret[static 48])
{
	size_t used = 0;

	for (size_t i = 0; i < len && used < 46; i++)
		if (isalnum((unsigned char)type[i]))
			ret[used++] = (char)tolower((unsigned char)type[i]);
	if (used > 4 && strncmp(ret + used - 3, "ies", 3) == 0)
		ret[(used -= 2) - 1] = 'y';
	else if (used > 5 && (strncmp(ret + used - 4, "sses", 4) == 0 ||
			      strncmp(ret + used - 4, "uses", 4) == 0))
		used -= 2;
	else if (used > 2 && ret[used - 1] == 's' && ret[used - 2] != 's')
		used--;
	ret[used] = '\0';
	if (strcmp(ret, "resourcegroup") == 0)
		memcpy(ret, "group", sizeof("group"));
}

/* A name or an id of the type. */
static void
put_value(struct redact *redact, struct buffer *out, const char *text, size_t len, const char *type,
	  size_t type_len)
{
	char sort[48];

	sort_of(type, type_len, sort);
	if (is_platform_type(type, type_len))
		name_keep(redact, out, text, len);
	else if (len == GUID_LEN && guid_at(text))
		guid_put(redact, out, text);
	else
		name_put(redact, out, text, len, *sort != '\0' ? sort : "name");
}

size_t
id_put(struct redact *redact, struct buffer *out, const char *text)
{
	static const char ends[] = "/ \t\r\n'\"<>?#&,;()[]{}";
	const char *p = text, *type = NULL;
	size_t type_len = 0;

	if (strncasecmp(text, "/subscriptions/", 15) != 0 &&
	    strncasecmp(text, "/providers/", 11) != 0)
		return 0;
	while (*p == '/' && p[1] != '\0') {
		size_t len = strcspn(p + 1, ends);

		buffer_add(out, p, 1);
		if (type == NULL) {
			buffer_add(out, p + 1, len);
			type = p + 1;
			type_len = len;
		} else {
			put_value(redact, out, p + 1, len, type, type_len);
			type = NULL;
		}
		p += len + 1;
	}
	return (size_t)(p - text);
}
