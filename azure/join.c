#include "azure/join.h"

#include <stdlib.h>

struct waiter {
	void (*done)(void *ctx);
	void *ctx;
	struct waiter *next;
};

void
join_begin(struct join *join, void (*done)(void *ctx), void *ctx)
{
	*join = (struct join){ .count = 1, .done = done, .ctx = ctx };
}

struct join *
join_add(struct join *join)
{
	join->count++;
	return join;
}

void
join_end(void *ctx)
{
	struct join *join = ctx;

	if (--join->count == 0)
		join->done(join->ctx);
}

void
waiters_add(struct waiters *waiters, void (*done)(void *ctx), void *ctx)
{
	struct waiter *waiter = malloc(sizeof(*waiter));

	*waiter = (struct waiter){ .done = done, .ctx = ctx };
	if (waiters->first == NULL)
		waiters->first = waiter;
	else
		waiters->last->next = waiter;
	waiters->last = waiter;
}

void
waiters_call(struct waiters *waiters)
{
	struct waiter *waiter = waiters->first, *next;

	*waiters = (struct waiters){ NULL, NULL };
	for (; waiter != NULL; waiter = next) {
		next = waiter->next;
		waiter->done(waiter->ctx);
		free(waiter);
	}
}
