/* The public address that this machine connects from. */
#ifndef CLI_SOURCE_H
#define CLI_SOURCE_H

#include "facts/facts.h"
#include "loop/loop.h"

/* Settles SOURCE: --source-ip; else what the opt-in address service says, as likely (a GET whose
 * answer is the address alone); else the access token's ipaddr claim, as likely; else absent. A
 * claim that differs from the answer is kept under "others". Calls done(ctx) once, perhaps before
 * it returns. */
void source_settle(struct loop *loop, struct facts *facts, const char *source_ip,
		   const char *service, void (*done)(void *ctx), void *ctx);

#endif
