/* Payloads with one thing broken, in every place and in every way: no check crashes, nothing is
 * called allowed because of it, and the field that decides is named. */
#include "tests/unit/checks/on_facts.h"
#include "tests/unit/net_fixture.h"

#include <check.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct check *const checks[] = {
	&check_table[CHECK_VM_STATE], &check_table[CHECK_PUBLIC_IP], &check_table[CHECK_NSG],
	&check_table[CHECK_JIT],      &check_table[CHECK_ROUTE],     &check_table[CHECK_VM_OS]
};

static struct rules *rules;

/* What takes a value's place; NULL takes it away. */
static const char *const breaks[] = { NULL,     "null",       "{}",        "[]",
				      "''",     "'nonsense'", "-1",        "99999999999999",
				      "1.5",    "true",       "'30-20'",   "'300.1.2.3/40'",
				      "[null]", "[{}]",       "{'id': 7}", "'\\u00e9\\u0007x'" };

#define BREAKS (sizeof(breaks) / sizeof(*breaks))

/* ---- the places ---- */

struct places {
	char *at[400]; /* "properties.securityRules.0.properties.access" */
	size_t count;
};

static void
find_places(const json_t *value, const char *at, struct places *ret)
{
	const char *key;
	json_t *one;
	size_t i;

	if (*at != '\0' && ret->count < sizeof(ret->at) / sizeof(*ret->at))
		ret->at[ret->count++] = strdup(at);
	json_object_foreach ((json_t *)(uintptr_t)value, key, one) {
		char *below = doc_fmt("%s%s%s", at, *at != '\0' ? "." : "", key);

		find_places(one, below, ret);
		free(below);
	}
	json_array_foreach (value, i, one) {
		char *below = doc_fmt("%s.%zu", at, i);

		find_places(one, below, ret);
		free(below);
	}
}

/* Puts a new value (or none) at the place. */
static void
break_at(json_t *body, const char *place, const char *with)
{
	char *copy = strdup(place), *name = copy, *dot;

	for (; (dot = strchr(name, '.')) != NULL; name = dot + 1) {
		*dot = '\0';
		body = json_is_array(body) ? json_array_get(body, strtoul(name, NULL, 10))
					   : json_object_get(body, name);
	}
	if (json_is_array(body) && with == NULL)
		json_array_remove(body, strtoul(name, NULL, 10));
	else if (json_is_array(body))
		json_array_set_new(body, strtoul(name, NULL, 10), net_json(with));
	else if (with == NULL)
		json_object_del(body, name);
	else
		json_object_set_new(body, name, net_json(with));
	free(copy);
}

/* ---- the payloads ---- */

#define JIT_RULE                                                                                   \
	"{'name': "                                                                                \
	"'MicrosoftDefenderForCloud-JITRule_-1151891693_545C4C45D4B04C2E8B1B3B8C3B1E8A4F', "       \
	"'priority': 4096, 'access': 'Deny',"                                                      \
	"'protocol': '*', 'destinationAddressPrefix': '10.0.0.4'}"

static void
plain_world(struct net *net)
{
	net_start(net);
}

/* The group stands at the subnet alone. */
static void
subnet_world(struct net *net)
{
	net_start(net);
	net_rules(
	    net, SUBNET_NSG_ID,
	    "[{'name': 'allow-ssh', 'priority': 300, 'sourceAddressPrefix': '203.0.113.7/32'}]");
	net_patch(net, SUBNET_ID,
		  "{'properties': {'networkSecurityGroup': {'id': '" SUBNET_NSG_ID "'}}}");
	net_patch(net, NIC_ID, "{'properties': {'networkSecurityGroup': null}}");
}

/* No group anywhere: the kind of the public address decides. */
static void
bare_world(struct net *net)
{
	net_start(net);
	net_patch(net, NIC_ID, "{'properties': {'networkSecurityGroup': null}}");
}

static void
jit_world(struct net *net)
{
	net_start(net);
	net_rules(net, NSG_ID, "[" JIT_RULE "]");
	net_put(net, JIT_ID,
		"{'id': '" JIT_ID
		"', 'name': 'default', 'properties': {'virtualMachines': [{'id': '" VM_ID "',"
		"'ports': [{'number': 22, 'protocol': '*', 'allowedSourceAddressPrefix': '*', "
		"'maxRequestAccessDuration': 'PT3H'}]}],"
		"'requests': [{'requestor': 'a@b.c', 'startTimeUtc': '2026-01-01T10:00:00Z', "
		"'virtualMachines': [{'id': '" VM_ID "', 'ports': [{"
		"'number': 22, 'allowedSourceAddressPrefix': '203.0.113.7', 'endTimeUtc': "
		"'2026-01-01T13:00:00Z', 'status': 'Initiated'}]}]}]}}");
	net_section(net, FACT_JIT, "{'policies': ['" JIT_ID "']}");
}

static void
admin_world(struct net *net)
{
	net_start(net);
	net_rules(net, NSG_ID, "[]");
	net_put(net, VNET_ID "/listNetworkManagerEffectiveSecurityAdminRules",
		"{'value': [{'id': '" NET "/networkManagers/avnm/"
		"securityAdminConfigurations/c/ruleCollections/r/rules/ssh', 'properties': "
		"{'protocol': 'Tcp', 'sources': [{'addressPrefixType': 'IPPrefix',"
		"'addressPrefix': '203.0.113.0/24'}], 'destinations': [{'addressPrefixType': "
		"'IPPrefix', 'addressPrefix': '*'}], 'sourcePortRanges': ['0-65535'],"
		"'destinationPortRanges': ['22'], 'direction': 'Inbound', 'access': 'AlwaysAllow', "
		"'priority': 1}}]}");
}

static void
effective_world(struct net *net)
{
	net_start(net);
	net_rules(net, NSG_ID,
		  "[{'name': 'cloud', 'priority': 300, 'sourceAddressPrefix': 'AzureCloud'}]");
	net_put(net, NIC_ID "/effectiveNetworkSecurityGroups",
		"{'value': [{'networkSecurityGroup': {'id': '" NSG_ID "'}, 'association':"
		"{'networkInterface': {'id': '" NIC_ID
		"'}}, 'effectiveSecurityRules': [{'name': 'securityRules/cloud', 'protocol': 'Tcp',"
		"'sourcePortRange': '0-65535', 'destinationPortRange': '22-22', "
		"'sourceAddressPrefix': 'AzureCloud', 'expandedSourceAddressPrefix':"
		"['203.0.113.0/24'], 'destinationAddressPrefix': '0.0.0.0/0', 'access': 'Allow', "
		"'priority': 300, 'direction': 'Inbound'}, {'name':"
		"'defaultSecurityRules/DenyAllInBound', 'protocol': 'All', 'sourcePortRange': "
		"'0-65535', 'destinationPortRange': '0-65535',"
		"'sourceAddressPrefix': '0.0.0.0/0', 'destinationAddressPrefix': '0.0.0.0/0', "
		"'access': 'Deny', 'priority': 65500, 'direction': 'Inbound'}]}]}");
	net_put(net, NIC_ID "/ipFlowVerify",
		"{'access': 'Allow', 'ruleName': 'UserRule_cloud', 'asked': {'remoteIPAddress': "
		"'203.0.113.7',"
		"'localIPAddress': '10.0.0.4', 'localPort': '22'}}");
}

#define RULE "properties.securityRules.0.properties."

static const struct payload {
	const char *name, *id;
	void (*world)(struct net *net);
	const char *decides[16]; /* places whose damage must never leave an "allow"; what lies below
				    counts as well with a '*' at the end */
	const char *named[10];   /* of these, the places that must be unknown with the field's name
				    when something stands there still */
} payloads[] = {
	{ "the NIC's group",
	  NSG_ID,
	  plain_world,
	  { "properties", "properties.securityRules", "properties.securityRules.0",
	    "properties.securityRules.0.properties", RULE "access", RULE "direction",
	    RULE "priority", RULE "protocol", RULE "sourceAddressPrefix",
	    RULE "destinationAddressPrefix", RULE "sourcePortRange", RULE "destinationPortRange" },
	  { RULE "access", RULE "direction", RULE "priority", RULE "protocol",
	    RULE "sourceAddressPrefix", RULE "destinationAddressPrefix", RULE "sourcePortRange",
	    RULE "destinationPortRange" } },
	{ "the subnet's group",
	  SUBNET_NSG_ID,
	  subnet_world,
	  { "properties", "properties.securityRules", "properties.securityRules.0",
	    "properties.securityRules.0.properties", RULE "access", RULE "direction",
	    RULE "priority", RULE "protocol", RULE "sourceAddressPrefix",
	    RULE "destinationAddressPrefix", RULE "sourcePortRange", RULE "destinationPortRange" },
	  { RULE "access", RULE "direction", RULE "priority", RULE "protocol",
	    RULE "sourceAddressPrefix", RULE "destinationAddressPrefix", RULE "sourcePortRange",
	    RULE "destinationPortRange" } },
	{ "the NIC",
	  NIC_ID,
	  plain_world,
	  { "properties", "properties.networkSecurityGroup*", "properties.ipConfigurations",
	    "properties.ipConfigurations.0", "properties.ipConfigurations.0.properties",
	    "properties.ipConfigurations.0.properties.subnet*" },
	  { NULL } },
	{ "the subnet", SUBNET_ID, subnet_world, { "properties" }, { NULL } },
	{ "the subnet's reference",
	  SUBNET_ID,
	  subnet_world,
	  { "properties.networkSecurityGroup*" },
	  { NULL } },
	{ "the public address", PIP_ID, bare_world, { "sku*", "properties*" }, { NULL } },
	{ "the NIC without a group",
	  NIC_ID,
	  bare_world,
	  { "properties", "properties.ipConfigurations.0.properties.subnet*" },
	  { NULL } },
	{ "the VM",
	  VM_ID,
	  plain_world,
	  { "properties.networkProfile.networkInterfaces.0.id" },
	  { NULL } },
	{ "the VNet", VNET_ID, plain_world, { NULL }, { NULL } },
	{ "the admin rules",
	  VNET_ID "/listNetworkManagerEffectiveSecurityAdminRules",
	  admin_world,
	  { "value", "value.0", "value.0.properties", "value.0.properties.access",
	    "value.0.properties.protocol", "value.0.properties.priority",
	    "value.0.properties.direction", "value.0.properties.destinationPortRanges*",
	    "value.0.properties.sourcePortRanges*", "value.0.properties.sources.0.addressPrefix" },
	  { NULL } },
	{ "the effective rules",
	  NIC_ID "/effectiveNetworkSecurityGroups",
	  effective_world,
	  { "value.0.effectiveSecurityRules", "value.0.effectiveSecurityRules.0",
	    "value.0.effectiveSecurityRules.0.access", "value.0.effectiveSecurityRules.0.priority",
	    "value.0.effectiveSecurityRules.0.protocol",
	    "value.0.effectiveSecurityRules.0.direction",
	    "value.0.effectiveSecurityRules.0.destinationPortRange",
	    "value.0.effectiveSecurityRules.0.expandedSourceAddressPrefix*" },
	  { NULL } },
	{ "IP flow verify", NIC_ID "/ipFlowVerify", effective_world, { NULL }, { NULL } },
	{ "just-in-time access", JIT_ID, jit_world, { NULL }, { NULL } },
};

static bool
place_in(const char *const *list, size_t count, const char *place)
{
	for (size_t i = 0; i < count && list[i] != NULL; i++) {
		size_t len = strlen(list[i]);

		if (strcmp(list[i], place) == 0)
			return true;
		if (list[i][len - 1] == '*' && strncmp(list[i], place, len - 1) == 0 &&
		    (place[len - 1] == '\0' || place[len - 1] == '.'))
			return true;
	}
	return false;
}

static void
run(struct net *net, const struct check *check, struct finding *finding)
{
	static const char *const dialects[] = { "az", "powershell", "portal", NULL };
	json_t *globals = globals_on(&net->facts);
	struct rule rule = rules_for(rules, check->id);

	finding_init(finding, check->id);
	check_on(&net->facts, check, &rule, finding);
	ck_assert_int_eq(finding_fill_in(finding, rules, globals, dialects), 0);
	json_decref(globals);
}

/* What is said of the rules in this broken world. */
static void
judge_rules(const struct payload *payload, const char *place, const char *with,
	    const struct finding *finding)
{
	const char *field = doc_str(finding->evidence, "field"), *last = strrchr(place, '.');
	bool tag = with != NULL && strcmp(with, "'nonsense'") == 0 &&
		   strstr(place, "AddressPrefix") != NULL; /* as good a name as any */
	bool named = !tag && place_in(payload->named,
				      sizeof(payload->named) / sizeof(*payload->named), place);

	if (place_in(payload->decides, sizeof(payload->decides) / sizeof(*payload->decides), place))
		ck_assert_msg(finding->status != PASS &&
				  !doc_is(finding->evidence, "verdict", "allow"),
			      "%s: %s as %s is called allowed: %s", payload->name, place,
			      with != NULL ? with : "nothing", finding->summary);
	if (named)
		ck_assert_msg(finding->status == UNKNOWN && field != NULL &&
				  strncmp(field, last + 1, strlen(last + 1)) == 0,
			      "%s: %s as %s is %s %s, field %s: %s", payload->name, place,
			      with != NULL ? with : "nothing", status_word(finding->status),
			      finding->code, field != NULL ? field : "not named", finding->summary);
}

/* The parts of a request without which it must not count as active. */
static void
judge_request(const char *place, const char *with, const struct finding *finding)
{
	static const char *const decides[] = { "properties", "properties.requests",
					       "properties.requests.0",
					       "properties.requests.0.virtualMachines*", NULL };

	if (place_in(decides, 5, place))
		ck_assert_msg(!doc_is(finding->evidence, "state", "active"),
			      "%s as %s counts as active: %s", place,
			      with != NULL ? with : "nothing", finding->summary);
}

static void
try_one(const struct payload *payload, const char *place, const char *with)
{
	struct finding finding;
	const json_t *body;
	struct net net;

	payload->world(&net);
	facts_resource(&net.facts, payload->id, &body, NULL);
	break_at((json_t *)(uintptr_t)body, place, with);
	for (size_t i = 0; i < sizeof(checks) / sizeof(*checks); i++) {
		run(&net, checks[i], &finding);
		if (checks[i] == &check_table[CHECK_NSG])
			judge_rules(payload, place, with, &finding);
		if (checks[i] == &check_table[CHECK_JIT] && payload->world == jit_world &&
		    strcmp(payload->id, JIT_ID) == 0)
			judge_request(place, with, &finding);
		finding_free(&finding);
	}
	net_end(&net);
}

START_TEST(what_is_broken_is_never_called_allowed)
{
	const struct payload *payload = &payloads[_i];
	struct places places = { .count = 0 };
	const json_t *body;
	struct net net;

	payload->world(&net);
	ck_assert_int_eq(facts_resource(&net.facts, payload->id, &body, NULL), FACT_KNOWN);
	find_places(body, "", &places);
	net_end(&net);
	ck_assert_uint_gt(places.count, 2);
	for (size_t i = 0; i < places.count; i++) {
		for (size_t k = 0; k < BREAKS; k++)
			try_one(payload, places.at[i], breaks[k]);
		free(places.at[i]);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("broken payloads");
	TCase *tc = tcase_create("broken");
	SRunner *runner = srunner_create(suite);
	struct err err = { "" };

	if (rules_default(&rules, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, what_is_broken_is_never_called_allowed, 0,
			    (int)(sizeof(payloads) / sizeof(*payloads)));
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_SILENT);
	srunner_free(runner);
	rules_free(rules);
	return 0;
}
