/* Paths of ARM, as ids have them. */
#ifndef AZURE_PATH_H
#define AZURE_PATH_H

#include <stdbool.h>
#include <stddef.h>

/* The provider's namespace and the types on the path of a resource, a list or an action:
 * "Microsoft.Network/virtualNetworks/subnets". false when the path names no provider. */
bool path_types(const char *path, char *ret, size_t size);

enum { PATH_TYPE_MAX = 192 };

/* The same in lower case; "subscriptions" and "resources" for ARM's own paths. */
void path_type(const char *path, char ret[static PATH_TYPE_MAX]);
/* The api-version that such a type is asked with. */
const char *type_version(const char *type);

/* The list of a type ("Microsoft.Network/publicIPAddresses") in the group of an id; NULL when the
 * id names no group. The caller frees. */
char *path_in_group(const char *id, const char *type);
/* The same in the subscription of an id; the subscription itself for NULL. */
char *path_in_subscription(const char *id, const char *type);

#endif
