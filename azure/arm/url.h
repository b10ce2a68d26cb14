/* Origins, loopback, percent-encoding, URLs fit to be shown. */
#ifndef AZURE_URL_H
#define AZURE_URL_H

#include <stdbool.h>

struct origin {
	char scheme[8];
	char host[256]; /* in lower case; IPv6 in brackets */
	char port[8];   /* always there */
};

/* Reads scheme, host and port of an http or https URL; -EINVAL for anything else, and for URLs that
 * carry a user or control bytes. */
int url_origin(const char *url, struct origin *ret);
bool url_same_origin(const char *a, const char *b);
bool url_loopback(const char *url); /* localhost, 127.0.0.0/8, ::1 */
bool url_safe(const char *url);     /* https, or http to loopback */
/* What follows the scheme, borrowed; "" when there is none. */
const char *url_host(const char *url);
char *url_encode(const char *text); /* a query value or one path segment; the caller frees */
/* As it is but for what a path may not hold; slashes stay. */
char *url_encode_path(const char *path);
char *url_shown(const char *url); /* without signatures and tokens; the caller frees */
/* Makes a link that a reply names absolute ("/path" is on base's host); NULL when it lies on
 * another scheme, host or port, or is no link. */
char *url_follow(const char *base, const char *link);

#endif
