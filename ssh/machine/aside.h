/* What this folder and facts/file.h have done by the second process (loop/aside.h): every look at a
 * file that is not ours, and the reading of what is in it. */
#ifndef SSH_ASIDE_H
#define SSH_ASIDE_H

#include "facts/doc.h"

#include <sys/stat.h>

/* From now on files are read by the second process; see aside_begin. */
void machine_aside_begin(const char *const *argv, int deadline_ms);

/* aside_work.c: the second process itself. Returns its exit status. */
int machine_aside_main(void);

/* Has `work` done by the second process with this request (taken). false when there is none: the
 * caller does it. Else *ret is the result, or NULL and *why the end of a sentence; both are the
 * caller's, `why` to be borrowed. */
bool machine_aside(const char *work, json_t *request, json_t **ret, const char **why);

/* A request about a path, whatever bytes it has, and the path of such a request (the caller frees;
 * NULL when there is none). */
json_t *machine_aside_path(const char *path);
char *machine_aside_path_of(const json_t *request);

/* What stands before the bytes of a file in an answer. */
struct aside_look {
	int r;
	struct stat st;
};

#endif
