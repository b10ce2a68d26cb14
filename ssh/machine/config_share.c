/* One answer of `ssh -G` for all names that no block of the configuration tells apart. */
#include "facts/words.h"
#include "ssh/machine/config_share.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct ssh_config_shared {
	struct config_share *first;
};

struct ssh_config_shared *
ssh_config_shared_new(void)
{
	return calloc(1, sizeof(struct ssh_config_shared));
}

void
ssh_config_shared_free(struct ssh_config_shared *shared)
{
	struct config_share *share;

	while (shared != NULL && (share = shared->first) != NULL) {
		shared->first = share->next;
		json_decref(share->scan);
		json_decref(share->neutral);
		free(share->key);
		free(share);
	}
	free(shared);
}

struct config_share *
config_share_of(const struct ssh_config_request *request, const char *neutral_name)
{
	struct config_share *share;
	char *key;

	if (request->shared == NULL)
		return NULL;
	key = doc_fmt("%s %d %s %s %s %d", neutral_name, request->port,
		      request->user != NULL ? request->user : "",
		      request->identity != NULL ? request->identity : "",
		      request->config_file != NULL ? request->config_file : "", request->no_config);
	for (share = request->shared->first; share != NULL; share = share->next)
		if (strcmp(share->key, key) == 0) {
			free(key);
			return share;
		}
	share = calloc(1, sizeof(*share));
	*share = (struct config_share){ .next = request->shared->first, .key = key };
	return request->shared->first = share;
}

/* ---- is it the same for that name? ---- */

static bool
is_set(const char *word)
{
	return word != NULL && !doc_same(word, "no") && !doc_same(word, "false") &&
	       !doc_same(word, "none");
}

/* What depends on the name by more than the blocks is asked for each. */
static bool
neutral_serves(const json_t *neutral, const char *neutral_name)
{
	struct fact_ssh_options options;
	bool serves;

	fact_read(neutral, shape_of_ssh_options(), &options);
	serves = doc_same(options.hostname, neutral_name) &&
		 ssh_config_value(options.controlpath) == NULL &&
		 ssh_config_value(options.proxyjump) == NULL &&
		 ssh_config_value(options.proxycommand) == NULL &&
		 !is_set(options.canonicalizehostname);
	fact_free(shape_of_ssh_options(), &options);
	return serves;
}

/* A pattern, negated or not, that stands for the name and not for every name. */
static bool
tells_apart(const char *patterns, const char *name)
{
	for (const char *at = patterns; *at != '\0'; at += strcspn(at, " \t")) {
		size_t len;

		at += strspn(at, " \t!\"");
		len = strcspn(at, " \t\"");
		if ((len != 1 || *at != '*') && len > 0 && word_fits(at, len, name, true))
			return true;
	}
	return false;
}

static bool
blocks_serve(const json_t *scan, const char *name)
{
	struct fact_config_scan found;
	bool serve;

	fact_read(scan, shape_of_config_scan(), &found);
	serve = found.match_exec == NULL;
	for (size_t i = 0; i < found.blocks_count && serve; i++) {
		const struct fact_config_block *block = &found.blocks[i];

		if (doc_same(block->keyword, "host"))
			serve = block->patterns == NULL || !tells_apart(block->patterns, name);
		else if (doc_same(block->keyword, "match"))
			serve = doc_same(block->patterns, "all");
	}
	fact_free(shape_of_config_scan(), &found);
	return serve;
}

/* ---- the answer for that name ---- */

/* Where the neutral name stands the name takes its place. */
static json_t *
renamed(const char *value, const char *neutral_name, const char *name)
{
	char *text = NULL;
	size_t size, len = strlen(neutral_name);
	const char *found;
	json_t *ret;
	FILE *out;

	if (strstr(value, neutral_name) == NULL)
		return json_string(value);
	out = open_memstream(&text, &size);
	for (; (found = strstr(value, neutral_name)) != NULL; value = found + len)
		fprintf(out, "%.*s%s", (int)(found - value), value, name);
	fprintf(out, "%s", value);
	fclose(out);
	ret = json_string(text);
	free(text);
	return ret;
}

static json_t *
renamed_any(json_t *value, const char *neutral_name, const char *name)
{
	json_t *list, *item;
	size_t i;

	if (json_is_string(value))
		return renamed(json_string_value(value), neutral_name, name);
	if (!json_is_array(value))
		return json_incref(value);
	list = json_array();
	json_array_foreach (value, i, item)
		json_array_append_new(list, renamed_any(item, neutral_name, name));
	return list;
}

json_t *
config_share_options(const struct config_share *share, const char *neutral_name, const char *name)
{
	json_t *options, *value;
	const char *keyword;
	char *host;

	if (share->neutral == NULL || !neutral_serves(share->neutral, neutral_name) ||
	    !blocks_serve(share->scan, name))
		return NULL;
	options = json_object();
	json_object_foreach (share->neutral, keyword, value)
		json_object_set_new(options, keyword, renamed_any(value, neutral_name, name));
	host = strdup(name); /* ssh writes host names in small letters */
	for (char *p = host; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	doc_set_str(options, "hostname", host);
	free(host);
	return options;
}
