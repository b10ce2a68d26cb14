/* Bounded reading of small files: regular files only, so that no FIFO or device can hold us up. */
#ifndef SSH_FILE_H
#define SSH_FILE_H

#include <stddef.h>
#include <sys/types.h>
#include <time.h>

struct ssh_file {
	char *bytes; /* NUL-terminated; may hold NULs itself. The caller frees */
	size_t len;
	mode_t mode;
	uid_t uid;
	time_t modified;
};

/* Reads the whole file. Returns 0, -EFBIG when it is larger than max, -EINVAL when it is no regular
 * file (-EISDIR for a directory), or -errno. */
int ssh_file_read(const char *path, size_t max, struct ssh_file *ret);

#endif
