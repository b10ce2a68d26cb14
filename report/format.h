/* The formats of a report: one file and one row of the table in formats.c each. */
#ifndef REPORT_FORMAT_H
#define REPORT_FORMAT_H

#include "report/report.h"

/* A format is a pure function from reports to a stream. */
struct format {
	const char *name; /* as --format takes it */
	/* 0, or -errno when it cannot be written; the stream is flushed before it returns. */
	int (*write)(FILE *out, const struct report *const *reports, size_t count,
		     const struct report_style *style);
	bool many;    /* one document holds all reports; else write is called for each of them */
	bool to_file; /* may be written to a file */
	bool person;  /* meant for people: --quiet keeps it off stdout */
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

/* The rows' functions. */
int report_text(FILE *out, const struct report *const *reports, size_t count,
		const struct report_style *style);
int report_json(FILE *out, const struct report *const *reports, size_t count,
		const struct report_style *style);
int report_ndjson(FILE *out, const struct report *const *reports, size_t count,
		  const struct report_style *style);

/* One report as JSON; the caller owns it, NULL when out of memory. */
json_t *report_as_json(const struct report *report);

#endif
