#include "rules/tree.h"

#include <stdio.h>
#include <string.h>

/* What the words of one code may name, and where to point when the layer has only taken the names
 * away. */
struct scope {
	const struct reader *reader;
	const struct rule *owner;
	const char *code;
	const struct node *instead; /* NULL: complain about the words themselves */
};

static bool
name_ok(const struct scope *scope, const struct node *node, const char *name, size_t len)
{
	char copy[64], accepted[512] = "";

	snprintf(copy, sizeof(copy), "%.*s", (int)(len < sizeof(copy) ? len : sizeof(copy) - 1),
		 name);
	if (name_listed(scope->owner->evidence, copy) || words_global(copy))
		return true;
	if (scope->instead != NULL)
		return node_fail(scope->reader, scope->instead,
				 "\"%s\" is missing in the evidence of %s, and the words of %s "
				 "name it; accepted: a list with all that they name",
				 copy, scope->owner->id, scope->code);
	for (const char *p = scope->owner->evidence; p != NULL && *p != '\0';) {
		size_t n = strcspn(p, " "), used = strlen(accepted);

		snprintf(accepted + used, sizeof(accepted) - used, "%.*s, ", (int)n, p);
		p += n + (p[n] == ' ');
	}
	return node_fail(scope->reader, node, "\"%s\" is no placeholder of %s; accepted: %s%s",
			 copy, scope->owner->id, accepted, words_globals());
}

/* A text of the rule, when the layer's node has it under key. */
static bool
text_ok(const struct scope *scope, const char *text, const struct node *node, const char *key,
	enum lang lang)
{
	const struct node *at = scope->instead != NULL ? scope->instead : node_get(node, key);
	const char *rest = text, *from, *name, *wrong;
	size_t len;

	if (text == NULL || at == NULL)
		return true;
	while (words_next(&rest, &from, &name, &len))
		if (!name_ok(scope, at, name, len))
			return false;
	if ((wrong = words_check(text, lang)) != NULL)
		return node_fail(scope->reader, at, "\"%s\" %s", node_quote(text), wrong);
	return true;
}

static bool
key_ok(const struct scope *scope, const char *name, const struct node *node, const char *key)
{
	const struct node *at = scope->instead != NULL ? scope->instead : node_get(node, key);

	return name == NULL || at == NULL || name_ok(scope, at, name, strlen(name));
}

static bool
remedy_ok(const struct scope *scope, const struct remedy_words *remedy, const struct node *node)
{
	enum lang lang = lang_of_dialect(remedy->dialect);
	const char *does = strcmp(remedy->dialect, "portal") == 0 ? "steps" : "run";

	return key_ok(scope, remedy->when, node, "when") &&
	       key_ok(scope, remedy->unless, node, "unless") &&
	       text_ok(scope, remedy->title, node, "title", LANG_PLAIN) &&
	       text_ok(scope, remedy->cost, node, "cost", LANG_PLAIN) &&
	       text_ok(scope, remedy->command, node, does, lang) &&
	       text_ok(scope, remedy->undo, node, "undo", lang) &&
	       text_ok(scope, remedy->verify, node, "verify", lang);
}

static bool
remedies_ok(const struct scope *scope, const struct code_words *code, const struct node *node)
{
	const char *dialect = "";
	size_t index = 0;

	for (size_t i = 0; i < code->remedy_count; i++, index++) {
		const struct node *list;

		if (strcmp(code->remedies[i].dialect, dialect) != 0)
			index = 0;
		dialect = code->remedies[i].dialect;
		list = node_get(node, dialect);
		if ((list != NULL || scope->instead != NULL) &&
		    !remedy_ok(scope, &code->remedies[i], list == NULL ? NULL : list->items[index]))
			return false;
	}
	return true;
}

static bool
code_words_ok(const struct scope *scope, const struct code_words *code, const struct node *node)
{
	return text_ok(scope, code->title, node, "title", LANG_PLAIN) &&
	       text_ok(scope, code->why, node, "why", LANG_PLAIN) &&
	       text_ok(scope, code->explain, node, "explain", LANG_PLAIN) &&
	       text_ok(scope, code->decide, node, "decide", LANG_SH) &&
	       remedies_ok(scope, code, node_get(node, "remedies"));
}

static bool
has_words(const struct reader *reader, const struct node *key, const struct code_words *code)
{
	if (code->title != NULL && code->why != NULL)
		return true;
	return node_fail(reader, key, "\"%s\" has no %s; accepted: a code with title and why",
			 node_quote(key->text), code->title == NULL ? "title" : "why");
}

/* No other rule has this code too. */
static bool
is_unique(const struct reader *reader, const struct tables *tables, const struct rule *owner,
	  const struct node *key)
{
	for (size_t i = 0; i < tables->count; i++)
		if (&tables->rules[i] != owner && rule_code(&tables->rules[i], key->text) != NULL)
			return node_fail(reader, key,
					 "\"%s\" is a code of %s already; accepted: each code once",
					 node_quote(key->text), tables->rules[i].id);
	return true;
}

/* `explains` names codes, or checks with all their codes. The default is checked by a test, so that
 * checks can be added one by one. */
static bool
explains_ok(const struct reader *reader, const struct tables *tables, const struct node *list)
{
	for (size_t i = 0; reader->base->count > 0 && list != NULL && i < list->count; i++)
		if (table_code(tables, list->items[i]->text) == NULL &&
		    table_rule(tables, list->items[i]->text) == NULL)
			return node_fail(
			    reader, list->items[i],
			    "\"%s\" is no known code; accepted: a code or check of the rule set "
			    "(--list-checks)",
			    node_quote(list->items[i]->text));
	return true;
}

/* The codes that one check or custom rule of the layer sets. */
static bool
codes_ok(const struct reader *reader, const struct tables *tables, const struct rule *owner,
	 const struct node *entry)
{
	const struct node *codes = node_get(entry, "codes");
	struct scope scope = { .reader = reader, .owner = owner };

	for (size_t i = 0; codes != NULL && i < codes->count; i++) {
		const struct node *key = codes->keys[i];
		const struct code_words *code = rule_code(owner, key->text);

		scope.code = key->text;
		if (!is_unique(reader, tables, owner, key) || !has_words(reader, key, code) ||
		    !code_words_ok(&scope, code, codes->items[i]) ||
		    !explains_ok(reader, tables, node_get(codes->items[i], "explains")))
			return false;
	}
	scope.instead = reader->base->count > 0 ? node_get(entry, "evidence") : NULL;
	for (size_t i = 0; scope.instead != NULL && i < owner->code_count; i++) {
		scope.code = owner->codes[i].code;
		if (!code_words_ok(&scope, &owner->codes[i], NULL))
			return false;
	}
	return true;
}

static bool
custom_ok(const struct reader *reader, const struct tables *tables, const struct rule *rule,
	  const struct node *entry)
{
	const struct node *at = node_get(entry, "id"), *code = node_get(entry, "code");

	if (table_rule(tables, rule->id) != rule)
		return node_fail(reader, at,
				 "\"%s\" is taken; accepted: an id that no check and no other "
				 "custom rule has",
				 node_quote(at->text));
	if (!codes_ok(reader, tables, rule, entry))
		return false;
	code = code != NULL ? code : at;
	return strcmp(node_get(entry, "type")->text, "fact") != 0 ||
	       rule_code(rule, code->text) != NULL ||
	       node_fail(reader, code,
			 "\"%s\" has no words; accepted: an entry of that name under codes",
			 node_quote(code->text));
}

bool
verify_layer(const struct reader *reader, const struct node *root, const struct tables *tables)
{
	const struct node *checks = node_get(root, "checks"), *customs = node_get(root, "custom");

	for (size_t i = 0; checks != NULL && i < checks->count; i++)
		if (!codes_ok(reader, tables, table_rule(tables, checks->keys[i]->text),
			      checks->items[i]))
			return false;
	for (size_t i = 0; customs != NULL && i < customs->count; i++)
		if (!custom_ok(reader, tables, &tables->rules[tables->checks + i],
			       customs->items[i]))
			return false;
	return true;
}
