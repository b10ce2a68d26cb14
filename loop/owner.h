/* The event loop for the one who owns it: begin, turn, end. Collectors see loop/loop.h alone. */
#ifndef LOOP_OWNER_H
#define LOOP_OWNER_H

#include "loop/loop.h"

/* A loop whose round ends in deadline_ms. trace (-v): gets one line a request and a child, of which
 * peers may have chosen the bytes; NULL: silent.
 * Returns NULL when out of memory. */
struct loop *loop_new(int deadline_ms, void (*trace)(const char *line));

/* Frees the loop; what is still under way is called back with -ECANCELED first. NULL is fine. */
void loop_free(struct loop *loop);

/* Runs until nothing is under way, until done(ctx) says true, or until the deadline. Returns 0, or
 * -ETIMEDOUT when the deadline has passed (everything under way has then been called back with
 * -ECANCELED). */
int loop_run(struct loop *loop, bool (*done)(void *ctx), void *ctx);

/* Runs for at most one wait; true while something is under way. For callers with work of their own
 * between turns. */
bool loop_turn(struct loop *loop, int longest_ms);

/* Ends the round now, as the deadline does. */
void loop_close(struct loop *loop);

/* Starts the next round of the same loop (--wait). */
void loop_reopen(struct loop *loop, int deadline_ms);

#endif
