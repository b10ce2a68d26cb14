/* Reading what `ssh -v` writes on stderr. Servers choose words that ssh repeats there (their
 * banner, the text of a DISCONNECT); ssh writes them within lines of its own, control characters
 * escaped, so a line counts only by how it begins. */
#ifndef SSH_SSH_LOG_H
#define SSH_SSH_LOG_H

#include <stdbool.h>
#include <stddef.h>

enum { SSH_LOG_LINE = 300 };

/* true when a line begins so ("debug1: " before it does not matter); the rest of the first such
 * line into `rest` (NULL: not wanted). */
bool ssh_log_line(const char *log, const char *begin, char *rest, size_t size);

/* How many lines begin so. */
size_t ssh_log_count(const char *log, const char *begin);

/* The last line that is no debugging and no mere consequence, to be shown; "" when there is none.
 */
void ssh_log_last_words(const char *log, char ret[SSH_LOG_LINE]);

#endif
