/* What the lines of a log tell of the target: names, addresses, files. Every value is checked
 * against the grammar of its place, for it goes into commands that people type. */
#ifndef MODEL_LOG_VALUES_H
#define MODEL_LOG_VALUES_H

#include "model/log_shape.h"

#include <jansson.h>

/* true when the match has a value of that name. */
bool log_value_is(const struct log_match *match, const char *name);

/* Keeps the values of a line in the object, by their names in fact_log. With `by_proxy` a host
 * other than the one that is known is the jump host's. */
void log_values_keep(json_t *values, const struct log_match *match, bool by_proxy);

/* The program that wrote the log, "openssh" and the like; NULL when its words do not tell. */
const char *log_client(const char *text);

/* true when it was written on Windows. */
bool log_is_windows(const char *text);

#endif
