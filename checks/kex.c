#include "checks/checks.h"
#include "checks/ssh_word.h"
#include "checks/talk.h"
#include "facts/words.h"

#include <stdlib.h>
#include <string.h>

/* A kind of algorithm: its finding, its name, the option that widens it. */
static const struct kind {
	enum code code;
	const char *name, *option;
} kinds[] = {
	[KEX_KIND_METHOD] = { CODE_KEX_MISMATCH, "key exchange method", "KexAlgorithms" },
	[KEX_KIND_HOST_KEY] = { CODE_HOSTKEY_ALG_MISMATCH, "host key algorithm",
				"HostKeyAlgorithms" },
	[KEX_KIND_CIPHER] = { CODE_CIPHER_MISMATCH, "cipher", "Ciphers" },
	[KEX_KIND_MAC] = { CODE_MAC_MISMATCH, "message authentication code", "MACs" },
};

struct list {
	const char *const *at; /* NULL: not known */
	size_t count;
};

/* What one side offers of a kind. */
static struct list
offered(const struct fact_kex_lists *side, enum kex_kind kind)
{
	switch (side != NULL ? kind : KEX_KIND_NONE) {
	case KEX_KIND_METHOD:
		return (struct list){ side->kex, side->kex_count };
	case KEX_KIND_HOST_KEY:
		return (struct list){ side->host_key, side->host_key_count };
	case KEX_KIND_CIPHER:
		return (struct list){ side->cipher, side->cipher_count };
	case KEX_KIND_MAC:
		return (struct list){ side->mac, side->mac_count };
	default:
		return (struct list){ NULL, 0 };
	}
}

/* What the installed ssh could do, by `ssh -Q`. */
static struct list
supported(const struct fact_client *client, enum kex_kind kind)
{
	const struct fact_kex_lists lists = { .kex = client->kex,
					      .kex_count = client->kex_count,
					      .host_key = client->host_key_algorithms,
					      .host_key_count = client->host_key_algorithms_count,
					      .cipher = client->ciphers,
					      .cipher_count = client->ciphers_count,
					      .mac = client->macs,
					      .mac_count = client->macs_count };

	return offered(&lists, kind);
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
wants_newer(const struct list *server)
{
	for (size_t i = 0; i < server->count; i++)
		if (strncmp(server->at[i], "mlkem", 5) == 0 ||
		    strncmp(server->at[i], "sntrup", 6) == 0)
			return true;
	return false;
}

/* An algorithm of the server that the installed ssh knows but has switched off, a good one before a
 * weak one; NULL when there is none. */
static const char *
could_be_enabled(const struct list *known, const struct list *server)
{
	const char *weak = NULL;

	for (size_t i = 0; i < server->count; i++) {
		if (!word_among(server->at[i], known->at, known->count))
			continue;
		if (!is_weak(server->at[i]))
			return server->at[i];
		weak = weak != NULL ? weak : server->at[i];
	}
	return weak;
}

static int
judge_mismatch(const struct scene *scene, enum kex_kind missing, struct finding *finding)
{
	const struct kind *kind = &kinds[missing];
	const struct list server = offered(scene->kex->server, missing),
			  client = offered(scene->kex->client, missing),
			  known = supported(scene->client, missing);
	const char *algorithm = could_be_enabled(&known, &server);
	char *offer,
	    *option = algorithm != NULL ? doc_fmt("%s=+%s", kind->option, algorithm) : NULL;
	int r;

	finding_text(finding, "missing", FACT_WORD(kex_kind, missing));
	offer = doc_join(finding_texts(finding, "server", server.at, server.count), 5);
	finding_texts(finding, "client", client.at, client.count);
	finding_text(finding, "algorithm", algorithm);
	finding_text(finding, "option", option);
	finding_text(finding, "kind", kind->name);
	if (algorithm != NULL)
		finding_value(finding, is_weak(algorithm) ? "weak" : "strong", json_true());
	else if (wants_newer(&server))
		finding_value(finding, "newer", json_true());
	r = finding_set(finding, FAIL, kind->code,
			"this ssh and the server have no %s in common; the server offers %s",
			kind->name, offer != NULL && *offer != '\0' ? offer : "none");
	free(offer);
	free(option);
	return r;
}

static int
judge_stall(const struct scene *scene, struct finding *finding)
{
	static const enum code causes[] = { CODE_MTU_BLACKHOLE, CODE_VM_OVERLOADED_BANNER_TIMEOUT,
					    CODE_CUSTOM };
	enum kex_mtu mtu = scene->kex->mtu;

	finding_text(finding, "mtu", FACT_WORD(kex_mtu, mtu));
	finding_text(finding, "interface", scene->tcp->local_interface);
	if (mtu == MTU_PROVEN)
		return finding_set(finding, FAIL, CODE_MTU_BLACKHOLE,
				   "large packets are lost on the way: with small segments the key "
				   "exchange works");
	if (mtu == MTU_SUSPECTED)
		return finding_likely(
		    finding, FAIL, CODE_MTU_BLACKHOLE,
		    "the key exchange hangs, and large packets of this machine (beyond "
		    "the path's MTU) stay unanswered");
	talk_possible(finding, causes);
	return finding_likely(
	    finding, FAIL, CODE_KEX_STALLED, "the server fell silent within the key exchange%s",
	    scene->tcp->proxy != NULL
		? "; whether large packets are lost cannot be told through a jump host"
		: "");
}

/* The connection ended behind the banner. A reset before the server's first packet is what devices
 * do that forbid SSH. */
static int
judge_broken(const struct scene *scene, struct finding *finding)
{
	static const enum code causes[] = { CODE_SSHD_PERSOURCE_PENALTIES, CODE_SSHD_PRIVSEP_DIR,
					    CODE_CUSTOM };
	const struct fact_kex *kex = scene->kex;
	enum talk_reference reference = talk_reference(scene, finding);
	bool early = kex->server == NULL && kex->result != KEX_DISCONNECT,
	     reset = kex->result == KEX_RESET;
	const char *address = reference != REFERENCE_NONE ? scene->tcp->reference->address : "";

	if (early && (reference == REFERENCE_BROKEN || (reference == REFERENCE_NONE && reset))) {
		talk_way_around(scene, finding);
		if (reference == REFERENCE_NONE)
			finding_possible(finding, CODE_SSHD_MAXSTARTUPS);
		return finding_likely(finding, FAIL, CODE_DPI_RESETS_SSH,
				      "the connection was %s as soon as this machine spoke SSH%s%s",
				      reset ? "reset" : "closed",
				      reference == REFERENCE_BROKEN
					  ? ", and so it fared with the reference server "
					  : "",
				      reference == REFERENCE_BROKEN ? address : "");
	}
	talk_possible(finding, causes);
	if (reference == REFERENCE_NONE)
		finding_possible(finding, CODE_DPI_RESETS_SSH);
	if (kex->result == KEX_DISCONNECT)
		return finding_set(finding, FAIL, CODE_KEX_DISCONNECTED,
				   "the server ended the key exchange: \"%s\"",
				   kex->text != NULL ? kex->text : "");
	return finding_likely(
	    finding, FAIL, CODE_KEX_CLOSED, "the connection was %s within the key exchange%s%s%s",
	    reset ? "reset" : "closed",
	    reference == REFERENCE_FINE ? "; the reference server " : "",
	    reference == REFERENCE_FINE ? address : "",
	    reference == REFERENCE_FINE ? " answers well, so it is not this network" : "");
}

static const char *
either(const char *text, const char *fallback)
{
	return text != NULL ? text : fallback;
}

static int
agreed(const struct fact_kex *kex, struct finding *finding)
{
	const struct fact_kex_choice *chosen = &kex->chosen;

	finding_text(finding, "algorithm", chosen->kex);
	return finding_set(finding, PASS, CODE_KEX_OK, "%s, %s, %s%s",
			   either(chosen->kex, "key exchange done"),
			   either(chosen->host_key, "host key read"),
			   either(chosen->cipher, "no ssh installed to compare with"),
			   kex->result == KEX_AGREED ? " (compared only, not carried out)" : "");
}

/* Our own exchange was answered, and ssh's never: they differ in the method, which ssh chooses, and
 * in the size of its packets. */
static int
judge_unanswered(const struct scene *scene, const struct fact_rehearsal *stopped,
		 struct finding *finding)
{
	const char *chosen = either(stopped->kex, either(scene->kex->chosen.kex, "its own method")),
		   *spoken = scene->kex->spoken;
	bool differs = spoken != NULL && strcmp(spoken, chosen) != 0;

	finding_text(finding, "algorithm", chosen);
	if (differs)
		finding_text(finding, "spoken", spoken);
	finding_text(finding, "message", stopped->message);
	finding_possible(finding, CODE_MTU_BLACKHOLE);
	return finding_likely(finding, FAIL, CODE_KEX_STALLED,
			      "ssh chooses the key exchange %s (KexAlgorithms), and the server "
			      "never answers it: %s%s%s",
			      chosen, either(stopped->message, "ssh hangs"),
			      differs ? "; it does answer " : "", differs ? spoken : "");
}

/* The server wrote words in the place of packets. sshd does so when it cannot read the line with
 * which a client begins. */
static int
judge_garbage(const struct fact_kex *kex, struct finding *finding)
{
	if (kex->text == NULL)
		return finding_set(
		    finding, FAIL, CODE_KEX_GARBAGE,
		    "the server greets like SSH, but what follows is not the SSH protocol");
	if (strstr(kex->text, "Invalid SSH identification string") == NULL)
		return finding_set(finding, FAIL, CODE_KEX_GARBAGE,
				   "the server greets like SSH, and then writes in clear: \"%s\"",
				   kex->text);
	return finding_likely(
	    finding, FAIL, CODE_KEX_BYTES_IN_FRONT,
	    "the server writes in clear: \"%s\"; something on the way adds bytes in "
	    "front of what this computer sends",
	    kex->text);
}

int
check_kex(const struct scene *scene, const struct rule *rule, struct finding *finding)
{
	const struct fact_kex *kex = scene->kex;
	const struct fact_rehearsal *stopped = ssh_stopped_at(scene, REHEARSAL_KEX);

	(void)rule;
	finding_text(finding, "text", kex->text);
	finding_text(finding, "software", scene->banner->software);
	switch (kex->result) {
	case KEX_UNRECORDED:
		return finding_set(finding, UNKNOWN, CODE_NOT_KNOWN,
				   "the key exchange's result is not recorded");
	case KEX_DONE:
	case KEX_AGREED:
		return stopped != NULL && stopped->hung ? judge_unanswered(scene, stopped, finding)
							: agreed(kex, finding);
	case KEX_NO_COMMON:
		if (kex->missing != KEX_KIND_NONE)
			return judge_mismatch(scene, kex->missing, finding);
		return finding_set(finding, UNKNOWN, CODE_KEX_NOT_CHECKED,
				   "the server's algorithms are known, but no ssh is installed to "
				   "compare them with");
	case KEX_STALLED:
		return judge_stall(scene, finding);
	case KEX_BAD_SIGNATURE:
		return finding_set(finding, FAIL, CODE_KEX_BAD_SIGNATURE,
				   "the server could not prove that it holds its host key");
	case KEX_GARBAGE:
		return judge_garbage(kex, finding);
	default:
		return judge_broken(scene, finding);
	}
}
