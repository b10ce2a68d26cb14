/* The event loop behind model/loop.h: one thread, curl_multi_poll over HTTP, children's pipes,
 * sockets and timers. */
#ifndef CLI_LOOP_H
#define CLI_LOOP_H

#include "loop/curl.h"
#include "loop/loop.h"

#include <poll.h>
#include <stdio.h>
#include <sys/types.h>

struct http;
struct child;

struct loop {
	int64_t deadline;            /* of the round, in loop_now() milliseconds */
	bool closing;                /* the deadline has struck: nothing new begins */
	FILE *trace;                 /* -v: one line a request and a child; NULL: silent */
	const struct curl_api *curl; /* loaded, and multi made, when the first request needs them */
	CURLM *multi;
	struct http *requests;
	struct child *children;
	struct watch *watches;
};

/* A loop whose round ends in deadline_ms. Returns NULL when out of memory. Nothing of curl is
 * initialised yet. */
struct loop *loop_new(int deadline_ms, FILE *trace);

/* Frees the loop; what is still under way is called back with -ECANCELED first. NULL is fine. */
void loop_free(struct loop *loop);

/* Runs until nothing is under way, until done(ctx) says true, or until the deadline. Returns 0, or
 * -ETIMEDOUT when the deadline struck (everything under way has then been called back with
 * -ECANCELED). */
int loop_run(struct loop *loop, bool (*done)(void *ctx), void *ctx);

/* Runs for at most one wait; true while something is under way. For callers with work of their own
 * between turns. */
bool loop_turn(struct loop *loop, int longest_ms);

/* Ends the round now, as the deadline does. */
void loop_close(struct loop *loop);

/* Starts the next round of the same loop (--wait). */
void loop_reopen(struct loop *loop, int deadline_ms);

/* of loop_http.c */
void loop_http_finished(struct loop *loop); /* calls back whatever curl has finished */
void loop_http_cancel(struct loop *loop);

/* of loop_child.c */
void loop_child_cancel(struct loop *loop);

#endif
