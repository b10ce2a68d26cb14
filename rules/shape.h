/* Inside rules/: what a rule file may hold in each place, and the readers of it. The tables are
 * in schema.c and schema_remedy.c. */
#ifndef RULES_SHAPE_H
#define RULES_SHAPE_H

#include "rules/tree.h"

/* What one place may hold. A reader returns false with the error set (or without memory), else
 * *ret is a new reference. */
struct shape {
	bool (*read)(const struct reader *, const struct shape *, const struct node *,
		     json_t **ret);
	const char *accepts;        /* ends the sentence of an error: "accepted: ..." */
	const struct field *fields; /* of a map with these keys; ends with a NULL key */
	const struct shape *each;   /* of a list, and of a map with free keys */
	bool (*name)(const struct reader *,
		     const char *); /* may this be a free key, or this text; NULL: any */
	const char *const *words;   /* or one of these; ends with NULL */
};

/* static const struct shape ID_shape: what reads it, what it accepts, and other members. */
#define SHAPE(id, reader, words_, ...)                                                             \
	static const struct shape id##_shape = { .read = (reader),                                 \
						 .accepts = (words_),                              \
						 __VA_ARGS__ }

struct field {
	const char *key;
	const struct shape *shape;
	bool required;
};

/* Text that is not empty; of `words` or passed by `name` where given. */
bool shape_text(const struct reader *reader, const struct shape *shape, const struct node *node,
		json_t **ret);
/* true or false; only true when `words` is set. */
bool shape_bool(const struct reader *reader, const struct shape *shape, const struct node *node,
		json_t **ret);
bool shape_number(const struct reader *reader, const struct shape *shape, const struct node *node,
		  json_t **ret);
/* The number 1. */
bool shape_version(const struct reader *reader, const struct shape *shape, const struct node *node,
		   json_t **ret);
/* Text, a number, true or false. */
bool shape_scalar(const struct reader *reader, const struct shape *shape, const struct node *node,
		  json_t **ret);
/* A list of `each`. */
bool shape_list(const struct reader *reader, const struct shape *shape, const struct node *node,
		json_t **ret);
/* A list of `each`, which are names: one text with blanks between them. */
bool shape_names(const struct reader *reader, const struct shape *shape, const struct node *node,
		 json_t **ret);
/* A map with the keys of `fields`. */
bool shape_fields(const struct reader *reader, const struct shape *shape, const struct node *node,
		  json_t **ret);
/* A map of `each` whose keys `name` passes. */
bool shape_table(const struct reader *reader, const struct shape *shape, const struct node *node,
		 json_t **ret);

/* Remedies, and the command that decides (schema_remedy.c). */
bool read_remedies(const struct reader *reader, const struct shape *shape, const struct node *node,
		   json_t **ret);
bool read_decide(const struct reader *reader, const struct shape *shape, const struct node *node,
		 json_t **ret);
#define COMMAND_ACCEPTS "text, a list of arguments, or a list of such lists"
#define NAME_ACCEPTS "an evidence key: lower-case letters, digits and '_'"

bool shape_name(const struct reader *reader,
		const char *text); /* lower-case letters, digits, '_' */

/* "... is not accepted here; accepted: ..."; false. */
bool shape_refuse(const struct reader *reader, const struct shape *shape, const struct node *node);

#endif
