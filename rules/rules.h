/* rules/: YAML to rule sets, layering, words with their placeholders filled in. It knows neither
 * findings nor what the facts mean.
 *
 * A rule set holds policy and words (DESIGN: rules). Logic lives in C: it chooses status and code.
 * The rules supply the words, may switch a check off, swap fail and warn by `severity`, and set
 * thresholds by `params`. */
#ifndef RULES_RULES_H
#define RULES_RULES_H

#include "facts/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <time.h>

struct rules;

/* One check's entry, borrowed from its rule set. */
struct rule {
	const char *id;
	bool enabled;
	const json_t *params;
};

/* The compiled-in default (checked and packed when the program is built). Returns 0 or -errno with
 * a sentence; the caller frees with rules_free (NULL is fine there). */
int rules_default(struct rules **ret, struct err *err);
void rules_free(struct rules *rules);

/* A rule set of its own from text, without the default below it; `file` is what errors name. */
int rules_text(struct rules **ret, const char *file, const char *text, size_t len, struct err *err);

/* Layers a file on top: maps merge deeply, lists replace. On error (-EINVAL with "FILE:LINE:COLUMN:
 * ...", or -errno when it cannot be read) the rule set is as before. */
int rules_layer(struct rules *rules, const char *path, struct err *err);

/* The same for text that has been read already; `file` is what errors name. */
int rules_layer_text(struct rules *rules, const char *file, const char *text, size_t len,
		     struct err *err);

/* The entry of a check; a check that no rule names is enabled and has no params. */
struct rule rules_for(const struct rules *rules, const char *check);

/* A parameter, or fallback when it is not set. Borrowed. */
json_int_t rule_int(const struct rule *rule, const char *param, json_int_t fallback);
const char *rule_str(const struct rule *rule, const char *param, const char *fallback);
const json_t *rule_list(const struct rule *rule, const char *param);

/* The entry of a code ({severity, title, why, explain, docs, explains, decide, remedies}), NULL
 * when no rule has it. Borrowed. *check (may be NULL) becomes the id of the check it belongs to. */
const json_t *rules_code(const struct rules *rules, const char *code, const char **check);

/* The severity ("fail" or "warn") that a layered file gives the code against the default's, NULL
 * when it leaves the verdict to C. Borrowed. */
const char *rules_severity(const struct rules *rules, const char *code);

/* The custom rules ("custom" list) and the waivers; arrays, perhaps empty. Borrowed. */
const json_t *rules_custom(const struct rules *rules);
const json_t *rules_waivers(const struct rules *rules);

/* The waiver that holds for this code on this resource (ARM id; NULL when not known) at that time,
 * NULL when there is none. Its "resource" may be an ARM id, a scope above it, GROUP/NAME or a name;
 * without one it holds everywhere. "expires" is its last day. */
const json_t *rules_waiver(const struct rules *rules, const char *code, const char *resource,
			   time_t now);

/* Every check's entry by id, for listings: {"nsg": {...}}. Borrowed. */
const json_t *rules_checks(const struct rules *rules);

/* "sha256:..." over the canonical form of the merged rule set: equal sets have equal digests.
 * Borrowed. */
const char *rules_digest(const struct rules *rules);

/* What the placeholders of a rule stand for: evidence first, then globals (vm rg subscription user
 * host port source_ip ...). Objects; NULL is an empty one. */
struct values {
	const json_t *evidence, *globals;
};

/* One way to fix a fault, ready to be shown. */
struct remedy {
	const char *dialect;                          /* "az", "powershell", "portal", "shell" */
	char *title, *command, *cost, *undo, *verify; /* any but command may be NULL */
	bool runnable; /* false when a value was missing and <LIKE-THIS> stands for it */
};

struct remedies {
	struct remedy *at;
	size_t count;
};

/* Appends the remedies of a code that apply to these values, in the dialects of a NULL-terminated
 * list of names ("shell" is always included); a command is not repeated in one dialect. Returns 0
 * or -ENOMEM; what was appended stays in the list either way. */
int rules_remedies(const struct rules *rules, const char *code, const struct values *values,
		   const char *const *dialects, struct remedies *list);
void remedies_free(struct remedies *list);

/* Fills the placeholders of one template for a dialect ("az" and "shell": POSIX shell quoting,
 * "powershell", "portal" and NULL: plain text). *runnable (may be NULL) becomes false when a value
 * was missing. The caller frees; NULL when out of memory. */
char *rules_fill(const char *text, const json_t *evidence, const json_t *globals,
		 const char *dialect, bool *runnable);

#endif
