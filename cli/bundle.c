#include "cli/bundle.h"
#include "cli/replace.h"
#include "facts/doc.h"
#include "facts/facts.h"
#include "facts/file.h"
#include "facts/weigh.h"
#include "model/redact/redact.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { BUNDLE_MAX = 64 << 20 };

/* The bundle as one text, into the file. */
static int
write_json(const char *path, json_t *value, struct err *err)
{
	char *text = json_dumps(value, JSON_COMPACT);
	int r = text != NULL ? file_replace(path, text, strlen(text), FILE_PRIVATE, err) : -ENOMEM;

	free(text);
	return r;
}

/* What the pseudonyms stand for; this file is for whoever made the bundle. */
static int
write_map(const char *path, json_t *map, struct err *err)
{
	json_t *value = json_pack("{s:s, s:O}", "schema", "azssh-doctor/map/1", "names", map);
	int r = write_json(path, value, err);

	json_decref(value);
	return r;
}

/* What a section that was not asked for would take. */
static const char *
option_for(enum fact_section section, const struct fact_asked *asked)
{
	switch (section) {
	case FACT_DEEP:
		return asked->azure ? "--deep" : "without --no-azure";
	case FACT_PROOF:
	case FACT_GUEST:
		return asked->azure ? "--guest" : "without --no-azure";
	case FACT_REHEARSAL:
		return asked->probe ? "without --no-rehearsal" : "without --no-probe";
	case FACT_DNS:
	case FACT_TCP:
	case FACT_BANNER:
	case FACT_KEX:
	case FACT_HOST_KEY:
	case FACT_AUTH:
		return asked->probe ? NULL : "without --no-probe";
	case FACT_SOURCE:
		return "--source-ip";
	default:
		return asked->azure ? NULL : "without --no-azure";
	}
}

/* What a second run would have to be told to see. */
static json_t *
not_collected(json_t *facts)
{
	json_t *list = json_array();
	struct fact_asked asked;
	struct facts view;

	if (facts_view(facts, 0, &view) < 0)
		return list;
	fact_read(facts_asked(&view), shape_of_asked(), &asked);
	for (enum fact_section section = 0; section < FACT_SECTION_COUNT; section++) {
		const char *option = option_for(section, &asked);

		if (facts_state(&view, section, NULL) == FACT_NOT_ASKED && option != NULL)
			json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "section",
							      facts_section_key(section), "what",
							      facts_section_words(section),
							      "option", option));
	}
	fact_free(shape_of_asked(), &asked);
	return list;
}

/* Who wrote the bundle; a bundle that is redacted keeps who had written it. */
static json_t *
tool(const struct bundle_options *options)
{
	if (options->tool != NULL)
		return json_incref(options->tool);
	return json_pack("{s:s, s:s, s:s+}", "name", PACKAGE_NAME, "version", PACKAGE_VERSION,
			 "rules", "sha256:", options->rules);
}

int
bundle_write(const struct bundle_options *options, const json_t *facts, struct err *err)
{
	json_t *bundle, *plain = (json_t *)(uintptr_t)facts;
	struct redacted redacted = { 0 };
	int r = 0;

	if (!options->plain)
		redact_facts(facts, &redacted);
	bundle = json_pack("{s:s, s:o, s:o, s:O, s:o}", "schema", "azssh-doctor/bundle/1", "tool",
			   tool(options), "not_collected", not_collected(plain), "facts",
			   options->plain ? plain : redacted.facts, "redactions",
			   options->plain ? json_array() : json_incref(redacted.replaced));
	/* the map first: without it nobody could read the answer to the bundle */
	if (options->map != NULL && !options->plain)
		r = write_map(options->map, redacted.map, err);
	if (r == 0)
		r = write_json(options->path, bundle, err);
	json_decref(bundle);
	json_decref(redacted.facts);
	json_decref(redacted.replaced);
	json_decref(redacted.map);
	return r;
}

/* A bundle of a version that this program reads? */
static int
check_bundle(const char *path, const json_t *bundle, struct err *err)
{
	static const char ours[] = "azssh-doctor/bundle/1", kind[] = "azssh-doctor/bundle/";
	const char *schema = doc_str(bundle, "schema");
	struct facts view;

	if (schema != NULL && strcmp(schema, ours) != 0 &&
	    strncmp(schema, kind, sizeof(kind) - 1) == 0) {
		err_set(err,
			"'%s' is of the schema '%s', and this program reads %s: take a newer one",
			path, schema, ours);
		return -EINVAL;
	}
	if (schema == NULL || strcmp(schema, ours) != 0 ||
	    facts_view(doc_get(bundle, "facts"), 0, &view) < 0) {
		err_set(err,
			"'%s' is no bundle of a version that this program reads (schema %s with "
			"facts of one target)",
			path, ours);
		return -EINVAL;
	}
	return 0;
}

static int
read_bundle(const char *path, json_t **ret, struct err *err)
{
	json_error_t where;
	json_t *bundle;
	struct buffer bytes = { 0 };
	int r;

	if ((r = file_read(path, BUNDLE_MAX, &bytes, NULL)) < 0) {
		err_set(err, "'%s' cannot be read: %s", path,
			r == -EINVAL ? "a regular file is needed" : strerror(-r));
		return r == -ENOMEM ? r : -EINVAL;
	}
	if (!json_fits((const char *)bytes.at, bytes.len)) {
		buffer_free(&bytes);
		err_set(err, "'%s' holds more values than this program reads", path);
		return -EINVAL;
	}
	bundle = json_loadb((const char *)bytes.at, bytes.len, JSON_REJECT_DUPLICATES, &where);
	buffer_free(&bytes);
	if (bundle == NULL) {
		err_set(err, "'%s' is not a bundle: line %d, column %d: %s", path, where.line,
			where.column, where.text);
		return -EINVAL;
	}
	if ((r = check_bundle(path, bundle, err)) < 0) {
		json_decref(bundle);
		return r;
	}
	facts_tidy(doc_get(bundle, "facts"));
	*ret = bundle;
	return 0;
}

int
bundle_read(const char *path, json_t **ret, bool *redacted, struct err *err)
{
	json_t *bundle = NULL;
	int r = read_bundle(path, &bundle, err);

	if (redacted != NULL)
		*redacted = json_array_size(doc_list(bundle, "redactions")) > 0;
	if (r == 0)
		*ret = json_incref(doc_get(bundle, "facts"));
	json_decref(bundle);
	return r;
}

int
bundle_redact(const char *from, const struct bundle_options *options, struct err *err)
{
	struct bundle_options own = *options;
	json_t *bundle = NULL;
	int r = read_bundle(from, &bundle, err);

	own.tool = json_object_get(bundle, "tool");
	if (r == 0 && bundle_write(&own, doc_get(bundle, "facts"), err) < 0)
		r = -EIO;
	json_decref(bundle);
	return r;
}
