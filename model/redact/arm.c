#include "model/redact/inner.h"

#include "facts/doc.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool
ends_with(const char *text, const char *end)
{
	size_t lt = strlen(text), le = strlen(end);

	return lt >= le && strcasecmp(text + lt - le, end) == 0;
}

/* What a member's key says of its text: a person's or a thing's name, or something that a person
 * wrote. */
static const char *
sort_by_key(const char *key)
{
	static const struct {
		const char *end, *sort;
	} ends[] = {
		{ "username", "user" },  { "user", "user" },         { "upn", "user" },
		{ "owner", "user" },     { "caller", "user" },       { "requestor", "user" },
		{ "email", "user" },     { "mail", "user" },         { "login", "user" },
		{ "CreatedBy", "user" }, { "ModifiedBy", "user" },   { "account", "user" },
		{ "fqdn", "host" },      { "host", "host" },         { "hostname", "host" },
		{ "label", "host" },     { "computerName", "host" }, { "displayName", "name" },
		{ "domain", "host" },    { "alias", "name" },        { "groupName", "group" },
	};

	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
		if (ends_with(key, ends[i].end))
			return ends[i].sort;
	return NULL;
}

/* A resource's own name stands beside its id or its properties; others are of sizes and images. */
static bool
names_resource(const json_t *object)
{
	const char *id = doc_str(object, "id");

	if (id != NULL)
		return id[0] == '/';
	return json_is_object(json_object_get(object, "properties")) ||
	       json_object_get(object, "managedDisk") != NULL;
}

/* "securityRules/mine": a type and a name. */
static void
put_typed_name(struct redact *redact, struct buffer *out, const char *text)
{
	const char *slash = strchr(text, '/');

	if (slash != NULL && slash - text > 5 && strncmp(slash - 5, "Rules", 5) == 0) {
		buffer_add(out, text, (size_t)(slash + 1 - text));
		text = slash + 1;
	}
	text_put_name(redact, out, text, "name");
}

/* Members that Azure chooses the values of. */
static bool
is_platform_key(const char *key)
{
	static const char *const ends[] = { "location",  "version",     "state",   "status",
					    "type",      "size",        "sku",     "tier",
					    "publisher", "offer",       "product", "code",
					    "kind",      "zone",        "zones",   "date",
					    "time",      "timeCreated", "actions" };

	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
		if (ends_with(key, ends[i]))
			return true;
	return false;
}

/* "00-0D-3A-12-34-56": the maker stays. */
static bool
put_mac(struct buffer *out, const char *text)
{
	if (strlen(text) != 17 || strspn(text, "0123456789abcdefABCDEF-:") != 17 ||
	    text[2] != text[14] || strchr("-:", text[2]) == NULL)
		return false;
	buffer_add(out, text, 9);
	buffer_add(out, "00-00-00", 8);
	return true;
}

/* A text of which only its form and its key tell what it may be. */
static void
put_any(struct redact *redact, struct buffer *out, const char *key, const char *text)
{
	size_t len = strlen(text);
	bool word = strpbrk(text, " \t\r\n@\"'") == NULL;

	if (put_mac(out, text))
		return;
	if (word && ends_with(key, "location"))
		name_keep(redact, out, text, len);
	else if (word && is_platform_key(key))
		buffer_add(out, text, len);
	else
		text_put_prose(redact, out, text);
}

/* Whose key says that it is a name, but not whose: of a size, of an image, or of a resource. */
static void
put_named(struct redact *redact, struct buffer *out, const char *text)
{
	size_t len = strlen(text);

	if (name_known(redact, text, len) == NULL && word_is_public(text, len))
		buffer_add(out, text, len);
	else
		text_put_name(redact, out, text, "name");
}

static json_t *redacted(struct redact *redact, const char *key, const json_t *value, bool tags,
			bool resource);

static json_t *
redacted_text(struct redact *redact, const char *key, const char *text, bool tags, bool resource)
{
	struct buffer out = { 0 };
	const char *sort = sort_by_key(key);
	json_t *value;

	buffer_reserve(&out, strlen(text));
	if (text[0] == '/' && (strncasecmp(text, "/subscriptions/", 15) == 0 ||
			       strncasecmp(text, "/providers/", 11) == 0))
		text_put_id(redact, &out, text, "name");
	else if (tags)
		text_put_name(redact, &out, text, "tag");
	else if (resource && strcmp(key, "name") == 0)
		put_typed_name(redact, &out, text);
	else if (sort != NULL && strpbrk(text, " \r\n") == NULL)
		text_put_name(redact, &out, text, sort);
	else if (ends_with(key, "Name") && strpbrk(text, " \r\n") == NULL)
		put_named(redact, &out, text);
	else
		put_any(redact, &out, key, text);
	value = doc_text(out.at, out.len);
	buffer_free(&out);
	return value;
}

/* Keys are Azure's, but for those of tags and for ids. */
static char *
redacted_key(struct redact *redact, const char *key, bool tags)
{
	struct buffer out = { 0 };
	char *copy;

	if (tags)
		text_put_name(redact, &out, key, "tag");
	else if (key[0] == '/')
		text_put_id(redact, &out, key, "name");
	else if (guid_at(key))
		guid_put(redact, &out, key);
	else
		buffer_add(&out, key, strlen(key));
	copy = strndup((char *)out.at, out.len);
	buffer_free(&out);
	return copy;
}

static json_t *
redacted_object(struct redact *redact, const json_t *object, bool tags)
{
	json_t *copy = json_object(), *value;
	const bool resource = names_resource(object);
	struct buffer first = { 0 };
	const char *key;

	/* an id says what kind of thing it is that has the name */
	if (redact->learning && doc_str(object, "id") != NULL)
		id_put(redact, &first, doc_str(object, "id"));
	buffer_free(&first);

	json_object_foreach ((json_t *)(uintptr_t)object, key, value) {
		char *own = redacted_key(redact, key, tags);

		json_object_set_new(
		    copy, own,
		    redacted(redact, key, value, tags || strcasecmp(key, "tags") == 0, resource));
		free(own);
	}
	return copy;
}

static json_t *
redacted(struct redact *redact, const char *key, const json_t *value, bool tags, bool resource)
{
	json_t *copy, *each;
	size_t i;

	if (json_is_object(value))
		return redacted_object(redact, value, tags);
	if (json_is_string(value))
		return redacted_text(redact, key, json_string_value(value), tags, resource);
	if (!json_is_array(value))
		return json_incref((json_t *)(uintptr_t)value);
	copy = json_array();
	json_array_foreach (value, i, each)
		json_array_append_new(copy, redacted(redact, key, each, tags, false));
	return copy;
}

json_t *
arm_redacted(struct redact *redact, const json_t *body)
{
	return redacted(redact, "", body, false, false);
}
