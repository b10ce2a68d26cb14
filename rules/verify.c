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
	return node_fail(scope->reader, node, "\"%s\" is not a placeholder of %s; accepted: %s%s",
			 copy, scope->owner->id, accepted, words_globals());
}

/* The placeholders in a text, wherever in a command they are. */
static bool
text_ok(const struct scope *scope, const struct node *node, const char *text)
{
	const char *rest = text, *from, *name;
	size_t len;

	while (text != NULL && words_next(&rest, &from, &name, &len))
		if (!name_ok(scope, node, name, len))
			return false;
	return true;
}

/* All texts below a node of the layer, and the names after `when` and `unless`. */
static bool
node_ok(const struct scope *scope, const struct node *node)
{
	if (node->kind == NODE_SCALAR)
		return text_ok(scope, node, node->text);
	for (size_t i = 0; i < node->count; i++) {
		const struct node *item = node->items[i];
		const char *key = node->kind == NODE_MAP ? node->keys[i]->text : "";

		if ((strcmp(key, "when") == 0 || strcmp(key, "unless") == 0) &&
		    !name_ok(scope, item, item->text, strlen(item->text)))
			return false;
		if (!node_ok(scope, item))
			return false;
	}
	return true;
}

static bool
row_ok(const struct scope *scope, const void *row, const struct text_field *field)
{
	for (; field->key != NULL; field++)
		if (!text_ok(scope, NULL, text_of(row, field)))
			return false;
	return true;
}

/* Words that the layer has not changed, when it has changed what they may name. */
static bool
old_words_ok(struct scope *scope, const struct node *evidence)
{
	scope->instead = evidence;
	for (size_t i = 0; i < scope->owner->code_count; i++) {
		const struct code_words *code = &scope->owner->codes[i];

		scope->code = code->code;
		if (!row_ok(scope, code, code_texts))
			return false;
		for (size_t j = 0; j < code->remedy_count; j++) {
			const struct remedy_words *remedy = &code->remedies[j];

			if (!row_ok(scope, remedy, remedy_texts) ||
			    (remedy->when != NULL &&
			     !name_ok(scope, NULL, remedy->when, strlen(remedy->when))) ||
			    (remedy->unless != NULL &&
			     !name_ok(scope, NULL, remedy->unless, strlen(remedy->unless))))
				return false;
		}
	}
	return true;
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
			    "\"%s\" is not a known code; accepted: a code or check of the rule set "
			    "(--list-checks)",
			    node_quote(list->items[i]->text));
	return true;
}

/* The codes that one check or custom rule of the layer sets. */
static bool
codes_ok(const struct reader *reader, const struct tables *tables, const struct rule *owner,
	 const struct node *entry)
{
	const struct node *codes = node_get(entry, "codes"),
			  *evidence = node_get(entry, "evidence");
	struct scope scope = { .reader = reader, .owner = owner };

	for (size_t i = 0; codes != NULL && i < codes->count; i++) {
		const struct node *key = codes->keys[i];
		const struct code_words *code = rule_code(owner, key->text);

		scope.code = key->text;
		if (!is_unique(reader, tables, owner, key) || !has_words(reader, key, code) ||
		    !node_ok(&scope, codes->items[i]) ||
		    !explains_ok(reader, tables, node_get(codes->items[i], "explains")))
			return false;
	}
	return reader->base->count == 0 || evidence == NULL || old_words_ok(&scope, evidence);
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
