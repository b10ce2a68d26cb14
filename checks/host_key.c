#include "checks/checks.h"
#include "model/address.h"
#include "model/known_hosts.h"
#include "model/pubkey.h"
#include "model/ssh_config.h"
#include "model/vm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum proof { PROOF_NONE, PROOF_MATCH, PROOF_MISMATCH };

/* All that the verdict rests on. */
struct host {
	const struct facts *facts;
	struct ssh_config config;
	const json_t *known; /* the KNOWN_HOSTS section */
	struct known_judgement judgement;
	struct known_cert cert;
	enum proof proof;
	const char *type, *fingerprint, *name;
	bool refuses;   /* ssh would refuse an unknown key without asking */
	bool lets_pass; /* ssh would go on even with a changed key */
};

/* ---- the proof ---- */

/* "ED25519" of ssh-keygen -l and "ssh-ed25519" of the wire are the same type; ECDSA curves differ
 * in their names only on the wire. */
static bool
same_type(const char *wire, const char *proven)
{
	return wire != NULL && proven != NULL &&
	       (strcmp(wire, proven) == 0 || doc_same(pubkey_nick(wire), proven));
}

/* Compares only keys of one type: a VM has one of each. */
static enum proof
judge_proof(const struct facts *facts, const json_t *key, const char **proven)
{
	const json_t *section = facts_section(facts, FACT_PROOF), *one;
	const char *fingerprint = doc_str(key, "fingerprint");
	enum proof proof = PROOF_NONE;
	size_t i;

	if (facts_state(facts, FACT_PROOF, NULL) != FACT_KNOWN || fingerprint == NULL)
		return PROOF_NONE;
	json_array_foreach (doc_list(section, "keys"), i, one) {
		const char *theirs = doc_str(one, "fingerprint");

		if (theirs == NULL || !same_type(doc_str(key, "type"), doc_str(one, "type")))
			continue;
		*proven = theirs;
		if (strcmp(theirs, fingerprint) == 0)
			return PROOF_MATCH;
		proof = PROOF_MISMATCH;
	}
	return proof;
}

/* ---- evidence ---- */

static void
add_time(struct finding *finding, const char *key, json_int_t at)
{
	time_t when = (time_t)at;
	char stamp[32];
	struct tm tm;

	if (at > 0 && gmtime_r(&when, &tm) != NULL && tm.tm_year < 9999 - 1900 &&
	    strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%SZ", &tm) > 0)
		finding_text(finding, key, stamp);
}

static void
add_certificate(const json_t *cert, struct finding *finding)
{
	if (cert == NULL)
		return;
	finding_text(finding, "certificate", doc_str(cert, "id"));
	finding_text(finding, "authority", doc_str(cert, "authority.fingerprint"));
	finding_text(finding, "authority_algorithm", doc_str(cert, "algorithm"));
	if (doc_list(cert, "principals") != NULL)
		finding_value(finding, "principals", json_deep_copy(doc_list(cert, "principals")));
	add_time(finding, "valid_after", doc_int(cert, "valid_after", 0));
	add_time(finding, "valid_before", doc_int(cert, "valid_before", 0));
}

static void
add_evidence(const struct host *host, const char *proven, struct finding *finding)
{
	static const char *const results[] = {
		[PROOF_NONE] = "none", [PROOF_MATCH] = "match", [PROOF_MISMATCH] = "mismatch"
	};
	const json_t *entry = host->judgement.entry;
	const char *by = doc_str(facts_section(host->facts, FACT_PROOF), "by");

	finding_text(finding, "type", host->type);
	finding_text(finding, "fingerprint", host->fingerprint);
	finding_text(finding, "fingerprint_md5", doc_str(host->judgement.key, "fingerprint_md5"));
	if (host->known != NULL)
		finding_text(finding, "known", known_verdict_word(host->judgement.verdict));
	finding_text(finding, "proof", host->proof != PROOF_NONE && by != NULL ? by : "none");
	finding_text(finding, "proof_result", results[host->proof]);
	finding_text(finding, "proven_fingerprint", proven);
	if (host->proof == PROOF_MATCH)
		finding_value(finding, "proven", json_true());
	finding_text(finding, "lookup_name", host->name);
	add_certificate(doc_get(host->judgement.key, "certificate"), finding);
	if (entry == NULL)
		return;
	finding_text(finding, "file", doc_str(entry, "file"));
	finding_number(finding, "line", doc_int(entry, "line", 0));
	finding_text(finding, "stored_type", doc_str(entry, "type"));
	finding_text(finding, "stored_fingerprint", doc_str(entry, "fingerprint"));
	if (doc_is(entry, "via", "pattern"))
		finding_value(finding, "pattern", json_true());
	else
		finding_value(finding, "single", json_true());
}

/* A short name for a key type, as ssh shows it. */
static const char *
nick(const char *type)
{
	return type != NULL ? pubkey_nick(type) : "host";
}

/* ---- a key that ssh does not accept ---- */

static int
suspected(const struct host *host, const char *proven, struct finding *finding)
{
	return finding_set(
	    finding, FAIL, CODE_HOSTKEY_MITM_SUSPECTED,
	    "the server's %s key is %s; the VM's own is %s: whatever answers is not this VM",
	    nick(host->type), host->fingerprint, proven);
}

static int
revoked(const struct host *host, struct finding *finding)
{
	const json_t *entry = host->judgement.entry;

	return finding_set(finding, FAIL, CODE_HOSTKEY_REVOKED,
			   "%s, line %d, revokes the %s key that %s shows (%s)",
			   doc_str(entry, "file"), (int)doc_int(entry, "line", 0), nick(host->type),
			   host->name, host->fingerprint);
}

/* How the address in use is assigned: "Static", "Dynamic", or NULL when that is not known. */
static const char *
allocation(const struct facts *facts)
{
	struct network network = { 0 };
	struct address *ways = NULL;
	const struct address *way;
	const char *ret = NULL;
	size_t count = 0;
	bool foreign;

	if (network_from_facts(facts, &network) < 0)
		return NULL;
	if (address_list(facts, &network, &ways, &count) == 0 &&
	    (way = address_in_use(facts, ways, count, &foreign)) != NULL && !foreign)
		ret = way->allocation;
	free(ways);
	network_free(&network);
	return ret;
}

/* When the file was last written: nothing in it is younger. 0 when not known. */
static time_t
file_modified(const struct host *host)
{
	const char *path = doc_str(host->judgement.entry, "file");
	const json_t *file;
	size_t i;

	json_array_foreach (doc_list(host->known, "files"), i, file)
		if (doc_same(doc_str(file, "path"), path))
			return (time_t)doc_int(file, "modified", 0);
	return 0;
}

/* The remembered key is another one. Two stories end so: the address went from one VM to another,
 * or the VM was made anew. An address that stays with its VM speaks for the second; one that is
 * lent out speaks for the first. What stands in neither story is an attack. */
static int
changed(const struct host *host, struct finding *finding)
{
	const char *how = allocation(host->facts), *created = NULL, *remark = "";
	const json_t *entry = host->judgement.entry;
	time_t modified = file_modified(host);
	enum code code;
	struct vm vm;
	int r;

	if (vm_from_facts(host->facts, &vm, NULL) == 0)
		created = vm.created;
	if (host->proof == PROOF_MATCH)
		remark = "; the new key is proven to be the VM's";
	else if (created != NULL && modified > 0 && time_from_iso(created) > modified)
		remark = "; the VM was created later than that file was written";
	code = doc_same(how, "Static") ? CODE_HOSTKEY_CHANGED_VM_REBUILT
				       : CODE_HOSTKEY_CHANGED_IP_REUSED;
	finding_text(finding, "allocation", how);
	finding_text(finding, "vm_created", created);
	r = finding_set(
	    finding, host->lets_pass ? WARN : FAIL, code,
	    "%s, line %d, remembers another %s key for %s (%s) than the server shows now (%s)%s",
	    doc_str(entry, "file"), (int)doc_int(entry, "line", 0), nick(doc_str(entry, "type")),
	    host->name, doc_str(entry, "fingerprint"), host->fingerprint, remark);
	if (host->proof != PROOF_MATCH) {
		finding->confidence = LIKELY;
		finding_possible(finding, doc_same(how, "Static")
					      ? CODE_HOSTKEY_CHANGED_IP_REUSED
					      : CODE_HOSTKEY_CHANGED_VM_REBUILT);
		finding_possible(finding, CODE_HOSTKEY_MITM_SUSPECTED);
	}
	return r;
}

/* Does the server have a key of a type that is on file? Then ssh would have asked for that one, and
 * we did not see it. */
static bool
offers_stored_type(const struct host *host)
{
	const json_t *offered = doc_list(facts_section(host->facts, FACT_KEX), "server.host_key"),
		     *entry;
	char type[64];
	size_t i, k;

	json_array_foreach (doc_list(host->known, "entries"), i, entry)
		for (k = 0; doc_str(entry, "marker") == NULL && k < json_array_size(offered); k++) {
			const char *algorithm = json_string_value(json_array_get(offered, k));

			if (algorithm != NULL &&
			    doc_is(entry, "type",
				   known_hosts_plain_type(algorithm, type, sizeof(type))))
				return true;
		}
	return false;
}

static int
other_type(const struct host *host, struct finding *finding)
{
	const char *stored = nick(doc_str(host->judgement.entry, "type"));

	if (offers_stored_type(host) && !host->config.algorithms_fixed)
		return finding_set(finding, WARN, CODE_HOSTKEY_OTHER_TYPE,
				   "an %s key is on file for %s, and the server has one; it was "
				   "not seen here, so it was not compared",
				   stored, host->name);
	return finding_set(finding, host->lets_pass ? WARN : FAIL, CODE_HOSTKEY_OTHER_TYPE,
			   "only an %s key is on file for %s, and the server shows an %s key (%s): "
			   "ssh takes that for a changed key",
			   stored, host->name, nick(host->type), host->fingerprint);
}

/* ---- a key that ssh has never seen ---- */

/* A damaged line or an unreadable file may be why nothing was found. */
static const char *
why_not_found(const struct host *host)
{
	const json_t *file;
	size_t i;

	json_array_foreach (doc_list(host->known, "files"), i, file)
		if (doc_is(file, "state", "unknown"))
			return "; a known_hosts file could not be read";
	return json_array_size(doc_list(host->known, "damaged")) > 0
		   ? "; known_hosts has lines that ssh cannot read"
		   : "";
}

static int
elsewhere(const struct host *host, const json_t *other, struct finding *finding)
{
	finding_text(finding, "known_name", doc_str(other, "name"));
	finding_text(finding, "known_file", doc_str(other, "file"));
	finding_number(finding, "known_line", doc_int(other, "line", 0));
	return finding_set(finding, host->refuses ? FAIL : WARN,
			   CODE_HOSTKEY_KNOWN_UNDER_OTHER_NAME,
			   "the server's %s key is on file for %s (%s, line %d), not for %s",
			   nick(host->type), doc_str(other, "name"), doc_str(other, "file"),
			   (int)doc_int(other, "line", 0), host->name);
}

static int
unknown(const struct host *host, struct finding *finding)
{
	const json_t *other =
	    json_array_get(doc_list(facts_section(host->facts, FACT_HOST_KEY), "elsewhere"), 0);
	bool asks = !host->refuses && host->config.strict == STRICT_ASK;

	if (other != NULL && host->proof != PROOF_MATCH)
		return elsewhere(host, other, finding);
	if (host->refuses)
		return finding_set(
		    finding, FAIL, CODE_HOSTKEY_UNKNOWN_NONINTERACTIVE,
		    "no key is on file for %s, and ssh is told to refuse unknown ones (%s)%s%s",
		    host->name,
		    host->config.strict == STRICT_YES ? "StrictHostKeyChecking yes"
						      : "BatchMode yes",
		    why_not_found(host),
		    host->proof == PROOF_MATCH ? "; the key shown is proven to be the VM's" : "");
	if (host->proof == PROOF_MATCH)
		return finding_set(
		    finding, PASS, CODE_HOSTKEY_PROVEN,
		    "no key is on file for %s yet; the one shown (%s) is proven to be the VM's",
		    host->name, host->fingerprint);
	if (asks && doc_get(host->facts->doc, "machine.terminal") != NULL &&
	    !doc_bool(host->facts->doc, "machine.terminal", true))
		return finding_set(finding, WARN, CODE_HOSTKEY_UNKNOWN_NONINTERACTIVE,
				   "no key is on file for %s, and there is no terminal to ask at%s",
				   host->name, why_not_found(host));
	return finding_set(
	    finding, WARN, CODE_HOSTKEY_FIRST_USE_UNVERIFIED,
	    "no key is on file for %s: compare the %s fingerprint %s before saying yes%s",
	    host->name, nick(host->type), host->fingerprint, why_not_found(host));
}

/* ---- certificates ---- */

/* The host's certificate does not hold, and the key within is not on file either: ssh takes the
 * host for unknown. */
static int
uncertified(const struct host *host, struct finding *finding)
{
	static const struct {
		enum code code;
		const char *what;
	} words[] = {
		[KNOWN_CERT_UNKNOWN] = { CODE_HOSTKEY_CERT_UNKNOWN_CA,
					 "is not signed by an authority that known_hosts trusts "
					 "for it" },
		[KNOWN_CERT_REFUSED] = { CODE_HOSTKEY_CERT_REFUSED,
					 "is not one that ssh takes (its kind, its options or the "
					 "algorithm of its signature)" },
		[KNOWN_CERT_EARLY] = { CODE_HOSTKEY_CERT_NOT_YET_VALID, "is not valid yet" },
		[KNOWN_CERT_EXPIRED] = { CODE_HOSTKEY_CERT_EXPIRED, "has expired" },
		[KNOWN_CERT_NAME] = { CODE_HOSTKEY_CERT_WRONG_NAME, "was made for other names" },
	};

	return finding_set(finding, host->refuses ? FAIL : WARN, words[host->cert.verdict].code,
			   "the host certificate that the server shows for %s %s, and its %s key "
			   "(%s) is not on file%s",
			   host->name, words[host->cert.verdict].what, nick(host->type),
			   host->fingerprint,
			   host->proof == PROOF_MATCH ? "; the key is proven to be the VM's" : "");
}

/* An authority is trusted for the host, and no certificate was read. */
static int
without_certificate(const struct host *host, struct finding *finding)
{
	const json_t *offered = doc_list(facts_section(host->facts, FACT_KEX), "server.host_key"),
		     *one;
	size_t i;

	json_array_foreach (offered, i, one)
		if (json_string_value(one) != NULL &&
		    strstr(json_string_value(one), "-cert-v01@openssh.com") != NULL)
			return finding_set(finding, UNKNOWN, CODE_HOSTKEY_CERT_NOT_READ,
					   "ssh trusts a certificate authority for %s, and the "
					   "server has a host certificate, which could not be read",
					   host->name);
	return unknown(host, finding);
}

/* ssh looks at the certificate first, and at the key within when that does not hold. */
static void
judge_certificate(struct host *host)
{
	const char *name = ssh_config_option(&host->config, "hostkeyalias") != NULL
			       ? host->name
			       : host->config.hostname;

	host->cert = known_cert_judge(doc_list(host->known, "entries"), host->judgement.key, name,
				      host->facts->now,
				      ssh_config_option(&host->config, "casignaturealgorithms"));
	if (host->judgement.verdict == KNOWN_REVOKED ||
	    (host->cert.verdict != KNOWN_CERT_GOOD && host->cert.verdict != KNOWN_CERT_REVOKED))
		return;
	host->judgement.verdict = host->cert.verdict == KNOWN_CERT_GOOD ? KNOWN_CA : KNOWN_REVOKED;
	host->judgement.entry = host->cert.entry;
}

/* ---- the verdict ---- */

static int
judge(const struct host *host, struct finding *finding)
{
	bool found = host->judgement.verdict == KNOWN_MATCH ||
		     host->judgement.verdict == KNOWN_REVOKED ||
		     host->cert.verdict == KNOWN_CERT_GOOD;

	if (host->cert.verdict == KNOWN_CERT_FORGED)
		return finding_set(finding, FAIL, CODE_HOSTKEY_CERT_FORGED,
				   "the signature of the host certificate that the server shows is "
				   "false: ssh ends there");
	if (!found && ssh_config_option(&host->config, "knownhostscommand") != NULL)
		return finding_set(finding, UNKNOWN, CODE_HOSTKEY_COMMAND,
				   "the key is not on file for %s, but ssh also asks a command for "
				   "known keys (KnownHostsCommand), which was not run",
				   host->name);
	if (!found && (doc_same(ssh_config_option(&host->config, "verifyhostkeydns"), "yes") ||
		       doc_same(ssh_config_option(&host->config, "verifyhostkeydns"), "true")))
		return finding_set(finding, UNKNOWN, CODE_HOSTKEY_DNS,
				   "the key is not on file for %s, but ssh also asks DNS for its "
				   "fingerprint (VerifyHostKeyDNS), which was not done",
				   host->name);
	switch (host->judgement.verdict) {
	case KNOWN_MATCH:
		return finding_set(
		    finding, PASS, CODE_HOSTKEY_OK, "the server's %s key (%s) is on file for %s%s",
		    nick(host->type), host->fingerprint, host->name,
		    doc_is(host->judgement.entry, "via", "port-less") ? ", without its port" : "");
	case KNOWN_REVOKED:
		return revoked(host, finding);
	case KNOWN_CHANGED:
		return changed(host, finding);
	case KNOWN_OTHER_TYPE:
		return other_type(host, finding);
	case KNOWN_CA:
	case KNOWN_UNKNOWN:
		break;
	}
	if (host->cert.verdict == KNOWN_CERT_GOOD)
		return finding_set(finding, PASS, CODE_HOSTKEY_CERTIFIED,
				   "the server's host certificate is signed by an authority that "
				   "%s, line %d, trusts for %s",
				   doc_str(host->cert.entry, "file"),
				   (int)doc_int(host->cert.entry, "line", 0), host->name);
	if (host->judgement.verdict == KNOWN_CA && host->cert.verdict == KNOWN_CERT_NONE)
		return without_certificate(host, finding);
	return host->judgement.verdict == KNOWN_CA ? uncertified(host, finding)
						   : unknown(host, finding);
}

int
check_host_key(const struct scene *scene, const struct rule *rule, struct finding *finding)
{
	const struct facts *facts = scene->facts;
	struct host host = { .facts = facts };
	const json_t *keys = doc_list(facts_section(facts, FACT_HOST_KEY), "keys");
	const char *proven = NULL, *reason;

	(void)rule;
	if (doc_is(facts_section(facts, FACT_KEX), "result", "no-common"))
		return finding_set(
		    finding, SKIP, CODE_NOT_REACHED,
		    "ssh and the server find no algorithm in common, so no host key is shown");
	ssh_config_from_facts(facts, &host.config);
	if (facts_state(facts, FACT_KNOWN_HOSTS, &reason) == FACT_KNOWN)
		host.known = facts_section(facts, FACT_KNOWN_HOSTS);
	host.judgement =
	    known_hosts_judge(doc_list(host.known, "entries"), keys,
			      host.config.host_key_algorithms, host.config.algorithms_fixed);
	if (host.judgement.key == NULL)
		return finding_set(finding, UNKNOWN, CODE_NOT_KNOWN,
				   "the server's host key is not known");
	host.type = doc_str(host.judgement.key, "type");
	host.fingerprint = doc_str(host.judgement.key, "fingerprint");
	host.name = doc_str(host.known, "name") != NULL ? doc_str(host.known, "name") : "this host";
	host.refuses = host.config.strict == STRICT_YES ||
		       (host.config.strict == STRICT_ASK && host.config.batch);
	host.lets_pass = host.config.strict == STRICT_OFF;
	host.proof = judge_proof(facts, host.judgement.key, &proven);
	judge_certificate(&host);
	add_evidence(&host, proven, finding);
	if (host.proof == PROOF_MISMATCH)
		return suspected(&host, proven, finding);
	if (host.known == NULL)
		return finding_set(finding, UNKNOWN, CODE_NOT_KNOWN, "%s are not known: %s",
				   facts_section_words(FACT_KNOWN_HOSTS),
				   reason != NULL ? reason : "still being read");
	if (doc_same(ssh_config_option(&host.config, "nohostauthenticationforlocalhost"), "yes") &&
	    doc_bool(facts_section(facts, FACT_TCP), "loopback", false))
		return finding_set(finding, PASS, CODE_HOSTKEY_NOT_CHECKED,
				   "ssh does not check host keys of this computer "
				   "(NoHostAuthenticationForLocalhost)");
	return judge(&host, finding);
}
