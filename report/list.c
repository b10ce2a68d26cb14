#include "report/explain.h"
#include "checks/causes.h"
#include "facts/doc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void
write_codes(struct page *page, const struct rule *rule)
{
	for (size_t i = 0; i < rule->code_count; i++) {
		const struct code_words *code = &rule->codes[i];
		size_t len = strlen(code->code);
		char *title = rules_fill(code->title, NULL);

		fprintf(page->out, "  %-34s ", code->code);
		page_cut(page, 37 + (len > 34 ? len - 34 : 0), title);
		free(title);
	}
}

static void
write_heading(struct page *page, const char *id, const char *title)
{
	page_ink(page, INK_BOLD);
	fputs(id, page->out);
	page_ink(page, INK_NONE);
	fputs(": ", page->out);
	page_cut(page, strlen(id) + 2, title);
}

static void
write_check(struct page *page, const struct rules *rules, enum check_id check)
{
	const struct check *row = &check_table[check];
	struct rule rule = rules_for(rules, row->id);

	write_heading(page, row->id, row->title != NULL ? row->title : "");
	explain_reads(page, check);
	write_codes(page, &rule);
}

int
report_checks(FILE *out, const struct rules *rules, const struct report_style *style)
{
	struct page page;
	size_t count;
	const struct rule *all = rules_all(rules, &count);

	page_start(&page, out, style);
	for (enum check_id check = CHECK_NONE + 1; check < CHECK_COUNT; check++)
		write_check(&page, rules, check);
	for (size_t i = 0; i < count; i++) {
		if (all[i].title == NULL)
			continue;
		write_heading(&page, all[i].id, all[i].title);
		write_codes(&page, &all[i]);
	}
	return format_end(page.out);
}

static void
explain_remedy(struct page *page, const struct remedy_words *remedy)
{
	char *command = rules_command(remedy->command, remedy->dialect, NULL, NULL, NULL),
	     *title = rules_fill(remedy->title, NULL);
	char *first = doc_fmt("  %s:%s", remedy->dialect, title != NULL ? " " : "");

	page_wrap(page, first, 0, INK_NONE, title);
	if (strcmp(remedy->dialect, "portal") != 0)
		page_verbatim(page, 4, INK_BOLD, command);
	else
		page_paragraphs(page, "    ", 4, command);
	free(command);
	free(title);
	free(first);
}

/* By the tables, and by `explains` of rule files. */
static void
explain_effects(struct page *page, const struct code_words *words)
{
	json_t *effects = causes_effects(code_find(words->code));
	char *text = NULL, *longer;

	for (size_t i = 0; i < json_array_size(effects); i++) {
		longer = doc_fmt("%s%s%s", text != NULL ? text : "", text != NULL ? ", " : "",
				 json_string_value(json_array_get(effects, i)));
		free(text);
		text = longer;
	}
	if (text != NULL || words->explains != NULL) {
		fputs("\nWhat follows from it:\n", page->out);
		if (text != NULL)
			page_wrap(page, "  ", 2, INK_NONE, text);
		if (words->explains != NULL)
			page_wrap(page, "  ", 2, INK_NONE, words->explains);
	}
	free(text);
	json_decref(effects);
}

static int
explain_check(FILE *out, const struct rules *rules, enum check_id check,
	      const struct report_style *style)
{
	struct page page;

	page_start(&page, out, style);
	write_check(&page, rules, check);
	return format_end(page.out);
}

static void
explain_words(struct page *page, const struct code_words *code)
{
	char *title = rules_fill(code->title, NULL), *why = rules_fill(code->why, NULL),
	     *explain = rules_fill(code->explain, NULL);

	page_wrap(page, "  ", 2, INK_BOLD, title);
	page_paragraphs(page, "\n  ", 2, why);
	if (explain != NULL)
		page_paragraphs(page, "\n  ", 2, explain);
	free(title);
	free(why);
	free(explain);
}

int
report_explain(FILE *out, const struct rules *rules, const char *code,
	       const struct report_style *style)
{
	const struct code_words *words = rules_code(rules, code);
	struct page page;

	if (words == NULL && check_find(code) != CHECK_NONE)
		return explain_check(out, rules, check_find(code), style);
	page_start(&page, out, style);
	if (words == NULL && code_find(code) != CODE_CUSTOM) {
		write_heading(&page, code,
			      check_table[code_table[code_find(code)].check].id != NULL
				  ? check_table[code_table[code_find(code)].check].id
				  : "any check");
		explain_bare(&page, code_find(code));
		return format_end(page.out);
	}
	if (words == NULL)
		return -ENOENT;
	write_heading(&page, code, words->owner);
	explain_words(&page, words);
	explain_code(&page, code_find(code), words);
	if (words->remedy_count > 0)
		fputs("\nWhat to do:\n", out);
	for (size_t i = 0; i < words->remedy_count; i++)
		explain_remedy(&page, &words->remedies[i]);
	if (words->decide != NULL) {
		char *decide = rules_command(words->decide, "shell", NULL, NULL, NULL);

		fputs("\nWhat would tell for certain:\n", out);
		page_verbatim(&page, 4, INK_NONE, decide);
		free(decide);
	}
	explain_effects(&page, words);
	if (words->docs != NULL)
		page_wrap(&page, "\nMore: ", 0, INK_NONE, words->docs);
	return format_end(page.out);
}

int
report_lint(FILE *out, const struct rules *rules, const char *file)
{
	static const struct report_style plain = { 0 };
	size_t codes = 0, count, custom = json_array_size(rules_custom(rules));
	const struct rule *all = rules_all(rules, &count);
	struct page page;
	char *name;

	page_start(&page, out, &plain);
	for (size_t i = 0; i < count - custom; i++)
		codes += all[i].code_count;
	name = page_clean(&page, file, false);
	fprintf(out,
		"%s: fine; with the default: %zu checks, %zu codes, %zu custom rules, %zu waivers, "
		"%s\n",
		name, count - custom, codes, custom, json_array_size(rules_waivers(rules)),
		rules_digest(rules));
	free(name);
	return format_end(page.out);
}
