/* What ssh 9.2 says of a host certificate: it looks for the authority's key among the
 * @cert-authority lines of the host, then at what the certificate is for. Whatever is wrong with
 * it, ssh goes on with the key within, as if there were no certificate (measured). */
#include "facts/words.h"
#include "model/known_hosts.h"

#include <stdint.h>
#include <string.h>

static const json_t *
find_authority(const json_t *entries, const json_t *cert, const char *marker)
{
	const char *public = doc_str(cert, "authority.public"), *own;
	const json_t *entry;
	size_t i;

	json_array_foreach (entries, i, entry)
		if (doc_is(entry, "marker", marker) && public != NULL &&
		    (own = doc_str(entry, "public")) != NULL && strcmp(own, public) == 0)
			return entry;
	return NULL;
}

/* No principals: it is for every name. Otherwise ssh compares them byte by byte with the name in
 * lower case; no patterns. */
static bool
is_for(const json_t *cert, const char *name)
{
	const json_t *principals = doc_list(cert, "principals"), *one;
	size_t i;

	json_array_foreach (principals, i, one)
		if (json_string_value(one) != NULL && strcmp(json_string_value(one), name) == 0)
			return true;
	return json_array_size(principals) == 0;
}

struct known_cert
known_cert_judge(const json_t *entries, const json_t *key, const char *name, time_t now,
		 const char *algorithms)
{
	const json_t *cert = doc_get(key, "certificate");
	struct known_cert ret = { .verdict = KNOWN_CERT_NONE };

	if (cert == NULL)
		return ret;
	if ((ret.entry = find_authority(entries, cert, "revoked")) != NULL)
		ret.verdict = KNOWN_CERT_REVOKED;
	else if (!doc_bool(cert, "signed", true))
		ret.verdict = KNOWN_CERT_FORGED;
	else if ((ret.entry = find_authority(entries, cert, "cert-authority")) == NULL)
		ret.verdict = KNOWN_CERT_UNKNOWN;
	else if (!doc_bool(cert, "host", true) || doc_bool(cert, "critical", false) ||
		 (algorithms != NULL && !word_in_text(doc_str(cert, "algorithm"), algorithms, ',')))
		ret.verdict = KNOWN_CERT_REFUSED;
	else if (now < doc_int(cert, "valid_after", 0))
		ret.verdict = KNOWN_CERT_EARLY;
	else if (now >= doc_int(cert, "valid_before", INT64_MAX))
		ret.verdict = KNOWN_CERT_EXPIRED;
	else if (name == NULL || !is_for(cert, name))
		ret.verdict = KNOWN_CERT_NAME;
	else
		ret.verdict = KNOWN_CERT_GOOD;
	return ret;
}
