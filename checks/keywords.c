#include "checks/keywords.h"
#include "facts/words.h"

#include <string.h>
#include <strings.h>

const struct keyword keyword_table[] = {
#define KEYWORD(word, how, check, defaults) { word, how, CHECK_##check, defaults },
#include "checks/keywords.def"
#undef KEYWORD
};

const size_t keyword_count = sizeof(keyword_table) / sizeof(*keyword_table);

const struct keyword *
keyword_find(const char *word)
{
	for (size_t i = 0; i < keyword_count; i++)
		if (strcasecmp(keyword_table[i].word, word) == 0)
			return &keyword_table[i];
	return NULL;
}

bool
keyword_unjudged(const char *word, const char *value)
{
	const struct keyword *row = keyword_find(word);

	return row == NULL || (row->how == UNJUDGED && !word_in_text(value, row->defaults, '|'));
}
