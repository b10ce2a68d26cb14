/* What comes after the answer in a log, or with --verbose: everything that is worth knowing, the
 * table of checks, and what support asks for. */
#include "report/text.h"
#include "facts/doc.h"

#include <stdlib.h>
#include <string.h>

/* One missing step leaves many checks without their facts, all with the same sentence: once is
 * enough. */
static bool
said_before(const struct finding *findings, size_t at)
{
	const struct finding *finding = &findings[at];

	for (size_t i = 0; i < at; i++)
		if (findings[i].status == finding->status &&
		    doc_same(report_title(&findings[i]), report_title(finding)) &&
		    doc_same(report_summary(&findings[i]), report_summary(finding)))
			return true;
	return false;
}

static bool
ends_with(const char *text, const char *end)
{
	size_t lt = text != NULL ? strlen(text) : 0, le = end != NULL ? strlen(end) : 0;

	return le > 0 && lt > le && strcmp(text + lt - le, end) == 0;
}

/* true when the sentence ends with a reason that the finding gives. */
static bool
gives_reason(const struct finding *finding, const char *sentence)
{
	const char *key;
	json_t *value;

	if (ends_with(sentence, report_summary(finding)))
		return true;
	json_object_foreach (finding->evidence, key, value)
		if (json_string_length(value) > 8 && ends_with(sentence, json_string_value(value)))
			return true;
	return false;
}

/* true for a check whose facts are missing for the very reason that an earlier finding has given.
 */
static bool
only_follows(const struct finding *findings, size_t at)
{
	for (size_t i = 0; i < at && findings[at].id == CODE_NOT_KNOWN; i++)
		if (gives_reason(&findings[i], report_summary(&findings[at])))
			return true;
	return false;
}

/* Findings of one status that nothing explains, also those beside others. */
static void
write_loose(struct page *page, const struct report *report, const struct finding *findings,
	    size_t count, enum status status, const char **heading)
{
	for (size_t i = 0; i < count; i++) {
		const struct finding *finding = &findings[i];

		if (finding->status == status && finding->explained_by == NULL &&
		    finding != report->cause && !said_before(findings, i) &&
		    !only_follows(findings, i)) {
			fputs(*heading, page->out);
			*heading = "";
			page_wrap(page, "  ", 2, INK_YELLOW, report_title(finding));
			if (!doc_same(report_title(finding), report_summary(finding)))
				page_wrap(page, "    ", 4, INK_NONE, report_summary(finding));
			if (finding->remedies.count > 0)
				write_command(page, &finding->remedies.at[0], 4);
		}
		write_loose(page, report, finding->also, finding->also_count, status, heading);
	}
}

static void
write_evidence(struct page *page, const struct finding *finding, size_t indent)
{
	const char *key;
	json_t *value;

	json_object_foreach (finding->evidence, key, value) {
		char *dump = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT),
		     *name = page_clean(page, key, false),
		     *first = doc_fmt("%*s%s: ", (int)indent, "", name);

		page_wrap(page, first, indent + 2, INK_DIM,
			  json_is_string(value) ? json_string_value(value) : dump);
		free(dump);
		free(name);
		free(first);
	}
}

/* What the row of a finding says. The caller frees. */
static char *
row_text(const struct finding *finding, bool follows)
{
	const struct finding *by = finding->explained_by;

	if (follows)
		return strdup("not checked, because of the above");
	if (by == NULL)
		return strdup(report_summary(finding));
	return doc_fmt("because of %s: %s", by->code, report_summary(finding));
}

static void
write_check(struct page *page, const struct finding *finding, size_t indent, bool follows)
{
	const struct mark *mark = &marks[finding->status];
	bool sign = page->style->utf8;
	size_t column = indent + (sign ? 2 : 8);
	char *name = page_clean(page, indent > 2 ? finding->code : finding->rule, false),
	     *first = doc_fmt("%-17s ", name != NULL ? name : ""),
	     *text = row_text(finding, follows);

	fprintf(page->out, "%*s", (int)indent, "");
	page->at = indent;
	page_label(page, mark->ink, sign ? mark->sign : mark->word);
	fprintf(page->out, "%*s", (int)(column - page->at), "");
	page->at = column;
	page_wrap(page, first, column + 18, INK_NONE, text);
	if (page->style->verbose)
		write_evidence(page, finding, column);
	for (size_t i = 0; i < finding->also_count; i++)
		write_check(page, &finding->also[i], 4, false);
	free(name);
	free(first);
	free(text);
}

void
write_details(struct page *page, const struct report *report)
{
	const char *warned = "\nWorth knowing:\n", *unknown = "\nCould not be determined:\n";

	if (report->cause != NULL)
		write_loose(page, report, report->findings, report->count, WARN, &warned);
	write_loose(page, report, report->findings, report->count, UNKNOWN, &unknown);
	fputs("\nChecks:\n", page->out);
	for (size_t i = 0; i < report->count; i++)
		write_check(page, &report->findings[i], 2, only_follows(report->findings, i));
}

void
write_footer(struct page *page, const struct report *report)
{
	fprintf(page->out, "\n%s %s, rules %.8s, %s, %.1f s%s\n", PACKAGE_NAME, report->version,
		report_digest(report), report->started, (double)report->about->duration_ms / 1000,
		page->style->verbose ? "" : ", Azure request ids: -v");
	if (page->style->verbose && report->rule_files != NULL) {
		const json_t *file;
		size_t i;

		json_array_foreach (report->rule_files, i, file)
			fprintf(page->out, "%s%s", i == 0 ? "Rule files: " : ", ",
				json_string_value(file));
		fputc('\n', page->out);
	}
}
