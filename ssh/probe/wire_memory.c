#include "ssh/probe/wire_memory.h"

#include <libssh2.h>

#include <stdlib.h>
#include <string.h>

/* libssh2 1.10 forgets its half of a key exchange when a session is freed in the middle of one:
 * whatever a session has allocated hangs on a list and goes when the session has gone. */
struct chunk {
	struct chunk *next, **at;
	size_t size;
	_Alignas(max_align_t) unsigned char bytes[];
};

static struct chunk *
chunk_of(void *bytes)
{
	return (struct chunk *)(void *)((unsigned char *)bytes - offsetof(struct chunk, bytes));
}

void *
wire_memory_take(size_t size, void **abstract)
{
	struct wire_memory *memory = *abstract;
	struct chunk **list = &memory->chunks, *chunk;

	if (size > SIZE_MAX / 2 || (chunk = malloc(sizeof(*chunk) + size)) == NULL)
		return NULL;
	chunk->size = size;
	chunk->next = *list;
	chunk->at = list;
	if (chunk->next != NULL)
		chunk->next->at = &chunk->next;
	*list = chunk;
	return chunk->bytes;
}

void
wire_memory_drop(void *bytes, void **abstract)
{
	struct chunk *chunk;

	(void)abstract;
	if (bytes == NULL)
		return;
	chunk = chunk_of(bytes);
	*chunk->at = chunk->next;
	if (chunk->next != NULL)
		chunk->next->at = chunk->at;
	free(chunk);
}

void *
wire_memory_resize(void *bytes, size_t size, void **abstract)
{
	void *grown = wire_memory_take(size, abstract);
	size_t kept;

	if (grown == NULL || bytes == NULL)
		return grown;
	kept = chunk_of(bytes)->size;
	memcpy(grown, bytes, kept < size ? kept : size);
	wire_memory_drop(bytes, abstract);
	return grown;
}

void
wire_memory_clear(struct wire_memory *memory)
{
	void *none = NULL;

	while (memory->chunks != NULL)
		wire_memory_drop(memory->chunks->bytes, &none);
}
