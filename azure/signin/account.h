/* Which tenant and subscription: as asked, as the environment says, or as az has them. */
#ifndef AZURE_ACCOUNT_H
#define AZURE_ACCOUNT_H

#include "azure/signin/cloud.h"
#include "azure/signin/config.h"

struct account {
	struct az_config config;
	char *tenant;         /* --tenant or NULL */
	char *profile_tenant; /* of the active subscription, as az has it */
	char *subscription;   /* --subscription as typed, or NULL */
	char *active;         /* the subscription id asked for or active, NULL when none is known */
	const char *active_from; /* "option", "environment", "profile" */
};

/* Reads az's files. The options may be NULL. */
void account_load(struct account *account, const struct azure_options *options);
/* Settles which subscription is active. One asked for by a name that az does not know stays open
 * until ARM tells. */
void account_choose(struct account *account, const struct cloud *cloud);
void account_free(struct account *account);

#endif
