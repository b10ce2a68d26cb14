/* Blocks and lines of the configuration files that speak of a host and do not count for it. Pure.
 */
#include "facts/words.h"
#include "ssh/machine/config_match.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { UNUSED_MAX = 16, SETTINGS_MAX = 16 };

/* ---- what speaks of the host all the same ---- */

static char *
head_of(const struct fact_config_block *block)
{
	return doc_fmt("%s %s", doc_same(block->keyword, "match") ? "Match" : "Host",
		       block->patterns);
}

/* A plain name among the patterns of a Host line: what can be typed. */
static char *
plain_name(const struct fact_config_block *block)
{
	const char *at = block->patterns;
	char *word = NULL;

	while (doc_same(block->keyword, "host") && (word = config_word(&at, " \t")) != NULL &&
	       (strpbrk(word, "*?!,") != NULL || !ssh_config_safe(word)))
		free(word);
	return word;
}

static json_t *
settings_of(const struct config_view *view, json_int_t number, bool apart)
{
	json_t *ret = json_array();

	for (size_t i = 0; i < view->scan->lines_count; i++) {
		const struct fact_config_line *line = &view->scan->lines[i];

		if (line->block == number && (line->apart || !apart) &&
		    json_array_size(ret) < SETTINGS_MAX)
			json_array_append_new(ret,
					      FACT_OBJECT(config_line, .keyword = line->keyword,
							  .value = line->value, .file = line->file,
							  .line = line->line));
	}
	return ret;
}

/* Adds what was found of the block; NULL where there is room for no more, or nothing is set there.
 * Borrowed. */
static json_t *
add_unused(struct config_view *view, enum config_miss why, json_int_t number)
{
	const struct fact_config_block *block = config_block_at(view, number);
	json_t *settings = settings_of(view, number, why == MISS_LINE), *entry;
	char *head, *name;

	if (json_array_size(view->ret) >= UNUSED_MAX || json_array_size(settings) == 0) {
		json_decref(settings);
		return NULL;
	}
	head = head_of(block);
	name = plain_name(block);
	entry = FACT_OBJECT(config_unused, .why = why, .block = head, .name = name,
			    .file = block->file, .line = block->line);
	FACT_PUT_JSON(entry, config_unused, settings, settings);
	json_array_append_new(view->ret, entry);
	free(head);
	free(name);
	return entry;
}

/* The Include on the way to the block that stands in a block for other hosts; 0: there is none. */
static json_int_t
include_in_block(const struct config_view *view, const struct fact_config_block *block)
{
	json_int_t number = block->inside;

	while (number > 0) {
		const struct fact_config_block *include = config_block_at(view, number);
		json_int_t around = include->inside;

		if (around > 0 && !config_is_include(config_block_at(view, around)) &&
		    config_counts_itself(view, config_block_at(view, around)) == FACT_NO)
			return number;
		number = around > 0 ? config_block_at(view, around)->inside : 0;
	}
	return 0;
}

static void
included_in_vain(struct config_view *view, json_int_t number)
{
	const struct fact_config_block *block = config_block_at(view, number), *include, *around;
	json_int_t way = include_in_block(view, block);
	struct config_match match = { 0 };
	char *head, *line;
	json_t *entry;

	if (doc_same(block->keyword, "host"))
		config_patterns(block->patterns, " \t", view->names->name, false, &match.specific);
	else
		match = config_match(view, block);
	free(match.criterion);
	if (way == 0 || !match.specific || (entry = add_unused(view, MISS_INCLUDE, number)) == NULL)
		return;
	include = config_block_at(view, way);
	around = config_block_at(view, include->inside);
	head = head_of(around);
	line = doc_fmt("Include %s", include->patterns);
	FACT_PUT(entry, config_unused, around, head);
	FACT_PUT(entry, config_unused, around_file, around->file);
	FACT_PUT(entry, config_unused, around_line, around->line);
	FACT_PUT(entry, config_unused, include, line);
	FACT_PUT(entry, config_unused, include_file, include->file);
	FACT_PUT(entry, config_unused, include_line, include->line);
	free(head);
	free(line);
}

/* The same host, by what the block itself says of its address? */
static bool
leads_there(const struct config_view *view, json_int_t number)
{
	for (size_t i = 0; i < view->scan->lines_count; i++) {
		const struct fact_config_line *line = &view->scan->lines[i];

		if (line->block == number && doc_same(line->keyword, "hostname"))
			return doc_same(line->value, view->names->hostname) ||
			       doc_same(line->value, view->names->name);
	}
	return false;
}

/* A pattern that would be the typed name, were it not for its case, a comma, a user in front or a
 * port behind: ssh compares with none of these. */
static bool
almost_names(const struct config_view *view, const char *patterns)
{
	bool found = false;
	char *word;

	while (!found && (word = config_word(&patterns, " \t,")) != NULL) {
		char *from = strrchr(word, '@'), *colon;

		from = from != NULL ? from + 1 : word;
		colon = strrchr(from, ':');
		if (colon != NULL && strchr(from, ':') == colon &&
		    colon[1 + strspn(colon + 1, "0123456789")] == '\0')
			*colon = '\0';
		found = from[0] != '!' && strpbrk(from, "*?") == NULL &&
			doc_same(from, view->names->name);
		free(word);
	}
	return found;
}

static bool
negates(const struct config_view *view, const char *patterns)
{
	bool found = false;
	char *word;

	while (!found && (word = config_word(&patterns, " \t")) != NULL) {
		found = word[0] == '!' &&
			word_fits(word + 1, strlen(word + 1), view->names->name, false);
		free(word);
	}
	return found;
}

static void
not_matched(struct config_view *view, json_int_t number)
{
	const struct fact_config_block *block = config_block_at(view, number);
	struct config_match match;
	json_t *entry;

	if (doc_same(block->keyword, "host")) {
		if (negates(view, block->patterns))
			return;
		if (almost_names(view, block->patterns))
			add_unused(view, MISS_PATTERN, number);
		else if (leads_there(view, number))
			add_unused(view, MISS_NAME, number);
		return;
	}
	match = config_match(view, block);
	if (match.unmet == 1 && (match.specific || strncasecmp(match.criterion, "user ", 5) == 0) &&
	    (entry = add_unused(view, MISS_MATCH, number)) != NULL) {
		FACT_PUT(entry, config_unused, criterion, match.criterion);
		if (!match.specific)
			FACT_PUT(entry, config_unused, any_host, true);
	}
	free(match.criterion);
}

static void
lines_apart(struct config_view *view, json_int_t number)
{
	const struct fact_config_block *block = config_block_at(view, number);
	const struct fact_config_line *first = NULL;
	json_t *entry;
	char *head;

	for (size_t i = 0; i < view->scan->lines_count && first == NULL; i++)
		if (view->scan->lines[i].block == number && view->scan->lines[i].apart)
			first = &view->scan->lines[i];
	if (first == NULL || (entry = add_unused(view, MISS_LINE, number)) == NULL)
		return;
	head = head_of(block);
	FACT_PUT(entry, config_unused, around, head);
	FACT_PUT(entry, config_unused, around_file, block->file);
	FACT_PUT(entry, config_unused, around_line, block->line);
	FACT_PUT(entry, config_unused, file, first->file);
	FACT_PUT(entry, config_unused, line, first->line);
	free(head);
}

/* ---- settings that come too late ---- */

static bool
is_specific(const struct config_view *view, json_int_t number)
{
	const struct fact_config_block *block;
	bool specific = false;

	if (number == 0 || config_is_include(block = config_block_at(view, number)))
		return false;
	if (!doc_same(block->keyword, "host"))
		return true; /* a condition of its own */
	config_patterns(block->patterns, " \t", view->names->name, false, &specific);
	return specific;
}

/* Of a keyword with one value the first line that counts is taken: a general block in front of the
 * host's own leaves that without effect. */
static void
too_late(struct config_view *view, const char *keyword)
{
	const struct fact_config_line *first = NULL;
	json_t *entry = NULL;
	char *head;

	for (size_t i = 0; i < view->scan->lines_count && entry == NULL; i++) {
		const struct fact_config_line *line = &view->scan->lines[i];

		if (!doc_same(line->keyword, keyword) ||
		    config_counts(view, line->block) == FACT_NO)
			continue;
		if (config_counts(view, line->block) == FACT_MAYBE)
			return;
		if (first == NULL) {
			first = line;
			if (is_specific(view, line->block))
				return;
		} else if (is_specific(view, line->block) &&
			   !word_same(line->value, first->value) &&
			   (entry = add_unused(view, MISS_LATE, line->block)) != NULL) {
			FACT_PUT_JSON(entry, config_unused, settings, json_array());
			json_array_append_new(FACT_JSON(entry, config_unused, settings),
					      FACT_OBJECT(config_line, .keyword = line->keyword,
							  .value = line->value, .file = line->file,
							  .line = line->line));
			head = doc_fmt("%s %s", first->keyword, first->value);
			FACT_PUT(entry, config_unused, around, head);
			FACT_PUT(entry, config_unused, around_file, first->file);
			FACT_PUT(entry, config_unused, around_line, first->line);
			FACT_PUT(entry, config_unused, line, line->line);
			free(head);
		}
	}
}

json_t *
ssh_config_unused(const json_t *found, const struct ssh_config_names *names)
{
	static const char *const single[] = { "user",        "hostname",      "port",
					      "proxyjump",   "identityagent", "identitiesonly",
					      "hostkeyalias" };
	struct config_view view = { .names = names, .ret = json_array() };
	struct fact_config_scan scan;

	fact_read(found, shape_of_config_scan(), &scan);
	view.scan = &scan;
	view.counts = calloc(scan.blocks_count + 1, sizeof(*view.counts));
	if (names->name != NULL && view.counts != NULL) {
		config_judge(&view);
		for (size_t i = 0; i < scan.blocks_count; i++) {
			const struct fact_config_block *block = &scan.blocks[i];
			json_int_t number = (json_int_t)i + 1;

			if (config_is_include(block) || view.counts[number] != FACT_NO)
				continue;
			if (view.counts[block->inside] == FACT_NO)
				included_in_vain(&view, number);
			else
				not_matched(&view, number);
			lines_apart(&view, number);
		}
		for (size_t i = 0; i < sizeof(single) / sizeof(single[0]); i++)
			too_late(&view, single[i]);
	}
	free(view.counts);
	fact_free(shape_of_config_scan(), &scan);
	return view.ret;
}
