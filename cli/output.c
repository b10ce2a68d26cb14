#include "cli/output.h"
#include "azure/azure.h"
#include "cli/replace.h"
#include "facts/near.h"
#include "facts/visible.h"

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static bool
is_set(const char *variable)
{
	const char *value = getenv(variable);

	return value != NULL && *value != '\0';
}

/* --color, then NO_COLOR, then FORCE_COLOR (0 is no force); else colour belongs to a terminal. */
static bool
wants_color(const struct options *options, bool terminal)
{
	const char *term = getenv("TERM");

	if (options->color != NULL && strcmp(options->color, "auto") != 0)
		return strcmp(options->color, "always") == 0;
	if (is_set("NO_COLOR"))
		return false;
	if (is_set("FORCE_COLOR") && strcmp(getenv("FORCE_COLOR"), "0") != 0)
		return true;
	return terminal && (term == NULL || strcmp(term, "dumb") != 0);
}

/* How text looks on stdout; in a file it is always plain. */
static struct report_style
style_of(const struct options *options, bool file)
{
	struct report_style style = { .verbose = options->verbose,
				      .terminal = !file && isatty(STDOUT_FILENO) == 1 };
	const char *columns = getenv("COLUMNS");
	struct winsize size;

	style.color = !file && wants_color(options, style.terminal);
	style.utf8 = style.terminal && strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	if (style.terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		style.width = size.ws_col;
	else if (style.terminal && columns != NULL)
		style.width = (int)strtol(columns, NULL, 10);
	return style;
}

/* One format into memory. Returns 0 or -errno; the caller frees *ret. */
static int
render(const struct format *format, const struct judgements *judgements,
       const struct report_style *style, char **ret, size_t *len)
{
	const struct report **list = calloc(judgements->count + 1, sizeof(*list));
	FILE *out = open_memstream(ret, len);
	size_t count = 0;
	int r = list == NULL || out == NULL ? -ENOMEM : 0;

	for (size_t i = 0; r == 0 && i < judgements->count; i++)
		if (judgements->at[i] != NULL)
			list[count++] = &judgements->at[i]->report;
	if (r == 0)
		r = format_write(format, out, list, count, style);
	if (out != NULL && fclose(out) != 0 && r == 0)
		r = -errno;
	free(list);
	return r;
}

/* What goes into the log of a build must hold no commands of its agent that a server has chosen. */
static void
make_safe(const struct format *format, char **bytes, size_t *len)
{
	size_t safe_len = 0;
	char *safe = format->bracket != NULL
			 ? visible_log(*bytes, *len, format->bracket, format->colon, &safe_len)
			 : NULL;

	if (safe == NULL)
		return;
	free(*bytes);
	*bytes = safe;
	*len = safe_len;
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

/* Standard output belongs to something else, or to nobody. */
static bool
is_silent(const struct options *options)
{
	return options->quiet || options->print_fix || options->print_config;
}

static int
write_format(const struct output *output, const struct judgements *judgements,
	     const struct options *options, struct err *err)
{
	struct report_style style = style_of(options, output->file != NULL);
	char *bytes = NULL;
	size_t len = 0;
	int r = render(output->format, judgements, &style, &bytes, &len);

	if (r == 0 && (output->file != NULL || isatty(STDOUT_FILENO) != 1))
		make_safe(output->format, &bytes, &len);
	if (r < 0)
		err_set(err, "the report cannot be written: %s", strerror(-r));
	else if (output->file != NULL)
		r = file_replace(output->file, bytes, len, FILE_PUBLIC, err);
	else if (!is_silent(options) || !output->format->person)
		r = write_stdout(bytes, len, err);
	free(bytes);
	return r;
}

int
output_reports(const struct judgements *judgements, const struct options *options, struct err *err)
{
	struct err first = { 0 };
	int r = 0;

	for (size_t i = 0; i < options->output_count; i++) {
		int one = &options->outputs[i] == judgements->streamed
			      ? 0
			      : write_format(&options->outputs[i], judgements, options, &first);

		if (one < 0 && r == 0) {
			r = one;
			*err = first;
		}
	}
	return r;
}

/* What people ask about, beside codes and checks. */
static const struct {
	const char *word, *code;
} topics[] = {
	{ "lost-access", "credentials-forgotten" },
	{ "lost-key", "credentials-forgotten" },
	{ "lost-password", "credentials-forgotten" },
};

static const char *
topic_code(const char *word)
{
	for (size_t i = 0; i < sizeof(topics) / sizeof(*topics); i++)
		if (strcmp(word, topics[i].word) == 0)
			return topics[i].code;
	return word;
}

/* Codes that have what was typed in them; at most so many. */
static void
add_like(const char *typed, char ret[256])
{
	enum { MOST = 5 };
	size_t used = 0, count = 0;

	ret[0] = '\0';
	for (size_t i = CODE_CUSTOM + 1; i < CODE_COUNT && count < MOST; i++)
		if (strlen(typed) > 2 && strcasestr(code_table[i].word, typed) != NULL &&
		    used + strlen(code_table[i].word) + 3 < 256)
			used += (size_t)snprintf(ret + used, 256 - used, "%s%s",
						 count++ > 0 ? ", " : "", code_table[i].word);
}

/* Names the code, the check or the topic that was probably meant. */
static void
refuse_code(const char *typed, struct err *err)
{
	struct near near = { .typed = typed };
	char like[256];

	for (size_t i = CODE_CUSTOM + 1; i < CODE_COUNT; i++)
		near_try(&near, code_table[i].word, strlen(code_table[i].word));
	for (size_t i = CHECK_NONE + 1; i < CHECK_COUNT; i++)
		near_try(&near, check_table[i].id, strlen(check_table[i].id));
	for (size_t i = 0; i < sizeof(topics) / sizeof(*topics); i++)
		near_try(&near, topics[i].word, strlen(topics[i].word));
	add_like(typed, like);
	if (near.best != NULL)
		err_set(err, "--explain: '%s' is not a code; did you mean %s?", typed, near.best);
	else if (like[0] != '\0')
		err_set(err, "--explain: '%s' is not a code; these are: %s", typed, like);
	else
		err_set(
		    err,
		    "--explain: '%s' is not a code (--list-checks names them; a message goes to "
		    "--from-log)",
		    typed);
}

/* The script that --guest sends, for those who want to read it first. */
static int
print_script(bool windows)
{
	for (const char *const *line = azure_guest_script(windows); *line != NULL; line++)
		if (puts(*line) == EOF)
			return -EIO;
	return 0;
}

int
output_help(const struct options *options, const struct rules *rules, struct err *err)
{
	struct report_style style = style_of(options, false);
	int r;

	if (options->list_checks)
		return report_checks(stdout, rules, &style);
	if (strcmp(options->explain, "guest") == 0 ||
	    strcmp(options->explain, "guest-windows") == 0)
		return print_script(options->explain[strlen("guest")] != '\0');
	if ((r = report_explain(stdout, rules, topic_code(options->explain), &style)) == -ENOENT)
		refuse_code(options->explain, err);
	return r;
}
