/* What ssh would offer, in its order: certificates named by CertificateFile, keys that both the
 * agent and the configuration have, the agent's other keys (unless IdentitiesOnly), then the
 * remaining files. */
#include "ssh/machine/identity.h"
#include "ssh/ssh.h"

#include <pwd.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const default_files[] = { "~/.ssh/id_rsa",        "~/.ssh/id_ecdsa",
					     "~/.ssh/id_ecdsa_sk",   "~/.ssh/id_ed25519",
					     "~/.ssh/id_ed25519_sk", "~/.ssh/id_xmss",
					     "~/.ssh/id_dsa" };

enum { DEFAULTS = sizeof(default_files) / sizeof(default_files[0]), FILES_MAX = 256 };

struct identities {
	struct facts *facts;
	ssh_done *done;
	void *ctx;
	const json_t *options; /* borrowed; NULL when ssh -G did not say */
	struct identity_names names;
	struct mounts mounts;
	char *explicit; /* -i, absolute */
	char *socket;
	char local_host[256];
	json_t *keys;                 /* machine.keys, borrowed */
	json_t *files, *certificates; /* entries, owned */
	bool only;
	char *unread; /* why a file could not be read, which holds up ssh too; NULL: all were */
};

static void
identities_free(struct identities *ids)
{
	mounts_free(&ids->mounts);
	free(ids->explicit);
	free(ids->unread);
	free(ids->socket);
	json_decref(ids->files);
	json_decref(ids->certificates);
	free(ids);
}

static bool
is_set(const char *value)
{
	return value != NULL && *value != '\0' && strcmp(value, "none") != 0;
}

static void
names_set(struct identities *ids)
{
	const json_t *config = facts_section(ids->facts, FACT_SSH_CONFIG);
	const struct passwd *pw = getpwuid(getuid());

	if (gethostname(ids->local_host, sizeof(ids->local_host) - 1) < 0)
		ids->local_host[0] = '\0';
	ids->names = (struct identity_names){ .home = pw != NULL ? pw->pw_dir : getenv("HOME"),
					      .local_user = pw != NULL ? pw->pw_name : NULL,
					      .name = doc_str(config, "name"),
					      .hostname = doc_str(config, "hostname"),
					      .alias = doc_str(config, "host_key_alias"),
					      .user = doc_str(config, "user"),
					      .port = (int)doc_int(config, "port", 22),
					      .uid = getuid(),
					      .local_host = ids->local_host };
	if (doc_int(facts_section(ids->facts, FACT_CLIENT), "number", 902) >= 906)
		ids->names.jump = doc_str(config, "proxyjump");
}

static json_t *
key_of(struct identities *ids, const char *path)
{
	json_t *key = json_object_get(ids->keys, path);

	if (key == NULL) {
		key = key_file_facts(path, &ids->mounts);
		if (doc_str(key, "unread") != NULL && ids->unread == NULL)
			ids->unread =
			    doc_fmt("%s could not be read: %s", path, doc_str(key, "unread"));
		json_object_set_new(ids->keys, path, key);
	} else if (doc_bool(key, "stray", false)) {
		json_object_del(key, "stray");
	}
	return key;
}

/* Would ssh be able to sign with this file (perhaps after asking for its passphrase)? Ed25519 in
 * PKCS#8 takes OpenSSH 9.6. */
static bool
is_usable(const struct identities *ids, const json_t *key)
{
	bool new_pem = doc_int(facts_section(ids->facts, FACT_CLIENT), "number", 0) >= 906;

	if (!doc_bool(key, "readable", false) || !doc_bool(key, "loads", true) ||
	    !doc_is(key, "kind", "private"))
		return false;
	if (doc_get(key, "loads") == NULL && doc_is(key, "type", "ssh-ed25519") && !new_pem)
		return false;
	return !doc_bool(key, "owned", false) ||
	       (strtoul(doc_str(key, "mode") != NULL ? doc_str(key, "mode") : "0", NULL, 8) &
		077) == 0;
}

/* Does ssh know the public half before it has loaded the private one? From FILE.pub, or from its
 * own container; never from PEM. Only then is the key offered, and found again among the agent's.
 */
static bool
is_offered(const json_t *key)
{
	if (doc_get(key, "pub") != NULL || doc_is(key, "kind", "public") ||
	    doc_is(key, "kind", "cert"))
		return true;
	return doc_is(key, "format", "openssh-key-v1") && doc_bool(key, "loads", true);
}

/* What ssh knows of a file's public half: FILE.pub goes before what the file itself says. */
static json_t *
entry_of_file(const struct identities *ids, const char *path, const char *from, const json_t *key)
{
	const json_t *public = doc_get(key, "pub") != NULL && !doc_is(key, "kind", "public")
				   ? doc_get(key, "pub")
				   : key;
	json_t *entry = json_object();
	bool other = !doc_bool(key, "pub.matches", true) && !doc_is(key, "kind", "public");

	doc_set_str(entry, "path", path);
	doc_set_str(entry, "from", from);
	doc_set_str(entry, "fingerprint", doc_str(public, "fingerprint"));
	doc_set_str(entry, "type", doc_str(public, "type"));
	doc_set_str(entry, "public", doc_str(public, "public"));
	doc_set_str(entry, "encrypted", doc_str(key, "encrypted"));
	doc_set_int(entry, "bits", doc_int(public, "bits", 0));
	doc_set_bool(entry, "present", doc_bool(key, "present", false));
	doc_set_bool(entry, "offered", is_offered(key));
	doc_set_bool(entry, "usable", is_usable(ids, key) && !other);
	return entry;
}

static json_t *
entry_of_cert(const struct identities *ids, const char *path, const char *key_path,
	      const json_t *key)
{
	struct pubkey pub;
	json_t *entry;
	char text[FINGERPRINT_SIZE];

	if (key_file_public(path, &pub) < 0)
		return NULL;
	if (!pub.cert) {
		pubkey_free(&pub);
		return NULL;
	}
	entry = json_object();
	doc_set_str(entry, "path", path);
	doc_set_str(entry, "key", key_path);
	doc_set_str(entry, "from", "certificate");
	doc_set_str(entry, "fingerprint", pubkey_fingerprint(buffer_bytes(&pub.blob), text));
	doc_set_str(entry, "type", pub.cert_type);
	doc_set_base64(entry, "public", buffer_bytes(&pub.cert_blob));
	if (pub.valid_after > 0 && pub.valid_after <= INT64_MAX)
		doc_set_int(entry, "valid_after", (json_int_t)pub.valid_after);
	if (pub.valid_before <= INT64_MAX)
		doc_set_int(entry, "valid_before", (json_int_t)pub.valid_before);
	doc_set_bool(entry, "present", true);
	doc_set_bool(entry, "offered", true);
	doc_set_str(entry, "encrypted", doc_str(key, "encrypted"));
	doc_set_bool(entry, "usable", key != NULL && is_usable(ids, key));
	pubkey_free(&pub);
	return entry;
}

static bool
listed(const json_t *entries, const char *path)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (entries, i, entry)
		if (doc_str(entry, "path") != NULL && strcmp(doc_str(entry, "path"), path) == 0)
			return true;
	return false;
}

static void
add_file(struct identities *ids, const char *raw, const char *from)
{
	char *path = identity_path(raw, &ids->names);
	json_t *key, *entry;

	if (path == NULL) {
		entry = json_object();
		doc_set_str(entry, "path", raw);
		doc_set_str(entry, "from", from);
		doc_set_str(entry, "problem", "not-expanded");
		doc_set_bool(entry, "present", false);
		doc_set_bool(entry, "usable", false);
		json_array_append_new(ids->files, entry);
		return;
	}
	if (ids->unread == NULL && !listed(ids->files, path) &&
	    json_array_size(ids->files) < FILES_MAX) {
		if (ids->explicit != NULL && strcmp(path, ids->explicit) == 0)
			from = "option";
		key = key_of(ids, path);
		if (doc_bool(key, "present", false) || strcmp(from, "default") != 0 ||
		    doc_get(key, "pub") != NULL || !doc_is(key, "errno", "ENOENT"))
			json_array_append_new(ids->files, entry_of_file(ids, path, from, key));
		if (doc_list(ids->options, "certificatefile") == NULL &&
		    doc_str(key, "cert.path") != NULL &&
		    (entry = entry_of_cert(ids, doc_str(key, "cert.path"), path, key)) != NULL)
			json_array_append_new(ids->files, entry);
	}
	free(path);
}

static bool
is_default(const char *raw)
{
	for (size_t i = 0; i < DEFAULTS; i++)
		if (strcmp(raw, default_files[i]) == 0)
			return true;
	return false;
}

/* The list is ssh's own when every default name stands in it. */
static bool
are_defaults(const json_t *list)
{
	size_t found = 0;

	for (size_t i = 0; i < json_array_size(list); i++)
		found += is_default(json_string_value(json_array_get(list, i)));
	return found >= 5;
}

static void
add_files(struct identities *ids, const char *identity)
{
	const json_t *list = doc_list(ids->options, "identityfile"), *each;
	bool defaults = list == NULL || are_defaults(list);
	size_t i;

	if (identity != NULL)
		add_file(ids, identity, "option");
	json_array_foreach (list, i, each)
		if (is_set(json_string_value(each)))
			add_file(ids, json_string_value(each),
				 defaults && is_default(json_string_value(each)) ? "default"
										 : "config");
	for (i = 0; list == NULL && i < DEFAULTS &&
		    (identity == NULL ||
		     !doc_bool(json_object_get(ids->keys, ids->explicit), "present", false));
	     i++)
		add_file(ids, default_files[i], "default");
	json_array_foreach (doc_list(ids->options, "certificatefile"), i, each) {
		char *path = identity_path(json_string_value(each), &ids->names);
		json_t *entry = path == NULL ? NULL : entry_of_cert(ids, path, NULL, NULL);

		if (entry != NULL)
			json_array_append_new(ids->certificates, entry);
		free(path);
	}
}

/* ---- the order ---- */

static json_t *
entry_of_agent(const json_t *agent_key)
{
	json_t *entry = json_object();

	doc_set_bool(entry, "agent", true);
	doc_set_str(entry, "from", "agent");
	doc_set_str(entry, "fingerprint", doc_str(agent_key, "fingerprint"));
	doc_set_str(entry, "type", doc_str(agent_key, "type"));
	doc_set_str(entry, "public", doc_str(agent_key, "public"));
	doc_set_str(entry, "comment", doc_str(agent_key, "comment"));
	doc_set_int(entry, "bits", doc_int(agent_key, "bits", 0));
	doc_set_bool(entry, "present", true);
	doc_set_bool(entry, "offered", true);
	doc_set_bool(entry, "usable", true);
	return entry;
}

/* Takes the first offered entry with this public key out of the list; the caller owns it. */
static json_t *
take_same(json_t *entries, const char *public)
{
	json_t *entry;
	size_t i;

	json_array_foreach (entries, i, entry)
		if (public != NULL && doc_bool(entry, "offered", false) &&
		    doc_is(entry, "public", public)) {
			json_incref(entry);
			json_array_remove(entries, i);
			return entry;
		}
	return NULL;
}

/* A certificate signs with the plain key, on disk or in the agent. */
static void
mark_signing(json_t *certificates, const json_t *files, const json_t *agent)
{
	json_t *cert;
	const json_t *other;
	size_t i, j;

	json_array_foreach (certificates, i, cert) {
		if (!doc_is(cert, "from", "certificate"))
			continue;
		json_array_foreach (agent, j, other)
			if (doc_is(other, "fingerprint", doc_str(cert, "fingerprint"))) {
				doc_set_bool(cert, "agent", true);
				doc_set_bool(cert, "usable", true);
			}
		json_array_foreach (files, j, other)
			if (doc_is(other, "fingerprint", doc_str(cert, "fingerprint")) &&
			    doc_bool(other, "usable", false))
				doc_set_bool(cert, "usable", true);
	}
}

static json_t *
order_make(struct identities *ids, const json_t *agent)
{
	json_t *order = json_array(), *rest = json_array(), *entry;
	const json_t *key;
	size_t i;

	mark_signing(ids->certificates, ids->files, agent);
	mark_signing(ids->files, ids->files, agent);
	json_array_extend(order, ids->certificates);
	json_array_foreach (agent, i, key) {
		if ((entry = take_same(ids->files, doc_str(key, "public"))) != NULL) {
			doc_set_bool(entry, "agent", true);
			doc_set_bool(entry, "usable", true);
			doc_set_str(entry, "comment", doc_str(key, "comment"));
			json_array_append_new(order, entry);
		} else if (!ids->only) {
			json_array_append_new(rest, entry_of_agent(key));
		}
	}
	json_array_extend(order, rest);
	json_array_extend(order, ids->files);
	json_decref(rest);
	return order;
}

static void
settle_known(struct identities *ids)
{
	json_t *section, *stray = json_array(),
			 *machine = json_object_get(ids->facts->doc, "machine");
	const char *provider = doc_str(ids->options, "pkcs11provider");
	json_t *order = order_make(ids, doc_list(facts_section(ids->facts, FACT_AGENT), "keys"));

	if (!doc_bool(ids->facts->doc, "asked.key_only", false))
		identity_stray(ids->names.home, &ids->mounts, ids->keys, stray);
	section = facts_known(ids->facts, FACT_IDENTITIES);
	json_object_set_new(section, "order", order);
	json_object_set_new(section, "stray", stray);
	doc_set_bool(section, "identities_only", ids->only);
	doc_set_str(section, "explicit", ids->explicit);
	if (is_set(provider))
		doc_set_str(section, "pkcs11", provider);
	doc_set_bool(machine, "wsl", mounts_wsl(&ids->mounts));
	if (mounts_wsl(&ids->mounts))
		json_object_set_new(machine, "drvfs", mounts_drives(&ids->mounts));
}

/* A key of which nothing is known would read as one that is not there. */
static void
settle_unread(struct identities *ids)
{
	json_t *key;
	const char *path;
	void *next;

	json_object_foreach_safe (ids->keys, next, path, key)
		if (doc_str(key, "unread") != NULL)
			json_object_del(ids->keys, path);
	facts_settle(ids->facts, FACT_IDENTITIES, FACT_UNKNOWN, "not-read", "%s", ids->unread);
}

static void
agent_settled(void *ctx)
{
	struct identities *ids = ctx;
	ssh_done *done = ids->done;
	void *whose = ids->ctx;

	if (ids->unread != NULL)
		settle_unread(ids);
	else
		settle_known(ids);
	identities_free(ids);
	done(whose);
}

/* ---- the agent's socket ---- */

/* IdentityAgent: none, SSH_AUTH_SOCK, $VARIABLE, a path; else the environment's SSH_AUTH_SOCK. The
 * caller frees. */
static char *
agent_socket(struct identities *ids)
{
	const char *agent = doc_str(ids->options, "identityagent"), *value;

	if (agent == NULL || strcmp(agent, "SSH_AUTH_SOCK") == 0)
		value = getenv("SSH_AUTH_SOCK");
	else if (strcmp(agent, "none") == 0)
		return NULL;
	else if (agent[0] == '$' && agent[1] != '{')
		value = getenv(agent + 1);
	else
		return identity_path(agent, &ids->names);
	return is_set(value) ? strdup(value) : NULL;
}

void
ssh_identities_collect(struct loop *loop, struct facts *facts, const char *identity, ssh_done *done,
		       void *ctx)
{
	struct identities *ids = calloc(1, sizeof(*ids));
	json_t *machine = json_object_get(facts->doc, "machine");

	if (ids == NULL) {
		facts_settle(facts, FACT_AGENT, FACT_UNKNOWN, "error", "out of memory");
		facts_settle(facts, FACT_IDENTITIES, FACT_UNKNOWN, "error", "out of memory");
		done(ctx);
		return;
	}
	*ids = (struct identities){ .facts = facts,
				    .done = done,
				    .ctx = ctx,
				    .files = json_array(),
				    .certificates = json_array() };
	if (facts_state(facts, FACT_SSH_CONFIG, NULL) == FACT_KNOWN)
		ids->options = doc_get(facts_section(facts, FACT_SSH_CONFIG), "options");
	names_set(ids);
	mounts_read(&ids->mounts);
	if ((ids->keys = json_object_get(machine, "keys")) == NULL) {
		ids->keys = json_object();
		json_object_set_new(machine, "keys", ids->keys);
	}
	if (identity != NULL)
		ids->explicit = identity_path(identity, &ids->names);
	ids->only = doc_is(ids->options, "identitiesonly", "yes");
	add_files(ids, identity);
	ids->socket = agent_socket(ids);
	agent_collect(loop, facts, ids->socket, agent_settled, ids);
}
