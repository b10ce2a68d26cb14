#include "model/public_ip.h"
#include "facts/arm.h"

#include <string.h>

static struct public_ip
view(const char *id, const json_t *body)
{
	const char *own = doc_str(body, "id");

	return (struct public_ip){
		.id = own != NULL ? own : id,
		.address = doc_str(body, "properties.ipAddress"),
		.sku = doc_str(body, "sku.name"),
		.allocation = doc_str(body, "properties.publicIPAllocationMethod"),
		.fqdn = doc_str(body, "properties.dnsSettings.fqdn"),
		.dynamic = doc_is(body, "properties.publicIPAllocationMethod", "Dynamic"),
		.attached = doc_get(body, "properties.ipConfiguration") != NULL,
		.used_by = doc_str(body, "properties.ipConfiguration.id"),
		.outbound = doc_get(body, "properties.natGateway") != NULL,
	};
}

struct public_ip
public_ip_view(const struct net_ref *ref)
{
	struct public_ip ip = view(ref->id, ref->body);

	ip.id = ref->id;
	return ip;
}

struct search {
	const char *address, *name;
	struct public_ip found;
};

static bool
has_address(const char *id, const json_t *body, void *ctx)
{
	struct search *search = ctx;

	search->found = view(id, body);
	return doc_same(search->found.address, search->address);
}

static bool
is_unused(const char *id, const json_t *body, void *ctx)
{
	struct search *search = ctx;

	search->found = view(id, body);
	return !search->found.attached && !search->found.outbound &&
	       strncasecmp(arm_id_name(id), search->name, strlen(search->name)) == 0;
}

static bool
find(const struct facts *facts, bool (*visit)(const char *, const json_t *, void *),
     struct search *search, struct public_ip *ret)
{
	if (!net_each(facts, "microsoft.network/publicipaddresses", visit, search))
		return false;
	*ret = search->found;
	return true;
}

bool
public_ip_by_address(const struct facts *facts, const char *address, struct public_ip *ret)
{
	return find(facts, has_address, &(struct search){ .address = address }, ret);
}

bool
public_ip_unused(const struct facts *facts, const char *name, struct public_ip *ret)
{
	return find(facts, is_unused, &(struct search){ .name = name }, ret);
}
