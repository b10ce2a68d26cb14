/* Points in time as text. */
#ifndef FACTS_TIME_H
#define FACTS_TIME_H

#include <time.h>

/* Seconds since 1970 of an ISO 8601 time with 0-9 fractional digits and Z or an offset, of an HTTP
 * date ("Thu, 01 Jan 2026 00:00:00 GMT"); -1 when it is none. NULL is none. */
time_t time_from_iso(const char *text);
time_t time_from_http(const char *text);

enum { TIME_TEXT_SIZE = 21 };

/* "2026-01-01T00:00:00Z"; "" outside the years 1000 to 9999. Returns ret. */
const char *time_to_iso(time_t when, char ret[TIME_TEXT_SIZE]);

#endif
