#include "tests/fuzz/schema.h"

#include <regex.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATTERNS = 64 };

struct judge {
	const json_t *root;
	char *path; /* of SCHEMA_PATH bytes: grows from its end to its beginning */
};

static void
prepend(struct judge *judge, const char *step)
{
	char longer[SCHEMA_PATH];

	snprintf(longer, sizeof(longer), "%.100s/%.120s", step, judge->path);
	memcpy(judge->path, longer, sizeof(longer));
}

static const char *breaks(struct judge *judge, const json_t *schema, const json_t *value);

static bool
has_type(const json_t *value, const char *type)
{
	static const struct {
		const char *word;
		json_type type;
	} types[] = { { "object", JSON_OBJECT }, { "array", JSON_ARRAY },
		      { "string", JSON_STRING }, { "integer", JSON_INTEGER },
		      { "number", JSON_REAL },   { "null", JSON_NULL } };

	if (strcmp(type, "boolean") == 0)
		return json_is_boolean(value);
	if (strcmp(type, "number") == 0 && json_is_integer(value))
		return true;
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (strcmp(types[i].word, type) == 0)
			return json_typeof(value) == types[i].type;
	fprintf(stderr, "schema: unknown type %s\n", type);
	abort();
}

static bool
fits_type(const json_t *types, const json_t *value)
{
	if (types == NULL)
		return true;
	for (size_t i = 0; i < json_array_size(types); i++)
		if (has_type(value, json_string_value(json_array_get(types, i))))
			return true;
	return json_is_string(types) && has_type(value, json_string_value(types));
}

/* Compiled once: the patterns live as long as the schema. */
static bool
fits_pattern(const json_t *pattern, const json_t *value)
{
	static struct {
		const json_t *pattern;
		regex_t regex;
	} known[PATTERNS];
	size_t i = 0;

	if (pattern == NULL || !json_is_string(value))
		return true;
	while (i < PATTERNS && known[i].pattern != NULL && known[i].pattern != pattern)
		i++;
	if (i == PATTERNS ||
	    (known[i].pattern == NULL &&
	     regcomp(&known[i].regex, json_string_value(pattern), REG_EXTENDED | REG_NOSUB) != 0))
		abort();
	known[i].pattern = pattern;
	return regexec(&known[i].regex, json_string_value(value), 0, NULL, 0) == 0;
}

static bool
listed(const json_t *list, const json_t *value)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (json_equal(json_array_get(list, i), value))
			return true;
	return false;
}

static const char *
breaks_scalar(const json_t *schema, const json_t *value)
{
	const json_t *constant = json_object_get(schema, "const"),
		     *list = json_object_get(schema, "enum");

	if (!fits_type(json_object_get(schema, "type"), value))
		return "type";
	if (constant != NULL && !json_equal(constant, value))
		return "const";
	if (list != NULL && !listed(list, value))
		return "enum";
	if (!fits_pattern(json_object_get(schema, "pattern"), value))
		return "pattern";
	if (json_is_string(value) && (json_int_t)json_string_length(value) <
					 json_integer_value(json_object_get(schema, "minLength")))
		return "minLength";
	if (json_is_integer(value) && json_object_get(schema, "minimum") != NULL &&
	    json_integer_value(value) < json_integer_value(json_object_get(schema, "minimum")))
		return "minimum";
	if (json_is_integer(value) && json_object_get(schema, "maximum") != NULL &&
	    json_integer_value(value) > json_integer_value(json_object_get(schema, "maximum")))
		return "maximum";
	return NULL;
}

static const char *
breaks_object(struct judge *judge, const json_t *schema, const json_t *value)
{
	const json_t *required = json_object_get(schema, "required"),
		     *properties = json_object_get(schema, "properties"), *one;
	bool closed = json_is_false(json_object_get(schema, "additionalProperties"));
	const char *key, *word;
	json_t *member;

	for (size_t i = 0; i < json_array_size(required); i++)
		if (json_object_get(value, json_string_value(json_array_get(required, i))) == NULL)
			return "required";
	json_object_foreach ((json_t *)(uintptr_t)value, key, member) {
		if ((one = json_object_get(properties, key)) == NULL && closed)
			return "additionalProperties";
		if (one != NULL && (word = breaks(judge, one, member)) != NULL) {
			prepend(judge, key);
			return word;
		}
	}
	return NULL;
}

static const char *
breaks_array(struct judge *judge, const json_t *schema, const json_t *value)
{
	const json_t *items = json_object_get(schema, "items");
	const char *word;

	for (size_t i = 0; i < json_array_size(value); i++) {
		if (items != NULL &&
		    (word = breaks(judge, items, json_array_get(value, i))) != NULL) {
			prepend(judge, "[]");
			return word;
		}
		for (size_t k = 0; json_is_true(json_object_get(schema, "uniqueItems")) && k < i;
		     k++)
			if (json_equal(json_array_get(value, i), json_array_get(value, k)))
				return "uniqueItems";
	}
	return NULL;
}

static const char *
breaks_combined(struct judge *judge, const json_t *schema, const json_t *value)
{
	const json_t *all = json_object_get(schema, "allOf"),
		     *one = json_object_get(schema, "oneOf"), *test = json_object_get(schema, "if"),
		     *then;
	const char *word = NULL;
	size_t fits = 0;

	for (size_t i = 0; i < json_array_size(all); i++)
		if ((word = breaks(judge, json_array_get(all, i), value)) != NULL)
			return word;
	for (size_t i = 0; i < json_array_size(one); i++) {
		word = breaks(judge, json_array_get(one, i), value);
		fits += word == NULL;
	}
	if (one != NULL && fits != 1)
		return "oneOf";
	if (test == NULL)
		return NULL;
	then = json_object_get(schema, breaks(judge, test, value) == NULL ? "then" : "else");
	*judge->path = '\0';
	return then != NULL ? breaks(judge, then, value) : NULL;
}

static const char *
breaks(struct judge *judge, const json_t *schema, const json_t *value)
{
	const char *ref = json_string_value(json_object_get(schema, "$ref")), *word;

	if (ref != NULL)
		return breaks(judge,
			      json_object_get(json_object_get(judge->root, "definitions"),
					      strrchr(ref, '/') + 1),
			      value);
	word = breaks_scalar(schema, value);
	if (word == NULL && json_is_object(value))
		word = breaks_object(judge, schema, value);
	if (word == NULL && json_is_array(value))
		word = breaks_array(judge, schema, value);
	if (word == NULL)
		word = breaks_combined(judge, schema, value);
	return word;
}

const char *
schema_breaks(const json_t *root, const char *definition, const json_t *value,
	      char path[SCHEMA_PATH])
{
	struct judge judge = { .root = root, .path = path };

	*path = '\0';
	return breaks(&judge, json_object_get(json_object_get(root, "definitions"), definition),
		      value);
}
