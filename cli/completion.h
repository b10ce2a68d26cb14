/* --completion: what a shell completes, from the table of options. */
#ifndef CLI_COMPLETION_H
#define CLI_COMPLETION_H

#include <stdio.h>

/* Writes the script for "bash", "zsh" or "fish". 0 or -errno. */
int completion_write(FILE *out, const char *shell);

#endif
