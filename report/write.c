/* How every format ends. */
#include "report/format.h"

#include <errno.h>

/* ASCII only, so that nothing in it can act on a terminal. */
#define FLAGS JSON_ENSURE_ASCII

int
format_end(FILE *out)
{
	errno = 0;
	if (fflush(out) != 0 || ferror(out))
		return errno != 0 ? -errno : -EIO;
	return 0;
}

/* jansson leaves DEL as it is; it only ever occurs in strings. */
static int
write_part(const char *bytes, size_t len, void *ctx)
{
	FILE *out = ctx;

	for (size_t i = 0; i < len; i++)
		if ((bytes[i] == 0x7f ? fputs("\\u007f", out) : putc(bytes[i], out)) == EOF)
			return -1;
	return 0;
}

int
format_json(FILE *out, json_t *json, size_t flags)
{
	bool bad = json == NULL;

	errno = 0;
	bad = bad || json_dump_callback(json, write_part, out, flags | FLAGS) != 0;
	bad = bad || putc('\n', out) == EOF;
	json_decref(json);
	if (!bad)
		return format_end(out);
	return errno != 0 ? -errno : -EIO;
}
