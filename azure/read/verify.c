/* IP flow verify: Azure's own answer to "may this packet pass?", asked of the region's Network
 * Watcher. */
#include "azure/arm/reply.h"
#include "azure/read/rows.h"
#include "model/address.h"
#include "facts/arm.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct verify {
	struct vm_reader *reader;
	char *path; /* what the answer is kept under: the NIC's id and /ipFlowVerify */
	char *list; /* the path of the subscription's watchers */
	const char *watcher;
	json_t *question;
};

/* Takes both. */
static void
verify_end(struct verify *verify, json_t *body, json_t *why)
{
	struct vm_reader *reader = verify->reader;

	reader_enter(reader, verify->path, body, why);
	json_decref(why);
	json_decref(verify->question);
	free(verify->path);
	free(verify->list);
	free(verify);
	join_end(&reader->all);
}

static void
verify_got(void *ctx, const struct arm_answer *answer)
{
	struct verify *verify = ctx;
	json_t *body = json_is_object(answer->body) ? json_copy(answer->body) : NULL;

	if (body != NULL)
		json_object_set(body, "asked", verify->question);
	verify_end(verify, body, json_incref(answer->why));
}

/* "West Europe" and "westeurope" are one region. */
static bool
same_region(const char *a, const char *b)
{
	while (a != NULL && b != NULL) {
		a += strspn(a, " ");
		b += strspn(b, " ");
		if (tolower((unsigned char)*a) != tolower((unsigned char)*b))
			return false;
		if (*a == '\0')
			return true;
		a++;
		b++;
	}
	return false;
}

static const char *
location_of(const struct verify *verify)
{
	return doc_str(reader_vm(verify->reader, NULL), "location");
}

static void
take_watcher(void *ctx, const char *id, const json_t *body)
{
	struct verify *verify = ctx;

	if (verify->watcher == NULL && same_region(doc_str(body, "location"), location_of(verify)))
		verify->watcher = id;
}

static void
watchers_listed(void *ctx)
{
	struct verify *verify = ctx;
	struct fetches *fetches = verify->reader->fetches;
	const char *location = location_of(verify);
	json_t *state = (json_t *)(uintptr_t)list_state(fetches, verify->list);
	char *path;

	if (verify->watcher != NULL) {
		path = doc_fmt("%s/ipFlowVerify", verify->watcher);
		arm_ask(fetches->arm,
			&(struct arm_ask){ .method = "POST",
					   .path = path,
					   .body = verify->question,
					   .flags = ARM_LONG },
			verify_got, verify);
		free(path);
	} else if (state != NULL && !doc_is(state, "state", "known")) {
		verify_end(verify, NULL, json_incref(state));
	} else {
		verify_end(
		    verify, NULL,
		    reply_entry(FACT_ABSENT, "no-watcher",
				"there is no Network Watcher in %s, so IP flow verify was not used",
				location != NULL ? location : "the VM's region"));
	}
}

/* What is to be asked: the way the conversation takes, from the address we come from. NULL with
 * *reason when there is nothing to ask. */
static json_t *
question(const struct vm_reader *reader, const char **nic, const char **reason)
{
	const char *source = doc_str(facts_section(&reader->facts, FACT_SOURCE), "ip");
	const struct address *way;
	struct address *list = NULL;
	struct network network;
	json_t *body = NULL;
	size_t count = 0;
	bool foreign;
	char port[16];
	struct ip ip;

	*reason = "IP flow verify was not asked: the address you connect from is not known";
	if (network_from_facts(&reader->facts, &network) < 0)
		return NULL;
	address_list(&reader->facts, &network, &list, &count);
	if (network.count > 0) {
		way = address_in_use(&reader->facts, list, count, &foreign);
		const struct net_path *path = &network.paths[way != NULL ? way->path : 0];
		int at =
		    way != NULL ? way->backend_port : address_ssh_port(&reader->facts, &foreign);

		*nic = path->nic_id;
		snprintf(port, sizeof(port), "%d", at);
		if (way != NULL && way->kind == ADDRESS_FIREWALL_DNAT)
			*reason = "IP flow verify was not asked: behind Azure Firewall, the rules "
				  "see an address of the firewall";
		else if (way != NULL && way->kind == ADDRESS_PRIVATE &&
			 ip_parse(source, &ip) == 0 && ip_is_public(ip))
			*reason = "IP flow verify was not asked: the way is a private one, and "
				  "your private address is not known";
		else if (source != NULL && path->private_text != NULL && at > 0)
			body = json_pack(
			    "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "targetResourceId",
			    reader->id, "direction", "Inbound", "protocol", "TCP", "localPort",
			    port, "remotePort", "60000", "localIPAddress", path->private_text,
			    "remoteIPAddress", source, "targetNicResourceId", path->nic_id);
	}
	free(list);
	network_free(&network);
	return body;
}

void
read_flow_verdict(struct vm_reader *reader)
{
	const char *nic = NULL, *reason = NULL;
	json_t *asked = question(reader, &nic, &reason);
	struct verify *verify;

	if (nic == NULL)
		return;
	verify = malloc(sizeof(*verify));
	*verify = (struct verify){ .reader = reader,
				   .question = asked,
				   .path = doc_fmt("%s/ipFlowVerify", nic),
				   .list = path_in_subscription(
				       reader->id, "Microsoft.Network/networkWatchers") };
	join_add(&reader->all);
	if (asked == NULL)
		verify_end(verify, NULL, reply_entry(FACT_NOT_ASKED, "no-source", "%s", reason));
	else
		list_visit(reader->fetches, verify->list, false, take_watcher, verify,
			   watchers_listed, verify);
}
