#include "azure/inside.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int
copy_lower(const char *text, size_t len, char *ret, size_t size)
{
	if (len == 0 || len >= size)
		return -EINVAL;
	for (size_t i = 0; i < len; i++)
		ret[i] = (char)tolower((unsigned char)text[i]);
	ret[len] = '\0';
	return 0;
}

/* The length of the host at p: a name, an IPv4 address, or an IPv6 address in brackets. 0 for
 * anything that another parser might read in another way. */
static size_t
host_length(const char *p)
{
	size_t len;

	if (*p != '[')
		return strspn(p,
			      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_");
	len = 1 + strspn(p + 1, "0123456789abcdefABCDEF:.");
	return p[len] == ']' ? len + 1 : 0;
}

int
url_origin(const char *url, struct origin *ret)
{
	struct origin origin = { .port = "443" };
	size_t scheme, len;
	const char *p;

	if (url == NULL ||
	    (strncasecmp(url, "http://", 7) != 0 && strncasecmp(url, "https://", 8) != 0))
		return -EINVAL;
	for (p = url; *p != '\0'; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f || *p == '\\')
			return -EINVAL;
	scheme = strcspn(url, ":");
	if (scheme == 4)
		memcpy(origin.port, "80", 3);
	p = url + scheme + 3;
	len = host_length(p);
	if (copy_lower(url, scheme, origin.scheme, sizeof(origin.scheme)) < 0 ||
	    copy_lower(p, len, origin.host, sizeof(origin.host)) < 0)
		return -EINVAL;
	p += len;
	if (*p == ':') {
		len = strspn(++p, "0123456789");
		if (len > 5 || *p == '0' ||
		    copy_lower(p, len, origin.port, sizeof(origin.port)) < 0)
			return -EINVAL;
		p += len;
	}
	if (*p != '\0' && *p != '/' && *p != '?' && *p != '#')
		return -EINVAL;
	*ret = origin;
	return 0;
}

bool
url_same_origin(const char *a, const char *b)
{
	struct origin oa, ob;

	return url_origin(a, &oa) == 0 && url_origin(b, &ob) == 0 &&
	       strcmp(oa.scheme, ob.scheme) == 0 && strcmp(oa.host, ob.host) == 0 &&
	       strcmp(oa.port, ob.port) == 0;
}

bool
url_same_but_slash(const char *a, const char *b)
{
	size_t la = a != NULL ? strlen(a) : 0, lb = b != NULL ? strlen(b) : 0;

	while (la > 0 && a[la - 1] == '/')
		la--;
	while (lb > 0 && b[lb - 1] == '/')
		lb--;
	return la > 0 && la == lb && strncasecmp(a, b, la) == 0;
}

bool
url_loopback(const char *url)
{
	struct origin origin;
	struct in_addr v4;
	struct in6_addr v6;
	size_t len;

	if (url_origin(url, &origin) < 0)
		return false;
	if (strcmp(origin.host, "localhost") == 0)
		return true;
	if (inet_pton(AF_INET, origin.host, &v4) == 1)
		return ntohl(v4.s_addr) >> 24 == 127;
	len = strlen(origin.host);
	if (len < 2 || origin.host[0] != '[')
		return false;
	origin.host[len - 1] = '\0';
	return inet_pton(AF_INET6, origin.host + 1, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

bool
url_safe(const char *url)
{
	struct origin origin;

	return url_origin(url, &origin) == 0 &&
	       (strcmp(origin.scheme, "https") == 0 || url_loopback(url));
}

static char *
encode(const char *text, const char *also)
{
	char *out = text != NULL ? malloc(strlen(text) * 3 + 1) : NULL;
	size_t used = 0;

	if (out == NULL)
		return NULL;
	for (const char *p = text; *p != '\0'; p++) {
		unsigned char c = (unsigned char)*p;

		if ((c < 0x80 && isalnum(c)) || strchr("-_.~", c) != NULL ||
		    strchr(also, c) != NULL)
			out[used++] = (char)c;
		else
			used += (size_t)snprintf(out + used, 4, "%%%02X", c);
	}
	out[used] = '\0';
	return out;
}

char *
url_encode(const char *text)
{
	return encode(text, "");
}

char *
url_encode_path(const char *path)
{
	return encode(path, "/()");
}

static bool
secret_parameter(const char *name, size_t len)
{
	static const char *const words[] = { "sig",           "signature",     "token",
					     "access_token",  "client_secret", "client_assertion",
					     "code",          "password",      "secret",
					     "key",           "sas",           "assertion",
					     "refresh_token", "x-ms-signature" };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strlen(words[i]) == len && strncasecmp(words[i], name, len) == 0)
			return true;
	return false;
}

char *
url_shown(const char *url)
{
	char *out = url != NULL ? malloc(strlen(url) * 2 + 8) : NULL;
	const char *p = url;
	size_t used;

	if (out == NULL)
		return NULL;
	used = strcspn(p, "?#");
	memcpy(out, p, used);
	for (p += used; *p != '\0';) {
		size_t part = strcspn(p + 1, "&;#") + 1, name = strcspn(p + 1, "=&;#");
		bool cut = p[0] != '#' && name + 1 < part && secret_parameter(p + 1, name);
		size_t take = p[0] == '#' ? 0 : cut ? name + 2 : part;

		memcpy(out + used, p, take);
		used += take;
		if (cut)
			out[used++] = '*';
		p += part;
	}
	out[used] = '\0';
	return out;
}

char *
url_follow(const char *base, const char *link)
{
	if (link == NULL || *link == '\0')
		return NULL;
	for (const char *p = link; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f || *p == '\\')
			return NULL;
	if (link[0] == '/' && link[1] != '/')
		return doc_fmt("%s%s", base, link);
	return url_same_origin(base, link) ? strdup(link) : NULL;
}
