#include "report/wrap.h"
#include "facts/visible.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void
page_start(struct page *page, FILE *out, const struct report_style *style)
{
	int width = style->width > 0 ? style->width : 80;

	*page = (struct page){ .out = out,
			       .style = style,
			       .width = width < 40    ? 40
					: width > 200 ? 200
						      : (size_t)width };
}

int
page_end(struct page *page)
{
	errno = 0;
	if (fflush(page->out) != 0 || ferror(page->out))
		return errno != 0 ? -errno : -EIO;
	return 0;
}

void
page_ink(struct page *page, enum ink ink)
{
	static const char *const codes[] = { "0", "1", "1;31", "33", "32", "2" };

	if (page->style->color)
		fprintf(page->out, "\x1b[%sm", codes[ink]);
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

/* The bytes of the first word at p, and its columns. */
static size_t
word_at(const char *p, size_t *columns)
{
	size_t len = strcspn(p, " \n");
	char copy[256];

	*columns = len;
	if (len < sizeof(copy)) {
		memcpy(copy, p, len);
		copy[len] = '\0';
		*columns = visible_width(copy);
	}
	return len;
}

/* A line under way. */
struct line {
	size_t at, indent; /* columns used; where later lines begin */
	bool blank;        /* a word on it wants a blank before it */
	bool begun;        /* its indentation is written */
};

static void
put_word(struct page *page, struct line *line, const char *word, size_t len, size_t columns)
{
	if (line->blank && line->at + 1 + columns > page->width) {
		putc('\n', page->out);
		*line = (struct line){ .at = line->indent, .indent = line->indent };
	}
	if (!line->begun)
		spaces(page, line->indent);
	if (line->blank)
		putc(' ', page->out);
	fwrite(word, 1, len, page->out);
	line->at += columns + line->blank;
	line->blank = line->begun = true;
}

static void
wrap(struct page *page, const char *first, size_t indent, enum ink ink, const char *text,
     bool lines)
{
	char *clean = page_clean(page, text, lines);
	size_t columns, at = visible_width(first);
	struct line line = { .at = at > indent ? at : indent, .indent = indent, .begun = true };

	fputs(first, page->out);
	spaces(page, at < indent ? indent - at : 0);
	if (ink != INK_NONE)
		page_ink(page, ink);
	for (const char *p = clean; p != NULL && *p != '\0';) {
		size_t len = word_at(p, &columns);

		if (len > 0)
			put_word(page, &line, p, len, columns);
		p += len;
		if (*p == '\n' && p[1] != '\0') {
			putc('\n', page->out);
			line = (struct line){ .at = indent, .indent = indent };
		}
		p += *p != '\0';
	}
	if (ink != INK_NONE)
		page_ink(page, INK_NONE);
	putc('\n', page->out);
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
