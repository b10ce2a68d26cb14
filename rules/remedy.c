#include "rules/rules.h"
#include "rules/tree.h"
#include "facts/doc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const dialect_order[] = { "az", "powershell", "shell", "portal" };

static bool
wanted(const char *const *dialects, const char *dialect)
{
	if (strcmp(dialect, "shell") == 0)
		return true;
	for (; dialects != NULL && *dialects != NULL; dialects++)
		if (strcmp(*dialects, dialect) == 0)
			return true;
	return false;
}

/* The filled text under key, NULL when there is none. */
static char *
fill(const json_t *entry, const char *key, const struct values *values, const char *dialect,
     bool *runnable)
{
	return rules_fill(doc_str(entry, key), values->evidence, values->globals, dialect,
			  runnable);
}

static void
remedy_free(struct remedy *remedy)
{
	free(remedy->title);
	free(remedy->command);
	free(remedy->cost);
	free(remedy->undo);
	free(remedy->verify);
}

void
remedies_free(struct remedies *list)
{
	for (size_t i = 0; i < list->count; i++)
		remedy_free(&list->at[i]);
	free(list->at);
	*list = (struct remedies){ 0 };
}

static bool
is_repeated(const struct remedies *list, const struct remedy *remedy)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->at[i].dialect, remedy->dialect) == 0 &&
		    doc_same(list->at[i].command, remedy->command))
			return true;
	return false;
}

static int
add_remedy(struct remedies *list, const json_t *entry, const char *dialect,
	   const struct values *values)
{
	struct remedy *grown = reallocarray(list->at, list->count + 1, sizeof(*grown)), *remedy;
	bool portal = strcmp(dialect, "portal") == 0, full = true;

	if (grown == NULL)
		return -ENOMEM;
	list->at = grown;
	remedy = &grown[list->count];
	*remedy = (struct remedy){ .dialect = dialect };
	remedy->command = fill(entry, portal ? "steps" : "run", values, dialect, &full);
	remedy->runnable = full && !portal;
	remedy->title = fill(entry, "title", values, NULL, NULL);
	remedy->cost = fill(entry, "cost", values, NULL, NULL);
	remedy->undo = fill(entry, "undo", values, dialect, NULL);
	remedy->verify = fill(entry, "verify", values, dialect, NULL);
	if (remedy->command == NULL || is_repeated(list, remedy)) {
		int r = remedy->command == NULL ? -ENOMEM : 0;

		remedy_free(remedy);
		return r;
	}
	list->count++;
	return 0;
}

static bool
applies(const json_t *entry, const struct values *values)
{
	const char *when = doc_str(entry, "when"), *unless = doc_str(entry, "unless");

	return (when == NULL || words_value(when, values->evidence, values->globals) != NULL) &&
	       (unless == NULL || words_value(unless, values->evidence, values->globals) == NULL);
}

int
rules_remedies(const struct rules *rules, const char *code, const struct values *values,
	       const char *const *dialects, struct remedies *list)
{
	const json_t *remedies = json_object_get(rules_code(rules, code, NULL), "remedies");
	int r = 0;

	for (size_t i = 0; i < sizeof(dialect_order) / sizeof(dialect_order[0]); i++) {
		const json_t *entries = json_object_get(remedies, dialect_order[i]);

		if (!wanted(dialects, dialect_order[i]))
			continue;
		for (size_t j = 0; r == 0 && j < json_array_size(entries); j++)
			if (applies(json_array_get(entries, j), values))
				r = add_remedy(list, json_array_get(entries, j), dialect_order[i],
					       values);
	}
	return r;
}
