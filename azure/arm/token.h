/* The token of the sign-in, as requests to ARM use it. */
#ifndef AZURE_TOKEN_H
#define AZURE_TOKEN_H

#include "azure/arm/web.h"

#include <time.h>

struct token {
	char *text;          /* NULL: none */
	time_t expires;      /* 0: not known */
	unsigned generation; /* counts the tokens; 0: none yet */
};

void token_set(struct token *token, const char *text, time_t expires);
bool token_expired(const struct token *token, time_t now);
/* true when the answer calls the token expired. A claims challenge needs a person, so no new token
 * helps. */
bool token_refused(const struct web_answer *answer);

#endif
