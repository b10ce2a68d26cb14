#include "model/vm.h"
#include "ssh/probe/wire_keys.h"

#include <stdlib.h>
#include <string.h>

enum { PUBLIC_BLOB_MAX = 16384 };

/* OpenSSH takes RSA keys only under the name of a SHA-2 signature (7.2 and later know it); libssh2
 * takes the name of the method from the blob's first string, and OpenSSH maps it back to the key
 * type. */
static void
rename_rsa(struct buffer *blob)
{
	struct bytes rest = buffer_bytes(blob), type;
	struct buffer renamed = { 0 };

	bytes_string(&rest, &type);
	buffer_string(&renamed,
		      bytes_of(bytes_is(type, "ssh-rsa") ? "rsa-sha2-512"
							 : "rsa-sha2-512-cert-v01@openssh.com"));
	buffer_add(&renamed, rest.at, rest.len);
	buffer_free(blob);
	*blob = renamed;
}

static void
key_add(struct wire *wire, const json_t *identity)
{
	struct wire_key key = { .identity = identity, .certain = true };
	const struct bytes public = bytes_of(doc_str(identity, "public"));
	bool rsa, openssh = strcmp(wire->product, "openssh") == 0;
	struct bytes rest, type;

	if (wire->key_count == WIRE_QUERIES || public.len > PUBLIC_BLOB_MAX ||
	    base64_decode(public, 0, &key.blob) < 0)
		return;
	rest = buffer_bytes(&key.blob);
	if (bytes_string(&rest, &type) < 0 || type.len == 0 || rest.len == 0) {
		buffer_free(&key.blob);
		return;
	}
	rsa = bytes_is(type, "ssh-rsa") || bytes_is(type, "ssh-rsa-cert-v01@openssh.com");
	if (rsa && openssh && (wire->openssh == 0 || wire->openssh >= 702))
		rename_rsa(&key.blob);
	key.certain = !rsa || openssh || strcmp(wire->product, "dropbear") == 0;
	wire->keys[wire->key_count++] = key;
}

/* true when a key of the same fingerprint is on the list already (a file whose key the agent holds
 * as well). */
static bool
key_listed(const struct wire *wire, const json_t *identity)
{
	for (size_t i = 0; i < wire->key_count; i++)
		if (doc_str(identity, "public") != NULL &&
		    doc_is(wire->keys[i].identity, "public", doc_str(identity, "public")))
			return true;
	return false;
}

static bool
given_to_vm(const struct wire *wire, const char *fingerprint)
{
	struct vm vm;

	return fingerprint != NULL && vm_from_facts(wire->facts, &vm, NULL) == 0 &&
	       vm_has_key(&vm, fingerprint) == FACT_YES;
}

/* How likely it is that this identity is the one meant: named by -i, given to the VM, named in
 * ssh_config, ready for use, any other. */
static int
likelihood(const struct wire *wire, const json_t *identity, const char *explicit)
{
	if (doc_is(identity, "from", "option") ||
	    (explicit != NULL &&
	     (doc_is(identity, "path", explicit) || doc_is(identity, "key", explicit))))
		return 0;
	if (given_to_vm(wire, doc_str(identity, "fingerprint")))
		return 1;
	if (doc_is(identity, "from", "config"))
		return 2;
	return doc_bool(identity, "usable", false) ? 3 : 4;
}

void
wire_keys_pick(struct wire *wire)
{
	const json_t *identities = facts_section(wire->facts, FACT_IDENTITIES),
		     *order = doc_list(identities, "order"), *each;
	const char *explicit = doc_str(identities, "explicit");
	size_t i;

	if (wire->key_count > 0 || facts_state(wire->facts, FACT_IDENTITIES, NULL) != FACT_KNOWN)
		return;
	for (int rank = 0; rank <= 4; rank++)
		json_array_foreach (order, i, each)
			if (likelihood(wire, each, explicit) == rank && !key_listed(wire, each))
				key_add(wire, each);
}

bool
wire_key_ready(const struct wire_key *key)
{
	return doc_bool(key->identity, "agent", false) ||
	       (doc_bool(key->identity, "usable", false) &&
		!doc_is(key->identity, "encrypted", "yes"));
}

void
wire_keys_free(struct wire *wire)
{
	for (size_t i = 0; i < wire->key_count; i++)
		buffer_free(&wire->keys[i].blob);
	wire->key_count = 0;
}

void
wire_auth_settle(struct wire *wire, const char *by)
{
	json_t *auth = facts_known(wire->facts, FACT_AUTH), *queries = json_array(), *query;

	wire->have.auth = true;
	doc_set_str(auth, "user", wire->user);
	json_object_set(auth, "methods", wire->methods);
	for (size_t i = 0; i < wire->key_count; i++) {
		const struct wire_key *key = &wire->keys[i];

		if (key->answer == NULL)
			continue;
		query = json_object();
		doc_set_str(query, "fingerprint", doc_str(key->identity, "fingerprint"));
		doc_set_str(query, "type", doc_str(key->identity, "type"));
		doc_set_str(query, "path", doc_str(key->identity, "path"));
		if (doc_bool(key->identity, "agent", false))
			doc_set_bool(query, "agent", true);
		doc_set_str(query, "answer", key->answer);
		json_array_append_new(queries, query);
		if (strcmp(key->answer, "accepted") == 0 &&
		    (doc_str(auth, "accepted") == NULL || wire_key_ready(key)))
			doc_set_str(auth, "accepted", doc_str(key->identity, "fingerprint"));
	}
	json_object_set_new(auth, "queries", queries);
	doc_set_str(auth, "text", wire->disconnect_text);
	doc_set_str(auth, "banner", wire->auth_banner);
	doc_set_str(auth, "by", by);
}
