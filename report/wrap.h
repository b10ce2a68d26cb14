/* Inside report/: writing text that fits a terminal. */
#ifndef REPORT_WRAP_H
#define REPORT_WRAP_H

#include "report/format.h"

enum { PAGE_ENDLESS = 1 << 30 };

enum ink { INK_NONE, INK_BOLD, INK_RED, INK_YELLOW, INK_GREEN, INK_DIM };

/* Where text goes and how it may look. */
struct page {
	FILE *out;
	const struct report_style *style;
	size_t width; /* columns, at least 40; PAGE_ENDLESS: lines are not broken */
	size_t most;  /* lines that page_wrap may fill before it cuts; 0: any number */
	size_t at;    /* columns of the current line that page_label has filled */
};

void page_start(struct page *page, FILE *out, const struct report_style *style);

/* Text from anywhere, made safe to show: control bytes and hidden code points written out, without
 * UTF-8 all that is not ASCII too. `lines` keeps line breaks. The caller frees; NULL text gives "".
 */
char *page_clean(const struct page *page, const char *text, bool lines);

/* Begins a line; the text that follows counts the columns. `text` is our own. */
void page_label(struct page *page, enum ink ink, const char *text);

/* Starts and ends a colour where colours are allowed. */
void page_ink(struct page *page, enum ink ink);

/* One paragraph: `first` before its first line, filled up to `indent` columns; later lines
 * indented. */
void page_wrap(struct page *page, const char *first, size_t indent, enum ink ink, const char *text);

/* The same for the rules' own words, which may hold line breaks. */
void page_paragraphs(struct page *page, const char *first, size_t indent, const char *text);

/* Lines as they are, each indented: for commands, which are never broken. */
void page_verbatim(struct page *page, size_t indent, enum ink ink, const char *text);

/* A command (command.c): `first` before it, filled up to `indent` columns. On a terminal a line
 * that is too long is broken so that it still pastes as one command; where no line may be broken,
 * it is one line. */
void page_command(struct page *page, const char *first, size_t indent, enum ink ink,
		  const char *dialect, const char *text);

/* One command in place of several that differ in a last word, their quoted script: 'a; b'. NULL
 * when they do not, or when out of memory; the caller frees. */
char *command_joined(const char *const *commands, size_t count);

/* One line, cut with "..." at the width; `used` columns are on it already. */
void page_cut(struct page *page, size_t used, const char *text);

/* The path to the login up to where it stops, on one line after `first` (picture.c); nothing when
 * no hop is known. */
void page_path(struct page *page, const char *first, const struct report *report);

#endif
