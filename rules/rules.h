/* rules/: YAML to rule sets, layering, words with their placeholders filled in. It knows neither
 * findings nor what the facts mean.
 *
 * A rule set holds policy and words (DESIGN: rules). Logic lives in C: it chooses status and code.
 * The rules supply the words, may switch a check off, swap fail and warn by `severity`, and set
 * thresholds by `params`. A rule set is a set of plain tables; those of the default are constants
 * that rules/pack writes while the program is built, so a run without a layer reads and parses
 * nothing. */
#ifndef RULES_RULES_H
#define RULES_RULES_H

#include "facts/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <time.h>

struct rules;

/* One way to fix a fault, as the rules have it. Texts but dialect and command may be NULL. */
struct remedy_words {
	const char *dialect; /* "az", "powershell", "portal", "shell" */
	const char *title;
	const char *when, *unless; /* the value that must be there, or must not */
	const char *command;       /* see the characters below; in the portal: the steps */
	const char *cost;
	const char *undo, *verify; /* commands, or sentences */
	const char *changes; /* "nothing", "this-computer", "azure", "guest", NULL when not known */
	const char *needs;   /* the Azure actions that it takes, with blanks between */
};

/* A command is one string: a text (shell text with pipes and the like, never run by this program,
 * or words for a person), or lists of arguments, one list a step. Every argument of a list ends
 * with ARGUMENT_END, or with SCRIPT_END when it is a script for another shell; every step after the
 * first begins with STEP_START. No text of a rule holds these characters. */
#define ARGUMENT_END '\x1f'
#define SCRIPT_END '\x1e'
#define STEP_START '\x1d'

struct argument {
	const char *text; /* not terminated */
	size_t len;
	bool script; /* a script for another shell */
	bool first;  /* the first of its step */
};

/* Reads the argument at *at and moves *at past it; false at the end, and for a text. `command` is
 * the start of the whole. */
bool command_next(const char *command, const char **at, struct argument *ret);

/* What the rules say about one code. Texts but the first two may be NULL. */
struct code_words {
	const char *code;
	const char *owner; /* the id of the check or custom rule that it belongs to */
	const char *severity, *title, *why, *explain, *docs;
	const char *explains; /* codes and checks that follow from it, with blanks between */
	const char *decide;
	const struct remedy_words *remedies; /* in the order of the report */
	size_t remedy_count;
};

struct param {
	const char *name;
	long long value;
};

/* The entry of a check, or of a custom rule. */
struct rule {
	const char *id;
	bool enabled;
	const char *title;    /* of a custom rule, else NULL */
	const char *evidence; /* the evidence keys that words may name, with blanks between */
	const char *ways;     /* a code whose remedies follow those of every failure, or NULL */
	const struct param *params;
	size_t param_count;
	const struct code_words *codes;
	size_t code_count;
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

/* Every entry: those of checks in the order of the file, then those of custom rules. Borrowed. */
const struct rule *rules_all(const struct rules *rules, size_t *count);

/* The entry of a check; a check that no rule names is enabled and has no params. */
struct rule rules_for(const struct rules *rules, const char *check);

/* A parameter, or fallback when it is not set. */
long long rule_int(const struct rule *rule, const char *param, long long fallback);

/* The words of a code, NULL when no rule has it. Borrowed. */
const struct code_words *rules_code(const struct rules *rules, const char *code);

/* The severity ("fail" or "warn") that a layered file gives the code against the default's, NULL
 * when it leaves the verdict to C. Borrowed. */
const char *rules_severity(const struct rules *rules, const char *code);

/* true when name is in a list of names with blanks between them; NULL is an empty list. */
bool name_listed(const char *list, const char *name);

/* The custom rules ("custom" list) and the waivers as the file has them; arrays, NULL when empty.
 * Borrowed. */
const json_t *rules_custom(const struct rules *rules);
const json_t *rules_waivers(const struct rules *rules);

/* The waiver that holds for this code on this resource (ARM id; NULL when not known) at that time,
 * NULL when there is none. Its "resource" may be an ARM id, a scope above it, GROUP/NAME or a name;
 * without one it holds everywhere. "expires" is its last day; *expired (may be NULL) becomes one
 * that is over, NULL when there is none. */
const json_t *rules_waiver(const struct rules *rules, const char *code, const char *resource,
			   time_t now, const json_t **expired);

/* The names of the files that were layered on the default, lowest first; NULL when there are none.
 * Borrowed. */
const json_t *rules_files(const struct rules *rules);

/* "sha256:..." over everything that the rule set says: equal sets have equal digests. Borrowed. */
const char *rules_digest(const struct rules *rules);

/* What the placeholders of a rule stand for: evidence first, then globals (vm rg subscription user
 * host port source_ip ...). Objects; NULL is an empty one. */
struct values {
	const json_t *evidence, *globals;
};

/* One way to fix a fault, ready to be shown. dialect, changes and needs are the rule set's. */
struct remedy {
	const char *dialect;                          /* "az", "powershell", "portal", "shell" */
	char *title, *command, *cost, *undo, *verify; /* any but command may be NULL */
	char *arguments;             /* the command as lists of arguments, NULL when it is a text */
	const char *changes, *needs; /* as in remedy_words */
	const char *may;             /* "you may", "ask an owner"; NULL when that is not known */
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

/* Fills the placeholders of words for people. The caller frees; NULL when out of memory or text is
 * NULL. */
char *rules_fill(const char *text, const struct values *values);
/* The same; NULL also when one of them has no value. */
char *rules_fill_known(const char *text, const struct values *values);

/* Fills the placeholders of a command and writes it as one line of the dialect's shell: every value
 * is one word there, whatever it holds. *arguments (may be NULL) becomes the same as lists of
 * arguments, NULL for a text; *full (may be NULL) becomes false when a value was missing. The
 * caller frees both; NULL when out of memory or command is NULL. */
char *rules_command(const char *command, const char *dialect, const struct values *values,
		    char **arguments, bool *full);

#endif
