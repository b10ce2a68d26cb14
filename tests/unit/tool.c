#include "tests/unit/tool.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[4096];

static void
child(int out, const char *const *argv)
{
	int null = open("/dev/null", O_RDWR);

	dup2(null, 0);
	dup2(out >= 0 ? out : null, 1);
	dup2(null, 2);
	setenv("LC_ALL", "C", 1);
	alarm(150);
	execvp(argv[0], (char *const *)(uintptr_t)argv);
	_exit(127);
}

int
tool_run(char *out, size_t size, const char *const *argv)
{
	int pipes[2], status;
	size_t used = 0;
	ssize_t n;
	char more[4096];
	pid_t pid;

	if (pipe2(pipes, O_CLOEXEC) < 0 || (pid = fork()) < 0)
		return -1;
	if (pid == 0) {
		close(pipes[0]);
		child(out != NULL ? pipes[1] : -1, argv);
	}
	close(pipes[1]);
	while ((n = read(pipes[0], more, sizeof(more))) > 0)
		for (ssize_t i = 0; i < n && out != NULL && used + 1 < size; i++)
			out[used++] = more[i];
	if (out != NULL && size > 0)
		out[used] = '\0';
	close(pipes[0]);
	if (waitpid(pid, &status, 0) < 0)
		return -1;
	return WIFEXITED(status) && WEXITSTATUS(status) != 127 ? WEXITSTATUS(status) : -1;
}

bool
tool_there(const char *name)
{
	char script[256];

	snprintf(script, sizeof(script), "command -v %s", name);
	return TOOL(NULL, 0, "sh", "-c", script) == 0;
}

const char *
tool_folder(void)
{
	const char *base = getenv("TMPDIR");

	if (*folder == '\0') {
		snprintf(folder, sizeof(folder), "%s/azssh-doctor-test.XXXXXX",
			 base != NULL ? base : "/tmp");
		if (mkdtemp(folder) == NULL)
			abort();
	}
	return folder;
}

void
tool_folder_remove(void)
{
	if (*folder != '\0')
		TOOL(NULL, 0, "rm", "-rf", "--", folder);
	*folder = '\0';
}

char *
tool_path(const char *name)
{
	char *path;

	if (asprintf(&path, "%s/%s", tool_folder(), name) < 0)
		abort();
	return path;
}

void
tool_write(const char *name, const void *bytes, size_t len)
{
	char *path = tool_path(name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, bytes, len) != (ssize_t)len)
		abort();
	close(fd);
	free(path);
}

char *
tool_read(const char *path, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *bytes = NULL;
	ssize_t n;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) == 0 && (bytes = malloc((size_t)st.st_size + 1)) != NULL) {
		n = read(fd, bytes, (size_t)st.st_size);
		bytes[n < 0 ? 0 : n] = '\0';
		if (len != NULL)
			*len = n < 0 ? 0 : (size_t)n;
	}
	close(fd);
	return bytes;
}
