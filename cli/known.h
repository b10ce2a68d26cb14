/* --known-hosts: host keys that Azure has proven, and no others, go into a known_hosts file. */
#ifndef CLI_KNOWN_H
#define CLI_KNOWN_H

#include "facts/err.h"
#include "facts/facts.h"
#include "report/report.h"

/* Appends the line for the host key that the report calls proven (its name hashed where
 * HashKnownHosts says so), in one write: mode, owner and links stay, what could not be written
 * whole is taken back. The file is made if need be. Returns 0, also when nothing was proven or the
 * file revokes the key (then with a sentence that says so) or the key stands there already, or
 * -errno with a sentence. */
int known_append(const char *path, const struct facts *facts, const struct report *report,
		 struct err *err);

#endif
