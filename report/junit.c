/* JUnit XML: a suite a target, a case a check. It fails where the exit code does: a check that
 * could not be judged is an error only when it bars the verdict. */
#include "report/format.h"
#include "report/markup.h"

#include <stdlib.h>

enum outcome { OUTCOME_PASS, OUTCOME_FAILURE, OUTCOME_ERROR, OUTCOME_SKIPPED, OUTCOMES };

static enum outcome
outcome_of(const struct report *report, const struct finding *finding)
{
	switch (finding->status) {
	case FAIL:
		return OUTCOME_FAILURE;
	case UNKNOWN:
		return finding == report->cause ? OUTCOME_ERROR : OUTCOME_SKIPPED;
	case SKIP:
		return OUTCOME_SKIPPED;
	default:
		return OUTCOME_PASS;
	}
}

/* What the case says below its message. */
static void
write_body(FILE *out, const struct report *report, const struct finding *finding)
{
	const struct finding *by = finding->explained_by;
	const struct remedy *remedy = report_remedy(finding);
	const char *verify = remedy != NULL ? report_verify(report, remedy) : NULL;

	markup_text(out, report_summary(finding));
	putc('\n', out);
	if (by != NULL)
		fprintf(out, "Because of %s.\n", by->code);
	else if (finding->why != NULL) {
		markup_text(out, finding->why);
		putc('\n', out);
	}
	if (remedy == NULL || by != NULL)
		return;
	fputs("Fix: ", out);
	markup_text(out, remedy->command);
	fputs(verify != NULL ? "\nThen: " : "", out);
	markup_text(out, verify);
	putc('\n', out);
}

static void
write_case(FILE *out, const struct report *report, const struct finding *finding)
{
	static const char *const elements[] = { [OUTCOME_FAILURE] = "failure",
						[OUTCOME_ERROR] = "error",
						[OUTCOME_SKIPPED] = "skipped" };
	enum outcome outcome = outcome_of(report, finding);

	fputs("    <testcase", out);
	markup_attribute(out, "classname", report_name(report));
	markup_attribute(out, "name", finding->rule);
	if (outcome == OUTCOME_PASS && finding->status == PASS) {
		fputs(" time=\"0\"/>\n", out);
		return;
	}
	fputs(" time=\"0\">\n", out);
	if (outcome == OUTCOME_PASS) {
		fputs("      <system-out>warning: ", out);
		markup_text(out, report_title(finding));
		fputs("</system-out>\n", out);
	} else {
		fprintf(out, "      <%s", elements[outcome]);
		markup_attribute(out, "type", finding->code);
		markup_attribute(out, "message", report_title(finding));
		putc('>', out);
		write_body(out, report, finding);
		fprintf(out, "</%s>\n", elements[outcome]);
	}
	fputs("    </testcase>\n", out);
}

static void
count_outcomes(const struct report *report, size_t counts[OUTCOMES])
{
	for (size_t i = 0; i < report->count; i++)
		counts[outcome_of(report, report_worst(&report->findings[i]))]++;
}

static void
write_counts(FILE *out, size_t tests, const size_t counts[OUTCOMES], int64_t ms)
{
	fprintf(out, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" time=\"%.3f\"", tests,
		counts[OUTCOME_FAILURE], counts[OUTCOME_ERROR], (double)ms / 1000);
}

static void
write_suite(FILE *out, const struct report *report)
{
	size_t counts[OUTCOMES] = { 0 };

	count_outcomes(report, counts);
	fputs("  <testsuite", out);
	markup_attribute(out, "name", report_name(report));
	write_counts(out, report->count, counts, report->about->duration_ms);
	fprintf(out, " skipped=\"%zu\" timestamp=\"%.19s\"", counts[OUTCOME_SKIPPED],
		report->started);
	markup_attribute(out, "hostname", report->about->host);
	fputs(">\n    <properties>\n", out);
	fprintf(out, "      <property name=\"azssh-doctor\" value=\"%s\"/>\n", report->version);
	fprintf(out, "      <property name=\"rules\" value=\"%s\"/>\n", report->rules);
	fputs("      <property name=\"verdict\"", out);
	markup_attribute(out, "value", report->title);
	fputs("/>\n    </properties>\n", out);
	for (size_t i = 0; i < report->count; i++)
		write_case(out, report, report_worst(&report->findings[i]));
	fputs("  </testsuite>\n", out);
}

int
report_junit(FILE *out, const struct report *const *reports, size_t count,
	     const struct report_style *style)
{
	size_t counts[OUTCOMES] = { 0 }, tests = 0;
	int64_t ms = 0;

	(void)style;
	for (size_t i = 0; i < count; i++) {
		count_outcomes(reports[i], counts);
		tests += reports[i]->count;
		ms = reports[i]->about->duration_ms;
	}
	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"azssh-doctor\"", out);
	write_counts(out, tests, counts, ms);
	fputs(">\n", out);
	for (size_t i = 0; i < count; i++)
		write_suite(out, reports[i]);
	fputs("</testsuites>\n", out);
	return format_end(out);
}
