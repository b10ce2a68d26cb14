#include "cli/output.h"
#include "cli/bundle.h"
#include "report/report.h"

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* How text looks on stdout; in a file it is always plain. */
static struct report_style
style_of(const struct options *options, bool file)
{
	struct report_style style = { .verbose = options->verbose, .quiet = options->quiet };
	bool terminal = !file && isatty(STDOUT_FILENO) == 1;
	const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR"),
		   *columns = getenv("COLUMNS");
	struct winsize size;

	style.color = terminal && (no_color == NULL || *no_color == '\0') &&
		      (term == NULL || strcmp(term, "dumb") != 0);
	if (options->color != NULL && strcmp(options->color, "auto") != 0)
		style.color = strcmp(options->color, "always") == 0;
	style.utf8 = terminal && strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	if (terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		style.width = size.ws_col;
	else if (terminal && columns != NULL)
		style.width = (int)strtol(columns, NULL, 10);
	return style;
}

/* One format into memory. Returns 0 or -errno; the caller frees *ret. */
static int
render(const char *format, const json_t *reports, const struct report_style *style, char **ret,
       size_t *len)
{
	size_t count = json_array_size(reports), n = strcspn(format, "=");
	json_t **list = calloc(count + 1, sizeof(*list));
	FILE *out = open_memstream(ret, len);
	int r = list == NULL || out == NULL ? -ENOMEM : 0;

	for (size_t i = 0; r == 0 && i < count; i++)
		list[i] = json_array_get(reports, i);
	if (r == 0 && strncmp(format, "json", n) == 0)
		r = report_json(out, list, count);
	else if (r == 0 && strncmp(format, "ndjson", n) == 0)
		for (size_t i = 0; i < count && r == 0; i++)
			r = report_ndjson(out, list[i]);
	else if (r == 0)
		r = report_text(out, list, count, style);
	if (out != NULL && fclose(out) != 0 && r == 0)
		r = -errno;
	free(list);
	return r;
}

/* A reader who has gone is no error: the verdict stands in the exit code. */
static int
write_stdout(const char *bytes, size_t len, struct err *err)
{
	int r = 0;

	if (fcntl(STDOUT_FILENO, F_GETFD) < 0)
		return 0;
	if ((len > 0 && fwrite(bytes, 1, len, stdout) != len) || fflush(stdout) != 0)
		r = errno == EPIPE || errno == EBADF ? 0 : -errno;
	if (r < 0)
		err_set(err, "stdout cannot be written: %s", strerror(-r));
	return r;
}

static int
write_format(const char *format, const json_t *reports, const struct options *options,
	     struct err *err)
{
	const char *file = strchr(format, '=');
	struct report_style style = style_of(options, file != NULL);
	char *bytes = NULL;
	size_t len = 0;
	int r = render(format, reports, &style, &bytes, &len);

	if (r < 0)
		err_set(err, "the report cannot be written: %s", strerror(-r));
	else if (file != NULL)
		r = file_replace(file + 1, bytes, len, 0644, err);
	else
		r = options->quiet && strncmp(format, "text", 4) == 0
			? 0
			: write_stdout(bytes, len, err);
	free(bytes);
	return r;
}

int
output_reports(const json_t *reports, const struct options *options, struct err *err)
{
	struct err first = { 0 };
	int r = 0;

	if (options->formats.count == 0)
		return write_format("text", reports, options, err);
	for (size_t i = 0; i < options->formats.count; i++) {
		int one = write_format(options->formats.at[i], reports, options, &first);

		if (one < 0 && r == 0) {
			r = one;
			*err = first;
		}
	}
	return r;
}

int
output_help(const struct options *options, const struct rules *rules, struct err *err)
{
	struct report_style style = style_of(options, false);
	int r;

	if (options->list_checks)
		return report_checks(stdout, rules, &style);
	if ((r = report_explain(stdout, rules, options->explain, &style)) == -ENOENT)
		err_set(err,
			"--explain: '%s' is no code that the rules know (--list-checks names them)",
			options->explain);
	return r;
}
