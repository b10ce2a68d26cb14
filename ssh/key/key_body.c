#include "ssh/key/key.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* How the blanks of a body are understood. */
enum blanks { BLANKS_DROPPED, BLANKS_PLUS, BLANKS_BY_WIDTH };

struct body_text {
	const unsigned char *at;
	size_t len;
	bool joined; /* its line ends are gone, or became blanks */
	bool ended;  /* an END line follows */
};

static bool
blank(unsigned char c)
{
	return c == ' ' || c == '\t';
}

static void
skip_space(struct body_text *body)
{
	while (body->len > 0 && isspace(*body->at)) {
		body->at++;
		body->len--;
	}
}

static bool
starts(const struct body_text *body, const char *word)
{
	return body->len >= strlen(word) &&
	       strncasecmp((const char *)body->at, word, strlen(word)) == 0;
}

static void
skip(struct body_text *body, size_t len)
{
	body->at += len;
	body->len -= len;
}

/* "DEK-Info: AES-128-CBC,0011..." with exactly as many hex digits as that cipher's IV has, since
 * the line end may be lost. */
static void
dek_info(struct body_text *body, char *cipher, size_t size)
{
	size_t used = 0, digits = 0, most;

	skip(body, strlen("DEK-Info:"));
	skip_space(body);
	while (body->len > 0 && (isalnum(*body->at) || *body->at == '-') && used + 1 < size) {
		cipher[used++] = (char)*body->at;
		skip(body, 1);
	}
	cipher[used] = '\0';
	if (body->len == 0 || *body->at != ',')
		return;
	skip(body, 1);
	most = strncasecmp(cipher, "DES", 3) == 0 || strncasecmp(cipher, "RC2", 3) == 0 ||
		       strncasecmp(cipher, "BF", 2) == 0 || strncasecmp(cipher, "CAST", 4) == 0 ||
		       strncasecmp(cipher, "IDEA", 4) == 0
		   ? 16
		   : 32;
	while (body->len > 0 && isxdigit(*body->at) && digits++ < most)
		skip(body, 1);
}

/* A "Name: value" line; false when the body begins here. */
static bool
header_line(struct body_text *body)
{
	size_t i = 0;

	while (i < body->len && (isalnum(body->at[i]) || body->at[i] == '-'))
		i++;
	if (i == 0 || i >= body->len || body->at[i] != ':')
		return false;
	while (i < body->len && !(body->at[i] == '\n' && body->at[i - 1] != '\\'))
		i++;
	if (i == body->len)
		return false;
	skip(body, i);
	return true;
}

static void
headers(struct body_text *body, struct key_body *ret)
{
	for (;;) {
		skip_space(body);
		if (starts(body, "Proc-Type:")) {
			skip(body, strlen("Proc-Type:"));
			skip_space(body);
			if (starts(body, "4,ENCRYPTED")) {
				ret->encrypted = true;
				skip(body, strlen("4,ENCRYPTED"));
			}
		} else if (starts(body, "DEK-Info:")) {
			dek_info(body, ret->cipher, sizeof(ret->cipher));
		} else if (!header_line(body)) {
			return;
		}
	}
}

/* What one line of the body looks like. */
struct lines {
	unsigned filled, empty_between, empty_pending;
	bool leading, trailing, inner, regular;
	size_t longest;
};

static void
line_look(const unsigned char *at, size_t len, struct lines *lines)
{
	size_t start = 0, end = len, word = 0, width = 0;

	while (start < end && blank(at[start]))
		start++;
	while (end > start && blank(at[end - 1]))
		end--;
	if (start == end) {
		lines->empty_pending++;
		return;
	}
	if (lines->filled++ > 0)
		lines->empty_between += lines->empty_pending;
	lines->empty_pending = 0;
	lines->leading = lines->leading || start > 0;
	lines->trailing = lines->trailing || end < len;
	if (end - start > lines->longest)
		lines->longest = end - start;
	for (size_t i = start; i <= end; i++) {
		if (i < end && !blank(at[i])) {
			word++;
			continue;
		}
		if (i < end)
			lines->inner = true;
		if (width == 0 && i < end)
			lines->regular = word >= 40;
		else if (i < end ? word != width : word > width)
			lines->regular = false;
		width = width == 0 ? word : width;
		word = 0;
	}
}

static uint64_t
shape(const struct body_text *body, struct lines *lines)
{
	uint64_t defects = 0;
	size_t start = 0;

	for (size_t i = 0; i <= body->len; i++)
		if (i == body->len || body->at[i] == '\n') {
			line_look(body->at + start, i - start, lines);
			start = i + 1;
		}
	if (body->joined)
		return lines->inner || lines->leading || lines->trailing ? KEY_BIT(NEWLINE_TO_SPACE)
									 : KEY_BIT(NEWLINES_LOST);
	defects |= lines->leading ? KEY_BIT(INDENTED) : 0;
	defects |= lines->trailing ? KEY_BIT(TRAILING_SPACES) : 0;
	defects |= lines->inner && lines->regular ? KEY_BIT(NEWLINE_TO_SPACE) : 0;
	defects |= lines->empty_between > 0 ? KEY_BIT(BLANK_LINES) : 0;
	defects |=
	    lines->filled == 1 && lines->longest > 76 && !lines->inner ? KEY_BIT(ONE_LINE) : 0;
	return defects;
}

/* The base64 characters alone. */
struct chars {
	struct buffer text;
	size_t pads;
	bool url, junk;
};

static void
chars_read(const struct body_text *body, enum blanks blanks, size_t width, struct chars *ret)
{
	size_t column = 0;

	*ret = (struct chars){ 0 };
	buffer_reserve(&ret->text, body->len);
	for (size_t i = 0; i < body->len; i++) {
		unsigned char c = body->at[i];

		if (isspace(c) && (c == '\n' || blanks == BLANKS_DROPPED ||
				   (blanks == BLANKS_BY_WIDTH && column == width))) {
			column = 0;
			continue;
		}
		column++;
		if (c == '=') {
			ret->pads++;
			continue;
		}
		ret->url = ret->url || c == '-' || c == '_';
		if (blank(c) || c == '-')
			c = '+';
		else if (c == '_')
			c = '/';
		if ((!isalnum(c) && c != '+' && c != '/') || ret->pads > 0)
			ret->junk = true;
		else
			buffer_u8(&ret->text, c);
	}
}

bool
key_length(const unsigned char *bytes, size_t len, size_t *ret)
{
	struct bytes rest = { bytes, len }, part, cipher;
	uint32_t value = 0;

	*ret = SIZE_MAX;
	if (len >= 15 && memcmp(bytes, "openssh-key-v1", 15) == 0) {
		bytes_take(&rest, 15, &part);
		if (bytes_string(&rest, &cipher) < 0 || bytes_string(&rest, &part) < 0 ||
		    bytes_string(&rest, &part) < 0 || bytes_u32(&rest, &value) < 0 ||
		    bytes_string(&rest, &part) < 0 || bytes_u32(&rest, &value) < 0)
			return true;
		*ret = len - rest.len + value;
		if (bytes_is(cipher, "chacha20-poly1305@openssh.com") ||
		    (cipher.len > 4 && memmem(cipher.at, cipher.len, "-gcm@", 5) != NULL))
			*ret += 16;
		return true;
	}
	if (len >= 8 && memcmp(bytes, "\x3f\x6f\xf9\xeb", 4) == 0) {
		bytes_take(&rest, 4, &part);
		bytes_u32(&rest, &value);
		*ret = value;
		return true;
	}
	if (len < 2 || bytes[0] != 0x30 || bytes[1] == 0x80 || bytes[1] > 0x84)
		return false;
	if (bytes[1] < 0x80) {
		*ret = 2u + bytes[1];
		return true;
	}
	for (unsigned i = 0; i < (bytes[1] & 0x7fu); i++) {
		if (2 + i >= len)
			return true;
		value = value << 8 | bytes[2 + i];
	}
	*ret = (size_t)2 + (bytes[1] & 0x7fu) + value;
	return true;
}

/* Decodes; judges whether all of it is there. */
static void
attempt(const struct body_text *body, enum blanks blanks, size_t width, struct key_body *ret)
{
	struct chars chars;
	size_t want, block = strncasecmp(ret->cipher, "AES", 3) == 0 ? 16 : 8;
	size_t whole;
	bool stated, odd;

	chars_read(body, blanks, width, &chars);
	whole = chars.text.len + chars.pads;
	odd = whole % 4 != 0;
	buffer_free(&ret->bytes);
	if (chars.text.len % 4 == 1)
		chars.text.len--;
	base64_decode(buffer_bytes(&chars.text), BASE64_LOOSE, &ret->bytes);
	stated = key_length(ret->bytes.at, ret->bytes.len, &want);
	if (ret->encrypted)
		ret->complete = !odd && ret->bytes.len > 0 && ret->bytes.len % block == 0;
	else
		ret->complete = stated && want == ret->bytes.len;
	ret->cut = !ret->complete && (ret->encrypted || !stated || want > ret->bytes.len);
	ret->defects = (chars.url ? KEY_BIT(BASE64URL) : 0) | (chars.junk ? KEY_BIT(DAMAGED) : 0);
	if (ret->complete && odd && !chars.url)
		ret->defects |= KEY_BIT(DAMAGED);
	if (!ret->complete && body->ended && whole % 4 == 3)
		ret->defects |= KEY_BIT(ONE_CHAR_LOST);
	else if (!ret->complete)
		ret->defects |=
		    ret->cut && !(odd && body->ended) ? KEY_BIT(TRUNCATED) : KEY_BIT(DAMAGED);
	buffer_free(&chars.text);
}

/* The other readings, when dropping the blanks did not give a whole key: they were plus signs. */
static void
attempt_plus(struct body_text body, struct key_body *ret)
{
	static const size_t widths[] = { 70, 64, 76 };

	if (!body.joined) {
		attempt(&body, BLANKS_PLUS, 0, ret);
		return;
	}
	if (body.len > 0 && blank(body.at[body.len - 1]))
		body.len--;
	for (size_t i = 0; i < sizeof(widths) / sizeof(widths[0]) && !ret->complete; i++)
		attempt(&body, BLANKS_BY_WIDTH, widths[i], ret);
}

/* An empty line right behind BEGIN or right before END; "\n" alone is the end of the BEGIN line. */
static bool
edge_is_blank(const struct body_text *body)
{
	size_t start = 0, end = 0;

	for (size_t i = 0; i < body->len && isspace(body->at[i]); i++)
		start += body->at[i] == '\n';
	for (size_t i = body->len; i > 0 && isspace(body->at[i - 1]); i--)
		end += body->at[i - 1] == '\n';
	return start > 1 || (body->ended && end > 1);
}

void
key_body_read(const struct buffer *text, size_t from, size_t to, bool joined, bool ended,
	      struct key_body *ret)
{
	struct body_text body = { text->at + from, to - from, joined, ended }, whole = body;
	struct lines lines = { 0 };
	uint64_t look, found;

	*ret = (struct key_body){ 0 };
	if (body.len > 0 && !joined) { /* the rest of the BEGIN line */
		size_t i = 0;

		while (i < body.len && blank(body.at[i]))
			i++;
		if (i > 0 && i < body.len && body.at[i] == '\n')
			lines.trailing = true;
	}
	headers(&body, ret);
	if (!joined && ret->cipher[0] == '\0' && edge_is_blank(&whole))
		lines.empty_between++;
	look = shape(ret->cipher[0] != '\0' || !joined ? &body : &whole, &lines);
	attempt(&body, BLANKS_DROPPED, 0, ret);
	if (!ret->complete && (lines.inner || lines.leading || lines.trailing)) {
		found = ret->defects;
		attempt_plus(body, ret);
		if (ret->complete) {
			look &= ~(KEY_BIT(INDENTED) | KEY_BIT(TRAILING_SPACES) |
				  (joined ? 0 : KEY_BIT(NEWLINE_TO_SPACE)));
			look |= KEY_BIT(PLUS_TO_SPACE);
		} else {
			attempt(&body, BLANKS_DROPPED, 0, ret);
			ret->defects |= found;
		}
	}
	ret->defects |= look;
}
