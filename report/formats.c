#include "report/format.h"

#include <stdio.h>
#include <string.h>

const struct format formats[] = {
#define FORMAT(name, write, ...) { name, write, __VA_ARGS__ },
#include "report/formats.def"
#undef FORMAT
	{ 0 },
};

const struct format *
format_named(const char *name, size_t len)
{
	for (const struct format *format = formats; format->name != NULL; format++)
		if (strlen(format->name) == len && strncmp(format->name, name, len) == 0)
			return format;
	return NULL;
}

int
format_write(const struct format *format, FILE *out, const struct report *const *reports,
	     size_t count, const struct report_style *style)
{
	int r = 0;

	if (format->many)
		return format->write(out, reports, count, style);
	for (size_t i = 0; i < count && r == 0; i++)
		r = format->write(out, &reports[i], 1, style);
	return r;
}

void
format_names(char *ret, size_t size, char separator)
{
	size_t used = 0;

	*ret = '\0';
	for (const struct format *format = formats; format->name != NULL && used < size; format++)
		used += (size_t)snprintf(ret + used, size - used, "%s%.*s", format->name,
					 format[1].name != NULL, &separator);
}
