#include "azure/arm/token.h"
#include "azure/arm/error.h"

#include <string.h>

void
token_set(struct token *token, const char *text, time_t expires)
{
	secret_free(token->text);
	token->text = strdup(text);
	token->expires = expires;
	token->generation++;
}

bool
token_expired(const struct token *token, time_t now)
{
	return token->text != NULL && token->expires != 0 && token->expires <= now;
}

bool
token_refused(const struct web_answer *answer)
{
	if (answer->status != 401 || error_challenge(answer->reply, "claims=") != NULL)
		return false;
	return error_is(error_text(error_find(answer->json), "code"),
			"ExpiredAuthenticationToken") ||
	       error_challenge(answer->reply, "expired") != NULL;
}
