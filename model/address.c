#include "model/address.h"
#include "model/public_ip.h"
#include "facts/arm.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SSH_PORT 22
#define WAYS_PER_PATH 16

const char *
address_kind_word(enum address_kind kind)
{
	static const char *const words[] = { [ADDRESS_PUBLIC_IP] = "public-ip",
					     [ADDRESS_NAT_RULE] = "nat-rule",
					     [ADDRESS_FIREWALL_DNAT] = "firewall-dnat",
					     [ADDRESS_LB_RULE] = "lb-rule",
					     [ADDRESS_BASTION] = "bastion",
					     [ADDRESS_PRIVATE] = "private",
					     [ADDRESS_NONE] = "none" };

	return words[kind];
}

int
address_ssh_port(const struct facts *facts, bool *given)
{
	const json_t *alias = facts_section(facts, FACT_ALIAS);
	const json_int_t ports[] = { FACT_GET(facts_asked(facts), asked, port),
				     FACT_GET(facts->target, target, port),
				     FACTS_GET(facts, ssh_config, port),
				     FACT_GET(alias, ssh_config, port) };

	*given = false;
	for (size_t i = 0; i < sizeof(ports) / sizeof(*ports); i++) {
		if (ports[i] <= 0 || ports[i] > 65535)
			continue;
		*given = i < 2 || ports[i] != SSH_PORT;
		return (int)ports[i];
	}
	return SSH_PORT;
}

const char *
address_asked_host(const struct facts *facts)
{
	const json_t *alias = facts_section(facts, FACT_ALIAS);
	const char *hostname = FACT_GET(alias, ssh_config, hostname),
		   *host = FACT_GET(facts_asked(facts), asked, host);

	if (FACT_GET(alias, ssh_config, changes) && hostname != NULL)
		return hostname;
	return host != NULL ? host : FACT_GET(facts->target, target, host);
}

static bool
is_set(const char *value)
{
	return value != NULL && *value != '\0' && strcmp(value, "none") != 0;
}

const char *
address_proxy(const struct facts *facts)
{
	const char *jump = FACTS_GET(facts, ssh_config, proxyjump),
		   *command = FACTS_GET(facts, ssh_config, proxycommand);

	if (is_set(jump))
		return jump;
	return is_set(command) ? command : NULL;
}

bool
address_by_proxy(const struct facts *facts)
{
	return address_proxy(facts) != NULL;
}

static void
add_public_ip(const struct net_path *path, size_t index, int port, struct address *list,
	      size_t *count)
{
	const struct public_ip pip = public_ip_view(&path->pip);
	struct ip ip;

	if (path->pip.state != FACT_KNOWN || ip_parse(pip.address, &ip) < 0)
		return;
	list[*count] = (struct address){ .kind = ADDRESS_PUBLIC_IP,
					 .port = port,
					 .backend_port = port,
					 .path = index,
					 .name = arm_id_name(pip.id),
					 .id = pip.id,
					 .sku = pip.sku,
					 .allocation = pip.allocation,
					 .fqdn = pip.fqdn };
	snprintf(list[(*count)++].host, IP_TEXT_MAX, "%s", pip.address);
}

static void
add_dnat(const struct facts *facts, const struct net_path *path, size_t index, int port,
	 struct address *list, size_t *count)
{
	const struct dnat_wish wish = { address_asked_host(facts), port };
	int backend = SSH_PORT;
	struct dnat dnat;

	if (!firewall_dnat_for(facts, path, backend, &wish, &dnat) &&
	    !firewall_dnat_for(facts, path, backend = port, &wish, &dnat))
		return;
	if (dnat.takes == DNAT_FOR_OTHERS)
		return;
	list[*count] = (struct address){ .kind = ADDRESS_FIREWALL_DNAT,
					 .port = dnat.port,
					 .backend_port = backend,
					 .path = index,
					 .depends = dnat.takes == DNAT_DEPENDS,
					 .name = dnat.firewall,
					 .id = dnat.firewall_id };
	snprintf(list[(*count)++].host, IP_TEXT_MAX, "%s", dnat.address);
}

static void
add_private(const struct net_path *path, size_t index, int port, struct address *list,
	    size_t *count)
{
	if (!path->has_private)
		return;
	list[*count] = (struct address){ .kind = ADDRESS_PRIVATE,
					 .port = port,
					 .backend_port = port,
					 .path = index,
					 .name = path->config_name,
					 .id = path->config_id };
	ip_format(path->private_ip, list[(*count)++].host, IP_TEXT_MAX);
}

/* Lower is better: the kind, then the family of the source, then the order of the paths (primary
 * first). */
static int
rank(const struct address *address, bool prefer_v6)
{
	bool v6 = strchr(address->host, ':') != NULL;

	return (int)(address->internal ? ADDRESS_BASTION : address->kind) * 2 + (v6 != prefer_v6);
}

/* Insertion sort: stable, and the lists are short. */
static void
sort_ways(struct address *list, size_t count, bool prefer_v6)
{
	for (size_t i = 1; i < count; i++) {
		struct address one = list[i];
		size_t k = i;

		for (; k > 0 && rank(&list[k - 1], prefer_v6) > rank(&one, prefer_v6); k--)
			list[k] = list[k - 1];
		list[k] = one;
	}
}

void
address_list(const struct facts *facts, const struct network *network, struct address **ret,
	     size_t *count)
{
	struct address *list = calloc(network->count * WAYS_PER_PATH + 1, sizeof(*list));
	const char *source = FACTS_GET(facts, source, ip);
	bool given;
	int port = address_ssh_port(facts, &given);
	size_t n = 0;

	for (size_t i = 0; i < network->count; i++) {
		const struct net_path *path = &network->paths[i];

		add_public_ip(path, i, port, list, &n);
		n += balancer_ways(facts, path, i, port, given, &list[n], WAYS_PER_PATH - 3);
		add_dnat(facts, path, i, port, list, &n);
		add_private(path, i, port, list, &n);
	}
	sort_ways(list, n, source != NULL && strchr(source, ':') != NULL);
	*ret = list;
	*count = n;
}

int
address_choose(const struct facts *facts, struct address *ret)
{
	struct network network;
	struct bastion bastion;
	struct address *list;
	size_t count;
	int r = 0;

	if (network_from_facts(facts, &network) < 0)
		return -ENOENT;
	address_list(facts, &network, &list, &count);
	if (count == 0 ||
	    (list[0].kind == ADDRESS_PRIVATE &&
	     bastion_for(facts, &network.paths[list[0].path], &bastion) && bastion.tunneling))
		r = -ENOENT;
	else
		*ret = list[0];
	network_free(&network);
	free(list);
	return r;
}

/* The way with that address; one with the right port when there are several. */
static const struct address *
way_by_host(const struct address *list, size_t count, const char *host, int port)
{
	const struct address *found = NULL;
	struct ip wanted, own;

	if (ip_parse(host, &wanted) < 0)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		if (ip_parse(list[i].host, &own) < 0 || ip_cmp(own, wanted) != 0)
			continue;
		if (found == NULL || (found->port != port && list[i].port == port))
			found = &list[i];
	}
	return found;
}

const struct address *
address_in_use(const struct facts *facts, const struct address *list, size_t count, bool *foreign)
{
	const char *asked = address_asked_host(facts),
		   *hosts[] = { FACTS_GET(facts, tcp, address), asked,
				FACTS_GET(facts, address, host) };
	const struct address *way;
	struct ip ip;
	bool given;
	int port = address_ssh_port(facts, &given);

	*foreign = false;
	if (ip_parse(asked, &ip) == 0 && way_by_host(list, count, asked, port) == NULL)
		*foreign = true;
	for (size_t i = 0; i < sizeof(hosts) / sizeof(*hosts); i++)
		if (hosts[i] != NULL && (way = way_by_host(list, count, hosts[i], port)) != NULL)
			return way;
	for (size_t i = 0; asked != NULL && i < count; i++)
		if (doc_same(list[i].fqdn, asked))
			return &list[i];
	return count > 0 ? &list[0] : NULL;
}
