/* The hosts of a ProxyJump value, as ssh reads them. */
#ifndef MODEL_JUMP_HOST_H
#define MODEL_JUMP_HOST_H

#include "facts/bytes.h"

/* "[ssh://][user@]host[:port]", the host perhaps in brackets. Parts are borrowed from the value. */
struct jump_host {
	struct bytes text;       /* all of it */
	struct bytes user, host; /* user: empty for none; host: without brackets */
	int port;                /* 0 when none is given, or nonsense */
};

/* The hop of that number, from 0; false when the value (NULL: none) has no such hop. */
bool jump_host_at(const char *proxyjump, size_t number, struct jump_host *ret);

#endif
