/* What of a well-formed command line makes no sense together. */
#ifndef CLI_USAGE_H
#define CLI_USAGE_H

#include "checks/checks.h"
#include "cli/options.h"

/* 0, or -EINVAL with one sentence that quotes the value and says what is accepted. */
int usage_check(const struct options *options, struct err *err);

/* The same for the ids of --only and --skip, which the rules may add to. */
int usage_check_ids(const struct words *ids, const char *option, const struct rules *rules,
		    struct err *err);

#endif
