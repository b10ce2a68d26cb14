#include "checks/checks.h"
#include "checks/keys.h"

#include <stdlib.h>
#include <string.h>

/* What has been looked at: every file of the order and every default name, comma separated. */
static void
evidence_paths(const struct scene *scene, struct finding *finding)
{
	char *list = NULL, *grown;
	size_t count = 0;

	for (size_t i = 0; i < scene->machine.keys_count; i++) {
		const struct fact_key *key = &scene->machine.keys[i];

		if (key->stray || count++ >= 16)
			continue;
		grown = doc_fmt("%s%s%s", list != NULL ? list : "", list != NULL ? ", " : "",
				key->path);
		free(list);
		list = grown;
	}
	finding_text(finding, "paths", list);
	free(list);
}

/* A key that was found: what must be said of it so that the remedies fit. */
static void
evidence_found(const struct fact_key *found, const char *key, struct finding *finding)
{
	finding_text(finding, key, found->path);
	finding_text(finding, "fingerprint", found->fingerprint);
	finding_text(finding, "comment", found->comment);
	finding_text(finding, "name", key_base_name(found->path));
	finding_text(finding, key_on_drive(found) ? "drive" : "movable", "yes");
	if (key_is_open(found))
		finding_text(finding, "open", found->mode);
}

/* Another way in than a key: a password, or Entra ID. Then a missing key is a remark. NULL when
 * there is none known. */
static const char *
other_way(const struct scene *scene)
{
	const struct fact_auth *auth = scene->auth;
	const struct vm *vm = scene->instance;
	struct vm_extension extension;

	for (size_t i = 0; i < auth->methods_count; i++)
		if (doc_same(auth->methods[i], "password") ||
		    doc_same(auth->methods[i], "keyboard-interactive"))
			return "the server also takes a password";
	if (vm == NULL)
		return NULL;
	if (vm_extension(scene->facts, vm, "AADSSHLoginForLinux", &extension) ||
	    vm_extension(scene->facts, vm, "AADSSHLogin", &extension))
		return "the VM takes sign-ins of Entra ID (az ssh vm), which need no key file";
	return auth->methods == NULL && vm->has_os_profile && !vm->password_off
		   ? "the VM was set up to take a password"
		   : NULL;
}

static int
not_picked(const struct scene *scene, const struct fact_key *stray, struct finding *finding)
{
	bool certain = key_on_vm(scene, stray->fingerprint) == FACT_YES;
	int r;

	evidence_found(stray, "path", finding);
	evidence_paths(scene, finding);
	r = finding_set(finding, FAIL, CODE_KEY_DEFAULT_NOT_PICKED,
			"%s %s, but ssh does not try it: nothing names it", stray->path,
			certain ? "is the key that Azure gave this VM" : "is a private key");
	finding->confidence = certain && scene->auth->state == FACT_KNOWN ? CERTAIN : LIKELY;
	return r;
}

static int
missing(const struct scene *scene, const char *path, struct finding *finding)
{
	const char *other = path == NULL ? other_way(scene) : NULL;
	const struct fact_key *found = key_stray(scene, path, false);

	evidence_paths(scene, finding);
	finding_text(finding, "path", path);
	if (found != NULL) {
		evidence_found(found, "found", finding);
		return finding_set(finding, FAIL, CODE_KEY_MISSING,
				   "%s is not there; a private key lies at %s", path, found->path);
	}
	if (path != NULL)
		return finding_set(finding, FAIL, CODE_KEY_MISSING, "%s is not there", path);
	if (other == NULL && scene->auth->state == FACT_KNOWN)
		other = "the server takes keys only"; /* which the auth check says */
	if (other == NULL && scene->auth->state == FACT_NOT_ASKED)
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
not_expanded(const struct scene *scene, enum identity_origin from)
{
	for (size_t i = 0; i < scene->identities->order_count; i++) {
		const struct fact_identity *entry = &scene->identities->order[i];

		if (doc_same(entry->problem, "not-expanded") && entry->from == from)
			return entry->path;
	}
	return NULL;
}

static int
explicit_run(const struct scene *scene, const char *path, struct finding *finding)
{
	const struct fact_identity *entry = key_entry(scene, path);
	const struct fact_key *key = key_at(scene, path);

	if (key == NULL)
		return missing(scene, path, finding);
	finding_text(finding, "path", path);
	finding_text(finding, "fingerprint", key->fingerprint);
	if (key->present)
		return finding_set(finding, PASS, CODE_KEY_FILE_OK, "%s is there", path);
	if (key_is_gone(key) && entry != NULL && entry->agent)
		return finding_set(
		    finding, PASS, CODE_KEY_FILE_OK,
		    "%s is not there, but its public half is, and the agent holds the key", path);
	finding_text(finding, "errno", key->errno_);
	if (!key_is_gone(key)) /* what bars the way to it, the others say */
		return finding_set(finding, SKIP, CODE_KEY_OUT_OF_SIGHT,
				   "%s cannot be looked at: %s", path, key->errno_);
	return missing(scene, path, finding);
}

/* Counts what ssh would offer; *missing_path becomes a file that the configuration names and that
 * is not there. */
static size_t
count_offers(const struct scene *scene, const char **missing_path, bool *on_vm)
{
	size_t count = 0;

	for (size_t i = 0; i < scene->identities->order_count; i++) {
		const struct fact_identity *entry = &scene->identities->order[i];
		bool offered = entry->present || entry->agent;

		count += offered;
		if (offered && key_on_vm(scene, entry->fingerprint) == FACT_YES)
			*on_vm = true;
		if (!offered && entry->from == IDENTITY_CONFIG && *missing_path == NULL)
			*missing_path = entry->path;
	}
	return count;
}

static bool
config_key_present(const struct fact_identities *ids)
{
	for (size_t i = 0; i < ids->order_count; i++)
		if (ids->order[i].from == IDENTITY_CONFIG &&
		    (ids->order[i].present || ids->order[i].agent))
			return true;
	return false;
}

static int
implicit_run(const struct scene *scene, struct finding *finding)
{
	const struct fact_agent *agent = scene->agent;
	const struct fact_key *key = key_that_matters(scene);
	const char *gone = NULL;
	bool on_vm = false;
	size_t offers = count_offers(scene, &gone, &on_vm);

	if (key != NULL)
		finding_text(finding, "path", key->path);
	if (scene->accepted)
		return finding_set(finding, PASS, CODE_KEY_FILE_OK,
				   "the server knows one of the keys that ssh offers");
	if (offers == 0 && agent->state == FACT_UNKNOWN)
		return finding_set(
		    finding, UNKNOWN, CODE_KEY_AGENT_UNKNOWN,
		    "there is no key file, and what the agent holds is not known (%s)",
		    agent->cause != NULL ? agent->cause : "error");
	if (offers == 0 && scene->identities->pkcs11 != NULL)
		return finding_set(finding, PASS, CODE_KEY_FILE_OK,
				   "the keys come from a PKCS#11 token");
	if (offers == 0 && agent->keys_count > 0)
		return finding_set(finding, PASS, CODE_KEY_FILE_OK,
				   "there is no key file; the agent holds %zu key%s",
				   agent->keys_count, agent->keys_count == 1 ? "" : "s");
	if (offers == 0 && gone != NULL)
		return missing(scene, gone, finding);
	if (!on_vm && (key = key_stray(scene, NULL, offers > 0)) != NULL) {
		json_object_clear(finding->evidence);
		return not_picked(scene, key, finding);
	}
	if (offers == 0)
		return missing(scene, NULL, finding);
	if (gone != NULL && scene->auth->state == FACT_KNOWN &&
	    !config_key_present(scene->identities))
		return missing(scene, gone, finding);
	return finding_set(finding, PASS, CODE_KEY_FILE_OK, "ssh has %zu key%s to offer", offers,
			   offers == 1 ? "" : "s");
}

int
check_key_file(const struct scene *scene, const struct rule *rule, struct finding *finding)
{
	const char *odd = not_expanded(scene, IDENTITY_CONFIG);

	(void)rule;
	if (odd != NULL) {
		finding_text(finding, "path", odd);
		return finding_set(finding, FAIL, CODE_KEY_PATH_NOT_EXPANDED,
				   "ssh cannot make a path of %s: a %%-token, a variable or an "
				   "account in it stands for nothing",
				   odd);
	}
	if (scene->identities->explicit != NULL)
		return explicit_run(scene, scene->identities->explicit, finding);
	odd = not_expanded(scene, IDENTITY_OPTION);
	return odd != NULL ? missing(scene, odd, finding) : implicit_run(scene, finding);
}
