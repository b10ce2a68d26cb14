/* How a status and a verdict look. */
#include "report/text.h"
#include "facts/doc.h"
#include "facts/visible.h"

#include <stdlib.h>
#include <string.h>

enum { CODE_COLUMN = 100 };

const struct mark marks[] = {
	[PASS] = { "ok", "\xe2\x9c\x93", INK_GREEN }, [WARN] = { "warn", "!", INK_YELLOW },
	[FAIL] = { "FAIL", "\xe2\x9c\x97", INK_RED }, [SKIP] = { "skip", "\xe2\x80\x93", INK_DIM },
	[UNKNOWN] = { "unknown", "?", INK_YELLOW },
};

/* "✗ " or "FAIL: ", in its colour. */
void
write_sign(struct page *page, enum status status)
{
	const struct mark *mark = &marks[status];
	char *sign = page->style->utf8 ? doc_fmt("%s ", mark->sign) : doc_fmt("%s: ", mark->word);

	page_label(page, mark->ink, sign != NULL ? sign : "");
	free(sign);
}

void
write_verdict(struct page *page, enum status status, const char *text, const char *code)
{
	enum ink ink = marks[status].ink;
	char *clean = page_clean(page, text, false), *whole;
	size_t used, width = page->width > CODE_COLUMN ? CODE_COLUMN : page->width;

	write_sign(page, status);
	used = page->at + (clean != NULL ? visible_width(clean) : 0);
	if (code != NULL && page->width >= PAGE_ENDLESS) {
		whole = doc_fmt("%s [%s]", text, code);
		page_wrap(page, "", page->at, ink, whole);
		free(whole);
	} else if (code != NULL && clean != NULL && used + 2 + strlen(code) <= width) {
		page_label(page, ink, clean);
		fprintf(page->out, "%*s", (int)(width - used - strlen(code)), "");
		page_wrap(page, "", 0, INK_DIM, code);
	} else {
		page_wrap(page, "", page->at, ink, text);
	}
	free(clean);
}

char *
doubtful_title(const struct finding *finding)
{
	return doc_fmt("%s%s", report_title(finding), report_doubt(finding));
}
