/* libcurl, loaded when the first request needs it: with the thirty libraries it depends on it would
 * cost every start of the program (--version, a replay, the name resolver's child) several
 * milliseconds. */
#ifndef LOOP_CURL_H
#define LOOP_CURL_H

#include <curl/curl.h>

#define CURL_FUNCTIONS(X)                                                                          \
	X(CURLcode, global_init, (long))                                                           \
	X(void, global_cleanup, (void))                                                            \
	X(CURL *, easy_init, (void))                                                               \
	X(void, easy_cleanup, (CURL *))                                                            \
	X(CURLcode, easy_setopt, (CURL *, CURLoption, ...))                                        \
	X(CURLcode, easy_getinfo, (CURL *, CURLINFO, ...))                                         \
	X(const char *, easy_strerror, (CURLcode))                                                 \
	X(curl_version_info_data *, version_info, (CURLversion))                                   \
	X(CURLSH *, share_init, (void))                                                            \
	X(CURLSHcode, share_setopt, (CURLSH *, CURLSHoption, ...))                                 \
	X(CURLSHcode, share_cleanup, (CURLSH *))                                                   \
	X(CURLM *, multi_init, (void))                                                             \
	X(CURLMcode, multi_cleanup, (CURLM *))                                                     \
	X(CURLMcode, multi_add_handle, (CURLM *, CURL *))                                          \
	X(CURLMcode, multi_remove_handle, (CURLM *, CURL *))                                       \
	X(CURLMcode, multi_setopt, (CURLM *, CURLMoption, ...))                                    \
	X(CURLMcode, multi_assign, (CURLM *, curl_socket_t, void *))                               \
	X(CURLMcode, multi_socket_action, (CURLM *, curl_socket_t, int, int *))                    \
	X(CURLMsg *, multi_info_read, (CURLM *, int *))                                            \
	X(struct curl_slist *, slist_append, (struct curl_slist *, const char *))                  \
	X(void, slist_free_all, (struct curl_slist *))                                             \
	X(CURLU *, url, (void))                                                                    \
	X(void, url_cleanup, (CURLU *))                                                            \
	X(CURLUcode, url_set, (CURLU *, CURLUPart, const char *, unsigned))                        \
	X(CURLUcode, url_get, (const CURLU *, CURLUPart, char **, unsigned))                       \
	X(void, free, (void *))

struct curl_api {
#define CURL_MEMBER(type, name, args) type(*name) args;
	CURL_FUNCTIONS(CURL_MEMBER)
#undef CURL_MEMBER
};

/* The functions of the loaded and initialised library; NULL when it cannot be loaded. The first
 * call loads it. */
const struct curl_api *curl_load(void);

#endif
