/* Claims of a token (jwt.c), and client assertions (assertion.c). */
#ifndef AZURE_JWT_H
#define AZURE_JWT_H

#include "facts/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <time.h>

json_t *jwt_claims(const char *token); /* those worth telling; NULL when it is no JWT */
/* A client assertion signed with the key in a PEM file that holds key and certificate (or a PKCS#12
 * file). The caller frees with secret_free; NULL with a sentence. */
char *jwt_assertion(const char *path, const char *password, const char *client,
		    const char *audience, bool chain, bool adfs, time_t now, struct err *err);

#endif
