/* report/: what a run says about one target, as one struct, and the formats that write it. Nothing
 * here knows facts or Azure: a report is built once from findings, diagnosis and the rules' words.
 */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include "checks/about.h"
#include "checks/checks.h"
#include "checks/finding.h"
#include "rules/rules.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define REPORT_SCHEMA "azssh-doctor/report/1"
#define REPORT_HOPS 12

/* A code that may be the true cause, and the command that decides. */
struct report_possible {
	const char *code;
	char *title, *decide; /* owned; NULL when the rules know none */
};

/* One step of the way from this computer to the login. */
struct report_hop {
	const char *name;  /* "nic-nsg" */
	const char *state; /* "ok", "blocked", "unknown" or "not-reached" */
	char *label;       /* what decided; "" for none; owned */
};

/* The report on one target. Everything but what `possible` and `path` own is borrowed from what it
 * was built of, which has to live as long. */
struct report {
	const char *version, *rules; /* of the program; digest of the rule set */
	const json_t *rule_files;    /* the names of the files layered on the default, or NULL */
	char started[32];            /* RFC 3339, UTC */
	const struct about *about;   /* what it is about */
	enum status verdict;
	int exit_code;
	const char *title; /* the whole report in one line */

	/* The root cause; NULL for pass and warn. */
	const struct finding *cause;
	const struct finding *const *explained, *const *next;
	size_t explained_count, next_count;
	struct report_possible possible[POSSIBLE_MAX];
	size_t possible_count;

	/* Another way in to a VM that is not connected to directly; NULL for none. */
	const struct finding *way;

	const struct finding *findings;
	size_t count;
	char *own_title;
	json_t *baseline; /* {"started", "new", "gone", "changes"}; NULL without one; owned */
	struct report_hop path[REPORT_HOPS];
};

/* Builds the report; finding_fill_in must have been over the findings. 0, or -ENOMEM with nothing
 * to free. */
int report_build(const struct about *about, const struct rules *rules,
		 const struct finding *findings, size_t count, const struct diagnosis *diagnosis,
		 const json_t *globals, int exit_code, struct report *ret);
void report_free(struct report *report); /* its contents; NULL is fine */

/* A finding's words, never empty: what the rules lack is taken from the check's own sentence. */
const char *report_title(const struct finding *finding);
const char *report_summary(const struct finding *finding);
const char *report_why(const struct finding *finding);

/* How sure a finding is, to follow its title: "", " (likely)" or " (possibly)". */
const char *report_doubt(const struct finding *finding);

/* What a report is about, in one word: the VM, the host, or "this computer". */
const char *report_name(const struct report *report);

/* The first remedy of a finding, ways in aside; NULL for none. */
const struct remedy *report_remedy(const struct finding *finding);

/* The digest of the rules, without its kind. */
const char *report_digest(const struct report *report);

/* What people call a hop: "NIC NSG". */
const char *report_hop_name(const struct report_hop *hop);

/* What a check comes to: its finding, or the worse one beside it. */
const struct finding *report_worst(const struct finding *finding);

/* All findings, those beside others behind these; the caller frees the list. */
const struct finding **report_findings(const struct report *report, size_t *count);

/* The hops from this computer to the login, from the findings; labels are owned by the caller. 0 or
 * -ENOMEM. */
int report_path(const struct finding *findings, size_t count, const struct diagnosis *diagnosis,
		struct report_hop ret[REPORT_HOPS]);

/* The command that shows whether the remedy has helped: where that is a plain new look, the user's
 * own command line. NULL for none. */
const char *report_verify(const struct report *report, const struct remedy *remedy);

/* true when the server accepted a key, or asks for nothing more. */
bool report_connects(const struct report *report);

/* How text may look; all false and width 0 (then 80) is what a pipe gets. */
struct report_style {
	bool color, utf8; /* escape sequences; symbols and lines beyond ASCII */
	bool terminal;    /* the answer has to fit a screen; else it is a log */
	bool verbose;     /* every remedy, and the evidence of every finding */
	int width;        /* columns */
};

/* --list-checks: every check in path order with its codes. 0 or -errno. */
int report_checks(FILE *out, const struct rules *rules, const struct report_style *style);

/* --explain CODE, or the codes of a check: 0, -ENOENT when no rule knows it (nothing is written),
 * or -errno. */
int report_explain(FILE *out, const struct rules *rules, const char *code,
		   const struct report_style *style);

/* --lint-rules: what the file (already layered on `rules`) sets, in one line. 0 or -errno. */
int report_lint(FILE *out, const struct rules *rules, const char *file);

#endif
