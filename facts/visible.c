#include "facts/visible.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

size_t
visible_decode(const char *bytes, size_t left, uint32_t *cp)
{
	utf8proc_int32_t value;
	utf8proc_ssize_t n =
	    utf8proc_iterate((const utf8proc_uint8_t *)bytes, (utf8proc_ssize_t)left, &value);

	if (n <= 0)
		return 0;
	*cp = (uint32_t)value;
	return (size_t)n;
}

bool
visible_hidden(uint32_t cp)
{
	const utf8proc_property_t *property = utf8proc_get_property((utf8proc_int32_t)cp);

	switch (property->category) {
	case UTF8PROC_CATEGORY_CC:
	case UTF8PROC_CATEGORY_CF:
	case UTF8PROC_CATEGORY_CS:
	case UTF8PROC_CATEGORY_ZL:
	case UTF8PROC_CATEGORY_ZP:
		return true;
	case UTF8PROC_CATEGORY_ZS:
		return cp != ' ';
	default:
		return property->ignorable || cp == 0x2800; /* a braille cell without dots */
	}
}

bool
visible_clean(const char *text)
{
	size_t len = text == NULL ? 0 : strlen(text);
	uint32_t cp;

	for (size_t i = 0, n; i < len; i += n)
		if ((n = visible_decode(text + i, len - i, &cp)) == 0 || visible_hidden(cp))
			return false;
	return true;
}

static void
write_hidden(FILE *out, uint32_t cp, bool lines)
{
	if (cp == '\n')
		fputs(lines ? "\n" : "\\n", out);
	else if (cp == '\t' || cp == '\r')
		fputs(cp == '\t' ? "\\t" : "\\r", out);
	else if (cp < 0x100)
		fprintf(out, "\\x%02x", (unsigned)cp);
	else
		fprintf(out, cp < 0x10000 ? "\\u%04x" : "\\U%08x", (unsigned)cp);
}

/* true for a mark on a letter that has enough of them: more would be drawn over other lines. */
static bool
marks_on(unsigned *count, uint32_t cp)
{
	enum { MARKS_MAX = 8 };
	utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)cp);

	if (category != UTF8PROC_CATEGORY_MN && category != UTF8PROC_CATEGORY_ME)
		*count = 0;
	else
		++*count;
	return *count > MARKS_MAX;
}

char *
visible_text(const char *text, bool lines)
{
	size_t size, len = text == NULL ? 0 : strlen(text);
	char *clean = NULL;
	unsigned marks = 0;
	FILE *out;
	uint32_t cp;

	if (text == NULL || (out = open_memstream(&clean, &size)) == NULL)
		return NULL;
	for (size_t i = 0, n; i < len; i += n) {
		if ((n = visible_decode(text + i, len - i, &cp)) == 0) {
			fprintf(out, "\\x%02x", (unsigned)(unsigned char)text[i]);
			n = 1;
		} else if (visible_hidden(cp) || marks_on(&marks, cp)) {
			write_hidden(out, cp, lines);
		} else {
			fwrite(text + i, 1, n, out);
		}
	}
	if (fclose(out) != 0) {
		free(clean);
		return NULL;
	}
	return clean;
}

/* The length of the "##", "##vso" or "##word" before a bracket here, 0 when there is none. */
static size_t
agent_mark(const char *at, size_t left)
{
	size_t len = 2;

	if (left < 3 || at[0] != '#' || at[1] != '#')
		return 0;
	while (len < left && isalpha((unsigned char)at[len]))
		len++;
	return len < left && at[len] == '[' ? len : 0;
}

/* true when the rest of the line is "::word::" or "::word name=value::". */
static bool
github_command(const char *at, size_t left)
{
	const char *end = memchr(at, '\n', left);
	size_t len = end != NULL ? (size_t)(end - at) : left;

	return len > 4 && at[0] == ':' && at[1] == ':' && memmem(at + 2, len - 2, "::", 2) != NULL;
}

char *
visible_log(const char *text, size_t len, const char *bracket, const char *colon, size_t *ret_len)
{
	char *safe = NULL;
	FILE *out = NULL;
	bool start = true;
	size_t done = 0, mark;

	for (size_t i = 0; i < len; i++) {
		const char *instead = NULL;

		if ((mark = agent_mark(text + i, len - i)) != 0) {
			i += mark;
			instead = bracket;
		} else if (start && colon != NULL && github_command(text + i, len - i)) {
			instead = colon;
		}
		start = text[i] == '\n' || (start && isspace((unsigned char)text[i]));
		if (instead == NULL)
			continue;
		if (out == NULL)
			out = open_memstream(&safe, ret_len);
		fwrite(text + done, 1, i - done, out);
		fputs(instead, out);
		done = i + 1;
	}
	if (out == NULL)
		return NULL;
	fwrite(text + done, 1, len - done, out);
	fclose(out);
	return safe;
}

unsigned
visible_columns(uint32_t cp)
{
	return (unsigned)utf8proc_charwidth((utf8proc_int32_t)cp);
}

size_t
visible_width(const char *text)
{
	size_t width = 0, len = strlen(text);
	uint32_t cp;

	for (size_t i = 0, n; i < len; i += n) {
		n = visible_decode(text + i, len - i, &cp);
		width += n == 0 ? 1 : visible_columns(cp);
		n = n == 0 ? 1 : n;
	}
	return width;
}

void
visible_cut(char *text, size_t most)
{
	size_t keep = most - 3;

	if (strlen(text) <= most)
		return;
	while (keep > 0 && ((unsigned char)text[keep] & 0xc0) == 0x80)
		keep--;
	memcpy(text + keep, "...", sizeof("..."));
}
