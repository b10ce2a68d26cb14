/* Which rule files a run uses. */
#ifndef CLI_RULE_FILES_H
#define CLI_RULE_FILES_H

#include "cli/options.h"
#include "rules/rules.h"

/* Layers the rule files on the default: the user's (~/.config/azssh-doctor/rules.yaml), the
 * folder's (./.azssh-doctor.yaml), that of $AZSSH_RULES, and those of --rules, each above the ones
 * before it. --no-config leaves out all but the last. The first two need not exist; one that
 * belongs to neither the user nor root, or that others may write to, is refused, and the folder's
 * may not run programs. Returns 0, or -errno with a sentence. */
int rule_files_layer(const struct options *options, struct rules *rules, struct err *err);

#endif
