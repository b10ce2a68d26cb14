#include "checks/talk.h"
#include "facts/arm.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool
talk_missing(const struct facts *facts, enum fact_section section, struct finding *finding)
{
	const char *reason, *cause = FACT_GET(facts_section(facts, section), missing, cause);
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

json_t *
talk_vm_addresses(const struct scene *scene, const char **fqdn)
{
	const struct inbound *in = &scene->inbound;
	json_t *addresses = json_array();

	*fqdn = NULL;
	for (size_t i = 0; i < in->way_count; i++) {
		*fqdn = *fqdn != NULL ? *fqdn : in->ways[i].fqdn;
		if (in->ways[i].host[0] != '\0')
			doc_append_str(addresses, in->ways[i].host);
	}
	for (size_t i = 0; i < in->network.count; i++)
		doc_append_str(addresses, in->network.paths[i].private_text);
	return addresses;
}

const char *
talk_vm_public(const struct scene *scene)
{
	const struct inbound *in = &scene->inbound;

	for (size_t i = 0; i < in->way_count; i++)
		if (in->ways[i].kind == ADDRESS_PUBLIC_IP)
			return in->ways[i].host;
	return NULL;
}

void
talk_way_around(const struct scene *scene, struct finding *finding)
{
	const struct fact_identities *identities = scene->identities;
	const struct network *network = &scene->inbound.network;
	struct bastion bastion;
	char group[128];

	for (size_t i = 0; i < identities->order_count; i++)
		if (identities->order[i].present && identities->order[i].path != NULL) {
			finding_text(finding, "identity", identities->order[i].path);
			break;
		}
	if (network->count > 0 && bastion_for(scene->facts, &network->paths[0], &bastion) &&
	    bastion.usable) {
		arm_id_group(bastion.id, group, sizeof(group));
		finding_text(finding, "bastion", bastion.name);
		finding_text(finding, "bastion_rg", group);
		finding_place(finding, "bastion_rg_place", bastion.id, &scene->inbound);
	}
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

enum talk_reference
talk_reference(const struct scene *scene, struct finding *finding)
{
	const struct fact_tcp_peer *reference = scene->tcp->reference;

	if (reference == NULL || reference->address == NULL)
		return REFERENCE_NONE;
	finding_text(finding, "reference", reference->address);
	switch (reference->result) {
	case PEER_SSH:
		return REFERENCE_FINE;
	case PEER_SILENT:
	case PEER_CLOSED:
	case PEER_RESET:
		return REFERENCE_BROKEN;
	default:
		return REFERENCE_NONE;
	}
}

void
talk_possible(struct finding *finding, const enum code *codes)
{
	for (; *codes != CODE_CUSTOM; codes++)
		finding_possible(finding, *codes);
}
