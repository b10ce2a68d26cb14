#include "rules/shape.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool
is_kebab(const struct reader *reader, const char *text)
{
	(void)reader;
	if (strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(text) ||
	    strlen(text) > 64 || strstr(text, "--") != NULL)
		return false;
	return text[0] >= 'a' && text[0] <= 'z' && text[strlen(text) - 1] != '-';
}

static bool
is_https(const struct reader *reader, const char *text)
{
	(void)reader;
	return strncmp(text, "https://", 8) == 0 && strpbrk(text, " \n") == NULL;
}

static bool
is_pointer(const struct reader *reader, const char *text)
{
	(void)reader;
	for (const char *p = text; (p = strchr(p, '~')) != NULL; p++)
		if (p[1] != '0' && p[1] != '1')
			return false;
	return text[0] == '/' && strlen(text) <= 1024;
}

static bool
is_duration(const struct reader *reader, const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	(void)reader;
	if (text[0] < '1' || text[0] > '9')
		return false;
	return (strcmp(end, "ms") == 0 && value <= 120000) ||
	       (strcmp(end, "s") == 0 && value <= 120) || (strcmp(end, "m") == 0 && value <= 2);
}

static bool
is_date(const struct reader *reader, const char *text)
{
	static const int days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int year, month, day, used = 0;

	(void)reader;
	if (strlen(text) != 10 || strspn(text, "0123456789-") != 10 ||
	    sscanf(text, "%4d-%2d-%2d%n", &year, &month, &day, &used) != 3)
		return false;
	if (used != 10 || year < 1970 || month < 1 || month > 12 || day < 1 ||
	    day > days[month - 1])
		return false;
	return month != 2 || day < 29 || (year % 4 == 0 && (year % 100 != 0 || year % 400 == 0));
}

static bool
is_check(const struct reader *reader, const char *text)
{
	return reader->base->count == 0 ? is_kebab(reader, text)
					: table_rule(reader->base, text) != NULL;
}

/* Bounded as well as valid: no back references, few and small repetitions, so that matching takes
 * linear time. */
static bool
is_regex(const struct reader *reader, const char *text)
{
	unsigned intervals = 0;
	regex_t regex;

	(void)reader;
	if (strlen(text) > 256)
		return false;
	for (const char *p = text; *p != '\0'; p++) {
		if (*p == '\\' && p[1] >= '0' && p[1] <= '9')
			return false;
		if (*p == '{' && (++intervals > 2 || strtoul(p + 1, NULL, 10) > 64))
			return false;
		if (*p == '{' && p[1 + strspn(p + 1, "0123456789")] == ',' &&
		    strtoul(strchr(p, ',') + 1, NULL, 10) > 64)
			return false;
		if (*p == '\\' && p[1] != '\0')
			p++;
	}
	if (regcomp(&regex, text, REG_EXTENDED | REG_NOSUB) != 0)
		return false;
	regfree(&regex);
	return true;
}

static bool read_custom(const struct reader *, const struct shape *, const struct node *,
			json_t **);
static bool read_checks(const struct reader *, const struct shape *, const struct node *,
			json_t **);

static const char *const severities[] = { "fail", "warn", NULL };
static const char *const custom_types[] = { "fact", "command", NULL };

SHAPE(text, shape_text, "text", .fields = NULL);
SHAPE(bool, shape_bool, "true or false", .fields = NULL);
SHAPE(true, shape_bool, "true", .words = severities);
SHAPE(number, shape_number, "a number", .fields = NULL);
SHAPE(scalar, shape_scalar, "text, a number, true or false", .fields = NULL);
SHAPE(scalars, shape_list, "a list of values", .each = &scalar_shape);
SHAPE(severity, shape_text, "fail or warn", .words = severities);
SHAPE(docs, shape_text, "an address that begins with https://", .name = is_https);
SHAPE(code_name, shape_text, "a code: lower-case words joined by '-'", .name = is_kebab);
SHAPE(code_names, shape_names, "a list of codes", .each = &code_name_shape);
SHAPE(name, shape_text, NAME_ACCEPTS, .name = shape_name);
SHAPE(names, shape_names, "a list of evidence keys", .each = &name_shape);
SHAPE(params, shape_table, "a map of parameters: lower-case letters, digits and '_'",
      .each = &number_shape, .name = shape_name);
SHAPE(texts, shape_list, "a list of words, the program first", .each = &text_shape);
SHAPE(pointer, shape_text, "a JSON Pointer: /like/this, with ~1 for a slash and ~0 for a ~",
      .name = is_pointer);
SHAPE(regex, shape_text,
      "an extended regular expression of at most 256 bytes, without back "
      "references, with at most two {n,m} up to 64",
      .name = is_regex);
SHAPE(duration, shape_text, "a duration of at most 2 minutes, such as 500ms, 5s or 1m",
      .name = is_duration);
SHAPE(date, shape_text, "a date, such as 2027-01-31", .name = is_date);

SHAPE(remedies, read_remedies, "a list of remedies", .fields = NULL);
SHAPE(decide, read_decide, COMMAND_ACCEPTS, .fields = NULL);

static const struct field code_fields[] = { { "severity", &severity_shape, false },
					    { "title", &text_shape, false },
					    { "why", &text_shape, false },
					    { "explain", &text_shape, false },
					    { "docs", &docs_shape, false },
					    { "explains", &code_names_shape, false },
					    { "decide", &decide_shape, false },
					    { "remedies", &remedies_shape, false },
					    { NULL, NULL, false } };
SHAPE(code, shape_fields, "a map with title and why", .fields = code_fields);
SHAPE(codes, shape_table, "a map of codes: lower-case words joined by '-'", .each = &code_shape,
      .name = is_kebab);

static const struct field check_fields[] = {
	{ "enabled", &bool_shape, false },   { "params", &params_shape, false },
	{ "evidence", &names_shape, false }, { "ways", &code_name_shape, false },
	{ "codes", &codes_shape, false },    { NULL, NULL, false }
};
SHAPE(check, shape_fields, "a map with enabled, params, evidence, ways, codes",
      .fields = check_fields);
SHAPE(checks, read_checks, "a map of checks", .each = &check_shape, .name = is_check);

static const struct field fact_fields[] = {
	{ "id", &code_name_shape, true },       { "type", &text_shape, true },
	{ "title", &text_shape, true },         { "pointer", &pointer_shape, true },
	{ "exists", &true_shape, false },       { "absent", &true_shape, false },
	{ "equals", &scalar_shape, false },     { "not-equals", &scalar_shape, false },
	{ "in", &scalars_shape, false },        { "matches", &regex_shape, false },
	{ "less", &number_shape, false },       { "greater", &number_shape, false },
	{ "severity", &severity_shape, false }, { "code", &code_name_shape, false },
	{ "codes", &codes_shape, true },        { NULL, NULL, false }
};
static const struct field command_fields[] = {
	{ "id", &code_name_shape, true },       { "type", &text_shape, true },
	{ "title", &text_shape, true },         { "argv", &texts_shape, true },
	{ "deadline", &duration_shape, false }, { "evidence", &names_shape, false },
	{ "codes", &codes_shape, false },       { NULL, NULL, false }
};
SHAPE(type, shape_text, "fact or command", .words = custom_types);
SHAPE(custom, read_custom, "a map with id, type, title", .fields = NULL);
SHAPE(customs, shape_list, "a list of custom rules", .each = &custom_shape);

static const struct field waiver_fields[] = {
	{ "code", &code_name_shape, true }, { "resource", &text_shape, false },
	{ "reason", &text_shape, true },    { "owner", &text_shape, false },
	{ "expires", &date_shape, true },   { NULL, NULL, false }
};
SHAPE(waiver, shape_fields, "a map with code, resource, reason, owner, expires",
      .fields = waiver_fields);
SHAPE(waivers, shape_list, "a list of waivers", .each = &waiver_shape);

SHAPE(version, shape_version, "1", .fields = NULL);
static const struct field file_fields[] = { { "version", &version_shape, true },
					    { "checks", &checks_shape, false },
					    { "custom", &customs_shape, false },
					    { "waivers", &waivers_shape, false },
					    { NULL, NULL, false } };
SHAPE(file, shape_fields, "a map with version, checks, custom, waivers", .fields = file_fields);

/* Appends to a list of names in a sentence. */
static void
add_name(char *list, size_t size, const char *name)
{
	size_t used = strlen(list);

	snprintf(list + used, size - used, "%s%s", used == 0 ? "" : ", ", name);
}

static bool
has_param(const struct rule *rule, const char *name)
{
	for (size_t i = 0; i < rule->param_count; i++)
		if (strcmp(rule->params[i].name, name) == 0)
			return true;
	return false;
}

/* A layer may set only the parameters that the check has. */
static bool
params_fit(const struct reader *reader, const char *check, const struct node *params)
{
	const struct rule *rule = table_rule(reader->base, check);

	for (size_t i = 0; rule != NULL && params != NULL && i < params->count; i++) {
		const char *name = params->keys[i]->text;
		char accepted[512] = "";

		if (has_param(rule, name))
			continue;
		for (size_t j = 0; j < rule->param_count; j++)
			add_name(accepted, sizeof(accepted), rule->params[j].name);
		return node_fail(reader, params->keys[i],
				 "\"%s\" is not a parameter of %s; accepted: %s", node_quote(name),
				 check, accepted[0] != '\0' ? accepted : "none");
	}
	return true;
}

static bool
unknown_check(const struct reader *reader, const struct node *key)
{
	char accepted[640] = "";

	for (size_t i = 0; i < reader->base->checks; i++)
		add_name(accepted, sizeof(accepted), reader->base->rules[i].id);
	return node_fail(reader, key, "\"%s\" is not a check; accepted: %s", node_quote(key->text),
			 accepted[0] != '\0' ? accepted : "lower-case words joined by '-'");
}

static bool
read_checks(const struct reader *reader, const struct shape *shape, const struct node *node,
	    json_t **ret)
{
	for (size_t i = 0; node->kind == NODE_MAP && i < node->count; i++)
		if (!shape->name(reader, node->keys[i]->text))
			return unknown_check(reader, node->keys[i]);
	if (!shape_table(reader, shape, node, ret))
		return false;
	for (size_t i = 0; i < node->count; i++) {
		if (!params_fit(reader, node->keys[i]->text, node_get(node->items[i], "params"))) {
			json_decref(*ret);
			return false;
		}
	}
	return true;
}

/* A fact compares in exactly one way. */
static bool
one_comparison(const struct reader *reader, const struct node *node)
{
	static const char *const ways[] = { "exists", "absent",  "equals", "not-equals",
					    "in",     "matches", "less",   "greater" };
	const struct node *first = NULL;

	for (size_t i = 0; i < node->count; i++) {
		for (size_t j = 0; j < sizeof(ways) / sizeof(ways[0]); j++) {
			if (strcmp(node->keys[i]->text, ways[j]) != 0)
				continue;
			if (first != NULL)
				return node_fail(reader, node->keys[i],
						 "\"%s\" conflicts with \"%s\"; accepted: exactly "
						 "one of exists, absent, "
						 "equals, not-equals, in, matches, less, greater",
						 ways[j], first->text);
			first = node->keys[i];
		}
	}
	return first != NULL ||
	       node_fail(
		   reader, node,
		   "a comparison is missing; accepted: exactly one of exists, absent, equals, "
		   "not-equals, in, matches, less, greater");
}

static bool
read_custom(const struct reader *reader, const struct shape *shape, const struct node *node,
	    json_t **ret)
{
	const struct node *type = node_get(node, "type"), *argv = node_get(node, "argv");
	struct shape chosen = *shape;
	json_t *word = NULL;

	if (node->kind != NODE_MAP)
		return shape_refuse(reader, shape, node);
	if (type == NULL)
		return node_fail(reader, node,
				 "\"type\" is missing; accepted: type: fact or command");
	if (!type_shape.read(reader, &type_shape, type, &word))
		return false;
	json_decref(word);
	chosen.fields = strcmp(type->text, "fact") == 0 ? fact_fields : command_fields;
	if (!shape_fields(reader, &chosen, node, ret))
		return false;
	if (argv != NULL ? argv->count > 0 ||
			       node_fail(reader, argv, "\"[]\" names no program; accepted: %s",
					 texts_shape.accepts)
			 : one_comparison(reader, node))
		return true;
	json_decref(*ret);
	return false;
}

bool
schema_read(const struct reader *reader, const struct node *root, json_t **ret)
{
	return file_shape.read(reader, &file_shape, root, ret);
}
