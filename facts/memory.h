/* Memory that is always there. facts/memory.c defines the program's malloc, calloc and realloc, for
 * the libraries too: when there is no memory, the process says so in one sentence and ends with
 * exit code 4. So nobody checks for NULL, and no fact is missing because it could not be stored. */
#ifndef FACTS_MEMORY_H
#define FACTS_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

enum { EXIT_NO_MEMORY = 4 };

/* What is still to be done when memory has run out. It may not allocate. */
void memory_at_end(void (*last)(void));

/* From now on memory is wiped when it is freed, by libraries too. */
void memory_hold_secrets(void);

/* true when there is room for so many bytes more: a run takes no more than a CI machine can spare.
 */
bool memory_room(size_t bytes);
/* What thousands of VMs refer to needs more of it: about 12 KiB each. */
void memory_for_many(void);

/* Ends the process. */
_Noreturn void memory_lost(void);

#endif
