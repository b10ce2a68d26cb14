/* Pure readers of what `ssh -G` prints. Its output is one "keyword value" a line, without quotes.
 */
#include "facts/command.h"
#include "ssh/machine/config.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define CONFIG_LINES 4096
#define CONFIG_KEYWORD 64
#define COMPLAINT_BYTES 4096
#define PATHS_BYTES 8192

struct line {
	const char *at;
	size_t len;
};

/* The next line without its end, cut at a NUL; false at the end of the text. */
static bool
next_line(const char **text, size_t *left, struct line *line)
{
	const char *end;

	if (*left == 0)
		return false;
	end = memchr(*text, '\n', *left);
	line->at = *text;
	line->len = end != NULL ? (size_t)(end - *text) : *left;
	*left -= line->len + (end != NULL);
	*text += line->len + (end != NULL);
	while (line->len > 0 && line->at[line->len - 1] == '\r')
		line->len--;
	line->len = strnlen(line->at, line->len);
	return true;
}

static bool
always_list(const char *keyword)
{
	return strcmp(keyword, "identityfile") == 0 || strcmp(keyword, "certificatefile") == 0;
}

/* Whoever sets variables may set secrets: only their names are kept. */
static size_t
secret_tail(const char *keyword, const char *value, size_t len)
{
	const char *equals = strcmp(keyword, "setenv") == 0 ? memchr(value, '=', len) : NULL;

	return equals != NULL ? (size_t)(equals - value) : len;
}

/* A value as it may be kept. */
static json_t *
value_kept(const char *keyword, const char *value, size_t len)
{
	json_t *kept;
	char *shown;

	if (!ssh_config_is_command(keyword))
		return doc_text(value, secret_tail(keyword, value, len));
	shown = command_shown(value, len);
	kept = doc_text(shown, strlen(shown));
	free(shown);
	return kept;
}

bool
ssh_config_is_command(const char *keyword)
{
	static const char *const commands[] = { "proxycommand", "localcommand", "remotecommand",
						"knownhostscommand" };

	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (strcmp(keyword, commands[i]) == 0)
			return true;
	return false;
}

static void
add_option(json_t *options, const char *keyword, json_t *value)
{
	json_t *old = json_object_get(options, keyword);

	if (json_is_array(old))
		json_array_append_new(old, value);
	else if (old != NULL)
		json_object_set_new(options, keyword, json_pack("[O, o]", old, value));
	else if (always_list(keyword))
		json_object_set_new(options, keyword, json_pack("[o]", value));
	else
		json_object_set_new(options, keyword, value);
}

static void
add_line(json_t *options, const struct line *line)
{
	char keyword[CONFIG_KEYWORD];
	size_t len = 0, at;

	while (len < line->len && len < sizeof(keyword) - 1 &&
	       isalnum((unsigned char)line->at[len])) {
		keyword[len] = (char)tolower((unsigned char)line->at[len]);
		len++;
	}
	keyword[len] = '\0';
	if (len == 0 || (len < line->len && line->at[len] != ' '))
		return;
	at = len < line->len ? len + 1 : len;
	add_option(options, keyword, value_kept(keyword, line->at + at, line->len - at));
}

json_t *
ssh_config_parse(const char *text, size_t len)
{
	json_t *options = json_object();
	struct line line;

	for (size_t i = 0; i < CONFIG_LINES && next_line(&text, &len, &line); i++)
		add_line(options, &line);
	return options;
}

const char *
ssh_config_value(const char *option)
{
	return option != NULL && *option != '\0' && strcmp(option, "none") != 0 ? option : NULL;
}

/* ---- what ssh says when it refuses ---- */

static bool
starts(const struct line *line, const char *word)
{
	size_t len = strlen(word);

	return line->len >= len && memcmp(line->at, word, len) == 0;
}

static bool
holds(const struct line *line, const char *word)
{
	return memmem(line->at, line->len, word, strlen(word)) != NULL;
}

/* "FILE: line 2: what" or "FILE line 2: what"; numbers of more than nine digits are none. */
static bool
read_place(const struct line *line, struct line *file, long *number, struct line *what)
{
	const char *end = line->at + line->len, *at = line->at;

	while ((at = memmem(at, (size_t)(end - at), " line ", 6)) != NULL) {
		const char *digits = at + 6, *after = digits;

		while (after < end && isdigit((unsigned char)*after))
			after++;
		if (after > digits && after - digits < 10 && after < end && *after == ':' &&
		    at > line->at) {
			*file = (struct line){ line->at, (size_t)(at - line->at) };
			if (file->at[file->len - 1] == ':')
				file->len--;
			*number = strtol(digits, NULL, 10);
			after++;
			while (after < end && *after == ' ')
				after++;
			*what = (struct line){ after, (size_t)(end - after) };
			return true;
		}
		at = digits;
	}
	return false;
}

/* The word that ssh complains of: what stands in quotes, else what follows the last ": ". */
static struct line
complained_word(const struct line *what)
{
	const char *end = what->at + what->len, *open = NULL, *close = NULL, *colon;

	for (const char *at = what->at; at < end; at++)
		if (*at == '"' || *at == '\'') {
			if (open == NULL)
				open = at + 1;
			close = at;
		}
	if (open != NULL && close > open)
		return (struct line){ open, (size_t)(close - open) };
	colon = memrchr(what->at, ':', what->len);
	if (colon == NULL || colon + 2 >= end)
		return (struct line){ what->at, 0 };
	return (struct line){ colon + 2, (size_t)(end - colon - 2) };
}

/* A text that is not empty. */
#define PUT_LINE(obj, member, text)                                                                \
	FACT_PUT_JSON(obj, ssh_config, member,                                                     \
		      (text)->len > 0 ? doc_text((text)->at, (text)->len) : NULL)

/* A path at the end of "Bad owner or permissions on PATH" and "Can't open user config file PATH:
 * reason". */
static bool
read_file_complaint(json_t *obj, const struct line *line)
{
	static const struct {
		const char *words;
		enum config_problem problem;
		bool reason;
	} forms[] = {
		{ "Bad owner or permissions on ", CONFIG_PERMISSIONS, false },
		{ "Can't open user config file ", CONFIG_UNREADABLE, true },
	};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct line path = { line->at + strlen(forms[i].words), 0 };
		const char *colon;

		if (!starts(line, forms[i].words))
			continue;
		path.len = line->len - strlen(forms[i].words);
		if (forms[i].reason && (colon = memrchr(path.at, ':', path.len)) != NULL)
			path.len = (size_t)(colon - path.at);
		FACT_PUT(obj, ssh_config, problem, forms[i].problem);
		PUT_LINE(obj, file, &path);
		PUT_LINE(obj, message, line);
		return true;
	}
	return false;
}

static bool
read_place_complaint(json_t *obj, const struct line *line)
{
	struct line file, what, word;
	long number;

	if (!read_place(line, &file, &number, &what) || starts(&what, "Unsupported option \"") ||
	    starts(&what, "Deprecated option"))
		return false;
	FACT_PUT(obj, ssh_config, problem,
		 starts(&what, "Bad configuration option") ? CONFIG_OPTION : CONFIG_VALUE);
	PUT_LINE(obj, file, &file);
	FACT_PUT(obj, ssh_config, line, number);
	PUT_LINE(obj, message, &what);
	word = complained_word(&what);
	PUT_LINE(obj, option, &word);
	return true;
}

static bool
read_other_complaint(json_t *obj, const struct line *line)
{
	static const struct {
		const char *words;
		enum config_problem problem;
	} complaints[] = { { "No user exists for uid", CONFIG_NO_USER },
			   { "contains invalid characters", CONFIG_NAME },
			   { "has no value", CONFIG_VARIABLE },
			   { "nvironment variable", CONFIG_VARIABLE } };
	size_t i = 0;

	while (i < sizeof(complaints) / sizeof(*complaints) && !holds(line, complaints[i].words))
		i++;
	if (i == sizeof(complaints) / sizeof(*complaints))
		return false;
	FACT_PUT(obj, ssh_config, problem, complaints[i].problem);
	PUT_LINE(obj, message, line);
	return true;
}

/* ssh names every option that it does not know; all of them together make one remedy. */
static void
gather_options(json_t *obj, const char *text, size_t left)
{
	char options[512] = "";
	size_t len = 0;
	struct line line, file, what;
	long number;

	while (next_line(&text, &left, &line)) {
		struct line word;

		if (!read_place(&line, &file, &number, &what) ||
		    !starts(&what, "Bad configuration option"))
			continue;
		word = complained_word(&what);
		if (word.len == 0 || word.len + len + 2 > sizeof(options) ||
		    memmem(options, len, word.at, word.len) != NULL)
			continue;
		if (len > 0)
			options[len++] = ',';
		memcpy(options + len, word.at, word.len);
		len += word.len;
	}
	if (len > 0)
		FACT_PUT_BYTES(obj, ssh_config, option, options, len);
}

void
ssh_config_complaint(json_t *obj, const char *text, size_t len)
{
	static bool (*const readers[])(json_t *, const struct line *) = { read_place_complaint,
									  read_file_complaint,
									  read_other_complaint };
	const char *all = text;
	size_t left = len < COMPLAINT_BYTES ? len : COMPLAINT_BYTES, total = left;
	struct line line, last = { text, 0 };
	bool found = false;

	while (!found && next_line(&text, &left, &line)) {
		for (size_t i = 0; !found && i < sizeof(readers) / sizeof(readers[0]); i++)
			found = readers[i](obj, &line);
		if (line.len > 0)
			last = line;
	}
	if (!found) {
		FACT_PUT(obj, ssh_config, problem, CONFIG_OTHER);
		PUT_LINE(obj, message, &last);
	}
	if (FACT_GET(obj, ssh_config, problem) == CONFIG_OPTION)
		gather_options(obj, all, total);
	if (total > 0)
		FACT_PUT_BYTES(obj, ssh_config, stderr_, all, total);
}

int
ssh_config_timeout(const struct ssh_config_request *request)
{
	return request->timeout_ms > 0 ? request->timeout_ms : SSH_CONFIG_TIMEOUT_MS;
}

bool
ssh_config_safe(const char *text)
{
	if (*text == '\0' || *text == '-')
		return false;
	for (; *text != '\0'; text++)
		if (iscntrl((unsigned char)*text) || strchr(" '`\"$\\;&<>|(){}", *text) != NULL)
			return false;
	return true;
}

bool
ssh_user_valid(const char *text)
{
	size_t len = strlen(text);

	if (len == 0 || *text == '-' || text[len - 1] == '\\')
		return false;
	for (; *text != '\0'; text++)
		if (iscntrl((unsigned char)*text) || strchr(" '`\";&<>|(){}", *text) != NULL)
			return false;
	return true;
}

/* ---- does the configuration treat two names differently? ---- */

/* A run of exactly 40 hexadecimal digits at `at`: what %C stands for. */
static bool
is_hash(const char *at)
{
	size_t len = strspn(at, "0123456789abcdef");

	return len == 40;
}

/* Equal but for the two names (as %h or %n left them) and for hashes over them? */
static bool
same_but_name(const char *a, const char *name_a, const char *b, const char *name_b)
{
	size_t len_a = strlen(name_a), len_b = strlen(name_b);

	while (*a != '\0' && *b != '\0') {
		if (strncasecmp(b, name_b, len_b) == 0 && strncasecmp(a, name_a, len_a) == 0) {
			a += len_a;
			b += len_b;
		} else if (is_hash(a) && is_hash(b)) {
			a += 40;
			b += 40;
		} else if (*a++ != *b++) {
			return false;
		}
	}
	return *a == *b;
}

static bool
same_value(const json_t *a, const char *name_a, const json_t *b, const char *name_b)
{
	if (json_is_string(a) && json_is_string(b))
		return same_but_name(json_string_value(a), name_a, json_string_value(b), name_b);
	if (!json_is_array(a) || !json_is_array(b) || json_array_size(a) != json_array_size(b))
		return false;
	for (size_t i = 0; i < json_array_size(a); i++)
		if (!same_value(json_array_get(a, i), name_a, json_array_get(b, i), name_b))
			return false;
	return true;
}

bool
ssh_config_differs(json_t *options, const char *name, json_t *neutral, const char *neutral_name)
{
	const char *hostname = FACT_GET(options, ssh_options, hostname), *key;
	json_t *value;

	if (hostname == NULL || strcasecmp(hostname, name) != 0)
		return true;
	json_object_foreach (options, key, value)
		if (strcmp(key, "host") != 0 && strcmp(key, "hostname") != 0 &&
		    !same_value(value, name, json_object_get(neutral, key), neutral_name))
			return true;
	json_object_foreach (neutral, key, value)
		if (json_object_get(options, key) == NULL)
			return true;
	return false;
}

/* ---- lists of paths that ssh -G prints without quotes ---- */

/* The length of the path that begins at text: to the first blank where an existing path ends; where
 * none exists, to the blank before the next word that begins like an absolute path. */
static size_t
path_length(const char *text, bool (*exists)(const char *path))
{
	size_t len = strlen(text), guess = 0;
	char *copy = strdup(text);

	for (size_t end = strcspn(text, " "); copy != NULL && end <= len;
	     end += 1 + strcspn(text + end + 1, " ")) {
		bool last = text[end] == '\0';

		copy[end] = '\0';
		if (guess == 0 && (last || text[end + 1] == '/' || text[end + 1] == '~'))
			guess = end;
		if (exists(copy)) {
			guess = end;
			break;
		}
		if (last)
			break;
		copy[end] = ' ';
	}
	free(copy);
	return guess > 0 ? guess : strcspn(text, " ");
}

json_t *
ssh_config_paths(const char *value, bool (*exists)(const char *path))
{
	json_t *paths = json_array();

	if (value == NULL || strcmp(value, "none") == 0 || strlen(value) > PATHS_BYTES)
		return paths;
	while (*(value += strspn(value, " ")) != '\0' && json_array_size(paths) < 64) {
		size_t len = path_length(value, exists);

		json_array_append_new(paths, doc_text(value, len));
		value += len;
	}
	return paths;
}
