/* --print-fix, --print-config, --permissions: one thing alone on standard output. */
#ifndef CLI_PRINT_H
#define CLI_PRINT_H

#include "cli/judge.h"

/* The first command of the cause that can be typed as it stands. Returns 0 (also when there is
 * none: *err says why then) or -errno. */
int print_fix(FILE *out, const struct report *report, struct err *err);

/* The block of an ssh_config; the same. */
int print_config(FILE *out, const json_t *doc, const struct judgement *judgement, struct err *err);

/* --permissions: the Azure role; with --fix also what the remedies need. Returns the exit code. */
int print_permissions(FILE *out, const struct options *options);

#endif
