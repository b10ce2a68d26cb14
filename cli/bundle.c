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

int
bundle_write(const struct bundle_options *options, const json_t *facts, struct err *err)
{
	json_t *bundle, *plain = (json_t *)(uintptr_t)facts;
	struct redacted redacted = { 0 };
	int r = 0;

	if (!options->plain)
		redact_facts(facts, &redacted);
	bundle = json_pack("{s:s, s:O, s:o}", "schema", "azssh-doctor/bundle/1", "facts",
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

int
bundle_read(const char *path, json_t **ret, struct err *err)
{
	json_error_t where;
	struct facts view;
	json_t *bundle;
	struct buffer bytes = { 0 };
	int r;

	if ((r = file_read(path, BUNDLE_MAX, &bytes, NULL)) < 0) {
		err_set(err, "'%s' cannot be read: %s", path,
			r == -EINVAL ? "a regular file is needed" : strerror(-r));
		return r;
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
	if (!doc_is(bundle, "schema", "azssh-doctor/bundle/1") ||
	    facts_view(doc_get(bundle, "facts"), 0, &view) < 0) {
		err_set(err,
			"'%s' is not a bundle of a version that this program reads (schema "
			"azssh-doctor/bundle/1 with facts of one target)",
			path);
		json_decref(bundle);
		return -EINVAL;
	}
	*ret = json_incref(doc_get(bundle, "facts"));
	facts_tidy(*ret);
	json_decref(bundle);
	return 0;
}

int
bundle_redact(const char *from, const struct bundle_options *options, struct err *err)
{
	json_t *facts = NULL;
	int r = bundle_read(from, &facts, err);

	if (r == 0 && bundle_write(options, facts, err) < 0)
		r = -EIO;
	json_decref(facts);
	return r;
}
