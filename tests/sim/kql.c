/* Reading a query: table | where ... | project ... | limit n. What is not understood is an error,
 * as in Azure. */
#include "tests/sim/kql.h"

#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct kql_node *read_or(struct kql_reader *reader);

static struct kql_node *
node_new(enum kql_kind kind, const char *name)
{
	struct kql_node *node = calloc(1, sizeof *node);

	if (node == NULL)
		errx(4, "out of memory");
	node->kind = kind;
	node->name = text_copy(name);
	return node;
}

void
kql_node_free(struct kql_node *node)
{
	if (node == NULL)
		return;
	for (size_t i = 0; i < node->count; i++)
		kql_node_free(node->part[i]);
	json_decref(node->value);
	free(node->name);
	free(node);
}

static void
node_add(struct kql_reader *reader, struct kql_node *node, struct kql_node *part)
{
	if (node->count == sizeof node->part / sizeof node->part[0]) {
		kql_complain(reader, "too many parts");
		kql_node_free(part);
		return;
	}
	node->part[node->count++] = part;
}

/* a.b['c'][0] becomes the name "a.b.c.0" */
static void
read_path(struct kql_reader *reader, struct kql_node *field)
{
	while (kql_is(reader, ".") || kql_is(reader, "[")) {
		bool bracket = kql_is(reader, "[");
		char *longer;

		kql_next(reader);
		if (reader->token == KQL_SIGN || reader->token == KQL_END) {
			kql_complain(reader, "syntax error");
			return;
		}
		longer = text_format("%s.%s", field->name, reader->text);
		free(field->name);
		field->name = longer;
		kql_next(reader);
		if (bracket)
			kql_expect(reader, "]");
	}
}

static struct kql_node *
read_call(struct kql_reader *reader, const char *name)
{
	static const char *const known[] = { "tostring",     "tolower",    "toupper",
					     "toint",        "isempty",    "isnotempty",
					     "isnull",       "isnotnull",  "strcat",
					     "array_length", "startswith", "substringof",
					     "endswith",     "coalesce",   "not" };
	struct kql_node *call = node_new(KQL_CALL, name);
	bool found = false;

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		found = found || text_same(known[i], name);
	if (!found)
		kql_complain(reader, "unknown function");
	while (reader->why == NULL && !kql_is(reader, ")")) {
		node_add(reader, call, read_or(reader));
		if (!kql_take(reader, ","))
			break;
	}
	kql_expect(reader, ")");
	return call;
}

static struct kql_node *
read_primary(struct kql_reader *reader)
{
	struct kql_node *node;
	char *name;

	if (kql_take(reader, "(")) {
		node = read_or(reader);
		kql_expect(reader, ")");
		return node;
	}
	node = node_new(KQL_VALUE, "");
	if (reader->token == KQL_TEXT)
		node->value = json_bytes(reader->text);
	else if (reader->token == KQL_NUMBER)
		node->value = json_integer(strtoll(reader->text, NULL, 10));
	else if (kql_is(reader, "true") || kql_is(reader, "false"))
		node->value = json_boolean(kql_is(reader, "true"));
	if (node->value != NULL) {
		kql_next(reader);
		return node;
	}
	kql_node_free(node);
	name = text_copy(reader->text);
	if (reader->token != KQL_NAME) {
		kql_complain(reader, "syntax error");
		node = node_new(KQL_FIELD, "");
	} else {
		kql_next(reader);
		if (kql_take(reader, "(")) {
			node = read_call(reader, name);
		} else {
			node = node_new(KQL_FIELD, name);
			read_path(reader, node);
		}
	}
	free(name);
	return node;
}

static struct kql_node *
read_compare(struct kql_reader *reader)
{
	static const char *const operators[] = {
		"==",        "=~",          "!=",         "!~",          "<>",
		"<",         "<=",          ">",          ">=",          "contains",
		"!contains", "contains_cs", "startswith", "!startswith", "endswith",
		"!endswith", "has",         "!has",       "eq",          "ne"
	};
	struct kql_node *left = read_primary(reader), *node;

	if (kql_is(reader, "in") || kql_is(reader, "in~") || kql_is(reader, "!in") ||
	    kql_is(reader, "!in~")) {
		node = node_new(KQL_IN, reader->text);
		node->value = json_array();
		node_add(reader, node, left);
		kql_next(reader);
		kql_expect(reader, "(");
		while (reader->token == KQL_TEXT || reader->token == KQL_NUMBER) {
			json_array_append_new(node->value, json_bytes(reader->text));
			kql_next(reader);
			if (!kql_take(reader, ","))
				break;
		}
		kql_expect(reader, ")");
		return node;
	}
	for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++) {
		if (!kql_is(reader, operators[i]))
			continue;
		node = node_new(KQL_COMPARE, operators[i]);
		kql_next(reader);
		node_add(reader, node, left);
		node_add(reader, node, read_primary(reader));
		return node;
	}
	return left;
}

static struct kql_node *
read_joined(struct kql_reader *reader, const char *word, enum kql_kind kind,
	    struct kql_node *(*below)(struct kql_reader *))
{
	struct kql_node *left = below(reader);

	while (kql_take(reader, word)) {
		struct kql_node *both = node_new(kind, word);

		node_add(reader, both, left);
		node_add(reader, both, below(reader));
		left = both;
	}
	return left;
}

static struct kql_node *
read_and(struct kql_reader *reader)
{
	return read_joined(reader, "and", KQL_AND, read_compare);
}

static struct kql_node *
read_or(struct kql_reader *reader)
{
	struct kql_node *node;

	if (++reader->depth > 40)
		kql_complain(reader, "nested too deeply");
	node = read_joined(reader, "or", KQL_OR, read_and);
	reader->depth--;
	return node;
}

static void
read_columns(struct kql_reader *reader, struct kql_step *step)
{
	do {
		struct kql_column *column = &step->column[step->count];

		if (step->count == sizeof step->column / sizeof step->column[0]) {
			kql_complain(reader, "too many columns");
			return;
		}
		column->node = read_or(reader);
		step->count++;
		column->name = text_copy(column->node->name);
		if (kql_is(reader, "=") && column->node->kind == KQL_FIELD) {
			kql_next(reader);
			kql_node_free(column->node);
			column->node = read_or(reader);
		}
		for (char *at = column->name; *at != '\0'; at++) {
			if (*at == '.')
				*at = '_';
		}
		if (kql_take(reader, "desc"))
			column->descending = true;
		else
			kql_take(reader, "asc");
	} while (kql_take(reader, ","));
}

static void
read_step(struct kql_reader *reader, struct kql_step *step)
{
	static const struct {
		const char *word;
		enum kql_verb verb;
	} verbs[] = { { "where", KQL_WHERE },
		      { "project", KQL_PROJECT },
		      { "project-keep", KQL_PROJECT },
		      { "extend", KQL_EXTEND },
		      { "project-away", KQL_PROJECT_AWAY },
		      { "limit", KQL_LIMIT },
		      { "take", KQL_LIMIT },
		      { "order", KQL_ORDER },
		      { "sort", KQL_ORDER },
		      { "count", KQL_COUNT },
		      { "distinct", KQL_DISTINCT },
		      { "mv-expand", KQL_MV_EXPAND } };
	size_t i = 0;

	while (i < sizeof verbs / sizeof verbs[0] && !kql_is(reader, verbs[i].word))
		i++;
	if (i == sizeof verbs / sizeof verbs[0]) {
		kql_complain(reader, "unknown operator");
		return;
	}
	kql_next(reader);
	step->verb = verbs[i].verb;
	if (step->verb == KQL_WHERE) {
		step->where = read_or(reader);
	} else if (step->verb == KQL_LIMIT) {
		step->limit = strtoll(reader->text, NULL, 10);
		if (reader->token != KQL_NUMBER)
			kql_complain(reader, "number expected");
		kql_next(reader);
	} else if (step->verb != KQL_COUNT) {
		if (step->verb == KQL_ORDER)
			kql_expect(reader, "by");
		read_columns(reader, step);
	}
}

static int
finish(struct kql_reader *reader, struct kql *kql, struct kql **ret, char **why)
{
	if (reader->token != KQL_END)
		kql_complain(reader, "syntax error");
	if (reader->why == NULL) {
		*ret = kql;
		return 0;
	}
	*why = reader->why;
	kql_free(kql);
	return -EBADMSG;
}

static struct kql *
kql_new(void)
{
	struct kql *kql = calloc(1, sizeof *kql);

	if (kql == NULL)
		errx(4, "out of memory");
	return kql;
}

int
kql_parse(const char *query, struct kql **ret, char **why)
{
	struct kql_reader reader = { .at = query };
	struct kql *kql = kql_new();

	kql_next(&reader);
	kql->table = text_copy(reader.token == KQL_NAME ? reader.text : "");
	if (reader.token != KQL_NAME)
		kql_complain(&reader, "table name expected");
	kql_next(&reader);
	while (kql_take(&reader, "|")) {
		if (kql->count == sizeof kql->step / sizeof kql->step[0])
			kql_complain(&reader, "too many steps");
		else
			read_step(&reader, &kql->step[kql->count++]);
	}
	return finish(&reader, kql, ret, why);
}

int
kql_parse_filter(const char *filter, struct kql **ret, char **why)
{
	struct kql_reader reader = { .at = filter, .odata = true };
	struct kql *kql = kql_new();

	kql_next(&reader);
	kql->table = text_copy("");
	kql->count = 1;
	kql->step[0] = (struct kql_step){ .verb = KQL_WHERE, .where = read_or(&reader) };
	return finish(&reader, kql, ret, why);
}

const char *
kql_table(const struct kql *kql)
{
	return kql->table;
}

void
kql_free(struct kql *kql)
{
	if (kql == NULL)
		return;
	for (size_t i = 0; i < kql->count; i++) {
		kql_node_free(kql->step[i].where);
		for (size_t column = 0; column < kql->step[i].count; column++) {
			kql_node_free(kql->step[i].column[column].node);
			free(kql->step[i].column[column].name);
		}
	}
	free(kql->table);
	free(kql);
}
