/* Token requests, and what their answers mean. */
#ifndef AZURE_OAUTH_H
#define AZURE_OAUTH_H

#include "azure/signin/signin.h"

enum { TOKEN_MAX = 1 << 20 }; /* bytes of a reply that holds a token */

/* Ends the try for an answer that never came, or came from somebody else: the deadline, the
 * network, a proxy, a page. `who` should have answered. */
void credential_unanswered(struct signin *signin, const struct web_answer *answer, const char *who);
/* Ends the try with what a token endpoint answered (Entra, instance metadata, App Service...). ctx
 * is the signin. */
void credential_answer(void *ctx, const struct web_answer *answer);
/* Ends the try when the number is a known one; else false. */
bool credential_known(struct signin *signin, long number);
/* The first variable that is not set of those that an application signs in with: the proof,
 * AZURE_CLIENT_ID and the tenant. NULL when all are. */
const char *credential_missing(const struct signin *signin, const char *proof);
/* Asks the authority for a token of the application AZURE_CLIENT_ID and ends the try. proof:
 * "client_secret" or "client_assertion". */
void credential_prove(struct signin *signin, const char *proof, const char *value);
/* The token endpoint; the caller frees. */
char *credential_endpoint(const struct signin *signin);

#endif
