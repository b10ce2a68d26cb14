#include "azure/arm/url.h"
#include "facts/doc.h"
#include "loop/curl.h"
#include "model/prefix.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* One part in small letters; false when it is not there, or too long. */
static bool
part_read(const struct curl_api *curl, CURLU *url, CURLUPart part, char *ret, size_t size)
{
	char *text = NULL;
	size_t len;

	if (curl->url_get(url, part, &text, CURLU_DEFAULT_PORT) != CURLUE_OK)
		return false;
	len = strlen(text);
	for (size_t i = 0; i <= len && len < size; i++)
		ret[i] = (char)tolower((unsigned char)text[i]);
	curl->free(text);
	return len < size;
}

/* The parser that also sends: no host can be one thing when it is checked and another when it is
 * asked. What other parsers might read in another way is refused before. */
int
url_origin(const char *url, struct origin *ret)
{
	static const char authority[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]";
	const struct curl_api *curl = curl_load();
	struct origin origin;
	const char *host;
	CURLU *parsed;
	bool good;

	if (curl == NULL || url == NULL ||
	    (strncasecmp(url, "http://", 7) != 0 && strncasecmp(url, "https://", 8) != 0))
		return -EINVAL;
	for (const char *p = url; *p != '\0'; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f || *p == '\\')
			return -EINVAL;
	host = strchr(url, ':') + 3;
	if (strspn(host, authority) != strcspn(host, "/?#") || strspn(host, authority) == 0 ||
	    (parsed = curl->url()) == NULL)
		return -EINVAL;
	good = curl->url_set(parsed, CURLUPART_URL, url, 0) == CURLUE_OK &&
	       part_read(curl, parsed, CURLUPART_SCHEME, origin.scheme, sizeof(origin.scheme)) &&
	       part_read(curl, parsed, CURLUPART_HOST, origin.host, sizeof(origin.host)) &&
	       part_read(curl, parsed, CURLUPART_PORT, origin.port, sizeof(origin.port));
	curl->url_cleanup(parsed);
	if (!good)
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
url_loopback(const char *url)
{
	struct origin origin;
	size_t len;

	if (url_origin(url, &origin) < 0)
		return false;
	if (strcmp(origin.host, "localhost") == 0)
		return true;
	len = strlen(origin.host);
	if (origin.host[0] != '[')
		return ip_text_is(origin.host, IP_LOOPBACK);
	origin.host[len - 1] = '\0';
	return ip_text_is(origin.host + 1, IP_LOOPBACK);
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
	for (p += used; *p != '\0' && *p != '#';) {
		size_t part = strcspn(p + 1, "&;#") + 1, name = strcspn(p + 1, "=&;#");
		bool cut = name + 1 < part && secret_parameter(p + 1, name);
		size_t take = cut ? name + 2 : part;

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

const char *
url_host(const char *url)
{
	const char *host = url != NULL ? strstr(url, "://") : NULL;

	return host != NULL ? host + 3 : "";
}
