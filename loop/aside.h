/* A second process of this program, for what may take any time: files on a mount that does not
 * answer, patterns that match a whole disk, hostile bytes. It answers one question at a time, and
 * is killed when an answer takes too long. */
#ifndef LOOP_ASIDE_H
#define LOOP_ASIDE_H

#include <stdbool.h>
#include <stddef.h>

/* Starts it: `argv` is this program in the mode that calls aside_serve. Questions are answered
 * within a quarter of what is left of deadline_ms. */
void aside_begin(const char *const *argv, int deadline_ms);

/* A new deadline (--wait). */
void aside_deadline(int deadline_ms);

/* false in a process that has not begun, and in the second process itself: do the work here. */
bool aside_used(void);

/* Asks a question and waits. *ret (the caller wipes and frees it, NUL-terminated) is the answer; 0,
 * -ETIMEDOUT, -ECANCELED when no time is left, -ENOSYS when there can be no second process (then
 * aside_used is false from now on), or another error. */
int aside_ask(const void *question, size_t len, unsigned char **ret, size_t *ret_len);

/* What an error of aside_ask means, as the end of a sentence. */
const char *aside_words(int error);

void aside_end(void);

/* The second process: answers questions on its standard input until that ends. `answer` gives what
 * the caller frees. */
int aside_serve(unsigned char *(*answer)(const char *question, size_t len, size_t *ret_len));

#endif
