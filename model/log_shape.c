#include "model/log_shape.h"

#include <ctype.h>
#include <string.h>

static struct log_shape rows[] = {
#define STEP(stage, shape)                                                                         \
	{ LOG_STEP, REHEARSAL_##stage, FAULT_UNTOLD, NULL, 0, shape, NULL, { 0, 0 } },
#define OWN(stage, fault, shape)                                                                   \
	{ LOG_OWN, REHEARSAL_##stage, fault, NULL, LOG_ENDS, shape, NULL, { 0, 0 } },
#define SAID(stage, word, flags, shape)                                                            \
	{ LOG_SAYS, REHEARSAL_##stage, FAULT_UNTOLD, word, flags, shape, NULL, { 0, 0 } },
#define SAYS(stage, word, shape) SAID(stage, word, 0, shape)
#define ENDS(stage, word, shape) SAID(stage, word, LOG_ENDS, shape)
#define SESSION(stage, word, shape) SAID(stage, word, LOG_ENDS | LOG_SESSION, shape)
#define START(shape) { LOG_START, REHEARSAL_CONFIG, FAULT_UNTOLD, NULL, 0, shape, NULL, { 0, 0 } },
#define LOGIN(shape) { LOG_LOGIN, REHEARSAL_AUTH, FAULT_UNTOLD, NULL, 0, shape, NULL, { 0, 0 } },
#define MAYBE(shape)                                                                               \
	{ LOG_LOGIN, REHEARSAL_AUTH, FAULT_UNTOLD, NULL, LOG_MAYBE, shape, NULL, { 0, 0 } },
#define TELLS(shape) { LOG_TELLS, REHEARSAL_CONFIG, FAULT_UNTOLD, NULL, 0, shape, NULL, { 0, 0 } },
#include "model/log_shapes.def"
#undef STEP
#undef OWN
#undef SAID
#undef SAYS
#undef ENDS
#undef SESSION
#undef START
#undef LOGIN
#undef MAYBE
#undef TELLS
};

enum { ROWS = sizeof(rows) / sizeof(*rows) };

/* The next part of a shape: literal text, or a value with its name ("*" has none). */
struct part {
	const char *at;
	size_t len;
	bool is_value, is_last; /* the line must end with it */
};

static bool
next_part(const char **shape, struct part *ret)
{
	const char *at = *shape;
	size_t len;

	if (*at == '\0' || strcmp(at, "$") == 0)
		return false;
	if (*at == '*') {
		*ret = (struct part){ .at = at + 1, .is_value = true };
		*shape = at + 1;
	} else if (*at == '{') {
		len = strcspn(at, "}");
		*ret = (struct part){ .at = at + 1, .len = len - 1, .is_value = true };
		*shape = at + len + 1;
	} else {
		len = strcspn(at, "{*");
		*ret = (struct part){ .at = at, .len = len };
		if (at[len] == '\0' && at[len - 1] == '$') {
			ret->len--;
			ret->is_last = true;
		}
		*shape = at + ret->len;
	}
	return true;
}

static unsigned
pair_at(const char *text)
{
	return (unsigned)(unsigned char)text[0] << 8 | (unsigned char)text[1];
}

/* The first and the middle pair of the longest literal part. */
static void
set_pairs(struct log_shape *row)
{
	const char *shape = row->lower;
	struct part part, longest = { 0 };

	while (next_part(&shape, &part))
		if (!part.is_value && part.len > longest.len)
			longest = part;
	if (longest.len < 2)
		return;
	row->pairs[0] = pair_at(longest.at);
	row->pairs[1] = pair_at(longest.at + (longest.len - 1) / 2);
}

/* The shapes in lower case, one after the other. */
static void
lower_shapes(void)
{
	static char arena[ROWS * 128];
	size_t used = 0;

	for (size_t i = 0; i < ROWS; i++) {
		size_t len = strlen(rows[i].shape);

		if (used + len >= sizeof(arena))
			break; /* the unit test finds that */
		rows[i].lower = &arena[used];
		for (size_t j = 0; j < len; j++)
			arena[used++] = (char)tolower((unsigned char)rows[i].shape[j]);
		arena[used++] = '\0';
		set_pairs(&rows[i]);
	}
}

const struct log_shape *
log_shapes(size_t *count)
{
	if (rows[0].lower == NULL)
		lower_shapes();
	*count = ROWS;
	return rows;
}

void
log_pairs_take(struct log_pairs *pairs, const char *lower, size_t len)
{
	pairs->line++;
	for (size_t i = 0; i + 1 < len; i++)
		pairs->seen[pair_at(lower + i)] = pairs->line;
}

bool
log_pairs_allow(const struct log_pairs *pairs, const struct log_shape *row)
{
	return pairs->seen[row->pairs[0]] == pairs->line &&
	       pairs->seen[row->pairs[1]] == pairs->line;
}

/* Where the text is in the line from `from` on; len when it is not. */
static size_t
find_text(const char *line, size_t len, size_t from, const struct part *text)
{
	const char *hit;

	if (text->is_last) {
		if (len < from + text->len ||
		    memcmp(line + len - text->len, text->at, text->len) != 0)
			return len;
		return len - text->len;
	}
	hit = from < len ? memmem(line + from, len - from, text->at, text->len) : NULL;
	return hit != NULL ? (size_t)(hit - line) : len;
}

static void
keep(struct log_match *match, const struct part *part, const char *at, size_t len)
{
	if (match == NULL || part->len == 0 || match->count == LOG_VALUES_MAX)
		return;
	match->values[match->count++] =
	    (struct log_value){ .name = part->at, .name_len = part->len, .at = at, .len = len };
}

/* The parts of the shape from `at` on, values and the texts behind them. What is not behind `at` is
 * not behind a later place either. */
static bool
match_values(const char *shape, const char *line, const char *searched, size_t len, size_t at,
	     struct log_match *ret)
{
	struct part value, text;

	while (next_part(&shape, &value)) {
		size_t found;

		if (!next_part(&shape, &text)) { /* a value that goes to the end */
			keep(ret, &value, line + at, len - at);
			return true;
		}
		if ((found = find_text(searched, len, at, &text)) == len)
			return false;
		keep(ret, &value, line + at, found - at);
		at = found + text.len;
	}
	return true;
}

bool
log_shape_begins(const char *shape, const char *line, size_t len)
{
	struct part first;

	if (!next_part(&shape, &first) || first.is_value || len < first.len ||
	    memcmp(line, first.at, first.len) != 0)
		return false;
	return match_values(shape, line, line, len, first.len, NULL);
}

/* A word does not begin in the middle of another one. */
static bool
is_inside_word(const char *line, size_t at, char first)
{
	return at > 0 && isalnum((unsigned char)first) && isalnum((unsigned char)line[at - 1]);
}

/* Where the word begins that ends before `end`. */
static size_t
word_before(const char *line, size_t end)
{
	while (end > 0 && strchr(" \t\"'`(<>|", line[end - 1]) == NULL)
		end--;
	return end;
}

bool
log_shape_within(const struct log_shape *row, const char *line, const char *lower, size_t len,
		 struct log_match *ret)
{
	struct part lead = { 0 }, first;
	const char *shape = row->lower;

	if (!next_part(&shape, &first))
		return false;
	if (first.is_value) {
		lead = first;
		if (!next_part(&shape, &first))
			return false;
	}
	for (size_t at = 0; (at = find_text(lower, len, at, &first)) < len; at++) {
		*ret = (struct log_match){ .from = at };
		if (lead.at != NULL) {
			ret->from = word_before(line, at);
			keep(ret, &lead, line + ret->from, at - ret->from);
		}
		if (lead.at != NULL ? ret->from < at : !is_inside_word(line, at, first.at[0]))
			return match_values(shape, line, lower, len, at + first.len, ret);
	}
	return false;
}
