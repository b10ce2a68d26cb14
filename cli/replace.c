#include "cli/replace.h"
#include "facts/doc.h"
#include "loop/leave.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READER_MS = 10000 };

/* A reader that takes nothing for READER_MS is given up. */
static int
write_all(int fd, const char *bytes, size_t len)
{
	struct pollfd ready = { .fd = fd, .events = POLLOUT };

	while (len > 0) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno == EAGAIN && poll(&ready, 1, READER_MS) == 0)
			return -ETIMEDOUT;
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return -errno;
		bytes += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
	return 0;
}

static int
write_open(int fd, const char *bytes, size_t len)
{
	int r;

	if (fd < 0)
		return -errno;
	r = write_all(fd, bytes, len);
	if (close(fd) < 0 && r == 0)
		r = -errno;
	return r;
}

/* What is no file is written to as it is. */
static int
write_special(const char *path, const struct stat *st, const char *bytes, size_t len)
{
	if (S_ISDIR(st->st_mode))
		return -EISDIR;
	if (S_ISFIFO(st->st_mode) && st->st_uid != geteuid())
		return -EPERM;
	/* a FIFO without a reader is ENXIO, where it would wait for one */
	return write_open(open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY), bytes, len);
}

static mode_t
mode_of_new(void)
{
	mode_t mask = umask(0);

	umask(mask);
	return 0666 & ~mask;
}

static int
write_renamed(const char *path, const char *bytes, size_t len, mode_t mode)
{
	char *temporary = doc_fmt("%s.XXXXXX", path);
	int fd = mkostemp(temporary, O_CLOEXEC), r = fd < 0 ? -errno : 0;

	if (r == 0) {
		leave_path(temporary);
		if (fchmod(fd, mode) < 0)
			r = -errno;
		if (r == 0)
			r = write_all(fd, bytes, len);
		if (r == 0 && fsync(fd) < 0)
			r = -errno;
		if (close(fd) < 0 && r == 0)
			r = -errno;
		if (r == 0 && rename(temporary, path) < 0)
			r = -errno;
		if (r < 0)
			unlink(temporary);
		leave_path_gone(temporary);
	}
	free(temporary);
	return r;
}

/* "/dev/stdout", "/dev/fd/3" and what they lead to: a descriptor of ours, -1 for other paths. */
static int
descriptor_of(const char *path)
{
	static const char *const folders[] = { "/dev/fd/", "/proc/self/fd/" };
	char *end;
	long number;

	if (strcmp(path, "/dev/stdout") == 0)
		return STDOUT_FILENO;
	if (strcmp(path, "/dev/stderr") == 0)
		return STDERR_FILENO;
	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
		size_t len = strlen(folders[i]);

		if (strncmp(path, folders[i], len) != 0)
			continue;
		number = strtol(path + len, &end, 10);
		if (end != path + len && *end == '\0' && number >= 0 && number < 65536)
			return (int)number;
	}
	return -1;
}

static int
replace(const char *path, const char *bytes, size_t len, enum file_access access)
{
	int fd = descriptor_of(path);
	struct stat link, st;
	char *target = NULL;
	mode_t mode = 0600;
	bool there;
	int r;

	if (fd >= 0)
		return write_open(fcntl(fd, F_DUPFD_CLOEXEC, 3), bytes, len);
	there = stat(path, &st) == 0;
	if (lstat(path, &link) == 0 && S_ISLNK(link.st_mode)) {
		if (link.st_uid != geteuid() && link.st_uid != 0)
			return -EPERM;
		if (there && (target = realpath(path, NULL)) == NULL)
			return -errno;
	}
	if (access == FILE_PUBLIC)
		mode = there ? st.st_mode & 0777 : mode_of_new();
	if (there && !S_ISREG(st.st_mode))
		r = write_special(path, &st, bytes, len);
	else
		r = write_renamed(target != NULL ? target : path, bytes, len, mode);
	free(target);
	return r;
}

int
file_replace(const char *path, const char *bytes, size_t len, enum file_access access,
	     struct err *err)
{
	int r = replace(path, bytes, len, access);

	if (r == -ENXIO)
		err_set(err, "'%s' cannot be written: nothing reads this pipe", path);
	else if (r == -EPERM)
		err_set(err, "'%s' cannot be written: the link or pipe belongs to another user",
			path);
	else if (r == -ETIMEDOUT)
		err_set(err, "'%s' cannot be written: what reads this pipe takes nothing", path);
	else if (r < 0)
		err_set(err, "'%s' cannot be written: %s", path, strerror(-r));
	return r;
}
