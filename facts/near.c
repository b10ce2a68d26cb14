#include "facts/near.h"

#include <ctype.h>
#include <string.h>

enum { LONGEST = 64 };

static bool
same(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

static unsigned
least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* The optimal string alignment distance; 99 for words that are too long for a slip. */
static unsigned
distance_of(const char *a, size_t la, const char *b, size_t lb)
{
	unsigned row[3][LONGEST + 2];

	if (la > LONGEST || lb > LONGEST)
		return 99;
	for (size_t j = 0; j <= lb; j++)
		row[1][j] = (unsigned)j;
	for (size_t i = 1; i <= la; i++) {
		unsigned *now = row[(i + 1) % 3], *before = row[i % 3], *twice = row[(i + 2) % 3];

		now[0] = (unsigned)i;
		for (size_t j = 1; j <= lb; j++) {
			now[j] = before[j - 1] + (same(a[i - 1], b[j - 1]) ? 0 : 1);
			now[j] = least(now[j], least(before[j], now[j - 1]) + 1);
			if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]))
				now[j] = least(now[j], twice[j - 2] + 1);
		}
	}
	return row[(la + 1) % 3][lb];
}

/* A short word allows fewer slips than a long one. */
static unsigned
allowed(size_t len)
{
	if (len < 4)
		return 1;
	return len < 8 ? 2 : 3;
}

bool
near_enough(const char *typed, const char *word)
{
	size_t len = strlen(typed);

	return distance_of(typed, len, word, strlen(word)) <= allowed(len);
}

void
near_try(struct near *near, const char *word, size_t len)
{
	size_t typed = strlen(near->typed);
	unsigned distance = distance_of(near->typed, typed, word, len);

	if (distance > allowed(typed) || (near->best != NULL && distance >= near->distance))
		return;
	near->best = word;
	near->len = len;
	near->distance = distance;
}

void
near_try_list(struct near *near, const char *list, char separator)
{
	const char ends[] = { separator, '\0' };

	for (size_t len; *list != '\0'; list += len + (list[len] != '\0'))
		near_try(near, list, len = strcspn(list, ends));
}
