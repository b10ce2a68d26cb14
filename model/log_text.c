#include "model/log_text.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLE = 65536 };

static void
put(struct buffer *to, const char *at, size_t len)
{
	buffer_add(to, at, len);
}

static void
put_char(struct buffer *to, uint32_t cp)
{
	unsigned char bytes[4];
	size_t len = 0;

	if (cp < 0x80) {
		bytes[len++] = (unsigned char)cp;
	} else if (cp < 0x800) {
		bytes[len++] = (unsigned char)(0xc0 | cp >> 6);
		bytes[len++] = (unsigned char)(0x80 | (cp & 0x3f));
	} else if (cp < 0x10000) {
		bytes[len++] = (unsigned char)(0xe0 | cp >> 12);
		bytes[len++] = (unsigned char)(0x80 | (cp >> 6 & 0x3f));
		bytes[len++] = (unsigned char)(0x80 | (cp & 0x3f));
	} else {
		bytes[len++] = '?';
	}
	buffer_add(to, bytes, len);
}

/* ---- bytes to characters ---- */

/* 1 for UTF-16 with the low byte first, 2 for the other order, 0 for another encoding: by its mark,
 * or by the zero bytes of plain letters. */
static int
utf16_order(struct bytes from)
{
	size_t zeros[2] = { 0, 0 }, count = from.len < SAMPLE ? from.len : SAMPLE;

	if (from.len >= 2 && from.at[0] == 0xff && from.at[1] == 0xfe)
		return 1;
	if (from.len >= 2 && from.at[0] == 0xfe && from.at[1] == 0xff)
		return 2;
	for (size_t i = 0; i < count; i++)
		zeros[i % 2] += from.at[i] == 0;
	if (zeros[1] > count / 4 && zeros[0] < count / 100 + 1)
		return 1;
	return zeros[0] > count / 4 && zeros[1] < count / 100 + 1 ? 2 : 0;
}

static void
decode_utf16(struct bytes from, int order, struct buffer *to)
{
	for (size_t i = 0; i + 1 < from.len; i += 2) {
		uint32_t low = from.at[i + (order == 1 ? 0 : 1)],
			 unit = low | (uint32_t)from.at[i + (order == 1 ? 1 : 0)] << 8;

		if (unit != 0xfeff && unit != 0)
			put_char(to, unit >= 0xd800 && unit < 0xe000 ? '?' : unit);
	}
}

/* Text has hardly any control bytes besides line ends, tabs and the escapes of colours. */
static bool
is_binary(struct bytes from)
{
	size_t controls = 0, zeros = 0, count = from.len < SAMPLE ? from.len : SAMPLE;

	for (size_t i = 0; i < count; i++) {
		zeros += from.at[i] == 0;
		controls += from.at[i] < 0x20 && strchr("\t\n\r\b\f\x1b", from.at[i]) == NULL;
	}
	return zeros > count / 100 || controls > count / 20;
}

/* ---- escapes of other formats ---- */

/* How often a line was escaped as JSON: its line ends tell. */
static int
depth_of(const char *line, size_t len)
{
	static const struct {
		const char *mark;
		int depth;
	} marks[] = { { "\\\\r\\\\n", 2 }, { "\\\\ndebug", 2 }, { "\\r\\n", 1 },
		      { "\\ndebug", 1 },   { "\": \"", 1 },     { "\":\"", 1 } };

	if (memmem(line, len, "\\", 1) == NULL)
		return 0;
	for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++)
		if (memmem(line, len, marks[i].mark, strlen(marks[i].mark)) != NULL)
			return marks[i].depth;
	return 0;
}

/* One escape behind a backslash; returns how many bytes of it were read. */
static size_t
unescape_one(const char *at, size_t left, struct buffer *to)
{
	static const char from[] = "nrt\"'/\\", into[] = "\n\n\t\"'/\\";
	const char *known = left > 0 && *at != '\0' ? strchr(from, *at) : NULL;
	char digits[5] = "";

	if (known != NULL) {
		put(to, &into[known - from], 1);
		return 1;
	}
	if (left >= 5 && *at == 'u') {
		memcpy(digits, at + 1, 4);
		if (strspn(digits, "0123456789abcdefABCDEF") == 4) {
			put_char(to, (uint32_t)strtoul(digits, NULL, 16));
			return 5;
		}
	}
	put(to, "\\", 1);
	return 0;
}

static void
unescape(const char *line, size_t len, struct buffer *to)
{
	for (size_t i = 0; i < len; i++) {
		if (line[i] != '\\')
			put(to, &line[i], 1);
		else
			i += unescape_one(line + i + 1, len - i - 1, to);
	}
}

static void
unescape_line(const char *line, size_t len, struct buffer *to)
{
	struct buffer once = { 0 };

	switch (depth_of(line, len)) {
	case 0:
		put(to, line, len);
		break;
	case 1:
		unescape(line, len, to);
		break;
	default:
		unescape(line, len, &once);
		unescape((const char *)once.at, once.len, to);
		buffer_free(&once);
	}
}

static void
unescape_lines(const char *text, size_t len, struct buffer *to)
{
	for (size_t at = 0, end; at < len; at = end + 1) {
		const char *stop = memchr(text + at, '\n', len - at);

		end = stop != NULL ? (size_t)(stop - text) : len;
		unescape_line(text + at, end - at, to);
		put(to, "\n", 1);
	}
}

/* ---- what only looks like something ---- */

/* Escape, as it is written where the byte itself was lost. */
static const char *const written_escapes[] = { "\x1b", "\\u001b", "\\x1b",       "\\033",
					       "\\e",  "^[",      "\xe2\x90\x9b" };

/* The length of a terminal's control sequence here, 0 for none. */
static size_t
sequence_length(const char *at, const char *end)
{
	size_t lead = 0, n;

	for (size_t i = 0; lead == 0 && i < sizeof(written_escapes) / sizeof(*written_escapes); i++)
		if ((size_t)(end - at) > strlen(written_escapes[i]) &&
		    memcmp(at, written_escapes[i], strlen(written_escapes[i])) == 0)
			lead = strlen(written_escapes[i]);
	if (lead == 0)
		return 0;
	if (at[lead] == '[') {
		for (n = lead + 1; at + n < end && strchr("0123456789;:?<=>", at[n]) != NULL;)
			n++;
		return at + n < end && isalpha((unsigned char)at[n]) ? n + 1 : lead;
	}
	if (*at != '\x1b')
		return 0;
	if (at[lead] != ']')
		return lead + 1;
	for (n = lead + 1; at + n < end && at[n] != '\a' && at[n] != '\n' && at[n] != '\x1b';)
		n++;
	return n + (at + n < end && at[n] == '\a');
}

/* What word processors, web pages and chats make of plain characters. */
static const struct {
	const char *from, *to;
} plain[] = {
	{ "\r\n", "\n" },         { "\r", "\n" },          { "\xc2\xa0", " " },
	{ "\xe2\x80\x98", "'" },  { "\xe2\x80\x99", "'" }, { "\xe2\x80\x9c", "\"" },
	{ "\xe2\x80\x9d", "\"" }, { "\xe2\x80\x8b", "" },  { "\xef\xbb\xbf", "" },
	{ "&quot;", "\"" },       { "&#39;", "'" },        { "&apos;", "'" },
	{ "&lt;", "<" },          { "&gt;", ">" },         { "&amp;", "&" },
};

static size_t
plain_length(const char *at, const char *end, const char **to)
{
	for (size_t i = 0; i < sizeof(plain) / sizeof(*plain); i++) {
		size_t len = strlen(plain[i].from);

		if ((size_t)(end - at) >= len && memcmp(at, plain[i].from, len) == 0) {
			*to = plain[i].to;
			return len;
		}
	}
	return 0;
}

/* true for what may be anything but itself. */
static bool
is_special(unsigned char c)
{
	return (c < 0x20 && c != '\n') || c == '\\' || c == '^' || c == '&' || c == 0xc2 ||
	       c == 0xe2 || c == 0xef;
}

/* One special character, or what it begins; returns its length. */
static size_t
make_one_plain(const char *at, const char *end, struct buffer *to)
{
	const char *word = "";
	size_t n = sequence_length(at, end);

	if (n == 0 && (n = plain_length(at, end, &word)) == 0) {
		n = 1;
		if (*at == '\t')
			word = " ";
		else if ((unsigned char)*at >= 0x20)
			put(to, at, 1);
	}
	put(to, word, strlen(word));
	return n;
}

static void
make_plain(const char *text, size_t len, struct buffer *to)
{
	const char *end = len > 0 ? text + len : text; /* nothing at all may be NULL */

	for (const char *at = text; at < end;) {
		const char *run = at;

		while (run < end && !is_special((unsigned char)*run))
			run++;
		put(to, at, (size_t)(run - at));
		at = run < end ? run + make_one_plain(run, end, to) : run;
	}
}

char *
log_text(struct bytes bytes)
{
	struct buffer decoded = { 0 }, lines = { 0 }, clean = { 0 };
	int order = utf16_order(bytes);

	if (order != 0)
		decode_utf16(bytes, order, &decoded);
	else if (is_binary(bytes))
		return NULL;
	else
		buffer_add(&decoded, bytes.at, bytes.len);
	unescape_lines((const char *)decoded.at, decoded.len, &lines);
	make_plain((const char *)lines.at, lines.len, &clean);
	buffer_reserve(&clean, 1); /* so that there is a NUL also after nothing */
	buffer_free(&decoded);
	buffer_free(&lines);
	return (char *)clean.at;
}
