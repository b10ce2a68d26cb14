#include "ssh/key/key.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int
hex(unsigned char c)
{
	if (isdigit(c))
		return c - '0';
	return isxdigit(c) ? tolower(c) - 'a' + 10 : -1;
}

/* "-----BEGIN%20RSA%20PRIVATE%20KEY-----%0A": a form field or a part of an address; there a blank
 * may also be "+". */
static int
unpercent(const struct buffer *text, struct buffer *ret)
{
	const bool plus = key_find(text, 0, "BEGIN+") != SIZE_MAX;

	if (!plus && key_find(text, 0, "BEGIN%20") == SIZE_MAX &&
	    key_find(text, 0, "Encryption:%20") == SIZE_MAX &&
	    key_find(text, 0, "Encryption%3A") == SIZE_MAX)
		return -ENOENT;
	buffer_reserve(ret, text->len);
	for (size_t i = 0; i < text->len; i++) {
		int high = text->at[i] == '%' && text->len - i > 2 ? hex(text->at[i + 1]) : -1,
		    low = high >= 0 ? hex(text->at[i + 2]) : -1;

		if (low >= 0) {
			buffer_u8(ret, (unsigned char)(high << 4 | low));
			i += 2;
		} else {
			buffer_u8(ret, plus && text->at[i] == '+' ? ' ' : text->at[i]);
		}
	}
	return 0;
}

/* The number at the start of a line, and how long it is with what stands around it; 0 for none. */
static size_t
numbered(const struct buffer *text, size_t at, unsigned *ret)
{
	size_t i = at, digits = 0;

	while (i < text->len && (text->at[i] == ' ' || text->at[i] == '\t'))
		i++;
	for (*ret = 0; i < text->len && isdigit(text->at[i]) && digits < 5; i++, digits++)
		*ret = *ret * 10 + (unsigned)(text->at[i] - '0');
	if (digits == 0 || i == text->len || strchr(" \t:.|)", text->at[i]) == NULL ||
	    text->at[i] == '\0')
		return 0;
	while (i < text->len && strchr(" \t:.|)", text->at[i]) != NULL && text->at[i] != '\0')
		i++;
	return i - at;
}

/* Every line behind its number, as an editor or cat -n shows a file. */
static int
unnumber(const struct buffer *text, struct buffer *ret)
{
	size_t second = key_find(text, 0, "\n");
	unsigned first, next;

	if (second == SIZE_MAX || numbered(text, 0, &first) == 0 ||
	    numbered(text, second + 1, &next) == 0 || next != first + 1)
		return -ENOENT;
	buffer_reserve(ret, text->len);
	for (size_t i = 0; i < text->len; i++) {
		if (i == 0 || text->at[i - 1] == '\n')
			i += numbered(text, i, &next);
		if (i < text->len)
			buffer_u8(ret, text->at[i]);
	}
	return 0;
}

int
key_unwrap(const struct buffer *text, struct buffer *ret, uint64_t *defects)
{
	int r = unpercent(text, ret);

	*defects = KEY_BIT(NEWLINE_ESCAPED);
	if (r != -ENOENT)
		return r;
	*defects = KEY_BIT(DAMAGED);
	return unnumber(text, ret);
}
