/* Bundles: one target's facts in a file. */
#ifndef CLI_BUNDLE_H
#define CLI_BUNDLE_H

#include "facts/err.h"

#include <jansson.h>

/* Writes the facts as a bundle, mode 0600. Returns 0, or -errno with a sentence. */
int bundle_write(const char *path, const json_t *facts, struct err *err);

/* Reads a bundle; *ret becomes its facts document, the caller owns it. Returns 0, or -EINVAL /
 * -errno with a sentence. */
int bundle_read(const char *path, json_t **ret, struct err *err);

#endif
