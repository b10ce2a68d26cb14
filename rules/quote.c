#include "rules/tree.h"
#include "facts/doc.h"
#include "facts/visible.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAFE_SH "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_@%+=:,./-"
#define SAFE_PS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_:./-"
#define DIGITS "0123456789"

enum lang
lang_of_dialect(const char *dialect)
{
	if (dialect == NULL || strcmp(dialect, "portal") == 0)
		return LANG_PLAIN;
	return strcmp(dialect, "powershell") == 0 ? LANG_PS : LANG_SH;
}

void
quote_start(struct quote *quote, enum lang lang)
{
	*quote = (struct quote){ .outer = { .lang = lang } };
}

static char
scan_top(const struct scan *scan)
{
	return scan->depth == 0 || scan->open[scan->depth - 1] == '(' ? ' '
								      : scan->open[scan->depth - 1];
}

static const char *
scan_push(struct scan *scan, char what)
{
	if (scan->depth == QUOTE_DEPTH)
		return "is nested too deeply; accepted: at most 16 levels of quotes and $(...)";
	scan->open[scan->depth++] = what;
	return NULL;
}

static const char *
scan_json(struct scan *scan, char c)
{
	if (scan->escaped || c == '\\') {
		scan->escaped = !scan->escaped && scan_top(scan) == '"';
		return NULL;
	}
	if (c != '"')
		return NULL;
	scan->depth = scan->depth == 0 ? 1 : 0;
	scan->open[0] = '"';
	return NULL;
}

/* One character of shell, POSIX or PowerShell. NULL, or what is wrong. */
static const char *
scan_char(struct scan *scan, char c)
{
	bool dollar = scan->dollar, sh = scan->lang == LANG_SH;
	char top = scan_top(scan), escape = sh ? '\\' : '`';

	if (scan->lang == LANG_PLAIN || scan->lang == LANG_JSON)
		return scan->lang == LANG_JSON ? scan_json(scan, c) : NULL;
	scan->dollar = false;
	if (scan->escaped || (c == escape && top != '\'')) {
		scan->escaped = !scan->escaped;
		return NULL;
	}
	if (top == '\'' || (top == '"' && c == '"')) {
		scan->depth -= c == top;
		return NULL;
	}
	if (sh && c == '`')
		return "holds a backquote; accepted: $(...)";
	if (sh && dollar && top == ' ' && (c == '\'' || c == '"'))
		return "holds $ before a quote; accepted: plain quotes";
	if (c == '(' && (top == ' ' || dollar))
		return scan_push(scan, '(');
	if (c == ')' && scan->depth > 0 && top == ' ')
		scan->depth--;
	if (top == ' ' && (c == '\'' || c == '"'))
		return scan_push(scan, c);
	scan->dollar = c == '$';
	return NULL;
}

/* Outside of quotes and substitutions, between words. */
static bool
is_word_end(const struct quote *quote, char c)
{
	return quote->outer.depth == 0 && !quote->outer.escaped && strchr(" \n;|&", c) != NULL;
}

static void
end_word(struct quote *quote)
{
	if (quote->word[0] == '-')
		memcpy(quote->option, quote->word, sizeof(quote->option));
	else if (quote->option[0] == '-' && quote->option[1] != '-' &&
		 quote->option[strlen(quote->option) - 1] == 'c')
		quote->option[0] = '\0'; /* sh -c takes one script, --scripts takes many */
	if (strcmp(quote->word, "RunPowerShellScript") == 0 ||
	    strcmp(quote->word, "'RunPowerShellScript'") == 0)
		quote->powershell = true;
	quote->word_len = 0;
	quote->word[0] = '\0';
	quote->inner_on = false;
}

/* At the first character of a word: does it hold a script or JSON? */
static void
start_word(struct quote *quote, char c, char next)
{
	static const char *const takes_script[] = { "--scripts", "-c", "-lc", "-ScriptString" };
	enum lang lang = LANG_PLAIN;

	for (size_t i = 0; i < sizeof(takes_script) / sizeof(takes_script[0]); i++)
		if (strcmp(quote->option, takes_script[i]) == 0)
			lang = quote->powershell ? LANG_PS : LANG_SH;
	if (lang == LANG_PLAIN && (c == '\'' || c == '"') && (next == '{' || next == '['))
		lang = LANG_JSON;
	quote->inner_on = lang != LANG_PLAIN && (c == '\'' || c == '"');
	quote->inner = (struct scan){ .lang = lang };
}

static bool
in_substitution(const struct scan *scan)
{
	return memchr(scan->open, '(', scan->depth) != NULL;
}

/* Hands on to the inner text what the outer language makes of its character c, read with the quotes
 * that were open before it. */
static const char *
feed_inner(struct quote *quote, const struct scan *before, char c)
{
	char top = scan_top(before), escape = before->lang == LANG_SH ? '\\' : '`';
	const char *wrong = NULL;

	if (!quote->inner_on || in_substitution(before) || in_substitution(&quote->outer))
		return NULL;
	if (before->escaped) {
		if (top == '"' && before->lang == LANG_SH && strchr("\\\"$`\n", c) == NULL)
			wrong = scan_char(&quote->inner, '\\');
		return wrong != NULL ? wrong : scan_char(&quote->inner, c);
	}
	if (quote->outer.escaped && c == escape)
		return NULL;
	if (quote->outer.depth != before->depth) /* a quote of the outer language */
		return NULL;
	return scan_char(&quote->inner, c);
}

const char *
quote_literal(struct quote *quote, const char *text, size_t len)
{
	const char *wrong = NULL;

	for (size_t i = 0; i < len && wrong == NULL && quote->outer.lang != LANG_PLAIN; i++) {
		struct scan before = quote->outer;

		if (is_word_end(quote, text[i])) {
			end_word(quote);
			quote->outer.dollar = false;
			continue;
		}
		if (quote->word_len == 0)
			start_word(quote, text[i], i + 1 < len ? text[i + 1] : '\0');
		if (quote->word_len + 1 < sizeof(quote->word)) {
			quote->word[quote->word_len] = text[i];
			quote->word[quote->word_len + 1] = '\0';
		}
		quote->word_len++;
		if ((wrong = scan_char(&quote->outer, text[i])) == NULL)
			wrong = feed_inner(quote, &before, text[i]);
	}
	return wrong;
}

const char *
quote_placeholder(struct quote *quote)
{
	if (quote->outer.lang == LANG_PLAIN)
		return NULL;
	if (quote->word_len == 0)
		start_word(quote, 'x', '\0');
	quote->word_len++;
	if (quote->outer.escaped || (quote->inner_on && quote->inner.escaped))
		return "has an escape character before a placeholder; accepted: a placeholder on "
		       "its own, it is quoted as needed";
	if (quote->outer.dollar || (quote->inner_on && quote->inner.dollar))
		return "has a $ before a placeholder; accepted: a placeholder on its own, or an "
		       "upper-case ${VARIABLE}";
	return NULL;
}

const char *
quote_end(const struct quote *quote)
{
	if (quote->outer.depth > 0)
		return quote->outer.open[quote->outer.depth - 1] == '('
			   ? "leaves a ( open; accepted: a whole command"
		       : quote->outer.open[quote->outer.depth - 1] == '"'
			   ? "leaves a \" open; accepted: a whole command"
			   : "leaves a ' open; accepted: a whole command";
	return quote->outer.escaped ? "ends with an escape character; accepted: a whole command"
				    : NULL;
}

static bool
is_smart(const char *p, bool single)
{
	const unsigned char *u = (const unsigned char *)p;

	if (u[0] != 0xe2 || u[1] != 0x80)
		return false;
	return single ? u[2] >= 0x98 && u[2] <= 0x9b : u[2] >= 0x9c && u[2] <= 0x9e;
}

static void
write_sh(FILE *out, const char *value, char top)
{
	bool bare = top == ' ' && value[0] != '-' && value[0] != '\0' &&
		    strspn(value, SAFE_SH) == strlen(value);

	if (top == ' ' && !bare)
		putc('\'', out);
	for (const char *p = value; *p != '\0'; p++) {
		if (top == '"' && *p == '!')
			fputs("\"'!'\"", out);
		else if (top == '"' && strchr("\\\"$`", *p) != NULL)
			fprintf(out, "\\%c", *p);
		else if (top != '"' && *p == '\'')
			fputs("'\\''", out);
		else
			putc(*p, out);
	}
	if (top == ' ' && !bare)
		putc('\'', out);
}

/* PowerShell takes the typographic quotes for quotes as well. */
static void
write_ps(FILE *out, const char *value, char top)
{
	size_t len = strlen(value);
	bool bare = top == ' ' && len > 0 && value[0] != '-' && strspn(value, SAFE_PS) == len &&
		    (strchr(DIGITS, value[0]) == NULL || strspn(value, DIGITS) == len);

	if (top == ' ' && !bare)
		putc('\'', out);
	for (const char *p = value; *p != '\0'; p++) {
		if (top == '"' && (strchr("`\"$", *p) != NULL || is_smart(p, false)))
			putc('`', out);
		else if (top != '"' && *p == '\'')
			putc('\'', out);
		else if (top != '"' && is_smart(p, true))
			fwrite(p, 1, 3, out);
		putc(*p, out);
	}
	if (top == ' ' && !bare)
		putc('\'', out);
}

static void
write_json(FILE *out, const char *value, char top)
{
	bool bare = strspn(value, DIGITS) == strlen(value) || strcmp(value, "true") == 0;

	if (top == ' ' && !bare)
		putc('"', out);
	for (const char *p = value; *p != '\0'; p++)
		fprintf(out, *p == '"' || *p == '\\' ? "\\%c" : "%c", *p);
	if (top == ' ' && !bare)
		putc('"', out);
}

static char *
scan_value(const struct scan *scan, const char *value)
{
	char *text = NULL, top = scan_top(scan);
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (out == NULL)
		return NULL;
	if (scan->lang == LANG_SH)
		write_sh(out, value, top);
	else if (scan->lang == LANG_PS)
		write_ps(out, value, top);
	else
		write_json(out, value, top);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

char *
quote_value(const struct quote *quote, const char *value)
{
	struct quote here = *quote;
	char *inside, *text;

	if (!visible_clean(value) || quote_placeholder(&here) != NULL)
		return NULL;
	if (!here.inner_on || in_substitution(&here.outer))
		return scan_value(&here.outer, value);
	if ((inside = scan_value(&here.inner, value)) == NULL)
		return NULL;
	text = scan_value(&here.outer, inside);
	free(inside);
	return text;
}
