/* libssh2's allocations, so that none outlives its session; *abstract points at a struct
 * wire_memory. */
#ifndef SSH_WIRE_MEMORY_H
#define SSH_WIRE_MEMORY_H

#include <stddef.h>

struct chunk;
struct wire_memory {
	struct chunk *chunks;
};

void *wire_memory_take(size_t size, void **abstract);
void *wire_memory_resize(void *bytes, size_t size, void **abstract);
void wire_memory_drop(void *bytes, void **abstract);
void wire_memory_clear(struct wire_memory *memory);

#endif
