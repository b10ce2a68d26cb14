#include "facts/arm.h"
#include "facts/doc.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static bool
part_is(struct arm_part part, const char *word)
{
	return part.len == strlen(word) && strncasecmp(part.at, word, part.len) == 0;
}

/* The next segment of the path; false at its end or at an empty segment. */
static bool
next_part(const char **path, struct arm_part *ret)
{
	if (**path != '/' || (*path)[1] == '/' || (*path)[1] == '\0')
		return false;
	ret->at = *path + 1;
	ret->len = strcspn(ret->at, "/");
	*path = ret->at + ret->len;
	return true;
}

int
arm_id_parse(const char *id, struct arm_id *ret)
{
	struct arm_id parsed = { 0 };
	struct arm_part key, value;
	bool resource = false;

	if (id == NULL)
		return -EINVAL;
	while (next_part(&id, &key)) {
		if (!next_part(&id, &value))
			return -EINVAL;
		if (part_is(key, "subscriptions") && parsed.subscription.len == 0) {
			parsed.subscription = value;
		} else if (part_is(key, "resourceGroups") && parsed.group.len == 0) {
			parsed.group = value;
		} else if (part_is(key, "providers")) {
			parsed.parent = parsed.name = (struct arm_part){ 0 };
			resource = true;
		} else if (resource) {
			parsed.parent = parsed.name;
			parsed.type = key;
			parsed.name = value;
		}
	}
	if (parsed.subscription.len == 0 || parsed.name.len == 0 ||
	    (*id != '\0' && strcmp(id, "/") != 0))
		return -EINVAL;
	*ret = parsed;
	return 0;
}

int
arm_id_key(const char *id, char *ret, size_t size)
{
	size_t len = id != NULL ? strlen(id) : 0;

	while (len > 0 && id[len - 1] == '/')
		len--;
	if (len == 0 || len >= size)
		return -EINVAL;
	for (size_t i = 0; i < len; i++)
		ret[i] = (char)tolower((unsigned char)id[i]);
	ret[len] = '\0';
	return 0;
}

bool
arm_id_same(const char *a, const char *b)
{
	return doc_same_but_slash(a, b);
}

/* The part behind the last "/providers/", NULL when there is none. */
static const char *
after_providers(const char *id)
{
	const char *last = NULL;

	for (const char *p = id; p != NULL && *p != '\0'; p++)
		if (strncasecmp(p, "/providers/", 11) == 0)
			last = p + 11;
	return last;
}

int
arm_id_type(const char *id, char *ret, size_t size)
{
	const char *path = after_providers(id);
	struct arm_part key, value;
	size_t used;

	if (path == NULL || (used = strcspn(path, "/")) == 0 || used >= size)
		return -EINVAL;
	memcpy(ret, path, used);
	path += used;
	while (next_part(&path, &key)) {
		if (!next_part(&path, &value) || used + 1 + key.len >= size)
			return -EINVAL;
		ret[used++] = '/';
		memcpy(ret + used, key.at, key.len);
		used += key.len;
	}
	for (size_t i = 0; i < used; i++)
		ret[i] = (char)tolower((unsigned char)ret[i]);
	ret[used] = '\0';
	return 0;
}

int
arm_id_parent(const char *id, char *ret, size_t size)
{
	struct arm_id parsed;
	size_t len;

	if (arm_id_parse(id, &parsed) < 0 || parsed.parent.len == 0)
		return -EINVAL;
	if ((len = (size_t)(parsed.parent.at - id) + parsed.parent.len) >= size)
		return -EINVAL;
	memcpy(ret, id, len);
	ret[len] = '\0';
	return 0;
}

const char *
arm_id_name(const char *id)
{
	const char *slash;

	if (id == NULL)
		return "";
	slash = strrchr(id, '/');
	return slash != NULL ? slash + 1 : id;
}

static void
copy_part(struct arm_part part, char *ret, size_t size)
{
	if (size > 0)
		snprintf(ret, size, "%.*s", (int)part.len, part.len > 0 ? part.at : "");
}

void
arm_id_group(const char *id, char *ret, size_t size)
{
	struct arm_id parsed = { 0 };

	if (arm_id_parse(id, &parsed) < 0)
		parsed.group.len = 0;
	copy_part(parsed.group, ret, size);
}

void
arm_id_subscription(const char *id, char *ret, size_t size)
{
	struct arm_id parsed = { 0 };

	if (arm_id_parse(id, &parsed) < 0)
		parsed.subscription.len = 0;
	copy_part(parsed.subscription, ret, size);
}
