#include "report/format.h"
#include "report/wrap.h"
#include "facts/doc.h"

#include <stdlib.h>
#include <string.h>

struct mark {
	const char *word, *symbol;
	enum ink ink;
};

static const struct mark marks[] = {
	[PASS] = { "ok", "\xe2\x9c\x93", INK_GREEN }, [WARN] = { "warn", "!", INK_YELLOW },
	[FAIL] = { "FAIL", "\xe2\x9c\x97", INK_RED }, [SKIP] = { "skip", "\xe2\x80\x93", INK_DIM },
	[UNKNOWN] = { "unknown", "?", INK_YELLOW },
};

/* "myVM - azureuser@20.51.230.13 port 22" */
static void
write_target(struct page *page, const struct report_target *target)
{
	const char *vm = target->vm, *host = target->host, *user = target->user;
	char *text = doc_fmt("%s%s%s%s%s", vm != NULL ? vm : "",
			     vm != NULL && host != NULL ? " - " : "",
			     user != NULL && host != NULL ? user : "",
			     user != NULL && host != NULL ? "@" : "", host != NULL ? host : ""),
	     *clean = page_clean(page, text, false);

	page_ink(page, INK_BOLD);
	fputs(clean != NULL && *clean != '\0' ? clean : "this machine", page->out);
	page_ink(page, INK_NONE);
	if (host != NULL)
		fprintf(page->out, " port %d", target->port >= 0 ? target->port : 22);
	putc('\n', page->out);
	free(text);
	free(clean);
}

/* "Cost: none" with what follows; commands stay on a line of their own. */
static void
write_note(struct page *page, const char *label, const char *text, bool command)
{
	if (text == NULL)
		return;
	if (!command || strlen(label) + strlen(text) + 4 <= page->width) {
		page_wrap(page, label, strlen(label), INK_NONE, text);
		return;
	}
	fprintf(page->out, "%.*s\n", (int)strlen(label) - 1, label);
	page_verbatim(page, 6, INK_NONE, text);
}

static void
write_remedy(struct page *page, const struct remedy *remedy, bool brief)
{
	bool portal = strcmp(remedy->dialect, "portal") == 0;

	if (remedy->title != NULL)
		page_wrap(page, "  ", 2, INK_NONE, remedy->title);
	if (portal)
		page_paragraphs(page, "    In the portal: ", 4, remedy->command);
	else
		page_verbatim(page, 4, INK_BOLD, remedy->command);
	if (!remedy->runnable && !portal)
		page_wrap(page, "    ", 4, INK_DIM,
			  "(put your own values where <LIKE-THIS> stands)");
	if (brief)
		return;
	write_note(page, "    Cost: ", remedy->cost, false);
	write_note(page, "    Undo: ", remedy->undo, !portal);
	write_note(page, "    Verify: ", remedy->verify, !portal);
}

static void
write_remedies(struct page *page, const struct finding *finding, const char *heading, bool brief)
{
	if (finding == NULL || finding->remedies.count == 0)
		return;
	if (heading != NULL)
		fprintf(page->out, "\n%s\n", heading);
	for (size_t i = 0; i < finding->remedies.count && (!brief || i == 0); i++) {
		fputs(i > 0 ? "\n" : "", page->out);
		write_remedy(page, &finding->remedies.at[i], brief);
	}
}

static void
write_possible(struct page *page, const struct report *report)
{
	if (report->possible_count > 0)
		fputs("\nIt may be one of these; what would tell:\n", page->out);
	for (size_t i = 0; i < report->possible_count; i++) {
		page_wrap(page, "  - ", 4, INK_NONE, report->possible[i].code);
		if (report->possible[i].decide != NULL)
			page_verbatim(page, 6, INK_NONE, report->possible[i].decide);
	}
}

static void
write_verdict(struct page *page, enum status verdict, const char *text)
{
	const struct mark *mark = &marks[verdict];
	bool utf8 = page->style->utf8;
	char *first = utf8 ? doc_fmt("%s ", mark->symbol) : doc_fmt("%s: ", mark->word);

	page_wrap(page, first, utf8 ? 2 : strlen(mark->word) + 2, mark->ink, text);
	free(first);
}

/* The verdict, why, and how to mend it. */
static void
write_cause(struct page *page, const struct report *report)
{
	static const char *const doubt[] = {
		[CERTAIN] = "", [LIKELY] = " (likely)", [POSSIBLE] = " (possibly)"
	};
	const struct finding *cause = report->cause;
	char *title = doc_fmt("%s%s", report_title(cause), doubt[cause->confidence]);

	write_verdict(page, report->verdict, title);
	page_paragraphs(page, "  ", 2, report_why(cause));
	if (!doc_same(report_summary(cause), report_why(cause)) &&
	    !doc_same(report_summary(cause), report_title(cause)))
		page_wrap(page, "  Seen: ", 8, INK_NONE, report_summary(cause));
	write_remedies(page, cause, "What to do:", false);
	if (cause->docs != NULL)
		page_wrap(page, "  More: ", 8, INK_DIM, cause->docs);
	write_possible(page, report);
	free(title);
}

/* The finding of that code, also beside others. */
static const struct finding *
finding_of(const struct finding *findings, size_t count, const char *code)
{
	for (size_t i = 0; i < count; i++) {
		const struct finding *beside;

		if (doc_same(findings[i].code, code))
			return &findings[i];
		if ((beside = finding_of(findings[i].also, findings[i].also_count, code)) != NULL)
			return beside;
	}
	return NULL;
}

static void
write_good(struct page *page, const struct report *report)
{
	const char *text = "No fault was found.";

	for (size_t i = 0; i < report->count; i++) {
		const struct finding *finding = &report->findings[i];

		if (doc_same(finding->check, "auth") &&
		    (finding->status == PASS || finding->status == WARN))
			text = report_title(finding);
	}
	write_verdict(page, report->verdict, text);
	write_remedies(page, finding_of(report->findings, report->count, "bastion-way-in"),
		       "The way in:", false);
}

static bool
named_before(const struct report *report, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (doc_same(report->next[i]->code, report->next[at]->code))
			return true;
	return false;
}

static void
write_next(struct page *page, const struct report *report)
{
	for (size_t i = 0; i < report->next_count; i++) {
		if (i == 0)
			fputs("\nAfter that, this stands in the way too:\n", page->out);
		if (named_before(report, i))
			continue;
		page_wrap(page, "  ", 2, INK_RED, report_title(report->next[i]));
		write_remedies(page, report->next[i], NULL, true);
	}
}

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

/* true for a check whose facts are missing for the very reason that an earlier finding has given.
 */
static bool
only_follows(const struct finding *findings, size_t at)
{
	const char *summary = report_summary(&findings[at]);

	for (size_t i = 0; i < at && doc_same(findings[at].code, "not-known"); i++)
		if (ends_with(summary, report_summary(&findings[i])) ||
		    ends_with(summary, doc_str(findings[i].evidence, "reason")))
			return true;
	return false;
}

/* The checks that only follow, by their names. */
static void
write_followers(struct page *page, const struct report *report, const char *heading, bool begun)
{
	json_t *names = json_array();
	char *text;

	for (size_t i = 0; i < report->count; i++)
		if (only_follows(report->findings, i) && report->findings[i].explained_by == NULL)
			doc_append_str(names, report->findings[i].rule);
	if ((text = doc_join(names, 32)) != NULL && *text != '\0') {
		fputs(begun ? "" : heading, page->out);
		page_wrap(page, "  For that reason not known either: ", 4, INK_NONE, text);
	}
	free(text);
	json_decref(names);
}

/* Findings of one status that nothing explains, also those beside others. */
static void
write_loose(struct page *page, const struct finding *findings, size_t count, enum status status,
	    const char *but, const char *heading, bool *begun)
{
	for (size_t i = 0; i < count; i++) {
		const struct finding *finding = &findings[i];

		if (finding->status == status && finding->explained_by == NULL &&
		    !doc_same(finding->code, but) && !said_before(findings, i) &&
		    !only_follows(findings, i)) {
			fputs(*begun ? "" : heading, page->out);
			*begun = true;
			page_wrap(page, "  ", 2, INK_YELLOW, report_title(finding));
			if (!doc_same(report_title(finding), report_summary(finding)))
				page_wrap(page, "    ", 4, INK_NONE, report_summary(finding));
			write_remedies(page, finding, NULL, true);
		}
		write_loose(page, finding->also, finding->also_count, status, but, heading, begun);
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

static void
write_check(struct page *page, const struct finding *finding, size_t indent)
{
	const struct mark *mark = &marks[finding->status];
	const struct finding *by = finding->explained_by;
	const char *word = page->style->utf8 ? mark->symbol : mark->word;
	size_t column = page->style->utf8 ? 2 : 8, used = indent + column + 18;
	char *check = page_clean(page, indent > 2 ? finding->code : finding->rule, false), *text;

	fprintf(page->out, "%*s", (int)indent, "");
	page_ink(page, mark->ink);
	fputs(word, page->out);
	page_ink(page, INK_NONE);
	fprintf(page->out, "%*s%-17s ", page->style->utf8 ? 1 : (int)(column - strlen(word)), "",
		check != NULL ? check : "");
	text = doc_fmt("%s%s%s%s", by != NULL ? "follows from " : "", by != NULL ? by->code : "",
		       by != NULL ? ": " : "", report_summary(finding));
	page_cut(page, check != NULL && strlen(check) > 17 ? used + strlen(check) - 17 : used,
		 text);
	if (page->style->verbose)
		write_evidence(page, finding, indent + column);
	for (size_t i = 0; i < finding->also_count; i++)
		write_check(page, &finding->also[i], 4);
	free(check);
	free(text);
}

static void
write_report(struct page *page, const struct report *report)
{
	bool warned = false, unknown = false;

	write_target(page, &report->target);
	if (report->cause != NULL)
		write_cause(page, report);
	else
		write_good(page, report);
	if (page->style->quiet)
		return;
	write_next(page, report);
	write_loose(page, report->findings, report->count, WARN, "", "\nWorth knowing:\n", &warned);
	write_loose(page, report->findings, report->count, UNKNOWN,
		    report->cause != NULL ? report->cause->code : NULL,
		    "\nCould not be determined:\n", &unknown);
	write_followers(page, report, "\nCould not be determined:\n", unknown);
	page_path(page, report);
	fputs("\nChecks:\n", page->out);
	for (size_t i = 0; i < report->count; i++)
		write_check(page, &report->findings[i], 2);
}

int
report_text(FILE *out, const struct report *const *reports, size_t count,
	    const struct report_style *style)
{
	struct page page;

	page_start(&page, out, style);
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			putc('\n', out);
		write_report(&page, reports[i]);
	}
	return page_end(&page);
}
