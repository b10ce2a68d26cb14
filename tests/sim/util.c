/* Text, URLs and time. */
#include "tests/sim/sim.h"

#include <err.h>
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

char *
text_format(const char *format, ...)
{
	va_list list;
	char *text;
	int r;

	va_start(list, format);
	r = vasprintf(&text, format, list);
	va_end(list);
	if (r < 0)
		errx(4, "out of memory");
	return text;
}

char *
text_copy(const char *text)
{
	char *copy = strdup(text);

	if (copy == NULL)
		errx(4, "out of memory");
	return copy;
}

char *
text_lower(const char *text)
{
	char *copy = text_copy(text);

	for (char *at = copy; *at != '\0'; at++) {
		if (*at >= 'A' && *at <= 'Z')
			*at = (char)(*at + ('a' - 'A'));
	}
	return copy;
}

bool
text_same(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcasecmp(a, b) == 0;
}

bool
text_has_prefix(const char *text, const char *prefix)
{
	return text != NULL && strncasecmp(text, prefix, strlen(prefix)) == 0;
}

const char *
text_find(const char *text, const char *part)
{
	return strcasestr(text, part);
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

char *
url_decode(const char *text, size_t length, bool plus_is_blank)
{
	char *decoded = calloc(1, length + 1);
	size_t used = 0;

	if (decoded == NULL)
		errx(4, "out of memory");
	for (size_t i = 0; i < length; i++) {
		int high = -1, low = -1;

		if (text[i] == '%' && i + 2 < length) {
			high = hex_digit(text[i + 1]);
			low = hex_digit(text[i + 2]);
		}
		if (high >= 0 && low >= 0 && (high | low) != 0) {
			decoded[used++] = (char)(high * 16 + low);
			i += 2;
		} else {
			decoded[used++] = plus_is_blank && text[i] == '+' ? ' ' : text[i];
		}
	}
	return decoded;
}

char *
url_encode(const char *text)
{
	static const char plain[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
	char *encoded = calloc(3, strlen(text) + 1);
	size_t used = 0;

	if (encoded == NULL)
		errx(4, "out of memory");
	for (; *text != '\0'; text++) {
		if (strchr(plain, *text) != NULL) {
			encoded[used++] = *text;
			continue;
		}
		encoded[used++] = '%';
		encoded[used++] = "0123456789ABCDEF"[(unsigned char)*text >> 4];
		encoded[used++] = "0123456789ABCDEF"[*text & 15];
	}
	return encoded;
}

json_t *
url_arguments(const char *query)
{
	json_t *args = json_object();

	while (*query != '\0') {
		size_t length = strcspn(query, "&"), name_length = strcspn(query, "=&");
		size_t skip = name_length < length ? name_length + 1 : length;
		char *raw = url_decode(query, name_length, true), *name = text_lower(raw);
		char *value = url_decode(query + skip, length - skip, true);

		if (*name != '\0')
			json_put(args, name, json_bytes(value));
		free(raw);
		free(name);
		free(value);
		query += length + (query[length] == '&');
	}
	return args;
}

char *
base64url(const void *data, size_t length)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	const unsigned char *in = data;
	char *text = calloc(1, length * 4 / 3 + 4);
	size_t used = 0;

	if (text == NULL)
		errx(4, "out of memory");
	for (size_t i = 0; i < length; i += 3) {
		unsigned group = (unsigned)in[i] << 16;

		if (i + 1 < length)
			group |= (unsigned)in[i + 1] << 8;
		if (i + 2 < length)
			group |= in[i + 2];
		for (unsigned digit = 0; digit < 4 && i + digit <= length; digit++)
			text[used++] = digits[group >> (18 - 6 * digit) & 63];
	}
	return text;
}

char *
time_iso(time_t at)
{
	struct tm parts;
	char text[64];

	if (gmtime_r(&at, &parts) == NULL ||
	    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S.0000000Z", &parts) == 0)
		return text_copy("0001-01-01T00:00:00Z");
	return text_copy(text);
}

char *
time_us(time_t at)
{
	struct tm parts;

	if (gmtime_r(&at, &parts) == NULL)
		return text_copy("1/1/0001 12:00:00 AM");
	return text_format("%d/%d/%d %d:%02d:%02d %s", parts.tm_mon + 1, parts.tm_mday,
			   parts.tm_year + 1900, parts.tm_hour % 12 == 0 ? 12 : parts.tm_hour % 12,
			   parts.tm_min, parts.tm_sec, parts.tm_hour < 12 ? "AM" : "PM");
}

char *
random_guid(void)
{
	unsigned char r[16];

	if (getrandom(r, sizeof r, 0) != sizeof r)
		errx(4, "getrandom failed");
	return text_format("%02x%02x%02x%02x-%02x%02x-4%x%02x-a%x%02x-%02x%02x%02x%02x%02x%02x",
			   r[0], r[1], r[2], r[3], r[4], r[5], r[6] & 15u, r[7], r[8] & 15u, r[9],
			   r[10], r[11], r[12], r[13], r[14], r[15]);
}

double
clock_ms(void)
{
	static struct timespec start;
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (start.tv_sec == 0 && start.tv_nsec == 0)
		start = now;
	return (double)(now.tv_sec - start.tv_sec) * 1000.0 +
	       (double)(now.tv_nsec - start.tv_nsec) / 1e6;
}

bool
sim_sleep(const struct sim *sim, double ms)
{
	struct pollfd wake = { .fd = sim->stop_fd, .events = POLLIN };
	double end = clock_ms() + ms, left;

	while ((left = end - clock_ms()) > 0) {
		struct timespec wait = { .tv_sec = (time_t)(left / 1000.0) };

		wait.tv_nsec = (long)((left - (double)wait.tv_sec * 1000.0) * 1e6);
		if (ppoll(&wake, 1, &wait, NULL) > 0)
			return false;
	}
	return true;
}
