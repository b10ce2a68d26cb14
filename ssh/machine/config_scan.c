/* A look into the configuration files themselves, for what `ssh -G` does not tell: where a line
 * stands, and which lines run commands. What ssh makes of the files is left to ssh. */
#include "facts/command.h"
#include "facts/file.h"
#include "facts/words.h"
#include "ssh/machine/config.h"

#include <ctype.h>
#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>

enum {
	SCAN_FILES = 64,
	SCAN_DEPTH = 16,
	SCAN_LINES = 8192,
	SCAN_BLOCKS = 4096,
	SCAN_VARIABLES = 32,
	SCAN_BYTES = 1 << 20,
	WORD_MAX_BYTES = 1024
};

#define SYSTEM_CONFIG "/etc/ssh/ssh_config"
#define SYSTEM_DIR "/etc/ssh/"

struct scan {
	json_t *ret;
	size_t files;
	bool system;        /* relative Includes are looked for beside the system's file */
	json_int_t within;  /* the Include that brought this file in; 0: none */
	json_int_t block;   /* the one that the line stands in; 0: none */
	bool indented, gap; /* in this block: lines that are indented, and an empty line behind */
	bool full;          /* no more blocks, nor lines of them */
	bool apart;         /* of the line itself, and of those before it since the gap */
};

struct place {
	const char *file;
	json_int_t line;
};

static void scan_file(struct scan *scan, const char *path, int depth);

/* The keywords that a report may point at. */
static const char *const pointed_at[] = {
	"hostname",        "user",          "port",
	"proxyjump",       "proxycommand",  "controlpath",
	"hostkeyalias",    "batchmode",     "stricthostkeychecking",
	"identityfile",    "identityagent", "identitiesonly",
	"certificatefile", "bindaddress",   "userknownhostsfile",
	"bindinterface",   "remotecommand", "hostkeyalgorithms"
};

/* The next word of a line: blanks or one '=' end it, quotes hold it together. false when there is
 * none. */
static bool
next_word(const char **at, char *word, size_t size)
{
	const char *p = *at + strspn(*at, " \t\r");
	size_t len = 0;
	char quote = '\0';

	if (*p == '\0' || *p == '#')
		return false;
	for (; *p != '\0' && (quote != '\0' || strchr(" \t\r=", *p) == NULL); p++) {
		if (*p == '\\' && (p[1] == '"' || p[1] == '\'' || p[1] == '\\'))
			p++;
		else if (quote == '\0' && (*p == '"' || *p == '\'')) {
			quote = *p;
			continue;
		} else if (quote != '\0' && *p == quote) {
			quote = '\0';
			continue;
		}
		if (len < size - 1)
			word[len++] = *p;
	}
	word[len] = '\0';
	p += strspn(p, " \t\r");
	if (*p == '=')
		p++;
	*at = p;
	return true;
}

static void
lower(char *word)
{
	for (; *word != '\0'; word++)
		*word = (char)tolower((unsigned char)*word);
}

/* Match lines: "exec" is a criterion with a command, which ssh runs whenever it reads its
 * configuration. */
static void
read_match(struct scan *scan, const char *args, const struct place *place)
{
	static const char *const alone[] = { "all", "canonical", "final", "invalid-user" };
	char word[WORD_MAX_BYTES], value[WORD_MAX_BYTES], *shown;

	while (next_word(&args, word, sizeof(word))) {
		const char *criterion = word[0] == '!' ? word + 1 : word;

		lower(word);
		if (word_among(criterion, alone, sizeof(alone) / sizeof(alone[0])))
			continue;
		if (!next_word(&args, value, sizeof(value)))
			return;
		if (strcmp(criterion, "exec") != 0 ||
		    FACT_JSON(scan->ret, config_scan, match_exec) != NULL)
			continue;
		shown = command_shown(value, strlen(value));
		FACT_PUT_JSON(scan->ret, config_scan, match_exec,
			      FACT_OBJECT(config_command, .command = shown, .file = place->file,
					  .line = place->line));
		free(shown);
	}
}

/* ---- blocks ---- */

/* Opens a block; what follows stands in it. */
static void
add_block(struct scan *scan, const char *keyword, const char *patterns, const struct place *place,
	  json_int_t inside)
{
	json_t *blocks = FACT_JSON(scan->ret, config_scan, blocks);
	json_int_t before = (json_int_t)json_array_size(FACT_JSON(scan->ret, config_scan, lines));
	size_t len = strcspn(patterns, "\r\n");

	scan->indented = scan->gap = scan->apart = false;
	scan->full |= json_array_size(blocks) >= SCAN_BLOCKS;
	if (scan->full)
		return;
	while (len > 0 && (patterns[len - 1] == ' ' || patterns[len - 1] == '\t'))
		len--;
	json_array_append_new(blocks,
			      FACT_OBJECT(config_block, .keyword = keyword, .file = place->file,
					  .line = place->line, .inside = inside, .lines = before));
	FACT_PUT_BYTES(json_array_get(blocks, json_array_size(blocks) - 1), config_block, patterns,
		       patterns, len < WORD_MAX_BYTES ? len : WORD_MAX_BYTES);
	scan->block = (json_int_t)json_array_size(blocks);
}

/* People indent what belongs to a block: a line that is not, behind an empty one, was meant for
 * every host. */
static void
note_indent(struct scan *scan, const char *line)
{
	size_t blanks = strspn(line, " \t\r");

	if (line[blanks] == '\0') {
		scan->gap = scan->indented;
	} else if (line[blanks] != '#') {
		scan->apart = blanks == 0 && (scan->gap || scan->apart);
		scan->indented |= blanks > 0;
		scan->gap = false;
	}
}

/* Where a relative or ~ pattern of Include leads, as ssh has it. */
static char *
include_path(const struct scan *scan, const char *pattern)
{
	if (pattern[0] == '/' || pattern[0] == '~')
		return strdup(pattern);
	return doc_fmt("%s%s", scan->system ? SYSTEM_DIR : "~/.ssh/", pattern);
}

static void
read_include(struct scan *scan, const char *args, const struct place *place, int depth)
{
	const struct scan outside = *scan;
	char pattern[WORD_MAX_BYTES];

	while (next_word(&args, pattern, sizeof(pattern))) {
		char *path = include_path(scan, pattern);
		glob_t found = { 0 };

		if (path != NULL && glob(path, GLOB_TILDE, NULL, &found) == 0)
			for (size_t i = 0; i < found.gl_pathc; i++) {
				add_block(scan, "include", pattern, place, outside.block);
				scan->within = scan->block;
				scan_file(scan, found.gl_pathv[i], depth + 1);
				scan->within = outside.within;
				scan->block = outside.block;
			}
		globfree(&found);
		free(path);
	}
	scan->indented = outside.indented;
	scan->gap = outside.gap;
	scan->apart = outside.apart;
}

static void
read_pointed(struct scan *scan, const char *keyword, const char *args, const struct place *place)
{
	json_t *lines = FACT_JSON(scan->ret, config_scan, lines);
	char value[WORD_MAX_BYTES], *shown = NULL;

	if (scan->full || json_array_size(lines) >= SCAN_LINES ||
	    !next_word(&args, value, sizeof(value)))
		return;
	if (ssh_config_is_command(keyword))
		shown = command_shown(value, strlen(value));
	json_array_append_new(lines, FACT_OBJECT(config_line, .keyword = keyword,
						 .value = shown != NULL ? shown : value,
						 .file = place->file, .line = place->line,
						 .block = scan->block, .apart = scan->apart));
	free(shown);
}

static void
read_variables(struct scan *scan, const char *text)
{
	json_t *names = FACT_JSON(scan->ret, config_scan, variables);

	while ((text = strstr(text, "${")) != NULL && json_array_size(names) < SCAN_VARIABLES) {
		size_t len = 0;

		text += 2;
		while (isalnum((unsigned char)text[len]) || text[len] == '_')
			len++;
		if (len > 0 && len < 128 && text[len] == '}')
			json_array_append_new(names, doc_text(text, len));
	}
}

static void
read_line(struct scan *scan, const char *text, const struct place *place, int depth)
{
	char keyword[64];

	note_indent(scan, text);
	if (!next_word(&text, keyword, sizeof(keyword)))
		return;
	lower(keyword);
	read_variables(scan, text);
	if (strcmp(keyword, "match") == 0 || strcmp(keyword, "host") == 0)
		add_block(scan, keyword, text, place, scan->within);
	if (strcmp(keyword, "match") == 0)
		read_match(scan, text, place);
	else if (strcmp(keyword, "include") == 0)
		read_include(scan, text, place, depth);
	else if (word_among(keyword, pointed_at, sizeof(pointed_at) / sizeof(pointed_at[0])))
		read_pointed(scan, keyword, text, place);
}

static void
scan_file(struct scan *scan, const char *path, int depth)
{
	struct place place = { .file = path };
	struct buffer file = { 0 };
	char *rest, *line;

	if (depth > SCAN_DEPTH || scan->files >= SCAN_FILES)
		return;
	scan->files++;
	scan->indented = scan->gap = scan->apart = false;
	if (file_read(path, SCAN_BYTES, &file, NULL) < 0)
		return;
	rest = (char *)file.at;
	while ((line = strsep(&rest, "\n")) != NULL) {
		place.line++;
		read_line(scan, line, &place, depth);
	}
	buffer_free(&file);
}

json_t *
ssh_config_scan(const char *file, const char *home)
{
	struct scan scan = { .ret = json_object() };
	char *path;

	FACT_PUT_JSON(scan.ret, config_scan, lines, json_array());
	FACT_PUT_JSON(scan.ret, config_scan, blocks, json_array());
	FACT_PUT_JSON(scan.ret, config_scan, variables, json_array());
	if (file != NULL) {
		scan_file(&scan, file, 0);
		return scan.ret;
	}
	if (home != NULL && (path = doc_fmt("%s/.ssh/config", home)) != NULL) {
		scan_file(&scan, path, 0);
		free(path);
	}
	scan.system = true;
	scan.block = 0;
	scan_file(&scan, SYSTEM_CONFIG, 0);
	return scan.ret;
}
