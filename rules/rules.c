#include "rules/rules.h"
#include "rules/table.h"
#include "rules/tree.h"
#include "facts/doc.h"
#include "facts/file.h"
#include "facts/visible.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct rules {
	struct tables tables, base; /* now; before anything was layered on */
	const json_t *custom, *waivers;
	json_t *files; /* the names of the layers, lowest first */
	struct pool pool;
	char digest[80];
};

struct rules *
rules_on(const struct tables *tables)
{
	struct rules *rules = calloc(1, sizeof(*rules));

	if (rules == NULL)
		return NULL;
	rules->tables = *tables;
	rules->base = *tables;
	return rules;
}

/* Puts a layer on top, or leaves the rules as they are. Keeps a reference to the layer. */
static int
put_layer(struct rules *rules, const struct reader *reader, const struct node *root, json_t *layer)
{
	const json_t *custom = json_object_get(layer, "custom"),
		     *waivers = json_object_get(layer, "waivers");
	struct tables tables;
	char digest[sizeof(rules->digest)];
	int r = table_layer(&rules->pool, &rules->tables, layer, &tables);

	custom = custom != NULL ? custom : rules->custom;
	waivers = waivers != NULL ? waivers : rules->waivers;
	if (rules->pool.layers == NULL)
		rules->pool.layers = json_array();
	if (r < 0 || json_array_append(rules->pool.layers, layer) != 0)
		return -ENOMEM;
	if (!verify_layer(reader, root, &tables))
		return -EINVAL;
	if ((r = table_digest(&tables, custom, waivers, digest, sizeof(digest))) < 0)
		return r;
	memcpy(rules->digest, digest, sizeof(digest));
	rules->tables = tables;
	rules->tables.digest = rules->digest;
	rules->custom = custom;
	rules->waivers = waivers;
	return 0;
}

static void
add_file(struct rules *rules, const char *file)
{
	char *name = visible_text(file, false);

	if (rules->files == NULL)
		rules->files = json_array();
	json_array_append_new(rules->files, json_string(name));
	free(name);
}

int
rules_layer_text(struct rules *rules, const char *file, const char *text, size_t len,
		 struct err *err)
{
	struct err own = { "" };
	struct reader reader = { .file = file, .base = &rules->tables, .err = &own };
	struct tree tree = { 0 };
	json_t *layer = NULL;
	int r;

	if ((r = tree_parse(file, text, len, &tree, &own)) == 0)
		r = schema_read(&reader, tree.root, &layer)
			? put_layer(rules, &reader, tree.root, layer)
			: -EINVAL;
	if (r == 0)
		add_file(rules, file);
	if (r < 0 && own.text[0] == '\0') {
		r = -ENOMEM;
		err_set(&own, "%s: out of memory", file);
	}
	if (r < 0 && err != NULL)
		*err = own;
	json_decref(layer);
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
			node_quote(path), r == -EFBIG ? "too big" : "not a regular file");
		return -EINVAL;
	}
	err_set(err, "%s:1:1: \"%s\" cannot be read (%s); accepted: a readable file", path,
		node_quote(path), strerror(-r));
	return r;
}

int
rules_text(struct rules **ret, const char *file, const char *text, size_t len, struct err *err)
{
	static const struct tables empty = { .digest = "" };
	struct rules *rules = rules_on(&empty);
	int r;

	if (rules == NULL) {
		err_set(err, "out of memory");
		return -ENOMEM;
	}
	if ((r = rules_layer_text(rules, file, text, len, err)) < 0) {
		rules_free(rules);
		return r;
	}
	rules->base = rules->tables;
	json_decref(rules->files);
	rules->files = NULL;
	*ret = rules;
	return 0;
}

void
rules_free(struct rules *rules)
{
	if (rules == NULL)
		return;
	pool_free(&rules->pool);
	json_decref(rules->files);
	free(rules);
}

const json_t *
rules_files(const struct rules *rules)
{
	return rules->files;
}

const struct tables *
rules_tables(const struct rules *rules)
{
	return &rules->tables;
}

const struct rule *
rules_all(const struct rules *rules, size_t *count)
{
	*count = rules->tables.count;
	return rules->tables.rules;
}

struct rule
rules_for(const struct rules *rules, const char *check)
{
	const struct rule *rule = table_rule(&rules->tables, check);

	return rule != NULL ? *rule : (struct rule){ .id = check, .enabled = true };
}

long long
rule_int(const struct rule *rule, const char *param, long long fallback)
{
	for (size_t i = 0; rule != NULL && i < rule->param_count; i++)
		if (strcmp(rule->params[i].name, param) == 0)
			return rule->params[i].value;
	return fallback;
}

const struct code_words *
rules_code(const struct rules *rules, const char *code)
{
	return table_code(&rules->tables, code);
}

const char *
rules_severity(const struct rules *rules, const char *code)
{
	const struct code_words *now = table_code(&rules->tables, code),
				*before = table_code(&rules->base, code);

	if (now == NULL || (before != NULL && doc_same(now->severity, before->severity)))
		return NULL;
	return now->severity;
}

const json_t *
rules_custom(const struct rules *rules)
{
	return rules->custom;
}

const json_t *
rules_waivers(const struct rules *rules)
{
	return rules->waivers;
}

const char *
rules_digest(const struct rules *rules)
{
	return rules->tables.digest;
}
