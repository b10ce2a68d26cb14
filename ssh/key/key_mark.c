#include "ssh/key/key.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* The dash at i, counted in bytes: '-', or what word processors and mail programs make of it; 0
 * when there is none. */
static size_t
dash_at(const struct buffer *text, size_t i)
{
	const unsigned char *p = text->at + i;
	size_t left = text->len - i;

	if (left >= 1 && p[0] == '-')
		return 1;
	if (left >= 3 && p[0] == 0xe2 &&
	    ((p[1] == 0x80 && p[2] >= 0x90 && p[2] <= 0x95) || (p[1] == 0x88 && p[2] == 0x92)))
		return 3;
	if (left >= 3 && p[0] == 0xef &&
	    ((p[1] == 0xb9 && (p[2] == 0x98 || p[2] == 0xa3)) || (p[1] == 0xbc && p[2] == 0x8d)))
		return 3;
	return left >= 1 && (p[0] == 0x96 || p[0] == 0x97) ? 1 : 0;
}

/* The dash that ends before i, 0 when there is none. */
static size_t
dash_before(const struct buffer *text, size_t i)
{
	if (i >= 3 && dash_at(text, i - 3) == 3)
		return 3;
	return i >= 1 && dash_at(text, i - 1) == 1 ? 1 : 0;
}

/* Reads the label behind BEGIN or END: words of letters and digits, up to dashes or anything else.
 */
static size_t
label_read(const struct buffer *text, size_t i, struct key_mark *mark)
{
	size_t used = 0, most = i + 256; /* labels are short; BEGINs may be many */

	while (i < text->len && i < most && (text->at[i] == ' ' || text->at[i] == '\t'))
		i++;
	for (; i < text->len && i < most &&
	       (isalnum(text->at[i]) || text->at[i] == ' ' || text->at[i] == '_' ||
		text->at[i] == '.');
	     i++) {
		if (used + 1 < sizeof(mark->label) &&
		    !(text->at[i] == ' ' && used > 0 && mark->label[used - 1] == ' '))
			mark->label[used++] = (char)toupper(text->at[i]);
		mark->lower = mark->lower || islower(text->at[i]);
	}
	while (used > 0 && mark->label[used - 1] == ' ')
		used--;
	mark->label[used] = '\0';
	return i;
}

static bool
label_known(const char *label)
{
	static const char *const words[] = { "KEY",    "CERTIFICATE", "PARAMETERS", "PKCS7",
					     "PKCS12", "CRL",         "CMS" };
	size_t len = strlen(label);

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (len >= strlen(words[i]) &&
		    strcmp(label + len - strlen(words[i]), words[i]) == 0)
			return true;
	return strcmp(label, "CERTIFICATE REQUEST") == 0;
}

static bool
mark_at(const struct buffer *text, size_t word, size_t len, struct key_mark *ret)
{
	struct key_mark mark = { .at = word };
	size_t n;

	while (mark.at > 0 && text->at[mark.at - 1] == ' ' && word - mark.at < 2)
		mark.at--;
	if (dash_before(text, mark.at) == 0)
		mark.at = word;
	for (; (n = dash_before(text, mark.at)) != 0 && mark.before < 32; mark.before++) {
		mark.at -= n;
		mark.odd = mark.odd || text->at[mark.at] != '-';
	}
	for (size_t i = 0; i < len; i++)
		mark.lower = mark.lower || islower(text->at[word + i]);
	mark.end = label_read(text, word + len, &mark);
	if (!label_known(mark.label))
		return false;
	for (; mark.end < text->len && (n = dash_at(text, mark.end)) != 0 && mark.after < 32;
	     mark.after++) {
		mark.odd = mark.odd || text->at[mark.end] != '-';
		mark.end += n;
	}
	if (mark.before == 0 && mark.after == 0 &&
	    (mark.lower || (word > 0 && text->at[word - 1] != '\n')))
		return false;
	*ret = mark;
	return true;
}

bool
key_mark_find(const struct buffer *text, size_t from, const char *word, struct key_mark *ret)
{
	size_t len = strlen(word);

	for (size_t i = from; i + len <= text->len; i++)
		if ((text->at[i] & 0xdf) == word[0] && (text->at[i + 1] & 0xdf) == word[1] &&
		    strncasecmp((const char *)text->at + i, word, len) == 0 &&
		    mark_at(text, i, len, ret) && ret->at >= from)
			return true;
	return false;
}
