/* What ssh would say of a server's key: it asks for the types that it has on file, compares, and
 * believes a revocation before all else. */
#include "model/known_hosts.h"
#include "facts/words.h"

#include <stdlib.h>
#include <string.h>

const char *
known_verdict_word(enum known_verdict verdict)
{
	static const char *const words[] = {
		[KNOWN_MATCH] = "match",           [KNOWN_UNKNOWN] = "unknown",
		[KNOWN_OTHER_TYPE] = "other-type", [KNOWN_CA] = "ca",
		[KNOWN_CHANGED] = "changed",       [KNOWN_REVOKED] = "revoked"
	};

	return words[verdict];
}

const char *
known_hosts_plain_type(const char *algorithm, char *ret, size_t size)
{
	const char *cert = strstr(algorithm, "-cert-v01@openssh.com");
	size_t len = cert != NULL ? (size_t)(cert - algorithm) : strlen(algorithm);
	bool rsa = len >= 8 && strncmp(algorithm, "rsa-sha2", 8) == 0,
	     sk = cert != NULL && strncmp(algorithm, "sk-", 3) == 0;

	if (rsa)
		snprintf(ret, size, "ssh-rsa");
	else
		snprintf(ret, size, "%.*s%s", (int)len, algorithm, sk ? "@openssh.com" : "");
	return ret;
}

static bool
is_port_less(const struct fact_known_entry *entry)
{
	return entry->via == KNOWN_VIA_PORT_LESS;
}

/* The first entry with this marker and, unless NULL, of this type. */
static const struct fact_known_entry *
find_entry(const struct fact_known_hosts *known, enum known_marker marker, const char *type)
{
	for (size_t i = 0; i < known->entries_count; i++) {
		const struct fact_known_entry *entry = &known->entries[i];

		if (!is_port_less(entry) && entry->marker == marker &&
		    (type == NULL || doc_same(entry->type, type)))
			return entry;
	}
	return NULL;
}

/* ---- the order of algorithms ---- */

static bool
is_preferred(const struct fact_known_hosts *known, const char *algorithm)
{
	char type[64];

	if (strstr(algorithm, "-cert-v01@") != NULL &&
	    find_entry(known, MARKER_AUTHORITY, NULL) != NULL)
		return true;
	return find_entry(known, MARKER_NONE,
			  known_hosts_plain_type(algorithm, type, sizeof(type))) != NULL;
}

static void
append_algorithm(char *list, const char *algorithm)
{
	char *end = list + strlen(list);

	if (end != list)
		*end++ = ',';
	memcpy(end, algorithm, strlen(algorithm) + 1);
}

char *
known_hosts_order(const struct fact_known_hosts *known, const char *algorithms)
{
	size_t size = strlen(algorithms) + 2;
	char *copy = strdup(algorithms), *rest = copy, *name, *first = calloc(1, size),
	     *last = calloc(1, size), *ret = NULL;
	bool verbatim = false;

	if (copy == NULL || first == NULL || last == NULL)
		goto out;
	for (bool best = true; !verbatim && (name = strsep(&rest, ",")) != NULL; best = false) {
		char type[64];

		if (*name == '\0')
			continue;
		verbatim =
		    best && find_entry(known, MARKER_NONE,
				       known_hosts_plain_type(name, type, sizeof(type))) != NULL;
		append_algorithm(is_preferred(known, name) ? first : last, name);
	}
	if (verbatim)
		ret = strdup(algorithms);
	else
		ret = doc_fmt("%s%s%s", first, *first != '\0' && *last != '\0' ? "," : "", last);
out:
	free(copy);
	free(first);
	free(last);
	return ret;
}

/* Does this algorithm ask for the key? A certificate's algorithm asks for one that came in one. */
static bool
asks_for(const char *algorithm, const struct fact_host_key_entry *key)
{
	char type[64];

	return doc_same(key->type, known_hosts_plain_type(algorithm, type, sizeof(type))) &&
	       (strstr(algorithm, "-cert-v01@") == NULL || key->certificate != NULL);
}

/* The live key of the first algorithm that asks for one. */
static const struct fact_host_key_entry *
negotiated_key(const struct fact_known_hosts *known, const struct fact_host_key *shown,
	       const char *algorithms, bool fixed)
{
	const struct fact_host_key_entry *ret = NULL;
	char *order = NULL, *rest, *name;

	if (algorithms != NULL)
		order = fixed ? strdup(algorithms) : known_hosts_order(known, algorithms);
	rest = order;
	while (ret == NULL && (name = strsep(&rest, ",")) != NULL)
		for (size_t i = 0; ret == NULL && i < shown->keys_count; i++)
			if (asks_for(name, &shown->keys[i]))
				ret = &shown->keys[i];
	free(order);
	return ret != NULL || shown->keys_count == 0 ? ret : &shown->keys[0];
}

/* ---- the verdict ---- */

/* The entry of this marker that holds the key, under the name itself or, when so asked, under the
 * name without its port. */
static const struct fact_known_entry *
find_key(const struct fact_known_hosts *known, enum known_marker marker,
	 const struct fact_host_key_entry *key, bool port_less)
{
	for (size_t i = 0; i < known->entries_count; i++) {
		const struct fact_known_entry *entry = &known->entries[i];

		if (entry->marker == marker && is_port_less(entry) == port_less &&
		    word_same(entry->public, key->public))
			return entry;
	}
	return NULL;
}

/* Nothing stands there for the name: what is known for the name without its port counts only when
 * it fits or revokes. */
static struct known_judgement
judge_nothing_found(const struct fact_known_hosts *known, const struct fact_host_key_entry *key)
{
	struct known_judgement ret = { .verdict = KNOWN_UNKNOWN, .key = key };

	if ((ret.entry = find_key(known, MARKER_REVOKED, key, true)) != NULL)
		ret.verdict = KNOWN_REVOKED;
	else if ((ret.entry = find_key(known, MARKER_NONE, key, true)) != NULL)
		ret.verdict = KNOWN_MATCH;
	else if ((ret.entry = find_entry(known, MARKER_AUTHORITY, NULL)) != NULL)
		ret.verdict = KNOWN_CA;
	return ret;
}

struct known_judgement
known_hosts_judge(const struct fact_known_hosts *known, const struct fact_host_key *shown,
		  const char *algorithms, bool fixed)
{
	struct known_judgement ret = { .verdict = KNOWN_UNKNOWN,
				       .key = negotiated_key(known, shown, algorithms, fixed) };

	if (ret.key == NULL)
		return ret;
	if ((ret.entry = find_key(known, MARKER_REVOKED, ret.key, false)) != NULL)
		ret.verdict = KNOWN_REVOKED;
	else if ((ret.entry = find_key(known, MARKER_NONE, ret.key, false)) != NULL)
		ret.verdict = KNOWN_MATCH;
	else if ((ret.entry = find_entry(known, MARKER_NONE, ret.key->type)) != NULL)
		ret.verdict = KNOWN_CHANGED;
	else if ((ret.entry = find_entry(known, MARKER_NONE, NULL)) != NULL)
		ret.verdict = KNOWN_OTHER_TYPE;
	else
		return judge_nothing_found(known, ret.key);
	return ret;
}
