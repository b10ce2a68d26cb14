#include "model/redact/redact.h"
#include "model/redact/inner.h"

#include "facts/doc.h"
#include "facts/sections.h"

#include <stdlib.h>
#include <string.h>

/* Where the walk is: "targets.wire.tcp.address", without numbers and without names. */
struct place {
	const struct place *above;
	const char *key;
};

static json_t *walk(struct redact *redact, const struct place *place, const json_t *object,
		    const struct fact_shape *shape);

/* ---- one text ---- */

static const char *
sort_of(const char *member)
{
	static const struct {
		const char *part, *sort;
	} parts[] = {
		{ "user", "user" },
		{ "login", "user" },
		{ "owner", "user" },
		{ "caller", "user" },
		{ "upn", "user" },
		{ "unique_name", "user" },
		{ "principals", "user" },
		{ "host", "host" },
		{ "resource_group", "group" },
		{ "subscription", "subscription" },
	};

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		if (strstr(member, parts[i].part) != NULL)
			return parts[i].sort;
	return "name";
}

static char *
place_text(const struct place *place)
{
	char *above = place->above != NULL ? place_text(place->above) : NULL, *text;

	text = above != NULL ? doc_fmt("%s.%s", above, place->key) : strdup(place->key);
	free(above);
	return text;
}

static void
count(struct redact *redact, const struct place *place, const char *kind)
{
	char *text = place_text(place);
	json_t *kinds = json_object_get(redact->places, text);

	if (kinds == NULL) {
		kinds = json_object();
		json_object_set_new(redact->places, text, kinds);
	}
	doc_set_int(kinds, kind, doc_int(kinds, kind, 0) + 1);
	free(text);
}

/* The text with everything in it replaced that its kind may hold; the caller frees. */
static char *
redacted_text(struct redact *redact, const struct place *place, enum fact_kind kind,
	      const char *text)
{
	static const char *const kinds[] = { "plain", "name", "address", "id", "prose", "secret" };
	struct buffer out = { 0 };
	char *copy;

	buffer_reserve(&out, strlen(text));
	switch (kind) {
	case KIND_PLAIN:
		buffer_add(&out, text, strlen(text));
		break;
	case KIND_NAME:
	case KIND_ADDRESS:
		text_put_name(redact, &out, text, sort_of(place->key));
		break;
	case KIND_ID:
		text_put_id(redact, &out, text, sort_of(place->key));
		break;
	case KIND_PROSE:
		text_put_prose(redact, &out, text);
		break;
	case KIND_SECRET:
		buffer_add(&out, "[cut]", 5);
		break;
	}
	copy = strndup((const char *)out.at, out.len);
	if (!redact->learning && strcmp(copy, text) != 0)
		count(redact, place, kinds[kind]);
	buffer_free(&out);
	return copy;
}

static json_t *
text_value(struct redact *redact, const struct place *place, enum fact_kind kind, const char *text)
{
	char *copy = redacted_text(redact, place, kind, text);
	json_t *value = doc_text(copy, strlen(copy));

	free(copy);
	return value;
}

/* ---- values ---- */

/* What no table describes: every text is taken for a sentence, also those of keys. */
static json_t *
unknown_value(struct redact *redact, const struct place *place, const json_t *value)
{
	json_t *copy, *each;
	const char *key;
	size_t i;

	if (json_is_string(value))
		return text_value(redact, place, KIND_PROSE, json_string_value(value));
	if (json_is_array(value)) {
		copy = json_array();
		json_array_foreach (value, i, each)
			json_array_append_new(copy, unknown_value(redact, place, each));
		return copy;
	}
	if (!json_is_object(value))
		return json_incref((json_t *)(uintptr_t)value);
	copy = json_object();
	json_object_foreach ((json_t *)(uintptr_t)value, key, each) {
		char *own = redacted_text(redact, place, KIND_PROSE, key);

		json_object_set_new(copy, own, unknown_value(redact, place, each));
		free(own);
	}
	return copy;
}

static json_t *
texts_value(struct redact *redact, const struct place *place, enum fact_kind kind,
	    const json_t *list)
{
	json_t *copy = json_array(), *each;
	size_t i;

	json_array_foreach (list, i, each)
		json_array_append_new(copy,
				      json_is_string(each)
					  ? text_value(redact, place, kind, json_string_value(each))
					  : unknown_value(redact, place, each));
	return copy;
}

static json_t *
list_value(struct redact *redact, const struct place *place, const json_t *list,
	   const struct fact_shape *shape)
{
	json_t *copy = json_array(), *each;
	size_t i;

	json_array_foreach (list, i, each)
		json_array_append_new(copy, json_is_object(each)
						? walk(redact, place, each, shape)
						: unknown_value(redact, place, each));
	return copy;
}

static json_t *
map_value(struct redact *redact, const struct place *place, const json_t *map,
	  const struct fact_shape *shape)
{
	enum fact_kind kind = KIND_PROSE;
	json_t *copy = json_object(), *each;
	const char *key;

	for (size_t i = 0; i < shape->count; i++)
		if (shape->fields[i].type == FIELD_KEY)
			kind = shape->fields[i].kind;
	json_object_foreach ((json_t *)(uintptr_t)map, key, each) {
		char *own = redacted_text(redact, place, kind, key);

		json_object_set_new(copy, own,
				    json_is_object(each) ? walk(redact, place, each, shape)
							 : unknown_value(redact, place, each));
		free(own);
	}
	return copy;
}

/* The bodies of ARM, by their ids. */
static json_t *
bodies_value(struct redact *redact, const struct place *place, const json_t *bodies)
{
	json_t *copy = json_object(), *body, *own;
	const char *id;

	json_object_foreach ((json_t *)(uintptr_t)bodies, id, body) {
		char *key = redacted_text(redact, place, KIND_ID, id);

		own = arm_redacted(redact, body);
		if (!redact->learning && !json_equal(own, body))
			count(redact, place, "body");
		json_object_set_new(copy, key, own);
		free(key);
	}
	return copy;
}

static json_t *
plain_value(struct redact *redact, const struct place *place, const struct fact_field *field,
	    const json_t *value)
{
	enum fact_kind kind = field->kind;

	if (!json_is_string(value))
		return unknown_value(redact, place, value);
	if (field->type == FIELD_WORD &&
	    fact_word_find(field->words(), json_string_value(value)) == 0)
		kind = KIND_PROSE;
	return text_value(redact, place, kind, json_string_value(value));
}

static json_t *
member_value(struct redact *redact, const struct place *place, const struct fact_field *field,
	     const json_t *value)
{
	switch (field->type) {
	case FIELD_PART:
	case FIELD_SOME:
		return json_is_object(value) ? walk(redact, place, value, field->shape())
					     : unknown_value(redact, place, value);
	case FIELD_LIST:
		return json_is_array(value) ? list_value(redact, place, value, field->shape())
					    : unknown_value(redact, place, value);
	case FIELD_MAP:
		return json_is_object(value) ? map_value(redact, place, value, field->shape())
					     : unknown_value(redact, place, value);
	case FIELD_TEXTS:
	case FIELD_REST:
		if (json_is_array(value))
			return texts_value(redact, place, field->kind, value);
		return plain_value(redact, place, field, value);
	case FIELD_JSON:
		return field->bodies && json_is_object(value) ? bodies_value(redact, place, value)
							      : unknown_value(redact, place, value);
	default:
		return plain_value(redact, place, field, value);
	}
}

static const struct fact_field *
field_of(const struct fact_shape *shape, const char *key)
{
	const struct fact_field *rest = NULL;
	char buf[FACT_KEY_MAX];

	for (size_t i = 0; i < shape->count; i++) {
		if (shape->fields[i].type == FIELD_REST)
			rest = &shape->fields[i];
		else if (strcmp(fact_key(&shape->fields[i], buf), key) == 0)
			return &shape->fields[i];
	}
	return rest;
}

static json_t *
walk(struct redact *redact, const struct place *place, const json_t *object,
     const struct fact_shape *shape)
{
	json_t *copy = json_object(), *value;
	const char *key;

	json_object_foreach ((json_t *)(uintptr_t)object, key, value) {
		const struct fact_field *field = field_of(shape, key);
		const struct place here = { place, field != NULL ? key : "(other)" };

		if (field != NULL) {
			json_object_set_new(copy, key, member_value(redact, &here, field, value));
		} else {
			char *own = redacted_text(redact, &here, KIND_PROSE, key);

			json_object_set_new(copy, own, unknown_value(redact, &here, value));
			free(own);
		}
	}
	return copy;
}

/* ---- the document ---- */

static json_t *
replaced_list(const json_t *places)
{
	json_t *list = json_array(), *kinds, *count;
	const char *place, *kind;

	json_object_foreach ((json_t *)(uintptr_t)places, place, kinds)
		json_object_foreach (kinds, kind, count)
			json_array_append_new(list, json_pack("{s:s, s:s, s:O}", "place", place,
							      "kind", kind, "count", count));
	return list;
}

void
redact_facts(const json_t *facts, struct redacted *ret)
{
	static const struct place top = { NULL, "facts" };
	struct redact redact = { .learning = true,
				 .names = json_object(),
				 .users = json_object(),
				 .numbers = json_object(),
				 .map = json_object(),
				 .places = json_object() };

	address_tree_begin(&redact.tree);
	json_decref(walk(&redact, &top, facts, shape_of_document()));
	redact.learning = false;
	*ret = (struct redacted){
		.facts = walk(&redact, &top, facts, shape_of_document()),
		.replaced = replaced_list(redact.places),
		.map = redact.map,
	};
	json_decref(redact.names);
	json_decref(redact.users);
	json_decref(redact.numbers);
	json_decref(redact.places);
	address_tree_free(&redact.tree);
}
