#include "model/redact/inner.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { SHORT = 2, DIGITS = 6 };

static int
compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

static bool
is_listed(const char *text, size_t len)
{
	char word[REDACT_WORD_MAX] = "";

	if (len >= sizeof(word))
		return false;
	for (size_t i = 0; i < len; i++)
		word[i] = (char)tolower((unsigned char)text[i]);
	return bsearch(word, redact_words, redact_word_count, REDACT_WORD_MAX, compare) != NULL;
}

/* The first part of a word such as networkSecurityGroups, id_ed25519 or OpenSSH. */
static size_t
part_length(const char *text, size_t len)
{
	size_t n = 1;

	if (isdigit((unsigned char)*text)) {
		while (n < len && isdigit((unsigned char)text[n]))
			n++;
		return n;
	}
	while (n < len && isalpha((unsigned char)text[n]) &&
	       (!isupper((unsigned char)text[n]) || isupper((unsigned char)text[n - 1])))
		n++;
	return n;
}

/* Short words and short numbers are nobody's; several of them together may be somebody's. */
bool
word_is_public(const char *text, size_t len)
{
	size_t letters = 0, digits = 0, n;

	if (is_listed(text, len))
		return true;
	for (size_t i = 0; i < len; i += n) {
		n = text[i] == '_' ? 1 : part_length(text + i, len - i);
		if (text[i] == '_' || is_listed(text + i, n))
			continue;
		if (isdigit((unsigned char)text[i]))
			digits += n;
		else if (isalpha((unsigned char)text[i]))
			letters += n;
		else
			return false;
		if (letters > SHORT || digits > DIGITS)
			return false;
	}
	return true;
}
