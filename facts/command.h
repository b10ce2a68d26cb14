/* Command lines of the user's configuration, as they may be kept in the facts. */
#ifndef FACTS_COMMAND_H
#define FACTS_COMMAND_H

#include <stddef.h>

/* A copy in which the words that may be passwords are "[cut]": what follows an option or a variable
 * of such a name, what stands before the @ of a URL, what looks like a token. The caller frees. */
char *command_shown(const char *text, size_t len);

#endif
