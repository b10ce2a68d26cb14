#include "loop/leave.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

enum { GROUPS_MAX = 1024, PATHS_MAX = 64, GRACE_MS = 3000, EXIT_STUCK = 3 };

static volatile pid_t groups[GROUPS_MAX];
static char *volatile paths[PATHS_MAX];
static volatile sig_atomic_t alive, seen;

void
leave_group(pid_t group)
{
	for (size_t i = 0; i < GROUPS_MAX; i++)
		if (groups[i] == 0) {
			groups[i] = group;
			return;
		}
}

void
leave_group_ended(pid_t group)
{
	for (size_t i = 0; i < GROUPS_MAX; i++)
		if (groups[i] == group)
			groups[i] = 0;
}

void
leave_path(const char *path)
{
	for (size_t i = 0; i < PATHS_MAX; i++)
		if (paths[i] == NULL) {
			paths[i] = strdup(path);
			return;
		}
}

void
leave_path_gone(const char *path)
{
	for (size_t i = 0; i < PATHS_MAX; i++)
		if (paths[i] != NULL && strcmp(paths[i], path) == 0) {
			char *gone = paths[i];

			paths[i] = NULL;
			free(gone);
			return;
		}
}

void
leave_now(void)
{
	for (size_t i = 0; i < GROUPS_MAX; i++)
		if (groups[i] > 0)
			kill(-groups[i], SIGKILL);
	for (size_t i = PATHS_MAX; i > 0; i--)
		if (paths[i - 1] != NULL && unlink(paths[i - 1]) < 0)
			rmdir(paths[i - 1]);
}

static void
on_signal(int number)
{
	leave_now();
	_exit(128 + number);
}

void
leave_on_signals(void)
{
	static const int numbers[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGXCPU };
	struct sigaction action = { .sa_handler = on_signal }, old;

	sigfillset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		if (sigaction(numbers[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			sigaction(numbers[i], &action, NULL);
}

/* ---- the watchdog ---- */

static void
arm(int ms)
{
	const struct itimerval timer = { .it_value = { .tv_sec = ms / 1000,
						       .tv_usec = ms % 1000 * 1000 } };

	setitimer(ITIMER_REAL, &timer, NULL);
}

/* A process that was stopped, or waited for a slow machine, has one more grace to show that it is
 * alive. */
static void
on_alarm(int number)
{
	static const char sentence[] =
	    "azssh-doctor: stuck beyond its deadline, so it gave up; what "
	    "it found is lost\n";

	(void)number;
	if (alive != seen) {
		seen = alive;
		arm(GRACE_MS);
		return;
	}
	if (write(STDERR_FILENO, sentence, sizeof(sentence) - 1) < 0)
		alive = 0;
	leave_now();
	_exit(EXIT_STUCK);
}

void
leave_after(int ms)
{
	struct sigaction action = { .sa_handler = on_alarm, .sa_flags = SA_RESTART };

	sigaction(SIGALRM, &action, NULL);
	seen = alive;
	arm(ms > 0 ? ms + GRACE_MS : 0);
}

void
leave_alive(void)
{
	alive = (alive + 1) & 0xffff;
}
