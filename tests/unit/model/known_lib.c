#include "tests/unit/model/known_lib.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[64];
static unsigned seed = 20260101;

void
known_seed(void)
{
	if (getenv("KNOWN_HOSTS_SEED") != NULL)
		seed = (unsigned)strtoul(getenv("KNOWN_HOSTS_SEED"), NULL, 10);
}

unsigned
known_pick(unsigned below)
{
	seed = seed * 1103515245u + 12345u;
	return (seed >> 16) % below;
}

void
known_folder(void)
{
	snprintf(dir, sizeof(dir), "%s", "/tmp/known-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
}

int
known_run(const char *const *argv, char *out, size_t size)
{
	int fds[2], status;
	size_t len = 0;
	ssize_t n;
	pid_t pid;

	if (pipe(fds) < 0)
		return 127;
	if ((pid = fork()) == 0) {
		alarm(20);
		dup2(fds[1], 1);
		dup2(fds[1], 2);
		close(fds[0]);
		setenv("LC_ALL", "C", 1);
		execvp(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	close(fds[1]);
	while (len + 1 < size && (n = read(fds[0], out + len, size - 1 - len)) > 0)
		len += (size_t)n;
	out[len] = '\0';
	close(fds[0]);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

void
known_folder_remove(void)
{
	const char *const argv[] = { "rm", "-rf", "--", dir, NULL };
	char out[256];

	known_run(argv, out, sizeof(out));
}

char *
known_path(const char *name)
{
	char *path = doc_fmt("%s/%s", dir, name);

	ck_assert_ptr_nonnull(path);
	return path;
}

void
known_write(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
}

json_t *
known_read(const char *text, const char *name, int port, json_t **damaged)
{
	const struct known_query query = { .name = name, .port = port };
	json_t *entries = json_array(), *bad = json_array();

	known_hosts_read(text, strlen(text), "f", &query, entries, bad);
	known_hosts_second_look(entries);
	if (damaged != NULL)
		*damaged = bad;
	else
		json_decref(bad);
	return entries;
}

bool
known_runs(const char *name, const char *option)
{
	const char *const argv[] = { name, option, NULL };
	char out[4096];

	return known_run(argv, out, sizeof(out)) != 127;
}

struct known_section
known_section(json_t *entries)
{
	struct known_section ret = { .object = json_pack("{s:O}", "entries", entries) };

	fact_read(ret.object, shape_of_known_hosts(), &ret.known);
	return ret;
}

void
known_section_free(struct known_section *section)
{
	fact_free(shape_of_known_hosts(), &section->known);
	json_decref(section->object);
}
