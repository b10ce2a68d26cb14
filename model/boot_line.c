#include "model/boot_log.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* ---- lines ---- */

/* The length of the escape sequence that begins here (ECMA-48); *breaks: it moves the cursor to
 * another line, as boot loaders and firmware do instead of ending one. */
static size_t
escape_length(struct bytes rest, bool *breaks)
{
	enum { SEQUENCE_MAX = 64 };
	size_t i = 2, most = rest.len < SEQUENCE_MAX ? rest.len : SEQUENCE_MAX;

	*breaks = false;
	if (rest.len < 2)
		return 1;
	if (rest.at[1] == ']') { /* a title, up to BEL */
		while (i < most && rest.at[i] != '\a' && rest.at[i] != '\n')
			i++;
		return i < most && rest.at[i] == '\a' ? i + 1 : i;
	}
	if (rest.at[1] != '[')
		return 2;
	while (i < most && rest.at[i] >= 0x20 && rest.at[i] < 0x40)
		i++;
	if (i == most || rest.at[i] < 0x40 || rest.at[i] > 0x7e)
		return i;
	*breaks = strchr("HfJ", rest.at[i]) != NULL;
	return i + 1;
}

static void
line_add(struct boot_line *line, unsigned char byte)
{
	if (byte == '\t')
		byte = ' ';
	if (byte < ' ' || byte == 0x7f || (byte == ' ' && line->len == 0))
		return;
	line->text[line->len] = (char)byte;
	line->low[line->len++] = (char)(byte < 0x80 ? tolower(byte) : byte);
}

/* "<14>", "[   12.345678]", "[    T1]", "[  OK  ]", "[FAILED]" and the like. */
static size_t
decoration(const char *text)
{
	enum { DECORATION_MAX = 24 };
	const char *close;
	size_t len;

	if (*text == '<' && (len = strspn(text + 1, "0123456789")) > 0 && text[len + 1] == '>')
		return len + 2;
	if (*text != '[')
		return 0;
	close = memchr(text, ']', strnlen(text, DECORATION_MAX));
	return close != NULL ? (size_t)(close - text) + 1 : 0;
}

static void
line_end(struct boot_line *line)
{
	size_t skip;

	while (line->len > 0 && line->text[line->len - 1] == ' ')
		line->len--;
	line->text[line->len] = line->low[line->len] = '\0';
	line->begin = 0;
	while ((skip = decoration(line->text + line->begin)) > 0) {
		line->begin += skip;
		line->begin += strspn(line->text + line->begin, " ");
	}
	line->pairs = boot_pairs(line->low, line->len);
}

bool
boot_line_next(struct bytes *rest, struct boot_line *ret)
{
	bool ended = false, breaks;
	size_t taken;

	ret->len = 0;
	while (rest->len > 0 && ret->len < BOOT_LINE_MAX - 1 && !(ended && ret->len > 0)) {
		taken = 1;
		ended = false;
		if (*rest->at == 0x1b) {
			taken = escape_length(*rest, &breaks);
			ended = breaks;
		} else if (*rest->at == '\n' || *rest->at == '\r') {
			ended = true;
		} else {
			line_add(ret, *rest->at);
		}
		rest->at += taken;
		rest->len -= taken;
	}
	line_end(ret);
	return ret->len > 0 || rest->len > 0;
}

/* ---- patterns ---- */

/* Two letters that stand side by side, as one bit of 64: a line that lacks a bit of the pattern
 * cannot fit it, and most lines end there. */
uint64_t
boot_pairs(const char *text, size_t len)
{
	uint64_t pairs = 0;

	for (size_t i = 0; i + 1 < len; i++)
		pairs |= UINT64_C(1)
			 << (((unsigned char)text[i] * 37u + (unsigned char)text[i + 1]) % 64);
	return pairs;
}

/* The length of the literal that begins here. */
static size_t
literal_length(const char *pattern)
{
	return strcspn(pattern, "*{");
}

/* Steps over a "*" or "{name}", whose name is copied. */
static const char *
gap(const char *pattern, char name[static 12])
{
	size_t len;

	*name = '\0';
	if (*pattern == '*')
		return pattern + 1;
	if (*pattern != '{')
		return pattern;
	len = strcspn(++pattern, "}");
	memcpy(name, pattern, len < 11 ? len : 11);
	name[len < 11 ? len : 11] = '\0';
	return pattern + len + 1;
}

uint64_t
boot_pattern_pairs(const char *pattern)
{
	uint64_t pairs = 0;
	char name[12];

	pattern += *pattern == '^';
	while (*pattern != '\0') {
		size_t len = literal_length(pattern);

		pairs |= boot_pairs(pattern, len);
		pattern = gap(pattern + len, name);
	}
	return pairs;
}

static void
capture(struct boot_match *match, const char *name, const char *text, size_t len)
{
	struct boot_capture *one = &match->captures[match->count];

	while (len > 0 && strchr(" \t", text[len - 1]) != NULL)
		len--;
	while (len > 0 && *text == ' ') {
		text++;
		len--;
	}
	if (*name == '\0' || match->count == BOOT_CAPTURES)
		return;
	snprintf(one->name, sizeof(one->name), "%s", name);
	memcpy(one->text, text, len);
	one->text[len] = '\0';
	match->count++;
}

/* The first capture of a pattern that begins with one is the last word before the literal. */
static size_t
word_start(const char *text, size_t end)
{
	size_t at = end;

	while (at > 0 && text[at - 1] == ' ')
		at--;
	while (at > 0 && text[at - 1] != ' ')
		at--;
	return at;
}

/* Each literal is taken where it comes first behind the one before: no way leads back. */
bool
boot_pattern_fits(const char *pattern, const struct boot_line *line, struct boot_match *ret)
{
	bool anchored = *pattern == '^', first = true;
	size_t at = line->begin, len;
	const char *found;
	char name[12] = "", literal[64];

	ret->count = 0;
	pattern += anchored;
	for (;;) {
		if ((len = literal_length(pattern)) == 0 || len >= sizeof(literal)) {
			if (*pattern == '\0')
				break;
			pattern = gap(pattern + len, name);
			continue;
		}
		memcpy(literal, pattern, len);
		literal[len] = '\0';
		found = strstr(line->low + at, literal);
		if (found == NULL || (anchored && first && found != line->low + at))
			return false;
		if (*name != '\0') {
			size_t end = (size_t)(found - line->low),
			       from = first ? word_start(line->low, end) : at;

			capture(ret, name, line->text + from, end - from);
		}
		*name = '\0';
		at = (size_t)(found - line->low) + len;
		first = false;
		pattern = gap(pattern + len, name);
	}
	if (*name != '\0')
		capture(ret, name, line->text + at, line->len - at);
	return true;
}

const char *
boot_captured(const struct boot_match *match, const char *name)
{
	for (size_t i = 0; i < match->count; i++)
		if (strcmp(match->captures[i].name, name) == 0 && *match->captures[i].text != '\0')
			return match->captures[i].text;
	return NULL;
}
