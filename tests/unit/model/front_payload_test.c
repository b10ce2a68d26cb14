/* What stands in front of a VM, as Azure's own examples show it: firewalls, a policy's rules, IP
 * groups, load balancers, peerings, Bastions (tests/data/azure). */
#include "model/address.h"
#include "facts/arm.h"
#include "tests/unit/net_fixture.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SPEC "/subscriptions/subid/resourceGroups/rg1/providers/Microsoft.Network/"
#define GROUP_ID SPEC "ipGroups/ipGroups1"

/* The body of an example; the caller owns it. */
static json_t *
example(const char *name)
{
	const char *source = getenv("srcdir");
	char path[1024];
	json_t *file, *body;

	snprintf(path, sizeof(path), "%s/tests/data/azure/%s.json", source != NULL ? source : ".",
		 name);
	file = json_load_file(path, 0, NULL);
	ck_assert_msg(file != NULL, "%s cannot be read", path);
	body = json_incref(
	    json_object_get(json_object_get(json_object_get(file, "responses"), "200"), "body"));
	json_decref(file);
	ck_assert(json_is_object(body));
	return body;
}

/* Into the facts, under its own id or another one. */
static void
put(struct net *net, const char *id, json_t *body)
{
	char key[ARM_ID_MAX];

	ck_assert_int_eq(arm_id_key(id != NULL ? id : doc_str(body, "id"), key, sizeof(key)), 0);
	json_object_set_new(doc_get(net->doc, "azure.resources"), key, body);
}

static struct net_path
path_of(const char *private)
{
	struct net_path path = { .has_private = true, .private_text = private };

	ck_assert_int_eq(ip_parse(private, &path.private_ip), 0);
	return path;
}

START_TEST(a_firewall_and_its_dnat_rules)
{
	const struct dnat_wish wish = { NULL, 22 };
	const struct net_path path = path_of("1.2.3.5");
	struct firewall firewall;
	struct dnat dnat;
	struct net net;

	net_start(&net);
	put(&net, NULL, example("AzureFirewallGet"));
	ck_assert(firewall_dnat_for(&net.facts, &path, 8443, &wish, &dnat));
	ck_assert_str_eq(dnat.rule, "DNAT-HTTPS-traffic");
	ck_assert_str_eq(dnat.address, "1.2.3.4");
	ck_assert_int_eq(dnat.port, 443);
	ck_assert_int_eq(dnat.takes, DNAT_FOR_US);
	ck_assert(!firewall_dnat_for(&net.facts, &path, 880, &wish, &dnat));
	ck_assert(firewall_by_address(&net.facts, "10.0.0.0", &firewall));
	ck_assert_str_eq(arm_id_name(firewall.subnet), "AzureFirewallSubnet");
	ck_assert(!firewall_by_address(&net.facts, "10.0.0.1", &firewall));
	net_end(&net);
}
END_TEST

START_TEST(a_rule_for_an_ip_group)
{
	static const struct {
		const char *source;
		enum dnat_source takes;
	} rows[] = { { "13.64.39.16", DNAT_FOR_US },
		     { "40.74.146.81", DNAT_FOR_US },
		     { "40.74.147.47", DNAT_FOR_US },
		     { "13.64.39.17", DNAT_FOR_OTHERS },
		     { "40.74.147.48", DNAT_FOR_OTHERS } };
	const struct dnat_wish wish = { NULL, 22 };
	const struct net_path path = path_of("1.2.3.5");
	struct dnat dnat;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		json_t *firewall = example("AzureFirewallGet"), *rule;
		char source[100];
		struct net net;

		net_start(&net);
		rule = json_array_get(
		    doc_get(json_array_get(doc_get(firewall, "properties.natRuleCollections"), 0),
			    "properties.rules"),
		    0);
		json_object_set_new(rule, "sourceAddresses", json_array());
		json_object_set_new(rule, "sourceIpGroups", json_pack("[s]", GROUP_ID));
		put(&net, NULL, firewall);
		snprintf(source, sizeof(source), "{'state':'known','ip':'%s'}", rows[i].source);
		net_section(&net, FACT_SOURCE, source);
		ck_assert(firewall_dnat_for(&net.facts, &path, 8443, &wish, &dnat));
		ck_assert_int_eq(dnat.takes, DNAT_DEPENDS); /* the group was not read */
		put(&net, GROUP_ID, example("IpGroupsGet"));
		ck_assert(firewall_dnat_for(&net.facts, &path, 8443, &wish, &dnat));
		ck_assert_msg(dnat.takes == rows[i].takes, "%s", rows[i].source);
		net_end(&net);
	}
}
END_TEST

/* The example's rule leads to a name, not to an address: that it leads to this VM shows nowhere. */
START_TEST(a_policys_rule_collection_group)
{
	const struct dnat_wish wish = { NULL, 8080 };
	const struct net_path path = path_of("10.0.0.4");
	json_t *firewall = example("AzureFirewallGet"), *group, *rule;
	struct dnat dnat;
	struct net net;

	net_start(&net);
	json_object_set_new(doc_get(firewall, "properties"), "firewallPolicy",
			    json_pack("{s:s}", "id", SPEC "firewallPolicies/firewallPolicy"));
	put(&net, NULL, firewall);
	group = example("FirewallPolicyNatRuleCollectionGroupPut");
	put(&net, NULL, json_incref(group));
	net_section(&net, FACT_SOURCE, "{'state':'known','ip':'2.2.2.2'}");
	ck_assert(!firewall_dnat_for(&net.facts, &path, 8080, &wish, &dnat));
	rule = json_array_get(
	    doc_get(json_array_get(doc_get(group, "properties.ruleCollections"), 0), "rules"), 0);
	json_object_set_new(rule, "translatedAddress", json_string("10.0.0.4"));
	ck_assert(firewall_dnat_for(&net.facts, &path, 8080, &wish, &dnat));
	ck_assert_str_eq(dnat.firewall, "azurefirewall");
	ck_assert_str_eq(dnat.address, "152.23.32.23");
	ck_assert_int_eq(dnat.takes, DNAT_FOR_US);
	json_decref(group);
	net_end(&net);
}
END_TEST

START_TEST(a_load_balancer)
{
	struct address list[8];
	struct net_path path = path_of("10.0.1.9");
	json_t *pools =
	    json_pack("[{s:s}]", "id", SPEC "loadBalancers/lb/backendAddressPools/be-lb");
	struct net net;
	size_t count;

	net_start(&net);
	put(&net, NULL, example("LoadBalancerGet"));
	path.pools = pools;
	count = balancer_ways(&net.facts, &path, 0, 80, true, list, 8);
	ck_assert_uint_eq(count, 1);
	ck_assert_int_eq(list[0].kind, ADDRESS_LB_RULE);
	ck_assert_str_eq(list[0].host, "10.0.1.4");
	ck_assert_str_eq(list[0].name, "rulelb");
	ck_assert_str_eq(list[0].sku, "Basic");
	ck_assert(list[0].internal && list[0].floating);
	ck_assert_str_eq(list[0].probe, "probe-lb");
	ck_assert_int_eq(list[0].backend_port, 80);
	path.pools = NULL;
	ck_assert_uint_eq(balancer_ways(&net.facts, &path, 0, 80, true, list, 8), 0);
	json_decref(pools);
	net_end(&net);
}
END_TEST

START_TEST(peerings)
{
	json_t *list = example("VirtualNetworkPeeringList"),
	       *vnet = json_pack("{s:{s:O}}", "properties", "virtualNetworkPeerings",
				 json_object_get(list, "value"));
	struct peering peering;

	ck_assert(net_peering_with(vnet,
				   "/subscriptions/subid/resourceGroups/peerTest/providers/"
				   "Microsoft.Network/virtualNetworks/vnet3",
				   &peering));
	ck_assert_str_eq(peering.state, "Initiated");
	ck_assert(!peering.closed);
	ck_assert(!net_peering_with(vnet, SPEC "virtualNetworks/vnet2", &peering));
	json_decref(vnet);
	json_decref(list);
}
END_TEST

START_TEST(bastions)
{
	json_t *list = example("BastionHostListBySubscription"), *each;
	struct net_path path = { .subnet = { .id = SPEC "virtualNetworks/vnet/subnets/default" } };
	struct bastion bastion;
	struct net net;
	size_t i;

	net_start(&net);
	json_array_foreach (json_object_get(list, "value"), i, each)
		put(&net, NULL, json_incref(each));
	ck_assert(bastion_for(&net.facts, &path, &bastion));
	ck_assert(bastion.ready && !bastion.tunneling && !bastion.usable && !bastion.peered);
	json_decref(list);
	net_end(&net);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("front payloads");
	TCase *tc = tcase_create("front payloads");
	SRunner *runner = srunner_create(suite);

	tcase_add_test(tc, a_firewall_and_its_dnat_rules);
	tcase_add_test(tc, a_rule_for_an_ip_group);
	tcase_add_test(tc, a_policys_rule_collection_group);
	tcase_add_test(tc, a_load_balancer);
	tcase_add_test(tc, peerings);
	tcase_add_test(tc, bastions);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_SILENT);
	srunner_free(runner);
	return 0;
}
