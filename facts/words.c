#include "facts/words.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

bool
word_same(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

bool
word_among(const char *word, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(words[i], word) == 0)
			return true;
	return false;
}

bool
word_listed(const char *word, const char *const *words)
{
	for (; words != NULL && *words != NULL; words++)
		if (strcmp(*words, word) == 0)
			return true;
	return false;
}

bool
word_in_text(const char *word, const char *text, char separator)
{
	const size_t len = word != NULL ? strlen(word) : 0;

	for (const char *at = text; len > 0 && at != NULL && (at = strstr(at, word)) != NULL; at++)
		if ((at == text || at[-1] == separator) &&
		    (at[len] == separator || at[len] == '\0'))
			return true;
	return false;
}

static bool
same_letter(char a, char b, bool any_case)
{
	return a == b || (any_case && tolower((unsigned char)a) == tolower((unsigned char)b));
}

/* Linear in the product of the lengths whatever the pattern. */
bool
word_fits(const char *pattern, size_t len, const char *word, bool any_case)
{
	size_t p = 0, star = SIZE_MAX;
	const char *mark = word;

	while (*word != '\0') {
		if (p < len && pattern[p] == '*') {
			star = p++;
			mark = word;
		} else if (p < len &&
			   (pattern[p] == '?' || same_letter(pattern[p], *word, any_case))) {
			p++;
			word++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			word = ++mark;
		} else {
			return false;
		}
	}
	while (p < len && pattern[p] == '*')
		p++;
	return p == len;
}
