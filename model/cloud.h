/* Which of Azure's clouds a host is in, by what its name or address looks like. */
#ifndef MODEL_CLOUD_H
#define MODEL_CLOUD_H

#include <stdbool.h>

/* "AzureCloud", "AzureUSGovernment", "AzureChinaCloud", or NULL when it does not show. *by_name:
 * the name says so, which nobody but that cloud can give; else it is the address, whose ranges may
 * change. Addresses of AzureCloud do not show. */
const char *cloud_of_host(const char *host, bool *by_name);

#endif
