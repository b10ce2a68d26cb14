/* Files are written whole or not at all: by way of a temporary one beside them and a rename. */
#ifndef CLI_REPLACE_H
#define CLI_REPLACE_H

#include "facts/err.h"

#include <stddef.h>

enum file_access {
	FILE_PUBLIC, /* the mode it has; a new one what the umask leaves */
	FILE_PRIVATE /* 0600, whatever it was */
};

/* A symbolic link of ours is followed, one of somebody else is refused. Devices, and pipes of ours
 * that are being read, are written to as they are. Returns 0, or -errno with a sentence. */
int file_replace(const char *path, const char *bytes, size_t len, enum file_access access,
		 struct err *err);

#endif
