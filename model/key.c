#include "model/key.h"
#include "model/pubkey.h"
#include "model/vm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool
same(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

static enum key_answer
answer(const json_t *obj, const char *path)
{
	if (doc_get(obj, path) == NULL)
		return KEY_CANNOT_TELL;
	return doc_bool(obj, path, false) ? KEY_YES : KEY_NO;
}

int
key_from_facts(const struct facts *facts, const char *path, struct key *ret)
{
	const json_t *key =
	    path == NULL ? NULL : json_object_get(doc_get(facts->doc, "machine.keys"), path);
	const char *mode = doc_str(key, "mode");

	if (key == NULL)
		return -ENOENT;
	*ret = (struct key){ .facts = key,
			     .path = path,
			     .present = doc_bool(key, "present", false),
			     .readable = doc_bool(key, "readable", false),
			     .owned = doc_bool(key, "owned", false),
			     .acl = doc_bool(key, "acl", false),
			     .searchable = doc_bool(key, "parent_searchable", true),
			     .drive = doc_bool(key, "mount.drvfs", false) &&
				      !doc_bool(key, "mount.metadata", false),
			     .mode = mode != NULL ? (unsigned)strtoul(mode, NULL, 8) : 0,
			     .owner = doc_str(key, "owner"),
			     .error = doc_str(key, "errno"),
			     .what = doc_str(key, "what"),
			     .kind = doc_str(key, "kind"),
			     .format = doc_str(key, "format"),
			     .type = doc_str(key, "type"),
			     .defect = doc_str(key, "defect"),
			     .azure = doc_str(key, "azure"),
			     .fingerprint = doc_str(key, "fingerprint"),
			     .public = doc_str(key, "public"),
			     .bits = (unsigned)doc_int(key, "bits", 0),
			     .encrypted = doc_is(key, "encrypted", "yes"),
			     .loads = answer(key, "loads"),
			     .pub_matches = answer(key, "pub.matches"),
			     .pub_path = doc_str(key, "pub.path") };
	return 0;
}

bool
key_is_open(const struct key *key)
{
	return key->present && key->owned && (key->mode & 077) != 0;
}

bool
key_is_gone(const struct key *key)
{
	return !key->present && (key->error == NULL || same(key->error, "ENOENT") ||
				 same(key->error, "ENOTDIR") || same(key->error, "ENAMETOOLONG"));
}

const json_t *
key_entry(const struct facts *facts, const char *path)
{
	const json_t *order = doc_list(facts_section(facts, FACT_IDENTITIES), "order"), *entry;
	size_t i;

	json_array_foreach (order, i, entry)
		if (same(doc_str(entry, "path"), path) && !doc_is(entry, "from", "certificate"))
			return entry;
	return NULL;
}

bool
key_in_agent(const struct facts *facts, const struct key *key)
{
	const json_t *entry, *order = doc_list(facts_section(facts, FACT_IDENTITIES), "order");
	size_t i;

	if (doc_bool(key_entry(facts, key->path), "agent", false))
		return true;
	json_array_foreach (order, i, entry)
		if (doc_bool(entry, "agent", false) &&
		    same(doc_str(entry, "fingerprint"), key->fingerprint))
			return true;
	return false;
}

/* The fingerprint under which ssh offers a file: its .pub's where the file itself is locked. */
static const char *
fingerprint_of(const struct key *key)
{
	return key->fingerprint != NULL ? key->fingerprint : doc_str(key->facts, "pub.fingerprint");
}

/* The first file of the order that `wanted` approves of; NULL approves of every file that is there.
 */
static int
first_file(const struct facts *facts,
	   bool (*wanted)(const struct facts *facts, const struct key *key), struct key *ret)
{
	const json_t *order = doc_list(facts_section(facts, FACT_IDENTITIES), "order"), *entry;
	size_t i;

	json_array_foreach (order, i, entry)
		if (!doc_is(entry, "from", "certificate") &&
		    key_from_facts(facts, doc_str(entry, "path"), ret) == 0 &&
		    (wanted != NULL ? wanted(facts, ret) : ret->present))
			return 0;
	return -ENOENT;
}

static bool
is_accepted(const struct facts *facts, const struct key *key)
{
	return same(doc_str(facts_section(facts, FACT_AUTH), "accepted"), fingerprint_of(key));
}

static bool
is_on_vm(const struct facts *facts, const struct key *key)
{
	return key_on_vm(facts, fingerprint_of(key)) == KEY_YES;
}

static bool
is_refused(const struct facts *facts, const json_t *entry)
{
	return same(key_server_says(facts, doc_str(entry, "fingerprint")), "denied");
}

/* Named in ssh_config, there, and not refused: where the server refused others, this is the one
 * that may yet do. */
static bool
is_named(const struct facts *facts, const struct key *key)
{
	const json_t *entry = key_entry(facts, key->path);

	return key->present && doc_is(entry, "from", "config") && !is_refused(facts, entry);
}

int
key_that_matters(const struct facts *facts, struct key *ret)
{
	const char *explicit = doc_str(facts_section(facts, FACT_IDENTITIES), "explicit");

	if (explicit != NULL)
		return key_from_facts(facts, explicit, ret);
	if (first_file(facts, is_accepted, ret) == 0 || first_file(facts, is_on_vm, ret) == 0 ||
	    first_file(facts, is_named, ret) == 0)
		return 0;
	return first_file(facts, NULL, ret);
}

/* keyData is one line, or RFC 4716, with whatever line ends it was sent with. */
static bool
data_is(const char *data, const char *fingerprint)
{
	struct pubkey pub = { 0 };
	char text[FINGERPRINT_SIZE];
	const char *own = NULL;
	bool is;

	if (data != NULL && pubkey_from_text(data, strlen(data), &pub) == 0)
		own = pubkey_fingerprint(buffer_bytes(&pub.blob), text);
	is = same(own, fingerprint);
	pubkey_free(&pub);
	return is;
}

enum key_answer
key_on_vm(const struct facts *facts, const char *fingerprint)
{
	const json_t *each;
	struct vm vm;
	size_t i;

	if (fingerprint == NULL || vm_from_facts(facts, &vm, NULL) < 0 ||
	    json_array_size(vm.keys) == 0)
		return KEY_CANNOT_TELL;
	json_array_foreach (vm.keys, i, each)
		if (data_is(doc_str(each, "keyData"), fingerprint))
			return KEY_YES;
	return KEY_NO;
}

const char *
key_server_says(const struct facts *facts, const char *fingerprint)
{
	const json_t *auth = facts_section(facts, FACT_AUTH), *query;
	const char *said;
	size_t i;

	if (facts_state(facts, FACT_AUTH, NULL) != FACT_KNOWN || fingerprint == NULL)
		return NULL;
	if (same(doc_str(auth, "accepted"), fingerprint))
		return "accepted";
	json_array_foreach (doc_list(auth, "queries"), i, query)
		if (same(doc_str(query, "fingerprint"), fingerprint) &&
		    (said = doc_str(query, "answer")) != NULL && !same(said, "unknown"))
			return said;
	return NULL;
}

bool
key_any_accepted(const struct facts *facts)
{
	return doc_str(facts_section(facts, FACT_AUTH), "accepted") != NULL;
}

/* true when the comma list has the word. */
static bool
listed(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = list; (at = strstr(at, word)) != NULL; at += len)
		if ((at == list || at[-1] == ',') && (at[len] == ',' || at[len] == '\0'))
			return true;
	return false;
}

bool
key_type_accepted(const struct facts *facts, const char *type)
{
	static const char *const rsa[] = { "ssh-rsa", "rsa-sha2-256", "rsa-sha2-512", NULL };
	const json_t *config = facts_section(facts, FACT_SSH_CONFIG);
	const char *list = doc_str(config, "options.pubkeyacceptedalgorithms");

	list = list != NULL ? list : doc_str(config, "options.pubkeyacceptedkeytypes");
	if (list == NULL || type == NULL ||
	    (strncmp(type, "ssh-", 4) != 0 && strncmp(type, "ecdsa-sha2-", 11) != 0 &&
	     strncmp(type, "sk-", 3) != 0))
		return true;
	for (size_t i = 0; strcmp(type, "ssh-rsa") == 0 && rsa[i] != NULL; i++)
		if (listed(list, rsa[i]))
			return true;
	return listed(list, type);
}

bool
key_allowed(const struct facts *facts, const char *type, unsigned bits)
{
	const char *least =
	    doc_str(facts_section(facts, FACT_SSH_CONFIG), "options.requiredrsasize");

	return key_type_accepted(facts, type) && (least == NULL || !same(type, "ssh-rsa") ||
						  bits == 0 || bits >= strtoul(least, NULL, 10));
}

bool
key_entry_allowed(const struct facts *facts, const json_t *entry)
{
	return key_allowed(facts, doc_str(entry, "type"), (unsigned)doc_int(entry, "bits", 0));
}

/* true when ssh could sign with it at once, without a passphrase. */
static bool
is_ready(const struct facts *facts, const json_t *entry)
{
	if (!key_entry_allowed(facts, entry))
		return false;
	return doc_bool(entry, "agent", false) ||
	       (doc_bool(entry, "usable", false) && !doc_is(entry, "encrypted", "yes"));
}

bool
key_elsewhere(const struct facts *facts, const char *fingerprint, const char *path)
{
	const json_t *order = doc_list(facts_section(facts, FACT_IDENTITIES), "order"), *entry;
	size_t i;

	json_array_foreach (order, i, entry)
		if (is_ready(facts, entry) && same(doc_str(entry, "fingerprint"), fingerprint) &&
		    (doc_bool(entry, "agent", false) || !same(doc_str(entry, "path"), path)))
			return true;
	return false;
}

bool
key_left_unasked(const struct facts *facts, const char *path)
{
	const json_t *order = doc_list(facts_section(facts, FACT_IDENTITIES), "order"), *entry;
	size_t i;

	json_array_foreach (order, i, entry)
		if (is_ready(facts, entry) && !same(doc_str(entry, "path"), path) &&
		    key_server_says(facts, doc_str(entry, "fingerprint")) == NULL)
			return true;
	return false;
}

bool
key_denied_beside(const struct facts *facts, const char *path)
{
	const json_t *order = doc_list(facts_section(facts, FACT_IDENTITIES), "order"), *entry;
	size_t i;

	json_array_foreach (order, i, entry)
		if (is_ready(facts, entry) && !same(doc_str(entry, "path"), path) &&
		    is_refused(facts, entry))
			return true;
	return false;
}
