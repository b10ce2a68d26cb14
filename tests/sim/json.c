/* Small helpers around jansson. */
#include "tests/sim/sim.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>

json_t *
json_at(const json_t *from, const char *path)
{
	char name[128];

	while (from != NULL && *path != '\0') {
		size_t length = strcspn(path, ".");

		if (length >= sizeof name)
			return NULL;
		memcpy(name, path, length);
		name[length] = '\0';
		from = json_object_get(from, name);
		path += length + (path[length] == '.');
	}
	return (json_t *)(uintptr_t)from;
}

const char *
json_text_at(const json_t *from, const char *path)
{
	return json_string_value(json_at(from, path));
}

long long
json_number_at(const json_t *from, const char *path, long long otherwise)
{
	const json_t *value = json_at(from, path);

	if (json_is_integer(value))
		return json_integer_value(value);
	return json_is_real(value) ? (long long)json_real_value(value) : otherwise;
}

bool
json_true_at(const json_t *from, const char *path)
{
	return json_is_true(json_at(from, path));
}

json_t *
json_get_nocase(const json_t *object, const char *name)
{
	json_t *exact = json_object_get(object, name), *value;
	const char *key;

	if (exact != NULL)
		return exact;
	json_object_foreach ((json_t *)(uintptr_t)object, key, value) {
		if (text_same(key, name))
			return value;
	}
	return NULL;
}

json_t *
json_named(const json_t *array, const char *name)
{
	size_t i;
	json_t *element;

	json_array_foreach (array, i, element) {
		const char *id = json_text_at(element, "id"), *own = json_text_at(element, "name");

		if (own == NULL && id != NULL && strrchr(id, '/') != NULL)
			own = strrchr(id, '/') + 1;
		if (text_same(own, name))
			return element;
	}
	return NULL;
}

json_t *
json_bytes(const char *text)
{
	json_t *value = json_string(text);
	char *copy;

	if (value != NULL)
		return value;
	copy = text_copy(text);
	for (char *at = copy; *at != '\0'; at++) {
		if ((unsigned char)*at >= 0x80)
			*at = '?';
	}
	value = json_string(copy);
	free(copy);
	return value;
}

void
json_put(json_t *object, const char *name, json_t *value)
{
	if (value == NULL || json_object_set_new_nocheck(object, name, value) < 0)
		errx(4, "cannot store \"%s\"", name);
}

void
json_put_text(json_t *object, const char *name, const char *value)
{
	json_put(object, name, json_bytes(value));
}

void
json_put_default(json_t *object, const char *name, json_t *value)
{
	if (json_object_get(object, name) != NULL)
		json_decref(value);
	else
		json_put(object, name, value);
}

json_t *
json_section(json_t *object, const char *name)
{
	json_t *section = json_object_get(object, name);

	if (!json_is_object(section)) {
		section = json_object();
		json_put(object, name, section);
	}
	return section;
}

void
json_merge_patch(json_t *target, const json_t *patch)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)(uintptr_t)patch, key, value) {
		if (json_is_null(value))
			json_object_del(target, key);
		else if (json_is_object(value))
			json_merge_patch(json_section(target, key), value);
		else
			json_put(target, key, json_deep_copy(value));
	}
}
