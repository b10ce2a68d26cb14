#include "facts/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* The size that stat states is a hint: files of /proc have none. */
static int
read_to_end(int fd, size_t max, struct buffer *ret)
{
	ssize_t n = 1;

	while (n != 0) {
		buffer_reserve(ret, 4096);
		n = read(fd, ret->at + ret->len, ret->size - ret->len - 1);
		if (n < 0 && errno != EINTR)
			return -errno;
		ret->len += n > 0 ? (size_t)n : 0;
		ret->at[ret->len] = '\0';
		if (ret->len > max)
			return -EFBIG;
	}
	return 0;
}

int
file_read_fd(int fd, size_t max, struct buffer *ret, struct stat *st)
{
	struct stat own = { 0 };
	int r;

	st = st != NULL ? st : &own;
	if (fstat(fd, st) < 0)
		return -errno;
	if (!S_ISREG(st->st_mode))
		return S_ISDIR(st->st_mode) ? -EISDIR : -EINVAL;
	if (st->st_size < 0 || (unsigned long long)st->st_size > max)
		return -EFBIG;
	buffer_reserve(ret, (size_t)st->st_size + 1);
	r = read_to_end(fd, max, ret);
	if (r < 0)
		buffer_free(ret);
	return r;
}

int
file_drain(int fd, size_t max, struct buffer *ret)
{
	int r = read_to_end(fd, max, ret);

	if (r < 0)
		buffer_free(ret);
	return r;
}

static int (*read_by)(const char *path, size_t max, struct buffer *ret, struct stat *st);
static int (*stat_by)(const char *path, struct stat *st);

void
file_by(int (*read_path)(const char *path, size_t max, struct buffer *ret, struct stat *st),
	int (*stat_path)(const char *path, struct stat *st))
{
	read_by = read_path;
	stat_by = stat_path;
}

int
file_stat(const char *path, struct stat *st)
{
	if (stat_by != NULL)
		return stat_by(path, st);
	return stat(path, st) < 0 ? -errno : 0;
}

int
file_read(const char *path, size_t max, struct buffer *ret, struct stat *st)
{
	int r, fd;

	if (read_by != NULL)
		return read_by(path, max, ret, st);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = file_read_fd(fd, max, ret, st);
	close(fd);
	return r;
}

bool
file_is_absent(int r)
{
	return r == -ENOENT || r == -ENOTDIR;
}

const char *
errno_word(int error)
{
	static const struct {
		int error;
		const char *word;
	} words[] = { { ENOENT, "ENOENT" },
		      { EACCES, "EACCES" },
		      { ELOOP, "ELOOP" },
		      { ENOTDIR, "ENOTDIR" },
		      { ENAMETOOLONG, "ENAMETOOLONG" },
		      { EIO, "EIO" },
		      { EPERM, "EPERM" },
		      { ENXIO, "ENXIO" },
		      { EMFILE, "EMFILE" },
		      { ENFILE, "ENFILE" },
		      { ESTALE, "ESTALE" },
		      { EINVAL, "EINVAL" },
		      { EISDIR, "EISDIR" },
		      { ENODEV, "ENODEV" },
		      { EFBIG, "EFBIG" },
		      { ENOTCONN, "ENOTCONN" },
		      { EHOSTDOWN, "EHOSTDOWN" },
		      { EAGAIN, "EAGAIN" } };
	static char other[24];

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (words[i].error == error)
			return words[i].word;
	snprintf(other, sizeof(other), "errno %d", error);
	return other;
}
