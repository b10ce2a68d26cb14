#include "ssh/key/key.h"

#include <openssl/crypto.h>

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

static size_t
put_utf8(unsigned char *out, uint32_t c)
{
	if (c < 0x80) {
		out[0] = (unsigned char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (unsigned char)(0xc0 | c >> 6);
		out[1] = (unsigned char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (unsigned char)(0xe0 | c >> 12);
		out[1] = (unsigned char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (unsigned char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (unsigned char)(0xf0 | c >> 18);
	out[1] = (unsigned char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (unsigned char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (unsigned char)(0x80 | (c & 0x3f));
	return 4;
}

static int
from_utf16(const unsigned char *bytes, size_t len, bool big, struct key_buf *ret)
{
	size_t used = 0;

	if ((ret->at = malloc(len * 2 + 4)) == NULL)
		return -ENOMEM;
	for (size_t i = 0; i + 1 < len; i += 2) {
		uint32_t c = big ? (uint32_t)bytes[i] << 8 | bytes[i + 1]
				 : (uint32_t)bytes[i + 1] << 8 | bytes[i];
		uint32_t low = i + 3 >= len ? 0
			       : big        ? (uint32_t)bytes[i + 2] << 8 | bytes[i + 3]
					    : (uint32_t)bytes[i + 3] << 8 | bytes[i + 2];

		if (c >= 0xd800 && c < 0xdc00 && low >= 0xdc00 && low < 0xe000) {
			c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
			i += 2;
		}
		used += put_utf8(ret->at + used, c);
	}
	ret->at[used] = '\0';
	ret->len = used;
	return 0;
}

static int
decode(const unsigned char *bytes, size_t len, struct key_buf *ret, uint64_t *defects)
{
	int halves = nul_halves(bytes, len);

	if (len >= 2 && bytes[0] == 0xff && bytes[1] == 0xfe) {
		*defects |= KEY_BIT(UTF16LE);
		return from_utf16(bytes + 2, len - 2, false, ret);
	}
	if (len >= 2 && bytes[0] == 0xfe && bytes[1] == 0xff) {
		*defects |= KEY_BIT(UTF16BE);
		return from_utf16(bytes + 2, len - 2, true, ret);
	}
	if (halves != 0) {
		*defects |= halves == 1 ? KEY_BIT(UTF16LE_NOBOM) : KEY_BIT(UTF16BE_NOBOM);
		return from_utf16(bytes, len, halves == 2, ret);
	}
	if (len >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0) {
		*defects |= KEY_BIT(BOM);
		return key_buf_set(ret, bytes + 3, len - 3);
	}
	return key_buf_set(ret, bytes, len);
}

/* Turns CR LF and lone CR into LF, in place. */
static void
plain_line_ends(struct key_buf *text, uint64_t *defects)
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

int
key_text(const unsigned char *bytes, size_t len, struct key_buf *ret, uint64_t *defects)
{
	int r = decode(bytes, len, ret, defects);

	if (r == 0)
		plain_line_ends(ret, defects);
	return r;
}

/* One escape behind a backslash at p: writes what it means, returns how many bytes it took. */
static size_t
escape_read(const unsigned char *p, size_t left, unsigned char *out, size_t *used)
{
	unsigned value = 0;

	switch (left > 0 ? p[0] : 0) {
	case 'n':
	case 'r':
		out[(*used)++] = p[0] == 'n' ? '\n' : '\r';
		return 1;
	case 't':
		out[(*used)++] = '\t';
		return 1;
	case '"':
	case '\'':
	case '/':
		out[(*used)++] = p[0];
		return 1;
	case '\\': /* escaped twice: what follows is read again */
		return left > 1 && strchr("nrtu\"/", p[1]) != NULL
			   ? escape_read(p + 1, left - 1, out, used) + 1
			   : 1;
	case 'u':
		for (size_t i = 1; i <= 4 && i < left && isxdigit(p[i]); i++)
			value = value << 4 |
				(unsigned)(isdigit(p[i]) ? p[i] - '0' : tolower(p[i]) - 'a' + 10);
		if (left < 5 || value == 0 || value > 0x7f)
			break;
		out[(*used)++] = (unsigned char)value;
		return 5;
	default:
		break;
	}
	out[(*used)++] = '\\';
	return 0;
}

int
key_unescape(const struct key_buf *text, struct key_buf *ret)
{
	size_t used = 0;
	uint64_t defects = 0;

	if ((ret->at = malloc(text->len + 2)) == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < text->len; i++) {
		if (text->at[i] == '\\')
			i += escape_read(text->at + i + 1, text->len - i - 1, ret->at, &used);
		else
			ret->at[used++] = text->at[i];
	}
	ret->at[used] = '\0';
	ret->len = used;
	plain_line_ends(ret, &defects);
	return 0;
}

int
key_unprefix(const struct key_buf *text, const char *prefix, size_t len, struct key_buf *ret)
{
	size_t used = 0;
	bool start = true;

	if ((ret->at = malloc(text->len + 1)) == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < text->len; i++) {
		if (start && text->len - i >= len && memcmp(text->at + i, prefix, len) == 0) {
			for (i += len;
			     i < text->len && (text->at[i] == ' ' || text->at[i] == '\t');)
				i++;
			if (i == text->len)
				break;
		}
		start = text->at[i] == '\n';
		ret->at[used++] = text->at[i];
	}
	ret->at[used] = '\0';
	ret->len = used;
	return 0;
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

int
key_strip_invisible(const struct key_buf *text, struct key_buf *ret, uint64_t *defects)
{
	size_t used = 0;

	if ((ret->at = malloc(text->len + 1)) == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < text->len; i++) {
		size_t hidden;

		if (text->at[i] < 0x80) {
			ret->at[used++] = text->at[i];
			continue;
		}
		hidden = invisible(text->at + i, text->len - i);

		if (hidden > 0) {
			*defects |= text->at[i] == 0xef ? KEY_BIT(BOM) : KEY_BIT(ZERO_WIDTH);
			i += hidden - 1;
		} else if (text->at[i] == 0xc2 && i + 1 < text->len && text->at[i + 1] == 0xa0) {
			*defects |= KEY_BIT(DAMAGED); /* a no-break space */
			ret->at[used++] = ' ';
			i++;
		} else {
			ret->at[used++] = text->at[i];
		}
	}
	ret->at[used] = '\0';
	ret->len = used;
	return 0;
}

int
key_base64_any(const char *text, size_t len, struct key_buf *ret)
{
	char *plain = malloc(len + 1);
	int r;

	if (plain == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < len; i++)
		plain[i] = text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i];
	r = base64_decode(plain, len, &ret->at, &ret->len);
	if (r == 0)
		ret->at[ret->len] = '\0';
	OPENSSL_cleanse(plain, len);
	free(plain);
	return r;
}

size_t
key_find(const struct key_buf *text, size_t from, const char *word)
{
	const void *found =
	    from > text->len ? NULL : memmem(text->at + from, text->len - from, word, strlen(word));

	return found == NULL ? SIZE_MAX : (size_t)((const unsigned char *)found - text->at);
}
