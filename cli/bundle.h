/* Bundles: one target's facts in a file. */
#ifndef CLI_BUNDLE_H
#define CLI_BUNDLE_H

#include "facts/err.h"

#include <jansson.h>
#include <stdbool.h>

struct bundle_options {
	const char *path;
	bool plain;        /* keep names and addresses */
	const char *map;   /* a file for what the pseudonyms stand for; NULL: none */
	const char *rules; /* the digest of the rules, to be named in it */
	json_t *tool;      /* who wrote it before; NULL: this program does */
};

/* Writes the facts as a bundle, mode 0600, redacted unless `plain`. Returns 0, or -errno with a
 * sentence. */
int bundle_write(const struct bundle_options *options, const json_t *facts, struct err *err);

/* Reads a bundle; *ret becomes its facts document, the caller owns it; *redacted (may be NULL)
 * tells whether its names are pseudonyms. Returns 0, or -EINVAL / -errno with a sentence. */
int bundle_read(const char *path, json_t **ret, bool *redacted, struct err *err);

/* The bundle `from` once more, redacted. 0; -EIO when it cannot be written, else as bundle_read. */
int bundle_redact(const char *from, const struct bundle_options *options, struct err *err);

#endif
