#include "report/wrap.h"
#include "facts/visible.h"

#include <stdlib.h>
#include <string.h>

enum { PROSE = 100 };

void
page_start(struct page *page, FILE *out, const struct report_style *style)
{
	int width = style->width > 0 ? style->width : 80;

	width = width < 40 ? 40 : width;
	*page = (struct page){ .out = out, .style = style, .width = (size_t)width };
}

void
page_ink(struct page *page, enum ink ink)
{
	static const char *const codes[] = { "0", "1", "1;31", "33", "32", "2" };

	if (page->style->color)
		fprintf(page->out, "\x1b[%sm", codes[ink]);
}

void
page_label(struct page *page, enum ink ink, const char *text)
{
	if (ink != INK_NONE)
		page_ink(page, ink);
	fputs(text, page->out);
	if (ink != INK_NONE)
		page_ink(page, INK_NONE);
	page->at += visible_width(text);
}

/* Writes what is not ASCII as \uXXXX, for terminals that cannot show it. */
static char *
to_ascii(const char *text)
{
	size_t size, len = strlen(text);
	char *ascii = NULL;
	FILE *out = open_memstream(&ascii, &size);
	uint32_t cp;

	if (out == NULL)
		return NULL;
	for (size_t i = 0, n; i < len; i += n) {
		if ((n = visible_decode(text + i, len - i, &cp)) == 1)
			putc(text[i], out);
		else if (n == 0 && (n = 1) == 1)
			putc('?', out);
		else
			fprintf(out, cp < 0x10000 ? "\\u%04x" : "\\U%08x", (unsigned)cp);
	}
	if (fclose(out) == 0)
		return ascii;
	free(ascii);
	return NULL;
}

char *
page_clean(const struct page *page, const char *text, bool lines)
{
	char *clean = visible_text(text == NULL ? "" : text, lines), *ascii;

	if (clean == NULL || page->style->utf8)
		return clean;
	ascii = to_ascii(clean);
	free(clean);
	return ascii;
}

static void
spaces(struct page *page, size_t count)
{
	while (count-- > 0)
		putc(' ', page->out);
}

/* A line under way. */
struct line {
	size_t at, indent; /* columns used; where later lines begin */
	size_t lines;      /* with this one */
	bool blank;        /* a word on it wants a blank before it */
	bool begun;        /* its indentation is written */
	bool cut;          /* the last line that may be filled is full */
};

/* The bytes at p that fit into so many columns, at least one code point; *columns is what they
 * take. */
static size_t
fitting(const char *p, size_t len, size_t room, size_t *columns)
{
	size_t i = 0, n;
	uint32_t cp;

	for (*columns = 0; i < len; i += n) {
		size_t one;

		n = visible_decode(p + i, len - i, &cp);
		one = n == 0 ? 1 : visible_columns(cp);
		n = n == 0 ? 1 : n;
		if (i > 0 && *columns + one > room)
			break;
		*columns += one;
	}
	return i;
}

static void
next_line(struct page *page, struct line *line)
{
	putc('\n', page->out);
	*line =
	    (struct line){ .at = line->indent, .indent = line->indent, .lines = line->lines + 1 };
}

/* Long lines are hard to read. */
static size_t
prose_width(const struct page *page)
{
	return page->width > PROSE && page->width < PAGE_ENDLESS ? PROSE : page->width;
}

/* Writes what of the word fits on one line; returns how many bytes that was. */
static size_t
put_part(struct page *page, struct line *line, const char *word, size_t len)
{
	bool last = page->most > 0 && line->lines >= page->most;
	size_t width = prose_width(page) - (last ? 4 : 0), columns,
	       part = fitting(word, len, page->most > 0 ? width - line->indent : PAGE_ENDLESS,
			      &columns);

	if (line->blank && line->at + 1 + columns > width) {
		if (last) {
			fputs(" ...", page->out);
			line->cut = true;
			return len;
		}
		next_line(page, line);
		return put_part(page, line, word, len);
	}
	if (!line->begun)
		spaces(page, line->indent);
	if (line->blank)
		putc(' ', page->out);
	fwrite(word, 1, part, page->out);
	line->at += columns + line->blank;
	line->blank = line->begun = true;
	return part;
}

static void
wrap(struct page *page, const char *first, size_t indent, enum ink ink, const char *text,
     bool lines)
{
	char *clean = page_clean(page, text, lines);
	size_t at = page->at + visible_width(first);
	struct line line = {
		.at = at > indent ? at : indent, .indent = indent, .lines = 1, .begun = true
	};

	fputs(first, page->out);
	spaces(page, at < indent ? indent - at : 0);
	if (ink != INK_NONE)
		page_ink(page, ink);
	for (const char *p = clean; p != NULL && *p != '\0' && !line.cut;) {
		size_t len = strcspn(p, " \n");

		for (size_t done = 0; done < len && !line.cut;)
			done += put_part(page, &line, p + done, len - done);
		p += len;
		if (*p == '\n' && p[1] != '\0')
			next_line(page, &line);
		p += *p != '\0';
		line.cut = line.cut || (page->most > 0 && line.lines > page->most);
	}
	if (ink != INK_NONE)
		page_ink(page, INK_NONE);
	putc('\n', page->out);
	page->at = 0;
	free(clean);
}

void
page_wrap(struct page *page, const char *first, size_t indent, enum ink ink, const char *text)
{
	wrap(page, first, indent, ink, text, false);
}

void
page_paragraphs(struct page *page, const char *first, size_t indent, const char *text)
{
	wrap(page, first, indent, INK_NONE, text, true);
}

void
page_verbatim(struct page *page, size_t indent, enum ink ink, const char *text)
{
	char *clean = visible_text(text == NULL ? "" : text, true);

	for (const char *p = clean; p != NULL && *p != '\0';) {
		size_t len = strcspn(p, "\n");

		spaces(page, len > 0 ? indent : 0);
		if (ink != INK_NONE)
			page_ink(page, ink);
		fwrite(p, 1, len, page->out);
		if (ink != INK_NONE)
			page_ink(page, INK_NONE);
		putc('\n', page->out);
		p += len + (p[len] == '\n');
	}
	free(clean);
}

void
page_cut(struct page *page, size_t used, const char *text)
{
	char *clean = page_clean(page, text, false);
	size_t len = clean == NULL ? 0 : strlen(clean),
	       room = page->width > used ? page->width - used : 0, at = 0, i = 0;
	bool fits = clean != NULL && visible_width(clean) <= room;
	uint32_t cp;

	while (i < len) {
		size_t n = visible_decode(clean + i, len - i, &cp);
		size_t columns = n == 0 ? 1 : visible_columns(cp);

		if (!fits && at + columns + 3 > room)
			break;
		at += columns;
		i += n == 0 ? 1 : n;
	}
	if (clean != NULL)
		fwrite(clean, 1, i, page->out);
	fputs(fits ? "\n" : "...\n", page->out);
	free(clean);
}
