/* One line a finding, the cause first, for grep, a chat or a ticket: "FAIL myVM nsg-no-allow-rule:
 * No rule ...", then the command to type and the versions. */
#include "report/format.h"
#include "facts/visible.h"

#include <stdlib.h>

static const char *const words[] = {
	[PASS] = "ok", [WARN] = "warn", [FAIL] = "FAIL", [SKIP] = "skip", [UNKNOWN] = "unknown"
};

/* "VERDICT NAME rest: text" */
static void
write_line(FILE *out, const char *word, const struct report *report, const char *rest,
	   const char *text)
{
	char *name = visible_text(report_name(report), false), *clean = visible_text(text, false);

	fprintf(out, "%s %s %s: %s\n", word, name, rest, clean);
	free(name);
	free(clean);
}

static void
write_finding(FILE *out, const struct report *report, const struct finding *finding)
{
	const struct finding *by = finding->explained_by;
	char *text;
	size_t size;
	FILE *line = open_memstream(&text, &size);

	fprintf(line, "%s%s", report_title(finding), report_doubt(finding));
	if (by != NULL)
		fprintf(line, " (because of %s)", by->code);
	fclose(line);
	write_line(out, words[finding->status], report, finding->code, text);
	free(text);
}

static void
write_report(FILE *out, const struct report *report)
{
	size_t count;
	const struct finding **list = report_findings(report, &count);
	const struct remedy *remedy = report->cause != NULL ? report_remedy(report->cause) : NULL;

	if (report->cause != NULL)
		write_finding(out, report, report->cause);
	else
		write_line(out, words[report->verdict], report, "verdict", report->title);
	for (size_t i = 0; i < count; i++)
		if (list[i] != report->cause &&
		    (list[i]->status == FAIL || list[i]->status == WARN ||
		     (list[i]->status == UNKNOWN && list[i]->id != CODE_NOT_KNOWN)))
			write_finding(out, report, list[i]);
	if (remedy != NULL)
		write_line(out, "next", report, report->cause->code, remedy->command);
	fprintf(out, "# %s %s, rules %.8s, %s\n", PACKAGE_NAME, report->version,
		report_digest(report), report->started);
	free(list);
}

int
report_short(FILE *out, const struct report *const *reports, size_t count,
	     const struct report_style *style)
{
	(void)style;
	for (size_t i = 0; i < count; i++)
		write_report(out, reports[i]);
	return format_end(out);
}
