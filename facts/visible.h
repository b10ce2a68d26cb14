/* Making text from outside safe to show: control bytes, code points that reorder or hide text, and
 * bytes that are no UTF-8. */
#ifndef MODEL_VISIBLE_H
#define MODEL_VISIBLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads one UTF-8 sequence (RFC 3629) of at most `left` bytes: its length and *cp, or 0 when there
 * is none. NUL counts as a sequence. */
size_t visible_decode(const char *bytes, size_t left, uint32_t *cp);

/* true for what a terminal would act on, or nobody would see: controls, bidi marks and overrides,
 * zero-width and tag characters, blanks other than the space. */
bool visible_hidden(uint32_t cp);

/* true when the text is UTF-8 without any such code point, line breaks included. NULL is clean. */
bool visible_clean(const char *text);

/* A copy with all of that written out ("\x1b", "\u202e"); a line break stays one when `lines` is
 * true and else becomes "\n". The caller frees; NULL when out of memory or text is NULL. */
char *visible_text(const char *text, bool lines);

/* The agents of CI services act on words in what a build prints: "##vso[..." and "##[..." of Azure
 * Pipelines anywhere in a line, "::word ...::" of GitHub at its start. A copy of the text in which
 * there are none: their bracket or first colon is written as `bracket` and `colon` say (NULL: the
 * colon may stay). The caller frees; NULL when nothing had to be changed. */
char *visible_log(const char *text, size_t len, const char *bracket, const char *colon,
		  size_t *ret_len);

/* Columns on a terminal: 0 for combining marks, 2 for wide East Asian and emoji, else 1. */
unsigned visible_columns(uint32_t cp);
size_t visible_width(const char *text);

/* Cuts a text of UTF-8 to at most `most` bytes (3 or more), between two characters; one that was
 * cut ends in "...". */
void visible_cut(char *text, size_t most);

#endif
