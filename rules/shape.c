#include "rules/shape.h"
#include "facts/words.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *
kind_word(const struct node *node)
{
	return node->kind == NODE_LIST ? "a list" : "a map";
}

bool
shape_refuse(const struct reader *reader, const struct shape *shape, const struct node *node)
{
	if (node->kind != NODE_SCALAR)
		return node_fail(reader, node, "%s is not accepted here; accepted: %s",
				 kind_word(node), shape->accepts);
	return node_fail(reader, node, "\"%s\" is not accepted here; accepted: %s",
			 node_quote(node->text), shape->accepts);
}

bool
shape_name(const struct reader *reader, const char *text)
{
	(void)reader;
	return text[0] >= 'a' && text[0] <= 'z' && strlen(text) <= 48 &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(text);
}

static bool
give(json_t *value, json_t **ret)
{
	*ret = value;
	return value != NULL;
}

/* The JSON of a scalar as YAML reads it: null, true, false, a number, or text. */
static json_t *
scalar_json(const struct node *node)
{
	static const char *const nulls[] = { "", "~", "null" };
	const char *text = node->text;
	char *end;

	if (!node->plain)
		return json_string(text);
	for (size_t i = 0; i < sizeof(nulls) / sizeof(nulls[0]); i++)
		if (strcasecmp(text, nulls[i]) == 0)
			return json_null();
	if (strcasecmp(text, "true") == 0 || strcasecmp(text, "false") == 0)
		return json_boolean(strcasecmp(text, "true") == 0);
	if (strspn(text, "+-.0123456789eE") == strlen(text) &&
	    strpbrk(text, "0123456789") != NULL) {
		long long whole;
		double real;

		errno = 0;
		whole = strtoll(text, &end, 10);
		if (*end == '\0' && errno == 0)
			return json_integer(whole);
		real = strtod(text, &end);
		if (*end == '\0')
			return json_real(real);
	}
	return json_string(text);
}

bool
shape_text(const struct reader *reader, const struct shape *shape, const struct node *node,
	   json_t **ret)
{
	const char *is = "a truth value";
	json_t *value;

	if (node->kind != NODE_SCALAR || node->text[0] == '\0')
		return shape_refuse(reader, shape, node);
	if ((value = scalar_json(node)) == NULL)
		return false;
	if (!json_is_string(value)) {
		if (json_is_number(value))
			is = "a number";
		else if (json_is_null(value))
			is = "nothing";
		node_fail(reader, node, "\"%s\" is %s; accepted: %s%s", node_quote(node->text), is,
			  shape->accepts, shape->words == NULL ? ", in quotes" : "");
		json_decref(value);
		return false;
	}
	if ((shape->words != NULL && !word_listed(node->text, shape->words)) ||
	    (shape->name != NULL && !shape->name(reader, node->text))) {
		json_decref(value);
		return shape_refuse(reader, shape, node);
	}
	return give(value, ret);
}

bool
shape_bool(const struct reader *reader, const struct shape *shape, const struct node *node,
	   json_t **ret)
{
	json_t *value = node->kind == NODE_SCALAR ? scalar_json(node) : NULL;

	if (json_is_boolean(value) && (shape->words == NULL || json_is_true(value)))
		return give(value, ret);
	json_decref(value);
	return shape_refuse(reader, shape, node);
}

bool
shape_number(const struct reader *reader, const struct shape *shape, const struct node *node,
	     json_t **ret)
{
	json_t *value = node->kind == NODE_SCALAR ? scalar_json(node) : NULL;

	if (json_is_number(value))
		return give(value, ret);
	json_decref(value);
	return shape_refuse(reader, shape, node);
}

bool
shape_version(const struct reader *reader, const struct shape *shape, const struct node *node,
	      json_t **ret)
{
	if (node->kind != NODE_SCALAR || !node->plain || strcmp(node->text, "1") != 0)
		return shape_refuse(reader, shape, node);
	return give(json_integer(1), ret);
}

bool
shape_scalar(const struct reader *reader, const struct shape *shape, const struct node *node,
	     json_t **ret)
{
	json_t *value = node->kind == NODE_SCALAR ? scalar_json(node) : NULL;

	if (value != NULL && !json_is_null(value))
		return give(value, ret);
	json_decref(value);
	return shape_refuse(reader, shape, node);
}

bool
shape_list(const struct reader *reader, const struct shape *shape, const struct node *node,
	   json_t **ret)
{
	json_t *list, *item = NULL;

	if (node->kind != NODE_LIST)
		return shape_refuse(reader, shape, node);
	if ((list = json_array()) == NULL)
		return false;
	for (size_t i = 0; i < node->count; i++) {
		if (!shape->each->read(reader, shape->each, node->items[i], &item) ||
		    json_array_append_new(list, item) != 0) {
			json_decref(list);
			return false;
		}
	}
	return give(list, ret);
}

bool
shape_names(const struct reader *reader, const struct shape *shape, const struct node *node,
	    json_t **ret)
{
	size_t size, len;
	char *text = NULL;
	FILE *out;
	json_t *item;
	bool ok = true;

	if (node->kind != NODE_LIST)
		return shape_refuse(reader, shape, node);
	if ((out = open_memstream(&text, &size)) == NULL)
		return false;
	for (size_t i = 0; ok && i < node->count; i++) {
		ok = shape->each->read(reader, shape->each, node->items[i], &item);
		if (ok)
			fprintf(out, "%s%s", i > 0 ? " " : "", json_string_value(item));
		if (ok)
			json_decref(item);
	}
	ok = fclose(out) == 0 && ok;
	len = size;
	*ret = ok ? json_stringn(text, len) : NULL;
	free(text);
	return *ret != NULL;
}

static const struct field *
field_find(const struct field *fields, const char *key)
{
	for (; fields->key != NULL; fields++)
		if (strcmp(fields->key, key) == 0)
			return fields;
	return NULL;
}

static bool
unknown_key(const struct reader *reader, const struct field *fields, const struct node *key)
{
	char accepted[512] = "";
	size_t used = 0;

	for (; fields->key != NULL && used < sizeof(accepted); fields++)
		used += (size_t)snprintf(accepted + used, sizeof(accepted) - used, "%s%s",
					 used == 0 ? "" : ", ", fields->key);
	return node_fail(reader, key, "\"%s\" is not a key here; accepted: %s",
			 node_quote(key->text), accepted);
}

bool
shape_fields(const struct reader *reader, const struct shape *shape, const struct node *node,
	     json_t **ret)
{
	json_t *map, *item = NULL;

	if (node->kind != NODE_MAP)
		return shape_refuse(reader, shape, node);
	if ((map = json_object()) == NULL)
		return false;
	for (size_t i = 0; i < node->count; i++) {
		const struct field *field = field_find(shape->fields, node->keys[i]->text);

		if (field == NULL) {
			unknown_key(reader, shape->fields, node->keys[i]);
			goto fail;
		}
		if (!field->shape->read(reader, field->shape, node->items[i], &item) ||
		    json_object_set_new(map, field->key, item) != 0)
			goto fail;
	}
	for (const struct field *field = shape->fields; field->key != NULL; field++) {
		if (!field->required || json_object_get(map, field->key) != NULL)
			continue;
		node_fail(reader, node, "\"%s\" is missing; accepted: %s: %s", field->key,
			  field->key, field->shape->accepts);
		goto fail;
	}
	return give(map, ret);
fail:
	json_decref(map);
	return false;
}

bool
shape_table(const struct reader *reader, const struct shape *shape, const struct node *node,
	    json_t **ret)
{
	json_t *map, *item = NULL;

	if (node->kind != NODE_MAP)
		return shape_refuse(reader, shape, node);
	if ((map = json_object()) == NULL)
		return false;
	for (size_t i = 0; i < node->count; i++) {
		const struct node *key = node->keys[i];

		if (!shape->name(reader, key->text)) {
			shape_refuse(reader, shape, key);
			goto fail;
		}
		if (!shape->each->read(reader, shape->each, node->items[i], &item) ||
		    json_object_set_new(map, key->text, item) != 0)
			goto fail;
	}
	return give(map, ret);
fail:
	json_decref(map);
	return false;
}
