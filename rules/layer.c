/* A layer on top of tables: rows are copied where the layer changes them, texts never. */
#include "rules/table.h"
#include "facts/doc.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct block {
	struct block *next;
	max_align_t rows[];
};

void *
pool_rows(struct pool *pool, size_t count, size_t size)
{
	struct block *block = calloc(1, sizeof(*block) + (count + 1) * size);

	if (block == NULL)
		return NULL;
	block->next = pool->blocks;
	pool->blocks = block;
	return block->rows;
}

void
pool_free(struct pool *pool)
{
	for (struct block *block = pool->blocks, *next; block != NULL; block = next) {
		next = block->next;
		free(block);
	}
	json_decref(pool->layers);
	*pool = (struct pool){ 0 };
}

/* A copy of rows with room for more. */
static void *
grown_rows(struct pool *pool, const void *rows, size_t count, size_t more, size_t size)
{
	void *copy = pool_rows(pool, count + more, size);

	if (copy != NULL && count > 0)
		memcpy(copy, rows, count * size);
	return copy;
}

static void
take_texts(void *row, const struct text_field *field, const json_t *entry)
{
	for (; field->key != NULL; field++) {
		const char *text = json_string_value(json_object_get(entry, field->key));

		if (text != NULL)
			memcpy((char *)row + field->offset, &text, sizeof(text));
	}
}

static int
take_remedies(struct pool *pool, struct code_words *code, const json_t *given)
{
	struct remedy_words *rows = pool_rows(pool, json_array_size(given), sizeof(*rows));

	if (rows == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < json_array_size(given); i++)
		take_texts(&rows[i], remedy_texts, json_array_get(given, i));
	code->remedies = rows;
	code->remedy_count = json_array_size(given);
	return 0;
}

/* The row of that name, each row beginning with its name; a new one at the end when there is none.
 */
static void *
row_of(void *rows, size_t *count, size_t size, const char *name)
{
	char *row = rows;

	for (size_t i = 0; i < *count; i++, row += size)
		if (strcmp(*(const char **)(void *)row, name) == 0)
			return row;
	(*count)++;
	memcpy(row, &name, sizeof(name));
	return row;
}

static int
take_codes(struct pool *pool, struct rule *rule, const json_t *given)
{
	struct code_words *rows =
	    grown_rows(pool, rule->codes, rule->code_count, json_object_size(given), sizeof(*rows));
	const char *name;
	json_t *entry;

	if (rows == NULL)
		return -ENOMEM;
	rule->codes = rows;
	json_object_foreach ((json_t *)(uintptr_t)given, name, entry) {
		struct code_words *code = row_of(rows, &rule->code_count, sizeof(*rows), name);
		const json_t *remedies = json_object_get(entry, "remedies");

		code->owner = rule->id;
		take_texts(code, code_texts, entry);
		if (remedies != NULL && take_remedies(pool, code, remedies) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int
take_params(struct pool *pool, struct rule *rule, const json_t *given)
{
	struct param *rows = grown_rows(pool, rule->params, rule->param_count,
					json_object_size(given), sizeof(*rows)),
		     *param;
	const char *name;
	json_t *value;

	if (rows == NULL)
		return -ENOMEM;
	rule->params = rows;
	json_object_foreach ((json_t *)(uintptr_t)given, name, value) {
		param = row_of(rows, &rule->param_count, sizeof(*rows), name);
		param->value = (long long)json_number_value(value);
	}
	return 0;
}

static int
take_rule(struct pool *pool, struct rule *rule, const json_t *given)
{
	const json_t *codes = json_object_get(given, "codes"),
		     *params = json_object_get(given, "params");
	const char *evidence = doc_str(given, "evidence"), *ways = doc_str(given, "ways");

	rule->enabled = doc_bool(given, "enabled", rule->enabled);
	rule->evidence = evidence != NULL ? evidence : rule->evidence;
	rule->ways = ways != NULL ? ways : rule->ways;
	if (params != NULL && take_params(pool, rule, params) < 0)
		return -ENOMEM;
	return codes != NULL ? take_codes(pool, rule, codes) : 0;
}

static int
take_checks(struct pool *pool, struct rule *rows, size_t *count, const json_t *given)
{
	const char *id;
	json_t *entry;

	json_object_foreach ((json_t *)(uintptr_t)given, id, entry) {
		size_t before = *count;
		struct rule *rule = row_of(rows, count, sizeof(*rows), id);

		rule->enabled |= *count > before;
		if (take_rule(pool, rule, entry) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int
take_customs(struct pool *pool, struct rule *rows, size_t *count, const json_t *given)
{
	for (size_t i = 0; i < json_array_size(given); i++) {
		const json_t *entry = json_array_get(given, i);
		struct rule *rule = &rows[(*count)++];

		*rule = (struct rule){ .id = doc_str(entry, "id"),
				       .enabled = true,
				       .title = doc_str(entry, "title") };
		if (doc_is(entry, "type", "fact"))
			rule->evidence = "pointer value expected";
		if (take_rule(pool, rule, entry) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int
by_code(const void *a, const void *b)
{
	return strcmp((*(const struct code_words *const *)a)->code,
		      (*(const struct code_words *const *)b)->code);
}

static int
index_codes(struct pool *pool, struct tables *tables)
{
	const struct code_words **codes;
	size_t count = 0;

	for (size_t i = 0; i < tables->count; i++)
		count += tables->rules[i].code_count;
	if ((codes = pool_rows(pool, count, sizeof(*codes))) == NULL)
		return -ENOMEM;
	count = 0;
	for (size_t i = 0; i < tables->count; i++)
		for (size_t j = 0; j < tables->rules[i].code_count; j++)
			codes[count++] = &tables->rules[i].codes[j];
	qsort(codes, count, sizeof(*codes), by_code);
	tables->codes = codes;
	tables->code_count = count;
	return 0;
}

int
table_layer(struct pool *pool, const struct tables *base, const json_t *layer, struct tables *ret)
{
	const json_t *checks = json_object_get(layer, "checks"),
		     *customs = json_object_get(layer, "custom");
	size_t count = customs != NULL ? base->checks : base->count;
	struct rule *rows =
	    grown_rows(pool, base->rules, count,
		       json_object_size(checks) + json_array_size(customs), sizeof(*rows));

	if (rows == NULL || take_checks(pool, rows, &count, checks) < 0)
		return -ENOMEM;
	*ret = (struct tables){ .rules = rows };
	ret->checks = base->rules == NULL ? count : base->checks;
	if (take_customs(pool, rows, &count, customs) < 0)
		return -ENOMEM;
	ret->count = count;
	return index_codes(pool, ret);
}
