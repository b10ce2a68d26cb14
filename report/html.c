/* One self-contained page, which is well-formed XML as well: no script, nothing loaded from
 * elsewhere, light and dark, readable without style. All text is escaped. */
#include "report/format.h"
#include "report/markup.h"

#include <stdlib.h>
#include <string.h>

static const char style_sheet[] =
    ":root{color-scheme:light dark;--ok:#1a7f37;--fail:#b3261e;--warn:#8a5a00;--dim:#5f6570;"
    "--line:#d0d4da;--code:#f3f4f6}\n"
    "@media(prefers-color-scheme:dark){:root{--ok:#4cc26e;--fail:#ff8a80;--warn:#e3b341;"
    "--dim:#9aa2ad;--line:#3a3f47;--code:#22262c}}\n"
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem}\n"
    "h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:1.5rem}\n"
    ".pass{color:var(--ok)}.fail{color:var(--fail)}.warn,.unknown{color:var(--warn)}"
    ".skip,footer{color:var(--dim)}\n"
    "pre{background:var(--code);border:1px solid var(--line);border-radius:.4rem;padding:.6rem;"
    "white-space:pre-wrap;overflow-wrap:anywhere}\n"
    "table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid var(--line);"
    "padding:.3rem .5rem;text-align:left;vertical-align:top;overflow-wrap:anywhere}\n";

static const char *const words[] = { [PASS] = "ok",
				     [WARN] = "warning",
				     [FAIL] = "failed",
				     [SKIP] = "skipped",
				     [UNKNOWN] = "unknown" };

static void
write_paragraph(FILE *out, const char *label, const char *text)
{
	if (text == NULL || *text == '\0')
		return;
	fprintf(out, "<p>%s", label);
	markup_text(out, text);
	fputs("</p>\n", out);
}

static void
write_code(FILE *out, const char *label, const char *command)
{
	if (command == NULL)
		return;
	fprintf(out, "%s<pre><code>", label);
	markup_text(out, command);
	fputs("</code></pre>\n", out);
}

static void
write_remedy(FILE *out, const struct report *report, const struct remedy *remedy)
{
	markup_element(out, "h3", remedy->title);
	if (strcmp(remedy->dialect, "portal") == 0)
		write_paragraph(out, "In the portal: ", remedy->command);
	else
		write_code(out, "", remedy->command);
	write_paragraph(out, "Cost: ", remedy->cost);
	write_code(out, "<p>Then:</p>", report_verify(report, remedy));
	write_code(out, "<p>Undo:</p>", remedy->undo);
}

static void
write_remedies(FILE *out, const struct report *report, const struct finding *finding)
{
	const struct remedies *list = &finding->remedies;

	if (list->count == 0)
		return;
	fputs("<h2>What to type</h2>\n", out);
	write_remedy(out, report, &list->at[0]);
	if (list->count == 1)
		return;
	fputs("<details><summary>Other ways</summary>\n", out);
	for (size_t i = 1; i < list->count; i++)
		write_remedy(out, report, &list->at[i]);
	fputs("</details>\n", out);
}

static void
write_possible(FILE *out, const struct report *report)
{
	if (report->possible_count == 0)
		return;
	fputs("<h2>Also possible</h2>\n<ul>\n", out);
	for (size_t i = 0; i < report->possible_count; i++) {
		const struct report_possible *one = &report->possible[i];

		fputs("<li>", out);
		markup_text(out, one->title != NULL ? one->title : one->code);
		write_code(out, "", one->decide);
		fputs("</li>\n", out);
	}
	fputs("</ul>\n", out);
}

static void
write_after(FILE *out, const struct report *report)
{
	for (size_t i = 0; report->verdict == FAIL && i < report->next_count; i++) {
		const struct remedy *remedy = report_remedy(report->next[i]);

		fputs("<h2>After that: ", out);
		markup_text(out, report_title(report->next[i]));
		fputs("</h2>\n", out);
		write_code(out, "", remedy != NULL ? remedy->command : NULL);
	}
}

static void
write_evidence(FILE *out, const struct finding *finding)
{
	const char *key;
	json_t *value;

	if (json_object_size(finding->evidence) == 0)
		return;
	fputs("<details><summary>Evidence</summary><dl>", out);
	json_object_foreach (finding->evidence, key, value) {
		char *dump = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);

		markup_element(out, "dt", key);
		markup_element(out, "dd", json_is_string(value) ? json_string_value(value) : dump);
		free(dump);
	}
	fputs("</dl></details>", out);
}

static void
write_checks(FILE *out, const struct report *report)
{
	size_t count;
	const struct finding **list = report_findings(report, &count);

	fputs("<h2>Checks</h2>\n<table>\n<thead><tr><th>Check</th><th>Result</th>"
	      "<th>What was found</th></tr></thead>\n<tbody>\n",
	      out);
	for (size_t i = 0; i < count; i++) {
		fputs("<tr><td>", out);
		markup_text(out, list[i]->rule);
		fprintf(out, "</td><td class=\"%s\">%s</td><td>", status_word(list[i]->status),
			words[list[i]->status]);
		markup_text(out, report_summary(list[i]));
		write_evidence(out, list[i]);
		fputs("</td></tr>\n", out);
	}
	fputs("</tbody>\n</table>\n", out);
	free(list);
}

static void
write_report(FILE *out, const struct report *report)
{
	const struct finding *cause = report->cause;

	fprintf(out, "<main>\n<h1 class=\"%s\">", status_word(report->verdict));
	markup_text(out, report_name(report));
	fprintf(out, ": %s: ", words[report->verdict]);
	markup_text(out, report->title);
	fprintf(out, "%s</h1>\n", cause != NULL ? report_doubt(cause) : "");
	if (cause != NULL) {
		write_paragraph(out, "", report_why(cause));
		if (strcmp(report_summary(cause), report_why(cause)) != 0)
			write_paragraph(out, "Seen: ", report_summary(cause));
	}
	fputs("<h2>The path</h2>\n", out);
	svg_path(out, report);
	if (cause != NULL) {
		write_remedies(out, report, cause);
		write_possible(out, report);
		write_after(out, report);
	}
	write_checks(out, report);
	fprintf(out, "<footer>%s %s, rules %.8s, %s, %.1f s</footer>\n</main>\n", PACKAGE_NAME,
		report->version, report_digest(report), report->started,
		(double)report->about->duration_ms / 1000);
}

int
report_html(FILE *out, const struct report *const *reports, size_t count,
	    const struct report_style *style)
{
	(void)style;
	fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
	      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
	      "<meta http-equiv=\"Content-Security-Policy\" "
	      "content=\"default-src 'none'; style-src 'unsafe-inline'\"/>\n<title>azssh-doctor: ",
	      out);
	markup_text(out, count > 0 ? reports[0]->title : "no report");
	fprintf(out, "</title>\n<style>\n%s</style>\n</head>\n<body>\n", style_sheet);
	for (size_t i = 0; i < count; i++)
		write_report(out, reports[i]);
	fputs("</body>\n</html>\n", out);
	return format_end(out);
}
