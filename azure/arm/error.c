/* What an error reply holds, however its sender has wrapped it. */
#include "azure/inside.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

/* The member of that name in any case. */
static const json_t *
member(const json_t *object, const char *name)
{
	const char *key;
	json_t *value;

	if (json_object_get(object, name) != NULL)
		return json_object_get(object, name);
	json_object_foreach ((json_t *)(uintptr_t)object, key, value)
		if (strcasecmp(key, name) == 0)
			return value;
	return NULL;
}

const char *
reply_said(const json_t *error, const char *name)
{
	return json_string_value(member(error, name));
}

/* A code so general that the first detail says more. */
static bool
says_nothing(const char *code)
{
	return code == NULL || doc_same(code, "MultipleErrorsOccurred") ||
	       doc_same(code, "BadRequest") || doc_same(code, "Forbidden");
}

const json_t *
reply_error(const json_t *body)
{
	const json_t *error = json_is_array(body) ? json_array_get(body, 0) : body, *inner, *detail;

	if (json_is_object(inner = member(error, "error")))
		error = inner;
	else if (json_is_object(inner = json_array_get(member(error, "errors"), 0)))
		error = inner;
	detail = json_array_get(member(error, "details"), 0);
	if (says_nothing(reply_said(error, "code")) && reply_said(detail, "code") != NULL)
		return detail;
	return reply_said(error, "code") != NULL || reply_said(error, "message") != NULL ? error
											 : NULL;
}

const char *
reply_challenge(const struct http_reply *reply, const char *word)
{
	const char *challenge;

	for (size_t n = 0;
	     reply != NULL && (challenge = http_header_nth(reply, "WWW-Authenticate", n)) != NULL;
	     n++)
		if (strcasestr(challenge, word) != NULL)
			return challenge;
	return NULL;
}

/* "Microsoft.Compute/HighCostGet30Min;0" among several: the policy of which nothing is left, else
 * the number of reads left when it is small. */
const char *
reply_limit(const struct http_reply *reply)
{
	static const char *const reads[] = { "x-ms-ratelimit-remaining-subscription-reads",
					     "x-ms-ratelimit-remaining-subscription-global-reads",
					     "x-ms-ratelimit-remaining-tenant-reads",
					     "x-ms-user-quota-remaining" };
	const char *value;
	size_t len;

	for (size_t n = 0;
	     reply != NULL &&
	     (value = http_header_nth(reply, "x-ms-ratelimit-remaining-resource", n)) != NULL;
	     n++)
		if ((len = strlen(value)) > 2 && strcmp(value + len - 2, ";0") == 0)
			return value;
	for (size_t i = 0; reply != NULL && i < sizeof(reads) / sizeof(*reads); i++)
		if ((value = http_header(reply, reads[i])) != NULL && strcmp(value, "0") == 0)
			return reads[i];
	return NULL;
}
