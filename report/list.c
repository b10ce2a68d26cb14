#include "report/wrap.h"
#include "checks/checks.h"
#include "facts/doc.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void
write_codes(struct page *page, const json_t *codes)
{
	const char *code;
	json_t *entry;

	json_object_foreach ((json_t *)(uintptr_t)codes, code, entry) {
		char *title = rules_fill(doc_str(entry, "title"), NULL, NULL, NULL, NULL);

		fprintf(page->out, "  %-34s ", code);
		page_cut(page, 37 + (strlen(code) > 34 ? strlen(code) - 34 : 0), title);
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

int
report_checks(FILE *out, const struct rules *rules, const struct report_style *style)
{
	const json_t *custom = rules_custom(rules);
	struct page page;
	const json_t *entry;

	page_start(&page, out, style);
	for (enum check_id check = CHECK_NONE + 1; check < CHECK_COUNT; check++) {
		const struct check *row = &check_table[check];

		entry = json_object_get(rules_checks(rules), row->id);
		write_heading(&page, row->id, row->title != NULL ? row->title : "");
		write_codes(&page, json_object_get(entry, "codes"));
	}
	for (size_t i = 0; i < json_array_size(custom); i++) {
		entry = json_array_get(custom, i);
		write_heading(&page, doc_str(entry, "id"), doc_str(entry, "title"));
		write_codes(&page, json_object_get(entry, "codes"));
	}
	return page_end(&page);
}

static void
explain_remedy(struct page *page, const json_t *remedy, const char *dialect)
{
	const char *key = doc_str(remedy, "run") != NULL ? "run" : "steps";
	char *command = rules_fill(doc_str(remedy, key), NULL, NULL, dialect, NULL),
	     *title = rules_fill(doc_str(remedy, "title"), NULL, NULL, NULL, NULL);
	char *first = doc_fmt("  %s:%s", dialect, title != NULL ? " " : "");

	page_wrap(page, first, 0, INK_NONE, title);
	if (strcmp(key, "run") == 0)
		page_verbatim(page, 4, INK_BOLD, command);
	else
		page_paragraphs(page, "    ", 4, command);
	free(command);
	free(title);
	free(first);
}

static void
explain_remedies(struct page *page, const json_t *remedies)
{
	const char *dialect;
	json_t *list;

	if (json_object_size(remedies) > 0)
		fputs("\nWhat to do:\n", page->out);
	json_object_foreach ((json_t *)(uintptr_t)remedies, dialect, list)
		for (size_t i = 0; i < json_array_size(list); i++)
			explain_remedy(page, json_array_get(list, i), dialect);
}

static void
explain_effects(struct page *page, const json_t *list)
{
	size_t size;
	char *text = NULL;
	FILE *out = json_array_size(list) > 0 ? open_memstream(&text, &size) : NULL;

	if (out == NULL)
		return;
	for (size_t i = 0; i < json_array_size(list); i++)
		fprintf(out, "%s%s", i > 0 ? ", " : "", json_string_value(json_array_get(list, i)));
	if (fclose(out) == 0) {
		fputs("\nWhat follows from it:\n", page->out);
		page_wrap(page, "  ", 2, INK_NONE, text);
	}
	free(text);
}

int
report_explain(FILE *out, const struct rules *rules, const char *code,
	       const struct report_style *style)
{
	static const char *const keys[] = { "title", "why", "explain" };
	const char *check = NULL;
	const json_t *entry = rules_code(rules, code, &check);
	struct page page;

	if (entry == NULL)
		return -ENOENT;
	page_start(&page, out, style);
	write_heading(&page, code, check);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		char *text = rules_fill(doc_str(entry, keys[i]), NULL, NULL, NULL, NULL);

		if (text != NULL && i == 0)
			page_wrap(&page, "  ", 2, INK_BOLD, text);
		else if (text != NULL)
			page_paragraphs(&page, "\n  ", 2, text);
		free(text);
	}
	explain_remedies(&page, json_object_get(entry, "remedies"));
	if (doc_str(entry, "decide") != NULL) {
		char *decide = rules_fill(doc_str(entry, "decide"), NULL, NULL, "shell", NULL);

		fputs("\nWhat would tell for certain:\n", out);
		page_verbatim(&page, 4, INK_NONE, decide);
		free(decide);
	}
	explain_effects(&page, doc_list(entry, "explains"));
	if (doc_str(entry, "docs") != NULL)
		page_wrap(&page, "\nMore: ", 0, INK_NONE, doc_str(entry, "docs"));
	return page_end(&page);
}

int
report_lint(FILE *out, const struct rules *rules, const char *file)
{
	static const struct report_style plain = { 0 };
	size_t codes = 0;
	struct page page;
	const char *id;
	json_t *entry;
	char *name;

	page_start(&page, out, &plain);
	json_object_foreach ((json_t *)(uintptr_t)rules_checks(rules), id, entry)
		codes += json_object_size(json_object_get(entry, "codes"));
	name = page_clean(&page, file, false);
	fprintf(out,
		"%s: fine; with the default: %zu checks, %zu codes, %zu custom rules, %zu waivers, "
		"%s\n",
		name, json_object_size(rules_checks(rules)), codes,
		json_array_size(rules_custom(rules)), json_array_size(rules_waivers(rules)),
		rules_digest(rules));
	free(name);
	return page_end(&page);
}
