#include "facts/words.h"

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
