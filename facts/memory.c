#include "facts/memory.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void (*at_end)(void);

void
memory_at_end(void (*last)(void))
{
	at_end = last;
}

void
memory_lost(void)
{
	static const char sentence[] = "azssh-doctor: out of memory\n";
	ssize_t n = write(STDERR_FILENO, sentence, sizeof(sentence) - 1);

	(void)n;
	if (at_end != NULL)
		at_end();
	_exit(EXIT_NO_MEMORY);
}

/* A sanitizer has an allocator of its own, and macOS binds each library to its own. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define OWN_ALLOCATOR
#endif
#endif
#if !defined(OWN_ALLOCATOR) && !defined(__SANITIZE_ADDRESS__) && !defined(__APPLE__)

/* More than this only a hostile peer can ask of a library, which then gets the NULL it checks for.
 */
#define MOST ((size_t)1 << 30)

static void *(*next_malloc)(size_t);
static void *(*next_calloc)(size_t, size_t);
static void *(*next_realloc)(void *, size_t);

/* A function of the C library, or of a library that was preloaded in its place. */
static void
find_next(const char *name, void *function, size_t size)
{
	void *address = dlsym(RTLD_NEXT, name);

	if (address == NULL)
		memory_lost();
	memcpy(function, &address, size);
}

static void *
refused(void)
{
	errno = ENOMEM;
	return NULL;
}

void *
malloc(size_t size)
{
	void *at;

	if (next_malloc == NULL)
		find_next("malloc", &next_malloc, sizeof(next_malloc));
	if (size > MOST)
		return refused();
	if ((at = next_malloc(size != 0 ? size : 1)) == NULL)
		memory_lost();
	return at;
}

void *
calloc(size_t count, size_t size)
{
	void *at;

	if (next_calloc == NULL)
		find_next("calloc", &next_calloc, sizeof(next_calloc));
	if (size != 0 && count > MOST / size)
		return refused();
	if ((at = next_calloc(count != 0 ? count : 1, size != 0 ? size : 1)) == NULL)
		memory_lost();
	return at;
}

void *
realloc(void *old, size_t size)
{
	void *at;

	if (next_realloc == NULL)
		find_next("realloc", &next_realloc, sizeof(next_realloc));
	if (size > MOST)
		return refused();
	if ((at = next_realloc(old, size != 0 ? size : 1)) == NULL)
		memory_lost();
	return at;
}

#endif
