/* Words in lists, and two words. Letters count as they are. */
#ifndef FACTS_WORDS_H
#define FACTS_WORDS_H

#include <stdbool.h>
#include <stddef.h>

/* NULL is like nothing. */
bool word_same(const char *a, const char *b);

bool word_among(const char *word, const char *const *words, size_t count);

/* The same of a list that ends with NULL; NULL is an empty list. */
bool word_listed(const char *word, const char *const *words);

/* The same of text with `separator` between the words ("publickey,password"). NULL text or word:
 * false. */
bool word_in_text(const char *word, const char *text, char separator);

/* Does the pattern of that length, with * and ? as in a shell and without classes, stand for the
 * whole word? */
bool word_fits(const char *pattern, size_t len, const char *word, bool any_case);

#endif
