#include "loop/curl.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdlib.h>
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
	void *library;
	bool found;

	/* GnuTLS may be among the libraries, for protocols that nobody asks for here: it starts
	 * when it is used */
	setenv("GNUTLS_NO_IMPLICIT_INIT", "1", 0);
	library = dlopen(CURL_LIBRARY, RTLD_LAZY | RTLD_LOCAL);
	unsetenv("GNUTLS_NO_IMPLICIT_INIT");
	found = library != NULL;

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
