/* What a log of an SSH client says: how far it got, what stopped it, and where it went. Reads and
 * judges nothing; bounded and linear in the text. */
#ifndef MODEL_LOG_READ_H
#define MODEL_LOG_READ_H

#include <jansson.h>

/* The members of a fact_log, from lines as log_text makes them; the caller owns the object. */
json_t *log_read(const char *text);

#endif
