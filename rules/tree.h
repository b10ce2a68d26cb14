/* Inside rules/: a YAML file as a tree with positions (load.c), its validation and turning into
 * JSON (schema.c), the checks that need the whole set (verify.c), placeholders (words.c) and
 * quoting (quote.c). */
#ifndef RULES_TREE_H
#define RULES_TREE_H

#include "rules/table.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

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

/* The next placeholder at or after *at: its name (not terminated) and length, *at past it, *from at
 * its brace; false at the end. */
bool words_next(const char **at, const char **from, const char **name, size_t *len);

/* The value of a placeholder, NULL when there is none that says anything (null, false, "" and [] do
 * not). Borrowed. */
const json_t *words_value(const char *name, const struct values *values);

/* true when the name is a placeholder that any rule may use. */
bool words_global(const char *name);

/* The comma-separated names of these, for error sentences. */
const char *words_globals(void);

/* Languages a template can be written in. Values are written into a sentence with what cannot be
 * seen spelled out; into an argument as they are; into shell text and scripts of a shell as quoted
 * words; into scripts of another program (sed, awk) only where they are plain. */
enum lang { LANG_PLAIN, LANG_ARGUMENT, LANG_SH, LANG_PS, LANG_OTHER };

enum lang lang_of_dialect(const char *dialect);

/* Around what the reader has to fill in, in an argument. No text and no value holds them. */
#define GAP_START '\x01'
#define GAP_END '\x02'

/* Writes a template with its values, or with <NAMES> where there is none; false when the reader has
 * to fill in something. */
bool words_fill(FILE *out, const char *text, enum lang lang, const struct values *values);

/* One word for a shell: bare where it may be, unless `always`. */
void quote_word(FILE *out, enum lang lang, const char *word, bool always);

/* A value inside of single quotes that are already there. */
void quote_inside(FILE *out, enum lang lang, const char *value);

/* A value as a word of a shell, as plain text of another program, or as it is in an argument; false
 * when it cannot be written safely. */
bool quote_value(FILE *out, enum lang lang, const char *value);

/* Where in a shell text we are: which quotes and substitutions are open. */
struct scan {
	enum lang lang;
	char open[16]; /* '\'', '"', '(' from the outside in */
	size_t depth;
	bool escaped; /* the character before was the escape character */
	bool dollar;  /* ... was an unescaped $ */
};

/* Goes over one character of literal text. NULL when fine, else what is wrong with it ("holds a `;
 * accepted: $(...)"). */
const char *scan_char(struct scan *scan, char c);

/* The quote that is open here, ' ' for none. */
char scan_place(const struct scan *scan);

/* At the end: NULL, or what is left open. */
const char *scan_end(const struct scan *scan);

bool command_is_list(const char *command);

/* The language of a script in this step, as its arguments up to this one imply; `now` is what the
 * earlier ones imply. */
enum lang command_script_lang(enum lang now, const struct argument *argument);

/* NULL when the command can be written in the dialect, else what is wrong with it. */
const char *command_wrong(const char *command, const char *dialect);

#define NEEDS_MAX 2048

/* What the command changes: "nothing", "this-computer", "azure" or "guest". Appends the Azure
 * actions that it takes, with blanks between, to `needs`, which has NEEDS_MAX bytes. */
const char *command_effects(const char *command, const char *dialect, char *needs);

#endif
