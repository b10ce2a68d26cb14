#include "cli/known.h"
#include "facts/doc.h"
#include "facts/file.h"
#include "model/known_hosts.h"

#include <openssl/rand.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What the host-key check found; NULL when it did not run. */
static const json_t *
host_key_evidence(const struct report *report)
{
	for (size_t i = 0; i < report->count; i++)
		if (strcmp(report->findings[i].check, "host-key") == 0)
			return report->findings[i].evidence;
	return NULL;
}

enum { KNOWN_MAX = 64 << 20 };

/* The key on the wire whose fingerprint the evidence names. */
static const json_t *
live_key(const struct facts *facts, const char *fingerprint)
{
	const json_t *keys = doc_list(facts_section(facts, FACT_HOST_KEY), "keys"), *key;
	size_t i;

	json_array_foreach (keys, i, key)
		if (fingerprint != NULL && doc_str(key, "fingerprint") != NULL &&
		    strcmp(doc_str(key, "fingerprint"), fingerprint) == 0)
			return key;
	return NULL;
}

/* What the file says of the key already: NULL, "known" or "revoked". */
static const char *
stands_there(const char *text, size_t len, const char *name, const json_t *key)
{
	struct known_query query = { .name = name, .alias = true };
	json_t *entries = json_array(), *damaged = json_array(), *entry;
	const char *public = doc_str(key, "public"), *found = NULL;
	size_t i;

	known_hosts_read(text, len, "", &query, entries, damaged);
	json_array_foreach (entries, i, entry)
		if (public != NULL && doc_str(entry, "public") != NULL &&
		    strcmp(public, doc_str(entry, "public")) == 0) {
			if (doc_is(entry, "marker", "revoked"))
				found = "revoked";
			else if (doc_get(entry, "marker") == NULL && found == NULL)
				found = "known";
		}
	json_decref(entries);
	json_decref(damaged);
	return found;
}

/* Hashed where ssh would hash it. The caller frees. */
static char *
name_written(const struct facts *facts, const char *name)
{
	unsigned char salt[KNOWN_SALT];

	if (!doc_is(facts_section(facts, FACT_SSH_CONFIG), "options.hashknownhosts", "yes"))
		return strdup(name);
	return RAND_bytes(salt, sizeof(salt)) == 1 ? known_hosts_hash(name, salt) : NULL;
}

/* One write at the end, so that mode, owner and links stay what they are; a write that was cut
 * short is taken back. */
static int
append(int fd, const char *line)
{
	off_t before = lseek(fd, 0, SEEK_END);
	size_t len = strlen(line);
	ssize_t n = write(fd, line, len);

	if (n == (ssize_t)len)
		return 0;
	if (n > 0 && before >= 0 && ftruncate(fd, before) < 0)
		return -EIO;
	return n < 0 ? -errno : -ENOSPC;
}

static int
add_line(int fd, const char *path, const struct facts *facts, const char *name, const json_t *key,
	 struct err *err)
{
	struct buffer text = { 0 };
	char *written = NULL, *line = NULL;
	const char *found;
	int r = file_read_fd(fd, KNOWN_MAX, &text, NULL);

	if (r < 0)
		return r;
	if ((found = stands_there((const char *)text.at, text.len, name, key)) != NULL) {
		if (strcmp(found, "revoked") == 0)
			err_set(err,
				"--known-hosts: '%s' is left as it is, since it revokes this key",
				path);
	} else if ((written = name_written(facts, name)) == NULL ||
		   (line = doc_fmt(
			"%s%s %s %s\n", text.len > 0 && text.at[text.len - 1] != '\n' ? "\n" : "",
			written, doc_str(key, "type"), doc_str(key, "public"))) == NULL) {
		r = -ENOMEM;
	} else {
		r = append(fd, line);
	}
	free(line);
	free(written);
	buffer_free(&text);
	return r;
}

int
known_append(const char *path, const struct facts *facts, const struct report *report,
	     struct err *err)
{
	const json_t *evidence = host_key_evidence(report),
		     *key = live_key(facts, doc_str(evidence, "fingerprint"));
	const char *name = doc_str(facts_section(facts, FACT_KNOWN_HOSTS), "name");
	int fd, r;

	if (key == NULL || name == NULL || doc_str(key, "public") == NULL ||
	    !doc_is(evidence, "proof_result", "match")) {
		err_set(err,
			"--known-hosts: '%s' is left as it is, since Azure has not proven the host "
			"key (--guest asks for the proof)",
			path);
		return 0;
	}
	if ((fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
		       0600)) < 0)
		r = -errno;
	else
		r = add_line(fd, path, facts, name, key, err);
	if (fd >= 0)
		close(fd);
	if (r < 0)
		err_set(err, "'%s' cannot be written: %s", path,
			r == -EINVAL ? "a regular file is needed" : strerror(-r));
	return r;
}
