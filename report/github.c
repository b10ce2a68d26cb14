/* Workflow commands of GitHub Actions: an annotation for what failed, was not known or is worth
 * knowing, and one for the verdict. Only commands are written, so every line is ours; what stands
 * in them is encoded. */
#include "report/format.h"
#include "facts/visible.h"

#include <stdlib.h>
#include <string.h>

/* Text as a command's data; in a property ':' and ',' are encoded as well. */
static void
write_data(FILE *out, const char *text, bool property)
{
	char *clean = visible_text(text, true);

	for (const char *p = clean; *p != '\0'; p++)
		if (*p == '%' || *p == '\n' || *p == '\r' || (property && (*p == ':' || *p == ',')))
			fprintf(out, "%%%02X", (unsigned)*p);
		else
			putc(*p, out);
	free(clean);
}

static void
write_finding(FILE *out, const struct report *report, const struct finding *finding)
{
	const struct remedy *remedy = report_remedy(finding);
	const char *command = finding->status == FAIL ? "error" : "warning";

	fprintf(out, "::%s title=", finding->explained_by != NULL ? "notice" : command);
	write_data(out, report_name(report), true);
	putc(' ', out);
	write_data(out, finding->code, true);
	fputs("::", out);
	write_data(out, report_title(finding), false);
	fputs("%0A", out);
	write_data(out, report_summary(finding), false);
	if (finding->explained_by != NULL)
		fprintf(out, "%%0ABecause of %s", finding->explained_by->code);
	else if (remedy != NULL) {
		fputs("%0AFix: ", out);
		write_data(out, remedy->command, false);
	}
	putc('\n', out);
}

static void
write_report(FILE *out, const struct report *report)
{
	size_t count;
	const struct finding **list = report_findings(report, &count);

	for (size_t i = 0; i < count; i++)
		if (list[i]->status == FAIL || list[i]->status == WARN || list[i] == report->cause)
			write_finding(out, report, list[i]);
	free(list);
	if (report->cause != NULL)
		return;
	fputs("::notice title=", out);
	write_data(out, report_name(report), true);
	fputs("::", out);
	write_data(out, report->title, false);
	putc('\n', out);
}

int
report_github(FILE *out, const struct report *const *reports, size_t count,
	      const struct report_style *style)
{
	(void)style;
	for (size_t i = 0; i < count; i++)
		write_report(out, reports[i]);
	return format_end(out);
}
