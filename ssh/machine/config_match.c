/* Which blocks of the configuration files count for a host, by ssh's rules: a block counts when its
 * patterns match the name as it was typed, and a file that is included counts where the block
 * counts that its Include stands in. Pure. */
#include "facts/words.h"
#include "ssh/machine/config_match.h"

#include <stdlib.h>
#include <string.h>

const struct fact_config_block *
config_block_at(const struct config_view *view, json_int_t number)
{
	return &view->scan->blocks[number - 1];
}

bool
config_is_include(const struct fact_config_block *block)
{
	return doc_same(block->keyword, "include");
}

char *
config_word(const char **at, const char *separators)
{
	const char *from = *at + strspn(*at, separators);
	size_t len = strcspn(from, separators), kept = 0;
	char *word;

	if (*from == '\0' || *from == '#')
		return NULL;
	word = strndup(from, len);
	for (size_t i = 0; word != NULL && i < len; i++)
		if (word[i] != '"')
			word[kept++] = word[i];
	if (word != NULL)
		word[kept] = '\0';
	*at = from + len;
	return word;
}

bool
config_patterns(const char *patterns, const char *separators, const char *name, bool any_case,
		bool *specific)
{
	bool matched = false, negated = false;
	char *word;

	while (name != NULL && !negated && (word = config_word(&patterns, separators)) != NULL) {
		const char *pattern = word[0] == '!' ? word + 1 : word;

		if (word_fits(pattern, strlen(pattern), name, any_case)) {
			negated = word[0] == '!';
			matched = true;
			*specific |= pattern[strspn(pattern, "*?")] != '\0';
		}
		free(word);
	}
	return matched && !negated;
}

enum fact_maybe
config_counts(const struct config_view *view, json_int_t block)
{
	return block >= 0 && (size_t)block <= view->scan->blocks_count ? view->counts[block]
								       : FACT_MAYBE;
}

/* ---- Match ---- */

struct criterion {
	char *word, *value; /* value: NULL for those that stand alone */
};

/* The value that a keyword has before the line of that number, by the first line that counts;
 * *known becomes false where a line may count or holds a token. */
static const char *
value_before(const struct config_view *view, const char *keyword, json_int_t lines, bool *known)
{
	for (size_t i = 0; i < (size_t)lines && i < view->scan->lines_count; i++) {
		const struct fact_config_line *line = &view->scan->lines[i];

		if (!doc_same(line->keyword, keyword) ||
		    config_counts(view, line->block) == FACT_NO)
			continue;
		*known = config_counts(view, line->block) == FACT_YES &&
			 strchr(line->value, '%') == NULL;
		return line->value;
	}
	return NULL;
}

/* Whether it is met; `specific` when it names the host. */
static enum fact_maybe
criterion_met(const struct config_view *view, const struct criterion *one, json_int_t lines,
	      bool *specific)
{
	const struct ssh_config_names *names = view->names;
	const char *word = one->word + (one->word[0] == '!'), *value;
	bool known = true, ignored = false, met;

	if (doc_same(word, "all"))
		met = true;
	else if (doc_same(word, "canonical") || doc_same(word, "final"))
		met = view->twice;
	else if (one->value == NULL)
		return FACT_MAYBE;
	else if (doc_same(word, "host")) {
		value = value_before(view, "hostname", lines, &known);
		met = config_patterns(one->value, ",", value != NULL ? value : names->name, true,
				      specific);
	} else if (doc_same(word, "originalhost"))
		met = config_patterns(one->value, ",", names->name, true, specific);
	else if (doc_same(word, "user")) {
		value =
		    names->user != NULL ? names->user : value_before(view, "user", lines, &known);
		met = config_patterns(one->value, ",", value != NULL ? value : names->local_user,
				      false, &ignored);
	} else if (doc_same(word, "localuser"))
		met = config_patterns(one->value, ",", names->local_user, false, &ignored);
	else
		return FACT_MAYBE;
	if (!known || view->twice)
		return FACT_MAYBE;
	return met != (one->word[0] == '!') ? FACT_YES : FACT_NO;
}

static bool
take_criterion(const char **at, struct criterion *ret)
{
	static const char *const alone[] = { "all", "canonical", "final" };
	const char *word;

	*ret = (struct criterion){ .word = config_word(at, " \t=") };
	if (ret->word == NULL)
		return false;
	word = ret->word + (ret->word[0] == '!');
	for (size_t i = 0; i < sizeof(alone) / sizeof(alone[0]); i++)
		if (doc_same(word, alone[i]))
			return true;
	ret->value = config_word(at, " \t=");
	return true;
}

struct config_match
config_match(const struct config_view *view, const struct fact_config_block *block)
{
	const char *criteria = block->patterns;
	struct config_match match = { .counts = FACT_YES };
	struct criterion one;

	while (take_criterion(&criteria, &one)) {
		bool specific = false;
		enum fact_maybe met = criterion_met(view, &one, block->lines, &specific);

		if (met == FACT_NO) {
			match.unmet++;
			free(match.criterion);
			match.criterion = doc_fmt("%s%s%s", one.word, one.value != NULL ? " " : "",
						  one.value != NULL ? one.value : "");
			/* "host" asks for the name behind HostName, not the one that is typed */
			if (doc_same(one.word, "host"))
				config_patterns(one.value, ",", view->names->name, true,
						&match.specific);
		} else {
			match.specific |= specific;
		}
		if (met != FACT_YES && match.counts != FACT_NO)
			match.counts = met;
		free(one.word);
		free(one.value);
	}
	return match;
}

/* ---- what counts ---- */

enum fact_maybe
config_counts_itself(const struct config_view *view, const struct fact_config_block *block)
{
	struct config_match match;
	bool specific = false;

	if (config_is_include(block))
		return FACT_YES;
	if (doc_same(block->keyword, "host")) {
		if (config_patterns(block->patterns, " \t", view->names->name, false, &specific))
			return FACT_YES;
		return view->twice ? FACT_MAYBE : FACT_NO;
	}
	match = config_match(view, block);
	free(match.criterion);
	return match.counts;
}

/* "Match final" makes ssh read its files again. */
static bool
wants_final(const struct fact_config_block *block)
{
	const char *at = block->patterns;
	bool found = false;
	char *word;

	while (!found && doc_same(block->keyword, "match") &&
	       (word = config_word(&at, " \t=")) != NULL) {
		found = doc_same(word + (word[0] == '!'), "final");
		free(word);
	}
	return found;
}

void
config_judge(struct config_view *view)
{
	view->twice = view->names->canonical;
	for (size_t i = 0; i < view->scan->blocks_count; i++)
		view->twice |= wants_final(&view->scan->blocks[i]);
	view->counts[0] = FACT_YES;
	for (size_t i = 0; i < view->scan->blocks_count; i++) {
		const struct fact_config_block *block = &view->scan->blocks[i];
		enum fact_maybe around = (size_t)block->inside <= i ? view->counts[block->inside]
								    : FACT_MAYBE,
				own = config_counts_itself(view, block);

		if (around == FACT_NO || own == FACT_NO)
			view->counts[i + 1] = FACT_NO;
		else
			view->counts[i + 1] = around == FACT_YES ? own : FACT_MAYBE;
	}
}
