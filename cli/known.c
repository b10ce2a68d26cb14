#include "cli/known.h"
#include "facts/doc.h"
#include "facts/file.h"
#include "facts/words.h"
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
static const struct fact_host_key_entry *
live_key(const struct fact_host_key *host_key, const char *fingerprint)
{
	for (size_t i = 0; i < host_key->keys_count; i++)
		if (word_same(host_key->keys[i].fingerprint, fingerprint))
			return &host_key->keys[i];
	return NULL;
}

/* What the file says of the key already. */
enum standing { NOT_THERE, THERE, REVOKED_THERE };

static enum standing
standing_of(const char *text, size_t len, const char *name, const char *public)
{
	struct known_query query = { .name = name, .alias = true };
	json_t *entries = json_array(), *damaged = json_array(), *entry;
	enum standing found = NOT_THERE;
	size_t i;

	known_hosts_read(text, len, "", &query, entries, damaged);
	json_array_foreach (entries, i, entry) {
		enum known_marker marker = FACT_GET(entry, known_entry, marker);

		if (!word_same(FACT_GET(entry, known_entry, public), public))
			continue;
		if (marker == MARKER_REVOKED)
			found = REVOKED_THERE;
		else if (marker == MARKER_NONE && found == NOT_THERE)
			found = THERE;
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

	const json_t *options =
	    FACT_JSON(facts_section(facts, FACT_SSH_CONFIG), ssh_config, options);

	if (!doc_same(FACT_GET(options, ssh_options, hashknownhosts), "yes"))
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
add_line(int fd, const char *path, const struct facts *facts, const char *name,
	 const struct fact_host_key_entry *key, struct err *err)
{
	struct buffer text = { 0 };
	char *written = NULL, *line = NULL;
	int r = file_read_fd(fd, KNOWN_MAX, &text, NULL);

	if (r < 0)
		return r;
	switch (standing_of((const char *)text.at, text.len, name, key->public)) {
	case THERE:
		break;
	case REVOKED_THERE:
		err_set(err, "--known-hosts: '%s' is left as it is, since it revokes this key",
			path);
		break;
	case NOT_THERE:
		if ((written = name_written(facts, name)) == NULL) {
			r = -ENOMEM;
			break;
		}
		line = doc_fmt("%s%s %s %s\n",
			       text.len > 0 && text.at[text.len - 1] != '\n' ? "\n" : "", written,
			       key->type, key->public);
		r = append(fd, line);
	}
	free(line);
	free(written);
	buffer_free(&text);
	return r;
}

/* Opens the file, or makes it, and adds the key. */
static int
add_to_file(const char *path, const struct facts *facts, const char *name,
	    const struct fact_host_key_entry *key, struct err *err)
{
	int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600),
	    r = fd < 0 ? -errno : add_line(fd, path, facts, name, key, err);

	if (fd >= 0)
		close(fd);
	if (r < 0)
		err_set(err, "'%s' cannot be written: %s", path,
			r == -EINVAL ? "a regular file is needed" : strerror(-r));
	return r;
}

int
known_append(const char *path, const struct facts *facts, const struct report *report,
	     struct err *err)
{
	const json_t *evidence = host_key_evidence(report);
	const char *name = FACTS_GET(facts, known_hosts, name);
	const struct fact_host_key_entry *key;
	struct fact_host_key host_key;
	int r = 0;

	FACTS_READ(facts, host_key, &host_key);
	key = live_key(&host_key, doc_str(evidence, "fingerprint"));
	if (key != NULL && name != NULL && key->public != NULL &&
	    doc_is(evidence, "proof_result", "match"))
		r = add_to_file(path, facts, name, key, err);
	else
		err_set(err,
			"--known-hosts: '%s' is left as it is, since Azure has not proven the host "
			"key (--guest asks for the proof)",
			path);
	fact_free(shape_of_host_key(), &host_key);
	return r;
}
