#include "azure/arm/error.h"
#include "facts/doc.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

/* ---- the body ---- */

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
error_text(const json_t *error, const char *name)
{
	return json_string_value(member(error, name));
}

bool
error_is(const char *code, const char *list)
{
	size_t len = code != NULL ? strlen(code) : 0;

	for (const char *p = list; len > 0 && *p != '\0'; p += strcspn(p, " "), p += *p == ' ')
		if (strncasecmp(p, code, len) == 0 && (p[len] == ' ' || p[len] == '\0'))
			return true;
	return false;
}

/* A code so general that the first detail says more. */
static bool
says_nothing(const char *code)
{
	return code == NULL || error_is(code, "MultipleErrorsOccurred BadRequest Forbidden");
}

const json_t *
error_find(const json_t *body)
{
	const json_t *error = json_is_array(body) ? json_array_get(body, 0) : body, *inner, *detail;

	if (json_is_object(inner = member(error, "error")))
		error = inner;
	else if (json_is_object(inner = json_array_get(member(error, "errors"), 0)))
		error = inner;
	detail = json_array_get(member(error, "details"), 0);
	if (says_nothing(error_text(error, "code")) && error_text(detail, "code") != NULL)
		return detail;
	if (error_text(error, "code") == NULL && error_text(error, "message") == NULL)
		return NULL;
	return error;
}

const char *
error_challenge(const struct http_reply *reply, const char *word)
{
	const char *challenge;

	for (size_t n = 0;
	     reply != NULL && (challenge = http_header_nth(reply, "WWW-Authenticate", n)) != NULL;
	     n++)
		if (strcasestr(challenge, word) != NULL)
			return challenge;
	return NULL;
}

/* ---- the message ---- */

char *
error_action(const char *message)
{
	const char *at = message != NULL ? strcasestr(message, "action") : NULL, *end;

	while (at != NULL && (at[6] == ' ' || at[6] == '(' || at[6] == 's') &&
	       (at = strpbrk(at, "'\"")) != NULL) {
		end = strchr(at + 1, *at);
		if (end != NULL && memchr(at + 1, '/', (size_t)(end - at - 1)) != NULL &&
		    memchr(at + 1, ' ', (size_t)(end - at - 1)) == NULL)
			return strndup(at + 1, (size_t)(end - at - 1));
		at = strcasestr(at, "action");
	}
	return NULL;
}

char *
error_scope(const char *message)
{
	const char *at = message != NULL ? strcasestr(message, "over scope") : NULL, *end;

	if (at == NULL || (at = strpbrk(at, "'\"")) == NULL || (end = strchr(at + 1, *at)) == NULL)
		return NULL;
	return strndup(at + 1, (size_t)(end - at - 1));
}

char *
error_tenant(const char *message, const char *own)
{
	static const char hex[] = "0123456789abcdefABCDEF-";

	for (const char *p = message; p != NULL && (p = strstr(p, "://")) != NULL; p += 3) {
		const char *slash = strchr(p + 3, '/');

		if (slash != NULL && strspn(slash + 1, hex) == 36 &&
		    (own == NULL || strncasecmp(slash + 1, own, 36) != 0))
			return strndup(slash + 1, 36);
	}
	return NULL;
}

static bool
looks_like_version(const char *p)
{
	static const char form[] = "dddd-dd-dd";

	for (size_t i = 0; i < sizeof(form) - 1; i++)
		if (form[i] == 'd' ? !isdigit((unsigned char)p[i]) : p[i] != form[i])
			return false;
	return true;
}

char *
error_api_version(const json_t *body, const char *ours)
{
	const json_t *error = error_find(body);
	const char *p = error_text(error, "message"), *best = NULL;

	if (!error_is(error_text(error, "code"),
		      "InvalidApiVersionParameter NoRegisteredProviderFound InvalidResourceType "
		      "UnsupportedApiVersion") ||
	    p == NULL || (p = strcasestr(p, "supported")) == NULL)
		return NULL;
	for (; *p != '\0'; p++) {
		if (!looks_like_version(p) || isdigit((unsigned char)p[-1]))
			continue;
		if (strncmp(p, ours, 10) < 0 && p[10] != '-' &&
		    (best == NULL || strncmp(p, best, 10) > 0))
			best = p;
		p += 9;
	}
	return best != NULL ? strndup(best, 10) : NULL;
}
