#include "checks/keys.h"
#include "facts/words.h"

#include <stdlib.h>
#include <string.h>

const struct fact_key *
key_at(const struct scene *scene, const char *path)
{
	for (size_t i = 0; i < scene->machine.keys_count; i++)
		if (word_same(scene->machine.keys[i].path, path))
			return &scene->machine.keys[i];
	return NULL;
}

unsigned
key_mode(const struct fact_key *key)
{
	return key->mode != NULL ? (unsigned)strtoul(key->mode, NULL, 8) : 0;
}

bool
key_is_open(const struct fact_key *key)
{
	return key->present && key->owned && (key_mode(key) & 077) != 0;
}

bool
key_is_gone(const struct fact_key *key)
{
	return !key->present &&
	       (key->errno_ == NULL || word_same(key->errno_, "ENOENT") ||
		word_same(key->errno_, "ENOTDIR") || word_same(key->errno_, "ENAMETOOLONG"));
}

bool
key_on_drive(const struct fact_key *key)
{
	return key->mount.drvfs && !key->mount.metadata;
}

const struct fact_identity *
key_entry(const struct scene *scene, const char *path)
{
	const struct fact_identities *ids = scene->identities;

	for (size_t i = 0; i < ids->order_count; i++)
		if (word_same(ids->order[i].path, path) &&
		    ids->order[i].from != IDENTITY_CERTIFICATE)
			return &ids->order[i];
	return NULL;
}

bool
key_in_agent(const struct scene *scene, const struct fact_key *key)
{
	const struct fact_identity *own = key_entry(scene, key->path), *entry;

	if (own != NULL && own->agent)
		return true;
	for (size_t i = 0; i < scene->identities->order_count; i++) {
		entry = &scene->identities->order[i];
		if (entry->agent && word_same(entry->fingerprint, key->fingerprint))
			return true;
	}
	return false;
}

/* The fingerprint under which ssh offers a file: its .pub's where the file itself is locked. */
static const char *
fingerprint_of(const struct fact_key *key)
{
	if (key->fingerprint != NULL)
		return key->fingerprint;
	return key->pub != NULL ? key->pub->fingerprint : NULL;
}

/* The first file of the order that `wanted` approves of. */
static const struct fact_key *
first_file(const struct scene *scene,
	   bool (*wanted)(const struct scene *scene, const struct fact_key *key))
{
	const struct fact_identities *ids = scene->identities;
	const struct fact_key *key;

	for (size_t i = 0; i < ids->order_count; i++)
		if (ids->order[i].from != IDENTITY_CERTIFICATE &&
		    (key = key_at(scene, ids->order[i].path)) != NULL && wanted(scene, key))
			return key;
	return NULL;
}

static bool
is_accepted(const struct scene *scene, const struct fact_key *key)
{
	return word_same(scene->auth->accepted, fingerprint_of(key));
}

static bool
is_on_vm(const struct scene *scene, const struct fact_key *key)
{
	return key_on_vm(scene, fingerprint_of(key)) == FACT_YES;
}

static bool
is_refused(const struct scene *scene, const struct fact_identity *entry)
{
	return key_server_says(scene, entry->fingerprint) == AUTH_DENIED;
}

/* Named in ssh_config, there, and not refused: where the server refused others, this is the one
 * that may yet do. */
static bool
is_named(const struct scene *scene, const struct fact_key *key)
{
	const struct fact_identity *entry = key_entry(scene, key->path);

	return key->present && entry != NULL && entry->from == IDENTITY_CONFIG &&
	       !is_refused(scene, entry);
}

static bool
is_present(const struct scene *scene, const struct fact_key *key)
{
	(void)scene;
	return key->present;
}

const struct fact_key *
key_that_matters(const struct scene *scene)
{
	static bool (*const wanted[])(const struct scene *,
				      const struct fact_key *) = { is_accepted, is_on_vm, is_named,
								   is_present };
	const struct fact_key *key = NULL;

	if (scene->identities->explicit != NULL)
		return key_at(scene, scene->identities->explicit);
	for (size_t i = 0; key == NULL && i < sizeof(wanted) / sizeof(*wanted); i++)
		key = first_file(scene, wanted[i]);
	return key;
}

enum fact_maybe
key_on_vm(const struct scene *scene, const char *fingerprint)
{
	return scene->instance != NULL && fingerprint != NULL
		   ? vm_has_key(scene->instance, fingerprint)
		   : FACT_MAYBE;
}

enum auth_answer
key_server_says(const struct scene *scene, const char *fingerprint)
{
	const struct fact_auth *auth = scene->auth;

	if (auth->state != FACT_KNOWN || fingerprint == NULL)
		return AUTH_UNASKED;
	if (word_same(auth->accepted, fingerprint))
		return AUTH_ACCEPTED;
	for (size_t i = 0; i < auth->queries_count; i++) {
		enum auth_answer answer = auth->queries[i].answer;

		if (word_same(auth->queries[i].fingerprint, fingerprint) &&
		    (answer == AUTH_ACCEPTED || answer == AUTH_DENIED))
			return answer;
	}
	return AUTH_UNASKED;
}

bool
key_type_accepted(const struct scene *scene, const char *type)
{
	static const char *const rsa[] = { "ssh-rsa", "rsa-sha2-256", "rsa-sha2-512", NULL };
	const struct fact_ssh_options *options = &scene->ssh_config->options;
	const char *list = options->pubkeyacceptedalgorithms;

	list = list != NULL ? list : options->pubkeyacceptedkeytypes;
	if (list == NULL || type == NULL ||
	    (strncmp(type, "ssh-", 4) != 0 && strncmp(type, "ecdsa-sha2-", 11) != 0 &&
	     strncmp(type, "sk-", 3) != 0))
		return true;
	for (size_t i = 0; strcmp(type, "ssh-rsa") == 0 && rsa[i] != NULL; i++)
		if (word_in_text(rsa[i], list, ','))
			return true;
	return word_in_text(type, list, ',');
}

bool
key_allowed(const struct scene *scene, const char *type, json_int_t bits)
{
	const char *least = scene->ssh_config->options.requiredrsasize;

	return key_type_accepted(scene, type) && (least == NULL || !word_same(type, "ssh-rsa") ||
						  bits == 0 || bits >= strtoll(least, NULL, 10));
}

bool
key_entry_allowed(const struct scene *scene, const struct fact_identity *entry)
{
	return key_allowed(scene, entry->type, entry->bits);
}

/* true when ssh could sign with it at once, without a passphrase, and it is not the file at `path`.
 */
static bool
is_ready_beside(const struct scene *scene, const struct fact_identity *entry, const char *path)
{
	return key_entry_allowed(scene, entry) && !word_same(entry->path, path) &&
	       (entry->agent || (entry->usable && entry->encrypted != YES));
}

bool
key_elsewhere(const struct scene *scene, const char *fingerprint, const char *path)
{
	for (size_t i = 0; i < scene->identities->order_count; i++) {
		const struct fact_identity *entry = &scene->identities->order[i];

		if (is_ready_beside(scene, entry, entry->agent ? NULL : path) &&
		    word_same(entry->fingerprint, fingerprint))
			return true;
	}
	return false;
}

bool
key_left_unasked(const struct scene *scene, const char *path)
{
	for (size_t i = 0; i < scene->identities->order_count; i++) {
		const struct fact_identity *entry = &scene->identities->order[i];

		if (is_ready_beside(scene, entry, path) &&
		    key_server_says(scene, entry->fingerprint) == AUTH_UNASKED)
			return true;
	}
	return false;
}

bool
key_denied_beside(const struct scene *scene, const char *path)
{
	for (size_t i = 0; i < scene->identities->order_count; i++) {
		const struct fact_identity *entry = &scene->identities->order[i];

		if (is_ready_beside(scene, entry, path) && is_refused(scene, entry))
			return true;
	}
	return false;
}

const char *
key_base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

const struct fact_key *
key_stray(const struct scene *scene, const char *missing, bool only_vm)
{
	const struct fact_key *found = NULL;
	int best = 0;

	for (size_t i = 0; i < scene->identities->stray_count; i++) {
		const struct fact_key *key = key_at(scene, scene->identities->stray[i]);
		int score = 0;

		if (key == NULL)
			continue;
		if (key_on_vm(scene, key->fingerprint) == FACT_YES)
			score = 3;
		else if (missing != NULL &&
			 strcmp(key_base_name(missing), key_base_name(key->path)) == 0)
			score = 2;
		else if (key->loads != FACT_NO)
			score = 1;
		if (score > best && (!only_vm || score == 3)) {
			best = score;
			found = key;
		}
	}
	return found;
}

bool
key_any_offered(const struct scene *scene)
{
	const struct fact_identities *ids = scene->identities;

	for (size_t i = 0; i < ids->order_count; i++)
		if (ids->order[i].present || ids->order[i].agent)
			return true;
	return false;
}
