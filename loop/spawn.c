#include "loop/spawn.h"
#include "loop/environment.h"
#include "loop/leave.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#ifdef HAVE_SYS_PRCTL_H
#include <sys/prctl.h>
#endif

enum { KILLED_MS = 200 };

/* libcurl's sockets among others are not closed by exec. */
static void
close_others(void)
{
#ifdef SYS_close_range
	if (syscall(SYS_close_range, 3u, ~0u, 0u) == 0)
		return;
#endif
	for (int fd = 3; fd < 1024; fd++)
		close(fd);
}

/* In the child, which shares the memory of its parent until it has become another program. */
static void
become(const struct child_request *request, const int far[3], char **env, pid_t parent)
{
	struct sigaction standard = { .sa_handler = SIG_DFL };
	sigset_t none;

#ifdef HAVE_SYS_PRCTL_H
	prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
	if (getppid() != parent || (request->unattended ? setsid() : setpgid(0, 0)) < 0)
		return;
	for (int i = 0; i < 3; i++)
		if (dup2(far[i], i) < 0)
			return;
	close_others();
	for (int number = 1; number < NSIG; number++)
		sigaction(number, &standard, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execvpe(request->argv[0], (char *const *)(uintptr_t)request->argv, env);
}

int
child_spawn(const struct child_request *request, const int far[static 3], pid_t *ret)
{
	char **env = child_environment(request);
	volatile int error = 0;
	sigset_t all, before;
	pid_t parent = getpid(), pid;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid = vfork();
	if (pid == 0) {
		become(request, far, env, parent);
		error = errno != 0 ? errno : EIO;
		_exit(127);
	}
	if (pid < 0)
		error = errno;
	else if (error == 0)
		leave_group(pid);
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (pid > 0 && error != 0)
		waitpid(pid, NULL, 0);
	free(env);
	*ret = pid;
	return -error;
}

void
child_kill(pid_t pid, int *status)
{
	*status = SIGKILL;
	kill(-pid, SIGKILL);
	kill(pid, SIGKILL);
	leave_group_ended(pid);
	for (int i = 0; i < KILLED_MS && waitpid(pid, status, WNOHANG) == 0; i++)
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
}
