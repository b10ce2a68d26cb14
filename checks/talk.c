#include "checks/talk.h"
#include "model/address.h"
#include "facts/arm.h"
#include "model/vm.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool
talk_missing(const struct facts *facts, enum fact_section section, struct finding *finding)
{
	const char *reason, *cause = doc_str(facts_section(facts, section), "cause");
	enum fact_state state = facts_state(facts, section, &reason);

	if (state == FACT_KNOWN)
		return false;
	if (reason == NULL)
		reason = state == FACT_PENDING ? "still being read" : "no reason is recorded";
	if (state == FACT_NOT_ASKED)
		finding_set(finding, SKIP, CODE_NOT_ASKED, "%s", reason);
	else if (state == FACT_ABSENT)
		finding_set(finding, SKIP, CODE_NOTHING_TO_CHECK, "%s", reason);
	else if (doc_same(cause, "not-reached"))
		finding_set(finding, SKIP, CODE_NOT_REACHED, "%s", reason);
	else
		finding_set(finding, UNKNOWN, CODE_NOT_KNOWN, "%s is not known: %s",
			    facts_section_words(section), reason);
	finding_text(finding, "cause", cause);
	return true;
}

/* The VM's ways in, the best first; NULL and 0 when nothing is known of them. The caller frees the
 * list. */
static struct address *
ways(const struct facts *facts, struct network *network, size_t *count)
{
	struct address *list = NULL;

	*count = 0;
	*network = (struct network){ 0 };
	if (network_from_facts(facts, network) == 0 &&
	    address_list(facts, network, &list, count) < 0)
		list = NULL;
	return list;
}

json_t *
talk_vm_addresses(const struct facts *facts, const char **fqdn)
{
	struct network network;
	size_t count;
	struct address *list = ways(facts, &network, &count);
	json_t *addresses = json_array();

	*fqdn = NULL;
	for (size_t i = 0; list != NULL && i < count; i++) {
		*fqdn = *fqdn != NULL ? *fqdn : list[i].fqdn;
		if (list[i].host[0] != '\0')
			doc_append_str(addresses, list[i].host);
	}
	for (size_t i = 0; i < network.count; i++)
		if (network.paths[i].private_text != NULL)
			doc_append_str(addresses, network.paths[i].private_text);
	free(list);
	network_free(&network);
	return addresses;
}

char *
talk_vm_public(const struct facts *facts)
{
	struct network network;
	size_t count;
	struct address *list = ways(facts, &network, &count);
	char *public = NULL;

	for (size_t i = 0; list != NULL && i < count && public == NULL; i++)
		if (list[i].kind == ADDRESS_PUBLIC_IP)
	public = strdup(list[i].host);
	free(list);
	network_free(&network);
	return public;
}

const char *
talk_admin(const struct facts *facts)
{
	struct vm vm;

	return vm_from_facts(facts, &vm, NULL) == 0 ? vm.admin : NULL;
}

bool
talk_vm_windows(const struct facts *facts)
{
	struct vm vm;

	return vm_from_facts(facts, &vm, NULL) == 0 && vm.windows;
}

void
talk_way_around(const struct facts *facts, struct finding *finding)
{
	const json_t *order = doc_list(facts_section(facts, FACT_IDENTITIES), "order");
	struct network network = { 0 };
	struct bastion bastion;
	char group[128];

	for (size_t i = 0;
	     i < json_array_size(order) && doc_get(finding->evidence, "identity") == NULL; i++)
		if (doc_bool(json_array_get(order, i), "present", false))
			finding_text(finding, "identity",
				     doc_str(json_array_get(order, i), "path"));
	if (network_from_facts(facts, &network) == 0 && network.count > 0 &&
	    bastion_for(facts, &network.paths[0], &bastion) && bastion.tunneling) {
		arm_id_group(bastion.id, group, sizeof(group));
		finding_text(finding, "bastion", bastion.name);
		finding_text(finding, "bastion_rg", group);
	}
	network_free(&network);
}

bool
address_is_v6(const char *text)
{
	return text != NULL && strchr(text, ':') != NULL;
}

bool
address_is_stand_in(const char *text)
{
	return text != NULL &&
	       (strncmp(text, "198.18.", 7) == 0 || strncmp(text, "198.19.", 7) == 0);
}

bool
address_is_private(const char *text)
{
	struct in_addr v4;
	uint32_t host;

	if (address_is_v6(text))
		return strncasecmp(text, "fc", 2) == 0 || strncasecmp(text, "fd", 2) == 0;
	if (text == NULL || inet_pton(AF_INET, text, &v4) != 1)
		return false;
	host = ntohl(v4.s_addr);
	return host >> 24 == 10 || host >> 20 == 0xac1 || host >> 16 == 0xc0a8 ||
	       host >> 22 == 0x191;
}

enum talk_reference
talk_reference(const struct facts *facts, struct finding *finding)
{
	static const char *const broken[] = { "silent", "closed", "reset", NULL };
	const json_t *reference = doc_get(facts_section(facts, FACT_TCP), "reference");

	if (doc_str(reference, "address") == NULL)
		return REFERENCE_NONE;
	finding_text(finding, "reference", doc_str(reference, "address"));
	if (doc_is(reference, "result", "ssh"))
		return REFERENCE_FINE;
	for (size_t i = 0; broken[i] != NULL; i++)
		if (doc_is(reference, "result", broken[i]))
			return REFERENCE_BROKEN;
	return REFERENCE_NONE;
}

int
talk_confidence(struct finding *finding, enum confidence confidence, int r)
{
	finding->confidence = confidence;
	return r;
}

void
talk_possible(struct finding *finding, const enum code *codes)
{
	for (; *codes != CODE_CUSTOM; codes++)
		finding_possible(finding, *codes);
}
