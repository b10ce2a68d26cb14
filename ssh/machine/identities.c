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
	json_int_t port = FACT_GET(config, ssh_config, port),
		   number = FACTS_GET(ids->facts, client, number);
	const struct passwd *pw = getpwuid(getuid());

	if (gethostname(ids->local_host, sizeof(ids->local_host) - 1) < 0)
		ids->local_host[0] = '\0';
	ids->names = (struct identity_names){ .home = pw != NULL ? pw->pw_dir : getenv("HOME"),
					      .local_user = pw != NULL ? pw->pw_name : NULL,
					      .name = FACT_GET(config, ssh_config, name),
					      .hostname = FACT_GET(config, ssh_config, hostname),
					      .alias = FACT_GET(config, ssh_config, host_key_alias),
					      .user = FACT_GET(config, ssh_config, user),
					      .port = port != 0 ? (int)port : 22,
					      .uid = getuid(),
					      .local_host = ids->local_host };
	if (number >= 906)
		ids->names.jump = FACT_GET(config, ssh_config, proxyjump);
}

static json_t *
key_of(struct identities *ids, const char *path)
{
	json_t *key = json_object_get(ids->keys, path);
	const char *unread;

	if (key == NULL) {
		key = key_file_facts(path, &ids->mounts);
		unread = FACT_GET(key, key, unread);
		if (unread != NULL && ids->unread == NULL)
			ids->unread = doc_fmt("%s could not be read: %s", path, unread);
		json_object_set_new(ids->keys, path, key);
	} else if (FACT_GET(key, key, stray)) {
		FACT_PUT(key, key, stray, false);
	}
	return key;
}

/* Would ssh be able to sign with this file (perhaps after asking for its passphrase)? Ed25519 in
 * PKCS#8 takes OpenSSH 9.6. */
static bool
is_usable(const struct identities *ids, const struct fact_key *key)
{
	bool new_pem = FACTS_GET(ids->facts, client, number) >= 906;

	if (!key->readable || key->loads == FACT_NO || key->kind != KEY_PRIVATE)
		return false;
	if (key->loads == FACT_MAYBE && doc_same(key->type, "ssh-ed25519") && !new_pem)
		return false;
	return !key->owned || key->mode == NULL || (strtoul(key->mode, NULL, 8) & 077) == 0;
}

/* Does ssh know the public half before it has loaded the private one? From FILE.pub, or from its
 * own container; never from PEM. Only then is the key offered, and found again among the agent's.
 */
static bool
is_offered(const struct fact_key *key)
{
	if (key->pub != NULL || key->kind == KEY_PUBLIC || key->kind == KEY_CERT)
		return true;
	return doc_same(key->format, "openssh-key-v1") && key->loads != FACT_NO;
}

/* What ssh knows of a file's public half: FILE.pub goes before what the file itself says. */
static json_t *
entry_of_file(const struct identities *ids, const char *path, enum identity_origin from,
	      const struct fact_key *key)
{
	const struct fact_key_pub *pub = key->kind != KEY_PUBLIC ? key->pub : NULL;
	bool other = pub != NULL && pub->matches == FACT_NO;

	return FACT_OBJECT(identity, .path = path, .from = from,
			   .fingerprint = pub != NULL ? pub->fingerprint : key->fingerprint,
			   .type = pub != NULL ? pub->type : key->type,
			   .public = pub != NULL ? pub->public : key->public,
			   .bits = pub != NULL ? pub->bits : key->bits, .encrypted = key->encrypted,
			   .present = key->present, .offered = is_offered(key) ? FACT_YES : FACT_NO,
			   .usable = is_usable(ids, key) && !other);
}

/* The file that holds the key, NULL when it is not known. */
static json_t *
entry_of_cert(const struct identities *ids, const char *path, const struct fact_key *key)
{
	struct pubkey pub;
	struct certificate cert;
	struct bytes algorithm;
	json_t *entry;
	char text[FINGERPRINT_SIZE];

	if (key_file_public(path, &pub) < 0)
		return NULL;
	if (!pub.cert) {
		pubkey_free(&pub);
		return NULL;
	}
	entry = FACT_OBJECT(
	    identity, .path = path, .key = key != NULL ? key->path : NULL,
	    .from = IDENTITY_CERTIFICATE, .type = pub.cert_type,
	    .fingerprint = pubkey_fingerprint(buffer_bytes(&pub.blob), text),
	    .valid_after = pub.valid_after <= INT64_MAX ? (json_int_t)pub.valid_after : 0,
	    .valid_before = pub.valid_before <= INT64_MAX ? (json_int_t)pub.valid_before : 0,
	    .encrypted = key != NULL ? key->encrypted : UNTOLD, .present = true,
	    .offered = FACT_YES, .usable = key != NULL && is_usable(ids, key));
	FACT_PUT_BASE64(entry, identity, public, buffer_bytes(&pub.cert_blob));
	if (certificate_read(buffer_bytes(&pub.cert_blob), &cert) == 0) {
		if (bytes_string(&cert.signature, &algorithm) == 0)
			FACT_PUT_BYTES(entry, identity, signature, algorithm.at, algorithm.len);
		pubkey_free(&cert.key);
	}
	pubkey_free(&pub);
	return entry;
}

static bool
listed(const json_t *entries, const char *path)
{
	const json_t *entry;
	const char *own;
	size_t i;

	json_array_foreach (entries, i, entry)
		if ((own = FACT_GET(entry, identity, path)) != NULL && strcmp(own, path) == 0)
			return true;
	return false;
}

/* A file that ssh looks at, and its certificate. */
static void
add_path(struct identities *ids, const char *path, enum identity_origin from)
{
	struct fact_key key;
	json_t *entry;

	if (listed(ids->files, path) || json_array_size(ids->files) >= FILES_MAX)
		return;
	if (ids->explicit != NULL && strcmp(path, ids->explicit) == 0)
		from = IDENTITY_OPTION;
	fact_read(key_of(ids, path), shape_of_key(), &key);
	if (key.present || from != IDENTITY_DEFAULT || key.pub != NULL ||
	    !doc_same(key.errno_, "ENOENT"))
		json_array_append_new(ids->files, entry_of_file(ids, path, from, &key));
	if (FACT_JSON(ids->options, ssh_options, certificatefile) == NULL && key.cert != NULL &&
	    (entry = entry_of_cert(ids, key.cert->path, &key)) != NULL)
		json_array_append_new(ids->files, entry);
	fact_free(shape_of_key(), &key);
}

static void
add_file(struct identities *ids, const char *raw, enum identity_origin from)
{
	char *path = identity_path(raw, &ids->names);

	if (path != NULL && ids->unread == NULL)
		add_path(ids, path, from);
	else if (path == NULL)
		json_array_append_new(ids->files, FACT_OBJECT(identity, .path = raw, .from = from,
							      .problem = "not-expanded"));
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
	const json_t *list = FACT_JSON(ids->options, ssh_options, identityfile), *each;
	bool defaults = list == NULL || are_defaults(list);
	size_t i;

	if (identity != NULL)
		add_file(ids, identity, IDENTITY_OPTION);
	json_array_foreach (list, i, each)
		if (is_set(json_string_value(each)))
			add_file(ids, json_string_value(each),
				 defaults && is_default(json_string_value(each)) ? IDENTITY_DEFAULT
										 : IDENTITY_CONFIG);
	for (i = 0; list == NULL && i < DEFAULTS &&
		    (identity == NULL ||
		     !FACT_GET(json_object_get(ids->keys, ids->explicit), key, present));
	     i++)
		add_file(ids, default_files[i], IDENTITY_DEFAULT);
	json_array_foreach (FACT_JSON(ids->options, ssh_options, certificatefile), i, each) {
		char *path = identity_path(json_string_value(each), &ids->names);
		json_t *entry = path == NULL ? NULL : entry_of_cert(ids, path, NULL);

		if (entry != NULL)
			json_array_append_new(ids->certificates, entry);
		free(path);
	}
}

/* ---- the order ---- */

static json_t *
entry_of_agent(const struct fact_agent_key *key)
{
	return FACT_OBJECT(identity, .agent = true, .from = IDENTITY_AGENT,
			   .fingerprint = key->fingerprint, .type = key->type,
			   .public = key->public, .comment = key->comment, .bits = key->bits,
			   .present = true, .offered = FACT_YES, .usable = true);
}

/* Takes the first offered entry with this public key out of the list; the caller owns it. */
static json_t *
take_same(json_t *entries, const char *public)
{
	json_t *entry;
	size_t i;

	json_array_foreach (entries, i, entry)
		if (FACT_GET(entry, identity, offered) == FACT_YES &&
		    doc_same(FACT_GET(entry, identity, public), public)) {
			json_incref(entry);
			json_array_remove(entries, i);
			return entry;
		}
	return NULL;
}

/* A certificate signs with the plain key, on disk or in the agent. */
static void
mark_signing(json_t *certificates, const json_t *files, const struct fact_agent *agent)
{
	const json_t *other;
	json_t *cert;
	size_t i, j;

	json_array_foreach (certificates, i, cert) {
		const char *own = FACT_GET(cert, identity, fingerprint);

		if (FACT_GET(cert, identity, from) != IDENTITY_CERTIFICATE)
			continue;
		for (j = 0; j < agent->keys_count; j++)
			if (doc_same(agent->keys[j].fingerprint, own)) {
				FACT_PUT(cert, identity, agent, true);
				FACT_PUT(cert, identity, usable, true);
			}
		json_array_foreach (files, j, other)
			if (doc_same(FACT_GET(other, identity, fingerprint), own) &&
			    FACT_GET(other, identity, usable))
				FACT_PUT(cert, identity, usable, true);
	}
}

static json_t *
order_make(struct identities *ids, const struct fact_agent *agent)
{
	json_t *order = json_array(), *rest = json_array(), *entry;

	mark_signing(ids->certificates, ids->files, agent);
	mark_signing(ids->files, ids->files, agent);
	json_array_extend(order, ids->certificates);
	for (size_t i = 0; i < agent->keys_count; i++) {
		if ((entry = take_same(ids->files, agent->keys[i].public)) != NULL) {
			FACT_PUT(entry, identity, agent, true);
			FACT_PUT(entry, identity, usable, true);
			FACT_PUT(entry, identity, comment, agent->keys[i].comment);
			json_array_append_new(order, entry);
		} else if (!ids->only) {
			json_array_append_new(rest, entry_of_agent(&agent->keys[i]));
		}
	}
	json_array_extend(order, rest);
	json_array_extend(order, ids->files);
	json_decref(rest);
	return order;
}

/* The keys that blocks of ssh_config name which do not count for this host. */
static void
add_unused(struct identities *ids, json_t *stray)
{
	struct fact_ssh_config config;

	fact_read(facts_section(ids->facts, FACT_SSH_CONFIG), shape_of_ssh_config(), &config);
	for (size_t i = 0; i < config.unused_count; i++)
		for (size_t j = 0; j < config.unused[i].settings_count; j++) {
			const struct fact_config_line *line = &config.unused[i].settings[j];
			char *path = doc_same(line->keyword, "identityfile") && is_set(line->value)
					 ? identity_path(line->value, &ids->names)
					 : NULL;

			if (path != NULL && json_object_get(ids->keys, path) == NULL) {
				FACT_PUT(key_of(ids, path), key, stray, true);
				doc_append_str(stray, path);
			}
			free(path);
		}
	fact_free(shape_of_ssh_config(), &config);
}

static void
settle_known(struct identities *ids)
{
	json_t *machine = facts_machine(ids->facts), *section, *order, *stray = json_array();
	const char *provider = FACT_GET(ids->options, ssh_options, pkcs11provider);
	struct fact_agent agent;

	FACTS_READ(ids->facts, agent, &agent);
	order = order_make(ids, &agent);
	fact_free(shape_of_agent(), &agent);
	if (!FACT_GET(facts_asked(ids->facts), asked, key_only))
		identity_stray(ids->names.home, &ids->mounts, ids->keys, stray);
	add_unused(ids, stray);
	section = facts_known(ids->facts, FACT_IDENTITIES);
	FACT_PUT_JSON(section, identities, order, order);
	FACT_PUT_JSON(section, identities, stray, stray);
	FACT_PUT(section, identities, identities_only, ids->only);
	FACT_PUT(section, identities, explicit, ids->explicit);
	FACT_PUT(section, identities, pkcs11, is_set(provider) ? provider : NULL);
	FACT_PUT(machine, machine, wsl, mounts_wsl(&ids->mounts));
	if (mounts_wsl(&ids->mounts))
		FACT_PUT_JSON(machine, machine, drvfs, mounts_drives(&ids->mounts));
}

/* A key of which nothing is known would read as one that is not there. */
static void
settle_unread(struct identities *ids)
{
	json_t *key;
	const char *path;
	void *next;

	json_object_foreach_safe (ids->keys, next, path, key)
		if (FACT_GET(key, key, unread) != NULL)
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
	const char *agent = FACT_GET(ids->options, ssh_options, identityagent), *value;

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
	json_t *machine = facts_machine(facts);

	*ids = (struct identities){ .facts = facts,
				    .done = done,
				    .ctx = ctx,
				    .files = json_array(),
				    .certificates = json_array() };
	if (facts_state(facts, FACT_SSH_CONFIG, NULL) == FACT_KNOWN)
		ids->options =
		    FACT_JSON(facts_section(facts, FACT_SSH_CONFIG), ssh_config, options);
	names_set(ids);
	mounts_read(&ids->mounts);
	if ((ids->keys = FACT_JSON(machine, machine, keys)) == NULL) {
		ids->keys = json_object();
		FACT_PUT_JSON(machine, machine, keys, ids->keys);
	}
	if (identity != NULL)
		ids->explicit = identity_path(identity, &ids->names);
	ids->only = doc_same(FACT_GET(ids->options, ssh_options, identitiesonly), "yes");
	add_files(ids, identity);
	ids->socket = agent_socket(ids);
	agent_collect(loop, facts, ids->socket, agent_settled, ids);
}
