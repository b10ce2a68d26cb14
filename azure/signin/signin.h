/* The walk through the credentials (signin.c, chain.c), the token and its renewal. A credential is
 * one file; it ends its try with exactly one of credential_token, credential_unavailable,
 * credential_failed and credential_refused. */
#ifndef AZURE_SIGNIN_H
#define AZURE_SIGNIN_H

#include "azure/arm/arm.h"
#include "azure/join.h"
#include "azure/signin/account.h"
#include "azure/signin/cloud.h"

struct signin;

struct credential {
	const char *name;  /* as the report calls it */
	const char *kind;  /* the word of --credential */
	const char *sdk;   /* the class name AZURE_TOKEN_CREDENTIALS takes */
	bool prod;         /* its failure ends the chain */
	bool by_authority; /* the cloud's authority issues the token */
	void (*try)(struct signin *signin);
};

enum { CREDENTIALS_MAX = 7 };

struct signin {
	struct web *web;
	struct token *token; /* what the walk is for */
	struct account *account;
	struct cloud *cloud;
	const struct credential *credentials[CREDENTIALS_MAX + 1]; /* in order; ends with NULL */
	bool chosen;                   /* by name: nothing else was to be tried */
	const struct credential *used; /* the token is its */

	bool signing;       /* a walk is under way */
	bool fresh;         /* caches are not to be trusted */
	size_t at;          /* the credential being tried */
	struct err refused; /* why a credential was passed over */
	json_t *tried;
	json_t *support; /* ids of the last refusal */
	struct waiters waiters;
	unsigned renewals;
};

/* Chooses the credentials: 0, or -EINVAL with a sentence. */
int signin_choose(struct signin *signin, const char *option, struct err *err);
/* Signs in by the first credential that serves; settles azure.signin. */
void signin_start(struct signin *signin, void (*done)(void *ctx), void *ctx);
/* Calls done when a token newer than `generation` is there or none can be had; perhaps at once. */
void signin_renew(void *ctx, unsigned generation, void (*done)(void *ctx), void *done_ctx);
void signin_free(struct signin *signin);
/* The tenant to ask for a token of an application; NULL when none is known. */
const char *signin_tenant(const struct signin *signin);

/* ---- how a try ends ---- */

void credential_token(struct signin *signin, const char *token, time_t expires, const char *tenant);
void credential_unavailable(struct signin *signin, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* cause: "expired", "failed", "network", "foreign-host", "deadline". */
void credential_failed(struct signin *signin, const char *cause, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The same for a refusal of the sign-in service. kind: as struct aadsts, NULL: as the cause; aadsts
 * 0: no number. */
void credential_refused(struct signin *signin, const char *cause, const char *kind, long aadsts,
			const char *fmt, ...) __attribute__((format(printf, 5, 6)));

#endif
