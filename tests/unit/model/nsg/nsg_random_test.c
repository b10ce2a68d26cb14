/* A second evaluator, written differently: text in, one flow, every rule asked in no order, nothing
 * shared with the real one. It knows admin rules, both groups, default rules, service tags,
 * application security groups, IPv6, source ports, protocols by number; the two agree on 100,000
 * random rule sets and flows. */
#include "model/nsg/nsg.h"
#include "tests/unit/net_fixture.h"

#include <arpa/inet.h>
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t seed = 20260101;

static unsigned
dice(unsigned sides)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % sides;
}

#define ASG NET "/applicationSecurityGroups/asg"
#define MAX_RULES 10

struct plain_rule {
	int priority;
	enum { DENY, ALLOW, ALWAYS } access;
	const char *protocol, *source_ports;
	char source[3][64], destination[2][64];
	unsigned sources, destinations, from[2], to[2], ranges;
	int asg; /* number of the destination's group, -1: none */
};

struct plain_list {
	bool there;
	struct plain_rule rules[MAX_RULES];
	unsigned count;
};

struct plain_flow {
	char source[64];
	const char *destination;
	bool v6, private_path;
	unsigned port;
};

/* ---- the naive side ---- */

static bool
in_prefix(const char *prefix, const char *address)
{
	unsigned char net[16], host[16];
	char text[64];
	char *slash;
	unsigned bits;
	int family = strchr(prefix, ':') != NULL ? AF_INET6 : AF_INET;

	snprintf(text, sizeof(text), "%s", prefix);
	bits = family == AF_INET ? 32 : 128;
	if ((slash = strchr(text, '/')) != NULL) {
		*slash = '\0';
		bits = (unsigned)strtoul(slash + 1, NULL, 10);
	}
	if ((strchr(address, ':') != NULL) != (family == AF_INET6) ||
	    inet_pton(family, text, net) != 1 || inet_pton(family, address, host) != 1)
		return false;
	for (unsigned bit = 0; bit < bits; bit++)
		if (((net[bit / 8] ^ host[bit / 8]) >> (7 - bit % 8) & 1) != 0)
			return false;
	return true;
}

static bool
in_any(const char *const *prefixes, const char *address)
{
	for (; *prefixes != NULL; prefixes++)
		if (in_prefix(*prefixes, address))
			return true;
	return false;
}

/* The VNet has a peer with public addresses of its own: those are VirtualNetwork, and not Internet.
 */
static const char *const vnet_space[] = { "10.0.0.0/16",    "fd00::/64",     "10.9.0.0/16",
					  "131.107.0.0/16", "168.63.129.16", NULL };
static const char *const inner[] = { "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",
				     "fc00::/7",   "168.63.129.16", NULL };
static const char *const storage[] = { "20.60.0.0/16", "198.51.100.128/25", "2001:db8:5::/48",
				       NULL };

static bool
item_holds(const char *item, const char *address)
{
	if (strcmp(item, "*") == 0)
		return true;
	if (strcmp(item, "VirtualNetwork") == 0)
		return in_any(vnet_space, address);
	if (strcmp(item, "Internet") == 0)
		return !in_any(inner, address) && !in_any(vnet_space, address);
	if (strcmp(item, "AzureLoadBalancer") == 0)
		return strcmp(address, "168.63.129.16") == 0;
	if (strcmp(item, "Storage.WestUS") == 0)
		return in_any(storage, address);
	return in_prefix(item, address);
}

static bool
plain_matches(const struct plain_rule *rule, const struct plain_flow *flow)
{
	bool source = false, destination = rule->asg == 0 || rule->asg == 1,
	     port = false; /* the NIC is in these two */

	if (strcmp(rule->protocol, "*") != 0 && strcasecmp(rule->protocol, "tcp") != 0 &&
	    strcmp(rule->protocol, "6") != 0 && strcmp(rule->protocol, "#6") != 0)
		return false;
	if (strcmp(rule->source_ports, "22") == 0 || strcmp(rule->source_ports, "0-1023") == 0)
		return false;
	for (unsigned i = 0; i < rule->sources; i++)
		source |= item_holds(rule->source[i], flow->source);
	for (unsigned i = 0; i < rule->destinations; i++)
		destination |= item_holds(rule->destination[i], flow->destination);
	for (unsigned i = 0; i < rule->ranges; i++)
		port |= rule->from[i] <= flow->port && flow->port <= rule->to[i];
	return source && destination && port;
}

/* The matching rule of the smallest number; NULL when none matches. */
static const struct plain_rule *
plain_decider(const struct plain_list *list, const struct plain_flow *flow)
{
	const struct plain_rule *best = NULL;

	for (unsigned i = 0; i < list->count; i++)
		if (plain_matches(&list->rules[i], flow) &&
		    (best == NULL || list->rules[i].priority < best->priority))
			best = &list->rules[i];
	return best;
}

static bool
group_lets_in(const struct plain_list *group, const struct plain_flow *flow)
{
	const struct plain_rule *rule = plain_decider(group, flow);

	if (rule != NULL)
		return rule->access == ALLOW;
	return item_holds("VirtualNetwork", flow->source) ||
	       item_holds("AzureLoadBalancer", flow->source);
}

static bool
plain_verdict(const struct plain_list *admin, const struct plain_list *subnet,
	      const struct plain_list *nic, bool basic, const struct plain_flow *flow)
{
	const struct plain_rule *first = admin->there ? plain_decider(admin, flow) : NULL;

	if (first != NULL && first->access != ALLOW)
		return first->access == ALWAYS;
	if (!subnet->there && !nic->there)
		return basic || flow->private_path;
	return (!subnet->there || group_lets_in(subnet, flow)) &&
	       (!nic->there || group_lets_in(nic, flow));
}

/* ---- chance ---- */

static void
random_address(char *ret, size_t size, bool v6)
{
	static const char *const v4[] = { "203.0.113.", "198.51.100.", "20.60.7.", "8.8.8.",
					  "131.107.1." };
	static const char *const six[] = { "2001:db8:5::", "2001:db8::", "2606:4700::" };

	snprintf(ret, size, "%s%u", v6 ? six[dice(3)] : v4[dice(5)], dice(v6 ? 10 : 256));
}

static void
random_source(char *ret, size_t size)
{
	static const char *const words[] = {
		"*",         "Internet", "VirtualNetwork", "AzureLoadBalancer", "Storage.WestUS",
		"0.0.0.0/0", "::/0",     "10.0.0.0/8"
	};
	bool v6 = dice(4) == 0;
	char address[48];

	random_address(address, sizeof(address), v6);
	if (dice(3) == 0)
		snprintf(ret, size, "%s", words[dice(8)]);
	else if (dice(4) == 0)
		snprintf(ret, size, "%s", address);
	else
		snprintf(ret, size, "%s/%u", address, v6 ? 16 + dice(113) : 6 + dice(27));
}

static void
random_rule(struct plain_rule *rule, int priority, bool admin)
{
	static const char *const protocols[] = { "*",  "*",   "Tcp", "TCP", "6",
						 "#6", "Udp", "17",  "Icmp" };
	static const char *const client_ports[] = { "*",       "*",  "*",     "1024-65535",
						    "0-65535", "22", "0-1023" };
	static const char *const destinations[] = { "*",           "10.0.0.4",       "10.0.0.0/24",
						    "10.0.1.0/24", "VirtualNetwork", "fd00::/64",
						    "20.51.230.13" };

	*rule = (struct plain_rule){ .priority = priority,
				     .access = dice(2) == 0 ? ALLOW : DENY,
				     .asg = -1,
				     .sources = 1 + dice(3),
				     .ranges = 1 + dice(2) };
	if (admin && dice(3) == 0)
		rule->access = ALWAYS;
	rule->protocol = protocols[dice(9)];
	rule->source_ports = client_ports[dice(7)];
	for (unsigned i = 0; i < rule->sources; i++)
		random_source(rule->source[i], sizeof(rule->source[i]));
	if (!admin && dice(5) == 0)
		rule->asg = (int)dice(4);
	else
		rule->destinations = 1 + dice(2);
	for (unsigned i = 0; i < rule->destinations; i++)
		snprintf(rule->destination[i], sizeof(rule->destination[i]), "%s",
			 destinations[dice(2) == 0 ? 0 : dice(7)]);
	for (unsigned i = 0; i < rule->ranges; i++) {
		rule->from[i] = dice(4) == 0 ? 0 : 18 + dice(6);
		rule->to[i] = rule->from[i] == 0 ? 65535 : rule->from[i] + dice(8);
	}
}

static void
random_list(struct plain_list *list, bool admin)
{
	list->there = dice(admin ? 2 : 5) != 0;
	list->count = list->there ? dice(admin ? 4 : MAX_RULES + 1) : 0;
	for (unsigned i = 0; i < list->count; i++)
		random_rule(&list->rules[i], (int)(100 + 7 * ((i * 5) % 13)),
			    admin); /* not in order of priority */
}

static void
random_flow(struct plain_flow *flow)
{
	static const char *const inside[] = { "10.0.0.", "10.9.3." };

	*flow = (struct plain_flow){ .v6 = dice(4) == 0, .port = 16 + dice(12) };
	flow->private_path = !flow->v6 && dice(6) == 0;
	if (flow->private_path)
		snprintf(flow->source, sizeof(flow->source), "%s%u", inside[dice(2)],
			 5 + dice(200));
	else
		random_address(flow->source, sizeof(flow->source), flow->v6);
	flow->destination = flow->v6 ? "fd00::4" : "10.0.0.4";
}

/* ---- the same as Azure has it ---- */

static json_t *
strings(const char *list, unsigned count, size_t stride)
{
	json_t *array = json_array();

	for (unsigned i = 0; i < count; i++)
		json_array_append_new(array, json_string(list + i * stride));
	return array;
}

static json_t *
ports_json(const struct plain_rule *rule)
{
	json_t *array = json_array();

	for (unsigned i = 0; i < rule->ranges; i++)
		json_array_append_new(array,
				      rule->from[i] == rule->to[i]
					  ? json_sprintf("%u", rule->from[i])
					  : json_sprintf("%u-%u", rule->from[i], rule->to[i]));
	return array;
}

static json_t *
rule_json(const struct plain_rule *rule, unsigned index)
{
	json_t *p = json_pack(
	    "{s:s, s:s, s:i, s:o, s:s, s:o, s:o}", "direction", "Inbound", "access",
	    rule->access == DENY ? "Deny" : "Allow", "priority", rule->priority, "protocol",
	    *rule->protocol == '#' ? json_integer(6) : json_string(rule->protocol),
	    "sourcePortRange", rule->source_ports, "destinationPortRanges", ports_json(rule),
	    "sourceAddressPrefixes",
	    strings(rule->source[0], rule->sources, sizeof(rule->source[0])));

	if (rule->sources == 1 && dice(2) == 0) {
		json_object_set_new(p, "sourceAddressPrefix", json_string(rule->source[0]));
		json_object_set_new(p, "sourceAddressPrefixes", json_array());
	}
	if (rule->asg >= 0)
		json_object_set_new(p, "destinationApplicationSecurityGroups",
				    json_pack("[{s:o}]", "id", json_sprintf(ASG "%d", rule->asg)));
	else
		json_object_set_new(p, "destinationAddressPrefixes",
				    strings(rule->destination[0], rule->destinations,
					    sizeof(rule->destination[0])));
	return json_pack("{s:o, s:o}", "name", json_sprintf("r%u", index), "properties", p);
}

static json_t *
group_json(const struct plain_list *list)
{
	json_t *rules = json_array();

	for (unsigned i = 0; i < list->count; i++)
		json_array_append_new(rules, rule_json(&list->rules[i], i));
	return json_pack("{s:s, s:{s:o}}", "id", NSG_ID, "properties", "securityRules", rules);
}

static json_t *
sides_json(const char *list, unsigned count, size_t stride)
{
	json_t *array = json_array();

	for (unsigned i = 0; i < count; i++)
		json_array_append_new(array,
				      json_pack("{s:s, s:s}", "addressPrefixType", "IPPrefix",
						"addressPrefix", list + i * stride));
	return array;
}

static json_t *
admin_json(const struct plain_list *list)
{
	static const char *const words[] = { "Deny", "Allow", "AlwaysAllow" };
	json_t *value = json_array();

	for (unsigned i = 0; i < list->count; i++) {
		const struct plain_rule *rule = &list->rules[i];

		json_array_append_new(
		    value,
		    json_pack("{s:o, s:{s:s, s:s, s:i, s:o, s:[s], s:o, s:o, s:o}}", "id",
			      json_sprintf("/x/rules/r%u", i), "properties", "direction", "Inbound",
			      "access", words[rule->access], "priority", rule->priority, "protocol",
			      *rule->protocol == '#' ? json_integer(6)
						     : json_string(rule->protocol),
			      "sourcePortRanges", rule->source_ports, "destinationPortRanges",
			      ports_json(rule), "sources",
			      sides_json(rule->source[0], rule->sources, sizeof(rule->source[0])),
			      "destinations",
			      sides_json(rule->destination[0], rule->destinations,
					 sizeof(rule->destination[0]))));
	}
	return json_pack("{s:o}", "value", value);
}

#define SETS 2500
#define FLOWS 40 /* for each set: 100,000 in all */

struct world {
	struct net net;
	struct plain_list admin, subnet, nic;
	struct net_path path;
	json_t *subnet_body, *nic_body, *vnet, *table, *asgs;
	bool basic;
};

static struct net_ref
reference(const struct plain_list *list, const json_t *body, const char *id)
{
	return (struct net_ref){ .id = list->there ? id : NULL,
				 .state = list->there ? FACT_KNOWN : FACT_ABSENT,
				 .body = body };
}

static void
world_start(struct world *world)
{
	char *admin;
	json_t *body;

	*world = (struct world){ .basic = dice(2) == 0 };
	net_start(&world->net);
	random_list(&world->admin, true);
	random_list(&world->subnet, false);
	random_list(&world->nic, false);
	world->subnet_body = group_json(&world->subnet);
	world->nic_body = group_json(&world->nic);
	world->path =
	    (struct net_path){ .nic_id = NIC_ID,
			       .subnet = { .id = SUBNET_ID, .state = FACT_KNOWN },
			       .subnet_nsg =
				   reference(&world->subnet, world->subnet_body, SUBNET_NSG_ID),
			       .nic_nsg = reference(&world->nic, world->nic_body, NSG_ID) };
	world->vnet = net_json(
	    "{'properties': {'addressSpace': {'addressPrefixes': ['10.0.0.0/16', 'fd00::/64']}, "
	    "'virtualNetworkPeerings': [{'properties':"
	    "{'peeringState': 'Connected', 'remoteAddressSpace': {'addressPrefixes': "
	    "['10.9.0.0/16', '131.107.0.0/16']}}}, {'properties': {'peeringState':"
	    "'Disconnected', 'remoteAddressSpace': {'addressPrefixes': ['203.0.113.0/24']}}}]}}");
	world->table = net_json(
	    "{'values': [{'name': 'Storage', 'properties': {'addressPrefixes': ['0.0.0.0/0']}}, "
	    "{'name': 'Storage.WestUS', 'properties':"
	    "{'addressPrefixes': ['20.60.0.0/16', '198.51.100.128/25', '2001:db8:5::/48']}}]}");
	world->asgs = net_json("[{'id': '" ASG "0'}, {'id': '" ASG "1'}]");
	if (!world->admin.there)
		return;
	body = admin_json(&world->admin);
	admin = json_dumps(body, 0);
	net_put(&world->net, VNET_ID "/listNetworkManagerEffectiveSecurityAdminRules", admin);
	free(admin);
	json_decref(body);
}

static void
world_end(struct world *world)
{
	json_decref(world->subnet_body);
	json_decref(world->nic_body);
	json_decref(world->vnet);
	json_decref(world->table);
	json_decref(world->asgs);
	net_end(&world->net);
}

/* 1 when they agree that it is allowed, 0 when they agree that it is not. */
static int
compare(const struct world *world, unsigned set)
{
	struct nsg_flow flow = { .protocol = 6,
				 .destination_known = true,
				 .asgs = world->asgs,
				 .tags = { .table = world->table, .vnet = world->vnet } };
	struct nsg_judgement judgement;
	struct plain_flow plain;
	struct ip source;
	bool verdict;

	random_flow(&plain);
	flow.port = plain.port;
	flow.private_path = plain.private_path;
	ck_assert_int_eq(ip_parse(plain.destination, &flow.destination), 0);
	ck_assert_int_eq(ip_parse(plain.source, &source), 0);
	ip_set_add(&flow.source, &(struct ip_range){ source, source });
	verdict = plain_verdict(&world->admin, &world->subnet, &world->nic, world->basic, &plain);
	nsg_judge(&world->net.facts, &world->path, &flow, !plain.private_path,
		  world->basic ? "Basic" : "Standard", &judgement);
	ck_assert_msg(judgement.verdict == (verdict ? NSG_ALLOW : NSG_DENY),
		      "set %u, from %s to port %u: %s, and plainly it is %s", set, plain.source,
		      plain.port, nsg_verdict_word(judgement.verdict),
		      verdict ? "allowed" : "denied");
	nsg_judgement_free(&judgement);
	ip_set_free(&flow.source);
	return verdict;
}

START_TEST(a_naive_evaluator_agrees_on_a_hundred_thousand_flows)
{
	unsigned allowed = 0;

	for (unsigned set = 0; set < SETS; set++) {
		struct world world;

		world_start(&world);
		for (unsigned f = 0; f < FLOWS; f++)
			allowed += (unsigned)compare(&world, set);
		world_end(&world);
	}
	ck_assert_msg(allowed > SETS * FLOWS / 10 && allowed < SETS * FLOWS * 9 / 10,
		      "%u allowed: chance is one-sided", allowed);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("random rules");
	TCase *tc = tcase_create("random");
	SRunner *runner = srunner_create(suite);

	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, a_naive_evaluator_agrees_on_a_hundred_thousand_flows);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_SILENT);
	srunner_free(runner);
	return 0;
}
