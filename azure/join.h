/* Waiting: one for several, and several for one. */
#ifndef AZURE_JOIN_H
#define AZURE_JOIN_H

#include <stddef.h>

/* Waits until all that has been added to it has ended. */
struct join {
	size_t count;
	void (*done)(void *ctx);
	void *ctx;
};

/* Begins with one for the beginner, who ends it when everything has been added. */
void join_begin(struct join *join, void (*done)(void *ctx), void *ctx);
/* One more to wait for; returns the join, to be handed to join_end. */
struct join *join_add(struct join *join);
/* One has ended; the last one calls done, after which the join may be gone. */
void join_end(void *join);

/* Those who wait for one thing. */
struct waiters {
	struct waiter *first, *last;
};

void waiters_add(struct waiters *waiters, void (*done)(void *ctx), void *ctx);
/* Calls them in the order they came, and forgets them. */
void waiters_call(struct waiters *waiters);

#endif
