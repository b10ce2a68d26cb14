/* Markdown for the summary of a job: the answer, the command in a block to copy, the checks in a
 * table. Text is escaped, so that nothing in it is markup. */
#include "report/format.h"
#include "report/markup.h"
#include "facts/visible.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const char *const marks[] = { [PASS] = "\xe2\x9c\x93 ok",
				     [WARN] = "! warning",
				     [FAIL] = "\xe2\x9c\x97 failed",
				     [SKIP] = "\xe2\x80\x93 skipped",
				     [UNKNOWN] = "? unknown" };

/* One line of text, in which nothing is markup, a link or a mention. */
static void
write_text(FILE *out, const char *text)
{
	char *clean = visible_text(text, false);

	for (const char *p = clean; p != NULL && *p != '\0'; p++) {
		bool first = p == clean;

		if (strchr("&<>@", *p) != NULL || strncmp(p, "://", 3) == 0 ||
		    (first && (isdigit((unsigned char)*p) || *p == ':')))
			fprintf(out, "&#%d;", *p);
		else if (strchr("\\`*_[]|~$", *p) != NULL || (first && strchr("#+-=", *p) != NULL))
			fprintf(out, "\\%c", *p);
		else
			putc(*p, out);
	}
	free(clean);
}

/* The fence is longer than any run of backticks in the command. */
static void
write_command(FILE *out, const char *command)
{
	char *clean = visible_text(command, true);
	int fence = 3;

	for (const char *p = clean; *p != '\0';) {
		int run = (int)strspn(p, "`");

		fence = run >= fence ? run + 1 : fence;
		p += run + (run == 0);
	}
	for (int i = 0; i < fence; i++)
		putc('`', out);
	fprintf(out, "sh\n%s\n", clean);
	for (int i = 0; i < fence; i++)
		putc('`', out);
	putc('\n', out);
	free(clean);
}

static void
write_paragraph(FILE *out, const char *label, const char *text)
{
	fprintf(out, "\n%s", label);
	write_text(out, text);
	putc('\n', out);
}

static void
write_remedy(FILE *out, const struct report *report, const struct remedy *remedy)
{
	const char *verify = report_verify(report, remedy);

	write_paragraph(out, "**What to type.** ", remedy->title != NULL ? remedy->title : "");
	putc('\n', out);
	if (strcmp(remedy->dialect, "portal") == 0)
		write_paragraph(out, "", remedy->command);
	else
		write_command(out, remedy->command);
	if (verify != NULL) {
		fputs("\nThen:\n\n", out);
		write_command(out, verify);
	}
	if (remedy->undo != NULL) {
		fputs("\nUndo:\n\n", out);
		write_command(out, remedy->undo);
	}
}

static void
write_cause(FILE *out, const struct report *report)
{
	const struct finding *cause = report->cause;

	write_paragraph(out, "", report_why(cause));
	if (strcmp(report_summary(cause), report_why(cause)) != 0)
		write_paragraph(out, "**Seen.** ", report_summary(cause));
	if (report_remedy(cause) != NULL)
		write_remedy(out, report, report_remedy(cause));
	for (size_t i = 0; i < report->possible_count; i++) {
		fputs(i == 0 ? "\n**Also possible**\n\n- " : "- ", out);
		write_text(out, report->possible[i].title != NULL ? report->possible[i].title
								  : report->possible[i].code);
		putc('\n', out);
	}
	for (size_t i = 0; report->verdict == FAIL && i < report->next_count; i++)
		write_paragraph(out, "**After that.** ", report_title(report->next[i]));
}

static void
write_checks(FILE *out, const struct report *report)
{
	fputs("\n| Check | Result | What was found |\n|---|---|---|\n", out);
	for (size_t i = 0; i < report->count; i++) {
		const struct finding *finding = report_worst(&report->findings[i]);

		fputs("| ", out);
		write_text(out, finding->rule);
		fprintf(out, " | %s | ", marks[finding->status]);
		write_text(out, report_summary(finding));
		fputs(" |\n", out);
	}
}

static void
write_report(FILE *out, const struct report *report)
{
	fprintf(out, "## %s: ", marks[report->verdict]);
	write_text(out, report_name(report));
	fputs(": ", out);
	write_text(out, report->title);
	fprintf(out, "%s\n", report->cause != NULL ? report_doubt(report->cause) : "");
	if (report->cause != NULL)
		write_cause(out, report);
	/* a block of HTML, which ends with the empty line; folded, since some sites leave but its
	 * words */
	fputs("\n<details><summary>The path</summary>\n", out);
	svg_path(out, report);
	fputs("</details>\n", out);
	write_checks(out, report);
	fprintf(out, "\n%s %s, rules %.8s, %s, %.1f s\n", PACKAGE_NAME, report->version,
		report_digest(report), report->started, (double)report->about->duration_ms / 1000);
}

int
report_markdown(FILE *out, const struct report *const *reports, size_t count,
		const struct report_style *style)
{
	(void)style;
	for (size_t i = 0; i < count; i++) {
		fputs(i > 0 ? "\n" : "", out);
		write_report(out, reports[i]);
	}
	return format_end(out);
}
