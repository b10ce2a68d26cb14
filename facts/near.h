/* The word that a person may have meant by a mistyped one. */
#ifndef FACTS_NEAR_H
#define FACTS_NEAR_H

#include <stdbool.h>
#include <stddef.h>

/* true when `word` is near enough to be meant by `typed`: few letters to add, drop, change or swap
 * with their neighbour, whatever their case. */
bool near_enough(const char *typed, const char *word);

/* The nearest of the words that were tried; `best` is NULL while none is near enough. */
struct near {
	const char *typed;
	const char *best; /* borrowed, `len` bytes */
	size_t len;
	unsigned distance;
};

void near_try(struct near *near, const char *word, size_t len);

/* Tries each word of a list with `separator` between. */
void near_try_list(struct near *near, const char *list, char separator);

#endif
