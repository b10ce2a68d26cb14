/* Inside rules/: a rule set as plain tables, and what goes over all of their texts. */
#ifndef RULES_TABLE_H
#define RULES_TABLE_H

#include "rules/rules.h"

#include <stdio.h>

struct tables {
	const struct rule *rules; /* `checks` entries of checks, then the custom rules */
	size_t count, checks;
	const struct code_words *const *codes; /* of all of them, sorted by code */
	size_t code_count;
	const char *digest;
};

/* The default: made from default.yaml by pack.c. */
extern const struct tables rules_default_tables;

/* A rule set that uses these tables in place; NULL when out of memory. */
struct rules *rules_on(const struct tables *tables);
const struct tables *rules_tables(const struct rules *rules);

/* A text member of a row: its key in YAML and where the row holds it. */
struct text_field {
	const char *key;
	size_t offset;
};

/* All text members of a code's and of a remedy's row; they end with a NULL key. */
extern const struct text_field code_texts[], remedy_texts[];

const char *text_of(const void *row, const struct text_field *field);

const struct rule *table_rule(const struct tables *tables, const char *id);
const struct code_words *table_code(const struct tables *tables, const char *code);
const struct code_words *rule_code(const struct rule *rule, const char *code);

/* Memory and JSON that the tables of a layered rule set point into; freed as a whole. */
struct pool {
	struct block *blocks;
	json_t *layers;
};

/* Zeroed memory for that many rows, NULL when out of memory. */
void *pool_rows(struct pool *pool, size_t count, size_t size);
void pool_free(struct pool *pool);

/* base with a layer on top, as the schema has read it: maps merge deeply, lists replace. *ret
 * shares rows and texts with base and with the layer. 0 or -ENOMEM. */
int table_layer(struct pool *pool, const struct tables *base, const json_t *layer,
		struct tables *ret);

/* Writes the tables as C: static ones named `rules` and `codes`. */
void table_write(FILE *out, const struct tables *tables);

/* "sha256:..." over all that the tables and the lists say; 0 or -errno. */
int table_digest(const struct tables *tables, const json_t *custom, const json_t *waivers,
		 char *ret, size_t size);

#endif
