#include "ssh/probe/wire_client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static json_t *
key_facts(struct bytes blob)
{
	struct bytes rest = blob, type = { NULL, 0 };
	json_t *key = json_object();

	bytes_string(&rest, &type);
	doc_set_strn(key, "type", type.at, type.len);
	pubkey_facts(key, blob, blob);
	return key;
}

/* Seconds since 1970; "for ever" does not fit a signed number. */
static void
set_time(json_t *obj, const char *key, uint64_t at)
{
	doc_set_int(obj, key, at < INT64_MAX ? (json_int_t)at : INT64_MAX);
}

static json_t *
certificate_facts(struct bytes blob, const struct certificate *cert)
{
	struct bytes rest = blob, type = { NULL, 0 }, list = cert->principals, name,
		     signature = cert->signature, algorithm = { NULL, 0 };
	json_t *facts = json_object(), *principals = json_array();
	int r = certificate_verify(cert);

	bytes_string(&rest, &type);
	bytes_string(&signature, &algorithm);
	doc_set_strn(facts, "type", type.at, type.len);
	doc_set_strn(facts, "id", cert->id.at, cert->id.len);
	doc_set_bool(facts, "host", cert->kind == CERTIFICATE_HOST);
	while (list.len > 0 && bytes_string(&list, &name) == 0)
		json_array_append_new(principals, doc_text(name.at, name.len));
	json_object_set_new(facts, "principals", principals);
	set_time(facts, "valid_after", cert->valid_after);
	set_time(facts, "valid_before", cert->valid_before);
	doc_set_bool(facts, "critical", cert->critical.len > 0);
	json_object_set_new(facts, "authority", key_facts(cert->authority));
	doc_set_strn(facts, "algorithm", algorithm.at, algorithm.len);
	if (r != -ENOTSUP && r != -ENOMEM)
		doc_set_bool(facts, "signed", r == 0);
	return facts;
}

void
wire_host_key_add(struct wire *wire, struct bytes blob)
{
	json_t *section = facts_section(wire->facts, FACT_HOST_KEY),
	       *keys = doc_list(section, "keys"), *key;
	struct certificate cert = { .serial = 0 };
	bool certified = certificate_read(blob, &cert) == 0;

	wire->have.host_key = true;
	if (keys == NULL) {
		section = facts_known(wire->facts, FACT_HOST_KEY);
		json_object_set_new(section, "keys", json_array());
		keys = doc_list(section, "keys");
	}
	key = key_facts(certified ? buffer_bytes(&cert.key.blob) : blob);
	if (certified)
		json_object_set_new(key, "certificate", certificate_facts(blob, &cert));
	json_array_append_new(keys, key);
	pubkey_free(&cert.key);
}
