#include "report/wrap.h"
#include "facts/visible.h"

#include <stdlib.h>
#include <string.h>

struct picture {
	const struct report_hop *hops[REPORT_HOPS]; /* those that are shown */
	bool left_out[REPORT_HOPS];
	bool labels; /* what decided at a blocked hop */
	size_t count;
};

static bool
is(const struct report_hop *hop, const char *state)
{
	return strcmp(hop->state, state) == 0;
}

static bool
same_state(const struct report_hop *a, const struct report_hop *b)
{
	return is(a, b->state) && !is(a, "blocked");
}

static void
write_hop(FILE *out, const struct report_hop *hop, bool labels, bool utf8)
{
	bool label = labels && *hop->label != '\0';

	if (!is(hop, "blocked"))
		fprintf(out, "%s%s", report_hop_name(hop), is(hop, "ok") ? "" : "?");
	else
		fprintf(out, "%s %s%s%s", utf8 ? "\xe2\x9c\x97" : "X", report_hop_name(hop),
			label ? ": " : "", label ? hop->label : "");
}

/* The caller frees. */
static char *
draw(const struct picture *picture, bool utf8)
{
	char *line = NULL;
	size_t size;
	FILE *out = open_memstream(&line, &size);

	for (size_t i = 0; out != NULL && i < picture->count; i++) {
		if (picture->left_out[i] && picture->left_out[i - 1])
			continue;
		if (i > 0)
			fputs(utf8 ? " \xe2\x86\x92 " : " > ", out);
		if (picture->left_out[i])
			fputs("...", out);
		else
			write_hop(out, picture->hops[i], picture->labels, utf8);
	}
	if (out != NULL && fclose(out) == 0)
		return line;
	free(line);
	return NULL;
}

/* Leaves out one more hop inside the longest run of hops in one state; false when none can be. */
static bool
shorten(struct picture *picture)
{
	size_t best = 0, longest = 2;

	for (size_t i = 0, end; i < picture->count; i = end) {
		for (end = i + 1;
		     end < picture->count && same_state(picture->hops[i], picture->hops[end]);)
			end++;
		if (end - i > longest && !picture->left_out[end - 2]) {
			best = i;
			longest = end - i;
		}
	}
	for (size_t i = best + 1; longest > 2; i++) {
		if (!picture->left_out[i]) {
			picture->left_out[i] = true;
			return true;
		}
	}
	return false;
}

void
page_path(struct page *page, const char *first, const struct report *report)
{
	struct picture picture = { .labels = true };
	bool utf8 = page->style->utf8, known = false;
	size_t used = strlen(first);
	char *line;

	for (size_t i = 0; i < REPORT_HOPS; i++) {
		const struct report_hop *hop = &report->path[i];

		if (!is(hop, "not-reached"))
			picture.hops[picture.count++] = hop;
		known = known || is(hop, "ok") || is(hop, "blocked");
	}
	if (!known)
		return;
	while (picture.count > 1 && is(picture.hops[picture.count - 1], "unknown") &&
	       is(picture.hops[picture.count - 2], "unknown"))
		picture.count--; /* nothing is known from the first of them on */
	line = draw(&picture, utf8);
	while (line != NULL && visible_width(line) + used > page->width &&
	       (picture.labels || shorten(&picture))) {
		free(line);
		picture.labels = false;
		line = draw(&picture, utf8);
	}
	fputs(first, page->out);
	page_cut(page, used, line);
	free(line);
}
