/* curl's transfers in the loop: its sockets are watched as the loop's own descriptors, its timer is
 * the source's. What is asked and what came is loop_http.c's business. */
#ifndef LOOP_TRANSFER_H
#define LOOP_TRANSFER_H

#include "loop/curl.h"
#include "loop/source.h"

struct transfers;

struct transfer {
	struct transfer *next;
	struct transfers *all;
	CURL *easy; /* made and freed by whoever embeds this */
	/* The end, out of the loop: curl no longer has the handle. */
	void (*done)(struct transfer *transfer, CURLcode result, bool cancelled);
};

/* Loads curl and starts the transfer. 0, or -errno (then done is not called). */
int transfer_begin(struct loop *loop, struct transfer *transfer);

#endif
