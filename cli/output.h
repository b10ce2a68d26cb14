/* Where reports go: formats to stdout or to files. */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include "cli/judge.h"
#include "cli/options.h"
#include "rules/rules.h"

/* Writes the reports in every format asked for. A closed stdout is no error; a file, or a stdout,
 * that cannot be written is: -errno with a sentence. */
int output_reports(const struct judgements *judgements, const struct options *options,
		   struct err *err);

/* --list-checks and --explain. -EINVAL with a sentence for a code that no rule knows. */
int output_help(const struct options *options, const struct rules *rules, struct err *err);

#endif
