/* The programs that rule files may run (--allow-commands): facts on their stdin, one JSON object
 * from their stdout into the facts. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "facts/facts.h"
#include "loop/loop.h"

/* Runs every custom rule of type command side by side and stores target.commands[id]: {"state":
 * "known", "object": ...} or why not. Without `allowed` each is settled as not asked. Calls
 * done(ctx) once, perhaps before it returns. */
void commands_run(struct loop *loop, struct facts *facts, const json_t *custom, bool allowed,
		  void (*done)(void *ctx), void *ctx);

#endif
