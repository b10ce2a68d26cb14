/* The run of this program that decides what a log leaves open. */
#ifndef CHECKS_LOG_RUN_H
#define CHECKS_LOG_RUN_H

#include "checks/finding.h"
#include "checks/scene.h"

/* Adds `run`, the arguments that name what the log was about; nothing when it names nothing. */
void log_run(const struct scene *scene, struct finding *finding);

/* The host that ssh was to go to: as it was typed, else its address, else its name in an inventory;
 * NULL when the log does not say. */
const char *log_host(const struct fact_log *log);

#endif
