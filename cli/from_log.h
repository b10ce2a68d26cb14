/* --from-log: the facts of a log that somebody pasted, and of nothing else. */
#ifndef CLI_FROM_LOG_H
#define CLI_FROM_LOG_H

#include "cli/options.h"

#include <jansson.h>

/* Reads the file, or standard input for "-". *ret becomes the facts document, the caller owns it.
 * Returns 0, or -EINVAL / -errno with a sentence. */
int from_log(const struct options *options, json_t **ret, struct err *err);

#endif
