/* Security rules: matching, evaluation; a source that is not known; size. */
#include "model/nsg/nsg.h"
#include "tests/unit/net_fixture.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- one group, one flow ---- */

static void
flow_from(struct nsg_flow *flow, const char *source, const char *destination, unsigned port)
{
	struct ip ip;

	*flow = (struct nsg_flow){ .protocol = 6, .port = port, .destination_known = true };
	ck_assert_int_eq(ip_parse(destination, &flow->destination), 0);
	if (source == NULL) {
		ip_set_public(&flow->source, false);
		return;
	}
	ck_assert_int_eq(ip_parse(source, &ip), 0);
	flow->private_path = !ip_is_public(ip);
	ip_set_add(&flow->source, &(struct ip_range){ ip, ip });
}

static const struct {
	const char *name, *rules, *source;
	const char *verdict; /* "allow", "deny", "both", "unknown" */
	const char *decider;
} table[] = {
	{ "several prefixes and ranges",
	  "[{'name': 'a', 'priority': 100, 'sourceAddressPrefix': '', 'sourceAddressPrefixes': "
	  "['1.2.3.0/24', '203.0.113.0/28'],"
	  "'destinationPortRange': '', 'destinationPortRanges': ['80', '20-30']}]",
	  "203.0.113.7", "allow", "a" },
	{ "host bits are masked",
	  "[{'name': 'a', 'priority': 100, 'sourceAddressPrefix': '203.0.113.9/24'}]",
	  "203.0.113.7", "allow", "a" },
	{ "a protocol by number", "[{'name': 'a', 'priority': 100, 'protocol': '6'}]",
	  "203.0.113.7", "allow", "a" },
	{ "a protocol by number that is not ours",
	  "[{'name': 'a', 'priority': 100, 'protocol': '17'}]", "203.0.113.7", "deny",
	  "DenyAllInBound" },
	{ "a protocol nobody knows", "[{'name': 'a', 'priority': 100, 'protocol': 'Quic'}]",
	  "203.0.113.7", "unknown", NULL },
	{ "ports as numbers", "[{'name': 'a', 'priority': 100, 'destinationPortRange': 22}]",
	  "203.0.113.7", "allow", "a" },
	{ "Internet", "[{'name': 'a', 'priority': 100, 'sourceAddressPrefix': 'internet'}]",
	  "203.0.113.7", "allow", "a" },
	{ "Internet is not the VNet",
	  "[{'name': 'a', 'priority': 100, 'sourceAddressPrefix': 'Internet'}]", "10.0.0.9", "both",
	  NULL },
	{ "AzureLoadBalancer is the probe, not the client",
	  "[{'name': 'a', 'priority': 100, 'sourceAddressPrefix': 'AzureLoadBalancer'}]",
	  "203.0.113.7", "deny", "DenyAllInBound" },
	{ "another tag",
	  "[{'name': 'a', 'priority': 100, 'sourceAddressPrefix': 'AzureCloud.westeurope'}]",
	  "203.0.113.7", "both", "DenyAllInBound" },
	{ "a tag before a rule of the same access",
	  "[{'name': 'a', 'priority': 100, 'sourceAddressPrefix': 'AzureCloud'}, {'name': 'b', "
	  "'priority': 110}]",
	  "203.0.113.7", "allow", "b" },
	{ "::/0 does not speak of IPv4",
	  "[{'name': 'a', 'priority': 100, 'sourceAddressPrefix': '::/0'}]", "203.0.113.7", "deny",
	  "DenyAllInBound" },
	{ "the public address as destination",
	  "[{'name': 'a', 'priority': 100, 'destinationAddressPrefix': '20.51.230.13'}]",
	  "203.0.113.7", "deny", "DenyAllInBound" },
	{ "the VNet as destination",
	  "[{'name': 'a', 'priority': 100, 'destinationAddressPrefix': 'VirtualNetwork'}]",
	  "203.0.113.7", "allow", "a" },
	{ "an empty side", "[{'name': 'a', 'priority': 100, 'sourceAddressPrefix': ''}]",
	  "203.0.113.7", "unknown", NULL },
	{ "no priority", "[{'name': 'a'}]", "203.0.113.7", "unknown", NULL },
	{ "no port", "[{'name': 'a', 'priority': 100, 'destinationPortRange': null}]",
	  "203.0.113.7", "unknown", NULL },
	{ "a direction nobody knows", "[{'name': 'a', 'priority': 100, 'direction': 'Sideways'}]",
	  "203.0.113.7", "unknown", NULL },
	{ "outbound rules do not matter",
	  "[{'name': 'a', 'priority': 100, 'direction': 'Outbound', 'access': 'Nonsense'}]",
	  "203.0.113.7", "deny", "DenyAllInBound" },
	{ "several ports in one text",
	  "[{'name': 'a', 'priority': 100, 'destinationPortRange': '80, 22,443-445'}]",
	  "203.0.113.7", "allow", "a" },
	{ "several ports in one text, ours not",
	  "[{'name': 'a', 'priority': 100, 'destinationPortRange': '80,443'}]", "203.0.113.7",
	  "deny", "DenyAllInBound" },
	{ "one of several ports is nonsense",
	  "[{'name': 'a', 'priority': 100, 'destinationPortRange': '80,x'}]", "203.0.113.7",
	  "unknown", NULL },
	{ "several prefixes in one text",
	  "[{'name': 'a', 'priority': 100, 'sourceAddressPrefix': '10.0.0.0/8, 203.0.113.7'}]",
	  "203.0.113.7", "allow", "a" },
	{ "numbers in the list of ports",
	  "[{'name': 'a', 'priority': 100, 'destinationPortRange': null, 'destinationPortRanges': "
	  "[80, 22]}]",
	  "203.0.113.7", "allow", "a" },
	{ "the whole range of ports",
	  "[{'name': 'a', 'priority': 100, 'destinationPortRange': '0-65535', 'sourcePortRange': "
	  "'0-65535'}]",
	  "203.0.113.7", "allow", "a" },
	{ "every word in odd case",
	  "[{'name': 'a', 'priority': '100', 'protocol': 'TCP', 'access': 'ALLOW', 'direction': "
	  "'inbound', 'sourceAddressPrefix': 'ANY',"
	  "'destinationAddressPrefix': 'any', 'destinationPortRange': 'Any'}]",
	  "203.0.113.7", "allow", "a" },
	{ "a protocol as a number", "[{'name': 'a', 'priority': 100, 'protocol': 6}]",
	  "203.0.113.7", "allow", "a" },
	{ "single fields empty, lists filled",
	  "[{'name': 'a', 'priority': 100, 'sourceAddressPrefix': '', 'sourceAddressPrefixes': "
	  "['203.0.113.0/24'],"
	  "'destinationAddressPrefix': null, 'destinationAddressPrefixes': ['10.0.0.0/24', "
	  "'10.0.1.0/24'], 'destinationPortRange': '',"
	  "'destinationPortRanges': ['22'], 'sourcePortRange': '', 'sourcePortRanges': "
	  "['1024-65535']}]",
	  "203.0.113.7", "allow", "a" },
	{ "some of the ports of a client",
	  "[{'name': 'a', 'priority': 100, 'sourcePortRange': '32768-60999'}]", "203.0.113.7",
	  "both", NULL },
	{ "no port of a client", "[{'name': 'a', 'priority': 100, 'sourcePortRange': '0-1023'}]",
	  "203.0.113.7", "deny", "DenyAllInBound" },
	{ "client ports in two ranges",
	  "[{'name': 'a', 'priority': 100, 'sourcePortRange': null, 'sourcePortRanges': "
	  "['30000-65535', '1024-30000']}]",
	  "203.0.113.7", "allow", "a" },
	{ "a deny of one priority with an allow",
	  "[{'name': 'a', 'priority': 100}, {'name': 'b', 'priority': 100, 'access': 'Deny', "
	  "'destinationPortRange': '80'}]",
	  "203.0.113.7", "allow", "a" },
	{ "a broken allow in front",
	  "[{'name': 'a', 'priority': 100}, {'name': 'b', 'priority': 90, 'protocol': {}}]",
	  "203.0.113.7", "allow", "a" },
	{ "a broken deny in front",
	  "[{'name': 'b', 'priority': 90, 'access': 'Deny', 'protocol': {}}, {'name': 'a', "
	  "'priority': 100}]",
	  "203.0.113.7", "unknown", NULL },
	{ "a broken deny behind",
	  "[{'name': 'b', 'priority': 190, 'access': 'Deny', 'protocol': {}}, {'name': 'a', "
	  "'priority': 100}]",
	  "203.0.113.7", "allow", "a" },
	{ "a group without an id",
	  "[{'name': 'a', 'priority': 100, 'destinationAddressPrefix': '', "
	  "'destinationApplicationSecurityGroups': [{}]}]",
	  "203.0.113.7", "unknown", NULL },
	{ "IPv6 by a prefix",
	  "[{'name': 'a', 'priority': 100, 'sourceAddressPrefix': '2001:db8::/32'}]", "2001:db8::7",
	  "allow", "a" },
	{ "IPv6 by everything", "[{'name': 'a', 'priority': 100}]", "2001:db8::7", "allow", "a" },
	{ "IPv6 by the Internet",
	  "[{'name': 'a', 'priority': 100, 'sourceAddressPrefix': 'Internet'}]", "2001:db8::7",
	  "allow", "a" },
	{ "IPv6 is not 0.0.0.0/0",
	  "[{'name': 'a', 'priority': 100, 'sourceAddressPrefix': '0.0.0.0/0'}]", "2001:db8::7",
	  "deny", "DenyAllInBound" },
	{ "any public source, all allowed",
	  "[{'name': 'a', 'priority': 100, 'sourceAddressPrefix': '0.0.0.0/0'}]", NULL, "allow",
	  "a" },
	{ "any public source, all allowed in halves",
	  "[{'name': 'a', 'priority': 100, 'sourceAddressPrefix': '0.0.0.0/1'}, {'name': 'b', "
	  "'priority': 110,"
	  "'sourceAddressPrefix': '128.0.0.0/1'}]",
	  NULL, "allow", "b" },
	{ "any public source, some allowed",
	  "[{'name': 'a', 'priority': 100, 'sourceAddressPrefix': '0.0.0.0/1'}]", NULL, "both",
	  "DenyAllInBound" },
	{ "any public source, private ones allowed",
	  "[{'name': 'a', 'priority': 100, 'sourceAddressPrefix': '10.0.0.0/8'}]", NULL, "deny",
	  "DenyAllInBound" },
};

START_TEST(rules_are_evaluated)
{
	struct nsg_flow flow;
	struct nsg_result result;
	struct nsg nsg;
	struct net net;
	const json_t *body;
	const char *verdict;

	net_start(&net);
	net_rules(&net, NSG_ID, table[_i].rules);
	facts_resource(&net.facts, NSG_ID, &body, NULL);
	flow_from(&flow, table[_i].source, "10.0.0.4", 22);
	nsg_from_body(body, &nsg);
	nsg_evaluate(&nsg, &flow, &result);
	verdict = result.can_allow && result.can_deny
		      ? result.unknown_field != NULL ? "unknown" : "both"
		  : result.can_allow ? "allow"
				     : "deny";
	ck_assert_msg(strcmp(verdict, table[_i].verdict) == 0, "%s: %s", table[_i].name, verdict);
	if (table[_i].decider != NULL)
		ck_assert_msg(result.decider != NULL &&
				  strcmp(result.decider->name, table[_i].decider) == 0,
			      "%s: decided by %s", table[_i].name,
			      result.decider != NULL ? result.decider->name : "nothing");
	nsg_result_free(&result);
	nsg_free(&nsg);
	ip_set_free(&flow.source);
	net_end(&net);
}
END_TEST

START_TEST(a_free_priority_is_found_before_the_deny)
{
	struct nsg_gate gate = { .scope = NSG_SCOPE_NIC };
	struct nsg_flow flow;
	struct net net;
	char name[40];

	net_start(&net);
	net_rules(&net, NSG_ID,
		  "[{'name': 'Allow-SSH-me', 'direction': 'Outbound', 'priority': 102}, {'name': "
		  "'a', 'priority': 101, 'protocol': 'Udp'},"
		  "{'name': 'no', 'priority': 102, 'access': 'Deny'}]");
	facts_resource(&net.facts, NSG_ID, &gate.ref.body, NULL);
	flow_from(&flow, "203.0.113.7", "10.0.0.4", 22);
	nsg_from_body(gate.ref.body, &gate.nsg);
	nsg_evaluate(&gate.nsg, &flow, &gate.result);
	ck_assert_int_eq(nsg_free_priority(&gate), 100);
	nsg_free_name(&gate, name, sizeof(name));
	ck_assert_str_eq(name, "allow-ssh-me-2");
	nsg_result_free(&gate.result);
	nsg_free(&gate.nsg);
	ip_set_free(&flow.source);
	net_end(&net);
}
END_TEST

/* ---- the naive evaluator: text in, one flow, every rule asked in order, nothing shared with the
 * real one ---- */

struct naive_rule {
	int priority;
	bool allow;
	char protocol[8];
	uint32_t source[3], source_mask[3];
	unsigned sources;
	uint32_t destination, destination_mask;
	unsigned from[2], to[2], ranges;
};

struct naive_flow {
	uint32_t source, destination;
	unsigned port;
};

static uint32_t
mask_of(unsigned length)
{
	uint32_t mask = 0;

	for (unsigned bit = 0; bit < length; bit++)
		mask |= 0x80000000u >> bit;
	return mask;
}

static bool
naive_matches(const struct naive_rule *rule, const struct naive_flow *flow)
{
	bool source = false, port = false;

	if (strcmp(rule->protocol, "*") != 0 && strcmp(rule->protocol, "Tcp") != 0)
		return false;
	for (unsigned i = 0; i < rule->sources; i++)
		source |= (flow->source & rule->source_mask[i]) ==
			  (rule->source[i] & rule->source_mask[i]);
	for (unsigned i = 0; i < rule->ranges; i++)
		port |= rule->from[i] <= flow->port && flow->port <= rule->to[i];
	return source && port &&
	       (flow->destination & rule->destination_mask) ==
		   (rule->destination & rule->destination_mask);
}

/* 1 allowed, 0 denied. No rule of lower number than the found one may match, so the smallest
 * matching number wins. */
static int
naive_evaluate(const struct naive_rule *rules, size_t count, const struct naive_flow *flow)
{
	int best = 65500, verdict = 0;

	for (size_t i = 0; i < count; i++)
		if (rules[i].priority < best && naive_matches(&rules[i], flow)) {
			best = rules[i].priority;
			verdict = rules[i].allow;
		}
	return verdict;
}

static uint64_t seed = 20260101;

static unsigned
dice(unsigned sides)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % sides;
}

/* Addresses from a small world, so that rules and flows meet often. */
static uint32_t
random_ip(void)
{
	static const uint32_t nets[] = { 0xcb007100, 0xc6336400, 0x14331000, 0x08080800 };

	return nets[dice(4)] | dice(256);
}

static void
random_rule(struct naive_rule *rule, int priority)
{
	static const char *const protocols[] = { "*", "Tcp", "Tcp", "Udp", "Icmp" };

	*rule = (struct naive_rule){ .priority = priority,
				     .allow = dice(2) == 0,
				     .sources = 1 + dice(3),
				     .ranges = 1 + dice(2) };
	snprintf(rule->protocol, sizeof(rule->protocol), "%s", protocols[dice(5)]);
	for (unsigned i = 0; i < rule->sources; i++) {
		rule->source[i] = random_ip();
		rule->source_mask[i] = mask_of(dice(3) == 0 ? dice(33) : 20 + dice(13));
	}
	rule->destination = 0x0a000000 | dice(8);
	rule->destination_mask = mask_of(dice(3) == 0 ? 29 + dice(4) : dice(30));
	for (unsigned i = 0; i < rule->ranges; i++) {
		rule->from[i] = 15 + dice(10);
		rule->to[i] = rule->from[i] + dice(10);
	}
}

static void
append_prefix(json_t *list, uint32_t ip, uint32_t mask)
{
	unsigned length = 0;

	while (length < 32 && (mask & (0x80000000u >> length)) != 0)
		length++;
	if (length == 0 && dice(2) == 0)
		json_array_append_new(list, json_string("*"));
	else
		json_array_append_new(list, json_sprintf("%u.%u.%u.%u/%u", ip >> 24, ip >> 16 & 255,
							 ip >> 8 & 255, ip & 255, length));
}

static json_t *
rule_json(const struct naive_rule *rule, size_t index)
{
	json_t *sources = json_array(), *destinations = json_array(), *ports = json_array();

	for (unsigned i = 0; i < rule->sources; i++)
		append_prefix(sources, rule->source[i], rule->source_mask[i]);
	append_prefix(destinations, rule->destination, rule->destination_mask);
	for (unsigned i = 0; i < rule->ranges; i++)
		json_array_append_new(ports,
				      rule->from[i] == rule->to[i]
					  ? json_sprintf("%u", rule->from[i])
					  : json_sprintf("%u-%u", rule->from[i], rule->to[i]));
	return json_pack("{s:o, s:{s:s, s:s, s:i, s:s, s:o, s:o, s:s, s:o}}", "name",
			 json_sprintf("r%zu", index), "properties", "direction", "Inbound",
			 "access", rule->allow ? "Allow" : "Deny", "priority", rule->priority,
			 "protocol", rule->protocol, "sourceAddressPrefixes", sources,
			 "destinationAddressPrefixes", destinations, "sourcePortRange", "*",
			 "destinationPortRanges", ports);
}

/* Every possible source at once, against one by one (nsg_random_test.c has the other comparisons):
 * what it allows for certain every sample must be allowed, and the other way round. */
START_TEST(an_unknown_source_is_judged_as_all_of_them)
{
	for (unsigned set = 0; set < 2000; set++) {
		struct naive_rule rules[8];
		size_t count = 1 + dice(8);
		json_t *list = json_array(), *body;
		struct nsg_flow flow;
		struct nsg_result result;
		struct nsg nsg;

		for (size_t i = 0; i < count; i++) {
			random_rule(&rules[i], (int)(100 + 10 * i));
			json_array_append_new(list, rule_json(&rules[i], i));
		}
		body =
		    json_pack("{s:s, s:{s:o}}", "id", NSG_ID, "properties", "securityRules", list);
		flow_from(&flow, NULL, "10.0.0.3", 22);
		nsg_from_body(body, &nsg);
		nsg_evaluate(&nsg, &flow, &result);
		for (unsigned f = 0; f < 20; f++) {
			struct naive_flow plain = { random_ip(), 0x0a000003, 22 };
			struct ip source = { 0, 0xffff00000000u | plain.source };
			int verdict = naive_evaluate(rules, count, &plain);
			bool inside = false;

			for (size_t i = 0; i < result.allowed.count; i++)
				inside |= range_has(&result.allowed.list[i], source);
			ck_assert(verdict ? result.can_allow : result.can_deny);
			ck_assert_int_eq(inside, verdict);
		}
		nsg_result_free(&result);
		ip_set_free(&flow.source);
		nsg_free(&nsg);
		json_decref(body);
	}
}
END_TEST

/* Lists that ascend are searched, others read through: both say the same. */
START_TEST(ascending_lists_say_what_others_say)
{
	json_t *up = json_array(), *down = json_array(), *body;
	struct nsg nsg;

	for (unsigned i = 0; i < 300; i++) {
		json_array_append_new(
		    up, json_sprintf("10.%u.%u.0/%u", i / 50, i * 5 % 250, 22 + i % 9));
		json_array_insert(down, 0, json_array_get(up, i));
	}
	body = json_pack(
	    "{s:{s:[{s:{s:s, s:s, s:s, s:i, s:o}}, {s:{s:s, s:s, s:s, s:i, s:o}}]}}", "properties",
	    "securityRules", "properties", "direction", "Inbound", "access", "Deny", "protocol",
	    "*", "priority", 100, "sourceAddressPrefixes", up, "properties", "direction", "Inbound",
	    "access", "Deny", "protocol", "*", "priority", 101, "sourceAddressPrefixes", down);
	nsg_from_body(body, &nsg);
	ck_assert(nsg.rules[0].source.sorted && !nsg.rules[1].source.sorted);
	for (unsigned i = 0; i < 20000; i++) {
		uint64_t from = 0xffff0a000000u + dice(0x70000), to = from + dice(3) * dice(2000);
		struct ip_range range = { { 0, from }, { 0, to } };

		ck_assert_int_eq(nsg_side_meets(&nsg.rules[0].source, &range),
				 nsg_side_meets(&nsg.rules[1].source, &range));
	}
	nsg_free(&nsg);
	json_decref(body);
}
END_TEST

/* A thousand rules with four thousand prefixes each side: no quadratic step. The budget itself is
 * shown by the benchmark. */
START_TEST(a_thousand_rules_are_evaluated)
{
	json_t *list = json_array(), *body, *many = json_array();
	struct timespec a, b;
	struct nsg_flow flow;
	struct nsg_result result;
	struct nsg nsg;

	for (unsigned i = 4000; i-- > 0;) /* descending, so that each has to be looked at */
		json_array_append_new(many, json_sprintf("20.%u.%u.0/25", i / 256, i % 256));
	for (int i = 0; i < 1000; i++)
		json_array_append_new(
		    list, json_pack("{s:o, s:{s:s, s:s, s:i, s:s, s:O, s:O, s:s, s:s}}", "name",
				    json_sprintf("r%d", i), "properties", "direction", "Inbound",
				    "access", "Deny", "priority", 100 + i, "protocol", "Tcp",
				    "sourceAddressPrefixes", many, "destinationAddressPrefixes",
				    many, "sourcePortRange", "*", "destinationPortRange", "22"));
	body = json_pack("{s:s, s:{s:o}}", "id", NSG_ID, "properties", "securityRules", list);
	flow_from(&flow, "20.7.7.200", "20.0.0.4",
		  22); /* between the prefixes, and in the last of them */
	nsg_from_body(body, &nsg);
	clock_gettime(CLOCK_MONOTONIC, &a);
	nsg_evaluate(&nsg, &flow, &result);
	clock_gettime(CLOCK_MONOTONIC, &b);
	ck_assert(result.can_deny && !result.can_allow);
	if (getenv("NSG_TIME") != NULL)
		fprintf(stderr, "evaluated in %.2f ms\n",
			(double)(b.tv_sec - a.tv_sec) * 1e3 +
			    (double)(b.tv_nsec - a.tv_nsec) / 1e6);
	nsg_result_free(&result);
	nsg_free(&nsg);
	ip_set_free(&flow.source);
	json_decref(many);
	json_decref(body);
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof(*(array))))

int
main(void)
{
	Suite *suite = suite_create("nsg");
	TCase *rules = tcase_create("rules"), *random = tcase_create("random"),
	      *size = tcase_create("size");
	SRunner *runner = srunner_create(suite);

	tcase_add_loop_test(rules, rules_are_evaluated, 0, COUNT(table));
	tcase_add_test(rules, a_free_priority_is_found_before_the_deny);
	tcase_set_timeout(random, 300);
	tcase_add_test(random, ascending_lists_say_what_others_say);
	tcase_add_test(random, an_unknown_source_is_judged_as_all_of_them);
	tcase_set_timeout(size, 300);
	tcase_add_test(size, a_thousand_rules_are_evaluated);
	suite_add_tcase(suite, rules);
	suite_add_tcase(suite, random);
	suite_add_tcase(suite, size);
	srunner_run_all(runner, CK_SILENT);
	srunner_free(runner);
	return 0;
}
