/* Several reports: a row for each, then what they have in common. */
#include "report/text.h"
#include "facts/doc.h"
#include "facts/visible.h"

#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_COLUMNS = 32, NAMES_SHOWN = 6 };

/* "31 ok, 2 failed, 1 unknown" */
static char *
verdicts_text(const struct report *const *reports, size_t count)
{
	static const enum status order[] = { PASS, WARN, FAIL, UNKNOWN };
	static const char *const names[] = { [PASS] = "ok",
					     [WARN] = "ok with a warning",
					     [FAIL] = "failed",
					     [UNKNOWN] = "unknown" };
	char *text = NULL;
	const char *before = "";
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (size_t i = 0; out != NULL && i < sizeof(order) / sizeof(*order); i++) {
		size_t found = 0;

		for (size_t j = 0; j < count; j++)
			found += reports[j]->verdict == order[i];
		if (found > 0)
			fprintf(out, "%s%zu %s", before, found, names[order[i]]);
		before = found > 0 ? ", " : before;
	}
	if (out != NULL && fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

/* ---- rows ---- */

static size_t
name_columns(const struct page *page, const struct report *const *reports, size_t count)
{
	size_t widest = 0;

	for (size_t i = 0; i < count; i++) {
		char *name = page_clean(page, report_name(reports[i]), false);
		size_t columns = name != NULL ? visible_width(name) : 0;

		widest = columns > widest ? columns : widest;
		free(name);
	}
	return widest < NAME_MAX_COLUMNS ? widest : NAME_MAX_COLUMNS;
}

/* VM, verdict, cause, what to type. */
static void
write_row(struct page *page, const struct report *report, size_t columns)
{
	const struct finding *cause = report->cause;
	const struct mark *mark = &marks[report->verdict];
	bool sign = page->style->utf8, endless = page->width >= PAGE_ENDLESS;
	char *name = page_clean(page, report_name(report), false),
	     *title = cause != NULL ? doubtful_title(cause) : strdup(report->title), *text;
	size_t width = name != NULL ? visible_width(name) : 0;

	page_label(page, mark->ink, sign ? mark->sign : mark->word);
	fprintf(page->out, "%*s%s%*s", sign ? 1 : (int)(8 - strlen(mark->word)), "",
		name != NULL ? name : "", width < columns ? (int)(columns - width) + 2 : 2, "");
	width = (sign ? 2 : 8) + (width < columns ? columns : width) + 2;
	text = doc_fmt(
	    "%s%s%s%s%s", title, endless && cause != NULL ? " [" : "",
	    endless && cause != NULL ? cause->code : "", endless && cause != NULL ? "]: " : "",
	    endless && cause != NULL && cause->remedies.count > 0 ? cause->remedies.at[0].command
								  : "");
	page_cut(page, width, text);
	page->at = 0;
	free(name);
	free(title);
	free(text);
}

/* ---- causes ---- */

/* Reports with one cause: {what tells it apart: [their indexes]}, in the order of the first ones.
 */
static json_t *
groups_by(const struct report *const *reports, size_t count,
	  char *(*key_of)(const struct report *report, const json_t *ctx), const json_t *ctx)
{
	json_t *groups = json_object(), *group;
	char *key;

	for (size_t i = 0; i < count; i++) {
		if (reports[i]->cause == NULL)
			continue;
		key = key_of(reports[i], ctx);
		if ((group = json_object_get(groups, key)) == NULL)
			json_object_set_new(groups, key, group = json_array());
		json_array_append_new(group, json_integer((json_int_t)i));
		free(key);
	}
	return groups;
}

/* The code, and what is to be changed: the same resource or the same command for VMs that share it.
 */
static char *
command_key(const struct report *report, const json_t *ctx)
{
	const struct remedy *remedy = report_remedy(report->cause);
	const char *command = remedy != NULL ? remedy->command : "",
		   *changed = report->cause->changes;

	(void)ctx;
	return doc_fmt("%s\n%s", report->cause->code, changed != NULL ? changed : command);
}

/* VMs of which each has something of its own to be changed are named together by their code. */
static char *
cause_key(const struct report *report, const json_t *commands)
{
	char *key = command_key(report, NULL);

	if (json_array_size(json_object_get(commands, key)) < 2)
		*strchr(key, '\n') = '\0';
	return key;
}

static const struct report *
member(const struct report *const *reports, const json_t *group, size_t i)
{
	return reports[json_integer_value(json_array_get(group, i))];
}

/* The title of the group; where its VMs have different ones, the first as an example. */
static char *
group_title(const struct report *const *reports, const json_t *group)
{
	const char *title = report_title(member(reports, group, 0)->cause);

	for (size_t i = 1; i < json_array_size(group); i++)
		if (!doc_same(report_title(member(reports, group, i)->cause), title))
			return doc_fmt("such as: %s", title);
	return strdup(title);
}

/* "web1, web2, web3 and 28 more" */
static char *
names_text(const struct report *const *reports, const json_t *group)
{
	size_t size, found = json_array_size(group);
	char *text = NULL;
	FILE *out = open_memstream(&text, &size);

	if (out == NULL)
		return NULL;
	for (size_t i = 0; i < found && i < NAMES_SHOWN; i++)
		fprintf(out, "%s%s", i > 0 ? ", " : "", report_name(member(reports, group, i)));
	if (found > NAMES_SHOWN)
		fprintf(out, " and %zu more", found - NAMES_SHOWN);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

/* One cause: how many VMs have it, which, and what to type for the first of them. */
static void
write_cause(struct page *page, const struct report *const *reports, const json_t *group)
{
	const struct finding *cause = member(reports, group, 0)->cause;
	size_t found = json_array_size(group);
	char *names = names_text(reports, group), *title = group_title(reports, group),
	     *text = doc_fmt("%zu VM%s: %s [%s]", found, found == 1 ? "" : "s", title, cause->code);

	putc('\n', page->out);
	page_wrap(page, "", 0, marks[cause->status].ink, text);
	page_wrap(page, "  ", 2, INK_DIM, names);
	if (report_remedy(cause) != NULL)
		write_command(page, report_remedy(cause), 4);
	free(names);
	free(title);
	free(text);
}

static void
write_causes(struct page *page, const struct report *const *reports, size_t count)
{
	json_t *commands = groups_by(reports, count, command_key, NULL),
	       *groups = groups_by(reports, count, cause_key, commands);
	const char *key;
	const json_t *group;

	json_object_foreach (groups, key, group)
		write_cause(page, reports, group);
	json_decref(commands);
	json_decref(groups);
}

void
write_overview(struct page *page, const struct report *const *reports, size_t count)
{
	size_t columns = name_columns(page, reports, count);
	char *verdicts = verdicts_text(reports, count), *text;

	for (size_t i = 0; i < count; i++)
		write_row(page, reports[i], columns);
	write_causes(page, reports, count);
	text = doc_fmt("%zu VMs: %s.%s", count, verdicts,
		       page->style->terminal && !page->style->verbose ? " All: -v, or name one VM."
								      : "");
	putc('\n', page->out);
	page_wrap(page, "", 0, INK_DIM, text);
	free(verdicts);
	free(text);
}
