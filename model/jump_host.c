#include "model/jump_host.h"

#include <stdlib.h>
#include <string.h>

static struct bytes
part_of(const char *from, const char *to)
{
	return (struct bytes){ (const unsigned char *)from, (size_t)(to - from) };
}

/* Sets the host; returns where its port stands, NULL for none. */
static const char *
read_host(const char *at, const char *end, struct jump_host *ret)
{
	const char *stop = *at == '[' ? memchr(at, ']', (size_t)(end - at)) : NULL;

	if (stop != NULL) {
		ret->host = part_of(at + 1, stop);
		return stop + 1 < end && stop[1] == ':' ? stop + 2 : NULL;
	}
	stop = memchr(at, ':', (size_t)(end - at));
	if (stop != NULL && memchr(stop + 1, ':', (size_t)(end - stop - 1)) != NULL)
		stop = NULL; /* an IPv6 address without brackets */
	ret->host = part_of(at, stop != NULL ? stop : end);
	return stop != NULL ? stop + 1 : NULL;
}

bool
jump_host_at(const char *proxyjump, size_t number, struct jump_host *ret)
{
	const char *text = proxyjump, *end, *at, *port;
	long value;

	for (; number > 0 && text != NULL; number--)
		text = strchr(text, ',') != NULL ? strchr(text, ',') + 1 : NULL;
	if (text == NULL)
		return false;
	*ret = (struct jump_host){ .text = part_of(text, text + strcspn(text, ",")) };
	if (strncmp(text, "ssh://", 6) == 0)
		text += 6;
	end = text + strcspn(text, ",/");
	if (end == text)
		return false;
	if ((at = memrchr(text, '@', (size_t)(end - text))) != NULL)
		ret->user = part_of(text, at);
	port = read_host(at != NULL ? at + 1 : text, end, ret);
	value = port != NULL ? strtol(port, NULL, 10) : 0;
	ret->port = value > 0 && value < 65536 ? (int)value : 0;
	return true;
}
