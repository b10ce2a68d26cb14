/* One sign-in and what it has fetched, shared by all targets of a run. */
#ifndef AZURE_SESSION_H
#define AZURE_SESSION_H

#include "azure/arm/fetch.h"
#include "azure/azure.h"
#include "azure/signin/signin.h"

struct azure {
	struct web web;
	struct arm arm;
	struct fetches fetches;
	struct account account;
	struct cloud cloud;
	struct signin signin;
	const char *resolver; /* see azure_options */
	json_t *fleet; /* of many VMs: name in lower case to their ids; NULL: read one by one */
	bool deep, guest;
};

#endif
