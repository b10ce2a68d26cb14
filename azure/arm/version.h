/* Which api-version a path is asked with. */
#ifndef AZURE_VERSION_H
#define AZURE_VERSION_H

#include <stddef.h>

enum { VERSION_TYPE_MAX = 192 };

/* The type behind a path, also of lists and actions, in lower case; "subscriptions" and "resources"
 * for ARM's own. */
void version_type(const char *path, char ret[static VERSION_TYPE_MAX]);
/* The version of that type. */
const char *version_of(const char *type);

#endif
