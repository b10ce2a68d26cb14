/* The one way to start a program. */
#ifndef LOOP_SPAWN_H
#define LOOP_SPAWN_H

#include "loop/loop.h"

#include <sys/types.h>

/* Starts request->argv with the three descriptors as its stdin, stdout and stderr and no others, in
 * a process group of its own that is killed when this process ends. Returns 0 or -errno. */
int child_spawn(const struct child_request *request, const int far[static 3], pid_t *ret);

/* Kills the process group and reaps its leader; *status becomes its wait status. A leader that
 * waits for a file system that does not answer is left to it. */
void child_kill(pid_t pid, int *status);

#endif
