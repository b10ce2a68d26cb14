/* The address that was asked for, when it is none of those that were read: what has it may lie in
 * any subscription. */
#include "azure/read/rows.h"
#include "azure/read/search.h"
#include "facts/arm.h"
#include "model/address.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static bool
has_address(const json_t *body, const char *address)
{
	const json_t *config;
	size_t i;

	if (doc_is(body, "properties.ipAddress", address))
		return true;
	json_array_foreach (doc_list(body, "properties.ipConfigurations"), i, config)
		if (doc_is(config, "properties.privateIPAddress", address))
			return true;
	return false;
}

static bool
is_read(const struct vm_reader *reader, const char *address)
{
	const json_t *body;
	const char *id;

	for (void *at = NULL; (id = reader_seen(reader, "/", &at)) != NULL;) {
		facts_resource(&reader->facts, id, &body, NULL);
		if (has_address(body, address))
			return true;
	}
	return false;
}

/* A name that leads nowhere is known: there is nothing to look for but the name itself, which was
 * compared. What is none of the Internet's has no public IP. */
static bool
needs_no_search(void *ctx, const json_t *addresses)
{
	struct vm_reader *reader = ctx;
	const json_t *address;
	size_t i;
	bool known = true;

	json_array_foreach (addresses, i, address) {
		if (is_read(reader, json_string_value(address)))
			return true;
		known = known && !ip_text_is(json_string_value(address), IP_PUBLIC);
	}
	reader->elsewhere = json_array_size(addresses) > 0;
	return known;
}

/* What has rules of its own by which packets may come to the VM. */
static bool
forwards(const char *id)
{
	return strcasestr(id, "/loadBalancers/") != NULL ||
	       strcasestr(id, "/azureFirewalls/") != NULL;
}

static void
owner_searched(void *ctx, const struct search_result *result)
{
	struct vm_reader *reader = ctx;
	const json_t *id;
	size_t i;

	if (reader->elsewhere) {
		reader->asked = json_object();
		doc_set_str(reader->asked, "state", result->why == NULL ? "known" : "unknown");
		doc_set_str(reader->asked, "cause", doc_str(result->why, "cause"));
		doc_set_str(reader->asked, "reason", doc_str(result->why, "reason"));
		json_object_set(reader->asked, "way", result->way);
	}
	json_array_foreach (result->way, i, id)
		if (forwards(json_string_value(id)))
			reader_follow(reader, json_string_value(id));
	join_end(&reader->network);
}

static bool
is_own_name(const struct vm_reader *reader, const char *host)
{
	const json_t *body;
	const char *id;

	for (void *at = NULL; (id = reader_seen(reader, "/publicipaddresses/", &at)) != NULL;) {
		facts_resource(&reader->facts, id, &body, NULL);
		if (doc_is(body, "properties.dnsSettings.fqdn", host))
			return true;
	}
	return false;
}

void
read_asked_address(struct vm_reader *reader)
{
	const char *host = address_asked_host(&reader->facts);
	char subscription[128];

	/* a jump host looks a name up for itself */
	if (host == NULL || is_own_name(reader, host) ||
	    (!ip_is_text(host) && address_by_proxy(&reader->facts)))
		return;
	arm_id_subscription(reader->id, subscription, sizeof(subscription));
	join_add(&reader->network);
	search_owner(
	    reader->azure,
	    &(struct owner_ask){ .host = host, .where = subscription, .known = needs_no_search },
	    owner_searched, reader);
}
