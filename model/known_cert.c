/* What ssh 9.2 says of a host certificate: it looks for the authority's key among the
 * @cert-authority lines of the host, then at what the certificate is for. Whatever is wrong with
 * it, ssh goes on with the key within, as if there were no certificate (measured). */
#include "facts/words.h"
#include "model/known_hosts.h"

#include <string.h>

static const struct fact_known_entry *
find_authority(const struct fact_known_hosts *known, const struct fact_host_certificate *cert,
	       enum known_marker marker)
{
	const char *public = cert->authority.public;

	for (size_t i = 0; public != NULL && i < known->entries_count; i++)
		if (known->entries[i].marker == marker && known->entries[i].public != NULL &&
		    strcmp(known->entries[i].public, public) == 0)
			return &known->entries[i];
	return NULL;
}

/* No principals: it is for every name. Otherwise ssh compares them byte by byte with the name in
 * lower case; no patterns. */
static bool
is_for(const struct fact_host_certificate *cert, const char *name)
{
	for (size_t i = 0; i < cert->principals_count; i++)
		if (strcmp(cert->principals[i], name) == 0)
			return true;
	return cert->principals_count == 0;
}

struct known_cert
known_cert_judge(const struct fact_known_hosts *known, const struct fact_host_certificate *cert,
		 const char *name, time_t now, const char *algorithms)
{
	struct known_cert ret = { .verdict = KNOWN_CERT_NONE };

	if (cert == NULL)
		return ret;
	if ((ret.entry = find_authority(known, cert, MARKER_REVOKED)) != NULL)
		ret.verdict = KNOWN_CERT_REVOKED;
	else if (!cert->signed_)
		ret.verdict = KNOWN_CERT_FORGED;
	else if ((ret.entry = find_authority(known, cert, MARKER_AUTHORITY)) == NULL)
		ret.verdict = KNOWN_CERT_UNKNOWN;
	else if (!cert->host || cert->critical ||
		 (algorithms != NULL && !word_in_text(cert->algorithm, algorithms, ',')))
		ret.verdict = KNOWN_CERT_REFUSED;
	else if (now < cert->valid_after)
		ret.verdict = KNOWN_CERT_EARLY;
	else if (now >= cert->valid_before)
		ret.verdict = KNOWN_CERT_EXPIRED;
	else if (name == NULL || !is_for(cert, name))
		ret.verdict = KNOWN_CERT_NAME;
	else
		ret.verdict = KNOWN_CERT_GOOD;
	return ret;
}
