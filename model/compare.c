#include "model/compare.h"

#include "facts/arm.h"
#include "facts/doc.h"
#include "facts/facts.h"
#include "facts/visible.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { CHANGES_MOST = 100, TEXT_MOST = 120 };

/* Where the walk is, in words: "web-nsg, securityRules, allow-ssh". */
struct place {
	const struct place *above;
	const char *name;
};

struct compare {
	json_t *changes;
};

static void compare_values(struct compare *compare, const struct place *place, const json_t *before,
			   const json_t *after);

/* What is never the same twice, or says only how an answer came about. */
static bool
is_noise(const char *key)
{
	static const char *const keys[] = {
		"etag",        "ms",     "info",    "tried",          "requests",
		"asked",       "claims", "pid",     "modified",       "lines",
		"log",         "skew_s", "at",      "message",        "seen",
		"duration_ms", "clock",  "load",    "memory_free_kb", "free_kb",
		"used",        "errno",  "support", "instanceView"
	};
	size_t len = strlen(key);

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (strcmp(keys[i], key) == 0)
			return true;
	return (len >= 4 && strcasecmp(key + len - 4, "time") == 0) ||
	       (len >= 7 && strcasecmp(key + len - 7, "timeUtc") == 0);
}

static char *
place_text(const struct place *place)
{
	char *above = place->above != NULL ? place_text(place->above) : NULL, *text;

	text = above != NULL ? doc_fmt("%s, %s", above, place->name) : strdup(place->name);
	free(above);
	return text;
}

/* A value in few words: a text as it is, of anything large only its name. */
static char *
value_text(const json_t *value)
{
	const char *name = doc_str(value, "name");
	char *text;

	if (json_is_string(value))
		text = strdup(json_string_value(value));
	else if (name != NULL)
		text = strdup(name);
	else
		text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	if (text != NULL)
		visible_cut(text, TEXT_MOST);
	return text;
}

static void
put_side(json_t *change, const char *key, const json_t *value)
{
	char *text = value != NULL ? value_text(value) : NULL;

	if (text != NULL)
		json_object_set_new(change, key, doc_text(text, strlen(text)));
	free(text);
}

static void
note(struct compare *compare, const struct place *place, const json_t *before, const json_t *after)
{
	json_t *change;
	char *where;

	if (json_array_size(compare->changes) >= CHANGES_MOST)
		return;
	change = json_object();
	where = place_text(place);
	doc_set_str(change, "where", where);
	put_side(change, "before", before);
	put_side(change, "after", after);
	json_array_append_new(compare->changes, change);
	free(where);
}

/* What tells an item of a list from its neighbours; NULL where only its place does. */
static const char *
name_of(const json_t *item)
{
	static const char *const keys[] = { "name", "id", "path", "fingerprint", "file", "number" };

	if (json_is_string(item))
		return json_string_value(item);
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (doc_str(item, keys[i]) != NULL)
			return doc_str(item, keys[i]);
	return NULL;
}

static const json_t *
named(const json_t *list, const char *name)
{
	const json_t *item;
	size_t i;

	json_array_foreach (list, i, item)
		if (doc_same(name_of(item), name))
			return item;
	return NULL;
}

static bool
all_named(const json_t *list)
{
	const json_t *item;
	size_t i;

	json_array_foreach (list, i, item)
		if (name_of(item) == NULL)
			return false;
	return true;
}

static void
compare_lists(struct compare *compare, const struct place *place, const json_t *before,
	      const json_t *after)
{
	const json_t *item;
	size_t i;

	if (!all_named(before) || !all_named(after)) {
		if (!json_equal(before, after))
			note(compare, place, before, after);
		return;
	}
	json_array_foreach (before, i, item) {
		const struct place here = { place, arm_id_name(name_of(item)) };

		compare_values(compare, &here, item, named(after, name_of(item)));
	}
	json_array_foreach (after, i, item) {
		const struct place here = { place, arm_id_name(name_of(item)) };

		if (named(before, name_of(item)) == NULL)
			note(compare, &here, NULL, item);
	}
}

static void
compare_objects(struct compare *compare, const struct place *place, const json_t *before,
		const json_t *after)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)(uintptr_t)before, key, value) {
		const struct place here = { strcmp(key, "properties") == 0 ? place->above : place,
					    strcmp(key, "properties") == 0 ? place->name : key };

		if (!is_noise(key))
			compare_values(compare, &here, value, json_object_get(after, key));
	}
	json_object_foreach ((json_t *)(uintptr_t)after, key, value) {
		const struct place here = { place, key };

		if (!is_noise(key) && json_object_get(before, key) == NULL)
			note(compare, &here, NULL, value);
	}
}

static void
compare_values(struct compare *compare, const struct place *place, const json_t *before,
	       const json_t *after)
{
	if (json_is_object(before) && json_is_object(after))
		compare_objects(compare, place, before, after);
	else if (json_is_array(before) && json_is_array(after))
		compare_lists(compare, place, before, after);
	else if (after == NULL || !json_equal(before, after))
		note(compare, place, before, after);
}

/* Resources that both runs have read, and those that are new or gone. What is missing on one side
 * may only be unread there, unless that says that it does not exist. */
static void
compare_resources(struct compare *compare, const struct facts *before, const struct facts *after)
{
	const json_t *old, *why;
	const char *id;
	json_t *body;

	json_object_foreach (facts_resources(after), id, body) {
		const struct place here = {
			NULL, arm_id_name(doc_str(body, "id") != NULL ? doc_str(body, "id") : id)
		};
		enum fact_state state = facts_resource(before, id, &old, &why);

		if (state == FACT_KNOWN)
			compare_values(compare, &here, old, body);
		else if (state == FACT_ABSENT)
			note(compare, &here, NULL, body);
	}
	json_object_foreach (facts_resources(before), id, body) {
		const struct place here = {
			NULL, arm_id_name(doc_str(body, "id") != NULL ? doc_str(body, "id") : id)
		};

		if (facts_resource(after, id, &old, &why) == FACT_ABSENT)
			note(compare, &here, body, NULL);
	}
}

/* The sections that both runs know. */
static void
compare_sections(struct compare *compare, const struct facts *before, const struct facts *after)
{
	for (enum fact_section section = 0; section < FACT_SECTION_COUNT; section++) {
		const struct place here = { NULL, facts_section_words(section) };

		if (facts_state(before, section, NULL) == FACT_KNOWN &&
		    facts_state(after, section, NULL) == FACT_KNOWN)
			compare_values(compare, &here, facts_section(before, section),
				       facts_section(after, section));
	}
}

json_t *
facts_changes(const json_t *before, const json_t *after)
{
	struct compare compare = { .changes = json_array() };
	const struct place keys = { NULL, "the key files" };
	struct facts old, new;

	if (facts_view((json_t *)(uintptr_t)before, 0, &old) == 0 &&
	    facts_view((json_t *)(uintptr_t)after, 0, &new) == 0) {
		compare_resources(&compare, &old, &new);
		compare_sections(&compare, &old, &new);
		compare_values(&compare, &keys, FACT_JSON(facts_machine(&old), machine, keys),
			       FACT_JSON(facts_machine(&new), machine, keys));
	}
	return compare.changes;
}
