#include "checks/checks.h"
#include "facts/time.h"
#include "checks/ssh_options.h"
#include "checks/ssh_word.h"
#include "model/known_hosts.h"
#include "model/pubkey.h"

#include <stdlib.h>
#include <string.h>

enum proof { PROOF_NONE, PROOF_MATCH, PROOF_MISMATCH };

/* All that the verdict rests on. */
struct host {
	const struct scene *scene;
	const struct fact_ssh_config *config;
	const struct fact_known_hosts *known;
	enum ssh_strict strict;
	struct known_judgement judgement;
	struct known_cert cert;
	enum proof proof;
	const char *proof_by; /* "run-command", "boot-log" */
	const char *type, *fingerprint, *name;
	bool refuses;   /* ssh would refuse an unknown key: it is told to, or cannot ask */
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
compare(const struct fact_proof_key *keys, size_t count, const struct fact_host_key_entry *key,
	const char **proven)
{
	enum proof proof = PROOF_NONE;

	for (size_t i = 0; i < count && key->fingerprint != NULL; i++) {
		const char *theirs = keys[i].fingerprint;

		if (theirs == NULL || !same_type(key->type, keys[i].type))
			continue;
		*proven = theirs;
		if (strcmp(theirs, key->fingerprint) == 0)
			return PROOF_MATCH;
		proof = PROOF_MISMATCH;
	}
	return proof;
}

/* Run Command tells the keys of now, the serial log those of the first boot. */
static void
judge_proof(struct host *host, const char **proven)
{
	const struct fact_proof *now = host->scene->proof;
	const struct fact_boot *boot = host->scene->boot;
	const struct fact_host_key_entry *key = host->judgement.key;

	/* any other word would break what the report promises */
	if (doc_same(now->by, "run-command") || doc_same(now->by, "boot-log"))
		host->proof_by = now->by;
	if (now->state == FACT_KNOWN)
		host->proof = compare(now->keys, now->keys_count, key, proven);
	if (host->proof != PROOF_NONE || boot->state != FACT_KNOWN)
		return;
	host->proof_by = "boot-log";
	host->proof = compare(boot->keys, boot->keys_count, key, proven);
}

/* ---- evidence ---- */

static void
add_time(struct finding *finding, const char *key, json_int_t at)
{
	char stamp[TIME_TEXT_SIZE];

	if (at > 0 && *time_to_iso((time_t)at, stamp) != '\0')
		finding_text(finding, key, stamp);
}

static void
add_certificate(const struct fact_host_certificate *cert, struct finding *finding)
{
	if (cert == NULL)
		return;
	finding_text(finding, "certificate", cert->id);
	finding_text(finding, "authority", cert->authority.fingerprint);
	finding_text(finding, "authority_algorithm", cert->algorithm);
	finding_texts(finding, "principals", cert->principals, cert->principals_count);
	add_time(finding, "valid_after", cert->valid_after);
	add_time(finding, "valid_before", cert->valid_before);
}

static void
add_evidence(const struct host *host, const char *proven, struct finding *finding)
{
	static const char *const results[] = {
		[PROOF_NONE] = "none", [PROOF_MATCH] = "match", [PROOF_MISMATCH] = "mismatch"
	};
	const struct fact_known_entry *entry = host->judgement.entry;

	finding_text(finding, "type", host->type);
	finding_text(finding, "fingerprint", host->fingerprint);
	finding_text(finding, "fingerprint_md5", host->judgement.key->fingerprint_md5);
	if (host->known->state == FACT_KNOWN)
		finding_text(finding, "known", known_verdict_word(host->judgement.verdict));
	finding_text(finding, "proof",
		     host->proof != PROOF_NONE && host->proof_by != NULL ? host->proof_by : "none");
	finding_text(finding, "proof_result", results[host->proof]);
	finding_text(finding, "proven_fingerprint", proven);
	if (host->proof == PROOF_MATCH)
		finding_value(finding, "proven", json_true());
	finding_text(finding, "lookup_name", host->name);
	add_certificate(host->judgement.key->certificate, finding);
	if (entry == NULL)
		return;
	finding_text(finding, "file", entry->file);
	finding_number(finding, "line", entry->line);
	finding_text(finding, "stored_type", entry->type);
	finding_text(finding, "stored_fingerprint", entry->fingerprint);
	if (entry->via == KNOWN_VIA_PATTERN)
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
	bool first_boot = doc_same(host->proof_by, "boot-log");

	finding_set(
	    finding, FAIL, CODE_HOSTKEY_MITM_SUSPECTED,
	    "the server's %s key is %s; the VM's own is %s%s: whatever answers is not this VM",
	    nick(host->type), host->fingerprint, proven,
	    first_boot ? ", as its serial log says of the first boot" : "");
	if (first_boot) {
		finding->confidence = LIKELY;
		finding_possible(finding, CODE_HOSTKEY_CHANGED_VM_REBUILT);
	}
	return 0;
}

static int
revoked(const struct host *host, struct finding *finding)
{
	const struct fact_known_entry *entry = host->judgement.entry;

	return finding_set(finding, FAIL, CODE_HOSTKEY_REVOKED,
			   "%s, line %d, revokes the %s key that %s shows (%s)", entry->file,
			   (int)entry->line, nick(host->type), host->name, host->fingerprint);
}

/* How the address in use is assigned: "Static", "Dynamic", or NULL when that is not known. */
static const char *
allocation(const struct inbound *in)
{
	return in->way != NULL && !in->foreign ? in->way->allocation : NULL;
}

/* When the file was last written: nothing in it is younger. 0 when not known. */
static time_t
file_modified(const struct host *host)
{
	for (size_t i = 0; i < host->known->files_count; i++)
		if (doc_same(host->known->files[i].path, host->judgement.entry->file))
			return host->known->files[i].modified;
	return 0;
}

/* The remembered key is another one. Two stories end so: the address went from one VM to another,
 * or the VM was made anew. An address that stays with its VM speaks for the second; one that is
 * lent out speaks for the first. What stands in neither story is an attack. */
static int
changed(const struct host *host, struct finding *finding)
{
	const struct vm *vm = host->scene->instance;
	const char *how = allocation(&host->scene->inbound),
		   *created = vm != NULL ? vm->created : NULL, *remark = "";
	const struct fact_known_entry *entry = host->judgement.entry;
	time_t modified = file_modified(host);
	enum code code;
	int r;

	if (host->proof == PROOF_MATCH)
		remark = "; the new key is proven to be the VM's";
	else if (created != NULL && modified > 0 && time_from_iso(created) > modified)
		remark = "; the VM was created later than that file was written";
	if (host->scene->tcp->loopback && host->proof != PROOF_MATCH)
		return finding_likely(
		    finding, host->lets_pass ? WARN : FAIL, CODE_HOSTKEY_TUNNEL,
		    "%s, line %d, remembers another %s key for %s (%s) than comes "
		    "through now (%s)",
		    entry->file, (int)entry->line, nick(entry->type), host->name,
		    entry->fingerprint, host->fingerprint);
	code = doc_same(how, "Static") ? CODE_HOSTKEY_CHANGED_VM_REBUILT
				       : CODE_HOSTKEY_CHANGED_IP_REUSED;
	finding_text(finding, "allocation", how);
	finding_text(finding, "vm_created", created);
	r = finding_set(
	    finding, host->lets_pass ? WARN : FAIL, code,
	    "%s, line %d, remembers another %s key for %s (%s) than the server shows now (%s)%s",
	    entry->file, (int)entry->line, nick(entry->type), host->name, entry->fingerprint,
	    host->fingerprint, remark);
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
	const struct fact_kex_lists *server = host->scene->kex->server;
	char type[64];

	for (size_t i = 0; server != NULL && i < host->known->entries_count; i++)
		for (size_t k = 0; k < server->host_key_count; k++)
			if (host->known->entries[i].marker == MARKER_NONE &&
			    doc_same(
				host->known->entries[i].type,
				known_hosts_plain_type(server->host_key[k], type, sizeof(type))))
				return true;
	return false;
}

static int
other_type(const struct host *host, struct finding *finding)
{
	const char *stored = nick(host->judgement.entry->type);

	if (offers_stored_type(host) && !host->config->host_key_algorithms_fixed)
		return finding_set(finding, WARN, CODE_HOSTKEY_OTHER_TYPE,
				   "known_hosts has an %s key for %s, and the server has one; it "
				   "was not seen here, so it was not compared",
				   stored, host->name);
	return finding_set(finding, host->lets_pass ? WARN : FAIL, CODE_HOSTKEY_OTHER_TYPE,
			   "known_hosts has only an %s key for %s, and the server shows an %s key "
			   "(%s): ssh treats that as a changed key",
			   stored, host->name, nick(host->type), host->fingerprint);
}

/* ---- a key that ssh has never seen ---- */

/* A damaged line or an unreadable file may be why nothing was found. */
static const char *
why_not_found(const struct host *host)
{
	const struct fact_ssh_options *options = &host->config->options;

	if (ssh_option(options->knownhostscommand) != NULL)
		return "; nor does KnownHostsCommand give it";
	if (ssh_option_on(options->verifyhostkeydns))
		return "; nor is it in DNS (VerifyHostKeyDNS)";
	for (size_t i = 0; i < host->known->files_count; i++)
		if (host->known->files[i].state == FACT_UNKNOWN)
			return "; a known_hosts file could not be read";
	return host->known->damaged_count > 0 ? "; known_hosts has lines that ssh cannot read" : "";
}

/* Why ssh does not ask about an unknown key. */
static const char *
why_refused(const struct host *host)
{
	if (host->strict == STRICT_YES)
		return "ssh is told to refuse unknown ones (StrictHostKeyChecking yes)";
	if (ssh_option_on(host->config->options.batchmode))
		return "ssh is told to refuse unknown ones (BatchMode yes)";
	return "there is no terminal to ask at";
}

/* The line that makes the key known for this host, and the file that it belongs into. */
static void
add_line(const struct host *host, const struct fact_known_elsewhere *other, struct finding *finding)
{
	const char *file = host->config->user_known_hosts_count > 0
			       ? host->config->user_known_hosts[0]
			       : other->file;
	char *text = host->judgement.key->public == NULL
			 ? NULL
			 : doc_fmt("%s %s %s", host->name, host->type, host->judgement.key->public);

	finding_text(finding, "known_text", text);
	finding_text(finding, "store_file", file);
	free(text);
}

static int
elsewhere(const struct host *host, const struct fact_known_elsewhere *other,
	  struct finding *finding)
{
	enum status status = host->refuses ? FAIL : WARN;

	finding_text(finding, "known_name", other->name);
	finding_text(finding, "known_file", other->file);
	finding_number(finding, "known_line", other->line);
	add_line(host, other, finding);
	if (other->why == NULL)
		return finding_set(
		    finding, status, CODE_HOSTKEY_KNOWN_UNDER_OTHER_NAME,
		    "known_hosts has the server's %s key for %s (%s, line %d), not for %s",
		    nick(host->type), other->name, other->file, (int)other->line, host->name);
	finding_text(finding, "known_why", other->why);
	return finding_set(
	    finding, status,
	    host->refuses ? CODE_HOSTKEY_UNKNOWN_NONINTERACTIVE : CODE_HOSTKEY_FIRST_USE_UNVERIFIED,
	    "%s, line %d, holds the very key that the server shows, but ssh cannot use the line: "
	    "%s",
	    other->file, (int)other->line, other->why);
}

static int
unknown(const struct host *host, struct finding *finding)
{
	const struct fact_host_key *shown = host->scene->host_key;
	bool proven = host->proof == PROOF_MATCH;

	if (shown->elsewhere_count > 0 && !proven)
		return elsewhere(host, &shown->elsewhere[0], finding);
	if (proven && (!host->refuses || host->scene->asked.known_hosts != NULL))
		return finding_set(finding, PASS, CODE_HOSTKEY_PROVEN,
				   "known_hosts has no key for %s yet; the one shown (%s) is "
				   "proven to be the VM's",
				   host->name, host->fingerprint);
	if (host->refuses)
		return finding_set(finding, FAIL, CODE_HOSTKEY_UNKNOWN_NONINTERACTIVE,
				   "known_hosts has no key for %s, and %s%s%s", host->name,
				   why_refused(host), why_not_found(host),
				   proven ? "; the key shown is proven to be the VM's" : "");
	return finding_set(
	    finding, WARN, CODE_HOSTKEY_FIRST_USE_UNVERIFIED,
	    "known_hosts has no key for %s: compare the %s fingerprint %s before you answer yes%s",
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
			   "(%s) is not in known_hosts%s",
			   host->name, words[host->cert.verdict].what, nick(host->type),
			   host->fingerprint,
			   host->proof == PROOF_MATCH ? "; the key is proven to be the VM's" : "");
}

/* An authority is trusted for the host, and no certificate was read. */
static int
without_certificate(const struct host *host, struct finding *finding)
{
	const struct fact_kex_lists *server = host->scene->kex->server;

	for (size_t i = 0; server != NULL && i < server->host_key_count; i++)
		if (strstr(server->host_key[i], "-cert-v01@openssh.com") != NULL)
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
	const struct fact_ssh_options *options = &host->config->options;
	const char *name =
	    ssh_option(options->hostkeyalias) != NULL ? host->name : host->config->hostname;

	host->cert = known_cert_judge(host->known, host->judgement.key->certificate, name,
				      host->scene->now, ssh_option(options->casignaturealgorithms));
	if (host->judgement.verdict == KNOWN_REVOKED ||
	    (host->cert.verdict != KNOWN_CERT_GOOD && host->cert.verdict != KNOWN_CERT_REVOKED))
		return;
	host->judgement.verdict = host->cert.verdict == KNOWN_CERT_GOOD ? KNOWN_CA : KNOWN_REVOKED;
	host->judgement.entry = host->cert.entry;
}

/* ---- CheckHostIP ---- */

/* ssh has found another key on file for the address than for the name. */
static bool
address_differs(const struct scene *scene, const struct host *host)
{
	const struct fact_rehearsal *stopped = ssh_stopped_at(scene, REHEARSAL_HOST_KEY);

	return stopped != NULL && stopped->fault == FAULT_KEY_OF_ADDRESS &&
	       host->judgement.verdict == KNOWN_MATCH;
}

/* "Offending key for IP in /home/me/.ssh/known_hosts:2" */
static void
add_offending(const struct fact_rehearsal *stopped, struct finding *finding)
{
	static const char begin[] = "Offending key for IP in ";

	for (size_t i = 0; i < stopped->lines_count; i++) {
		const char *line = stopped->lines[i], *colon = strrchr(line, ':');

		if (strncmp(line, begin, sizeof(begin) - 1) != 0 || colon == NULL)
			continue;
		finding_value(finding, "file",
			      doc_text(line + sizeof(begin) - 1,
				       (size_t)(colon - line) - (sizeof(begin) - 1)));
		finding_number(finding, "line", strtol(colon + 1, NULL, 10));
	}
}

static int
address_key(const struct host *host, struct finding *finding)
{
	const char *address = host->scene->tcp->address != NULL ? host->scene->tcp->address : "";
	bool asks = host->strict == STRICT_ASK && !host->refuses;

	add_offending(host->scene->rehearsal, finding);
	finding_text(finding, "address", address);
	return finding_set(finding, asks ? WARN : FAIL, CODE_HOSTKEY_ADDRESS_DIFFERS,
			   "the key is the known one for %s, but known_hosts has another one for "
			   "the address %s, which CheckHostIP makes ssh check%s",
			   host->name, address, asks ? ": ssh will ask" : "");
}

/* ---- the verdict ---- */

static int
judge(const struct host *host, struct finding *finding)
{
	const struct fact_ssh_options *options = &host->config->options;
	bool found = host->judgement.verdict == KNOWN_MATCH ||
		     host->judgement.verdict == KNOWN_REVOKED ||
		     host->cert.verdict == KNOWN_CERT_GOOD,
	     by_other_means = ssh_option(options->knownhostscommand) != NULL ||
			      ssh_option_on(options->verifyhostkeydns);

	if (host->cert.verdict == KNOWN_CERT_FORGED)
		return finding_set(finding, FAIL, CODE_HOSTKEY_CERT_FORGED,
				   "the signature of the host certificate that the server shows is "
				   "false: ssh ends there");
	if (!found && by_other_means && ssh_came_past(host->scene, REHEARSAL_HOST_KEY))
		return finding_set(
		    finding, PASS, CODE_HOSTKEY_TAKEN_BY_SSH,
		    "the key (%s) is not in known_hosts for %s; ssh itself accepts it (%s)",
		    host->fingerprint, host->name,
		    ssh_option(options->knownhostscommand) != NULL ? "KnownHostsCommand"
								   : "VerifyHostKeyDNS");
	if (host->scene->rehearsal->state == FACT_KNOWN)
		by_other_means = false; /* ssh has asked them, and they do not know the key */
	if (!found && by_other_means && ssh_option(options->knownhostscommand) != NULL)
		return finding_set(finding, UNKNOWN, CODE_HOSTKEY_COMMAND,
				   "the key is not in known_hosts for %s, but ssh also asks a "
				   "command for known keys (KnownHostsCommand), which was not run",
				   host->name);
	if (!found && by_other_means)
		return finding_set(finding, UNKNOWN, CODE_HOSTKEY_DNS,
				   "the key is not in known_hosts for %s, but ssh also asks DNS "
				   "for its fingerprint (VerifyHostKeyDNS), which was not done",
				   host->name);
	switch (host->judgement.verdict) {
	case KNOWN_MATCH:
		return finding_set(
		    finding, PASS, CODE_HOSTKEY_OK,
		    "the server's %s key (%s) is in known_hosts for %s%s", nick(host->type),
		    host->fingerprint, host->name,
		    host->judgement.entry->via == KNOWN_VIA_PORT_LESS ? ", without its port" : "");
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
				   host->cert.entry->file, (int)host->cert.entry->line, host->name);
	if (host->judgement.verdict == KNOWN_CA && host->cert.verdict == KNOWN_CERT_NONE)
		return without_certificate(host, finding);
	return host->judgement.verdict == KNOWN_CA ? uncertified(host, finding)
						   : unknown(host, finding);
}

/* What ssh would do with the key that it would be shown; false when none is known. */
static bool
host_make(const struct scene *scene, struct host *host)
{
	const struct fact_ssh_options *options = &scene->ssh_config->options;

	*host = (struct host){ .scene = scene,
			       .config = scene->ssh_config,
			       .known = scene->known_hosts,
			       .strict = ssh_option_strict(options) };
	host->judgement =
	    known_hosts_judge(host->known, scene->host_key, ssh_option(options->hostkeyalgorithms),
			      host->config->host_key_algorithms_fixed);
	if (host->judgement.key == NULL)
		return false;
	host->type = host->judgement.key->type;
	host->fingerprint = host->judgement.key->fingerprint;
	host->name = host->known->name != NULL ? host->known->name : "this host";
	host->refuses = ssh_refuses_unknown(options, scene->machine.terminal);
	host->lets_pass = host->strict == STRICT_OFF;
	judge_certificate(host);
	return true;
}

int
check_host_key(const struct scene *scene, const struct rule *rule, struct finding *finding)
{
	const char *proven = NULL;
	struct host host;

	(void)rule;
	if (scene->kex->result == KEX_NO_COMMON)
		return finding_set(
		    finding, SKIP, CODE_NOT_REACHED,
		    "ssh and the server find no algorithm in common, so no host key is shown");
	if (!host_make(scene, &host))
		return finding_set(finding, UNKNOWN, CODE_NOT_KNOWN,
				   "the server's host key is not known");
	judge_proof(&host, &proven);
	if (host.proof == PROOF_MATCH && scene->asked.known_hosts != NULL &&
	    host.strict == STRICT_ASK)
		host.refuses = NULL; /* the proven key is put on file in this very run */
	add_evidence(&host, proven, finding);
	/* keys may have been made anew since the first boot, and known_hosts have been told */
	if (host.proof == PROOF_MISMATCH &&
	    (host.judgement.verdict != KNOWN_MATCH || !doc_same(host.proof_by, "boot-log")))
		return suspected(&host, proven, finding);
	if (host.known->state != FACT_KNOWN)
		return finding_set(finding, UNKNOWN, CODE_NOT_KNOWN, "%s are not known: %s",
				   facts_section_words(FACT_KNOWN_HOSTS),
				   host.known->reason != NULL ? host.known->reason
							      : "still being read");
	if (scene->tcp->loopback &&
	    doc_same(scene->ssh_config->options.nohostauthenticationforlocalhost, "yes"))
		return finding_set(finding, PASS, CODE_HOSTKEY_NOT_CHECKED,
				   "ssh does not check host keys of this computer "
				   "(NoHostAuthenticationForLocalhost)");
	if (address_differs(scene, &host))
		return address_key(&host, finding);
	return judge(&host, finding);
}
