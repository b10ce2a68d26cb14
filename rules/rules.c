#include "rules/rules.h"
#include "rules/tree.h"
#include "facts/doc.h"
#include "facts/file.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct rules {
	json_t *set;
	json_t *owners;   /* code: [owner's id, its entry] */
	json_t *defaults; /* the same, as it was before anything was layered on */
	char digest[80];
};

static void
index_codes(json_t *owners, const json_t *codes, const char *owner)
{
	const char *code;
	json_t *value;

	json_object_foreach ((json_t *)(uintptr_t)codes, code, value)
		json_object_set_new(owners, code, json_pack("[s, O]", owner, value));
}

static json_t *
index_set(const json_t *set)
{
	const json_t *custom = json_object_get(set, "custom");
	json_t *owners = json_object(), *entry;
	const char *id;

	json_object_foreach (json_object_get(set, "checks"), id, entry)
		index_codes(owners, json_object_get(entry, "codes"), id);
	for (size_t i = 0; i < json_array_size(custom); i++) {
		entry = json_array_get(custom, i);
		index_codes(owners, json_object_get(entry, "codes"), doc_str(entry, "id"));
	}
	return owners;
}

/* Takes over a merged set, or leaves the rules as they are. */
static int
adopt(struct rules *rules, json_t *set)
{
	char digest[sizeof(rules->digest)];
	json_t *owners = index_set(set);
	int r = owners == NULL ? -ENOMEM : digest_json(set, digest, sizeof(digest));

	if (r < 0) {
		json_decref(owners);
		return r;
	}
	json_decref(rules->set);
	json_decref(rules->owners);
	rules->set = json_incref(set);
	rules->owners = owners;
	memcpy(rules->digest, digest, sizeof(digest));
	return 0;
}

int
rules_layer_text(struct rules *rules, const char *file, const char *text, size_t len,
		 struct err *err)
{
	struct err own = { "" };
	struct reader reader = { .file = file, .base = rules->set, .err = &own };
	struct tree tree = { 0 };
	json_t *layer = NULL, *merged = NULL;
	int r;

	if ((r = tree_parse(file, text, len, &tree, &own)) < 0)
		goto out;
	r = -EINVAL;
	if (!schema_read(&reader, tree.root, &layer))
		goto out;
	if ((merged = rules->set == NULL ? json_incref(layer) : merge_json(rules->set, layer)) ==
	    NULL)
		goto out;
	if (merge_verify(&reader, tree.root, merged))
		r = adopt(rules, merged);
out:
	if (r < 0 && own.text[0] == '\0') {
		r = -ENOMEM;
		err_set(&own, "%s: out of memory", file);
	}
	if (r < 0 && err != NULL)
		*err = own;
	json_decref(layer);
	json_decref(merged);
	tree_free(&tree);
	return r;
}

int
rules_layer(struct rules *rules, const char *path, struct err *err)
{
	struct buffer text = { 0 };
	int r = file_read(path, RULES_FILE_MAX, &text, NULL);

	if (r == 0) {
		r = rules_layer_text(rules, path, (const char *)text.at, text.len, err);
		buffer_free(&text);
		return r;
	}
	if (r == -EINVAL || r == -EISDIR || r == -EFBIG) {
		err_set(err, "%s:1:1: \"%s\" is %s; accepted: a file of at most 1 MiB", path,
			node_quote(path), r == -EFBIG ? "too big" : "no regular file");
		return -EINVAL;
	}
	err_set(err, "%s:1:1: \"%s\" cannot be read (%s); accepted: a readable file", path,
		node_quote(path), strerror(-r));
	return r;
}

int
rules_text(struct rules **ret, const char *file, const char *text, size_t len, struct err *err)
{
	struct rules *rules = calloc(1, sizeof(*rules));
	int r;

	if (rules == NULL) {
		err_set(err, "out of memory");
		return -ENOMEM;
	}
	if ((r = rules_layer_text(rules, file, text, len, err)) < 0) {
		rules_free(rules);
		return r;
	}
	rules->defaults = json_incref(rules->owners);
	*ret = rules;
	return 0;
}

int
rules_packed(struct rules **ret, const char *json, const char *digest, struct err *err)
{
	struct rules *rules = calloc(1, sizeof(*rules));
	json_error_t error;

	if (rules == NULL || (rules->set = json_loads(json, 0, &error)) == NULL ||
	    (rules->owners = index_set(rules->set)) == NULL) {
		err_set(err, "the built-in rules cannot be read");
		rules_free(rules);
		return -ENOMEM;
	}
	snprintf(rules->digest, sizeof(rules->digest), "%s", digest);
	rules->defaults = json_incref(rules->owners);
	*ret = rules;
	return 0;
}

json_t *
rules_set(const struct rules *rules)
{
	return rules->set;
}

void
rules_free(struct rules *rules)
{
	if (rules == NULL)
		return;
	json_decref(rules->set);
	json_decref(rules->owners);
	json_decref(rules->defaults);
	free(rules);
}

struct rule
rules_for(const struct rules *rules, const char *check)
{
	const json_t *entry = json_object_get(json_object_get(rules->set, "checks"), check);

	return (struct rule){ .id = check,
			      .enabled = doc_bool(entry, "enabled", true),
			      .params = json_object_get(entry, "params") };
}

json_int_t
rule_int(const struct rule *rule, const char *param, json_int_t fallback)
{
	const json_t *value = rule == NULL ? NULL : json_object_get(rule->params, param);

	return json_is_integer(value) ? json_integer_value(value)
	       : json_is_real(value)  ? (json_int_t)json_real_value(value)
				      : fallback;
}

const char *
rule_str(const struct rule *rule, const char *param, const char *fallback)
{
	const char *value =
	    rule == NULL ? NULL : json_string_value(json_object_get(rule->params, param));

	return value != NULL ? value : fallback;
}

const json_t *
rule_list(const struct rule *rule, const char *param)
{
	const json_t *value = rule == NULL ? NULL : json_object_get(rule->params, param);

	return json_is_array(value) ? value : NULL;
}

const json_t *
rules_code(const struct rules *rules, const char *code, const char **check)
{
	const json_t *pair = json_object_get(rules->owners, code);

	if (check != NULL)
		*check = json_string_value(json_array_get(pair, 0));
	return json_array_get(pair, 1);
}

const json_t *
rules_custom(const struct rules *rules)
{
	return json_object_get(rules->set, "custom");
}

const json_t *
rules_waivers(const struct rules *rules)
{
	return json_object_get(rules->set, "waivers");
}

const json_t *
rules_checks(const struct rules *rules)
{
	return json_object_get(rules->set, "checks");
}

const char *
rules_digest(const struct rules *rules)
{
	return rules->digest;
}

const char *
rules_severity(const struct rules *rules, const char *code)
{
	const char *now =
	    doc_str(json_array_get(json_object_get(rules->owners, code), 1), "severity");
	const char *before =
	    doc_str(json_array_get(json_object_get(rules->defaults, code), 1), "severity");

	return doc_same(now, before) ? NULL : now;
}
