/* Shells: one word quoted for each, and where in a text of theirs a quote is open. */
#include "rules/tree.h"
#include "facts/visible.h"

#include <stdio.h>
#include <string.h>

#define SAFE_SH "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_@%+=:,./-"
#define SAFE_PS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_:./-"
#define SAFE_OTHER "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_@%+=:,.- "
#define DIGITS "0123456789"

enum lang
lang_of_dialect(const char *dialect)
{
	if (dialect == NULL || strcmp(dialect, "portal") == 0)
		return LANG_PLAIN;
	return strcmp(dialect, "powershell") == 0 ? LANG_PS : LANG_SH;
}

/* PowerShell takes the typographic quotes U+2018 to U+201B for single quotes as well. */
static bool
is_single(const char *p)
{
	const unsigned char *u = (const unsigned char *)p;

	return u[0] == 0xe2 && u[1] == 0x80 && u[2] >= 0x98 && u[2] <= 0x9b;
}

void
quote_inside(FILE *out, enum lang lang, const char *value)
{
	for (const char *p = value; *p != '\0'; p++) {
		if (lang == LANG_SH && *p == '\'') {
			fputs("'\\''", out);
			continue;
		}
		if (lang == LANG_PS && *p == '\'')
			putc('\'', out);
		else if (lang == LANG_PS && is_single(p))
			fwrite(p, 1, 3, out);
		putc(*p, out);
	}
}

/* Does a shell take the word as it is, without quotes? */
static bool
is_bare(enum lang lang, const char *word)
{
	size_t len = strlen(word);

	/* zsh puts the path of a program in place of "=program" */
	if (lang == LANG_SH)
		return len > 0 && word[0] != '=' && strspn(word, SAFE_SH) == len;
	return len > 0 && strspn(word, SAFE_PS) == len &&
	       (strchr(DIGITS, word[0]) == NULL || strspn(word, DIGITS) == len);
}

void
quote_word(FILE *out, enum lang lang, const char *word, bool always)
{
	if (!always && is_bare(lang, word)) {
		fputs(word, out);
	} else if (lang == LANG_SH && strchr(word, '\'') != NULL &&
		   strpbrk(word, "\\\"$`!") == NULL) {
		fprintf(out, "\"%s\"", word);
	} else {
		putc('\'', out);
		quote_inside(out, lang, word);
		putc('\'', out);
	}
}

bool
quote_value(FILE *out, enum lang lang, const char *value)
{
	if (!visible_clean(value))
		return false;
	if (lang == LANG_OTHER && (strspn(value, SAFE_OTHER) != strlen(value) || value[0] == '\0'))
		return false;
	if (lang == LANG_OTHER || lang == LANG_ARGUMENT)
		fputs(value, out);
	else
		quote_word(out, lang, value, value[0] == '-');
	return true;
}

char
scan_place(const struct scan *scan)
{
	return scan->depth == 0 || scan->open[scan->depth - 1] == '(' ? ' '
								      : scan->open[scan->depth - 1];
}

static const char *
open_quote(struct scan *scan, char what)
{
	if (scan->depth == sizeof(scan->open))
		return "is nested too deeply; accepted: at most 16 levels of quotes and $(...)";
	scan->open[scan->depth++] = what;
	return NULL;
}

const char *
scan_char(struct scan *scan, char c)
{
	bool dollar = scan->dollar, sh = scan->lang == LANG_SH;
	char top = scan_place(scan), escape = sh ? '\\' : '`';

	if (scan->lang != LANG_SH && scan->lang != LANG_PS)
		return NULL;
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
		return open_quote(scan, '(');
	if (c == ')' && scan->depth > 0 && top == ' ')
		scan->depth--;
	if (top == ' ' && (c == '\'' || c == '"'))
		return open_quote(scan, c);
	scan->dollar = c == '$';
	return NULL;
}

const char *
scan_end(const struct scan *scan)
{
	if (scan->escaped)
		return "ends with an escape character; accepted: a whole command";
	if (scan->depth == 0)
		return NULL;
	switch (scan->open[scan->depth - 1]) {
	case '(':
		return "leaves a ( open; accepted: a whole command";
	case '"':
		return "leaves a \" open; accepted: a whole command";
	default:
		return "leaves a ' open; accepted: a whole command";
	}
}
