/* What an error reply holds, however its sender has wrapped it. */
#ifndef AZURE_ERROR_H
#define AZURE_ERROR_H

#include "loop/loop.h"

#include <jansson.h>

/* The object of an error body that has "code" and "message"; NULL when there is none. Borrowed. */
const json_t *error_find(const json_t *body);
/* Its text of that name, in any case; NULL. */
const char *error_text(const json_t *error, const char *name);
/* true when the code is one of those in the list, which blanks part. */
bool error_is(const char *code, const char *list);
/* The WWW-Authenticate header that holds the word; NULL when there is none. Borrowed. */
const char *error_challenge(const struct http_reply *reply, const char *word);

/* What a message names; the caller frees, NULL when it names none. */
/* "Microsoft.Network/networkSecurityGroups/read" in an AuthorizationFailed sentence. */
char *error_action(const char *message);
/* The scope of that action. */
char *error_scope(const char *message);
/* The tenant in an issuer's or authority's URL that is not `own`. */
char *error_tenant(const char *message, const char *own);
/* The newest api-version that the body offers and that is older than ours. */
char *error_api_version(const json_t *body, const char *ours);

#endif
