/* known_hosts with the semantics of OpenSSH: pure logic over texts and facts. Files are read in
 * ssh/. HMAC, digests and base64 come from libcrypto. known_match.c: names; known_hosts.c: lines;
 * known_judge.c: what ssh would say of a live key; known_cert.c: of a certificate. */
#ifndef MODEL_KNOWN_HOSTS_H
#define MODEL_KNOWN_HOSTS_H

#include "facts/doc.h"
#include "facts/sections.h"

#include <time.h>

/* What ssh would look for. */
struct known_query {
	const char *name; /* host name or address as ssh has it (lower case), or the HostKeyAlias,
			     which is looked up exactly so */
	int port;   /* other than 22: "[name]:port" is looked for, and `name` when there is none */
	bool alias; /* name is a HostKeyAlias: no port, no second look */
};

/* Does the host field of a line (names, patterns, negations, or |1|salt|hash) speak of `name`?
 * -EINVAL: a damaged hash. Names and patterns compare in any case, hashes only exactly. */
int known_hosts_names(const char *hosts, size_t len, const char *name);

/* The name that stands for the query in a file: "vm1", "[vm1]:2200" or the alias. The caller frees;
 * NULL when out of memory. */
char *known_hosts_name(const struct known_query *query);

enum { KNOWN_SALT = 20 };

/* The name as HashKnownHosts writes it: "|1|salt|hash". The caller frees; NULL when out of memory.
 */
char *known_hosts_hash(const char *name, const unsigned char salt[KNOWN_SALT]);

/* Appends to entries a fact_known_entry for every line of the text that speaks of the query, and to
 * damaged a fact_known_damage for every line that ssh cannot read (at most 64 in all). Ends
 * early with more than KNOWN_ENTRIES_MAX entries. */
enum { KNOWN_ENTRIES_MAX = 2000 };
void known_hosts_read(const char *text, size_t len, const char *file,
		      const struct known_query *query, json_t *entries, json_t *damaged);

/* When all files were read: entries for the name without its port stay only when none was found for
 * the name with it. */
void known_hosts_second_look(json_t *entries);

/* Appends to found a fact_known_elsewhere for every line that holds one of `keys` (an array of
 * fact_host_key_entry) and does not speak of the query, or cannot be read; hashed names are
 * "(hashed)". At most 32 in all. */
void known_hosts_elsewhere(const char *text, size_t len, const char *file,
			   const struct known_query *query, const json_t *keys, json_t *found);

enum known_verdict {
	KNOWN_MATCH,
	KNOWN_UNKNOWN,
	KNOWN_OTHER_TYPE,
	KNOWN_CA,
	KNOWN_CHANGED,
	KNOWN_REVOKED
};

struct known_judgement {
	enum known_verdict verdict;
	const struct fact_host_key_entry *key; /* the live key that ssh would be shown; NULL when
						  there is none */
	const struct fact_known_entry *entry;  /* the line that decided: the matching, the
						  offending, the revoking one; NULL for none */
};

/* What ssh would say of the server's keys: `algorithms` is ssh's HostKeyAlgorithms (NULL: the order
 * of the keys), which it reorders by what is on file unless they are `fixed`: set by the user other
 * than with + or -. With a verdict of KNOWN_OTHER_TYPE, ssh speaks of a changed key too. */
struct known_judgement known_hosts_judge(const struct fact_known_hosts *known,
					 const struct fact_host_key *shown, const char *algorithms,
					 bool fixed);

/* A host certificate: none was shown; nobody's line trusts or revokes its authority; refused as it
 * is (a user's, options nobody knows, an algorithm that ssh takes no signatures of); outside its
 * time; for other names; its signature is false. */
enum known_cert_verdict {
	KNOWN_CERT_NONE,
	KNOWN_CERT_GOOD,
	KNOWN_CERT_UNKNOWN,
	KNOWN_CERT_REFUSED,
	KNOWN_CERT_EARLY,
	KNOWN_CERT_EXPIRED,
	KNOWN_CERT_NAME,
	KNOWN_CERT_FORGED,
	KNOWN_CERT_REVOKED
};

struct known_cert {
	enum known_cert_verdict verdict;
	const struct fact_known_entry *entry; /* the line of its authority; NULL for none */
};

/* What ssh would say of the certificate beside a live key (NULL: there is none): `name` as it was
 * given to ssh (or the HostKeyAlias), `algorithms` its CASignatureAlgorithms (NULL: any). */
struct known_cert known_cert_judge(const struct fact_known_hosts *known,
				   const struct fact_host_certificate *cert, const char *name,
				   time_t now, const char *algorithms);

/* ssh's HostKeyAlgorithms as it would send them: types on file first (when they are not fixed). The
 * caller frees; NULL when out of memory. */
char *known_hosts_order(const struct fact_known_hosts *known, const char *algorithms);

/* The key type behind a host key algorithm: "rsa-sha2-512" and "ssh-rsa-cert-v01@openssh.com" are
 * "ssh-rsa". Writes into ret. */
const char *known_hosts_plain_type(const char *algorithm, char *ret, size_t size);

const char *known_verdict_word(
    enum known_verdict verdict); /* "match", "unknown", "other-type", "ca", "changed", "revoked" */

#endif
