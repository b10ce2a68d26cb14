/* Inside rules/: a YAML file as a tree with positions (load.c), its validation and turning into
 * JSON (schema.c), the checks that need the whole set (verify.c), placeholders (words.c) and
 * quoting (quote.c). */
#ifndef RULES_TREE_H
#define RULES_TREE_H

#include "rules/table.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum node_kind { NODE_SCALAR, NODE_LIST, NODE_MAP };

/* One node; an alias shares the node of its anchor. */
struct node {
	enum node_kind kind;
	unsigned line, column; /* from 1; columns count characters */
	bool plain; /* a scalar without quotes: may be a number, a truth value or nothing */
	char *text; /* the scalar, NUL-terminated and free of NUL and control characters */
	struct node **keys, **items; /* a list has no keys */
	size_t count, room;
	size_t weight;   /* nodes it stands for once aliases are expanded */
	unsigned height; /* levels below and including it */
};

struct tree {
	struct node *root;
	struct node **nodes; /* all of them, owned */
	size_t count, room;
};

#define RULES_FILE_MAX (1024 * 1024)

/* Reads YAML from memory. `file` is what errors name. Returns 0, -EINVAL with "FILE:LINE:COLUMN:
 * ...", or -ENOMEM. */
int tree_parse(const char *file, const char *text, size_t len, struct tree *ret, struct err *err);
void tree_free(struct tree *tree);

/* The value under key, NULL when node is no map or has no such key. */
const struct node *node_get(const struct node *node, const char *key);

/* What a reader of one file carries along. */
struct reader {
	const char *file;
	const struct tables *base; /* what it will be layered on; empty for a set of its own */
	struct err *err;
};

/* Sets "FILE:LINE:COLUMN: ..." for a node; returns false so that validation can end with it. */
bool node_fail(const struct reader *reader, const struct node *node, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The value, shortened and free of control characters, for quoting it in a sentence: in one of a
 * few static buffers. */
const char *node_quote(const char *text);

/* Validates the whole file and turns it into JSON, a new reference. false: the error is set. */
bool schema_read(const struct reader *reader, const struct node *root, json_t **ret);

/* What can only be seen in the whole set with the layer on it: codes are unique and have words,
 * placeholders are known. Positions are the layer's. false: the error is set. */
bool verify_layer(const struct reader *reader, const struct node *root,
		  const struct tables *tables);

/* The next placeholder at or after *at: its name (not terminated) and length, *at behind it, *from
 * at its brace; false at the end. */
bool words_next(const char **at, const char **from, const char **name, size_t *len);

/* The value of a placeholder, NULL when there is none that says anything (null, false, "" and [] do
 * not). Borrowed. */
const json_t *words_value(const char *name, const struct values *values);

/* true when the name is a placeholder that any rule may use. */
bool words_global(const char *name);

/* The comma-separated names of these, for error sentences. */
const char *words_globals(void);

/* Languages a template can be written in. */
enum lang { LANG_PLAIN, LANG_SH, LANG_PS, LANG_JSON };

enum lang lang_of_dialect(const char *dialect);

#define QUOTE_DEPTH 16

/* Where in a piece of shell we are: which quotes and substitutions are open. */
struct scan {
	enum lang lang;
	char open[QUOTE_DEPTH]; /* '\'', '"', '(' from the outside in */
	size_t depth;
	bool escaped; /* the character before was the escape character */
	bool dollar;  /* ... was an unescaped $ */
};

/* A template being written: the text and, inside one argument, the script or JSON that the argument
 * holds. */
struct quote {
	struct scan outer, inner;
	bool inner_on;             /* this word holds a text of its own language */
	bool powershell;           /* the scripts handed on are PowerShell */
	char word[32], option[32]; /* the word so far; the last one that began with '-' */
	size_t word_len;
};

void quote_start(struct quote *quote, enum lang lang);

/* Goes over literal text. NULL when fine, else what is wrong with it ("holds a `; accepted:
 * $(...)"). */
const char *quote_literal(struct quote *quote, const char *text, size_t len);

/* Notes that a placeholder stands here. NULL, or why none may. */
const char *quote_placeholder(struct quote *quote);

/* At the end: NULL, or what is left open. */
const char *quote_end(const struct quote *quote);

/* The value as it must be written here; NULL when it cannot be written safely or without memory.
 * The caller frees. */
char *quote_value(const struct quote *quote, const char *value);

/* NULL when the template can be written in this language, else what is wrong (words.c). */
const char *words_check(const char *text, enum lang lang);

#endif
