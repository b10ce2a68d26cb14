/* report/: one file a format. It knows findings, the diagnosis and the rules' words, nothing else:
 * report_build turns them into the JSON report of the contract, and every format is a pure function
 * from such reports to a stream. build.c, path.c, text.c (with wrap.c, picture.c), json.c, list.c.
 */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include "checks/checks.h"
#include "facts/facts.h"
#include "checks/finding.h"
#include "rules/rules.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#define REPORT_SCHEMA "azssh-doctor/report/1"

/* How text may look; all false and width 0 (then 80) is what a pipe gets. */
struct report_style {
	bool color, utf8;    /* escape sequences; symbols and lines beyond ASCII */
	bool quiet, verbose; /* only the verdict and its remedy; evidence of every finding */
	int width;           /* columns */
};

/* The report on one target, as section 3 of DESIGN.md has it; `globals` are those of
 * globals_from_facts. The caller owns it; NULL when out of memory. finding_fill_in must have been
 * over the findings. */
json_t *report_build(const struct facts *facts, const struct rules *rules,
		     const struct finding *findings, size_t count,
		     const struct diagnosis *diagnosis, const json_t *globals, int exit_code);

/* The hops from this machine to the login, from the findings: [{"hop", "state", "label"}]; a new
 * reference. */
json_t *report_path(const struct finding *findings, size_t count,
		    const struct diagnosis *diagnosis);

/* Formats: 0, or -errno when it cannot be written (the stream is flushed first). Several reports:
 * text puts them one below the other, json makes an array of them when count is not 1. */
int report_text(FILE *out, json_t *const *reports, size_t count, const struct report_style *style);
int report_json(FILE *out, json_t *const *reports, size_t count);
int report_ndjson(FILE *out, const json_t *report);

/* --list-checks: every check in path order with its codes. 0 or -errno. */
int report_checks(FILE *out, const struct rules *rules, const struct report_style *style);

/* --explain CODE: 0, -ENOENT when no rule knows it (nothing is written), or -errno. */
int report_explain(FILE *out, const struct rules *rules, const char *code,
		   const struct report_style *style);

/* --lint-rules: what the file (already layered on `rules`) sets, in one line. 0 or -errno. */
int report_lint(FILE *out, const struct rules *rules, const char *file);

#endif
