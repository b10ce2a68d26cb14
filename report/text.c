/* The format for people: on a terminal the answer on one screen, in a log the same and then all
 * that was found. */
#include "report/format.h"
#include "report/text.h"

#include <string.h>

enum { FEW = 20 }; /* VMs that a log has all details of */

/* Where lines may be as long as they are: in a log, since a log is for search. */
static void
start(struct page *page, FILE *out, const struct report_style *style)
{
	page_start(page, out, style);
	if (!style->terminal)
		page->width = PAGE_ENDLESS;
}

static int
write_one(struct page *page, const struct report *report)
{
	struct screen screen;
	int r = screen_start(&screen, page);

	if (r < 0)
		return r;
	write_answer(&screen, report);
	if ((r = screen_end(&screen, page->out)) < 0)
		return r;
	if (page->style->verbose || !page->style->terminal) {
		write_details(page, report);
		write_footer(page, report);
	}
	return 0;
}

int
report_text(FILE *out, const struct report *const *reports, size_t count,
	    const struct report_style *style)
{
	bool overview = count > 1, few = count <= (style->terminal ? 1 : FEW),
	     full = few || style->verbose;
	struct page page;
	int r = 0;

	start(&page, out, style);
	if (overview)
		write_overview(&page, reports, count);
	for (size_t i = 0; r == 0 && full && i < count; i++) {
		if (overview)
			putc('\n', out);
		r = write_one(&page, reports[i]);
	}
	return r < 0 ? r : format_end(page.out);
}
