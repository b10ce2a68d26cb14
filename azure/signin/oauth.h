/* Token requests, and what their answers mean. */
#ifndef AZURE_OAUTH_H
#define AZURE_OAUTH_H

#include "azure/signin/signin.h"

/* Ends the try for an answer that never came, or came from somebody else: the deadline, the
 * network, a proxy, a page. `who` should have answered. */
void credential_unanswered(struct signin *signin, const struct web_answer *answer, const char *who);
/* Ends the try with what a token endpoint answered (Entra, instance metadata, App Service...). */
void credential_answer(struct signin *signin, const struct web_answer *answer, const char *tenant);
/* Asks the authority for a token of the application AZURE_CLIENT_ID and ends the try. proof:
 * "client_secret" or "client_assertion". */
void credential_prove(struct signin *signin, const char *tenant, const char *proof,
		      const char *value);
/* The token endpoint of a tenant; the caller frees. */
char *credential_endpoint(const struct cloud *cloud, const char *tenant);

#endif
