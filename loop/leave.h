/* What must not outlive the process when it ends early: by a signal, without memory, or by the
 * watchdog. Process groups are killed and temporary paths removed. */
#ifndef LOOP_LEAVE_H
#define LOOP_LEAVE_H

#include <sys/types.h>

void leave_group(pid_t group);
void leave_group_ended(pid_t group);

/* A temporary file or folder. A folder's files are registered after it. Copied. */
void leave_path(const char *path);
void leave_path_gone(const char *path);

/* Safe in a signal handler. */
void leave_now(void);

/* From now on SIGINT, SIGTERM, SIGHUP and the like leave, with exit status 128 + signal. */
void leave_on_signals(void);

/* The last net: when the loop and what follows it are still busy after `ms` and some seconds, the
 * process says so and ends with exit status 3. 0 disarms. */
void leave_after(int ms);

/* Tells the watchdog that the process is alive. */
void leave_alive(void);

#endif
