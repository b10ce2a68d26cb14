#include "rules/rules.h"
#include "rules/tree.h"
#include "facts/doc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

static void
remedy_free(struct remedy *remedy)
{
	free(remedy->title);
	free(remedy->command);
	free(remedy->arguments);
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
add_remedy(struct remedies *list, const struct remedy_words *words, const struct values *values)
{
	struct remedy *grown = reallocarray(list->at, list->count + 1, sizeof(*grown)), *remedy;
	bool portal = strcmp(words->dialect, "portal") == 0, full = true;

	if (grown == NULL)
		return -ENOMEM;
	list->at = grown;
	remedy = &grown[list->count];
	*remedy = (struct remedy){ .dialect = words->dialect,
				   .changes = words->changes,
				   .needs = words->needs };
	remedy->command =
	    rules_command(words->command, words->dialect, values, &remedy->arguments, &full);
	remedy->runnable = full && !portal;
	remedy->title = rules_fill(words->title, values);
	remedy->cost = rules_fill(words->cost, values);
	remedy->undo = rules_command(words->undo, words->dialect, values, NULL, NULL);
	remedy->verify = rules_command(words->verify, words->dialect, values, NULL, NULL);
	if (remedy->command == NULL || is_repeated(list, remedy)) {
		int r = remedy->command == NULL ? -ENOMEM : 0;

		remedy_free(remedy);
		return r;
	}
	list->count++;
	return 0;
}

static bool
applies(const struct remedy_words *words, const struct values *values)
{
	return (words->when == NULL || words_value(words->when, values) != NULL) &&
	       (words->unless == NULL || words_value(words->unless, values) == NULL);
}

int
rules_remedies(const struct rules *rules, const char *code, const struct values *values,
	       const char *const *dialects, struct remedies *list)
{
	const struct code_words *words = rules_code(rules, code);
	int r = 0;

	for (size_t i = 0; words != NULL && r == 0 && i < words->remedy_count; i++)
		if (wanted(dialects, words->remedies[i].dialect) &&
		    applies(&words->remedies[i], values))
			r = add_remedy(list, &words->remedies[i], values);
	return r;
}
