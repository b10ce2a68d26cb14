#include "report/report.h"

#include <errno.h>

/* ASCII only, so that nothing in it can act on a terminal. */
#define FLAGS JSON_ENSURE_ASCII

/* jansson leaves DEL as it is; it only ever stands in strings. */
static int
write_part(const char *bytes, size_t len, void *ctx)
{
	FILE *out = ctx;

	for (size_t i = 0; i < len; i++)
		if ((bytes[i] == 0x7f ? fputs("\\u007f", out) : putc(bytes[i], out)) == EOF)
			return -1;
	return 0;
}

static int
dump(FILE *out, const json_t *json, size_t flags)
{
	int bad;

	errno = 0;
	bad = json_dump_callback(json, write_part, out, flags) != 0 || putc('\n', out) == EOF;
	bad = fflush(out) != 0 || bad || ferror(out);
	return !bad ? 0 : errno != 0 ? -errno : -EIO;
}

int
report_json(FILE *out, json_t *const *reports, size_t count)
{
	json_t *list;
	int r;

	if (count == 1)
		return dump(out, reports[0], JSON_INDENT(2) | FLAGS);
	if ((list = json_array()) == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		json_array_append(list, reports[i]);
	r = dump(out, list, JSON_INDENT(2) | FLAGS);
	json_decref(list);
	return r;
}

int
report_ndjson(FILE *out, const json_t *report)
{
	return dump(out, report, JSON_COMPACT | FLAGS);
}
