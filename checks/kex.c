#include "checks/checks.h"
#include "checks/talk.h"

#include <stdlib.h>
#include <string.h>

/* A kind of algorithm: its word in the facts, its finding, the option that widens it, where `ssh
 * -Q` lists what the client could do. */
static const struct kind {
	const char *word;
	enum code code;
	const char *name, *option, *query;
} kinds[] = {
	{ "kex", CODE_KEX_MISMATCH, "key exchange method", "KexAlgorithms", "kex" },
	{ "host_key", CODE_HOSTKEY_ALG_MISMATCH, "host key algorithm", "HostKeyAlgorithms",
	  "host_key_algorithms" },
	{ "cipher", CODE_CIPHER_MISMATCH, "cipher", "Ciphers", "ciphers" },
	{ "mac", CODE_MAC_MISMATCH, "message authentication code", "MACs", "macs" },
};

static bool
has(const json_t *list, const char *name)
{
	const json_t *each;
	size_t i;

	json_array_foreach (list, i, each)
		if (name != NULL && json_string_value(each) != NULL &&
		    strcmp(json_string_value(each), name) == 0)
			return true;
	return false;
}

/* true for what was switched off by default because it can be broken, or soon. */
static bool
is_weak(const char *name)
{
	static const char *const parts[] = { "sha1",    "group1-", "-cbc",    "md5",   "arcfour",
					     "ssh-dss", "ssh-rsa", "umac-64", "ripemd" };

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		if (strstr(name, parts[i]) != NULL)
			return true;
	return false;
}

/* true when the server wants what only newer versions of OpenSSH have. */
static bool
wants_newer(const json_t *server)
{
	const json_t *each;
	size_t i;

	json_array_foreach (server, i, each)
		if (json_string_value(each) != NULL &&
		    (strncmp(json_string_value(each), "mlkem", 5) == 0 ||
		     strncmp(json_string_value(each), "sntrup", 6) == 0))
			return true;
	return false;
}

/* An algorithm of the server that the installed ssh knows but has switched off, a good one before a
 * weak one; NULL when there is none. */
static const char *
could_be_enabled(const struct facts *facts, const struct kind *kind, const json_t *server)
{
	const json_t *supported = doc_list(facts_section(facts, FACT_CLIENT), kind->query), *each;
	const char *weak = NULL, *name;
	size_t i;

	json_array_foreach (server, i, each) {
		if ((name = json_string_value(each)) == NULL || !has(supported, name))
			continue;
		if (!is_weak(name))
			return name;
		weak = weak != NULL ? weak : name;
	}
	return weak;
}

static int
judge_mismatch(const struct facts *facts, const json_t *kex, const struct kind *kind,
	       struct finding *finding)
{
	json_t *server = doc_list(doc_get(kex, "server"), kind->word),
	       *client = doc_list(doc_get(kex, "client"), kind->word);
	const char *algorithm = could_be_enabled(facts, kind, server);
	char *offer = doc_join(server, 5),
	     *option = algorithm != NULL ? doc_fmt("%s=+%s", kind->option, algorithm) : NULL;
	int r;

	finding_text(finding, "missing", kind->word);
	finding_value(finding, "server", json_deep_copy(server));
	finding_value(finding, "client", json_deep_copy(client));
	finding_text(finding, "algorithm", algorithm);
	finding_text(finding, "option", option);
	finding_text(finding, "kind", kind->name);
	if (algorithm != NULL)
		finding_value(finding, is_weak(algorithm) ? "weak" : "strong", json_true());
	else if (wants_newer(server))
		finding_value(finding, "newer", json_true());
	r = finding_set(finding, FAIL, kind->code,
			"this ssh and the server have no %s in common; the server offers %s",
			kind->name, offer != NULL && *offer != '\0' ? offer : "none");
	free(offer);
	free(option);
	return r;
}

static int
judge_stall(const struct facts *facts, const json_t *kex, struct finding *finding)
{
	static const enum code causes[] = { CODE_MTU_BLACKHOLE, CODE_VM_OVERLOADED_BANNER_TIMEOUT,
					    CODE_CUSTOM };
	const char *mtu = doc_str(kex, "mtu");

	finding_text(finding, "mtu", mtu);
	finding_text(finding, "interface",
		     doc_str(facts_section(facts, FACT_TCP), "local_interface"));
	if (mtu != NULL && strcmp(mtu, "proven") == 0)
		return finding_set(finding, FAIL, CODE_MTU_BLACKHOLE,
				   "large packets are lost on the way: with small segments the key "
				   "exchange works");
	if (mtu != NULL)
		return talk_confidence(
		    finding, LIKELY,
		    finding_set(finding, FAIL, CODE_MTU_BLACKHOLE,
				"the key exchange hangs, and large packets of this machine (beyond "
				"the path's MTU) stay unanswered"));
	talk_possible(finding, causes);
	return talk_confidence(
	    finding, LIKELY,
	    finding_set(finding, FAIL, CODE_KEX_STALLED,
			"the server fell silent within the key exchange%s",
			doc_get(facts_section(facts, FACT_TCP), "proxy") != NULL
			    ? "; whether large packets are lost cannot be told through a jump host"
			    : ""));
}

/* The connection ended behind the banner. A reset before the server's first packet is what devices
 * do that forbid SSH. */
static int
judge_broken(const struct facts *facts, const json_t *kex, const char *result,
	     struct finding *finding)
{
	static const enum code causes[] = { CODE_SSHD_PERSOURCE_PENALTIES, CODE_SSHD_PRIVSEP_DIR,
					    CODE_CUSTOM };
	const char *text = doc_str(kex, "text"), *address;
	enum talk_reference reference = talk_reference(facts, finding);
	bool early = doc_get(kex, "server") == NULL && strcmp(result, "disconnect") != 0;

	address = doc_str(finding->evidence, "reference");
	if (early && (reference == REFERENCE_BROKEN ||
		      (reference == REFERENCE_NONE && strcmp(result, "reset") == 0))) {
		talk_way_around(facts, finding);
		if (reference == REFERENCE_NONE)
			finding_possible(finding, CODE_SSHD_MAXSTARTUPS);
		return talk_confidence(
		    finding, LIKELY,
		    finding_set(finding, FAIL, CODE_DPI_RESETS_SSH,
				"the connection was %s as soon as this machine spoke SSH%s%s",
				strcmp(result, "reset") == 0 ? "reset" : "closed",
				reference == REFERENCE_BROKEN
				    ? ", and so it fared with the reference server "
				    : "",
				reference == REFERENCE_BROKEN ? address : ""));
	}
	talk_possible(finding, causes);
	if (reference == REFERENCE_NONE)
		finding_possible(finding, CODE_DPI_RESETS_SSH);
	if (strcmp(result, "disconnect") == 0)
		return finding_set(finding, FAIL, CODE_KEX_DISCONNECTED,
				   "the server ended the key exchange: \"%s\"",
				   text != NULL ? text : "");
	return talk_confidence(
	    finding, LIKELY,
	    finding_set(finding, FAIL, CODE_KEX_CLOSED,
			"the connection was %s within the key exchange%s%s%s",
			strcmp(result, "reset") == 0 ? "reset" : "closed",
			reference == REFERENCE_FINE ? "; the reference server " : "",
			reference == REFERENCE_FINE ? address : "",
			reference == REFERENCE_FINE ? " answers well, so it is not this network"
						    : ""));
}

static int
judge_no_common(const struct facts *facts, const json_t *kex, struct finding *finding)
{
	const char *missing = doc_str(kex, "missing");

	for (size_t i = 0; missing != NULL && i < sizeof(kinds) / sizeof(*kinds); i++)
		if (strcmp(kinds[i].word, missing) == 0)
			return judge_mismatch(facts, kex, &kinds[i], finding);
	return finding_set(
	    finding, UNKNOWN, CODE_KEX_NOT_CHECKED,
	    "the server's algorithms are known, but no ssh is installed to compare them with");
}

int
check_kex(const struct scene *scene, const struct rule *rule, struct finding *finding)
{
	const struct facts *facts = scene->facts;
	const json_t *kex = facts_section(facts, FACT_KEX);
	const char *result = doc_str(kex, "result");

	(void)rule;
	finding_text(finding, "text", doc_str(kex, "text"));
	finding_text(finding, "software", doc_str(facts_section(facts, FACT_BANNER), "software"));
	if (result == NULL)
		return finding_set(finding, UNKNOWN, CODE_NOT_KNOWN,
				   "the key exchange's result is not recorded");
	if (strcmp(result, "done") == 0 || strcmp(result, "agreed") == 0) {
		finding_text(finding, "algorithm", doc_str(kex, "chosen.kex"));
		return finding_set(
		    finding, PASS, CODE_KEX_OK, "%s, %s, %s%s",
		    doc_str(kex, "chosen.kex") != NULL ? doc_str(kex, "chosen.kex")
						       : "key exchange done",
		    doc_str(kex, "chosen.host_key") != NULL ? doc_str(kex, "chosen.host_key")
							    : "host key read",
		    doc_str(kex, "chosen.cipher") != NULL ? doc_str(kex, "chosen.cipher")
							  : "no ssh installed to compare with",
		    strcmp(result, "agreed") == 0 ? " (compared only, not carried out)" : "");
	}
	if (strcmp(result, "no-common") == 0)
		return judge_no_common(facts, kex, finding);
	if (strcmp(result, "stalled") == 0)
		return judge_stall(facts, kex, finding);
	if (strcmp(result, "bad-signature") == 0)
		return finding_set(finding, FAIL, CODE_KEX_BAD_SIGNATURE,
				   "the server could not prove that it holds its host key");
	if (strcmp(result, "garbage") == 0)
		return finding_set(
		    finding, FAIL, CODE_KEX_GARBAGE,
		    "the server greets like SSH, but what follows is not the SSH protocol");
	return judge_broken(facts, kex, result, finding);
}
