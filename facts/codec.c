#include "facts/codec.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

const char *
fact_key(const struct fact_field *field, char buf[FACT_KEY_MAX])
{
	size_t len = strlen(field->member);

	if (field->member[len - 1] != '_' || len >= FACT_KEY_MAX)
		return field->member;
	memcpy(buf, field->member, len);
	buf[len - 1] = '\0';
	return buf;
}

static json_t *
value_of(const json_t *object, const struct fact_field *field)
{
	char buf[FACT_KEY_MAX];
	json_t *value =
	    field->type == FIELD_REST ? NULL : json_object_get(object, fact_key(field, buf));

	return json_is_null(value) ? NULL : value;
}

static const struct fact_field *
field_at(const struct fact_shape *shape, size_t at)
{
	for (size_t i = 0; i < shape->count; i++)
		if (shape->fields[i].at == at && shape->fields[i].type != FIELD_REST)
			return &shape->fields[i];
	return NULL;
}

bool
fact_knows(const struct fact_shape *shape, const char *key)
{
	char buf[FACT_KEY_MAX];

	for (size_t i = 0; i < shape->count; i++)
		if (shape->fields[i].type != FIELD_REST &&
		    strcmp(fact_key(&shape->fields[i], buf), key) == 0)
			return true;
	return false;
}

size_t
fact_word_find(const struct fact_words *words, const char *text)
{
	for (size_t i = 1; text != NULL && i < words->count; i++)
		if (strcmp(words->texts[i], text) == 0)
			return i;
	return 0;
}

const char *
fact_word(const struct fact_words *words, size_t value)
{
	return value < words->count ? words->texts[value] : NULL;
}

/* ---- reading ---- */

static bool
has_form(enum fact_form form, const char *text)
{
	switch (form) {
	case FORM_FINGERPRINT:
		return strncmp(text, "SHA256:", 7) == 0;
	case FORM_MODE:
		return strlen(text) == 4 && strspn(text, "01234567") == 4;
	default:
		return true;
	}
}

static int
word_value(const struct fact_field *field, const char *text)
{
	size_t word = fact_word_find(field->words(), text);

	return word == 0 && text != NULL ? (int)field->fallback : (int)word;
}

static void
read_texts(const json_t *list, const struct fact_field *field, char *to)
{
	const char **texts;
	const json_t *each;
	size_t i, count = 0;

	if (!json_is_array(list))
		return;
	texts = calloc(json_array_size(list) + 1, sizeof(*texts));
	json_array_foreach (list, i, each)
		if (json_is_string(each))
			texts[count++] = json_string_value(each);
	memcpy(to + field->at, &texts, sizeof(texts));
	memcpy(to + field->count_at, &count, sizeof(count));
}

static void read_members(const json_t *object, const char *key, const struct fact_shape *shape,
			 void *ret);

/* The members of an array, or of an object with their keys. */
static void
read_list(const json_t *list, const struct fact_field *field, char *to)
{
	const struct fact_shape *shape = field->shape();
	size_t i, size = json_is_array(list) ? json_array_size(list) : json_object_size(list);
	size_t count = 0;
	const char *key;
	json_t *each;
	char *items;

	if (field->type == FIELD_LIST ? !json_is_array(list) : !json_is_object(list))
		return;
	items = calloc(size + 1, shape->size);
	json_array_foreach (list, i, each)
		read_members(each, NULL, shape, items + count++ * shape->size);
	json_object_foreach ((json_t *)(uintptr_t)list, key, each)
		read_members(each, key, shape, items + count++ * shape->size);
	memcpy(to + field->at, &items, sizeof(items));
	memcpy(to + field->count_at, &count, sizeof(count));
}

static void
read_some(const json_t *object, const struct fact_field *field, char *to)
{
	void *item;

	if (!json_is_object(object))
		return;
	item = calloc(1, field->shape()->size);
	memcpy(to + field->at, &item, sizeof(item));
	read_members(object, NULL, field->shape(), item);
}

/* What takes no memory of its own. */
static void
read_plain(const json_t *value, const char *key, const struct fact_field *field, char *to)
{
	const char *text = json_string_value(value);
	int word;

	switch (field->type) {
	case FIELD_TEXT:
		if (text != NULL && !has_form(field->form, text))
			text = NULL;
		memcpy(to + field->at, &text, sizeof(text));
		break;
	case FIELD_KEY:
		text = key != NULL ? key : text;
		memcpy(to + field->at, &text, sizeof(text));
		break;
	case FIELD_WORD:
		word = word_value(field, text);
		memcpy(to + field->at, &word, sizeof(word));
		break;
	case FIELD_INT:
	case FIELD_COUNT:
		*(json_int_t *)(void *)(to + field->at) = doc_value_int(value, field->fallback);
		break;
	case FIELD_BOOL:
		*(bool *)(to + field->at) = doc_value_bool(value, field->fallback != 0);
		break;
	case FIELD_MAYBE:
		word = doc_value_bool(value, false) ? FACT_YES : FACT_NO;
		if (value == NULL)
			word = FACT_MAYBE;
		memcpy(to + field->at, &word, sizeof(word));
		break;
	case FIELD_JSON:
		memcpy(to + field->at, &value, sizeof(value));
		break;
	default:
		break;
	}
}

static void
read_members(const json_t *object, const char *key, const struct fact_shape *shape, void *ret)
{
	for (size_t i = 0; i < shape->count; i++) {
		const struct fact_field *field = &shape->fields[i];
		const json_t *value = value_of(object, field);

		if (field->type == FIELD_TEXTS)
			read_texts(value, field, ret);
		else if (field->type == FIELD_LIST || field->type == FIELD_MAP)
			read_list(value, field, ret);
		else if (field->type == FIELD_SOME)
			read_some(value, field, ret);
		else if (field->type == FIELD_PART)
			read_members(value, NULL, field->shape(), (char *)ret + field->at);
		else
			read_plain(value, key, field, ret);
	}
}

void
fact_read(const json_t *object, const struct fact_shape *shape, void *ret)
{
	memset(ret, 0, shape->size);
	read_members(object, NULL, shape, ret);
}

void
fact_free(const struct fact_shape *shape, void *from)
{
	for (size_t i = 0; i < shape->count; i++) {
		const struct fact_field *field = &shape->fields[i];
		char *at = (char *)from + field->at, *items = NULL;
		size_t count = 1;

		if (field->type == FIELD_PART)
			fact_free(field->shape(), at);
		if (field->count_at == 0 && field->type != FIELD_SOME)
			continue;
		memcpy(&items, at, sizeof(items));
		if (field->count_at != 0)
			memcpy(&count, (char *)from + field->count_at, sizeof(count));
		for (size_t j = 0; items != NULL && field->shape != NULL && j < count; j++)
			fact_free(field->shape(), items + j * field->shape()->size);
		free(items);
	}
	memset(from, 0, shape->size);
}

/* ---- writing ---- */

static void
set_value(json_t *object, const struct fact_field *field, json_t *value)
{
	char buf[FACT_KEY_MAX];

	if (value != NULL)
		json_object_set_new(object, fact_key(field, buf), value);
}

static json_t *
text_value(const char *text)
{
	return text != NULL ? doc_text(text, strlen(text)) : NULL;
}

/* Adds an item of TEXTS, LIST or MAP; a map has it under what its KEY says. */
static void
add_item(json_t *list, const struct fact_field *field, const char *item)
{
	const struct fact_shape *shape = field->shape != NULL ? field->shape() : NULL;
	const char *text = NULL;

	if (shape == NULL)
		memcpy(&text, item, sizeof(text));
	for (size_t i = 0; field->type == FIELD_MAP && i < shape->count; i++)
		if (shape->fields[i].type == FIELD_KEY)
			memcpy(&text, item + shape->fields[i].at, sizeof(text));
	if (field->type == FIELD_MAP)
		json_object_set_new(list, text, fact_object(shape, item));
	else
		json_array_append_new(list,
				      shape != NULL ? fact_object(shape, item) : text_value(text));
}

static json_t *
list_value(const struct fact_field *field, const char *from)
{
	size_t count, size = field->shape != NULL ? field->shape()->size : sizeof(char *);
	const char *items;
	json_t *list;

	memcpy(&items, from + field->at, sizeof(items));
	memcpy(&count, from + field->count_at, sizeof(count));
	if (items == NULL)
		return NULL;
	list = field->type == FIELD_MAP ? json_object() : json_array();
	for (size_t i = 0; i < count; i++)
		add_item(list, field, items + i * size);
	return list;
}

/* A section that is pending: it begins with its state, and a struct that is no section does not. */
static bool
is_pending(const struct fact_shape *shape, const json_t *value)
{
	return shape->count > 0 && strcmp(shape->fields[0].member, "state") == 0 &&
	       json_object_get(value, "state") == NULL;
}

/* A nested struct; NULL for one that says nothing. */
static json_t *
part_value(const struct fact_field *field, const void *part)
{
	json_t *value = part != NULL ? fact_object(field->shape(), part) : NULL;

	if (field->type == FIELD_PART &&
	    (json_object_size(value) == 0 || is_pending(field->shape(), value))) {
		json_decref(value);
		return NULL;
	}
	return value;
}

/* The member as JSON; NULL when it says nothing. */
static json_t *
member_value(const struct fact_field *field, const char *from)
{
	const void *at = from + field->at, *pointer = NULL;
	int word = 0;

	switch (field->type) {
	case FIELD_TEXT:
	case FIELD_KEY:
	case FIELD_SOME:
	case FIELD_JSON:
		memcpy(&pointer, at, sizeof(pointer));
		break;
	case FIELD_WORD:
	case FIELD_MAYBE:
		memcpy(&word, at, sizeof(word));
		break;
	default:
		break;
	}
	switch (field->type) {
	case FIELD_TEXT:
	case FIELD_KEY:
		return text_value(pointer);
	case FIELD_WORD:
		return text_value(fact_word(field->words(), (size_t)word));
	case FIELD_INT:
	case FIELD_COUNT:
		return json_integer(*(const json_int_t *)at);
	case FIELD_BOOL:
		return json_boolean(*(const bool *)at);
	case FIELD_MAYBE:
		return word != FACT_MAYBE ? json_boolean(word == FACT_YES) : NULL;
	case FIELD_TEXTS:
	case FIELD_LIST:
	case FIELD_MAP:
		return list_value(field, from);
	case FIELD_PART:
		return part_value(field, at);
	case FIELD_SOME:
		return part_value(field, pointer);
	case FIELD_JSON:
		return json_incref((json_t *)(uintptr_t)pointer);
	default:
		return NULL;
	}
}

void
fact_write(json_t *object, const struct fact_shape *shape, const void *from)
{
	for (size_t i = 0; i < shape->count; i++) {
		const struct fact_field *field = &shape->fields[i];
		json_t *value = member_value(field, from);

		if (field->type == FIELD_INT && json_integer_value(value) == 0) {
			json_decref(value);
			value = NULL;
		}
		set_value(object, field, value);
	}
}

json_t *
fact_object(const struct fact_shape *shape, const void *from)
{
	json_t *object = json_object();

	fact_write(object, shape, from);
	return object;
}

/* ---- one member ---- */

void
fact_put(json_t *object, const struct fact_shape *shape, size_t at, const void *from)
{
	const struct fact_field *field = field_at(shape, at);

	set_value(object, field, member_value(field, from));
}

void *
fact_get(const json_t *object, const struct fact_shape *shape, size_t at, void *ret)
{
	const struct fact_field *field = field_at(shape, at);

	read_plain(value_of(object, field), NULL, field, ret);
	return ret;
}

json_t *
fact_json(const json_t *object, const struct fact_shape *shape, size_t at)
{
	return value_of(object, field_at(shape, at));
}

void
fact_put_json(json_t *object, const struct fact_shape *shape, size_t at, json_t *value)
{
	set_value(object, field_at(shape, at), value);
}
