#include "report/text.h"
#include "facts/visible.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	ROWS = 23, /* of the usual 24: the prompt takes one */
	BLOCKS = sizeof(((struct screen *)0)->blocks) / sizeof(struct block),
};

static const char instead[] = "    (too long for this screen: -v shows it)\n";

int
screen_start(struct screen *screen, const struct page *like)
{
	*screen = (struct screen){ .page = *like };
	screen->page.out = open_memstream(&screen->text, &screen->size);
	return screen->page.out != NULL ? 0 : -ENOMEM;
}

/* Ends the block under way. */
static void
close_block(struct screen *screen)
{
	if (screen->count > 0)
		screen->blocks[screen->count - 1].end = (size_t)ftello(screen->page.out);
}

struct page *
screen_block(struct screen *screen, enum section section, enum rank rank)
{
	close_block(screen);
	if (screen->count < BLOCKS)
		screen->blocks[screen->count++] = (struct block){
			.start = (size_t)ftello(screen->page.out), .rank = rank, .section = section
		};
	screen->page.most = 0;
	return &screen->page;
}

struct page *
screen_short_block(struct screen *screen, enum section section, enum rank rank, size_t most)
{
	struct page *page = screen_block(screen, section, rank);

	if (page->style->terminal && !page->style->verbose)
		page->most = most;
	return page;
}

/* The rows that a terminal needs for the text; colours take no room. */
static size_t
rows_of(const char *text, size_t len, size_t width)
{
	size_t rows = 0, columns = 0, n;
	uint32_t cp;

	for (size_t i = 0; i < len; i += n) {
		if ((n = visible_decode(text + i, len - i, &cp)) == 0)
			n = 1;
		if (text[i] == '\x1b') {
			n = strcspn(text + i, "m") + 1;
		} else if (text[i] == '\n') {
			rows += columns <= width ? 1 : (columns + width - 1) / width;
			columns = 0;
		} else {
			columns += visible_columns(cp);
		}
	}
	return rows;
}

static bool
shown(const struct block *block)
{
	return block->start < block->end && (!block->dropped || block->rank == RANK_COMMAND);
}

/* The rows of what is shown, empty lines included. */
static size_t
rows_of_all(const struct screen *screen)
{
	const struct block *before = NULL;
	size_t rows = 0;

	for (size_t i = 0; i < screen->count; i++) {
		const struct block *block = &screen->blocks[i];

		if (!shown(block))
			continue;
		rows += before != NULL && before->section != block->section;
		rows += block->dropped ? 1
				       : rows_of(screen->text + block->start,
						 block->end - block->start, screen->page.width);
		before = block;
	}
	return rows;
}

/* Drops the block that matters least; false when all that are left have to stay. */
static bool
drop_one(struct screen *screen)
{
	struct block *least = NULL;

	for (size_t i = 0; i < screen->count; i++) {
		struct block *block = &screen->blocks[i];

		if (!block->dropped && block->start < block->end && block->rank > RANK_MUST &&
		    (least == NULL || block->rank >= least->rank))
			least = block;
	}
	if (least == NULL)
		return false;
	least->dropped = true;
	return true;
}

static void
write_blocks(const struct screen *screen, FILE *out)
{
	const struct block *before = NULL;

	for (size_t i = 0; i < screen->count; i++) {
		const struct block *block = &screen->blocks[i];

		if (!shown(block))
			continue;
		if (before != NULL && before->section != block->section)
			putc('\n', out);
		if (block->dropped)
			fputs(instead, out);
		else
			fwrite(screen->text + block->start, 1, block->end - block->start, out);
		before = block;
	}
}

int
screen_end(struct screen *screen, FILE *out)
{
	const struct report_style *style = screen->page.style;
	int r;

	close_block(screen);
	r = fclose(screen->page.out) == 0 ? 0 : -ENOMEM;
	while (r == 0 && style->terminal && !style->verbose && rows_of_all(screen) > ROWS &&
	       drop_one(screen))
		;
	if (r == 0)
		write_blocks(screen, out);
	free(screen->text);
	return r;
}
