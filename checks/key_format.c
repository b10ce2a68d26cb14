#include "checks/checks.h"
#include "checks/key_damage.h"
#include "checks/keys.h"
#include "facts/words.h"

#include <stdlib.h>
#include <string.h>

#define NEW_PEM_ED25519 906 /* OpenSSH 9.6 reads Ed25519 keys from PKCS#8 */

static bool
begins(const char *word, const char *text)
{
	return word != NULL && strncmp(word, text, strlen(text)) == 0;
}

/* The evidence that other programs read: always all of it that is known. */
static void
evidence(const struct fact_key *key, struct finding *finding)
{
	finding_text(finding, "path", key->path);
	finding_text(finding, "kind", FACT_WORD(key_kind, key->kind));
	finding_text(finding, "format", key->format);
	finding_text(finding, "type", key->type);
	if (key->bits != 0)
		finding_number(finding, "bits", key->bits);
	finding_text(finding, "encrypted", FACT_WORD(yes_no, key->encrypted));
	finding_text(finding, "cipher", key->cipher);
	finding_text(finding, "kdf", key->kdf);
	finding_text(finding, "fingerprint", key->fingerprint);
	finding_text(finding, "fingerprint_md5", key->fingerprint_md5);
	finding_text(finding, "comment", key->comment);
	finding_text(finding, "defect", FACT_WORD(key_defect, key->defect));
	finding_texts(finding, "defects", key->defects, key->defects_count);
	finding_text(finding, "azure", FACT_WORD(azure_takes, key->azure));
	finding_text(finding, "what", key->what);
}

/* Names for the remedies: where a repaired or converted copy goes, and where the public half lies.
 */
static void
evidence_names(const struct fact_key *key, bool only, struct finding *finding)
{
	static const char *const tails[] = { ".ppk", ".pem", ".der", ".jwk", ".json",
					     ".pfx", ".p12", ".key", ".txt", ".pub" };
	size_t len = strlen(key->path);
	char *copy, *public;

	for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++)
		if (len > strlen(tails[i]) &&
		    strcmp(key->path + len - strlen(tails[i]), tails[i]) == 0 &&
		    key->path[len - strlen(tails[i]) - 1] != '/')
			len -= strlen(tails[i]);
	copy = doc_fmt("%.*s_openssh", (int)len, key->path);
	public = doc_fmt("%s.pub", key->path);
	if (only)
		finding_text(finding, "new_vm", "yes");
	finding_text(finding, "new_path", copy);
	finding_text(finding, "public_path",
		     key->pub != NULL && key->pub->path != NULL ? key->pub->path : public);
	free(copy);
	free(public);
}

static int
public_half(const struct scene *scene, const struct fact_key *key, struct finding *finding)
{
	size_t len = strlen(key->path);
	char *private;

	if (key_in_agent(scene, key))
		return finding_set(finding, PASS, CODE_KEY_FORMAT_OK,
				   "%s is a public key whose private half the agent holds",
				   key->path);
	private = doc_fmt(
	    "%.*s", (int)(len > 4 && strcmp(key->path + len - 4, ".pub") == 0 ? len - 4 : len),
	    key->path);
	if (private != NULL && strcmp(private, key->path) != 0)
		finding_text(finding, "private_path", private);
	free(private);
	return finding_set(
	    finding, FAIL, CODE_KEY_IS_PUBLIC_HALF, "%s is a %s: it cannot sign", key->path,
	    key->kind == KEY_CERT ? "certificate, not the private key" : "public key");
}

static const char *
what_words(const char *what)
{
	static const struct {
		const char *what, *words;
	} kinds[] = { { "directory", "a folder" },
		      { "fifo", "a pipe" },
		      { "socket", "a socket" },
		      { "loop", "a symbolic link that leads to itself" },
		      { "too-big", "larger than any key" } };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (word_same(what, kinds[i].what))
			return kinds[i].words;
	return "a device";
}

/* Containers that OpenSSH does not know at all. */
static const struct {
	const char *format;
	enum code code;
	const char *words;
} foreign[] = {
	{ "ppk1", CODE_KEY_PPK_FORMAT, "PuTTY's format" },
	{ "ppk2", CODE_KEY_PPK_FORMAT, "PuTTY's format" },
	{ "ppk3", CODE_KEY_PPK_FORMAT, "PuTTY's format" },
	{ "sshcom", CODE_KEY_SSHCOM_FORMAT, "the format of ssh.com" },
	{ "jwk", CODE_KEY_JWK_FORMAT, "a JSON Web Key" },
	{ "ssh1", CODE_KEY_SSH1_FORMAT, "the format of SSH protocol 1, which is gone" },
	{ "pkcs1-der", CODE_KEY_DER_FORMAT, "binary DER" },
	{ "pkcs8-der", CODE_KEY_DER_FORMAT, "binary DER" },
	{ "pkcs8-enc-der", CODE_KEY_DER_FORMAT, "binary DER" },
	{ "sec1-der", CODE_KEY_DER_FORMAT, "binary DER" },
	{ "dsa-der", CODE_KEY_DER_FORMAT, "binary DER" },
};

/* Damage that PuTTY and the other converters read over. */
static bool
convertible(const struct fact_key *key)
{
	switch (key->defect) {
	case DEFECT_NONE:
	case DEFECT_CRLF:
	case DEFECT_CR_ONLY:
	case DEFECT_NO_FINAL_NEWLINE:
	case DEFECT_TRAILING_GARBAGE:
	case DEFECT_BLANK_LINES:
	case DEFECT_TWO_KEYS:
		return true;
	default:
		return word_same(key->format, "ssh1"); /* there is nothing to convert that to */
	}
}

static bool
foreign_format(const struct fact_key *key, struct finding *finding, int *r)
{
	if (!convertible(key))
		return false;
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
		if (word_same(key->format, foreign[i].format)) {
			if (key->encrypted != YES)
				finding_text(finding, "plain", "yes");
			*r = finding_set(finding, FAIL, foreign[i].code,
					 "%s is in %s, which OpenSSH does not read", key->path,
					 foreign[i].words);
			return true;
		}
	return false;
}

/* A type or length that Azure's provisioning does not take: PASS when it takes it. On a new VM that
 * decides; on an old one only if the server says no. */
static enum status
azure_refuses(const struct scene *scene, const struct fact_key *key, json_int_t least)
{
	bool only = scene->asked.key_only,
	     denied = key_server_says(scene, key->fingerprint) == AUTH_DENIED;

	if (word_same(key->type, "ssh-rsa") && key->bits != 0 && key->bits < least)
		return only || denied || key->bits < 1024 ? FAIL : WARN;
	if (word_same(key->type, "ssh-rsa"))
		return PASS;
	return key->type == NULL || word_same(key->type, "ssh-ed25519") || !(only || denied) ? PASS
											     : FAIL;
}

static int
refused_by_azure(const struct scene *scene, const struct fact_key *key, json_int_t least,
		 enum status status, struct finding *finding)
{
	bool rsa = word_same(key->type, "ssh-rsa");
	int r;

	finding_number(finding, "min_bits", least);
	if (rsa)
		r = finding_set(finding, status, CODE_KEY_RSA_TOO_SHORT,
				"%s is an RSA key of %lld bits; Azure takes %lld or more%s",
				key->path, (long long)key->bits, (long long)least,
				key_server_says(scene, key->fingerprint) == AUTH_ACCEPTED
				    ? ", though this server accepts it"
				    : "");
	else
		r = finding_set(finding, FAIL, CODE_KEY_TYPE_UNSUPPORTED_AZURE,
				"%s is of type %s, which Azure does not put on a VM", key->path,
				key->type);
	if (status == FAIL && !scene->asked.key_only) {
		finding->confidence = LIKELY;
		finding_possible(finding, CODE_KEY_NOT_ON_VM);
	}
	return r;
}

static bool
locked(const struct scene *scene, const struct fact_key *key, struct finding *finding, int *r)
{
	bool batch = doc_same(scene->ssh_config->options.batchmode, "yes");

	if (key->encrypted != YES || key_in_agent(scene, key) || scene->asked.key_only)
		return false;
	if (key->fingerprint == NULL && scene->agent->keys_count > 0)
		return false; /* the agent may hold it: key-agent says so */
	if (!batch && scene->machine.terminal)
		return false;
	finding_text(finding, batch ? "batch" : "no_terminal", "yes");
	*r = finding_set(finding, FAIL, CODE_KEY_ENCRYPTED_NO_PASSPHRASE,
			 "%s has a passphrase, no agent holds the key, and ssh cannot ask (%s)",
			 key->path, batch ? "BatchMode is on" : "there is no terminal");
	return true;
}

/* A PKCS#8 file with an Ed25519 key: the client's version decides. */
static bool
pkcs8_ed25519(const struct scene *scene, const struct fact_key *key, struct finding *finding,
	      int *r)
{
	json_int_t number = scene->client->number;

	if (!word_same(key->type, "ssh-ed25519") || !begins(key->format, "pkcs8-pem") ||
	    key->loads != FACT_MAYBE || number >= NEW_PEM_ED25519)
		return false;
	finding_text(finding, "client", scene->client->version);
	*r = finding_set(finding, number == 0 ? WARN : FAIL, CODE_KEY_PKCS8_ED25519_UNREADABLE,
			 "%s holds an Ed25519 key in PKCS#8, which OpenSSH reads since 9.6 only",
			 key->path);
	return true;
}

static int
passed(const struct scene *scene, const struct fact_key *key, struct finding *finding)
{
	const char *bits = "";
	char text[32];

	if (key->bits > 0) {
		snprintf(text, sizeof(text), ", %lld bits", (long long)key->bits);
		bits = text;
	}
	if (key->azure == AZURE_REJECTS && !scene->asked.key_only)
		return finding_set(
		    finding, PASS, CODE_KEY_FORMAT_OK,
		    "%s: %s%s (Azure would not put such a key on a new VM; added by hand it works)",
		    key->path, key->type, bits);
	return finding_set(finding, PASS, CODE_KEY_FORMAT_OK, "%s: %s%s%s", key->path,
			   key->type != NULL ? key->type : "a private key", bits,
			   key->encrypted == YES ? ", with a passphrase" : "");
}

/* What keeps ssh from loading the file: another container, or damage. Returns false when neither
 * does. */
static bool
unloadable(const struct fact_key *key, struct finding *finding, int *r)
{
	if (foreign_format(key, finding, r))
		return true;
	if (key->loads != FACT_NO || key->defect == DEFECT_NONE)
		return false;
	*r = key_damage(key, finding);
	return true;
}

static int
unusable(const struct fact_key *key, struct finding *finding)
{
	if (key->type == NULL || begins(key->type, "ssh-") || begins(key->type, "ecdsa-") ||
	    begins(key->type, "sk-"))
		return key_damage(key, finding);
	return finding_set(finding, FAIL, CODE_KEY_TYPE_UNUSABLE,
			   "%s is of type %s, which SSH has no use for", key->path, key->type);
}

/* ssh's settings keep it from offering the key although it loads. */
static int
not_offered(const struct scene *scene, const struct fact_key *key, struct finding *finding)
{
	const char *least = scene->ssh_config->options.requiredrsasize;

	if (!key_type_accepted(scene, key->type))
		return finding_set(
		    finding, FAIL, CODE_KEY_ALGORITHM_OFF,
		    "ssh does not offer %s: %s is not among its PubkeyAcceptedAlgorithms",
		    key->path, key->type);
	finding_text(finding, "required_bits", least);
	return finding_set(
	    finding, FAIL, CODE_KEY_ALGORITHM_OFF,
	    "ssh does not offer %s: it has %lld bits, and RequiredRSASize asks for %s", key->path,
	    (long long)key->bits, least);
}

static int
private_key(const struct scene *scene, const struct rule *rule, const struct fact_key *key,
	    struct finding *finding)
{
	json_int_t least = rule_int(rule, "rsa_min_bits", 2048);
	enum status azure = azure_refuses(scene, key, least);
	bool held = key_in_agent(scene, key);
	int r;

	if (!held && unloadable(key, finding, &r))
		return r;
	if (azure == FAIL)
		return refused_by_azure(scene, key, least, FAIL, finding);
	if (!held && key->loads == FACT_NO)
		return unusable(key, finding);
	if (!held && pkcs8_ed25519(scene, key, finding, &r))
		return r;
	if (!key_allowed(scene, key->type, key->bits))
		return not_offered(scene, key, finding);
	if (!held && key->pub != NULL && key->pub->matches == FACT_NO) {
		finding_text(finding, "public_path", key->pub->path);
		return finding_set(
		    finding, FAIL, CODE_KEY_STALE_PUB,
		    "%s belongs to another key, and ssh offers that one instead of %s",
		    key->pub->path, key->path);
	}
	if (locked(scene, key, finding, &r))
		return r;
	return azure == WARN ? refused_by_azure(scene, key, least, WARN, finding)
			     : passed(scene, key, finding);
}

int
check_key_format(const struct scene *scene, const struct rule *rule, struct finding *finding)
{
	const struct fact_key *key = key_that_matters(scene);

	if (key == NULL)
		return finding_set(finding, SKIP, CODE_NO_KEY, "there is no key file to look at");
	evidence(key, finding);
	if (key->what != NULL)
		return finding_set(finding, FAIL, CODE_KEY_NOT_A_KEY_FILE, "%s is %s", key->path,
				   what_words(key->what));
	if (!key->present)
		return finding_set(finding, SKIP, CODE_NO_KEY, "%s is not there", key->path);
	if (!key->readable)
		return finding_set(finding, SKIP, CODE_NOT_READABLE, "%s cannot be read",
				   key->path);
	evidence_names(key, scene->asked.key_only, finding);
	if (key->kind == KEY_PUBLIC || key->kind == KEY_CERT)
		return public_half(scene, key, finding);
	if (key->kind == KEY_PRIVATE)
		return private_key(scene, rule, key, finding);
	return key_damage(key, finding);
}
