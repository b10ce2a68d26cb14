/* As much of JSON Schema (draft 7) as report/report.schema.json uses, for fuzz targets: $ref, type,
 * const, enum, pattern, minLength, minimum, maximum, required, properties, additionalProperties,
 * items, uniqueItems, oneOf, allOf, if/then/else. */
#ifndef FUZZ_SCHEMA_H
#define FUZZ_SCHEMA_H

#include <jansson.h>

enum { SCHEMA_PATH = 256 };

/* NULL when the value fits that definition of the schema, else the word of the schema that it
 * breaks, and the path of the value that breaks it. */
const char *schema_breaks(const json_t *root, const char *definition, const json_t *value,
			  char path[SCHEMA_PATH]);

#endif
