/* The table of log_shapes.def, and matching a line against one shape. Linear in the line: each
 * literal part is looked for once, from the left. */
#ifndef MODEL_LOG_SHAPE_H
#define MODEL_LOG_SHAPE_H

#include "facts/sections.h"

#include <stdbool.h>
#include <stddef.h>

enum log_kind { LOG_STEP, LOG_OWN, LOG_SAYS, LOG_START, LOG_LOGIN, LOG_TELLS };
enum { LOG_ENDS = 1, LOG_SESSION = 2, LOG_MAYBE = 4 }; /* flags of a row */

struct log_shape {
	enum log_kind kind;
	enum rehearsal_stage stage;
	enum rehearsal_fault fault; /* of LOG_OWN */
	const char *word;           /* of LOG_SAYS */
	unsigned flags;
	const char *shape;
	const char *lower; /* the shape in lower case; set by log_shapes */
	unsigned pairs[2]; /* of its longest literal part: two letters each, as a number */
};

/* Which pairs of letters a line has: most shapes are ruled out by them at once. */
struct log_pairs {
	unsigned line, seen[1 << 16]; /* the line in which a pair was last seen */
};

/* All rows, in their order. */
const struct log_shape *log_shapes(size_t *count);

/* A part of the line that a shape has a name for. */
struct log_value {
	const char *name; /* of name_len bytes */
	size_t name_len;
	const char *at; /* of len bytes */
	size_t len;
};

enum { LOG_VALUES_MAX = 6 };

struct log_match {
	size_t from; /* where in the line it begins */
	struct log_value values[LOG_VALUES_MAX];
	size_t count;
};

/* Takes the pairs of a line, in lower case. */
void log_pairs_take(struct log_pairs *pairs, const char *lower, size_t len);

/* false when the row's shape cannot be in that line. */
bool log_pairs_allow(const struct log_pairs *pairs, const struct log_shape *row);

/* true when the line of len bytes begins with the shape. */
bool log_shape_begins(const char *shape, const char *line, size_t len);

/* true when the row's shape is anywhere in the line, in any case. `lower` is the line in lower
 * case.
 */
bool log_shape_within(const struct log_shape *row, const char *line, const char *lower, size_t len,
		      struct log_match *ret);

#endif
