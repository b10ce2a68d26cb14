#include "ssh/key/key.h"

#include <ctype.h>
#include <string.h>

static bool
blank(unsigned char c)
{
	return c == ' ' || c == '\t';
}

/* NAME= or NAME: in front of the key, perhaps "export NAME=", perhaps with a quote behind. */
static bool
assignment(const unsigned char *at, size_t len)
{
	size_t i = 0, start;

	if (len >= 7 && memcmp(at, "export ", 7) == 0)
		i = 7;
	for (start = i;
	     i < len && (isalnum(at[i]) || at[i] == '_' || at[i] == '.' || at[i] == '-');)
		i++;
	if (i == start)
		return false;
	while (i < len && blank(at[i]))
		i++;
	return i < len && (at[i] == '=' || at[i] == ':') && i + 1 >= len - (len > i + 1);
}

/* What stands on the same line in front of the key. */
static uint64_t
same_line(const unsigned char *at, size_t len)
{
	bool quote = false;
	size_t i = 0;

	if (len == 3 && memcmp(at, "\xe2\x80\x8b", 3) == 0)
		return KEY_BIT(ZERO_WIDTH);
	while (i < len && blank(at[i]))
		i++;
	if (i == len)
		return len > 0 ? KEY_BIT(INDENTED) : 0;
	while (len > i && (blank(at[len - 1]) || at[len - 1] == '$'))
		len--;
	if (len == i)
		return KEY_BIT(LEADING_TEXT); /* a shell's prompt alone */
	if (at[i] == '`')
		return KEY_BIT(MARKDOWN_FENCE);
	quote = at[len - 1] == '"' || at[len - 1] == '\'';
	len -= quote;
	while (len > i && blank(at[len - 1]))
		len--;
	if (quote && (len == i || at[len - 1] == '"' || at[len - 1] == '[' || at[len - 1] == ',' ||
		      memchr(at + i, '"', len - i) != NULL))
		return KEY_BIT(JSON_QUOTED);
	if (len > i && assignment(at + i, len - i))
		return KEY_BIT(DOTENV);
	return quote ? KEY_BIT(JSON_QUOTED) : KEY_BIT(LEADING_TEXT);
}

static bool
fence(const unsigned char *at, size_t len)
{
	while (len > 0 && blank(*at)) {
		at++;
		len--;
	}
	return len >= 3 && (memcmp(at, "```", 3) == 0 || memcmp(at, "~~~", 3) == 0);
}

void
key_lead(const struct buffer *text, size_t at, struct key_info *info)
{
	size_t line = 0;
	bool blanks = false, words = false;

	for (size_t i = 0; i < at; i++) {
		size_t start = line, used;

		if (text->at[i] != '\n')
			continue;
		line = i + 1;
		for (used = start; used < i && blank(text->at[used]);)
			used++;
		if (used == i)
			blanks = true;
		else if (fence(text->at + start, i - start))
			key_flag(info, KEY_BIT(MARKDOWN_FENCE));
		else
			words = true;
	}
	if (words)
		key_flag(info, KEY_BIT(LEADING_TEXT));
	else if (blanks)
		key_flag(info, KEY_BIT(LEADING_BLANK));
	key_flag(info, same_line(text->at + line, at - line));
}

void
key_trail(const struct buffer *text, size_t at, struct key_info *info)
{
	const uint64_t joined =
	    KEY_BIT(NEWLINES_LOST) | KEY_BIT(NEWLINE_TO_SPACE) | KEY_BIT(NEWLINE_ESCAPED);
	const uint64_t quoted = KEY_BIT(JSON_QUOTED) | KEY_BIT(DOTENV);
	size_t i = at, end = text->len;
	const unsigned char *rest;

	while (i < end && blank(text->at[i]))
		i++;
	if (i > at && i < end && text->at[i] == '\n')
		key_flag(info, KEY_BIT(TRAILING_SPACES));
	if (i == end && (info->defects & (joined | quoted)) == 0)
		key_flag(info, KEY_BIT(NO_FINAL_NEWLINE));
	while (end > i && isspace(text->at[end - 1]))
		end--;
	while (i < end && isspace(text->at[i]))
		i++;
	if (i == end)
		return;
	rest = text->at + i;
	if (fence(rest, end - i) || (*rest == '`' && (info->defects & KEY_BIT(MARKDOWN_FENCE))))
		key_flag(info, KEY_BIT(MARKDOWN_FENCE));
	else if ((*rest == '"' || *rest == '\'') &&
		 (info->defects & (quoted | KEY_BIT(NEWLINE_ESCAPED))))
		return;
	else
		key_flag(info, KEY_BIT(TRAILING_GARBAGE));
}
