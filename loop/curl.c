#include "loop/curl.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <string.h>

#ifdef __APPLE__
#define CURL_LIBRARY "libcurl.4.dylib"
#else
#define CURL_LIBRARY "libcurl.so.4"
#endif

static struct curl_api api;

/* A function's address into a function pointer: POSIX's way round ISO C, which knows no such
 * conversion. */
static bool
find(void *library, const char *name, void *member, size_t size)
{
	void *address = dlsym(library, name);

	memcpy(member, &address, size);
	return address != NULL;
}

static bool
load(void)
{
	void *library = dlopen(CURL_LIBRARY, RTLD_NOW | RTLD_LOCAL);
	bool found = library != NULL;

#define CURL_FIND(type, name, args)                                                                \
	found = found && find(library, "curl_" #name, &api.name, sizeof(api.name));
	CURL_FUNCTIONS(CURL_FIND)
#undef CURL_FIND
	return found && api.global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

const struct curl_api *
curl_load(void)
{
	static enum { NEW, LOADED, FAILED } state;

	if (state == NEW)
		state = load() ? LOADED : FAILED;
	return state == LOADED ? &api : NULL;
}
