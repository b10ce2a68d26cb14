/* Reading a file whole, for every file that this program reads: bounded, regular files only, so
 * that no FIFO or device can hold it up. */
#ifndef FACTS_FILE_H
#define FACTS_FILE_H

#include "facts/bytes.h"

#include <sys/stat.h>

/* Reads the whole file into ret, which is empty before; st may be NULL. Returns 0, -EFBIG when it
 * is larger than max, -EINVAL when it is no regular file (-EISDIR for a directory), or
 * -errno; then ret is empty. */
int file_read(const char *path, size_t max, struct buffer *ret, struct stat *st);

/* What a path leads to: 0 or -errno. */
int file_stat(const char *path, struct stat *st);

/* From now on these two are done so (by another process, that may be ended when a file system does
 * not answer). NULL: here. */
void file_by(int (*read_path)(const char *path, size_t max, struct buffer *ret, struct stat *st),
	     int (*stat_path)(const char *path, struct stat *st));

/* The same of an open descriptor, from where it is. */
int file_read_fd(int fd, size_t max, struct buffer *ret, struct stat *st);

/* The same of what need not be a file: a pipe, a terminal. */
int file_drain(int fd, size_t max, struct buffer *ret);

/* true for the result of a path that names nothing. */
bool file_is_absent(int r);

/* "ENOENT"; "errno 123" for a number that is not expected (in a static buffer). */
const char *errno_word(int error);

#endif
