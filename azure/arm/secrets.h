/* The one cut that everything passes before it enters the facts. */
#ifndef AZURE_SECRETS_H
#define AZURE_SECRETS_H

#include <jansson.h>

struct secrets {
	char *known[8]; /* what this run signed in with, cut wherever it turns up again */
	size_t count;
};

void secrets_learn(struct secrets *secrets, const char *value);
void secrets_free(struct secrets *secrets);
/* Cuts what is secret out of a reply, in place (the string itself cannot be: use secrets_text). */
void secrets_cut(const struct secrets *secrets, json_t *value);
/* The caller frees; NULL gives NULL. */
char *secrets_text(const struct secrets *secrets, const char *text);
/* Overwrites and frees; NULL is fine. */
void secret_free(char *text);

#endif
