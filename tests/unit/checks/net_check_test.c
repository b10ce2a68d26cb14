/* The checks of Azure's side, each on a facts document broken in exactly one way. */
#include "tests/unit/checks/on_facts.h"
#include "tests/unit/net_fixture.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *id;
	const struct check *check;
} checks[] = { { "vm-state", &check_table[CHECK_VM_STATE] },
	       { "public-ip", &check_table[CHECK_PUBLIC_IP] },
	       { "nsg", &check_table[CHECK_NSG] },
	       { "jit", &check_table[CHECK_JIT] },
	       { "route", &check_table[CHECK_ROUTE] },
	       { "vm-os", &check_table[CHECK_VM_OS] } };

static struct rules *rules;

static void
run(struct net *net, const char *id, struct finding *finding)
{
	static const char *const dialects[] = { "az", "powershell", "portal", NULL };
	json_t *globals = globals_on(&net->facts);
	struct rule rule;

	for (size_t i = 0; i < sizeof(checks) / sizeof(*checks); i++)
		if (strcmp(checks[i].id, id) == 0) {
			rule = rules_for(rules, id);
			finding_init(finding, id);
			check_on(&net->facts, checks[i].check, &rule, finding);
			ck_assert_int_eq(finding_fill_in(finding, rules, globals, dialects), 0);
		}
	json_decref(globals);
}

/* A case: changes as pairs of (what, value), then what the check must say. */
struct change {
	enum { END, RULES, PUT, PATCH, FORBID, REMOVE, SECTION, ASKED } what;
	const char *id;
	const char *json;
	enum fact_section section;
};

struct expectation {
	const char *name, *check, *status, *code;
	const char *evidence; /* object whose members must stand in the evidence */
	const char *command;  /* must occur in the first az remedy; NULL: not looked at */
	const char *also;     /* code of a finding beside it, NULL: not looked at */
	struct change changes[7];
};

#define NIC_RULES(json)                                                                            \
	{                                                                                          \
		RULES, NSG_ID, json, 0                                                             \
	}
#define SUBNET_RULES(json)                                                                         \
	{ RULES, SUBNET_NSG_ID, json, 0 },                                                         \
	{                                                                                          \
		PATCH, SUBNET_ID,                                                                  \
		    "{'properties': {'networkSecurityGroup': {'id': '" SUBNET_NSG_ID "'}}}", 0     \
	}
#define VIEW(power)                                                                                \
	{                                                                                          \
		PATCH, VM_ID,                                                                      \
		    "{'properties': {'instanceView': {'statuses': [{'code': "                      \
		    "'ProvisioningState/succeeded'}, {'code': '" power "'}]}}}",                   \
		    0                                                                              \
	}
#define NO_PIP                                                                                     \
	{                                                                                          \
		PATCH, NIC_ID,                                                                     \
		    "{'properties': {'ipConfigurations': [{'id': '" NIC_ID                         \
		    "/ipConfigurations/ipconfig1', 'name': 'ipconfig1',"                           \
		    "'properties': {'privateIPAddress': '10.0.0.4', 'primary': true, 'subnet': "   \
		    "{'id': '" SUBNET_ID "'}}}]}}",                                                \
		    0                                                                              \
	}
#define EFFECTIVE(sources)                                                                         \
	{                                                                                          \
		PUT, NIC_ID "/effectiveNetworkSecurityGroups",                                     \
		    "{'value': [{'networkSecurityGroup': {'id': '" NSG_ID "'},"                    \
		    "'association': {'networkInterface': {'id': '" NIC_ID                          \
		    "'}}, 'effectiveSecurityRules': ["                                             \
		    "{'name': 'securityRules/cloud', 'protocol': 'Tcp', 'sourcePortRange': "       \
		    "'0-65535', 'destinationPortRange': '22-22', 'sourceAddressPrefix': "          \
		    "'AzureCloud',"                                                                \
		    "'expandedSourceAddressPrefix': " sources                                      \
		    ", 'destinationAddressPrefix': '0.0.0.0/0', 'access': 'Allow', 'priority': "   \
		    "300, 'direction': 'Inbound'},"                                                \
		    "{'name': 'defaultSecurityRules/DenyAllInBound', 'protocol': 'All', "          \
		    "'sourcePortRange': '0-65535', 'destinationPortRange': '0-65535',"             \
		    "'sourceAddressPrefix': '0.0.0.0/0', 'destinationAddressPrefix': "             \
		    "'0.0.0.0/0', 'access': 'Deny', 'priority': 65500, 'direction': "              \
		    "'Inbound'}]}]}",                                                              \
		    0                                                                              \
	}
#define FLOW(access, rule)                                                                         \
	{                                                                                          \
		PUT, NIC_ID "/ipFlowVerify",                                                       \
		    "{'access': '" access "', 'ruleName': '" rule                                  \
		    "', 'asked': {'remoteIPAddress': '203.0.113.7',"                               \
		    "'localIPAddress': '10.0.0.4', 'localPort': '22'}}",                           \
		    0                                                                              \
	}
#define BEHIND_FIREWALL                                                                            \
	NO_PIP,                                                                                    \
	    { PATCH, VNET_ID,                                                                      \
	      "{'properties': {'subnets': [{'id': '" VNET_ID                                       \
	      "/subnets/AzureFirewallSubnet', 'properties': {"                                     \
	      "'addressPrefix': '10.0.8.0/26'}}]}}",                                               \
	      0 },                                                                                 \
	    { PUT, NET "/publicIPAddresses/fw-ip",                                                 \
	      "{'properties': {'ipAddress': '20.51.230.60'}}", 0 },                                \
	{                                                                                          \
		PUT, NET "/azureFirewalls/fw",                                                     \
		    "{'id': '" NET "/azureFirewalls/fw', 'name': 'fw', 'properties': "             \
		    "{'ipConfigurations': [{'properties': {"                                       \
		    "'privateIPAddress': '10.0.8.4', 'subnet': {'id': '" VNET_ID                   \
		    "/subnets/AzureFirewallSubnet'}, 'publicIPAddress': {'id': '" NET              \
		    "/publicIPAddresses/fw-ip'}}}],"                                               \
		    "'natRuleCollections': [{'properties': {'action': {'type': 'Dnat'}, 'rules': " \
		    "[{'name': 'vm', 'protocols': ['TCP'], 'sourceAddresses': ['*'],"              \
		    "'destinationAddresses': ['20.51.230.60'], 'destinationPorts': ['2222'], "     \
		    "'translatedAddress': '10.0.0.4', 'translatedPort': '22'}]}}]}}",              \
		    0                                                                              \
	}
#define HUB_NSG                                                                                    \
	"/subscriptions/s2/resourceGroups/hub/providers/Microsoft.Network/networkSecurityGroups/"  \
	"central"
#define V6_WAY                                                                                     \
	{ PATCH, NIC_ID,                                                                           \
	  "{'properties': {'ipConfigurations': [{'id': '" NIC_ID                                   \
	  "/ipConfigurations/six', 'name': 'six', 'properties': {"                                 \
	  "'privateIPAddress': 'fd00::4', 'privateIPAddressVersion': 'IPv6', 'primary': true, "    \
	  "'publicIPAddress': {'id': '" PIP_ID "'},"                                               \
	  "'subnet': {'id': '" SUBNET_ID "'}}}]}}",                                                \
	  0 },                                                                                     \
	{                                                                                          \
		PATCH, PIP_ID,                                                                     \
		    "{'properties': {'ipAddress': '2603:1020::5', 'publicIPAddressVersion': "      \
		    "'IPv6'}}",                                                                    \
		    0                                                                              \
	}
#define ROUTES(json)                                                                               \
	{ PUT, NET "/routeTables/rt",                                                              \
	  "{'id': '" NET "/routeTables/rt', 'name': 'rt', 'properties': {'routes': " json "}}",    \
	  0 },                                                                                     \
	{                                                                                          \
		PATCH, SUBNET_ID,                                                                  \
		    "{'properties': {'routeTable': {'id': '" NET "/routeTables/rt'}}}", 0          \
	}
#define WINDOWS                                                                                    \
	{                                                                                          \
		PATCH, VM_ID,                                                                      \
		    "{'properties': {'storageProfile': {'osDisk': {'osType': 'Windows'}}, "        \
		    "'osProfile': {'linuxConfiguration': null}}}",                                 \
		    0                                                                              \
	}
#define JIT_DENY                                                                                   \
	"{'name': "                                                                                \
	"'MicrosoftDefenderForCloud-JITRule_-1151891693_545C4C45D4B04C2E8B1B3B8C3B1E8A4F', "       \
	"'priority': 4096, 'access': 'Deny',"                                                      \
	"'protocol': '*', 'destinationAddressPrefix': '10.0.0.4'}"
#define JIT_REQUEST(more)                                                                          \
	{ PUT, JIT_ID,                                                                             \
	  "{'id': '" JIT_ID                                                                        \
	  "', 'name': 'default', 'properties': {'virtualMachines': [{'id': '" VM_ID "',"           \
	  "'ports': [{'number': 22, 'protocol': '*', 'allowedSourceAddressPrefix': '*', "          \
	  "'maxRequestAccessDuration': 'PT3H'}]}],"                                                \
	  "'requests': [" more "]}}",                                                              \
	  0 },                                                                                     \
	{                                                                                          \
		SECTION, NULL, "{'policies': ['" JIT_ID "']}", FACT_JIT                            \
	}
#define JIT_ASKED(end, status, reason, source)                                                     \
	"{'requestor': 'a@b.c', 'startTimeUtc': '2026-01-01T10:00:00.5691611Z', "                  \
	"'virtualMachines': [{'id':"                                                               \
	"'/SUBSCRIPTIONS/s1/resourcegroups/RG/providers/microsoft.compute/virtualmachines/MYVM', " \
	"'ports': [{'number': 22,"                                                                 \
	"'allowedSourceAddressPrefix': '" source "', 'endTimeUtc': '" end "', 'status': '" status  \
	"', 'statusReason': '" reason "'}]}]}"

#define SECOND_POLICY(members)                                                                     \
	{ PUT, JIT_ID "/../second",                                                                \
	  "{'id': '" RG                                                                            \
	  "/providers/Microsoft.Security/locations/westeurope/jitNetworkAccessPolicies/second',"   \
	  "'name': 'second', 'properties': {" members "}}",                                        \
	  0 },                                                                                     \
	{                                                                                          \
		SECTION, NULL, "{'policies': ['" JIT_ID "', '" JIT_ID "/../second']}", FACT_JIT    \
	}

static const struct expectation cases[] = {
	{ "healthy",
	  "nsg",
	  "pass",
	  "nsg-allows",
	  "{'verdict': 'allow', 'scope': 'nic', 'nsg': 'myVM-nsg', 'rule': 'allow-ssh', "
	  "'priority': 300,"
	  "'source': '203.0.113.7', 'source_ip': '203.0.113.7', 'port': 22}",
	  NULL,
	  NULL,
	  { { 0 } } },
	{ "healthy",
	  "public-ip",
	  "pass",
	  "address-known",
	  "{'kind': 'public-ip', 'address': '20.51.230.13', 'port': 22, 'sku': 'Standard',"
	  "'allocation': 'Static'}",
	  NULL,
	  NULL,
	  { { 0 } } },
	{ "healthy",
	  "vm-state",
	  "pass",
	  "vm-running",
	  "{'power_state': 'running', 'provisioning_state': 'Succeeded'}",
	  NULL,
	  NULL,
	  { { 0 } } },
	{ "healthy", "jit", "pass", "jit-none", "{'state': 'none'}", NULL, NULL, { { 0 } } },

	{ "default rules only",
	  "nsg",
	  "fail",
	  "nsg-no-allow-rule",
	  "{'verdict': 'deny', 'rule': 'DenyAllInBound', 'priority': 65500}",
	  "az network nsg rule create -g rg --nsg-name myVM-nsg -n allow-ssh-me --priority 300 "
	  "--direction Inbound --access Allow --protocol Tcp"
	  " --source-address-prefixes 203.0.113.7/32 --source-port-ranges '*' "
	  "--destination-address-prefixes 10.0.0.4 --destination-port-ranges 22",
	  NULL,
	  { NIC_RULES("[]") } },
	{ "the subnet's group denies, the NIC's allows",
	  "nsg",
	  "fail",
	  "nsg-deny-subnet",
	  "{'verdict': 'deny', 'scope': 'subnet', 'nsg': 'subnet-nsg'}",
	  "--nsg-name subnet-nsg",
	  NULL,
	  { SUBNET_RULES("[{'name': 'web', 'priority': 100, 'destinationPortRange': '443'}]") } },
	{ "the NIC's group denies, the subnet's allows",
	  "nsg",
	  "fail",
	  "nsg-deny-nic",
	  "{'scope': 'nic', 'nsg': 'myVM-nsg'}",
	  "--nsg-name myVM-nsg",
	  NULL,
	  { SUBNET_RULES("[{'name': 'ssh', 'priority': 100}]"), NIC_RULES("[]") } },
	{ "both deny explicitly",
	  "nsg",
	  "fail",
	  "nsg-deny-subnet",
	  "{'scope': 'subnet'}",
	  "--nsg-name subnet-nsg",
	  "nsg-deny-nic",
	  { SUBNET_RULES("[{'name': 'no', 'priority': 200, 'access': 'Deny'}]"),
	    NIC_RULES("[{'name': 'no', 'priority': 200, 'access': 'Deny'}]") } },
	{ "a deny stands before the allow rule",
	  "nsg",
	  "fail",
	  "nsg-priority-shadowed",
	  "{'rule': 'block-all', 'priority': 200, 'near_rule': 'allow'}",
	  "--priority 199",
	  NULL,
	  { NIC_RULES("[{'name': 'block-all', 'priority': 200, 'access': 'Deny', 'protocol': '*', "
		      "'destinationPortRange': '*'},"
		      "{'name': 'allow', 'priority': 300}]") } },
	{ "the allow rule is for yesterday's address",
	  "nsg",
	  "fail",
	  "nsg-source-ip-changed",
	  "{'near_source': '198.51.100.9'}",
	  "203.0.113.7/32",
	  NULL,
	  { NIC_RULES(
	      "[{'name': 'me', 'priority': 300, 'sourceAddressPrefix': '198.51.100.9/32'}]") } },
	{ "the same before an own deny-all",
	  "nsg",
	  "fail",
	  "nsg-source-ip-changed",
	  "{'rule': 'deny-all'}",
	  "--priority 310",
	  NULL,
	  { NIC_RULES("[{'name': 'me', 'priority': 300, 'sourceAddressPrefixes': "
		      "['198.51.100.9/32', '198.51.100.0/28'], 'sourceAddressPrefix': ''},"
		      "{'name': 'deny-all', 'priority': 4000, 'access': 'Deny', 'protocol': '*', "
		      "'destinationPortRange': '*'}]") } },
	{ "another port is open",
	  "nsg",
	  "fail",
	  "nsg-wrong-port",
	  "{'allowed_port': '2222'}",
	  NULL,
	  NULL,
	  { NIC_RULES("[{'name': 'ssh', 'priority': 300, 'destinationPortRange': '2222'}]") } },
	{ "UDP instead of TCP",
	  "nsg",
	  "fail",
	  "nsg-udp-not-tcp",
	  "{'near_protocol': 'Udp'}",
	  NULL,
	  NULL,
	  { NIC_RULES("[{'name': 'ssh', 'priority': 300, 'protocol': 'Udp'}]") } },
	{ "the NIC is not in the group",
	  "nsg",
	  "fail",
	  "nsg-asg-not-attached",
	  "{'asg': 'ssh-hosts', 'nic': 'myVM-nic'}",
	  "--application-security-groups " NET "/applicationSecurityGroups/ssh-hosts",
	  NULL,
	  { NIC_RULES("[{'name': 'ssh', 'priority': 300, 'destinationAddressPrefix': null,"
		      "'destinationApplicationSecurityGroups': [{'id': '" NET
		      "/applicationSecurityGroups/ssh-hosts'}]}]") } },
	{ "a tag without the Internet",
	  "nsg",
	  "fail",
	  "nsg-wrong-service-tag",
	  "{'near_source': 'VirtualNetwork'}",
	  NULL,
	  NULL,
	  { NIC_RULES(
	      "[{'name': 'ssh', 'priority': 300, 'sourceAddressPrefix': 'VirtualNetwork'}]") } },
	{ "an on-premises range only",
	  "nsg",
	  "fail",
	  "nsg-wrong-service-tag",
	  "{}",
	  NULL,
	  NULL,
	  { NIC_RULES(
	      "[{'name': 'ssh', 'priority': 300, 'sourceAddressPrefix': '192.168.0.0/16'}]") } },
	{ "source port 22 never matches",
	  "nsg",
	  "fail",
	  "nsg-wrong-source-port",
	  "{}",
	  NULL,
	  NULL,
	  { NIC_RULES("[{'name': 'ssh', 'priority': 300, 'sourcePortRange': '22'}]") } },
	{ "no group and a Standard address",
	  "nsg",
	  "fail",
	  "pip-standard-no-nsg",
	  "{'verdict': 'deny', 'new_nsg': 'myVM-nic-nsg'}",
	  "az network nsg create -g rg -n myVM-nic-nsg",
	  NULL,
	  { { PATCH, NIC_ID, "{'properties': {'networkSecurityGroup': null}}", 0 } } },
	{ "no group and a Basic address",
	  "nsg",
	  "pass",
	  "nsg-allows",
	  "{'verdict': 'allow'}",
	  NULL,
	  NULL,
	  { { PATCH, NIC_ID, "{'properties': {'networkSecurityGroup': null}}", 0 },
	    { PATCH, PIP_ID, "{'sku': {'name': 'Basic'}}", 0 } } },
	{ "no group and no word on the SKU",
	  "nsg",
	  "unknown",
	  "nsg-invalid-rule",
	  "{'field': 'sku.name'}",
	  NULL,
	  NULL,
	  { { PATCH, NIC_ID, "{'properties': {'networkSecurityGroup': null}}", 0 },
	    { PATCH, PIP_ID, "{'sku': null}", 0 } } },
	{ "the group may not be read",
	  "nsg",
	  "unknown",
	  "nsg-unknown",
	  "{'action': 'Microsoft.Network/networkSecurityGroups/read'}",
	  NULL,
	  NULL,
	  { { FORBID, NSG_ID, "Microsoft.Network/networkSecurityGroups/read", 0 } } },
	{ "a group may not be read, the other denies",
	  "nsg",
	  "fail",
	  "nsg-deny-subnet",
	  "{'verdict': 'deny', 'scope': 'subnet'}",
	  NULL,
	  NULL,
	  { { FORBID, NSG_ID, "Microsoft.Network/networkSecurityGroups/read", 0 },
	    SUBNET_RULES("[{'name': 'no', 'priority': 100, 'access': 'Deny'}]") } },
	{ "the subnet may not be read",
	  "nsg",
	  "unknown",
	  "nsg-unknown",
	  "{}",
	  NULL,
	  NULL,
	  { { FORBID, SUBNET_ID, "Microsoft.Network/virtualNetworks/subnets/read", 0 } } },
	{ "the source is not known",
	  "nsg",
	  "unknown",
	  "nsg-depends-on-source",
	  "{'verdict': 'depends', 'condition': 'allowed from 203.0.113.7 and VirtualNetwork only'}",
	  "<YOUR-PUBLIC-IP>/32",
	  NULL,
	  { { SECTION, NULL, "{'ip': null}", FACT_SOURCE } } },
	{ "the source does not matter",
	  "nsg",
	  "pass",
	  "nsg-allows",
	  "{'verdict': 'allow'}",
	  NULL,
	  NULL,
	  { { SECTION, NULL, "{'ip': null}", FACT_SOURCE },
	    NIC_RULES("[{'name': 'ssh', 'priority': 300, 'sourceAddressPrefix': 'Internet'}]") } },
	{ "an admin rule denies",
	  "nsg",
	  "fail",
	  "security-admin-rule-deny",
	  "{'scope': 'admin', 'network_manager': 'avnm', 'rule': 'no-ssh'}",
	  NULL,
	  NULL,
	  { { PUT, VNET_ID "/listNetworkManagerEffectiveSecurityAdminRules",
	      "{'value': [{'id': '" NET "/networkManagers/avnm/securityAdminConfigurations"
	      "/c/ruleCollections/r/rules/no-ssh', 'kind': 'Custom', 'properties': {'protocol': "
	      "'Tcp', 'sources': [{'addressPrefixType': 'IPPrefix',"
	      "'addressPrefix': '*'}], 'destinations': [], 'sourcePortRanges': ['0-65535'], "
	      "'destinationPortRanges': ['22'], 'direction': 'Inbound',"
	      "'access': 'Deny', 'priority': 1}}]}",
	      0 } } },
	{ "an admin rule always allows",
	  "nsg",
	  "pass",
	  "nsg-allows",
	  "{'scope': 'admin'}",
	  NULL,
	  NULL,
	  { { PUT, VNET_ID "/listNetworkManagerEffectiveSecurityAdminRules",
	      "{'value': [{'id': '" NET "/networkManagers/avnm/securityAdminConfigurations"
	      "/c/ruleCollections/r/rules/ssh', 'properties': {'protocol': 'Tcp', 'sources': "
	      "[{'addressPrefix': '*'}], 'sourcePortRanges': ['0-65535'],"
	      "'destinationPortRanges': ['22'], 'direction': 'Inbound', 'access': 'AlwaysAllow', "
	      "'priority': 1}}]}",
	      0 },
	    NIC_RULES("[]") } },
	{ "nonsense in a prefix",
	  "nsg",
	  "unknown",
	  "nsg-invalid-rule",
	  "{'field': 'sourceAddressPrefix'}",
	  NULL,
	  NULL,
	  { NIC_RULES(
	      "[{'name': 'ssh', 'priority': 300, 'sourceAddressPrefix': '300.1.2.3/40'}]") } },
	{ "nonsense that does not matter",
	  "nsg",
	  "pass",
	  "nsg-allows",
	  "{}",
	  NULL,
	  NULL,
	  { NIC_RULES("[{'name': 'odd', 'priority': 200, 'sourceAddressPrefix': '300.1.2.3/40'}, "
		      "{'name': 'ssh', 'priority': 300}]") } },
	{ "a reversed range",
	  "nsg",
	  "unknown",
	  "nsg-invalid-rule",
	  "{'field': 'destinationPortRange'}",
	  NULL,
	  NULL,
	  { NIC_RULES("[{'name': 'ssh', 'priority': 300, 'destinationPortRange': '30-20'}]") } },
	{ "two rules of one priority",
	  "nsg",
	  "unknown",
	  "nsg-invalid-rule",
	  "{'field': 'priority'}",
	  NULL,
	  NULL,
	  { NIC_RULES("[{'name': 'a', 'priority': 300}, {'name': 'b', 'priority': 300, 'access': "
		      "'Deny'}]") } },
	{ "an unknown access word",
	  "nsg",
	  "unknown",
	  "nsg-invalid-rule",
	  "{'field': 'access'}",
	  NULL,
	  NULL,
	  { NIC_RULES("[{'name': 'a', 'priority': 300, 'access': 'Perhaps'}]") } },
	{ "JIT's deny decides",
	  "nsg",
	  "fail",
	  "nsg-jit-deny",
	  "{'verdict': 'deny'}",
	  NULL,
	  NULL,
	  { NIC_RULES("[" JIT_DENY "]") } },
	{ "a private way by proxy",
	  "nsg",
	  "unknown",
	  "nsg-depends-on-source",
	  "{'condition': 'allowed from 10.0.9.4 only'}",
	  NULL,
	  NULL,
	  { NO_PIP,
	    NIC_RULES("[{'name': 'jump', 'priority': 300, 'sourceAddressPrefix': '10.0.9.4'}, "
		      "{'name': 'no', 'priority': 310, 'access': 'Deny'}]"),
	    { SECTION, NULL, "{'proxyjump': 'jump.example'}", FACT_SSH_CONFIG } } },

	{ "the effective rules settle a tag",
	  "nsg",
	  "pass",
	  "nsg-allows",
	  "{'judged_by': 'effective rules', 'rule': 'cloud'}",
	  NULL,
	  NULL,
	  { NIC_RULES("[{'name': 'cloud', 'priority': 300, 'sourceAddressPrefix': 'AzureCloud'}]"),
	    EFFECTIVE("['203.0.113.0/24']") } },
	{ "the effective rules deny what a tag left open",
	  "nsg",
	  "fail",
	  "nsg-source-ip-changed",
	  "{'rule': 'DenyAllInBound'}",
	  NULL,
	  NULL,
	  { NIC_RULES("[{'name': 'cloud', 'priority': 300, 'sourceAddressPrefix': 'AzureCloud'}]"),
	    EFFECTIVE("['20.0.0.0/8']") } },
	{ "the effective rules say otherwise",
	  "nsg",
	  "pass",
	  "nsg-allows",
	  "{}",
	  NULL,
	  "nsg-second-opinion",
	  { EFFECTIVE("['20.0.0.0/8']") } },
	{ "an IPv6 way and a known source",
	  "nsg",
	  "fail",
	  "nsg-no-allow-rule",
	  "{'source_prefix': '2001:db8::7/128'}",
	  "--source-address-prefixes 2001:db8::7/128",
	  NULL,
	  { V6_WAY, { SECTION, NULL, "{'ip': '2001:db8::7'}", FACT_SOURCE }, NIC_RULES("[]") } },
	{ "an IPv6 way and no source",
	  "nsg",
	  "unknown",
	  "nsg-depends-on-source",
	  "{'source_bits': 128}",
	  "<YOUR-PUBLIC-IP>/128",
	  NULL,
	  { V6_WAY,
	    { SECTION, NULL, "{'ip': null}", FACT_SOURCE },
	    NIC_RULES(
		"[{'name': 'six', 'priority': 300, 'sourceAddressPrefix': '2001:db8::/32'}]") } },
	{ "a rule for IPv4 alone, an IPv6 way",
	  "nsg",
	  "fail",
	  "nsg-wrong-service-tag",
	  "{}",
	  NULL,
	  NULL,
	  { V6_WAY,
	    { SECTION, NULL, "{'ip': '2001:db8::7'}", FACT_SOURCE },
	    NIC_RULES(
		"[{'name': 'four', 'priority': 300, 'sourceAddressPrefix': '10.0.0.0/8'}]") } },
	{ "the group lies in another subscription",
	  "nsg",
	  "fail",
	  "nsg-no-allow-rule",
	  "{'nsg_place': ['hub', '--subscription', 's2']}",
	  "-g hub --subscription s2 --nsg-name central",
	  NULL,
	  { { PATCH, NIC_ID, "{'properties': {'networkSecurityGroup': {'id': '" HUB_NSG "'}}}", 0 },
	    { RULES, HUB_NSG, "[]", 0 } } },
	{ "the NIC is in other groups already",
	  "nsg",
	  "fail",
	  "nsg-asg-not-attached",
	  "{'asg': 'ssh-hosts'}",
	  "--application-security-groups " NET "/applicationSecurityGroups/web " NET
	  "/applicationSecurityGroups/ssh-hosts",
	  NULL,
	  { { PATCH, NIC_ID,
	      "{'properties': {'ipConfigurations': [{'id': '" NIC_ID
	      "/ipConfigurations/ipconfig1', 'name': 'ipconfig1', 'properties': {"
	      "'privateIPAddress': '10.0.0.4', 'primary': true, 'publicIPAddress': {'id': '" PIP_ID
	      "'}, 'subnet': {'id': '" SUBNET_ID "'},"
	      "'applicationSecurityGroups': [{'id': '" NET "/applicationSecurityGroups/web'}]}}]}}",
	      0 },
	    NIC_RULES("[{'name': 'ssh', 'priority': 300, 'destinationAddressPrefix': null,"
		      "'destinationApplicationSecurityGroups': [{'id': '" NET
		      "/applicationSecurityGroups/ssh-hosts'}]}]") } },
	{ "no number before the deny is free",
	  "nsg",
	  "fail",
	  "nsg-deny-nic",
	  "{'no_priority': true}",
	  "-n no --priority <YOUR-LARGER-NUMBER>",
	  NULL,
	  { NIC_RULES("[{'name': 'no', 'priority': 100, 'access': 'Deny'}]") } },
	{ "a kind of address nobody knows",
	  "nsg",
	  "unknown",
	  "nsg-invalid-rule",
	  "{'field': 'sku.name'}",
	  NULL,
	  NULL,
	  { { PATCH, NIC_ID, "{'properties': {'networkSecurityGroup': null}}", 0 },
	    { PATCH, PIP_ID, "{'sku': {'name': 'Platinum'}}", 0 } } },
	{ "no group, and the address may not be read",
	  "nsg",
	  "unknown",
	  "nsg-unknown",
	  "{'action': 'Microsoft.Network/publicIPAddresses/read'}",
	  NULL,
	  NULL,
	  { { PATCH, NIC_ID, "{'properties': {'networkSecurityGroup': null}}", 0 },
	    { FORBID, PIP_ID, "Microsoft.Network/publicIPAddresses/read", 0 } } },
	{ "an admin rule without properties",
	  "nsg",
	  "unknown",
	  "nsg-invalid-rule",
	  "{'field': 'properties'}",
	  NULL,
	  NULL,
	  { { PUT, VNET_ID "/listNetworkManagerEffectiveSecurityAdminRules",
	      "{'value': [{'id': '/x/rules/odd'}]}", 0 } } },
	{ "private ranges alone, and no source",
	  "nsg",
	  "fail",
	  "nsg-wrong-service-tag",
	  "{'condition': 'allowed from 10.0.0.0/8 and VirtualNetwork only'}",
	  NULL,
	  NULL,
	  { { SECTION, NULL, "{'ip': null}", FACT_SOURCE },
	    NIC_RULES(
		"[{'name': 'inside', 'priority': 300, 'sourceAddressPrefix': '10.0.0.0/8'}]") } },
	{ "behind Azure Firewall, the default rule lets its subnet in",
	  "nsg",
	  "pass",
	  "nsg-allows",
	  "{'rule': 'AllowVnetInBound', 'source_ip': '10.0.8.0/26'}",
	  NULL,
	  NULL,
	  { BEHIND_FIREWALL, NIC_RULES("[]") } },
	{ "behind Azure Firewall, its subnet is denied",
	  "nsg",
	  "fail",
	  "nsg-deny-nic",
	  "{'source_prefix': '10.0.8.0/26'}",
	  "10.0.8.0/26",
	  NULL,
	  { BEHIND_FIREWALL,
	    NIC_RULES("[{'name': 'me', 'priority': 300, 'sourceAddressPrefix': '203.0.113.7'},"
		      "{'name': 'rest', 'priority': 400, 'access': 'Deny', 'protocol': '*', "
		      "'destinationPortRange': '22'}]") } },
	{ "IP flow verify agrees",
	  "nsg",
	  "pass",
	  "nsg-allows",
	  "{'ip_flow': 'Allow by UserRule_allow-ssh'}",
	  NULL,
	  NULL,
	  { FLOW("Allow", "UserRule_allow-ssh") } },
	{ "IP flow verify disagrees",
	  "nsg",
	  "pass",
	  "nsg-allows",
	  "{'verdict': 'allow'}",
	  NULL,
	  "nsg-second-opinion",
	  { FLOW("Deny", "DefaultRule_DenyAllInBound") } },
	{ "IP flow verify answers what is left open",
	  "nsg",
	  "unknown",
	  "nsg-depends-on-tag",
	  "{}",
	  NULL,
	  "nsg-second-opinion",
	  { FLOW("Deny", "DefaultRule_DenyAllInBound"),
	    NIC_RULES(
		"[{'name': 'cloud', 'priority': 300, 'sourceAddressPrefix': 'AzureCloud'}]") } },
	{ "IP flow verify says a new word",
	  "nsg",
	  "pass",
	  "nsg-allows",
	  "{'ip_flow': 'an answer that is not understood by R'}",
	  NULL,
	  NULL,
	  { FLOW("Perhaps", "R") } },
	{ "IP flow verify was asked about another address",
	  "nsg",
	  "pass",
	  "nsg-allows",
	  "{'ip_flow': 'was asked about another port or address'}",
	  NULL,
	  NULL,
	  { FLOW("Deny", "R"),
	    { SECTION, NULL, "{'ip': '203.0.113.9'}", FACT_SOURCE },
	    NIC_RULES("[{'name': 'a', 'priority': 300}]") } },
	{ "deallocated",
	  "vm-state",
	  "fail",
	  "vm-deallocated",
	  "{'power_state': 'deallocated'}",
	  "az vm start -g rg -n myVM",
	  NULL,
	  { VIEW("PowerState/deallocated") } },
	{ "stopped",
	  "vm-state",
	  "fail",
	  "vm-stopped-guest",
	  "{'power_state': 'stopped'}",
	  "az vm start",
	  NULL,
	  { VIEW("PowerState/stopped") } },
	{ "starting",
	  "vm-state",
	  "fail",
	  "vm-starting",
	  "{'power_state': 'starting'}",
	  "az vm wait",
	  NULL,
	  { VIEW("PowerState/starting") } },
	{ "an unknown power word",
	  "vm-state",
	  "unknown",
	  "vm-power-unknown",
	  "{'power_state': 'levitating'}",
	  NULL,
	  NULL,
	  { VIEW("PowerState/levitating") } },
	{ "no power state",
	  "vm-state",
	  "unknown",
	  "vm-power-unknown",
	  "{}",
	  NULL,
	  NULL,
	  { { PATCH, VM_ID, "{'properties': {'instanceView': {'statuses': []}}}", 0 } } },
	{ "evicted",
	  "vm-state",
	  "fail",
	  "vm-spot-evicted",
	  "{}",
	  "az vm start",
	  NULL,
	  { VIEW("PowerState/deallocated"),
	    { PATCH, VM_ID, "{'properties': {'priority': 'Spot', 'evictionPolicy': 'Deallocate'}}",
	      0 } } },
	{ "stopped by schedule",
	  "vm-state",
	  "fail",
	  "vm-auto-shutdown",
	  "{'shutdown_time': '1900'}",
	  "az vm start",
	  NULL,
	  { VIEW("PowerState/deallocated"),
	    { PUT, RG "/providers/Microsoft.DevTestLab/schedules/shutdown-computevm-myVM",
	      "{'properties': {'status': 'Enabled', 'dailyRecurrence': {'time': '1900'}, "
	      "'targetResourceId': '" VM_ID "'}}",
	      0 } } },
	{ "OS provisioning timed out",
	  "vm-state",
	  "fail",
	  "vm-provisioning-failed",
	  "{'code': 'OSProvisioningTimedOut'}",
	  NULL,
	  NULL,
	  { { PATCH, VM_ID,
	      "{'properties': {'instanceView': {'statuses': [{'code': "
	      "'ProvisioningState/failed/OSProvisioningTimedOut'},"
	      "{'code': 'PowerState/running'}]}}}",
	      0 } } },
	{ "a failed update alone",
	  "vm-state",
	  "warn",
	  "vm-last-operation-failed",
	  "{}",
	  NULL,
	  NULL,
	  { { PATCH, VM_ID, "{'properties': {'provisioningState': 'Failed'}}", 0 } } },
	{ "agent not ready",
	  "vm-state",
	  "pass",
	  "vm-running",
	  "{'agent_status': 'Not Ready'}",
	  NULL,
	  "vm-agent-not-ready",
	  { { PATCH, VM_ID,
	      "{'properties': {'instanceView': {'vmAgent': {'statuses': [{'displayStatus': 'Not "
	      "Ready'}]}}}}",
	      0 } } },
	{ "the VM may not be read",
	  "vm-state",
	  "unknown",
	  "vm-unknown",
	  "{'action': 'Microsoft.Compute/virtualMachines/read'}",
	  NULL,
	  NULL,
	  { { FORBID, VM_ID, "Microsoft.Compute/virtualMachines/read", 0 } } },
	{ "platform trouble",
	  "vm-state",
	  "fail",
	  "vm-health-unavailable",
	  "{'health': 'Unavailable'}",
	  NULL,
	  NULL,
	  { { PUT, VM_ID "/providers/Microsoft.ResourceHealth/availabilityStatuses/current",
	      "{'properties': {'availabilityState': 'Unavailable',"
	      "'context': 'Platform Initiated', 'summary': 'x'}}",
	      0 } } },

	{ "no public address",
	  "public-ip",
	  "fail",
	  "no-public-ip",
	  "{'kind': 'none'}",
	  "az network public-ip create",
	  NULL,
	  { NO_PIP } },
	{ "Bastion is a way in",
	  "public-ip",
	  "pass",
	  "bastion-way-in",
	  "{'kind': 'bastion', 'bastion': 'b'}",
	  NULL,
	  NULL,
	  { NO_PIP,
	    { PUT, NET "/bastionHosts/b",
	      "{'id': '" NET
	      "/bastionHosts/b', 'name': 'b', 'sku': {'name': 'Standard'}, 'properties': {"
	      "'enableTunneling': true, 'ipConfigurations': [{'properties': {'subnet': {'id': "
	      "'" VNET_ID "/subnets/AzureBastionSubnet'}}}]}}",
	      0 } } },
	{ "Bastion without native clients",
	  "public-ip",
	  "fail",
	  "bastion-tunneling-disabled",
	  "{'bastion_sku': 'Basic'}",
	  NULL,
	  NULL,
	  { NO_PIP,
	    { PUT, NET "/bastionHosts/b",
	      "{'id': '" NET
	      "/bastionHosts/b', 'name': 'b', 'sku': {'name': 'Basic'}, 'properties': {"
	      "'ipConfigurations': [{'properties': {'subnet': {'id': '" VNET_ID
	      "/subnets/AzureBastionSubnet'}}}]}}",
	      0 } } },
	{ "Bastion's subnet is not let in",
	  "nsg",
	  "fail",
	  "bastion-nsg-blocks-22",
	  "{'source_ip': '10.0.1.0/26'}",
	  "10.0.1.0/26",
	  NULL,
	  { NO_PIP,
	    { PUT, NET "/bastionHosts/b",
	      "{'id': '" NET
	      "/bastionHosts/b', 'name': 'b', 'sku': {'name': 'Standard'}, 'properties': {"
	      "'enableTunneling': true, 'ipConfigurations': [{'properties': {'subnet': {'id': "
	      "'" VNET_ID "/subnets/AzureBastionSubnet'}}}]}}",
	      0 },
	    { PUT, VNET_ID "/subnets/AzureBastionSubnet",
	      "{'properties': {'addressPrefix': '10.0.1.0/26'}}", 0 },
	    NIC_RULES("[{'name': 'no', 'priority': 100, 'access': 'Deny', 'sourceAddressPrefix': "
		      "'VirtualNetwork'}]") } },
	{ "dynamic without an address",
	  "public-ip",
	  "fail",
	  "pip-dynamic-unallocated",
	  "{'public_ip': 'myVM-ip', 'allocation': 'Dynamic'}",
	  "az vm start",
	  NULL,
	  { { PATCH, PIP_ID,
	      "{'properties': {'ipAddress': null, 'publicIPAllocationMethod': 'Dynamic'}}", 0 } } },
	{ "the address changed",
	  "public-ip",
	  "fail",
	  "pip-changed-after-restart",
	  "{'asked_host': '20.1.1.1', 'address': '20.51.230.13'}",
	  NULL,
	  NULL,
	  { { PATCH, PIP_ID, "{'properties': {'publicIPAllocationMethod': 'Dynamic'}}", 0 },
	    { ASKED, NULL, "{'host': '20.1.1.1'}", 0 } } },
	{ "somebody else's address",
	  "public-ip",
	  "fail",
	  "wrong-target-address",
	  "{}",
	  NULL,
	  NULL,
	  { { ASKED, NULL, "{'host': '20.1.1.1'}", 0 } } },
	{ "the address was taken off",
	  "public-ip",
	  "fail",
	  "pip-detached",
	  "{'public_ip': 'old'}",
	  "--public-ip-address old",
	  NULL,
	  { NO_PIP,
	    { PUT, NET "/publicIPAddresses/old",
	      "{'id': '" NET "/publicIPAddresses/old', 'properties': {'ipAddress': '20.1.1.1'}}",
	      0 },
	    { ASKED, NULL, "{'host': '20.1.1.1'}", 0 } } },
	{ "the public IP may not be read",
	  "public-ip",
	  "unknown",
	  "public-ip-unknown",
	  "{'action': 'Microsoft.Network/publicIPAddresses/read'}",
	  NULL,
	  NULL,
	  { { FORBID, PIP_ID, "Microsoft.Network/publicIPAddresses/read", 0 } } },
	{ "Basic alone is no fault",
	  "public-ip",
	  "pass",
	  "address-known",
	  "{'sku': 'Basic'}",
	  NULL,
	  NULL,
	  { { PATCH, PIP_ID, "{'sku': {'name': 'Basic'}}", 0 } } },
	{ "Basic and nothing comes back",
	  "public-ip",
	  "fail",
	  "pip-basic-retired",
	  "{'sku': 'Basic'}",
	  NULL,
	  NULL,
	  { { PATCH, PIP_ID, "{'sku': {'name': 'Basic'}}", 0 },
	    { SECTION, NULL, "{'result': 'timeout', 'address': '20.51.230.13'}", FACT_TCP } } },
	{ "the private address from the Internet",
	  "public-ip",
	  "fail",
	  "private-ip-from-internet",
	  "{'public_address': '20.51.230.13'}",
	  NULL,
	  NULL,
	  { { ASKED, NULL, "{'host': '10.0.0.4'}", 0 },
	    { SECTION, NULL, "{'result': 'timeout', 'address': '10.0.0.4'}", FACT_TCP } } },
	{ "the private address answers and is known",
	  "public-ip",
	  "pass",
	  "private-path",
	  "{'kind': 'private', 'address': '10.0.0.4'}",
	  NULL,
	  NULL,
	  { NO_PIP,
	    { SECTION, NULL, "{'result': 'connected', 'address': '10.0.0.4'}", FACT_TCP },
	    { SECTION, NULL, "{'result': 'ssh'}", FACT_BANNER },
	    { SECTION, NULL, "{'keys': [{'fingerprint': 'SHA256:x'}]}", FACT_HOST_KEY },
	    { SECTION, NULL, "{'entries': [{'fingerprint': 'SHA256:x'}]}", FACT_KNOWN_HOSTS } } },

	{ "no request",
	  "jit",
	  "fail",
	  "jit-no-active-request",
	  "{'state': 'not-requested', 'jit_body': '{\\\"virtualMachines\\\": [{\\\"id\\\": "
	  "\\\"" VM_ID
	  "\\\", \\\"ports\\\": [{\\\"number\\\": 22, \\\"allowedSourceAddressPrefix\\\": "
	  "\\\"203.0.113.7\\\", \\\"endTimeUtc\\\":"
	  " \\\"2026-01-01T13:00:00Z\\\"}]}]}'}",
	  "az rest --method post --url '" JIT_ID
	  "/initiate?api-version=2020-01-01' --body '{\"virtualMachines\"",
	  NULL,
	  { NIC_RULES("[" JIT_DENY "]"), JIT_REQUEST("") } },
	{ "a request in force",
	  "jit",
	  "pass",
	  "jit-active",
	  "{'state': 'active', 'minutes_left': 60}",
	  NULL,
	  NULL,
	  { NIC_RULES("[{'name': 'MicrosoftDefenderForCloud-JITRule-1-A', 'priority': 100, "
		      "'sourceAddressPrefix': '203.0.113.7'}, " JIT_DENY "]"),
	    JIT_REQUEST(JIT_ASKED("2026-01-01T13:00:00.1234567Z", "Initiated", "UserRequested",
				  "203.0.113.7")) } },
	{ "a request about to end",
	  "jit",
	  "warn",
	  "jit-active-expiring",
	  "{'state': 'active', 'minutes_left': 4}",
	  NULL,
	  NULL,
	  { NIC_RULES("[{'name': 'MicrosoftDefenderForCloud-JITRule-1-A', 'priority': 100, "
		      "'sourceAddressPrefix': '203.0.113.7'}, " JIT_DENY "]"),
	    JIT_REQUEST(JIT_ASKED("2026-01-01T12:04:30Z", "Initiated", "UserRequested",
				  "203.0.113.0/24")) } },
	{ "a request that ran out",
	  "jit",
	  "fail",
	  "jit-request-expired",
	  "{'state': 'expired'}",
	  "az rest",
	  NULL,
	  { NIC_RULES("[" JIT_DENY "]"), JIT_REQUEST(JIT_ASKED("2026-01-01T11:00:00Z", "Initiated",
							       "UserRequested", "203.0.113.7")) } },
	{ "a request taken back",
	  "jit",
	  "fail",
	  "jit-request-expired",
	  "{'state': 'revoked'}",
	  "az rest",
	  NULL,
	  { NIC_RULES("[" JIT_DENY "]"), JIT_REQUEST(JIT_ASKED("2026-01-01T13:00:00Z", "Revoked",
							       "UserRequested", "203.0.113.7")) } },
	{ "a request for another address",
	  "jit",
	  "fail",
	  "jit-request-wrong-source-ip",
	  "{'state': 'other-source', 'source_allowed': '198.51.100.9'}",
	  "203.0.113.7",
	  NULL,
	  { NIC_RULES("[" JIT_DENY "]"),
	    JIT_REQUEST(JIT_ASKED("2026-01-01T13:00:00Z", "Initiated", "UserRequested",
				  "198.51.100.9")) } },
	{ "an older deny before JIT's allow",
	  "jit",
	  "fail",
	  "jit-shadowed-by-older-deny",
	  "{'state': 'active', 'rule': 'old'}",
	  "--priority 4000",
	  NULL,
	  { NIC_RULES("[{'name': 'old', 'priority': 100, 'access': 'Deny'}, {'name': "
		      "'MicrosoftDefenderForCloud-JITRule-1-A', 'priority': 101}, " JIT_DENY "]"),
	    JIT_REQUEST(
		JIT_ASKED("2026-01-01T13:00:00Z", "Initiated", "UserRequested", "203.0.113.7")) } },
	{ "an older allow before JIT's deny",
	  "jit",
	  "warn",
	  "jit-ineffective",
	  "{'state': 'not-requested'}",
	  NULL,
	  NULL,
	  { NIC_RULES("[{'name': 'old', 'priority': 100}, " JIT_DENY "]"), JIT_REQUEST("") } },
	{ "both have only default rules",
	  "nsg",
	  "fail",
	  "nsg-deny-subnet",
	  "{'scope': 'subnet'}",
	  "--nsg-name subnet-nsg",
	  "nsg-deny-nic",
	  { SUBNET_RULES("[]"), NIC_RULES("[]") } },
	{ "no route table", "route", "pass", "route-direct", "{}", NULL, NULL, { { 0 } } },
	{ "a default route to an appliance",
	  "route",
	  "fail",
	  "udr-default-to-nva",
	  "{'next_hop': '10.0.9.4', 'route_table': 'rt'}",
	  "--address-prefix 203.0.113.7/32",
	  NULL,
	  { ROUTES("[{'name': 'all', 'properties': {'addressPrefix': '0.0.0.0/0', 'nextHopType': "
		   "'VirtualAppliance',"
		   "'nextHopIpAddress': '10.0.9.4'}}]") } },
	{ "the same, and it works",
	  "route",
	  "pass",
	  "route-works",
	  "{}",
	  NULL,
	  NULL,
	  { ROUTES("[{'name': 'all', 'properties': {'addressPrefix': '0.0.0.0/0',"
		   "'nextHopType': 'VirtualAppliance', 'nextHopIpAddress': '10.0.9.4'}}]"),
	    { SECTION, NULL, "{'accepted': 'SHA256:x'}", FACT_AUTH } } },
	{ "a route of its own for the caller",
	  "route",
	  "pass",
	  "route-direct",
	  "{}",
	  NULL,
	  NULL,
	  { ROUTES("[{'name': 'all', 'properties': {'addressPrefix':"
		   "'0.0.0.0/0', 'nextHopType': 'VirtualAppliance', 'nextHopIpAddress': "
		   "'10.0.9.4'}}, {'name': 'me', 'properties': {'addressPrefix':"
		   "'203.0.113.0/24', 'nextHopType': 'Internet'}}]") } },
	{ "a black hole",
	  "route",
	  "fail",
	  "udr-none-blackhole",
	  "{}",
	  NULL,
	  NULL,
	  { ROUTES("[{'name': 'hole', 'properties': {'addressPrefix': '203.0.0.0/8',"
		   "'nextHopType': 'None'}}]") } },
	{ "forced tunnelling in the effective routes",
	  "route",
	  "fail",
	  "udr-default-to-gateway",
	  "{}",
	  NULL,
	  NULL,
	  { { PUT, NIC_ID "/effectiveRouteTable",
	      "{'value': [{'source': 'Default', 'state': 'Active', 'addressPrefix': ['0.0.0.0/0'], "
	      "'nextHopType': 'Internet'},"
	      "{'source': 'VirtualNetworkGateway', 'state': 'Active', 'addressPrefix': "
	      "['0.0.0.0/0'], 'nextHopType': 'VirtualNetworkGateway'}]}",
	      0 } } },
	{ "the route table may not be read",
	  "route",
	  "unknown",
	  "route-unknown",
	  "{'action': 'Microsoft.Network/routeTables/read'}",
	  NULL,
	  NULL,
	  { ROUTES("[]"),
	    { FORBID, NET "/routeTables/rt", "Microsoft.Network/routeTables/read", 0 } } },
	{ "a peering that is not connected",
	  "route",
	  "fail",
	  "peering-disconnected",
	  "{'peering': 'hub', 'peering_state': 'Disconnected'}",
	  NULL,
	  NULL,
	  { NO_PIP,
	    { PATCH, VNET_ID,
	      "{'properties': {'virtualNetworkPeerings': [{'name': 'hub', 'properties': "
	      "{'peeringState': 'Disconnected'}}]}}",
	      0 },
	    { SECTION, NULL, "{'result': 'timeout', 'address': '10.0.0.4'}", FACT_TCP } } },
	{ "Linux",
	  "vm-os",
	  "pass",
	  "os-linux",
	  "{'os': 'Linux', 'adminuser': 'azureuser'}",
	  NULL,
	  NULL,
	  { { 0 } } },
	{ "Windows without SSH",
	  "vm-os",
	  "fail",
	  "windows-openssh-missing",
	  "{'os': 'Windows'}",
	  "--name WindowsOpenSSH",
	  NULL,
	  { WINDOWS } },
	{ "Windows with the extension",
	  "vm-os",
	  "pass",
	  "windows-openssh",
	  "{'os': 'Windows'}",
	  NULL,
	  NULL,
	  { WINDOWS,
	    { PATCH, VM_ID,
	      "{'resources': [{'properties': {'publisher': 'Microsoft.Azure.OpenSSH', 'type': "
	      "'WindowsOpenSSH'}}]}",
	      0 } } },
	{ "an Entra user and nothing prepared",
	  "vm-os",
	  "fail",
	  "aad-identity-missing",
	  "{}",
	  "az vm identity assign",
	  "aad-extension-missing",
	  { { ASKED, NULL, "{'login': 'me@contoso.com'}", 0 } } },
	{ "an Entra user and a failed extension",
	  "vm-os",
	  "fail",
	  "aad-extension-failed",
	  "{}",
	  NULL,
	  NULL,
	  { { ASKED, NULL, "{'login': 'me@contoso.com'}", 0 },
	    { PATCH, VM_ID,
	      "{'identity': {'type': 'SystemAssigned, UserAssigned'}, 'resources': [{'properties': "
	      "{'type': 'AADSSHLoginForLinux',"
	      "'provisioningState': 'Failed'}}]}",
	      0 } } },
	{ "an Entra user, all prepared",
	  "vm-os",
	  "pass",
	  "aad-ready",
	  "{}",
	  NULL,
	  NULL,
	  { { ASKED, NULL, "{'login': 'me@contoso.com'}", 0 },
	    { PATCH, VM_ID,
	      "{'identity': {'type': 'SystemAssigned'}, 'resources': [{'properties': {'type': "
	      "'AADSSHLoginForLinux',"
	      "'provisioningState': 'Succeeded'}}]}",
	      0 } } },
	{ "a disk without profile",
	  "vm-os",
	  "pass",
	  "os-without-profile",
	  "{}",
	  NULL,
	  NULL,
	  { { PATCH, VM_ID, "{'properties': {'osProfile': null}}", 0 } } },
	{ "JIT: the end cannot be read",
	  "jit",
	  "unknown",
	  "jit-invalid-policy",
	  "{'field': 'endTimeUtc'}",
	  NULL,
	  NULL,
	  { JIT_REQUEST(JIT_ASKED("soon", "Initiated", "", "203.0.113.7")),
	    NIC_RULES("[" JIT_DENY "]") } },
	{ "JIT: a status nobody knows",
	  "jit",
	  "unknown",
	  "jit-invalid-policy",
	  "{'field': 'status'}",
	  NULL,
	  NULL,
	  { JIT_REQUEST(JIT_ASKED("2026-01-01T13:00:00Z", "Blessed", "", "203.0.113.7")),
	    NIC_RULES("[" JIT_DENY "]") } },
	{ "JIT: words in odd case",
	  "jit",
	  "pass",
	  "jit-active",
	  "{'state': 'active', 'minutes_left': 60}",
	  NULL,
	  NULL,
	  { JIT_REQUEST(JIT_ASKED("2026-01-01T13:00:00Z", "INITIATED", "userrequested", "*")),
	    NIC_RULES("[{'name': 'a', 'priority': 300}]") } },
	{ "JIT: replaced by a newer request that has ended",
	  "jit",
	  "fail",
	  "jit-request-expired",
	  "{'state': 'expired'}",
	  "initiate",
	  NULL,
	  { JIT_REQUEST(JIT_ASKED("2026-01-01T15:00:00Z", "Revoked", "NewerRequestInitiated",
				  "203.0.113.7") "," JIT_ASKED("2026-01-01T11:00:00Z", "Revoked",
							       "Expired", "203.0.113.7")),
	    NIC_RULES("[" JIT_DENY "]") } },
	{ "JIT: the same request twice",
	  "jit",
	  "pass",
	  "jit-active",
	  "{'minutes_left': 90}",
	  NULL,
	  NULL,
	  { JIT_REQUEST(JIT_ASKED("2026-01-01T13:00:00Z", "Initiated", "",
				  "203.0.113.7") "," JIT_ASKED("2026-01-01T13:30:00Z", "Initiated",
							       "", "203.0.113.7")),
	    NIC_RULES("[{'name': 'a', 'priority': 300}]") } },
	{ "JIT: every port",
	  "jit",
	  "fail",
	  "jit-no-active-request",
	  "{'state': 'not-requested'}",
	  NULL,
	  NULL,
	  { JIT_REQUEST(""),
	    NIC_RULES("[" JIT_DENY "]"),
	    { PATCH, JIT_ID,
	      "{'properties': {'virtualMachines': [{'id': '" VM_ID
	      "', 'ports': [{'number': '*', 'protocol': '*'}]}]}}",
	      0 } } },
	{ "JIT: the policy is for UDP",
	  "jit",
	  "pass",
	  "jit-not-covered",
	  "{'state': 'not-covered'}",
	  NULL,
	  NULL,
	  { JIT_REQUEST(""),
	    { PATCH, JIT_ID,
	      "{'properties': {'virtualMachines': [{'id': '" VM_ID
	      "', 'ports': [{'number': 22, 'protocol': 'UDP'}]}]}}",
	      0 } } },
	{ "JIT: the VM stands twice in the policy",
	  "jit",
	  "fail",
	  "jit-no-active-request",
	  "{'max_minutes': 60}",
	  NULL,
	  NULL,
	  { JIT_REQUEST(""),
	    NIC_RULES("[" JIT_DENY "]"),
	    { PATCH, JIT_ID,
	      "{'properties': {'virtualMachines': [{'id': '" VM_ID
	      "', 'ports': [{'number': 3389}]}, {'id': '" VM_ID "',"
	      "'ports': [{'number': 22, 'maxRequestAccessDuration': 'PT1H'}]}]}}",
	      0 } } },
	{ "JIT: the policy forbids the source",
	  "jit",
	  "fail",
	  "jit-no-active-request",
	  "{'policy_sources': '198.51.100.0/24'}",
	  "--source-ip <YOUR-ALLOWED-IP>",
	  "jit-policy-forbids-source",
	  { JIT_REQUEST(""),
	    NIC_RULES("[" JIT_DENY "]"),
	    { PATCH, JIT_ID,
	      "{'properties': {'virtualMachines': [{'id': '" VM_ID
	      "', 'ports': [{'number': 22, 'allowedSourceAddressPrefixes': "
	      "['198.51.100.0/24']}]}]}}",
	      0 } } },
	{ "JIT: another policy takes the source",
	  "jit",
	  "fail",
	  "jit-no-active-request",
	  "{'policy': 'second'}",
	  "jitNetworkAccessPolicies/second/initiate",
	  NULL,
	  { JIT_REQUEST(""),
	    NIC_RULES("[" JIT_DENY "]"),
	    { PATCH, JIT_ID,
	      "{'properties': {'virtualMachines': [{'id': '" VM_ID "', 'ports': [{'number': 22,"
	      "'allowedSourceAddressPrefixes': ['198.51.100.0/24']}]}]}}",
	      0 },
	    SECOND_POLICY("'virtualMachines': [{'id': '" VM_ID
			  "', 'ports': [{'number': 22}]}]") } },
	{ "JIT: the request stands in another policy",
	  "jit",
	  "pass",
	  "jit-active",
	  "{'state': 'active'}",
	  NULL,
	  NULL,
	  { JIT_REQUEST(""), NIC_RULES("[{'name': 'a', 'priority': 300}]"),
	    SECOND_POLICY("'virtualMachines': [], 'requests': [" JIT_ASKED(
		"2026-01-01T13:00:00Z", "Initiated", "", "203.0.113.7") "]") } },
	{ "JIT: through Azure Firewall",
	  "jit",
	  "pass",
	  "jit-active",
	  "{'state': 'active'}",
	  NULL,
	  "jit-mapped-port",
	  { JIT_REQUEST(""),
	    NIC_RULES("[{'name': 'a', 'priority': 300}]"),
	    { PATCH, JIT_ID,
	      "{'properties': {'virtualMachines': [{'id': '" VM_ID "', 'publicIpAddress':"
	      "'20.1.2.3', 'ports': [{'number': 22}]}], 'requests': [{'startTimeUtc': "
	      "'2026-01-01T10:00:00Z', 'virtualMachines': [{'id': '" VM_ID "', 'ports':"
	      "[{'number': 22, 'allowedSourceAddressPrefix': '*', 'endTimeUtc': "
	      "'2026-01-01T13:00:00Z', 'status': 'Initiated', 'mappedPort': 13001}]}]}]}}",
	      0 } } },
	{ "JIT: asked for too long",
	  "jit",
	  "fail",
	  "jit-request-failed",
	  "{'state': 'failed'}",
	  "initiate",
	  "jit-policy-forbids-duration",
	  { JIT_REQUEST(JIT_ASKED("2026-01-01T20:00:00Z", "Failed", "", "203.0.113.7")),
	    NIC_RULES("[" JIT_DENY "]") } },
	{ "another port is covered",
	  "jit",
	  "pass",
	  "jit-not-covered",
	  "{'state': 'not-covered'}",
	  NULL,
	  NULL,
	  { JIT_REQUEST(""),
	    { PATCH, JIT_ID,
	      "{'properties': {'virtualMachines': [{'id': '" VM_ID
	      "', 'ports': [{'number': 3389}]}]}}",
	      0 } } },
};

static void
apply(struct net *net, const struct change *change)
{
	switch (change->what) {
	case RULES:
		net_rules(net, change->id, change->json);
		break;
	case PUT:
		net_put(net, change->id, change->json);
		break;
	case PATCH:
		net_patch(net, change->id, change->json);
		break;
	case FORBID:
		net_forbid(net, change->id, change->json);
		break;
	case REMOVE:
		net_remove(net, change->id);
		break;
	case SECTION:
		net_section(net, change->section, change->json);
		break;
	case ASKED:
		net_asked(net, change->json);
		break;
	default:
		break;
	}
}

static const struct remedy *
first_az(const struct finding *finding, const char *text)
{
	for (size_t i = 0; i < finding->remedies.count; i++)
		if (strcmp(finding->remedies.at[i].dialect, "az") == 0 &&
		    strstr(finding->remedies.at[i].command, text) != NULL)
			return &finding->remedies.at[i];
	return NULL;
}

START_TEST(each_fault_is_named)
{
	const struct expectation *expected = &cases[_i];
	struct finding finding;
	struct net net;
	json_t *evidence = net_json(expected->evidence), *value;
	const char *key;
	bool found = expected->also == NULL;

	net_start(&net);
	for (size_t i = 0; i < sizeof(expected->changes) / sizeof(*expected->changes); i++)
		apply(&net, &expected->changes[i]);
	run(&net, expected->check, &finding);
	ck_assert_msg(strcmp(finding.code, expected->code) == 0 &&
			  strcmp(status_word(finding.status), expected->status) == 0,
		      "%s: %s %s \"%s\", expected %s %s", expected->name,
		      status_word(finding.status), finding.code, finding.summary, expected->status,
		      expected->code);
	json_object_foreach (evidence, key, value) {
		char *is = json_dumps(json_object_get(finding.evidence, key), JSON_ENCODE_ANY),
		     *want = json_dumps(value, JSON_ENCODE_ANY);

		ck_assert_msg(json_equal(json_object_get(finding.evidence, key), value),
			      "%s: %s is %s, expected %s", expected->name, key,
			      is != NULL ? is : "absent", want);
		free(is);
		free(want);
	}
	if (expected->command != NULL)
		ck_assert_msg(first_az(&finding, expected->command) != NULL,
			      "%s: no remedy with \"%s\", first is \"%s\"", expected->name,
			      expected->command,
			      finding.remedies.count > 0 ? finding.remedies.at[0].command : "none");
	for (size_t i = 0; i < finding.also_count; i++)
		found |=
		    expected->also != NULL && strcmp(finding.also[i].code, expected->also) == 0;
	ck_assert_msg(found, "%s: nothing beside it is %s", expected->name, expected->also);
	ck_assert_msg(finding.title != NULL && *finding.title != '\0', "%s: %s has no words",
		      expected->name, finding.code);
	finding_free(&finding);
	json_decref(evidence);
	net_end(&net);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("azure checks");
	TCase *tc = tcase_create("faults");
	SRunner *runner = srunner_create(suite);
	struct err err = { "" };

	if (rules_default(&rules, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	tcase_add_loop_test(tc, each_fault_is_named, 0, (int)(sizeof(cases) / sizeof(*cases)));
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_SILENT);
	srunner_free(runner);
	rules_free(rules);
	return 0;
}
