/* Inside report/: writing text that fits a terminal. */
#ifndef REPORT_WRAP_H
#define REPORT_WRAP_H

#include "report/report.h"

/* Where text goes and how it may look. */
struct page {
	FILE *out;
	const struct report_style *style;
	size_t width; /* columns, at least 40 */
};

enum ink { INK_NONE, INK_BOLD, INK_RED, INK_YELLOW, INK_GREEN, INK_DIM };

void page_start(struct page *page, FILE *out, const struct report_style *style);

/* 0, or -errno when anything could not be written. */
int page_end(struct page *page);

/* Text from anywhere, made safe to show: control bytes and hidden code points written out, without
 * UTF-8 all that is not ASCII too. `lines` keeps line breaks. The caller frees; NULL text gives "".
 */
char *page_clean(const struct page *page, const char *text, bool lines);

/* Starts and ends a colour where colours are allowed. */
void page_ink(struct page *page, enum ink ink);

/* One paragraph: `first` before its first line, filled up to `indent` columns; later lines
 * indented. */
void page_wrap(struct page *page, const char *first, size_t indent, enum ink ink, const char *text);

/* The same for the rules' own words, which may hold line breaks. */
void page_paragraphs(struct page *page, const char *first, size_t indent, const char *text);

/* Lines as they are, each indented: for commands, which are never broken. */
void page_verbatim(struct page *page, size_t indent, enum ink ink, const char *text);

/* One line, cut with "..." at the width; `used` columns stand on it already. */
void page_cut(struct page *page, size_t used, const char *text);

/* "Path: client>azure>vm>X public-ip: no-public-ip": where it stops, on one line (picture.c).
 * Nothing when no hop is known. */
void page_path(struct page *page, const struct report *report);

#endif
