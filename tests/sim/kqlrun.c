/* Running a query over rows. Missing is null; comparisons of text follow the operator's own case
 * rule. */
#include "tests/sim/kql.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static json_t *value_of(const struct kql_node *node, const json_t *row);

static json_t *
field_of(const json_t *row, const char *path)
{
	char name[256];
	const json_t *at = row;

	while (at != NULL && *path != '\0') {
		size_t length = strcspn(path, ".");

		if (length >= sizeof name)
			return NULL;
		memcpy(name, path, length);
		name[length] = '\0';
		at = json_is_array(at) ? json_array_get(at, strtoul(name, NULL, 10))
				       : json_get_nocase(at, name);
		path += length + (path[length] == '.');
	}
	return (json_t *)(uintptr_t)at;
}

static char *
as_text(const json_t *value)
{
	char *text;

	if (value == NULL || json_is_null(value))
		return text_copy("");
	if (json_is_string(value))
		return text_copy(json_string_value(value));
	text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	return text != NULL ? text : text_copy("");
}

static bool
ends_with(const char *text, const char *tail)
{
	size_t length = strlen(text), wanted = strlen(tail);

	return wanted <= length && strcasecmp(text + length - wanted, tail) == 0;
}

/* A whole word inside the text, as "has" wants it. */
static bool
has_word(const char *text, const char *word)
{
	static const char plain[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

	for (const char *at = text; *word != '\0' && (at = text_find(at, word)) != NULL; at++) {
		const char *end = at + strlen(word);

		if ((at == text || strchr(plain, at[-1]) == NULL) &&
		    (*end == '\0' || strchr(plain, *end) == NULL))
			return true;
	}
	return false;
}

static bool
compare(const char *operator, const char * left, const char *right, bool numbers)
{
	long long difference =
	    numbers ? strtoll(left, NULL, 10) - strtoll(right, NULL, 10) : strcmp(left, right);
	bool negated =
	    *operator== '!' && strcmp(operator, "!=") != 0 && strcmp(operator, "!~") != 0;

	if (negated)
		return !compare(operator+ 1, left, right, numbers);
	if (strcmp(operator, "==") == 0)
		return difference == 0;
	if (strcmp(operator, "!=") == 0 || strcmp(operator, "<>") == 0)
		return difference != 0;
	if (strcmp(operator, "=~") == 0 || strcmp(operator, "eq") == 0)
		return text_same(left, right);
	if (strcmp(operator, "!~") == 0 || strcmp(operator, "ne") == 0)
		return !text_same(left, right);
	if (strcmp(operator, "contains") == 0)
		return text_find(left, right) != NULL;
	if (strcmp(operator, "contains_cs") == 0)
		return strstr(left, right) != NULL;
	if (strcmp(operator, "startswith") == 0)
		return text_has_prefix(left, right);
	if (strcmp(operator, "endswith") == 0)
		return ends_with(left, right);
	if (strcmp(operator, "has") == 0)
		return has_word(left, right);
	if (strcmp(operator, "<") == 0)
		return difference < 0;
	if (strcmp(operator, "<=") == 0)
		return difference <= 0;
	return strcmp(operator, ">") == 0 ? difference > 0 : difference >= 0;
}

static bool
truth(const struct kql_node *node, const json_t *row)
{
	json_t *value = value_of(node, row);
	bool yes = json_is_true(value);

	json_decref(value);
	return yes;
}

static bool
run_compare(const struct kql_node *node, const json_t *row)
{
	json_t *left = value_of(node->part[0], row), *right = value_of(node->part[1], row);
	char *a = as_text(left), *b = as_text(right);
	bool yes = compare(node->name, a, b, json_is_integer(left) && json_is_integer(right));

	free(a);
	free(b);
	json_decref(left);
	json_decref(right);
	return yes;
}

static bool
run_in(const struct kql_node *node, const json_t *row)
{
	bool negated = *node->name == '!', loose = strchr(node->name, '~') != NULL, found = false;
	json_t *left = value_of(node->part[0], row), *candidate;
	char *text = as_text(left);
	size_t i;

	json_array_foreach (node->value, i, candidate)
		found = found || (loose ? text_same(text, json_string_value(candidate))
					: strcmp(text, json_string_value(candidate)) == 0);
	free(text);
	json_decref(left);
	return found != negated;
}

static json_t *
run_concat(const struct kql_node *node, const json_t *row)
{
	char *all = text_copy("");
	json_t *result;

	for (size_t i = 0; i < node->count; i++) {
		json_t *value = value_of(node->part[i], row);
		char *text = as_text(value), *longer = text_format("%s%s", all, text);

		free(text);
		free(all);
		all = longer;
		json_decref(value);
	}
	result = json_bytes(all);
	free(all);
	return result;
}

/* startswith(a,b), endswith(a,b), substringof(part, whole): OData's functions */
static bool
run_odata(const struct kql_node *node, const char *first, const json_t *row)
{
	json_t *value = node->count > 1 ? value_of(node->part[1], row) : json_null();
	char *second = as_text(value);
	bool yes = text_same(node->name, "startswith") ? text_has_prefix(first, second)
		   : text_same(node->name, "endswith") ? ends_with(first, second)
						       : text_find(second, first) != NULL;

	free(second);
	json_decref(value);
	return yes;
}

static json_t *
run_call(const struct kql_node *node, const json_t *row)
{
	json_t *first = node->count > 0 ? value_of(node->part[0], row) : json_null(), *result;
	char *text = as_text(first), *lower = text_lower(text);

	if (text_same(node->name, "tostring"))
		result = json_bytes(text);
	else if (text_same(node->name, "tolower"))
		result = json_bytes(lower);
	else if (text_same(node->name, "toupper")) {
		for (char *at = text; *at != '\0'; at++)
			*at = (char)(*at >= 'a' && *at <= 'z' ? *at - 'a' + 'A' : *at);
		result = json_bytes(text);
	} else if (text_same(node->name, "toint"))
		result = json_integer(strtoll(text, NULL, 10));
	else if (text_same(node->name, "array_length"))
		result = json_integer((json_int_t)json_array_size(first));
	else if (text_same(node->name, "isempty") || text_same(node->name, "isnull"))
		result = json_boolean(*text == '\0');
	else if (text_same(node->name, "isnotempty") || text_same(node->name, "isnotnull"))
		result = json_boolean(*text != '\0');
	else if (text_same(node->name, "not"))
		result = json_boolean(!json_is_true(first));
	else if (text_same(node->name, "strcat"))
		result = run_concat(node, row);
	else if (text_same(node->name, "coalesce"))
		result = *text == '\0' && node->count > 1 ? value_of(node->part[1], row)
							  : json_incref(first);
	else
		result = json_boolean(run_odata(node, text, row));
	free(lower);
	free(text);
	json_decref(first);
	return result;
}

static json_t *
value_of(const struct kql_node *node, const json_t *row)
{
	json_t *field;

	switch (node->kind) {
	case KQL_FIELD:
		field = field_of(row, node->name);
		return field != NULL ? json_deep_copy(field) : json_null();
	case KQL_VALUE:
		return json_incref(node->value);
	case KQL_CALL:
		return run_call(node, row);
	case KQL_COMPARE:
		return json_boolean(run_compare(node, row));
	case KQL_IN:
		return json_boolean(run_in(node, row));
	case KQL_AND:
		return json_boolean(truth(node->part[0], row) && truth(node->part[1], row));
	case KQL_OR:
		return json_boolean(truth(node->part[0], row) || truth(node->part[1], row));
	case KQL_NOT:
		return json_boolean(!truth(node->part[0], row));
	}
	return json_null();
}

static json_t *
project_row(const struct kql_step *step, json_t *row)
{
	json_t *made = step->verb == KQL_PROJECT || step->verb == KQL_DISTINCT ? json_object()
									       : json_incref(row);

	for (size_t i = 0; i < step->count; i++) {
		if (step->verb == KQL_PROJECT_AWAY)
			json_object_del(made, step->column[i].name);
		else
			json_put(made, step->column[i].name, value_of(step->column[i].node, row));
	}
	return made;
}

struct sorted {
	char *text;
	bool descending;
	size_t at;
	json_t *row;
};

/* Rows with the same key stay in their order. */
static int
compare_sorted(const void *a, const void *b)
{
	const struct sorted *x = a, *y = b;
	int order = strcasecmp(x->text, y->text);

	if (order == 0)
		return x->at < y->at ? -1 : 1;
	return x->descending ? -order : order;
}

static json_t *
sort_rows(const struct kql_step *step, const json_t *rows)
{
	size_t count = json_array_size(rows), i;
	struct sorted *sorted = calloc(count + 1, sizeof *sorted);
	json_t *ret = json_array(), *row;

	json_array_foreach ((json_t *)(uintptr_t)rows, i, row) {
		json_t *key = value_of(step->column[0].node, row);

		sorted[i] = (struct sorted){ as_text(key), step->column[0].descending, i, row };
		json_decref(key);
	}
	qsort(sorted, count, sizeof *sorted, compare_sorted);
	for (i = 0; i < count; i++) {
		json_array_append(ret, sorted[i].row);
		free(sorted[i].text);
	}
	free(sorted);
	return ret;
}

static bool
already_there(const json_t *rows, const json_t *row)
{
	json_t *other;
	size_t i;

	json_array_foreach ((json_t *)(uintptr_t)rows, i, other) {
		if (json_equal(other, row))
			return true;
	}
	return false;
}

/* One row for each element of an array; a row without elements stays, as in Azure. */
static json_t *
expand_rows(const struct kql_step *step, const json_t *rows)
{
	json_t *expanded = json_array(), *row, *element;
	size_t i, k;

	json_array_foreach ((json_t *)(uintptr_t)rows, i, row) {
		json_t *array = value_of(step->column[0].node, row);

		if (json_array_size(array) == 0)
			json_array_append(expanded, row);
		json_array_foreach (array, k, element) {
			json_t *copy = json_copy(row);

			json_put(copy, step->column[0].name, json_incref(element));
			json_array_append_new(expanded, copy);
		}
		json_decref(array);
	}
	return expanded;
}

static json_t *
run_step(const struct kql_step *step, const json_t *rows)
{
	json_t *kept, *row, *made;
	size_t i;

	if (step->verb == KQL_ORDER)
		return sort_rows(step, rows);
	if (step->verb == KQL_MV_EXPAND)
		return expand_rows(step, rows);
	kept = json_array();
	if (step->verb == KQL_COUNT) {
		json_array_append_new(
		    kept, json_pack("{s:I}", "Count", (json_int_t)json_array_size(rows)));
		return kept;
	}
	json_array_foreach ((json_t *)(uintptr_t)rows, i, row) {
		if (step->verb == KQL_LIMIT && (long long)i >= step->limit)
			break;
		if (step->verb == KQL_WHERE || step->verb == KQL_LIMIT) {
			if (step->verb == KQL_LIMIT || truth(step->where, row))
				json_array_append(kept, row);
			continue;
		}
		made = project_row(step, row);
		if (step->verb != KQL_DISTINCT || !already_there(kept, made))
			json_array_append(kept, made);
		json_decref(made);
	}
	return kept;
}

json_t *
kql_run(const struct kql *kql, const json_t *rows)
{
	json_t *current = json_copy((json_t *)(uintptr_t)rows);

	for (size_t i = 0; i < kql->count; i++) {
		json_t *after = run_step(&kql->step[i], current);

		json_decref(current);
		current = after;
	}
	return current;
}
