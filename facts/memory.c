#include "facts/memory.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef __linux__
#include <malloc.h>
#endif

/* Of a process, beside the libraries themselves. */
#define ROOM ((size_t)128 << 20)
#define ROOM_OF_MANY ((size_t)1 << 30)

static void (*at_end)(void);
static bool secretive;
static size_t room = ROOM;

void
memory_hold_secrets(void)
{
	secretive = true;
}

void
memory_for_many(void)
{
	room = ROOM_OF_MANY;
}

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
#define WIPED_MOST ((size_t)1 << 20)

static atomic_long in_use; /* bytes */

static void *(*next_malloc)(size_t);
static void *(*next_calloc)(size_t, size_t);
static void *(*next_realloc)(void *, size_t);
static void (*next_free)(void *);

/* A function of the C library, or of a library that was preloaded in its place. */
static void
find_next(const char *name, void *function, size_t size)
{
	void *address = dlsym(RTLD_NEXT, name);

	if (address == NULL)
		memory_lost();
	memcpy(function, &address, size);
}

static void
count(void *at, long sign)
{
	atomic_fetch_add_explicit(&in_use, sign * (long)malloc_usable_size(at),
				  memory_order_relaxed);
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
	count(at, 1);
	return at;
}

void *
calloc(size_t number, size_t size)
{
	void *at;

	if (next_calloc == NULL)
		find_next("calloc", &next_calloc, sizeof(next_calloc));
	if (size != 0 && number > MOST / size)
		return refused();
	if ((at = next_calloc(number != 0 ? number : 1, size != 0 ? size : 1)) == NULL)
		memory_lost();
	count(at, 1);
	return at;
}

/* What libraries free may have held a token: none wipes its buffers. Large ones are wiped by those
 * who know what is in them. */
static void
wipe(void *at)
{
	size_t size = malloc_usable_size(at);

	if (secretive && size <= WIPED_MOST)
		explicit_bzero(at, size);
}

void
free(void *at)
{
	int before = errno;

	if (at == NULL)
		return;
	if (next_free == NULL)
		find_next("free", &next_free, sizeof(next_free));
	count(at, -1);
	wipe(at);
	next_free(at);
	errno = before;
}

/* A block that moves leaves nothing behind. */
void *
realloc(void *old, size_t size)
{
	size_t had = old != NULL ? malloc_usable_size(old) : 0;
	void *at;

	if (size > MOST)
		return refused();
	if (had >= size && had - size < 64)
		return old;
	if (!secretive || had > WIPED_MOST) {
		if (next_realloc == NULL)
			find_next("realloc", &next_realloc, sizeof(next_realloc));
		count(old, -1);
		if ((at = next_realloc(old, size != 0 ? size : 1)) == NULL)
			memory_lost();
		count(at, 1);
		return at;
	}
	at = malloc(size);
	if (had > 0)
		memcpy(at, old, had < size ? had : size);
	free(old);
	return at;
}

bool
memory_room(size_t bytes)
{
	long used = atomic_load_explicit(&in_use, memory_order_relaxed);

	return bytes <= room && used + (long)bytes <= (long)room;
}

#else

bool
memory_room(size_t bytes)
{
	return bytes <= room;
}

#endif
