/* Reading and building JSON (jansson) by dotted paths: views use these and nothing else walks the
 * facts document. */
#ifndef FACTS_DOC_H
#define FACTS_DOC_H

#include "facts/bytes.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* The member at "a.b.c" (keys must not hold dots), NULL when any step is missing, null, or no
 * object. Borrowed. */
json_t *doc_get(const json_t *obj, const char *path);

/* The string there, NULL when missing or not a string. Borrowed from the document. */
const char *doc_str(const json_t *obj, const char *path);

/* The whole number there (also when it stands as a decimal string, as ARM and IMDS do), else
 * fallback. */
json_int_t doc_value_int(const json_t *value, json_int_t fallback);
json_int_t doc_int(const json_t *obj, const char *path, json_int_t fallback);

/* The truth value there (true/false or the strings "true"/"false"), else fallback. */
bool doc_value_bool(const json_t *value, bool fallback);
bool doc_bool(const json_t *obj, const char *path, bool fallback);

/* The array there, NULL when missing or no array; json_array_size(NULL) is 0, so loops need no
 * guard. */
json_t *doc_list(const json_t *obj, const char *path);

/* true when the string at path equals word, in any case. A missing member equals nothing. */
bool doc_is(const json_t *obj, const char *path, const char *word);

/* Sets obj[key]; text may hold any bytes: what is not UTF-8 becomes U+FFFD. NULL text removes
 * nothing and sets nothing. */
void doc_set_str(json_t *obj, const char *key, const char *text);
void doc_set_strn(json_t *obj, const char *key, const void *bytes, size_t len);
void doc_set_fmt(json_t *obj, const char *key, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void doc_set_int(json_t *obj, const char *key, json_int_t value);
void doc_set_bool(json_t *obj, const char *key, bool value);
void doc_append_str(json_t *array, const char *text);
/* The same, unless the array holds the text already. */
void doc_append_once(json_t *array, const char *text);

/* A new JSON string with the bytes in base64, NULL for none; the caller owns it. */
json_t *doc_base64(struct bytes bytes);

/* A new JSON string from any bytes (invalid UTF-8 and NUL replaced); the caller owns it. */
json_t *doc_text(const void *bytes, size_t len);

/* asprintf that returns NULL on failure; the caller frees. */
char *doc_fmt(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
char *doc_vfmt(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));

/* strcasecmp that takes NULL (NULL equals nothing). */
bool doc_same(const char *a, const char *b);

/* The same without slashes at the end; false when both are empty. */
bool doc_same_but_slash(const char *a, const char *b);

/* Puts an object's members in the order of their keys, so that nothing depends on which answer came
 * first. */
void doc_sort(json_t *object);

/* A JSON array of texts as "a, b, c" (at most `most` of them, then "..."); the caller frees. */
char *doc_join(const json_t *list, size_t most);

#endif
