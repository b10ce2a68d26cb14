#include "checks/checks.h"
#include "model/key.h"
#include "model/vm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What has been looked at: every file of the order and every default name, comma separated. */
static void
evidence_paths(const struct facts *facts, struct finding *finding)
{
	json_t *keys = doc_get(facts->doc, "machine.keys"), *key;
	const char *path;
	char *list = NULL, *grown;
	size_t count = 0;

	json_object_foreach (keys, path, key) {
		if (doc_bool(key, "stray", false) || count++ >= 16)
			continue;
		grown = doc_fmt("%s%s%s", list != NULL ? list : "", list != NULL ? ", " : "", path);
		free(list);
		list = grown;
	}
	finding_text(finding, "paths", list);
	free(list);
}

static const char *
base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

/* A key that lies about unused: one that Azure was given for the VM, else one of the missing file's
 * name, else the newest that ssh could use. false when there is none. */
static bool
find_stray(const struct facts *facts, const char *missing, bool only_vm, struct key *ret)
{
	const json_t *list = doc_list(facts_section(facts, FACT_IDENTITIES), "stray");
	int best = 0;

	for (size_t i = 0; i < json_array_size(list); i++) {
		struct key key;
		int score;

		if (key_from_facts(facts, json_string_value(json_array_get(list, i)), &key) < 0)
			continue;
		score = key_on_vm(facts, key.fingerprint) == KEY_YES ? 3
			: missing != NULL && strcmp(base_name(missing), base_name(key.path)) == 0
			    ? 2
			: key.loads != KEY_NO ? 1
					      : 0;
		if (score > best && (!only_vm || score == 3)) {
			best = score;
			*ret = key;
		}
	}
	return best > 0;
}

/* A key that was found: what must be said of it so that the remedies fit. */
static void
evidence_found(const struct key *found, const char *key, struct finding *finding)
{
	finding_text(finding, key, found->path);
	finding_text(finding, "fingerprint", found->fingerprint);
	finding_text(finding, "comment", doc_str(found->facts, "comment"));
	finding_text(finding, "name", base_name(found->path));
	finding_text(finding, found->drive ? "drive" : "movable", "yes");
	if (key_is_open(found))
		finding_text(finding, "open", doc_str(found->facts, "mode"));
}

/* Another way in than a key: a password, or Entra ID. Then a missing key is a remark. NULL when
 * there is none known. */
static const char *
other_way(const struct facts *facts)
{
	const json_t *methods = doc_list(facts_section(facts, FACT_AUTH), "methods"), *method;
	struct vm_extension extension;
	struct vm vm;
	size_t i;

	json_array_foreach (methods, i, method)
		if (doc_same(json_string_value(method), "password") ||
		    doc_same(json_string_value(method), "keyboard-interactive"))
			return "the server also takes a password";
	if (vm_from_facts(facts, &vm, NULL) < 0)
		return NULL;
	if (vm_extension(facts, &vm, "AADSSHLoginForLinux", &extension) ||
	    vm_extension(facts, &vm, "AADSSHLogin", &extension))
		return "the VM takes sign-ins of Entra ID (az ssh vm), which need no key file";
	return methods == NULL && vm.has_os_profile && !vm.password_off
		   ? "the VM was set up to take a password"
		   : NULL;
}

static int
not_picked(const struct facts *facts, const struct key *stray, struct finding *finding)
{
	bool certain = key_on_vm(facts, stray->fingerprint) == KEY_YES,
	     asked = facts_state(facts, FACT_AUTH, NULL) == FACT_KNOWN;
	int r;

	evidence_found(stray, "path", finding);
	evidence_paths(facts, finding);
	r = finding_set(finding, FAIL, CODE_KEY_DEFAULT_NOT_PICKED,
			"%s %s, but ssh does not try it: nothing names it", stray->path,
			certain ? "is the key that Azure gave this VM" : "is a private key");
	finding->confidence = certain && asked ? CERTAIN : LIKELY;
	return r;
}

static int
missing(const struct facts *facts, const char *path, struct finding *finding)
{
	const char *other = path == NULL ? other_way(facts) : NULL;
	struct key found;

	evidence_paths(facts, finding);
	finding_text(finding, "path", path);
	if (find_stray(facts, path, false, &found)) {
		evidence_found(&found, "found", finding);
		return finding_set(finding, FAIL, CODE_KEY_MISSING,
				   "%s is not there; a private key lies at %s", path, found.path);
	}
	if (path != NULL)
		return finding_set(finding, FAIL, CODE_KEY_MISSING, "%s is not there", path);
	if (other == NULL && facts_state(facts, FACT_AUTH, NULL) == FACT_KNOWN)
		other = "the server takes keys only"; /* which the auth check says */
	if (other == NULL && facts_state(facts, FACT_AUTH, NULL) == FACT_NOT_ASKED)
		other = "whether the server wants one was not asked";
	if (other != NULL)
		return finding_set(finding, WARN, CODE_KEY_MISSING,
				   "there is no private key where ssh looks; %s", other);
	return finding_set(finding, FAIL, CODE_KEY_MISSING,
			   "there is no private key where ssh looks, and no agent offers one");
}

/* A path that ssh cannot expand. One of the configuration ends it as soon as it wants to offer
 * keys; of -i it looks for the file first, as written, and goes on without it. */
static const char *
not_expanded(const struct facts *facts, const char *from)
{
	const json_t *order = doc_list(facts_section(facts, FACT_IDENTITIES), "order"), *entry;
	size_t i;

	json_array_foreach (order, i, entry)
		if (doc_is(entry, "problem", "not-expanded") && doc_is(entry, "from", from))
			return doc_str(entry, "path");
	return NULL;
}

static int
explicit_run(const struct facts *facts, const char *path, struct finding *finding)
{
	const json_t *entry = key_entry(facts, path);
	struct key key;

	if (key_from_facts(facts, path, &key) < 0)
		return missing(facts, path, finding);
	finding_text(finding, "path", path);
	finding_text(finding, "fingerprint", key.fingerprint);
	if (key.present)
		return finding_set(finding, PASS, CODE_KEY_FILE_OK, "%s is there", path);
	if (!key_is_gone(&key)) { /* what bars the way to it, the others say */
		finding_text(finding, "errno", key.error);
		return finding_set(finding, SKIP, CODE_KEY_OUT_OF_SIGHT,
				   "%s cannot be looked at: %s", path, key.error);
	}
	if (doc_bool(entry, "agent", false))
		return finding_set(
		    finding, PASS, CODE_KEY_FILE_OK,
		    "%s is not there, but its public half is, and the agent holds the key", path);
	finding_text(finding, "errno", key.error);
	return missing(facts, path, finding);
}

/* Counts what ssh would offer; *missing_path becomes a file that the configuration names and that
 * is not there. */
static size_t
count_offers(const struct facts *facts, const char **missing_path, bool *on_vm)
{
	const json_t *order = doc_list(facts_section(facts, FACT_IDENTITIES), "order"), *entry;
	size_t i, count = 0;

	json_array_foreach (order, i, entry) {
		bool offered = doc_bool(entry, "present", false) || doc_bool(entry, "agent", false);

		count += offered;
		if (offered && key_on_vm(facts, doc_str(entry, "fingerprint")) == KEY_YES)
			*on_vm = true;
		if (!offered && doc_is(entry, "from", "config") && *missing_path == NULL)
			*missing_path = doc_str(entry, "path");
	}
	return count;
}

static bool
config_key_present(const struct facts *facts)
{
	const json_t *order = doc_list(facts_section(facts, FACT_IDENTITIES), "order"), *entry;
	size_t i;

	json_array_foreach (order, i, entry)
		if (doc_is(entry, "from", "config") &&
		    (doc_bool(entry, "present", false) || doc_bool(entry, "agent", false)))
			return true;
	return false;
}

static int
implicit_run(const struct facts *facts, struct finding *finding)
{
	const char *gone = NULL, *cause = doc_str(facts_section(facts, FACT_AGENT), "cause");
	bool on_vm = false,
	     denied = facts_state(facts, FACT_AUTH, NULL) == FACT_KNOWN && !key_any_accepted(facts);
	size_t offers = count_offers(facts, &gone, &on_vm);
	struct key key;

	if (key_that_matters(facts, &key) == 0)
		finding_text(finding, "path", key.path);
	if (key_any_accepted(facts))
		return finding_set(finding, PASS, CODE_KEY_FILE_OK,
				   "the server knows one of the keys that ssh offers");
	if (offers == 0 && facts_state(facts, FACT_AGENT, NULL) == FACT_UNKNOWN)
		return finding_set(
		    finding, UNKNOWN, CODE_KEY_AGENT_UNKNOWN,
		    "there is no key file, and what the agent holds is not known (%s)",
		    cause != NULL ? cause : "error");
	if (offers == 0 && doc_str(facts_section(facts, FACT_IDENTITIES), "pkcs11") != NULL)
		return finding_set(finding, PASS, CODE_KEY_FILE_OK,
				   "the keys come from a PKCS#11 token");
	if (offers == 0 && gone != NULL)
		return missing(facts, gone, finding);
	if (!on_vm && find_stray(facts, NULL, offers > 0, &key) &&
	    (offers == 0 || key_on_vm(facts, key.fingerprint) == KEY_YES)) {
		json_object_clear(finding->evidence);
		return not_picked(facts, &key, finding);
	}
	if (offers == 0)
		return missing(facts, NULL, finding);
	if (gone != NULL && denied && !config_key_present(facts))
		return missing(facts, gone, finding);
	return finding_set(finding, PASS, CODE_KEY_FILE_OK, "ssh has %zu key%s to offer", offers,
			   offers == 1 ? "" : "s");
}

int
check_key_file(const struct scene *scene, const struct rule *rule, struct finding *finding)
{
	const struct facts *facts = scene->facts;
	const char *explicit = doc_str(facts_section(facts, FACT_IDENTITIES), "explicit"),
		   *odd = not_expanded(facts, "config");

	(void)rule;
	if (odd != NULL) {
		finding_text(finding, "path", odd);
		return finding_set(finding, FAIL, CODE_KEY_PATH_NOT_EXPANDED,
				   "ssh cannot make a path of %s: a %%-token, a variable or an "
				   "account in it stands for nothing",
				   odd);
	}
	if (explicit != NULL)
		return explicit_run(facts, explicit, finding);
	odd = not_expanded(facts, "option");
	return odd != NULL ? missing(facts, odd, finding) : implicit_run(facts, finding);
}
