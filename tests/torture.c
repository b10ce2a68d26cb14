/* Preloaded into the program: fails the allocation number TORTURE_AT, and with TORTURE_ON all that
 * follow. TORTURE_COUNT names a file for the number of all there were. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *at, size_t size);

static long count, at = -1;
static int on;

static int
fails(void)
{
	const char *text;

	if (at < 0) {
		text = getenv("TORTURE_AT");
		at = text != NULL ? atol(text) : 0;
		on = getenv("TORTURE_ON") != NULL;
	}
	count++;
	if (at == 0 || (on ? count < at : count != at))
		return 0;
	errno = ENOMEM;
	return 1;
}

__attribute__((destructor)) static void
tell(void)
{
	const char *path = getenv("TORTURE_COUNT");
	char text[32];
	int fd = path != NULL ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;

	if (fd < 0)
		return;
	snprintf(text, sizeof(text), "%ld\n", count);
	if (write(fd, text, strlen(text)) < 0)
		_exit(99);
	close(fd);
}

void *
malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

void *
calloc(size_t n, size_t size)
{
	return fails() ? NULL : __libc_calloc(n, size);
}

void *
realloc(void *old, size_t size)
{
	return fails() ? NULL : __libc_realloc(old, size);
}
