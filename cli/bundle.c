#include "cli/bundle.h"
#include "facts/doc.h"
#include "facts/facts.h"
#include "facts/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUNDLE_MAX = 64 << 20 };

static int
write_all(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		bytes += n;
		len -= (size_t)n;
	}
	return 0;
}

/* A device or a pipe (/dev/stderr, /dev/full, a process substitution) is written to as it is. */
static int
write_special(const char *path, const char *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY), r;

	if (fd < 0)
		return -errno;
	r = write_all(fd, bytes, len);
	if (close(fd) < 0 && r == 0)
		r = -errno;
	return r;
}

static int
write_renamed(const char *path, const char *bytes, size_t len, mode_t mode)
{
	char *temporary = doc_fmt("%s.XXXXXX", path);
	int fd, r;

	if (temporary == NULL)
		return -ENOMEM;
	if ((fd = mkostemp(temporary, O_CLOEXEC)) < 0) {
		r = -errno;
		free(temporary);
		return r;
	}
	r = write_all(fd, bytes, len);
	if (r == 0 && (fchmod(fd, mode) < 0 || fsync(fd) < 0))
		r = -errno;
	if (close(fd) < 0 && r == 0)
		r = -errno;
	if (r == 0 && rename(temporary, path) < 0)
		r = -errno;
	if (r < 0)
		unlink(temporary);
	free(temporary);
	return r;
}

int
file_replace(const char *path, const char *bytes, size_t len, mode_t mode, struct err *err)
{
	struct stat st;
	int r;

	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		r = S_ISDIR(st.st_mode) ? -EISDIR : write_special(path, bytes, len);
	else
		r = write_renamed(path, bytes, len, mode);
	if (r < 0)
		err_set(err, "'%s' cannot be written: %s", path, strerror(-r));
	return r;
}

int
bundle_write(const char *path, const json_t *facts, struct err *err)
{
	json_t *bundle = json_pack("{s:s, s:O, s:[]}", "schema", "azssh-doctor/bundle/1", "facts",
				   facts, "redactions");
	char *text = bundle != NULL ? json_dumps(bundle, JSON_COMPACT) : NULL;
	int r = -ENOMEM;

	if (text != NULL)
		r = file_replace(path, text, strlen(text), 0600, err);
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
