#include "facts/time.h"

#include <stdio.h>
#include <string.h>

time_t
time_from_iso(const char *text)
{
	struct tm tm = { 0 };
	const char *rest;
	time_t when;
	int hours, minutes;
	char sign;

	if (text == NULL || (rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm)) == NULL)
		return -1;
	if (*rest == '.')
		rest += 1 + strspn(rest + 1, "0123456789");
	when = timegm(&tm);
	if (*rest == '\0' || strcmp(rest, "Z") == 0 || strcmp(rest, "z") == 0)
		return when;
	if (sscanf(rest, "%c%2d:%2d", &sign, &hours, &minutes) != 3 || (sign != '+' && sign != '-'))
		return -1;
	return when - (sign == '+' ? 1 : -1) * (hours * 3600 + minutes * 60);
}

time_t
time_from_http(const char *text)
{
	struct tm tm = { 0 };

	if (text == NULL || strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &tm) == NULL)
		return -1;
	return timegm(&tm);
}

const char *
time_to_iso(time_t when, char ret[TIME_TEXT_SIZE])
{
	struct tm tm;

	if (gmtime_r(&when, &tm) == NULL || tm.tm_year < 1000 - 1900 || tm.tm_year > 9999 - 1900 ||
	    strftime(ret, TIME_TEXT_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		*ret = '\0';
	return ret;
}
