/* TAP, version 13: a test a check. It fails where the exit code does: a check that could not be
 * judged is skipped unless it bars the verdict. */
#include "report/format.h"
#include "facts/visible.h"

#include <stdlib.h>

/* One line of text; what TAP would read as a directive is escaped. */
static void
write_text(FILE *out, const char *text)
{
	char *clean = visible_text(text, false);

	for (const char *p = clean; *p != '\0'; p++) {
		if (*p == '#' || *p == '\\')
			putc('\\', out);
		putc(*p, out);
	}
	free(clean);
}

/* A YAML scalar in single quotes. */
static void
write_field(FILE *out, const char *key, const char *text)
{
	char *clean = text != NULL ? visible_text(text, false) : NULL;

	if (clean == NULL)
		return;
	fprintf(out, "  %s: '", key);
	for (const char *p = clean; *p != '\0'; p++)
		fputs(*p == '\'' ? "''" : (const char[]){ *p, '\0' }, out);
	fputs("'\n", out);
	free(clean);
}

static void
write_test(FILE *out, const struct report *report, const struct finding *finding, size_t number)
{
	bool bad =
	    finding->status == FAIL || (finding->status == UNKNOWN && finding == report->cause);
	const struct remedy *remedy = report_remedy(finding);

	fprintf(out, "%s %zu - ", bad ? "not ok" : "ok", number);
	write_text(out, report_name(report));
	fprintf(out, " %s", finding->rule);
	if (finding->status == SKIP || (finding->status == UNKNOWN && !bad)) {
		fputs(" # SKIP ", out);
		write_text(out, report_summary(finding));
		putc('\n', out);
		return;
	}
	fputs(": ", out);
	write_text(out, finding->status == PASS ? report_summary(finding) : report_title(finding));
	putc('\n', out);
	if (!bad)
		return;
	fputs("  ---\n", out);
	write_field(out, "code", finding->code);
	write_field(out, "message", report_summary(finding));
	write_field(out, "because_of",
		    finding->explained_by != NULL ? finding->explained_by->code : NULL);
	write_field(out, "command", remedy != NULL ? remedy->command : NULL);
	fputs("  ...\n", out);
}

int
report_tap(FILE *out, const struct report *const *reports, size_t count,
	   const struct report_style *style)
{
	size_t number = 0, total = 0;

	(void)style;
	for (size_t i = 0; i < count; i++)
		total += reports[i]->count;
	fprintf(out, "TAP version 13\n1..%zu\n", total);
	for (size_t i = 0; i < count; i++) {
		fputs("# ", out);
		write_text(out, report_name(reports[i]));
		fputs(": ", out);
		write_text(out, reports[i]->title);
		putc('\n', out);
		for (size_t j = 0; j < reports[i]->count; j++)
			write_test(out, reports[i], report_worst(&reports[i]->findings[j]),
				   ++number);
	}
	return format_end(out);
}
