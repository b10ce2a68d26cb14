#include "facts/doc.h"
#include "facts/visible.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

json_t *
doc_get(const json_t *obj, const char *path)
{
	char key[64];
	const char *dot;

	while (obj != NULL && (dot = strchr(path, '.')) != NULL) {
		if ((size_t)(dot - path) >= sizeof(key))
			return NULL;
		memcpy(key, path, (size_t)(dot - path));
		key[dot - path] = '\0';
		obj = json_object_get(obj, key);
		path = dot + 1;
	}
	obj = json_object_get(obj, path);
	return json_is_null(obj) ? NULL : (json_t *)(uintptr_t)obj;
}

const char *
doc_str(const json_t *obj, const char *path)
{
	return json_string_value(doc_get(obj, path));
}

json_int_t
doc_value_int(const json_t *value, json_int_t fallback)
{
	const char *text = json_string_value(value);
	char *end;
	long long number;

	if (json_is_integer(value))
		return json_integer_value(value);
	if (text == NULL || *text == '\0')
		return fallback;
	errno = 0;
	number = strtoll(text, &end, 10);
	return errno != 0 || *end != '\0' ? fallback : number;
}

json_int_t
doc_int(const json_t *obj, const char *path, json_int_t fallback)
{
	return doc_value_int(doc_get(obj, path), fallback);
}

bool
doc_value_bool(const json_t *value, bool fallback)
{
	if (json_is_boolean(value))
		return json_is_true(value);
	if (doc_same(json_string_value(value), "true"))
		return true;
	if (doc_same(json_string_value(value), "false"))
		return false;
	return fallback;
}

bool
doc_bool(const json_t *obj, const char *path, bool fallback)
{
	return doc_value_bool(doc_get(obj, path), fallback);
}

json_t *
doc_list(const json_t *obj, const char *path)
{
	json_t *value = doc_get(obj, path);

	return json_is_array(value) ? value : NULL;
}

bool
doc_is(const json_t *obj, const char *path, const char *word)
{
	return doc_same(doc_str(obj, path), word);
}

bool
doc_same(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcasecmp(a, b) == 0;
}

bool
doc_same_but_slash(const char *a, const char *b)
{
	size_t la = a != NULL ? strlen(a) : 0, lb = b != NULL ? strlen(b) : 0;

	while (la > 0 && a[la - 1] == '/')
		la--;
	while (lb > 0 && b[lb - 1] == '/')
		lb--;
	return la > 0 && la == lb && strncasecmp(a, b, la) == 0;
}

json_t *
doc_text(const void *bytes, size_t len)
{
	json_t *text = json_stringn(bytes, len);
	char *clean;
	size_t used = 0;
	uint32_t cp;

	if (text != NULL && memchr(bytes, '\0', len) == NULL)
		return text;
	json_decref(text);
	if ((clean = malloc(len * 3 + 1)) == NULL)
		return NULL;
	for (size_t i = 0; i < len;) {
		const char *at = (const char *)bytes + i;
		size_t n = visible_decode(at, len - i, &cp);
		bool good = n != 0 && cp != 0;

		memcpy(clean + used, good ? at : "\xef\xbf\xbd", good ? n : 3);
		used += good ? n : 3;
		i += good ? n : 1;
	}
	text = json_stringn(clean, used);
	free(clean);
	return text;
}

void
doc_set_strn(json_t *obj, const char *key, const void *bytes, size_t len)
{
	json_object_set_new(obj, key, doc_text(bytes, len));
}

void
doc_set_str(json_t *obj, const char *key, const char *text)
{
	if (text != NULL)
		doc_set_strn(obj, key, text, strlen(text));
}

json_t *
doc_base64(struct bytes bytes)
{
	char *text = bytes.len > 0 ? base64_encode(bytes, 0) : NULL;
	json_t *value = text != NULL ? json_string(text) : NULL;

	free(text);
	return value;
}

void
doc_set_fmt(json_t *obj, const char *key, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = doc_vfmt(fmt, ap);
	va_end(ap);
	doc_set_str(obj, key, text);
	free(text);
}

void
doc_set_int(json_t *obj, const char *key, json_int_t value)
{
	json_object_set_new(obj, key, json_integer(value));
}

void
doc_set_bool(json_t *obj, const char *key, bool value)
{
	json_object_set_new(obj, key, json_boolean(value));
}

void
doc_append_str(json_t *array, const char *text)
{
	if (text != NULL)
		json_array_append_new(array, doc_text(text, strlen(text)));
}

void
doc_append_once(json_t *array, const char *text)
{
	const json_t *known;
	size_t i;

	json_array_foreach (array, i, known)
		if (doc_same(json_string_value(known), text))
			return;
	doc_append_str(array, text);
}

char *
doc_vfmt(const char *fmt, va_list ap)
{
	char *text;

	return vasprintf(&text, fmt, ap) < 0 ? NULL : text;
}

char *
doc_fmt(const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = doc_vfmt(fmt, ap);
	va_end(ap);
	return text;
}

char *
doc_join(const json_t *list, size_t most)
{
	char *joined = strdup(""), *longer;
	const json_t *each;
	size_t i;

	json_array_foreach (list, i, each) {
		if (joined == NULL || i > most)
			break;
		longer = doc_fmt("%s%s%s", joined, i > 0 ? ", " : "",
				 i == most ? "..." : json_string_value(each));
		free(joined);
		joined = longer;
	}
	return joined;
}

struct member {
	char *key;
	json_t *value;
};

static int
by_key(const void *a, const void *b)
{
	const struct member *left = a, *right = b;

	return strcmp(left->key, right->key);
}

void
doc_sort(json_t *object)
{
	size_t count = json_object_size(object), used = 0;
	struct member *members = calloc(count + 1, sizeof(*members));
	json_t *value;
	const char *key;

	json_object_foreach (object, key, value)
		if (members != NULL && (members[used].key = strdup(key)) != NULL)
			members[used++].value = json_incref(value);
	if (members != NULL && used == count) {
		qsort(members, count, sizeof(*members), by_key);
		json_object_clear(object);
		for (size_t i = 0; i < count; i++)
			json_object_set(object, members[i].key, members[i].value);
	}
	for (size_t i = 0; i < used; i++) {
		free(members[i].key);
		json_decref(members[i].value);
	}
	free(members);
}
