/* The numbers that Microsoft's sign-in service explains its refusals with. */
#ifndef AZURE_AADSTS_H
#define AZURE_AADSTS_H

struct aadsts {
	long number;
	const char *cause; /* as credential_failed */
	const char *kind;  /* "expired", "tenant", "secret", "clock", "blocked", "consent",
			      "federated", "app", "transient" */
	const char *words; /* what to do, one sentence */
};

const struct aadsts *aadsts_find(long number);
/* By OAuth's words, NULL when they tell nothing. */
const char *aadsts_kind(const char *error, const char *suberror);
long aadsts_number(const char *text); /* the first AADSTSnnn in it, 0 for none */

#endif
