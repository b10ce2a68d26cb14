/* For tests only: running the installed tools (ssh-keygen, openssl, puttygen) and small files in a
 * folder of the test's own. */
#ifndef TESTS_TOOL_H
#define TESTS_TOOL_H

#include <stdbool.h>
#include <stddef.h>

/* Runs argv with stdin /dev/null for at most 60 s; its standard output goes to out (terminated, cut
 * to size; NULL: dropped). Returns the exit status, -1 when it cannot be run. */
int tool_run(char *out, size_t size, const char *const *argv);

/* The same, for a NULL-terminated list of words. */
#define TOOL(out, size, ...) tool_run(out, size, (const char *const[]){ __VA_ARGS__, NULL })

bool tool_there(const char *name);

/* A new folder under TMPDIR, removed with all its files by tool_folder_remove. */
const char *tool_folder(void);
void tool_folder_remove(void);

/* "FOLDER/name", in a buffer of its own; the caller frees. */
char *tool_path(const char *name);
void tool_write(const char *name, const void *bytes, size_t len);

/* Reads a file whole; the caller frees; *len (may be NULL) becomes its length. */
char *tool_read(const char *path, size_t *len);

#endif
