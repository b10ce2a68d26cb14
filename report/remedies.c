/* What to type: the remedy, what decides where several causes are possible, what comes after. */
#include "report/text.h"
#include "facts/doc.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { TITLE_LINES = 3, POSSIBLE_SHOWN = 3 };

/* The title, and in brackets what it costs; the caller frees. "none" is not worth a word, and what
 * is labelled is not called an alternative. */
static char *
title_and_cost(const struct remedy *remedy, bool labelled)
{
	const char *title = remedy->title != NULL ? remedy->title : "", *cost = remedy->cost;
	bool either = labelled && strncmp(title, "Or ", 3) == 0;
	size_t len = strlen(title), from = either ? 4 : 0;
	bool joined = len > 0 && title[len - 1] == ')';
	char first[2] = { either ? (char)toupper((unsigned char)title[3]) : '\0', '\0' };

	if (cost != NULL && strncmp(cost, "none", 4) == 0)
		cost = cost[4] == ';' ? cost + 5 + (cost[5] == ' ') : NULL;
	if (cost == NULL)
		return doc_fmt("%s%s", first, title + from);
	return doc_fmt("%s%.*s%s%s)", first, (int)(len - from - joined), title + from,
		       joined ? "; " : " (", cost);
}

void
write_command(struct page *page, const struct remedy *remedy, size_t indent)
{
	if (strcmp(remedy->dialect, "portal") == 0)
		page_paragraphs(page, "", indent, remedy->command);
	else
		page_command(page, "", indent, INK_BOLD, remedy->dialect, remedy->command);
	if (!remedy->runnable && strcmp(remedy->dialect, "portal") != 0)
		page_wrap(page, "", indent, INK_DIM, "(replace <...> with your own value)");
}

/* "  Fix    Allow SSH from your address", then the command; without a title the command at once. */
static void
write_heading(struct page *page, const struct remedy *remedy, const char *label)
{
	bool portal = strcmp(remedy->dialect, "portal") == 0;
	char *text = title_and_cost(remedy, strcmp(label, "Also") != 0),
	     *first = doc_fmt("  %-6s ", label);

	page_label(page, INK_BOLD, first);
	if (portal)
		page_label(page, INK_NONE, "In the portal: ");
	if (text != NULL && *text != '\0')
		page_wrap(page, "", INDENT, INK_BOLD, text);
	write_command(page, remedy, text != NULL && *text != '\0' ? 4 : INDENT);
	free(text);
	free(first);
}

void
write_remedy(struct screen *screen, const struct report *report, const struct remedy *remedy,
	     const char *label, enum rank rank)
{
	const char *verify = report_verify(report, remedy),
		   *dialect = strcmp(remedy->dialect, "portal") == 0 ? "az" : remedy->dialect;
	struct page *page = screen_short_block(screen, SECTION_FIX, rank, TITLE_LINES);

	if (*label == '\0')
		putc('\n', page->out);
	write_heading(page, remedy, *label != '\0' ? label : "Also");
	page = screen_block(screen, SECTION_FIX, rank == RANK_COMMAND ? RANK_THEN : rank);
	if (verify != NULL)
		page_command(page, "  Then   ", INDENT, INK_NONE, dialect, verify);
	page = screen_block(screen, SECTION_FIX, rank == RANK_COMMAND ? RANK_UNDO : rank);
	if (remedy->undo == NULL)
		return;
	page_label(page, INK_DIM, "  Undo   ");
	page_command(page, "", INDENT, INK_DIM, dialect, remedy->undo);
}

/* The number of a step: 2 for "Attach it (2 of 3)"; 0 for a remedy of one step. */
static unsigned
step_of(const struct remedy *remedy)
{
	const char *at = remedy->title != NULL ? strrchr(remedy->title, '(') : NULL;
	unsigned step, of;

	return at != NULL && sscanf(at, "(%u of %u)", &step, &of) == 2 ? step : 0;
}

static bool
is_next_step(const struct remedy *before, const struct remedy *remedy)
{
	return step_of(remedy) > 1 && step_of(remedy) == step_of(before) + 1 &&
	       strcmp(remedy->dialect, before->dialect) == 0;
}

static bool
only_looks(const struct remedy *remedy)
{
	return doc_same(remedy->changes, "nothing");
}

/* true for a look with this program. */
static bool
is_own(const char *command)
{
	return command != NULL && strncmp(command, PACKAGE_NAME " ", strlen(PACKAGE_NAME) + 1) == 0;
}

/* The one command that decides between the causes that are shown, unless the first remedy looks
 * already; the caller frees. A look with
 * this program is better than the scripts of all of them in one command, and these are better than
 * the command of the likeliest. */
static char *
deciding_command(const struct report *report)
{
	const struct finding *cause = report->cause;
	const char *commands[POSSIBLE_SHOWN];
	size_t count = 0;
	char *joined;

	if ((cause->status == FAIL && cause->confidence == CERTAIN) ||
	    (cause->remedies.count > cause->ways && only_looks(&cause->remedies.at[0])))
		return NULL;
	for (size_t i = 0; i < report->possible_count && i < POSSIBLE_SHOWN; i++)
		if (is_own(report->possible[i].decide))
			return strdup(report->possible[i].decide);
	for (size_t i = 0; i < report->possible_count && i < POSSIBLE_SHOWN; i++)
		if (report->possible[i].decide != NULL)
			commands[count++] = report->possible[i].decide;
	joined = command_joined(commands, count);
	return joined != NULL || count == 0 ? joined : strdup(commands[0]);
}

/* While the cause is not certain, what decides comes before what changes something. */
static void
write_deciding(struct screen *screen, const struct report *report)
{
	struct page *page = screen_block(screen, SECTION_FIX, RANK_DECIDE);
	char *decide = deciding_command(report);

	if (decide != NULL) {
		page_label(page, INK_BOLD, "  Next   ");
		page_wrap(page, "", INDENT, INK_BOLD, "Find out which it is, changing nothing");
		page_command(page, "", 4, INK_BOLD, "az", decide);
	}
	free(decide);
}

/* With --verbose: every remedy, and where to read on. */
static void
write_all_remedies(struct screen *screen, const struct report *report, const char *label)
{
	const struct remedies *list = &report->cause->remedies;

	for (size_t i = 0; i < list->count; i++)
		write_remedy(screen, report, &list->at[i], i == 0 ? label : "", RANK_STEP);
	if (report->cause->docs != NULL)
		page_wrap(screen_block(screen, SECTION_FIX, RANK_STEP), "  More   ", INDENT,
			  INK_DIM, report->cause->docs);
}

/* The first remedy, with all its steps; when it only looks, also the first one that fixes. */
void
write_fix(struct screen *screen, const struct report *report)
{
	const struct finding *cause = report->cause;
	const struct remedy *list = cause->remedies.at;
	size_t own = cause->remedies.count - cause->ways, i = 1;
	bool fails = report->verdict == FAIL;
	const char *label = fails && (own == 0 || !only_looks(&list[0])) ? "Fix" : "Next";

	if (screen->page.style->verbose) {
		write_all_remedies(screen, report, label);
		return;
	}
	write_deciding(screen, report);
	if (own > 0)
		write_remedy(screen, report, &list[0], label, RANK_COMMAND);
	for (; i < own && is_next_step(&list[i - 1], &list[i]); i++)
		write_remedy(screen, report, &list[i], "", RANK_STEP);
	while (i < own && (only_looks(&list[i]) || !list[i].runnable))
		i++;
	if (fails && i < own && only_looks(&list[0]))
		write_remedy(screen, report, &list[i], "Fix", RANK_STEP);
}

/* ---- what else it may be ---- */

static const char *
possible_title(const struct report_possible *possible)
{
	return possible->title != NULL ? possible->title : possible->code;
}

static void
write_all_possible(struct page *page, const struct report *report)
{
	page_wrap(page, "", 0, INK_NONE, "Also possible, and what decides:");
	for (size_t i = 0; i < report->possible_count; i++) {
		const struct report_possible *one = &report->possible[i];
		char *text = doc_fmt("%s [%s]", possible_title(one), one->code);

		page_wrap(page, "  - ", 4, INK_NONE, text);
		if (one->decide != NULL)
			page_command(page, "", 6, INK_NONE, "az", one->decide);
		free(text);
	}
}

/* The titles of the likeliest. */
static void
write_likeliest(struct page *page, const struct report *report)
{
	size_t size;
	char *text = NULL;
	FILE *out = open_memstream(&text, &size);

	if (out == NULL)
		return;
	for (size_t i = 0; i < report->possible_count && i < POSSIBLE_SHOWN; i++)
		fprintf(out, "%s%s", i > 0 ? "; " : "", possible_title(&report->possible[i]));
	if (fclose(out) == 0)
		page_wrap(page, "  Also possible: ", INDENT, INK_NONE, text);
	free(text);
}

/* The likeliest; with --verbose all of them, each with the command that decides. */
void
write_possible(struct screen *screen, const struct report *report)
{
	if (report->possible_count == 0)
		return;
	if (screen->page.style->verbose)
		write_all_possible(screen_block(screen, SECTION_ELSE, RANK_POSSIBLE), report);
	else
		write_likeliest(screen_short_block(screen, SECTION_ELSE, RANK_POSSIBLE, 3), report);
}

/* "Until then: commands inside the VM, by its agent; by the serial console (-v)" */
void
write_ways(struct screen *screen, const struct finding *cause)
{
	const struct remedies *all = &cause->remedies;
	char *text = NULL;
	size_t size, shown = 0;
	bool verbose = screen->page.style->verbose;
	FILE *out = cause->ways > 0 && !verbose ? open_memstream(&text, &size) : NULL;

	for (size_t i = all->count - cause->ways; out != NULL && i < all->count; i++) {
		const char *title = all->at[i].title,
			   *name = title != NULL ? strstr(title, ": ") : NULL;

		if (name != NULL &&
		    strcmp(all->at[i].dialect, all->at[all->count - cause->ways].dialect) == 0)
			fprintf(out, "%s%s", shown++ > 0 ? "; " : "", name + 2);
	}
	if (out != NULL && fclose(out) == 0 && shown > 0)
		page_wrap(screen_short_block(screen, SECTION_ELSE, RANK_UNTIL, 2),
			  "  Until then (-v): ", INDENT, INK_NONE, text);
	free(text);
}

static bool
named_before(const struct report *report, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (report->next[i]->code == report->next[at]->code)
			return true;
	return false;
}

void
write_after(struct screen *screen, const struct report *report)
{
	for (size_t i = 0; report->verdict == FAIL && i < report->next_count; i++) {
		const struct finding *next = report->next[i];
		struct page *page = screen_short_block(screen, SECTION_AFTER, RANK_AFTER, 2);
		char *title = doc_fmt("After that: %s", report_title(next));

		if (!named_before(report, i)) {
			write_verdict(page, next->status, title, NULL);
			if (next->remedies.count > next->ways)
				write_command(page, &next->remedies.at[0], 4);
		}
		free(title);
	}
}
