/* JSON from outside. */
#ifndef AZURE_JSON_H
#define AZURE_JSON_H

#include <jansson.h>

/* Parses JSON of bounded depth; what is not UTF-8 is replaced. NULL when it is no JSON. */
json_t *parse_json(const char *text, size_t len);

#endif
