#include "report/wrap.h"
#include "facts/doc.h"

#include <stdlib.h>
#include <string.h>

struct mark {
	const char *status, *word, *symbol;
	enum ink ink;
};

static const struct mark marks[] = {
	{ "pass", "ok", "\xe2\x9c\x93", INK_GREEN }, { "warn", "warn", "!", INK_YELLOW },
	{ "fail", "FAIL", "\xe2\x9c\x97", INK_RED }, { "skip", "skip", "\xe2\x80\x93", INK_DIM },
	{ "unknown", "unknown", "?", INK_YELLOW },
};

static const struct mark *
mark_of(const json_t *obj, const char *key)
{
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (doc_is(obj, key, marks[i].status))
			return &marks[i];
	return &marks[4];
}

/* The finding of that code, also beside others. */
static const json_t *
finding_of(const json_t *findings, const char *code)
{
	for (size_t i = 0; i < json_array_size(findings); i++) {
		const json_t *finding = json_array_get(findings, i), *beside;

		if (doc_is(finding, "code", code))
			return finding;
		if ((beside = finding_of(doc_list(finding, "also"), code)) != NULL)
			return beside;
	}
	return NULL;
}

/* "myVM (azureuser@20.51.230.13, port 22)" */
static void
write_target(struct page *page, const json_t *report)
{
	const char *vm = doc_str(report, "target.vm"), *host = doc_str(report, "target.host"),
		   *user = doc_str(report, "target.user");
	char *text = doc_fmt("%s%s%s%s%s", vm != NULL ? vm : "",
			     vm != NULL && host != NULL ? " - " : "",
			     user != NULL && host != NULL ? user : "",
			     user != NULL && host != NULL ? "@" : "", host != NULL ? host : ""),
	     *clean = page_clean(page, text, false);

	page_ink(page, INK_BOLD);
	fputs(clean != NULL && *clean != '\0' ? clean : "this machine", page->out);
	page_ink(page, INK_NONE);
	if (host != NULL)
		fprintf(page->out, " port %" JSON_INTEGER_FORMAT,
			doc_int(report, "target.port", 22));
	putc('\n', page->out);
	free(text);
	free(clean);
}

/* "Cost: none" with what follows; commands stay on a line of their own. */
static void
write_note(struct page *page, const char *label, const json_t *remedy, const char *key,
	   bool command)
{
	const char *text = doc_str(remedy, key);

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
write_remedy(struct page *page, const json_t *remedy, bool brief)
{
	bool portal = doc_is(remedy, "dialect", "portal"),
	     run = doc_bool(remedy, "runnable", false);

	if (doc_str(remedy, "title") != NULL)
		page_wrap(page, "  ", 2, INK_NONE, doc_str(remedy, "title"));
	if (portal)
		page_paragraphs(page, "    In the portal: ", 4, doc_str(remedy, "command"));
	else
		page_verbatim(page, 4, INK_BOLD, doc_str(remedy, "command"));
	if (!run && !portal)
		page_wrap(page, "    ", 4, INK_DIM,
			  "(put your own values where <LIKE-THIS> stands)");
	if (brief)
		return;
	write_note(page, "    Cost: ", remedy, "cost", false);
	write_note(page, "    Undo: ", remedy, "undo", !portal);
	write_note(page, "    Verify: ", remedy, "verify", !portal);
}

static void
write_remedies(struct page *page, const json_t *list, const char *heading, bool brief)
{
	if (json_array_size(list) == 0)
		return;
	if (heading != NULL)
		fprintf(page->out, "\n%s\n", heading);
	for (size_t i = 0; i < json_array_size(list) && (!brief || i == 0); i++) {
		fputs(i > 0 ? "\n" : "", page->out);
		write_remedy(page, json_array_get(list, i), brief);
	}
}

static void
write_possible(struct page *page, const json_t *list)
{
	if (json_array_size(list) > 0)
		fputs("\nIt may be one of these; what would tell:\n", page->out);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *one = json_array_get(list, i);

		page_wrap(page, "  - ", 4, INK_NONE, doc_str(one, "code"));
		if (doc_str(one, "decide") != NULL)
			page_verbatim(page, 6, INK_NONE, doc_str(one, "decide"));
	}
}

/* The verdict, why, and how to mend it. */
static void
write_cause(struct page *page, const json_t *report)
{
	const json_t *diagnosis = doc_get(report, "diagnosis"),
		     *finding =
			 finding_of(doc_list(report, "findings"), doc_str(diagnosis, "code"));
	const struct mark *mark = mark_of(report, "verdict");
	const char *docs = doc_str(finding, "docs"), *confidence = doc_str(diagnosis, "confidence");
	char *first =
		 page->style->utf8 ? doc_fmt("%s ", mark->symbol) : doc_fmt("%s: ", mark->word),
	     *title;

	title = doc_fmt("%s%s", doc_str(diagnosis, "title"),
			doc_same(confidence, "likely")     ? " (likely)"
			: doc_same(confidence, "possible") ? " (possibly)"
							   : "");
	page_wrap(page, first, page->style->utf8 ? 2 : strlen(mark->word) + 2, mark->ink, title);
	page_paragraphs(page, "  ", 2, doc_str(diagnosis, "why"));
	if (finding != NULL && !doc_same(doc_str(finding, "summary"), doc_str(diagnosis, "why")) &&
	    !doc_same(doc_str(finding, "summary"), doc_str(diagnosis, "title")))
		page_wrap(page, "  Seen: ", 8, INK_NONE, doc_str(finding, "summary"));
	write_remedies(page, doc_list(diagnosis, "remedies"), "What to do:", false);
	if (docs != NULL)
		page_wrap(page, "  More: ", 8, INK_DIM, docs);
	write_possible(page, doc_list(diagnosis, "possible"));
	free(first);
	free(title);
}

static void
write_good(struct page *page, const json_t *report)
{
	const struct mark *mark = mark_of(report, "verdict");
	const json_t *findings = doc_list(report, "findings");
	const char *text = "No fault was found.";
	char *first =
	    page->style->utf8 ? doc_fmt("%s ", mark->symbol) : doc_fmt("%s: ", mark->word);

	for (size_t i = 0; i < json_array_size(findings); i++) {
		const json_t *finding = json_array_get(findings, i);

		if (doc_is(finding, "check", "auth") &&
		    (doc_is(finding, "status", "pass") || doc_is(finding, "status", "warn")))
			text = doc_str(finding, "title");
	}
	page_wrap(page, first, page->style->utf8 ? 2 : strlen(mark->word) + 2, mark->ink, text);
	free(first);
	write_remedies(page, doc_list(finding_of(findings, "bastion-way-in"), "remedies"),
		       "The way in:", false);
}

static void
write_next(struct page *page, const json_t *report)
{
	const json_t *next = doc_list(doc_get(report, "diagnosis"), "next"),
		     *findings = doc_list(report, "findings");

	for (size_t i = 0; i < json_array_size(next); i++) {
		const json_t *finding =
		    finding_of(findings, json_string_value(json_array_get(next, i)));

		if (i == 0)
			fputs("\nAfter that, this stands in the way too:\n", page->out);
		page_wrap(page, "  ", 2, INK_RED, doc_str(finding, "title"));
		write_remedies(page, doc_list(finding, "remedies"), NULL, true);
	}
}

/* One missing step leaves many checks without their facts, all with the same sentence: once is
 * enough. */
static bool
said_before(const json_t *findings, size_t at)
{
	const json_t *finding = json_array_get(findings, at);

	for (size_t i = 0; i < at; i++) {
		const json_t *other = json_array_get(findings, i);

		if (doc_same(doc_str(other, "title"), doc_str(finding, "title")) &&
		    doc_same(doc_str(other, "summary"), doc_str(finding, "summary")) &&
		    doc_same(doc_str(other, "status"), doc_str(finding, "status")))
			return true;
	}
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
only_follows(const json_t *findings, size_t at)
{
	const json_t *finding = json_array_get(findings, at);

	for (size_t i = 0; i < at && doc_is(finding, "code", "not-known"); i++) {
		const json_t *before = json_array_get(findings, i);

		if (ends_with(doc_str(finding, "summary"), doc_str(before, "summary")) ||
		    ends_with(doc_str(finding, "summary"), doc_str(before, "evidence.reason")))
			return true;
	}
	return false;
}

/* The checks that only follow, by their names. */
static void
write_followers(struct page *page, const json_t *findings, const char *heading, bool begun)
{
	json_t *names = json_array();
	char *text;

	for (size_t i = 0; i < json_array_size(findings); i++)
		if (only_follows(findings, i) &&
		    doc_str(json_array_get(findings, i), "explained_by") == NULL)
			json_array_append(names,
					  json_object_get(json_array_get(findings, i), "rule"));
	if ((text = doc_join(names, 32)) != NULL && *text != '\0') {
		fputs(begun ? "" : heading, page->out);
		page_wrap(page, "  For that reason not known either: ", 4, INK_NONE, text);
	}
	free(text);
	json_decref(names);
}

/* Findings of one status that nothing explains, also those beside others. */
static void
write_loose(struct page *page, const json_t *findings, const char *status, const char *but,
	    const char *heading, bool *begun)
{
	for (size_t i = 0; i < json_array_size(findings); i++) {
		const json_t *finding = json_array_get(findings, i);

		if (doc_is(finding, "status", status) && doc_str(finding, "explained_by") == NULL &&
		    !doc_is(finding, "code", but) && !said_before(findings, i) &&
		    !only_follows(findings, i)) {
			fputs(*begun ? "" : heading, page->out);
			*begun = true;
			page_wrap(page, "  ", 2, INK_YELLOW, doc_str(finding, "title"));
			if (!doc_same(doc_str(finding, "title"), doc_str(finding, "summary")))
				page_wrap(page, "    ", 4, INK_NONE, doc_str(finding, "summary"));
			write_remedies(page, doc_list(finding, "remedies"), NULL, true);
		}
		write_loose(page, doc_list(finding, "also"), status, but, heading, begun);
	}
}

static void
write_check(struct page *page, const json_t *finding, size_t indent)
{
	const struct mark *mark = mark_of(finding, "status");
	const char *word = page->style->utf8 ? mark->symbol : mark->word,
		   *by = doc_str(finding, "explained_by"), *key;
	size_t column = page->style->utf8 ? 2 : 8, used = indent + column + 18;
	char *check = page_clean(page, doc_str(finding, indent > 2 ? "code" : "rule"), false),
	     *text;
	json_t *value;

	fprintf(page->out, "%*s", (int)indent, "");
	page_ink(page, mark->ink);
	fputs(word, page->out);
	page_ink(page, INK_NONE);
	fprintf(page->out, "%*s%-17s ", page->style->utf8 ? 1 : (int)(column - strlen(word)), "",
		check != NULL ? check : "");
	text = doc_fmt("%s%s%s%s", by != NULL ? "follows from " : "", by != NULL ? by : "",
		       by != NULL ? ": " : "", doc_str(finding, "summary"));
	page_cut(page, check != NULL && strlen(check) > 17 ? used + strlen(check) - 17 : used,
		 text);
	json_object_foreach (page->style->verbose ? json_object_get(finding, "evidence") : NULL,
			     key, value) {
		char *dump = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT),
		     *name = page_clean(page, key, false);
		char *first = doc_fmt("%*s%s: ", (int)(indent + column), "", name);

		page_wrap(page, first, indent + column + 2, INK_DIM,
			  json_is_string(value) ? json_string_value(value) : dump);
		free(dump);
		free(name);
		free(first);
	}
	for (size_t i = 0; i < json_array_size(doc_list(finding, "also")); i++)
		write_check(page, json_array_get(doc_list(finding, "also"), i), 4);
	free(check);
	free(text);
}

static void
write_report(struct page *page, const json_t *report)
{
	const json_t *findings = doc_list(report, "findings"),
		     *diagnosis = doc_get(report, "diagnosis");
	bool warned = false, unknown = false;

	write_target(page, report);
	if (diagnosis != NULL)
		write_cause(page, report);
	else
		write_good(page, report);
	if (page->style->quiet)
		return;
	write_next(page, report);
	write_loose(page, findings, "warn", "", "\nWorth knowing:\n", &warned);
	write_loose(page, findings, "unknown", doc_str(diagnosis, "code"),
		    "\nCould not be determined:\n", &unknown);
	write_followers(page, findings, "\nCould not be determined:\n", unknown);
	page_path(page, doc_list(report, "path"));
	fputs("\nChecks:\n", page->out);
	for (size_t i = 0; i < json_array_size(findings); i++)
		write_check(page, json_array_get(findings, i), 2);
}

int
report_text(FILE *out, json_t *const *reports, size_t count, const struct report_style *style)
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
