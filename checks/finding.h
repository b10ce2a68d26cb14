/* What a check says: one finding, perhaps with more of them beside it. It stays as it is once the
 * check has returned: causes_make makes new ones of all findings together, finding_fill_in adds the
 * words of the rules. */
#ifndef CHECKS_FINDING_H
#define CHECKS_FINDING_H

#include "checks/codes.h"
#include "rules/rules.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum status { PASS, WARN, FAIL, SKIP, UNKNOWN };
enum confidence { CERTAIN, LIKELY, POSSIBLE };

#define POSSIBLE_MAX 16

struct finding {
	const char *check; /* the check's id */
	enum check_id check_id;
	const char *rule; /* the rule that asked: the check's id, or a custom rule's */
	enum status status;
	enum confidence confidence;
	enum code id;     /* CODE_CUSTOM: a rule file's */
	const char *code; /* its word, stable, kebab-case */
	char *own_code;   /* the word of CODE_CUSTOM */
	char *summary;    /* one sentence with this case's values */
	char
	    *changes; /* ARM id of what its remedies change; NULL when that is nothing of Azure's */
	json_t *evidence; /* object; never NULL after finding_init */
	enum code
	    possible[POSSIBLE_MAX]; /* codes that look the same from outside, up to CODE_CUSTOM */
	struct finding *also;       /* further things the same check has to say; owned */
	size_t also_count;

	/* set by finding_fill_in and causes_make */
	char *title, *why, *docs;
	struct remedies remedies;
	size_t ways; /* so many of them, the last ones, are other ways in until it is fixed */
	const struct finding
	    *explained_by; /* the failed finding this one follows from; borrowed, NULL for none */
};

/* Starts a finding as SKIP "not-run". */
void finding_init(struct finding *finding, const char *check);
void finding_free(struct finding *finding);                 /* its contents; NULL is fine */
void findings_free(struct finding *findings, size_t count); /* an array and all of them */

/* A copy of what a check said, less its words; finding_free is due either way. 0 or -ENOMEM. */
int finding_copy(const struct finding *finding, struct finding *ret);

/* All findings and those beside them; the caller frees `at`, whose entry at count is NULL. 0 or
 * -ENOMEM. */
struct flat {
	const struct finding **at;
	size_t count;
};
int findings_flatten(const struct finding *findings, size_t count, struct flat *ret);

/* Sets verdict, code and sentence (confidence CERTAIN); returns 0 so that a check can end with it,
 * -ENOMEM when out of memory. */
int finding_set(struct finding *finding, enum status status, enum code code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* The same with confidence LIKELY. */
int finding_likely(struct finding *finding, enum status status, enum code code, const char *fmt,
		   ...) __attribute__((format(printf, 4, 5)));

/* The same as finding_set with a code of a rule file. */
int finding_custom(struct finding *finding, enum status status, const char *code, const char *fmt,
		   ...) __attribute__((format(printf, 4, 5)));

/* Adds evidence; a NULL text, or a NULL value, adds nothing. finding_value takes the reference. */
void finding_text(struct finding *finding, const char *key, const char *text);
void finding_number(struct finding *finding, const char *key, json_int_t value);
void finding_value(struct finding *finding, const char *key, json_t *value);

/* A list of texts; NULL adds nothing. Returns it, borrowed. */
const json_t *finding_texts(struct finding *finding, const char *key, const char *const *texts,
			    size_t count);

/* Names the Azure resource that its remedies change; nothing when the id is NULL. */
void finding_changes(struct finding *finding, const char *id);

/* Names a code that may be the true cause and looks the same from outside; the `decide` of its
 * words says how to tell. What does not fit is dropped. */
void finding_possible(struct finding *finding, enum code code);

/* A further finding of the same check, to be filled with finding_set; borrowed and valid until the
 * next finding_also on the same finding. NULL when out of memory. */
struct finding *finding_also(struct finding *finding);

/* The finding itself while nothing has been set on it, then one more beside it: what a check says
 * first is its main finding. */
struct finding *finding_next(struct finding *finding);

/* Fills in the words of a finding, and of those beside it, from the rules: title, why, docs, and
 * remedies of these dialects (see rules_remedies). Placeholders take the finding's evidence, then
 * globals. Returns 0 or -ENOMEM. */
int finding_fill_in(struct finding *finding, const struct rules *rules, const json_t *globals,
		    const char *const *dialects);

const char *status_word(enum status status); /* "pass", "warn", "fail", "skip", "unknown" */
const char *confidence_word(enum confidence confidence); /* "certain", "likely", "possible" */

#endif
