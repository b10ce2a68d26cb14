/* What people have in the clipboard when they look for help. */
#ifndef CLI_TYPED_H
#define CLI_TYPED_H

#include "cli/options.h"

/* Takes a word for a VM: USER@ is split off, and a literal address means --host. Returns 0, or
 * -EINVAL with one sentence. The word is kept as it is. */
int options_add_vm(struct options *options, const char *word, struct err *err);

/* Takes one word of the command line for a VM, as options_add_vm, and also: a page of the portal
 * (its VM), ssh://USER@HOST:PORT, HOST:PORT, and a whole line "ssh -i KEY -p N USER@HOST". Returns
 * 0, or -EINVAL with one sentence. */
int typed_add(struct options *options, const char *word, struct err *err);

/* The ARM id in a page of the portal, for the user's own command line; NULL for any other word. The
 * caller frees. */
char *typed_portal_id(const char *word);

#endif
