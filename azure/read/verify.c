/* IP flow verify: Azure's own answer to "may this packet pass?", asked of the region's Network
 * Watcher. */
#include "azure/inside.h"
#include "model/address.h"
#include "facts/arm.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct verify {
	struct read *read;
	char *key;  /* what the answer is kept under: the NIC's id and /ipflowverify */
	char *list; /* the path of the subscription's watchers */
	json_t *question;
};

static void
verify_end(struct verify *verify, json_t *body, json_t *why)
{
	struct read *read = verify->read;

	if (body != NULL)
		json_object_set_new(azure_facts(read->azure, "resources"), verify->key, body);
	else if (why != NULL)
		json_object_set_new(azure_facts(read->azure, "missing"), verify->key, why);
	json_decref(verify->question);
	free(verify->key);
	free(verify->list);
	free(verify);
	read_aside_end(read);
}

static void
verify_got(void *ctx, const struct arm_answer *answer)
{
	struct verify *verify = ctx;
	json_t *body = json_is_object(answer->body) ? json_copy(answer->body) : NULL;

	if (body != NULL)
		json_object_set(body, "asked", verify->question);
	verify_end(verify, body, answer->why != NULL ? json_incref(answer->why) : NULL);
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
watcher_of(const struct verify *verify, const char *location)
{
	const json_t *id;
	size_t i;

	json_array_foreach ((json_t *)(uintptr_t)fetch_listed(verify->read->azure, verify->list), i,
			    id)
		if (same_region(
			doc_str(fetch_held(verify->read->azure, json_string_value(id)), "location"),
			location))
			return json_string_value(id);
	return NULL;
}

static void
watchers_listed(void *ctx)
{
	struct verify *verify = ctx;
	struct azure *azure = verify->read->azure;
	const char *location = doc_str(read_vm(verify->read, NULL), "location"),
		   *watcher = watcher_of(verify, location);
	char key[ARM_ID_MAX] = "", *path;
	json_t *how;

	if (watcher != NULL && (path = doc_fmt("%s/ipFlowVerify", watcher)) != NULL) {
		arm_ask(azure,
			&(struct arm_ask){ .method = "POST",
					   .path = path,
					   .body = verify->question,
					   .flags = ARM_LONG },
			verify_got, verify);
		free(path);
		return;
	}
	arm_id_key(verify->list, key, sizeof(key));
	how = json_object_get(azure_facts(azure, "lists"), key);
	if (how != NULL && !doc_is(how, "state", "known"))
		verify_end(verify, NULL, json_incref(how));
	else
		verify_end(
		    verify, NULL,
		    reply_entry(FACT_ABSENT, "no-watcher",
				"no Network Watcher stands in %s: IP flow verify was not asked",
				location != NULL ? location : "the VM's region"));
}

/* What is to be asked: the way the conversation takes, from the address we come from. NULL with
 * *reason when there is nothing to ask. */
static json_t *
question(const struct read *read, const char **nic, const char **reason)
{
	const char *source = doc_str(facts_section(&read->facts, FACT_SOURCE), "ip");
	const struct address *way;
	struct address *list = NULL;
	struct network network;
	json_t *body = NULL;
	size_t count = 0;
	bool foreign;
	char port[16];
	struct ip ip;

	*reason = "IP flow verify was not asked: the address you connect from is not known";
	if (network_from_facts(&read->facts, &network) < 0)
		return NULL;
	if (address_list(&read->facts, &network, &list, &count) == 0 && network.count > 0) {
		way = address_in_use(&read->facts, list, count, &foreign);
		const struct net_path *path = &network.paths[way != NULL ? way->path : 0];
		int at = way != NULL ? way->backend_port : address_ssh_port(&read->facts, &foreign);

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
			    read->id, "direction", "Inbound", "protocol", "TCP", "localPort", port,
			    "remotePort", "60000", "localIPAddress", path->private_text,
			    "remoteIPAddress", source, "targetNicResourceId", path->nic_id);
	}
	free(list);
	network_free(&network);
	return body;
}

void
read_verify(struct read *read)
{
	struct verify *verify = calloc(1, sizeof(*verify));
	const char *nic = NULL, *reason;
	char subscription[128], key[ARM_ID_MAX] = "", *path;

	if (verify == NULL)
		return;
	*verify = (struct verify){ .read = read, .question = question(read, &nic, &reason) };
	path = nic != NULL ? doc_fmt("%s/ipFlowVerify", nic) : NULL;
	arm_id_key(path, key, sizeof(key));
	free(path);
	arm_id_subscription(read->id, subscription, sizeof(subscription));
	verify->key = strdup(key);
	verify->list =
	    doc_fmt("/subscriptions/%s/providers/Microsoft.Network/networkWatchers", subscription);
	read->aside++;
	if (*key == '\0')
		verify_end(verify, NULL, NULL);
	else if (verify->question == NULL)
		verify_end(verify, NULL, reply_entry(FACT_NOT_ASKED, "no-source", "%s", reason));
	else
		fetch_list(read->azure, verify->list, false, watchers_listed, verify);
}
