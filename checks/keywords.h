/* The keywords of ssh_config: which check judges each of them. */
#ifndef CHECKS_KEYWORDS_H
#define CHECKS_KEYWORDS_H

#include "checks/codes.h"

#include <stdbool.h>
#include <stddef.h>

enum keyword_how { JUDGED, IRRELEVANT, UNJUDGED };

struct keyword {
	const char *word;
	enum keyword_how how;
	enum check_id check;  /* of JUDGED */
	const char *defaults; /* of UNJUDGED: what ssh itself sets, with | between; NULL: nothing */
};

/* The whole table, in the order of its words. */
extern const struct keyword keyword_table[];
extern const size_t keyword_count;

/* The row of a keyword in small letters, NULL when there is none. */
const struct keyword *keyword_find(const char *word);

/* Nothing judges the keyword, or nothing knows it, and its value is not ssh's own. */
bool keyword_unjudged(const char *word, const char *value);

#endif
