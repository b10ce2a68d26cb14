#include "model/known_hosts.h"
#include "ssh/probe/wire_client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What an ssh of these years offers, for machines that have none: never shown, only used to choose
 * what to ask for. */
static const char default_host_keys[] = "ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-"
					"sha2-nistp521,rsa-sha2-512,rsa-sha2-256";

/* A list as one string of names: ssh -G's value, else `ssh -Q`'s array; NULL when neither is known.
 * The caller frees. */
static char *
client_list(const struct facts *facts, const char *option, const char *query)
{
	const char *value = doc_str(facts_section(facts, FACT_SSH_CONFIG), option);
	const json_t *names = doc_list(facts_section(facts, FACT_CLIENT), query), *name;
	struct buffer joined = { 0 };
	size_t i;

	if (value != NULL)
		return strdup(value);
	if (json_array_size(names) == 0)
		return NULL;
	json_array_foreach (names, i, name) {
		if (i > 0)
			buffer_u8(&joined, ',');
		buffer_add(&joined, json_string_value(name), json_string_length(name));
	}
	buffer_u8(&joined, '\0');
	return (char *)joined.at;
}

/* The host key algorithms in the order in which ssh sends them; the caller frees. */
static char *
host_keys_ordered(const struct facts *facts, const char *list)
{
	struct fact_known_hosts known;
	char *order;

	if (FACTS_GET(facts, ssh_config, host_key_algorithms_fixed))
		return strdup(list);
	FACTS_READ(facts, known_hosts, &known);
	order = known_hosts_order(&known, list);
	fact_free(shape_of_known_hosts(), &known);
	return order;
}

void
wire_client_lists(struct wire *wire)
{
	char *host_keys =
	    client_list(wire->facts, "options.hostkeyalgorithms", "host_key_algorithms");

	wire->client_kex = client_list(wire->facts, "options.kexalgorithms", "kex");
	wire->client_cipher = client_list(wire->facts, "options.ciphers", "ciphers");
	wire->client_mac = client_list(wire->facts, "options.macs", "macs");
	wire->offer_known = wire->client_kex != NULL && wire->client_cipher != NULL &&
			    wire->client_mac != NULL && host_keys != NULL;
	wire->client_host_key =
	    host_keys_ordered(wire->facts, host_keys != NULL ? host_keys : default_host_keys);
	free(host_keys);
	wire->offer = (struct offer){ bytes_of(wire->client_kex), bytes_of(wire->client_host_key),
				      bytes_of(wire->client_cipher), bytes_of(wire->client_mac) };
}

/* true when known_hosts holds the key that the server has shown. */
static bool
key_on_file(const struct facts *facts)
{
	const json_t *entries = doc_list(facts_section(facts, FACT_KNOWN_HOSTS), "entries"), *entry;
	const char *live = doc_str(
	    json_array_get(doc_list(facts_section(facts, FACT_HOST_KEY), "keys"), 0), "public");
	size_t i;

	json_array_foreach (entries, i, entry)
		if (live != NULL && doc_str(entry, "public") != NULL &&
		    strcmp(live, doc_str(entry, "public")) == 0)
			return true;
	return false;
}

/* true when known_hosts trusts an authority for this host. */
static bool
has_authority(const struct facts *facts)
{
	const json_t *entries = doc_list(facts_section(facts, FACT_KNOWN_HOSTS), "entries"), *entry;
	size_t i;

	json_array_foreach (entries, i, entry)
		if (doc_is(entry, "marker", "cert-authority"))
			return true;
	return false;
}

static bool
type_known(const struct facts *facts, struct bytes type)
{
	const json_t *entries = doc_list(facts_section(facts, FACT_KNOWN_HOSTS), "entries"), *entry;
	size_t i;

	json_array_foreach (entries, i, entry)
		if (doc_str(entry, "marker") == NULL && doc_str(entry, "type") != NULL &&
		    bytes_is(type, doc_str(entry, "type")))
			return true;
	return false;
}

struct bytes
wire_host_key_wanted(const struct wire *wire)
{
	struct bytes chosen = wire->agreed.host_key, plain = host_key_plain(chosen),
		     offered = wire->lists.list[KEXINIT_HOST_KEY];

	if (chosen.len == 0)
		return names_common(exchange_host_keys(), offered);
	return plain.len != chosen.len && !has_authority(wire->facts) && names_have(offered, plain)
		   ? plain
		   : chosen;
}

struct bytes
wire_host_key_another(const struct wire *wire)
{
	const json_t *first =
	    json_array_get(doc_list(facts_section(wire->facts, FACT_HOST_KEY), "keys"), 0);
	const char *shown = doc_str(first, "type");
	struct bytes all = exchange_host_keys(), name;

	if (shown == NULL || doc_get(first, "certificate") != NULL || key_on_file(wire->facts))
		return (struct bytes){ NULL, 0 };
	while (names_next(&all, &name))
		if (!bytes_is(host_key_type(name), shown) &&
		    type_known(wire->facts, host_key_type(name)) &&
		    names_have(wire->lists.list[KEXINIT_HOST_KEY], name))
			return name;
	return (struct bytes){ NULL, 0 };
}
