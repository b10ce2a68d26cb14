/* The collectors of a run: when each may start, and how. */
#ifndef CLI_COLLECTORS_H
#define CLI_COLLECTORS_H

#include "cli/job.h"

extern const struct collector collectors[COLLECTORS];

#endif
