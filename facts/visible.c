#include "facts/visible.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct range {
	uint32_t first, last;
};

static const struct range hidden[] = {
	{ 0x0000, 0x001f },   { 0x007f, 0x009f },   { 0x00ad, 0x00ad }, { 0x034f, 0x034f },
	{ 0x061c, 0x061c },   { 0x115f, 0x1160 },   { 0x17b4, 0x17b5 }, { 0x180b, 0x180f },
	{ 0x200b, 0x200f },   { 0x2028, 0x202e },   { 0x2060, 0x206f }, { 0x3164, 0x3164 },
	{ 0xfe00, 0xfe0f },   { 0xfeff, 0xfeff },   { 0xffa0, 0xffa0 }, { 0xfff0, 0xfffb },
	{ 0x1d173, 0x1d17a }, { 0xe0000, 0xe0fff },
};

static const struct range combining[] = {
	{ 0x0300, 0x036f }, { 0x0483, 0x0489 }, { 0x0591, 0x05bd },
	{ 0x0610, 0x061a }, { 0x064b, 0x065f }, { 0x1ab0, 0x1aff },
	{ 0x1dc0, 0x1dff }, { 0x20d0, 0x20ff }, { 0xfe20, 0xfe2f },
};

static const struct range wide[] = {
	{ 0x1100, 0x115f },   { 0x2e80, 0x303e },   { 0x3041, 0x33ff },   { 0x3400, 0x4dbf },
	{ 0x4e00, 0x9fff },   { 0xa000, 0xa4cf },   { 0xac00, 0xd7a3 },   { 0xf900, 0xfaff },
	{ 0xfe30, 0xfe6f },   { 0xff00, 0xff60 },   { 0xffe0, 0xffe6 },   { 0x1f300, 0x1f64f },
	{ 0x1f680, 0x1f6ff }, { 0x1f900, 0x1f9ff }, { 0x20000, 0x3fffd },
};

static bool
in_ranges(const struct range *ranges, size_t count, uint32_t cp)
{
	for (size_t i = 0; i < count; i++)
		if (cp >= ranges[i].first && cp <= ranges[i].last)
			return true;
	return false;
}

size_t
visible_decode(const char *bytes, size_t left, uint32_t *cp)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned char first = left > 0 ? (unsigned char)*bytes : 0xff;
	size_t need = first < 0x80                    ? 1
		      : first >= 0xc2 && first < 0xe0 ? 2
		      : first >= 0xe0 && first < 0xf0 ? 3
		      : first >= 0xf0 && first < 0xf5 ? 4
						      : 0;
	uint32_t value = need == 1 ? first : first & (0x7fu >> need);

	if (need == 0 || need > left)
		return 0;
	for (size_t i = 1; i < need; i++) {
		if (((unsigned char)bytes[i] & 0xc0) != 0x80)
			return 0;
		value = value << 6 | ((unsigned char)bytes[i] & 0x3f);
	}
	if (value < least[need] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
		return 0;
	*cp = value;
	return need;
}

bool
visible_hidden(uint32_t cp)
{
	return in_ranges(hidden, sizeof(hidden) / sizeof(hidden[0]), cp);
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

char *
visible_text(const char *text, bool lines)
{
	size_t size, len = text == NULL ? 0 : strlen(text);
	char *clean = NULL;
	FILE *out;
	uint32_t cp;

	if (text == NULL || (out = open_memstream(&clean, &size)) == NULL)
		return NULL;
	for (size_t i = 0, n; i < len; i += n) {
		if ((n = visible_decode(text + i, len - i, &cp)) == 0) {
			fprintf(out, "\\x%02x", (unsigned)(unsigned char)text[i]);
			n = 1;
		} else if (visible_hidden(cp)) {
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

unsigned
visible_columns(uint32_t cp)
{
	if (cp < 0x300)
		return 1;
	if (in_ranges(combining, sizeof(combining) / sizeof(combining[0]), cp))
		return 0;
	return in_ranges(wide, sizeof(wide) / sizeof(wide[0]), cp) ? 2 : 1;
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
