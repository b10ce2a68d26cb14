/* What ssh would say of a server's key: it asks for the types that it has on file, compares, and
 * believes a revocation before all else. */
#include "model/known_hosts.h"

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
is_port_less(const json_t *entry)
{
	return doc_is(entry, "via", "port-less");
}

static bool
same_key(const json_t *a, const json_t *b)
{
	const char *one = doc_str(a, "public"), *other = doc_str(b, "public");

	return one != NULL && other != NULL && strcmp(one, other) == 0;
}

/* The first entry with this marker (NULL: none) and, unless NULL, of this type. */
static const json_t *
find_entry(const json_t *entries, const char *marker, const char *type)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (entries, i, entry) {
		const char *has = doc_str(entry, "marker");

		if (is_port_less(entry) || (has == NULL) != (marker == NULL) ||
		    (has != NULL && strcmp(has, marker) != 0))
			continue;
		if (type == NULL || doc_is(entry, "type", type))
			return entry;
	}
	return NULL;
}

/* ---- the order of algorithms ---- */

static bool
is_preferred(const json_t *entries, const char *algorithm)
{
	char type[64];

	if (strstr(algorithm, "-cert-v01@") != NULL &&
	    find_entry(entries, "cert-authority", NULL) != NULL)
		return true;
	return find_entry(entries, NULL, known_hosts_plain_type(algorithm, type, sizeof(type))) !=
	       NULL;
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
known_hosts_order(const json_t *entries, const char *algorithms)
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
		    best && find_entry(entries, NULL,
				       known_hosts_plain_type(name, type, sizeof(type))) != NULL;
		append_algorithm(is_preferred(entries, name) ? first : last, name);
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

/* The live key of the first algorithm that fits one: a certificate's algorithm fits a key that came
 * in one. */
static const json_t *
negotiated_key(const json_t *entries, const json_t *keys, const char *algorithms, bool fixed)
{
	char *order = NULL, *rest, *name, type[64];
	const json_t *key, *ret = NULL;
	size_t i;

	if (algorithms != NULL)
		order = fixed ? strdup(algorithms) : known_hosts_order(entries, algorithms);
	rest = order;
	while (ret == NULL && (name = strsep(&rest, ",")) != NULL)
		json_array_foreach (keys, i, key)
			if (ret == NULL &&
			    doc_is(key, "type", known_hosts_plain_type(name, type, sizeof(type))) &&
			    (strstr(name, "-cert-v01@") == NULL ||
			     doc_get(key, "certificate") != NULL))
				ret = key;
	free(order);
	return ret != NULL ? ret : json_array_get(keys, 0);
}

/* ---- the verdict ---- */

/* The entry that revokes the key, under the name itself or, when so asked, under the name without
 * its port. */
static const json_t *
find_revocation(const json_t *entries, const json_t *key, bool port_less)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (entries, i, entry)
		if (doc_is(entry, "marker", "revoked") && is_port_less(entry) == port_less &&
		    same_key(entry, key))
			return entry;
	return NULL;
}

static const json_t *
find_match(const json_t *entries, const json_t *key, bool port_less)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (entries, i, entry)
		if (doc_str(entry, "marker") == NULL && is_port_less(entry) == port_less &&
		    same_key(entry, key))
			return entry;
	return NULL;
}

/* Nothing stands there for the name: what is known for the name without its port counts only when
 * it fits or revokes. */
static struct known_judgement
judge_nothing_found(const json_t *entries, const json_t *key)
{
	struct known_judgement ret = { .verdict = KNOWN_UNKNOWN, .key = key };

	if ((ret.entry = find_revocation(entries, key, true)) != NULL)
		ret.verdict = KNOWN_REVOKED;
	else if ((ret.entry = find_match(entries, key, true)) != NULL)
		ret.verdict = KNOWN_MATCH;
	else if ((ret.entry = find_entry(entries, "cert-authority", NULL)) != NULL)
		ret.verdict = KNOWN_CA;
	return ret;
}

struct known_judgement
known_hosts_judge(const json_t *entries, const json_t *keys, const char *algorithms, bool fixed)
{
	struct known_judgement ret = { .verdict = KNOWN_UNKNOWN,
				       .key = negotiated_key(entries, keys, algorithms, fixed) };

	if (ret.key == NULL)
		return ret;
	if ((ret.entry = find_revocation(entries, ret.key, false)) != NULL)
		ret.verdict = KNOWN_REVOKED;
	else if ((ret.entry = find_match(entries, ret.key, false)) != NULL)
		ret.verdict = KNOWN_MATCH;
	else if ((ret.entry = find_entry(entries, NULL, doc_str(ret.key, "type"))) != NULL)
		ret.verdict = KNOWN_CHANGED;
	else if ((ret.entry = find_entry(entries, NULL, NULL)) != NULL)
		ret.verdict = KNOWN_OTHER_TYPE;
	else
		return judge_nothing_found(entries, ret.key);
	return ret;
}
