/* What a child may see of our environment. */
#ifndef LOOP_ENVIRONMENT_H
#define LOOP_ENVIRONMENT_H

#include "loop/loop.h"

/* A NULL-terminated environment of borrowed strings for the child; the caller frees the array. NULL
 * when out of memory. */
char **child_environment(const struct child_request *request);

#endif
