/* How a kind of operation (HTTP requests, children) takes part in the loop. Only loop/ includes
 * this; the loop knows the kinds by this struct alone. */
#ifndef LOOP_SOURCE_H
#define LOOP_SOURCE_H

#include "loop/loop.h"

struct loop_source;

struct loop_kind {
	size_t size;                                /* of the struct that begins with the source */
	void (*due)(struct loop_source *source);    /* `until` has passed; NULL: it has none */
	void (*cancel)(struct loop_source *source); /* ends all its operations with -ECANCELED */
	void (*end)(struct loop_source *source);    /* before it is freed; NULL: nothing to do */
};

struct loop_source {
	struct loop_source *next;
	const struct loop_kind *kind;
	struct loop *loop;
	int64_t until; /* when due() is called, in loop_now() milliseconds; 0: never */
	size_t busy;   /* operations under way; the loop runs while there are any */
};

/* The loop's source of that kind; the first call makes it, zeroed but for struct loop_source. NULL
 * when out of memory. */
struct loop_source *loop_source(struct loop *loop, const struct loop_kind *kind);

/* As loop_watch without a timeout, for a descriptor of the source: it does not keep the loop
 * running by itself. */
struct watch *loop_watch_for(struct loop_source *source, int fd, short events,
			     void (*ready)(void *ctx, int revents), void *ctx);

/* True from the deadline on: nothing new begins. */
bool loop_closing(const struct loop *loop);

/* A line for -v. */
void loop_trace(const struct loop *loop, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
