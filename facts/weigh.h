/* How much memory a JSON text takes once it is parsed: two bytes of it may become 250. */
#ifndef FACTS_WEIGH_H
#define FACTS_WEIGH_H

#include <stdbool.h>
#include <stddef.h>

/* true when there is room for it (memory_room). */
bool json_fits(const char *text, size_t len);

#endif
