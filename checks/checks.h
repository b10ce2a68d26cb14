/* checks/: one file a check, the tables of checks and codes, the run over them, the diagnosis.
 * Checks are pure: a scene and a rule in, a finding out; no clock (scene->now), no environment, no
 * I/O.
 *
 * To add a check: one file beside these with its function, its row in checks.def, its codes in
 * codes.def, their words in rules/default.yaml, the file name in Makefile.am, one scenario. */
#ifndef CHECKS_CHECKS_H
#define CHECKS_CHECKS_H

#include "facts/facts.h"
#include "checks/finding.h"
#include "checks/scene.h"
#include "rules/rules.h"

/* 0 or -errno, which is about the program; the verdict is in the finding. */
typedef int check_run(const struct scene *scene, const struct rule *rule, struct finding *finding);

#define CHECK(ident, run, id, title, hop, medium, needs) check_run run;
#define WORDS(ident, id, hop)
#include "checks/checks.def"
#undef CHECK
#undef WORDS

struct check {
	const char *id; /* "key-format": also the key of its rules entry */
	const char *title;
	enum hop hop;
	enum medium medium;
	unsigned needs; /* FACTS_BIT(...) that must be known */
	check_run *run; /* NULL when nothing computes it yet */
};

/* What codes.def says of a code. */
struct code_row {
	const char *word;
	enum check_id check;
	enum status severity;
	enum medium medium;
	enum check_id stops;
};

extern const struct check check_table[CHECK_COUNT];  /* by enum check_id; [CHECK_NONE] is empty */
extern const struct code_row code_table[CODE_COUNT]; /* by enum code; [CODE_CUSTOM] is empty */

/* Which checks to run: NULL lists mean no restriction. */
struct selection {
	const char *const *only, *const *skip; /* NULL-terminated lists of ids */
};

/* Runs every check over one target, and weighs all findings together (causes.h). *ret becomes an
 * array in path order, one finding a check; the caller frees with findings_free. Returns 0 or
 * -errno. */
int checks_run(const struct scene *scene, const struct rules *rules,
	       const struct selection *selection, struct finding **ret, size_t *count);

/* generic.c: runs one rule of the `custom` list (types "fact" and "command") over the facts.
 * Returns 0 or -errno. */
int generic_run(const struct facts *facts, const json_t *custom, struct finding *finding);

/* The one root cause. All pointers are borrowed from the findings it was made of. */
struct diagnosis {
	enum status verdict;              /* PASS, WARN, FAIL or UNKNOWN */
	const struct finding *cause;      /* NULL for PASS and WARN */
	const struct finding **explained; /* failed or warned findings that follow from the cause */
	size_t explained_count;
	const struct finding *
	    *next; /* further failures that nothing explains, in the order they will be met */
	size_t next_count;
};

/* Names the cause. Returns 0 or -ENOMEM; diagnosis_free takes NULL. */
int diagnosis_make(const struct finding *findings, size_t count, struct diagnosis *ret);
void diagnosis_free(struct diagnosis *diagnosis);

#endif
