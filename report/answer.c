/* The first screen: what is wrong, why, what to type. */
#include "report/text.h"
#include "facts/doc.h"
#include "facts/visible.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { TITLE_LINES = 3, WHY_LINES = 4, WARNINGS_SHOWN = 3 };

/* "✓ You can connect: ssh azureuser@20.51.230.13" */
static void
write_login(struct page *page, const char *login)
{
	write_sign(page, PASS);
	page_label(page, INK_GREEN, "You can connect: ");
	page_command(page, "", 4, INK_BOLD, "shell", login);
}

/* "myVM, azureuser@20.51.230.13 port 22, resource group rg" */
static void
write_target(struct screen *screen, const struct about *about)
{
	struct page *page = screen_short_block(screen, SECTION_HEAD, RANK_TARGET, 2);
	const char *vm = about->vm, *host = about->host, *user = about->user;
	char *text = NULL;
	size_t size;
	FILE *out = vm != NULL || host != NULL ? open_memstream(&text, &size) : NULL;

	if (out == NULL)
		return;
	fprintf(out, "%s%s", vm != NULL ? vm : "", vm != NULL && host != NULL ? ", " : "");
	if (host != NULL)
		fprintf(out, "%s%s%s port %d", user != NULL ? user : "", user != NULL ? "@" : "",
			host, about->port);
	if (about->resource_group != NULL)
		fprintf(out, ", resource group %s", about->resource_group);
	if (fclose(out) == 0)
		page_wrap(page, "  ", 2, INK_NONE, text);
	free(text);
}

/* ---- why ---- */

/* true for a word that carries a fact rather than prose: it holds a digit or a path. */
static bool
is_fact(const char *word, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (isdigit((unsigned char)word[i]) || word[i] == '/')
			return true;
	return false;
}

static bool
holds(const char *text, const char *word, size_t len)
{
	return memmem(text, strlen(text), word, len) != NULL;
}

/* true when the check's own sentence has a fact that title and why do not give. */
static bool
adds_fact(const struct finding *finding)
{
	static const char ends[] = " ,;:()\"";
	const char *p = report_summary(finding);

	for (size_t len; *p != '\0'; p += len + strspn(p + len, ends)) {
		len = strcspn(p, ends);
		if (is_fact(p, len) && !holds(report_title(finding), p, len) &&
		    !holds(report_why(finding), p, len))
			return true;
	}
	return false;
}

static void
write_why(struct screen *screen, const struct report *report)
{
	const struct finding *cause = report->cause;
	struct page *page = screen_short_block(screen, SECTION_WHY, RANK_WHY, WHY_LINES);

	if (!doc_same(report_why(cause), report_title(cause)))
		page_paragraphs(page, "  Why    ", INDENT, report_why(cause));
	page = screen_short_block(screen, SECTION_WHY, RANK_SEEN, 2);
	if (adds_fact(cause))
		page_wrap(page, "  Seen   ", INDENT, INK_NONE, report_summary(cause));
	for (size_t i = 0; report->verdict == UNKNOWN && i < report->explained_count; i++)
		page_wrap(page, "  Seen   ", INDENT, INK_NONE,
			  report_summary(report->explained[i]));
	page_path(screen_block(screen, SECTION_WHY, RANK_PATH), "  Path   ", report);
}

/* ---- all is well ---- */

static void
write_warnings(struct screen *screen, const struct finding *findings, size_t count, size_t *left)
{
	for (size_t i = 0; i < count; i++) {
		bool again = i > 0 && findings[i].id == findings[i - 1].id;

		if (findings[i].status == WARN && *left > 0 && !again) {
			write_verdict(screen_short_block(screen, SECTION_ELSE, RANK_AFTER, 2), WARN,
				      report_title(&findings[i]), NULL);
			--*left;
		}
		write_warnings(screen, findings[i].also, findings[i].also_count, left);
	}
}

/* One line of evidence: the login, or the last check that passed. */
static void
write_evidence(struct screen *screen, const struct report *report)
{
	const struct finding *last = NULL;

	for (size_t i = 0; i < report->count; i++)
		if (report->findings[i].status == PASS || report->findings[i].status == WARN)
			if (last == NULL || strcmp(last->check, "auth") != 0)
				last = &report->findings[i];
	if (last != NULL)
		page_wrap(screen_short_block(screen, SECTION_HEAD, RANK_WHY, 2), "  ", 2, INK_NONE,
			  report_summary(last));
}

static void
write_good(struct screen *screen, const struct report *report)
{
	const struct finding *way = report->way;
	size_t warnings = screen->page.style->terminal ? WARNINGS_SHOWN : SIZE_MAX;

	if (report_connects(report) && report->about->login != NULL)
		write_login(screen_block(screen, SECTION_HEAD, RANK_MUST), report->about->login);
	else
		write_verdict(screen_block(screen, SECTION_HEAD, RANK_MUST), PASS, report->title,
			      NULL);
	write_evidence(screen, report);
	if (way != NULL && way->remedies.count > 0)
		write_remedy(screen, report, &way->remedies.at[0], "Type", RANK_COMMAND);
	write_warnings(screen, report->findings, report->count, &warnings);
}

/* ---- counts ---- */

enum count {
	COUNT_OK,
	COUNT_WARNED,
	COUNT_FAILED,
	COUNT_UNKNOWN,
	COUNT_NOT_REACHED,
	COUNT_SKIPPED,
	COUNTS
};

/* A check counts by the worst that it found. */
static enum count
count_of(const struct finding *finding)
{
	static const enum count counts[] = { [PASS] = COUNT_OK,
					     [WARN] = COUNT_WARNED,
					     [FAIL] = COUNT_FAILED,
					     [SKIP] = COUNT_SKIPPED,
					     [UNKNOWN] = COUNT_UNKNOWN };
	const struct finding *worst = report_worst(finding);

	if (worst->status == SKIP && worst->id == CODE_NOT_REACHED)
		return COUNT_NOT_REACHED;
	return counts[worst->status];
}

char *
counts_text(const struct report *report)
{
	static const char *const names[COUNTS] = { "ok",      "with a warning", "failed",
						   "unknown", "not reached",    "skipped" };
	size_t counts[COUNTS] = { 0 }, size;
	char *text = NULL;
	const char *before = ":";
	FILE *out = open_memstream(&text, &size);

	if (out == NULL)
		return NULL;
	for (size_t i = 0; i < report->count; i++)
		counts[count_of(&report->findings[i])]++;
	fprintf(out, "%zu check%s", report->count, report->count == 1 ? "" : "s");
	for (size_t i = 0; i < COUNTS; i++) {
		if (counts[i] == 0)
			continue;
		fprintf(out, "%s %zu %s", before, counts[i], names[i]);
		before = ",";
	}
	fprintf(out, ", %.1f s", (double)report->about->duration_ms / 1000);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

/* The counts, and where to find the rest: on one line, or on two. */
static void
write_counts(struct screen *screen, const struct report *report)
{
	bool plain = report->cause == NULL && report->verdict == PASS;
	struct page *page = screen_block(screen, plain ? SECTION_HEAD : SECTION_END, RANK_MUST);
	const char *code = report->cause != NULL ? report->cause->code : NULL;
	char *counts = counts_text(report),
	     *hints = doc_fmt("%s%s%s", page->style->verbose ? "" : "All: -v. ",
			      code != NULL ? "Meaning: --explain " : "", code != NULL ? code : ""),
	     *line = doc_fmt("%s. %s", counts, hints);

	if (line != NULL && visible_width(line) <= page->width) {
		page_wrap(page, "", 0, INK_DIM, line);
	} else {
		page_wrap(page, "", 0, INK_DIM, counts);
		page_wrap(page, "", 0, INK_DIM, hints);
	}
	free(counts);
	free(hints);
	free(line);
}

/* A line of it; takes over the text, which may come from anywhere. */
static void
write_change(struct page *page, const char *label, enum ink ink, char *text)
{
	char *clean = visible_text(text, false);

	page_wrap(page, label, strlen(label), ink, clean);
	free(clean);
	free(text);
}

/* What has changed since a bundle was written. */
static void
write_baseline(struct screen *screen, const struct report *report)
{
	const json_t *baseline = report->baseline, *added = doc_list(baseline, "new"),
		     *gone = doc_list(baseline, "gone"), *changes = doc_list(baseline, "changes"),
		     *one;
	size_t i;

	if (baseline == NULL)
		return;
	write_change(screen_block(screen, SECTION_AFTER, RANK_MUST), "", INK_NONE,
		     doc_fmt("Since %s: %zu new, %zu gone, %zu changed",
			     doc_str(baseline, "started"), json_array_size(added),
			     json_array_size(gone), json_array_size(changes)));
	json_array_foreach (added, i, one)
		write_change(screen_block(screen, SECTION_AFTER, RANK_SEEN), "  new      ",
			     INK_NONE,
			     doc_fmt("%s (%s)", doc_str(one, "title"), doc_str(one, "code")));
	json_array_foreach (gone, i, one)
		write_change(screen_block(screen, SECTION_AFTER, RANK_SEEN), "  gone     ",
			     INK_NONE,
			     doc_fmt("%s (%s)", doc_str(one, "title"), doc_str(one, "code")));
	if (json_array_size(changes) > 0)
		screen_block(screen, SECTION_AFTER, RANK_UNTIL);
	json_array_foreach (changes, i, one) {
		const char *before = doc_str(one, "before"), *after = doc_str(one, "after");

		write_change(&screen->page, "  changed  ", INK_DIM,
			     doc_fmt("%s: %s -> %s", doc_str(one, "where"),
				     before != NULL ? before : "none",
				     after != NULL ? after : "none"));
	}
}

void
write_answer(struct screen *screen, const struct report *report)
{
	const struct finding *cause = report->cause;
	char *title;

	if (cause == NULL) {
		write_good(screen, report);
	} else {
		title = doubtful_title(cause);
		write_verdict(screen_short_block(screen, SECTION_HEAD, RANK_MUST, TITLE_LINES),
			      report->verdict, title, cause->code);
		free(title);
		write_target(screen, report->about);
		write_why(screen, report);
		write_fix(screen, report);
		write_possible(screen, report);
		write_ways(screen, cause);
		write_after(screen, report);
	}
	write_baseline(screen, report);
	write_counts(screen, report);
}
