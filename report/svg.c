/* The path as a picture: a column of hops, each with a sign of its own shape, its name and what
 * decided there. It has its own style, for light and dark, and says the same in words. */
#include "report/markup.h"
#include "facts/visible.h"

#include <stdlib.h>
#include <string.h>

enum { ROW = 36, LEFT = 18, TEXT = 42, WIDTH = 420, LABEL_MOST = 44 };

static const char style[] =
    ".hops{--ok:#1a7f37;--no:#b3261e;--dim:#6e7681;--ink:#1f2328;max-width:420px;width:100%;height:"
    "auto}"
    "@media(prefers-color-scheme:dark){.hops{--ok:#4cc26e;--no:#ff8a80;--dim:#8b949e;--ink:#e6edf3}"
    "}"
    ".hops text{font:15px system-ui,sans-serif;fill:var(--ink)}.hops "
    ".by{font-size:12px;fill:var(--dim)}"
    ".hops .line{stroke:var(--dim);stroke-width:2}.hops .far{stroke-dasharray:3 4}"
    ".hops .ok{stroke:var(--ok)}.hops .blocked{stroke:var(--no)}.hops .unknown,.hops "
    ".not-reached{stroke:var(--dim)}"
    ".hops .sign{fill:none;stroke-width:2.5;stroke-linecap:round}";

/* No two states have the same shape: a circle with a tick, an octagon with a cross, a rhombus with
 * a question mark, a small ring. */
static const struct sign {
	const char *state, *words, *shape;
} signs[] = {
	{ "ok", "passed", "M10 0A10 10 0 1 1-10 0A10 10 0 1 1 10 0M-5 0L-1 4L5-4" },
	{ "blocked", "blocked", "M-4-10H4L10-4V4L4 10H-4L-10 4V-4ZM-4-4L4 4M4-4L-4 4" },
	{ "unknown", "not known", "M0-11L11 0L0 11L-11 0ZM-3-2Q-3-5 0-5T3-2Q3 0 0 1M0 4.5V4.6" },
	{ "not-reached", "not reached", "M4 0A4 4 0 1 1-4 0A4 4 0 1 1 4 0" },
};

static const struct sign *
sign_of(const struct report_hop *hop)
{
	const struct sign *sign = signs;

	while (sign < signs + 3 && strcmp(sign->state, hop->state) != 0)
		sign++;
	return sign;
}

/* In Markdown an empty line would end the picture, so there is none. */
static void
write_line(FILE *out, const char *text)
{
	char *clean = visible_text(text, false);

	markup_text(out, clean);
	free(clean);
}

/* "Subnet NSG: blocked by DenyAll (100)" */
static void
write_words(FILE *out, const struct report_hop *hop)
{
	markup_text(out, report_hop_name(hop));
	fprintf(out, ": %s", sign_of(hop)->words);
	if (*hop->label != '\0') {
		fputs(" (", out);
		write_line(out, hop->label);
		putc(')', out);
	}
}

/* What decided, as far as there is room. */
static void
write_label(FILE *out, const char *label)
{
	char *clean = visible_text(label, false);
	size_t at = 0, columns = 0, n;
	uint32_t cp;

	while (clean[at] != '\0' && columns < LABEL_MOST) {
		n = visible_decode(clean + at, strlen(clean + at), &cp);
		at += n > 0 ? n : 1;
		columns++;
	}
	if (clean[at] != '\0')
		visible_cut(clean, at);
	markup_text(out, clean);
	free(clean);
}

static void
write_hop(FILE *out, const struct report_hop *hop, size_t row, bool last)
{
	const struct sign *sign = sign_of(hop);
	bool label = *hop->label != '\0';

	fprintf(out, "<g transform=\"translate(%d %zu)\"><title>", LEFT, row * ROW + ROW / 2);
	write_words(out, hop);
	fputs("</title>", out);
	if (!last)
		fprintf(out, "<path class=\"line%s\" d=\"M0 12V%d\"/>",
			strcmp(sign->state, "ok") == 0 ? "" : " far", ROW - 12);
	fprintf(out, "<path class=\"sign %s\" d=\"%s\"/><text x=\"%d\" y=\"%d\">", sign->state,
		sign->shape, TEXT - LEFT, label ? 0 : 5);
	markup_text(out, report_hop_name(hop));
	fputs("</text>", out);
	if (label) {
		fprintf(out, "<text class=\"by\" x=\"%d\" y=\"14\">", TEXT - LEFT);
		write_label(out, hop->label);
		fputs("</text>", out);
	}
	fputs("</g>\n", out);
}

void
svg_path(FILE *out, const struct report *report)
{
	fprintf(out,
		"<svg class=\"hops\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" "
		"role=\"img\">\n"
		"<title>The path from this computer to the login on ",
		WIDTH, REPORT_HOPS * ROW);
	write_line(out, report_name(report));
	fputs("</title>\n<desc>", out);
	for (size_t i = 0; i < REPORT_HOPS; i++) {
		fputs(i > 0 ? "; " : "", out);
		write_words(out, &report->path[i]);
	}
	fprintf(out, "</desc>\n<style>%s</style>\n", style);
	for (size_t i = 0; i < REPORT_HOPS; i++)
		write_hop(out, &report->path[i], i, i + 1 == REPORT_HOPS);
	fputs("</svg>\n", out);
}
