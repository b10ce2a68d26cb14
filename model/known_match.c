/* The host field of a known_hosts line: comma-separated names and patterns, or one hashed name. */
#include "facts/bytes.h"
#include "facts/words.h"
#include "model/known_hosts.h"

#include <ctype.h>
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

enum { PATTERN_MAX = 1023, HASH_TEXT = 28 };

/* One negated match makes the whole list match nothing; so does a part that is longer than ssh
 * takes, from there on. */
static int
list_names(const char *hosts, size_t len, const char *name)
{
	int via = KNOWN_VIA_NONE;

	for (size_t at = 0; at < len;) {
		bool negated = hosts[at] == '!';
		const char *part = hosts + at + negated, *comma;
		size_t part_len;

		comma = memchr(part, ',', len - at - negated);
		part_len = comma != NULL ? (size_t)(comma - part) : len - at - negated;
		if (part_len >= PATTERN_MAX)
			return KNOWN_VIA_NONE;
		if (word_fits(part, part_len, name, true)) {
			if (negated)
				return KNOWN_VIA_NONE;
			if (via != KNOWN_VIA_HOST)
				via = memchr(part, '*', part_len) || memchr(part, '?', part_len)
					  ? KNOWN_VIA_PATTERN
					  : KNOWN_VIA_HOST;
		}
		at += negated + part_len + 1;
	}
	return via;
}

/* HMAC-SHA1 of the name keyed by the salt, in base64. The caller frees; NULL when out of memory. */
static char *
hash_text(const char *name, const unsigned char *salt)
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	if (HMAC(EVP_sha1(), salt, KNOWN_SALT, (const unsigned char *)name, strlen(name), hash,
		 &len) == NULL)
		return NULL;
	return base64_encode((struct bytes){ hash, len }, 0);
}

/* "|1|salt|hash", both in base64. */
static int
hash_names(const char *hosts, size_t len, const char *name)
{
	const char *rest = hosts + 3;
	struct buffer salt = { 0 };
	char *text;
	int via = -EINVAL;

	if (len < 3 + HASH_TEXT + 1 || memcmp(hosts, "|1|", 3) != 0 || rest[HASH_TEXT] != '|' ||
	    base64_decode((struct bytes){ (const unsigned char *)rest, HASH_TEXT }, 0, &salt) < 0)
		return -EINVAL;
	if (salt.len == KNOWN_SALT && (text = hash_text(name, salt.at)) != NULL) {
		rest += HASH_TEXT + 1;
		len -= 3 + HASH_TEXT + 1;
		via = len == strlen(text) && memcmp(rest, text, len) == 0 ? KNOWN_VIA_HASHED
									  : KNOWN_VIA_NONE;
		free(text);
	}
	buffer_free(&salt);
	return via;
}

char *
known_hosts_hash(const char *name, const unsigned char salt[KNOWN_SALT])
{
	char *hash = hash_text(name, salt),
	     *salt_text = base64_encode((struct bytes){ salt, KNOWN_SALT }, 0), *ret = NULL;

	if (hash != NULL && salt_text != NULL)
		ret = doc_fmt("|1|%s|%s", salt_text, hash);
	free(hash);
	free(salt_text);
	return ret;
}

int
known_hosts_names(const char *hosts, size_t len, const char *name)
{
	if (len > 0 && hosts[0] == '|')
		return hash_names(hosts, len, name);
	return list_names(hosts, len, name);
}

char *
known_hosts_name(const struct known_query *query)
{
	if (query->alias || query->port == 0 || query->port == 22)
		return strdup(query->name);
	return doc_fmt("[%s]:%d", query->name, query->port);
}
