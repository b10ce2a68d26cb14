/* Logging commands of Azure Pipelines: an issue for what failed, was not known or is worth knowing.
 * Every line is one command; what stands in it is encoded, so that it can hold no other. */
#include "report/format.h"
#include "facts/visible.h"

#include <stdlib.h>
#include <string.h>

/* One line of text as a command's message; in a property ';' and ']' are encoded as well. */
static void
write_data(FILE *out, const char *text, bool property)
{
	char *clean = visible_text(text, false), *safe;
	size_t len;

	if ((safe = visible_log(clean, strlen(clean), "\\x5b", NULL, &len)) != NULL) {
		free(clean);
		clean = safe;
	}
	for (const char *p = clean; *p != '\0'; p++)
		if (*p == '%')
			fputs("%AZP25", out);
		else if (property && (*p == ';' || *p == ']'))
			fprintf(out, "%%%02X", (unsigned)*p);
		else
			putc(*p, out);
	free(clean);
}

static void
write_finding(FILE *out, const struct report *report, const struct finding *finding)
{
	const struct remedy *remedy = report_remedy(finding);
	bool error = finding->status == FAIL && finding->explained_by == NULL;

	fprintf(out, "##vso[task.logissue type=%s;code=", error ? "error" : "warning");
	write_data(out, finding->code, true);
	fputs(";]", out);
	write_data(out, report_name(report), false);
	fputs(": ", out);
	write_data(out, report_title(finding), false);
	if (finding->explained_by != NULL)
		fprintf(out, " (because of %s)", finding->explained_by->code);
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

	fputs("##[section]", out);
	write_data(out, report_name(report), false);
	fputs(": ", out);
	write_data(out, report->title, false);
	putc('\n', out);
	for (size_t i = 0; i < count; i++)
		if (list[i]->status == FAIL || list[i]->status == WARN || list[i] == report->cause)
			write_finding(out, report, list[i]);
	free(list);
}

int
report_azdo(FILE *out, const struct report *const *reports, size_t count,
	    const struct report_style *style)
{
	(void)style;
	for (size_t i = 0; i < count; i++)
		write_report(out, reports[i]);
	return format_end(out);
}
