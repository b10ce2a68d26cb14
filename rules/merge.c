#include "rules/tree.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* What the words of one code may name, and where to point when the layer has only taken the names
 * away. */
struct words {
	const struct reader *reader;
	const char *owner, *code; /* the check or custom rule, and the code */
	const json_t *evidence;
	const struct node *instead; /* NULL: complain about the words themselves */
};

json_t *
merge_json(const json_t *base, const json_t *layer)
{
	json_t *merged, *value;
	const char *key;

	if (!json_is_object(base) || !json_is_object(layer))
		return json_deep_copy(layer);
	if ((merged = json_deep_copy(base)) == NULL)
		return NULL;
	json_object_foreach ((json_t *)(uintptr_t)layer, key, value) {
		const json_t *under = json_object_get(base, key);

		if (json_object_set_new(merged, key,
					under == NULL ? json_deep_copy(value)
						      : merge_json(under, value)) != 0) {
			json_decref(merged);
			return NULL;
		}
	}
	return merged;
}

static bool
names_has(const json_t *names, const char *name, size_t len)
{
	for (size_t i = 0; i < json_array_size(names); i++) {
		const char *one = json_string_value(json_array_get(names, i));

		if (one != NULL && strlen(one) == len && memcmp(one, name, len) == 0)
			return true;
	}
	return false;
}

static bool
name_ok(const struct words *words, const struct node *node, const char *name, size_t len)
{
	char copy[64], accepted[512] = "";
	size_t used = 0;

	snprintf(copy, sizeof(copy), "%.*s", (int)(len < sizeof(copy) ? len : sizeof(copy) - 1),
		 name);
	if (names_has(words->evidence, name, len) || words_global(copy))
		return true;
	if (words->instead != NULL)
		return node_fail(words->reader, words->instead,
				 "\"%s\" is missing in the evidence of %s, and the words of %s "
				 "name it; accepted: "
				 "a list with all that they name",
				 copy, words->owner, words->code);
	for (size_t i = 0; i < json_array_size(words->evidence) && used < sizeof(accepted); i++)
		used += (size_t)snprintf(accepted + used, sizeof(accepted) - used, "%s, ",
					 json_string_value(json_array_get(words->evidence, i)));
	return node_fail(words->reader, node, "\"%s\" is no placeholder of %s; accepted: %s%s",
			 copy, words->owner, accepted, words_globals());
}

/* The text under key of a map, when the layer has it. */
static bool
text_ok(const struct words *words, const json_t *map, const struct node *node, const char *key,
	enum lang lang)
{
	const struct node *at = words->instead != NULL ? words->instead : node_get(node, key);
	const char *text = json_string_value(json_object_get(map, key)), *rest = text, *from, *name,
		   *wrong;
	size_t len;

	if (text == NULL || at == NULL)
		return true;
	while (words_next(&rest, &from, &name, &len))
		if (!name_ok(words, at, name, len))
			return false;
	if ((wrong = words_check(text, lang)) != NULL)
		return node_fail(words->reader, at, "\"%s\" %s", node_quote(text), wrong);
	return true;
}

static bool
key_ok(const struct words *words, const json_t *map, const struct node *node, const char *key)
{
	const struct node *at = words->instead != NULL ? words->instead : node_get(node, key);
	const char *name = json_string_value(json_object_get(map, key));

	return name == NULL || at == NULL || name_ok(words, at, name, strlen(name));
}

static bool
remedy_ok(const struct words *words, const json_t *remedy, const struct node *node,
	  const char *dialect)
{
	enum lang lang = lang_of_dialect(dialect);

	return key_ok(words, remedy, node, "when") && key_ok(words, remedy, node, "unless") &&
	       text_ok(words, remedy, node, "title", LANG_PLAIN) &&
	       text_ok(words, remedy, node, "cost", LANG_PLAIN) &&
	       text_ok(words, remedy, node, "run", lang) &&
	       text_ok(words, remedy, node, "steps", LANG_PLAIN) &&
	       text_ok(words, remedy, node, "undo", lang) &&
	       text_ok(words, remedy, node, "verify", lang);
}

static bool
code_words_ok(const struct words *words, const json_t *code, const struct node *node)
{
	const struct node *remedies = node_get(node, "remedies");
	const char *dialect;
	json_t *list;

	if (!text_ok(words, code, node, "title", LANG_PLAIN) ||
	    !text_ok(words, code, node, "why", LANG_PLAIN) ||
	    !text_ok(words, code, node, "explain", LANG_PLAIN) ||
	    !text_ok(words, code, node, "decide", LANG_SH))
		return false;
	json_object_foreach (json_object_get(code, "remedies"), dialect, list) {
		const struct node *given = node_get(remedies, dialect);

		for (size_t i = 0;
		     i < json_array_size(list) && (given != NULL || words->instead != NULL); i++)
			if (!remedy_ok(words, json_array_get(list, i),
				       given == NULL ? NULL : given->items[i], dialect))
				return false;
	}
	return true;
}

static bool
has_words(const struct reader *reader, const struct node *key, const json_t *code)
{
	const char *lacks = json_object_get(code, "title") == NULL ? "title"
			    : json_object_get(code, "why") == NULL ? "why"
								   : NULL;

	return lacks == NULL ||
	       node_fail(reader, key, "\"%s\" has no %s; accepted: a code with title and why",
			 node_quote(key->text), lacks);
}

/* `explains` names codes, or checks with all their codes. The default is checked by a test, so that
 * checks can be added one by one. */
static bool
explains_ok(const struct reader *reader, const json_t *codes, const json_t *checks,
	    const struct node *list)
{
	for (size_t i = 0; reader->base != NULL && list != NULL && i < list->count; i++)
		if (json_object_get(codes, list->items[i]->text) == NULL &&
		    json_object_get(checks, list->items[i]->text) == NULL)
			return node_fail(
			    reader, list->items[i],
			    "\"%s\" is no known code; accepted: a code or check of the rule set "
			    "(--list-checks)",
			    node_quote(list->items[i]->text));
	return true;
}

/* The codes that one check or custom rule of the layer sets. */
static bool
codes_ok(const struct reader *reader, const char *owner, const struct node *entry,
	 const json_t *merged, const json_t *evidence, json_t *owners)
{
	const struct node *codes = node_get(entry, "codes"), *names = node_get(entry, "evidence");
	struct words words = { .reader = reader, .owner = owner, .evidence = evidence };
	const json_t *all = json_object_get(merged, "codes");
	const char *code;
	json_t *value;

	for (size_t i = 0; codes != NULL && i < codes->count; i++) {
		const struct node *key = codes->keys[i];
		const char *other = json_string_value(json_object_get(owners, key->text));

		if (other != NULL && strcmp(other, owner) != 0)
			return node_fail(reader, key,
					 "\"%s\" is a code of %s already; accepted: each code once",
					 node_quote(key->text), other);
		json_object_set_new(owners, key->text, json_string(owner));
		words.code = key->text;
		if (!has_words(reader, key, json_object_get(all, key->text)) ||
		    !code_words_ok(&words, json_object_get(all, key->text), codes->items[i]))
			return false;
	}
	words.instead = reader->base != NULL ? names : NULL;
	json_object_foreach ((json_t *)(uintptr_t)all, code, value) {
		words.code = code;
		if (words.instead != NULL && !code_words_ok(&words, value, NULL))
			return false;
	}
	return true;
}

static bool
customs_ok(const struct reader *reader, const struct node *list, const json_t *merged,
	   json_t *owners)
{
	const json_t *customs = json_object_get(merged, "custom"),
		     *checks = json_object_get(merged, "checks");
	json_t *seen = json_object(),
	       *fact = json_pack("[s, s, s]", "pointer", "value", "expected");
	bool ok = seen != NULL && fact != NULL;

	for (size_t i = 0; ok && list != NULL && i < list->count; i++) {
		const json_t *rule = json_array_get(customs, i),
			     *evidence = json_object_get(rule, "evidence");
		const struct node *at = node_get(list->items[i], "id"),
				  *code = node_get(list->items[i], "code");
		bool is_fact = strcmp(node_get(list->items[i], "type")->text, "fact") == 0;

		if (json_object_get(seen, at->text) != NULL ||
		    json_object_get(checks, at->text) != NULL)
			ok = node_fail(reader, at,
				       "\"%s\" is taken; accepted: an id that no check and no "
				       "other custom rule has",
				       node_quote(at->text));
		ok = ok && json_object_set_new(seen, at->text, json_true()) == 0 &&
		     codes_ok(reader, at->text, list->items[i], rule, is_fact ? fact : evidence,
			      owners);
		code = code != NULL ? code : at;
		if (ok && is_fact &&
		    json_object_get(json_object_get(rule, "codes"), code->text) == NULL)
			ok = node_fail(
			    reader, code,
			    "\"%s\" has no words; accepted: an entry of that name under codes",
			    node_quote(code->text));
	}
	json_decref(seen);
	json_decref(fact);
	return ok;
}

static void
own_codes(json_t *owners, const json_t *codes, const char *owner)
{
	const char *code;
	json_t *value;

	json_object_foreach ((json_t *)(uintptr_t)codes, code, value)
		json_object_set_new(owners, code, json_string(owner));
}

/* Whose the codes of the set below are; its custom rules count only while the layer does not
 * replace them. */
static json_t *
base_owners(const json_t *base, bool customs)
{
	const json_t *custom = json_object_get(base, "custom");
	json_t *owners = json_object(), *entry;
	const char *id;

	json_object_foreach (json_object_get(base, "checks"), id, entry)
		own_codes(owners, json_object_get(entry, "codes"), id);
	for (size_t i = 0; customs && i < json_array_size(custom); i++) {
		entry = json_array_get(custom, i);
		own_codes(owners, json_object_get(entry, "codes"),
			  json_string_value(json_object_get(entry, "id")));
	}
	return owners;
}

bool
merge_verify(const struct reader *reader, const struct node *root, const json_t *merged)
{
	const struct node *checks = node_get(root, "checks"), *customs = node_get(root, "custom");
	json_t *owners = base_owners(reader->base, customs == NULL);
	bool ok = owners != NULL;

	for (size_t i = 0; ok && checks != NULL && i < checks->count; i++) {
		const char *id = checks->keys[i]->text;
		const json_t *entry = json_object_get(json_object_get(merged, "checks"), id);

		ok = codes_ok(reader, id, checks->items[i], entry,
			      json_object_get(entry, "evidence"), owners);
	}
	ok = ok && customs_ok(reader, customs, merged, owners);
	for (size_t i = 0; ok && checks != NULL && i < checks->count; i++) {
		const struct node *codes = node_get(checks->items[i], "codes");

		for (size_t j = 0; ok && codes != NULL && j < codes->count; j++)
			ok = explains_ok(reader, owners, json_object_get(merged, "checks"),
					 node_get(codes->items[j], "explains"));
	}
	json_decref(owners);
	return ok;
}
