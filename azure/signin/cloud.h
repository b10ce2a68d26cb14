/* Which cloud: ARM endpoint, authority, audience; discovery; where a token may go (audience.c). */
#ifndef AZURE_CLOUD_H
#define AZURE_CLOUD_H

#include "azure/arm/web.h"
#include "azure/azure.h"
#include "azure/signin/config.h"

struct cloud {
	char *name;
	char *arm;       /* "https://management.azure.com", no slash at the end */
	char *authority; /* "https://login.microsoftonline.com", no slash at the end; NULL: to be
			    discovered */
	char *audience;  /* "https://management.azure.com/"; NULL: to be discovered */
	bool custom;     /* none of the built-in ones */
	bool authority_chosen; /* by the environment or az's own file, not by a reply */
	bool adfs;             /* the authority is an AD FS: no tenant, v1 endpoint */
	bool ask;              /* /metadata/endpoints has to be asked first */
};

int cloud_choose(const struct azure_options *options, const struct az_config *config,
		 struct cloud *ret, struct err *err);
void cloud_free(struct cloud *cloud);
/* Asks /metadata/endpoints if need be; ends with every member set as well as they can be known. */
void cloud_discover(struct cloud *cloud, struct web *web, void (*done)(void *ctx), void *ctx);
/* false, with a sentence, when the audience is none of those that belong to the ARM host, so that
 * no token may be asked for. by_authority: the cloud's own authority will issue it; else az or a
 * managed identity will, whose issuer is Microsoft's directory. */
bool cloud_may_ask(const struct cloud *cloud, bool by_authority, struct err *err);
/* false, with a sentence, when only a reply named the authority: it gets no secret and no
 * assertion. */
bool cloud_may_prove(const struct cloud *cloud, struct err *err);
/* The scope to ask a token for, the caller frees. */
char *cloud_scope(const struct cloud *cloud);
/* true when a token of that audience is the one asked for: the same but for a slash at the end, or
 * another name of the same built-in ARM. */
bool cloud_audience_fits(const struct cloud *cloud, const char *audience);
/* true when a token cache's "environment" (a login host) belongs to this cloud. */
bool cloud_authority_fits(const struct cloud *cloud, const char *host);

#endif
