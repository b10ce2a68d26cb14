/* A log as it arrives (UTF-16 of PowerShell, colours, JSON's escapes, CRLF, typographic quotes of a
 * web page) as plain lines. */
#ifndef MODEL_LOG_TEXT_H
#define MODEL_LOG_TEXT_H

#include "facts/bytes.h"

/* The text as UTF-8 with \n between lines, without control characters; the caller frees. NULL when
 * the bytes are no text. */
char *log_text(struct bytes bytes);

#endif
