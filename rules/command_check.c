/* What a rule may not write into a command, because a value could not be quoted there. */
#include "rules/tree.h"

#include <stdlib.h>
#include <string.h>

/* A shell text while it is checked. */
struct place {
	struct scan scan;
	const char *quote;         /* what follows the quote that was opened last */
	const char *word, *before; /* the word here, and the one before it */
	size_t before_len;
};

static bool
takes_script(const char *word, size_t len)
{
	static const char *const options[] = { "--scripts", "-c", "-lc", "-ScriptString" };

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (len == strlen(options[i]) && memcmp(word, options[i], len) == 0)
			return true;
	return false;
}

/* true when a placeholder is only a part of a script: a shell would read its value once more. */
static bool
in_script(const struct place *place, const char *from, const char *rest)
{
	bool whole = from == place->word && (*rest == '\0' || strchr(" \n;|&)", *rest) != NULL);

	return takes_script(place->word, strcspn(place->word, "= ")) ||
	       (!whole && takes_script(place->before, place->before_len));
}

static const char *
placeholder_wrong(const struct place *place, const char *from, const char *rest)
{
	if (place->scan.escaped)
		return "has an escape character before a placeholder; accepted: a placeholder on "
		       "its own, it is quoted as needed";
	if (place->scan.dollar)
		return "has a $ before a placeholder; accepted: a placeholder on its own, or an "
		       "upper-case ${VARIABLE}";
	if (in_script(place, from, rest))
		return "has a placeholder in a script; accepted: argv with {script: ...} in it";
	if (scan_place(&place->scan) != ' ' &&
	    (scan_place(&place->scan) == '"' || place->quote != from || *rest != '\''))
		return "has a placeholder in quotes; accepted: a placeholder on its own, it is "
		       "quoted as needed";
	return NULL;
}

/* Goes over one character of literal text. */
static const char *
literal_wrong(struct place *place, const char *p)
{
	size_t depth = place->scan.depth;
	bool outside = depth == 0 && !place->scan.escaped;
	const char *wrong = scan_char(&place->scan, *p);

	if (place->scan.depth > depth)
		place->quote = p + 1;
	if (outside && strchr(" \n;|&", *p) != NULL) {
		if (p > place->word) {
			place->before = place->word;
			place->before_len = (size_t)(p - place->word);
		}
		place->word = p + 1;
	}
	return wrong;
}

static const char *
text_wrong(const char *text, enum lang lang)
{
	struct place place = { .scan = { .lang = lang }, .quote = text, .word = text };
	const char *rest = text, *from, *name, *wrong = NULL;
	size_t len;
	bool more = true;

	if (lang != LANG_SH && lang != LANG_PS)
		return NULL;
	place.before = text;
	for (const char *p = text; more && wrong == NULL; p = rest) {
		const char *start = p;

		more = words_next(&rest, &from, &name, &len);
		for (p = start; wrong == NULL && *p != '\0' && (!more || p < from); p++)
			wrong = literal_wrong(&place, p);
		if (more && wrong == NULL)
			wrong = placeholder_wrong(&place, from, rest);
	}
	return wrong != NULL ? wrong : scan_end(&place.scan);
}

/* JSON, and not a placeholder. */
static bool
is_json(const char *text)
{
	const char *rest = text, *from, *name;
	size_t len;

	return text[0] == '[' ||
	       (text[0] == '{' && !(words_next(&rest, &from, &name, &len) && from == text));
}

static const char *
argument_wrong(const struct argument *argument, enum lang script, const char *text)
{
	const char *rest = text, *from, *name;
	size_t len;

	if (argument->script)
		return text_wrong(text, script);
	if (is_json(text) && words_next(&rest, &from, &name, &len))
		return "has a placeholder in JSON; accepted: one placeholder for the whole value";
	return NULL;
}

const char *
command_wrong(const char *command, const char *dialect)
{
	enum lang script = LANG_SH;
	const char *wrong = NULL;
	struct argument argument;

	if (!command_is_list(command))
		return text_wrong(command, lang_of_dialect(dialect));
	for (const char *at = command; wrong == NULL && command_next(command, &at, &argument);) {
		char *text = strndup(argument.text, argument.len);

		script = command_script_lang(script, &argument);
		wrong = text == NULL ? "is too large" : argument_wrong(&argument, script, text);
		free(text);
	}
	return wrong;
}
