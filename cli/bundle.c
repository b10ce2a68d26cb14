#include "cli/bundle.h"
#include "cli/replace.h"
#include "facts/doc.h"
#include "facts/facts.h"
#include "facts/file.h"
#include "facts/weigh.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { BUNDLE_MAX = 64 << 20 };

int
bundle_write(const char *path, const json_t *facts, struct err *err)
{
	json_t *bundle = json_pack("{s:s, s:O, s:[]}", "schema", "azssh-doctor/bundle/1", "facts",
				   facts, "redactions");
	char *text = bundle != NULL ? json_dumps(bundle, JSON_COMPACT) : NULL;
	int r = -ENOMEM;

	if (text != NULL)
		r = file_replace(path, text, strlen(text), FILE_PRIVATE, err);
	free(text);
	json_decref(bundle);
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
		err_set(err, "'%s' is no bundle: line %d, column %d: %s", path, where.line,
			where.column, where.text);
		return -EINVAL;
	}
	if (!doc_is(bundle, "schema", "azssh-doctor/bundle/1") ||
	    facts_view(doc_get(bundle, "facts"), 0, &view) < 0) {
		err_set(err,
			"'%s' is no bundle of a version that this program reads (schema "
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
