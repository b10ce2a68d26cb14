#include "rules/rules.h"
#include "rules/tree.h"
#include "facts/doc.h"
#include "facts/visible.h"

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

/* The filled text under key: NULL when there is none; *runnable only ever becomes false. */
static char *
fill(const json_t *words, const char *key, const struct finding *finding, const json_t *globals,
     const char *dialect, bool *runnable)
{
	bool full = true;
	char *text = rules_fill(doc_str(words, key), finding->evidence, globals, dialect, &full);

	if (runnable != NULL && !full)
		*runnable = false;
	return text;
}

/* What can be undone changes something: while a lock stands on it, Azure refuses that. */
static void
add_hindrance(struct remedy *remedy, const char *what)
{
	char *clean = visible_text(what, false), *cost;

	cost = clean == NULL ? NULL
			     : doc_fmt("%s%sAzure refuses this while %s stands",
				       remedy->cost != NULL ? remedy->cost : "",
				       remedy->cost != NULL ? "; " : "", clean);
	free(clean);
	if (cost == NULL)
		return;
	free(remedy->cost);
	remedy->cost = cost;
}

static int
lend_remedy(struct finding *finding, const json_t *entry, const char *dialect,
	    const json_t *globals)
{
	struct remedy *grown = reallocarray(finding->remedies, finding->remedy_count + 1,
					    sizeof(*grown)),
		      *remedy;
	bool portal = strcmp(dialect, "portal") == 0;

	if (grown == NULL)
		return -ENOMEM;
	finding->remedies = grown;
	remedy = &grown[finding->remedy_count];
	*remedy = (struct remedy){ .dialect = dialect, .runnable = !portal };
	remedy->command =
	    fill(entry, portal ? "steps" : "run", finding, globals, dialect, &remedy->runnable);
	remedy->title = fill(entry, "title", finding, globals, NULL, NULL);
	remedy->cost = fill(entry, "cost", finding, globals, NULL, NULL);
	if (doc_str(entry, "undo") != NULL && doc_str(finding->evidence, "hindered_by") != NULL)
		add_hindrance(remedy, doc_str(finding->evidence, "hindered_by"));
	remedy->undo = fill(entry, "undo", finding, globals, dialect, NULL);
	remedy->verify = fill(entry, "verify", finding, globals, dialect, NULL);
	finding->remedy_count++;
	return remedy->command == NULL ? -ENOMEM : 0;
}

/* true when the last remedy says what another one before it says already. */
static bool
said_before(const struct finding *finding)
{
	const struct remedy *last = &finding->remedies[finding->remedy_count - 1];

	for (size_t i = 0; i + 1 < finding->remedy_count; i++)
		if (strcmp(finding->remedies[i].dialect, last->dialect) == 0 &&
		    doc_same(finding->remedies[i].command, last->command))
			return true;
	return false;
}

static void
drop_last(struct finding *finding)
{
	struct remedy *last = &finding->remedies[--finding->remedy_count];

	free(last->title);
	free(last->command);
	free(last->cost);
	free(last->undo);
	free(last->verify);
}

static bool
applies(const json_t *entry, const struct finding *finding, const json_t *globals)
{
	const char *when = doc_str(entry, "when"), *unless = doc_str(entry, "unless");

	return (when == NULL || words_value(when, finding->evidence, globals) != NULL) &&
	       (unless == NULL || words_value(unless, finding->evidence, globals) == NULL);
}

static int
lend_remedies(struct finding *finding, const json_t *code, const json_t *globals,
	      const char *const *dialects)
{
	int r;

	for (size_t i = 0; i < sizeof(dialect_order) / sizeof(dialect_order[0]); i++) {
		const json_t *list =
		    json_object_get(json_object_get(code, "remedies"), dialect_order[i]);

		for (size_t j = 0; wanted(dialects, dialect_order[i]) && j < json_array_size(list);
		     j++) {
			const json_t *entry = json_array_get(list, j);

			if (!applies(entry, finding, globals))
				continue;
			if ((r = lend_remedy(finding, entry, dialect_order[i], globals)) < 0)
				return r;
			if (said_before(finding))
				drop_last(finding);
		}
	}
	return 0;
}

static void
apply_severity(const struct rules *rules, struct finding *finding)
{
	const char *severity = rules_severity(rules, finding->code);

	if (severity != NULL && (finding->status == FAIL || finding->status == WARN))
		finding->status = strcmp(severity, "warn") == 0 ? WARN : FAIL;
}

static int
lend_one(const struct rules *rules, struct finding *finding, const json_t *globals,
	 const char *const *dialects)
{
	static const char *const portal[] = { "portal", NULL };
	const char *check = NULL, *ways;
	const json_t *code = rules_code(rules, finding->code, &check);
	int r;

	if (code == NULL) {
		if (finding->title == NULL)
			finding->title = visible_text(finding->summary, false);
		return finding->title == NULL ? -ENOMEM : 0;
	}
	apply_severity(rules, finding);
	free(finding->title);
	free(finding->why);
	free(finding->docs);
	finding->title = fill(code, "title", finding, globals, NULL, NULL);
	finding->why = fill(code, "why", finding, globals, NULL, NULL);
	finding->docs = fill(code, "docs", finding, globals, NULL, NULL);
	if (finding->title == NULL || finding->why == NULL)
		return -ENOMEM;
	if (finding->status == SKIP)
		return 0;
	r = lend_remedies(finding, code, globals, dialects);
	if (r == 0 && finding->remedy_count == 0) /* what no command does is said in any case */
		r = lend_remedies(finding, code, globals, portal);
	ways = check != NULL ? doc_str(json_object_get(rules_checks(rules), check), "ways") : NULL;
	if (r == 0 && finding->status == FAIL && ways != NULL)
		r = lend_remedies(finding, rules_code(rules, ways, NULL), globals, dialects);
	return r;
}

int
rules_lend(const struct rules *rules, struct finding *finding, const json_t *globals,
	   const char *const *dialects)
{
	int r = lend_one(rules, finding, globals, dialects);

	for (size_t i = 0; r == 0 && i < finding->also_count; i++)
		r = rules_lend(rules, &finding->also[i], globals, dialects);
	return r;
}
