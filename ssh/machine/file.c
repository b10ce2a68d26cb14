#include "ssh/machine/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Reads up to len bytes; a file that shrinks meanwhile just ends sooner. */
static ssize_t
read_all(int fd, char *bytes, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = read(fd, bytes + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

int
ssh_file_read(const char *path, size_t max, struct ssh_file *ret)
{
	struct ssh_file file = { 0 };
	struct stat st;
	ssize_t n;
	int r = 0, fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		r = -errno;
	else if (!S_ISREG(st.st_mode))
		r = S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	else if (st.st_size < 0 || (unsigned long long)st.st_size > max)
		r = -EFBIG;
	if (r < 0)
		goto out;
	if ((file.bytes = malloc((size_t)st.st_size + 1)) == NULL) {
		r = -ENOMEM;
		goto out;
	}
	if ((n = read_all(fd, file.bytes, (size_t)st.st_size)) < 0) {
		r = (int)n;
		goto out;
	}
	file.bytes[n] = '\0';
	file.len = (size_t)n;
	file.mode = st.st_mode;
	file.uid = st.st_uid;
	file.modified = st.st_mtime;
	*ret = file;
	file = (struct ssh_file){ 0 };
out:
	free(file.bytes);
	close(fd);
	return r;
}
