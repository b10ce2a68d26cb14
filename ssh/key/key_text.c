#include "ssh/key/key.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

/* Which half of each pair of bytes is NUL: 1 the second (little endian), 2 the first, 0 neither. */
static int
nul_halves(const unsigned char *bytes, size_t len)
{
	size_t pairs = len / 2, first = 0, second = 0;

	for (size_t i = 0; i < pairs; i++) {
		first += bytes[2 * i] == 0;
		second += bytes[2 * i + 1] == 0;
	}
	if (pairs < 8)
		return 0;
	if (second * 10 >= pairs * 9 && first * 10 <= pairs)
		return 1;
	return first * 10 >= pairs * 9 && second * 10 <= pairs ? 2 : 0;
}

static uint32_t
utf16_at(const unsigned char *bytes, bool big)
{
	return (uint32_t)bytes[big ? 0 : 1] << 8 | bytes[big ? 1 : 0];
}

static void
from_utf16(const unsigned char *bytes, size_t len, bool big, struct buffer *ret)
{
	utf8proc_uint8_t utf8[4];

	buffer_reserve(ret, len * 2);
	for (size_t i = 0; i + 1 < len; i += 2) {
		uint32_t c = utf16_at(bytes + i, big),
			 low = i + 3 < len ? utf16_at(bytes + i + 2, big) : 0;

		if (c >= 0xd800 && c < 0xdc00 && low >= 0xdc00 && low < 0xe000) {
			c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
			i += 2;
		}
		buffer_add(ret, utf8, (size_t)utf8proc_encode_char((utf8proc_int32_t)c, utf8));
	}
}

static void
decode(const unsigned char *bytes, size_t len, struct buffer *ret, uint64_t *defects)
{
	const int halves = nul_halves(bytes, len);

	if (len >= 2 && bytes[0] == 0xff && bytes[1] == 0xfe) {
		*defects |= KEY_BIT(UTF16LE);
		from_utf16(bytes + 2, len - 2, false, ret);
	} else if (len >= 2 && bytes[0] == 0xfe && bytes[1] == 0xff) {
		*defects |= KEY_BIT(UTF16BE);
		from_utf16(bytes + 2, len - 2, true, ret);
	} else if (halves != 0) {
		*defects |= halves == 1 ? KEY_BIT(UTF16LE_NOBOM) : KEY_BIT(UTF16BE_NOBOM);
		from_utf16(bytes, len, halves == 2, ret);
	} else if (len >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0) {
		*defects |= KEY_BIT(BOM);
		buffer_add(ret, bytes + 3, len - 3);
	} else {
		buffer_add(ret, bytes, len);
	}
}

/* Turns CR LF and lone CR into LF, in place. */
static void
plain_line_ends(struct buffer *text, uint64_t *defects)
{
	size_t used = 0, lines = 0;
	bool crlf = false, lone = false;

	if (memchr(text->at, '\r', text->len) == NULL)
		return;
	for (size_t i = 0; i < text->len; i++)
		lines += text->at[i] == '\n';
	for (size_t i = 0; i < text->len; i++) {
		size_t run = 0;

		while (i + run < text->len && text->at[i + run] == '\r')
			run++;
		if (run > 0 && i + run < text->len && text->at[i + run] == '\n') {
			crlf = true;
			i += run;
		} else if (run > 0 && lines > 2) { /* blanks got between CR and LF */
			crlf = true;
			continue;
		} else if (run > 0) {
			lone = true;
		}
		text->at[used++] = run > 0 ? '\n' : text->at[i];
	}
	text->at[used] = '\0';
	text->len = used;
	if (crlf)
		*defects |= KEY_BIT(CRLF);
	else if (lone)
		*defects |= KEY_BIT(CR_ONLY);
}

void
key_text(const unsigned char *bytes, size_t len, struct buffer *ret, uint64_t *defects)
{
	decode(bytes, len, ret, defects);
	plain_line_ends(ret, defects);
}

/* One escape behind a backslash at p: writes what it means, returns how many bytes it took. */
static size_t
escape_read(const unsigned char *p, size_t left, struct buffer *out)
{
	unsigned value = 0;

	switch (left > 0 ? p[0] : 0) {
	case 'n':
	case 'r':
		buffer_u8(out, p[0] == 'n' ? '\n' : '\r');
		return 1;
	case 't':
		buffer_u8(out, '\t');
		return 1;
	case '"':
	case '\'':
	case '/':
		buffer_u8(out, p[0]);
		return 1;
	case '\\': /* escaped twice: what follows is read again */
		return left > 1 && strchr("nrtu\"/", p[1]) != NULL
			   ? escape_read(p + 1, left - 1, out) + 1
			   : 1;
	case 'u':
		for (size_t i = 1; i <= 4 && i < left && isxdigit(p[i]); i++)
			value = value << 4 |
				(unsigned)(isdigit(p[i]) ? p[i] - '0' : tolower(p[i]) - 'a' + 10);
		if (left < 5 || value == 0 || value > 0x7f)
			break;
		buffer_u8(out, (unsigned char)value);
		return 5;
	default:
		break;
	}
	buffer_u8(out, '\\');
	return 0;
}

void
key_unescape(const struct buffer *text, struct buffer *ret)
{
	uint64_t defects = 0;

	buffer_reserve(ret, text->len + 1);
	for (size_t i = 0; i < text->len; i++) {
		if (text->at[i] == '\\')
			i += escape_read(text->at + i + 1, text->len - i - 1, ret);
		else
			buffer_u8(ret, text->at[i]);
	}
	plain_line_ends(ret, &defects);
}

void
key_unprefix(const struct buffer *text, const char *prefix, size_t len, struct buffer *ret)
{
	bool start = true;

	buffer_reserve(ret, text->len);
	for (size_t i = 0; i < text->len; i++) {
		if (start && text->len - i >= len && memcmp(text->at + i, prefix, len) == 0) {
			for (i += len;
			     i < text->len && (text->at[i] == ' ' || text->at[i] == '\t');)
				i++;
			if (i == text->len)
				break;
		}
		start = text->at[i] == '\n';
		buffer_u8(ret, text->at[i]);
	}
}

/* Characters that no eye sees (zero width spaces and joiners, a byte order mark inside, soft
 * hyphens): their length, 0 for others. */
static size_t
invisible(const unsigned char *p, size_t left)
{
	if (left >= 3 && p[0] == 0xe2 && p[1] == 0x80 &&
	    ((p[2] >= 0x8b && p[2] <= 0x8f) || (p[2] >= 0xaa && p[2] <= 0xae)))
		return 3;
	if (left >= 3 && p[0] == 0xe2 && p[1] == 0x81 && p[2] == 0xa0)
		return 3;
	if (left >= 3 && p[0] == 0xef && p[1] == 0xbb && p[2] == 0xbf)
		return 3;
	return left >= 2 && p[0] == 0xc2 && p[1] == 0xad ? 2 : 0;
}

void
key_strip_invisible(const struct buffer *text, struct buffer *ret, uint64_t *defects)
{
	buffer_reserve(ret, text->len);
	for (size_t i = 0; i < text->len; i++) {
		size_t hidden;

		if (text->at[i] < 0x80) {
			buffer_u8(ret, text->at[i]);
			continue;
		}
		hidden = invisible(text->at + i, text->len - i);
		if (hidden > 0) {
			*defects |= text->at[i] == 0xef ? KEY_BIT(BOM) : KEY_BIT(ZERO_WIDTH);
			i += hidden - 1;
		} else if (text->at[i] == 0xc2 && i + 1 < text->len && text->at[i + 1] == 0xa0) {
			*defects |= KEY_BIT(DAMAGED); /* a no-break space */
			buffer_u8(ret, ' ');
			i++;
		} else {
			buffer_u8(ret, text->at[i]);
		}
	}
}

int
key_base64(const struct buffer *text, size_t from, size_t to, struct buffer *ret)
{
	return base64_decode((struct bytes){ text->at + from, to - from },
			     BASE64_LOOSE | BASE64_URL, ret);
}

size_t
key_find(const struct buffer *text, size_t from, const char *word)
{
	const void *found =
	    from > text->len ? NULL : memmem(text->at + from, text->len - from, word, strlen(word));

	return found == NULL ? SIZE_MAX : (size_t)((const unsigned char *)found - text->at);
}
