/* The formats of a report: one file and one row of formats.def each. */
#ifndef REPORT_FORMAT_H
#define REPORT_FORMAT_H

#include "report/report.h"

/* A format is a pure function from reports to a stream. 0, or -errno when it cannot be written; the
 * stream is flushed before it returns. */
typedef int format_writer(FILE *out, const struct report *const *reports, size_t count,
			  const struct report_style *style);

struct format {
	const char *name; /* as --format takes it */
	format_writer *write;
	bool many;   /* one document holds all reports; else write is called for each of them */
	bool person; /* meant for people: --quiet keeps it off stdout */
	/* How it writes a bracket or colon that would begin a command of a CI agent (visible_log).
	 * NULL: it has no such texts, or commands are what it is for. */
	const char *bracket, *colon;
};

extern const struct format formats[]; /* ends with a row without a name */

/* The format of that name (len bytes); NULL when there is none. */
const struct format *format_named(const char *name, size_t len);

/* The names of all of them, in the order of the table. */
void format_names(char *ret, size_t size, char separator);

/* Writes the reports in one format. 0 or -errno. */
int format_write(const struct format *format, FILE *out, const struct report *const *reports,
		 size_t count, const struct report_style *style);

#define FORMAT(name, write, ...) format_writer write;
#include "report/formats.def"
#undef FORMAT

/* What a format ends with: 0, or -errno when anything could not be written. */
int format_end(FILE *out);

/* Writes a document as ASCII and ends; takes the reference. 0 or -errno. */
int format_json(FILE *out, json_t *json, size_t flags);

/* One report as JSON; the caller owns it, NULL when out of memory. */
json_t *report_as_json(const struct report *report);

#endif
