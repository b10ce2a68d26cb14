/* Azure's own example payloads: each is read without complaint, and the table says what it means.
 * They lie beside the source tree (SHARED, default ../shared); without them the tests say so and
 * pass. */
#include "model/address.h"
#include "facts/time.h"
#include "model/jit.h"
#include "model/nsg/nsg.h"
#include "model/route.h"
#include "model/vm.h"
#include "tests/unit/net_fixture.h"

#include <check.h>
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXAMPLE_NIC                                                                                \
	"/subscriptions/subid/resourceGroups/rg1/providers/Microsoft.Network/networkInterfaces/"   \
	"test-nic"

static char folder[512];

static bool
find_folder(void)
{
	const char *shared = getenv("SHARED"), *source = getenv("srcdir");
	DIR *dir;

	if (shared != NULL)
		snprintf(folder, sizeof(folder), "%s/azure/examples", shared);
	else
		snprintf(folder, sizeof(folder), "%s/../shared/azure/examples",
			 source != NULL ? source : ".");
	if ((dir = opendir(folder)) == NULL)
		return false;
	closedir(dir);
	return true;
}

/* The whole file; the caller owns it. */
static json_t *
load(const char *name)
{
	char path[1024];
	json_t *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = json_load_file(path, 0, NULL);
	ck_assert_msg(file != NULL, "%s cannot be read", path);
	return file;
}

static json_t *
body_of(const json_t *file)
{
	return doc_get(json_object_get(doc_get(file, "responses"), "200"), "body");
}

/* Facts whose VM and NIC are the given bodies. */
static void
facts_with(struct net *net, const char *id, json_t *body)
{
	json_t *text;
	char *dump;

	net_start(net);
	dump = json_dumps(body, 0);
	text = json_loads(dump, 0, NULL);
	free(dump);
	json_object_set_new(doc_get(net->doc, "azure.resources"), id, text);
}

/* ---- VMs ---- */

static const struct {
	const char *file;
	const char *pointer; /* within the body: NULL, or the list of which the first is taken */
	bool instance_view;  /* the body is an instance view */
	const char *power, *admin, *os, *agent;
} vms[] = {
	{ "compute__VirtualMachine_Get.json", NULL, false, NULL, "admin", "Windows", "unknown" },
	{ "compute__VirtualMachine_Get_InstanceView.json", NULL, true, "running", NULL, "Windows",
	  "ready" },
	{ "compute__VirtualMachine_Get_AutoPlacedOnDedicatedHostGroup.json", NULL, false, NULL,
	  "admin", "Windows", "unknown" },
	{ "compute__VirtualMachine_Get_WithVMSizeProperties.json", NULL, false, NULL, "admin",
	  "Windows", "unknown" },
	{ "compute__VirtualMachine_Create_WithSshAuthentication.json", NULL, false, NULL,
	  "{your-username}", "Linux", "unknown" },
	{ "compute__VirtualMachine_ListAll_MaximumSet_Gen.json", "value", false, NULL, "Foo12",
	  NULL, NULL },
	{ "compute__VirtualMachine_List_MaximumSet_Gen.json", "value", false, NULL, "Foo12", NULL,
	  NULL },
	{ "compute-vmss__VirtualMachineScaleSetVM_Get_WithUserData.json", NULL, false, NULL,
	  "Foo12", "Windows", "unknown" },
	{ "compute-vmss__VirtualMachineScaleSetVM_List_MaximumSet_Gen.json", "value", false, NULL,
	  NULL, NULL, NULL },
};

static const char *const agents[] = { [VM_AGENT_UNKNOWN] = "unknown",
				      [VM_AGENT_NONE] = "none",
				      [VM_AGENT_NOT_READY] = "not ready",
				      [VM_AGENT_READY] = "ready" };

START_TEST(every_vm_is_read)
{
	json_t *file = load(vms[_i].file), *body = body_of(file), *whole;
	struct net net;
	struct vm vm;
	struct vm_extension extension;

	if (vms[_i].pointer != NULL)
		body = json_array_get(doc_list(body, vms[_i].pointer), 0);
	whole = vms[_i].instance_view ? json_pack("{s:{s:O}}", "properties", "instanceView", body)
				      : json_incref(body);
	net_start(&net);
	net_put(&net, VM_ID, "{}");
	json_object_update(
	    (json_t *)(uintptr_t)json_object_get(doc_get(net.doc, "azure.resources"),
						 "/subscriptions/s1/resourcegroups/rg/providers/"
						 "microsoft.compute/virtualmachines/myvm"),
	    whole);
	ck_assert_int_eq(vm_from_facts(&net.facts, &vm, NULL), 0);
	if (vms[_i].power != NULL)
		ck_assert_str_eq(vm.power, vms[_i].power);
	if (vms[_i].admin != NULL)
		ck_assert_str_eq(vm.admin, vms[_i].admin);
	if (vms[_i].os != NULL)
		ck_assert_str_eq(!vm.os_known ? "not told"
				 : vm.windows ? "Windows"
					      : "Linux",
				 vms[_i].os);
	if (vms[_i].agent != NULL)
		ck_assert_str_eq(agents[vm.agent], vms[_i].agent);
	vm_extension(&net.facts, &vm, "AADSSHLoginForLinux", &extension);
	net_end(&net);
	json_decref(whole);
	json_decref(file);
}
END_TEST

/* ---- security groups: what they do with TCP 22 and 80 from the Internet to 10.0.0.4 ---- */

static const struct {
	const char *file, *pointer;
	unsigned port;
	const char *verdict, *decider;
	void (*read)(const json_t *, struct nsg *);
} groups[] = {
	{ "network__NetworkSecurityGroupGet.json", NULL, 22, "deny", "DenyAllInBound",
	  nsg_from_body },
	{ "network__NetworkSecurityGroupGet.json", NULL, 80, "allow", "rule1", nsg_from_body },
	{ "network__NetworkSecurityGroupList.json", "value", 22, "deny", "DenyAllInBound",
	  nsg_from_body },
	{ "network__NetworkSecurityGroupCreateWithRule.json", NULL, 80, "allow", "rule1",
	  nsg_from_body },
	{ "network__NetworkManagerEffectiveSecurityAdminRulesList.json", NULL, 22, "deny",
	  "SampleAdminRule", nsg_from_admin },
	{ "network__NetworkManagerEffectiveSecurityAdminRulesList.json", NULL, 80, "open", NULL,
	  nsg_from_admin },
	{ "network__NetworkInterfaceEffectiveNSGList.json", "value", 22, "open", NULL,
	  nsg_from_effective },
	{ "network__NetworkInterfaceEffectiveNSGList.json", "value", 3389, "open", NULL,
	  nsg_from_effective },
};

START_TEST(every_security_group_is_read)
{
	json_t *file = load(groups[_i].file), *body = body_of(file);
	struct nsg_flow flow = { .protocol = 6,
				 .port = groups[_i].port,
				 .destination_known = true };
	struct nsg_result result;
	struct nsg nsg;
	struct ip ip;
	const char *verdict;

	if (groups[_i].pointer != NULL)
		body = json_array_get(doc_list(body, groups[_i].pointer), 0);
	ip_parse("10.0.0.4", &flow.destination);
	ip_parse("203.0.113.7", &ip);
	ip_set_add(&flow.source, &(struct ip_range){ ip, ip });
	groups[_i].read(body, &nsg);
	ck_assert_ptr_null(nsg.bad);
	nsg_evaluate(&nsg, &flow, &result);
	verdict = result.can_allow && result.can_deny ? "depends"
		  : result.can_allow                  ? "allow"
		  : result.can_deny                   ? "deny"
						      : "open";
	ck_assert_msg(strcmp(verdict, groups[_i].verdict) == 0, "%s port %u: %s", groups[_i].file,
		      groups[_i].port, verdict);
	ck_assert_ptr_null(result.unknown_field);
	if (groups[_i].decider != NULL)
		ck_assert_str_eq(result.decider->name, groups[_i].decider);
	nsg_result_free(&result);
	nsg_free(&nsg);
	ip_set_free(&flow.source);
	json_decref(file);
}
END_TEST

/* ---- NICs ---- */

START_TEST(a_nic_is_followed)
{
	json_t *file = load("network__NetworkInterfaceGet.json");
	struct net net;
	struct network network;

	facts_with(&net,
		   "/subscriptions/subid/resourcegroups/rg1/providers/microsoft.network/"
		   "networkinterfaces/test-nic",
		   body_of(file));
	net_patch(&net, VM_ID,
		  "{'properties': {'networkProfile': {'networkInterfaces': [{'id': '" EXAMPLE_NIC
		  "'}]}}}");
	ck_assert_int_eq(network_from_facts(&net.facts, &network), 0);
	ck_assert_uint_eq(network.count, 2);
	ck_assert_str_eq(network.paths[0].config_name, "ipconfig1");
	ck_assert(network.paths[0].primary && !network.paths[1].primary);
	ck_assert(network.paths[0].has_private &&
		  network.paths[1].has_private); /* the second reads "172.20.2.16/28" */
	ck_assert_int_eq(network.paths[0].nic_nsg.state,
			 FACT_UNKNOWN); /* referred to, and not here: never "none" */
	ck_assert_int_eq(network.paths[0].subnet_nsg.state, FACT_UNKNOWN);
	ck_assert_int_eq(network.paths[1].pip.state, FACT_ABSENT);
	network_free(&network);
	net_end(&net);
	json_decref(file);
}
END_TEST

START_TEST(a_scale_set_nic_is_followed)
{
	json_t *file = load("network__VmssNetworkInterfaceGet.json"), *body = body_of(file);
	struct net net;
	struct network network;
	char *lb;

	facts_with(&net,
		   "/subscriptions/subid/resourcegroups/rg1/providers/microsoft.compute/"
		   "virtualmachinescalesets/vmss1/virtualmachines/1/"
		   "networkinterfaces/nic1",
		   body);
	net_patch(&net, VM_ID,
		  "{'properties': {'networkProfile': {'networkInterfaces': [{'id': "
		  "'/subscriptions/subid/resourceGroups/rg1/providers/"
		  "Microsoft.Compute/virtualMachineScaleSets/vmss1/virtualMachines/1/"
		  "networkInterfaces/nic1'}]}}}");
	ck_assert_int_eq(network_from_facts(&net.facts, &network), 0);
	ck_assert_uint_eq(network.count, 1);
	ck_assert_str_eq(network.paths[0].private_text, "10.0.0.5");
	ck_assert_ptr_nonnull(network.paths[0].pip.id);
	lb = balancer_of(&net.facts, &network.paths[0]);
	ck_assert_str_eq(lb, "/subscriptions/subid/resourceGroups/rg1/providers/Microsoft.Network/"
			     "loadBalancers/lb1");
	free(lb);
	network_free(&network);
	net_end(&net);
	json_decref(file);
}
END_TEST

/* ---- just-in-time ---- */

static const struct {
	const char *file, *list;
	int port;
	const char *now, *source;
	enum jit_state state;
} policies[] = {
	{ "security__GetJitNetworkAccessPolicy_example.json", NULL, 22, NULL, "192.127.0.2",
	  JIT_NOT_REQUESTED },
	{ "security__GetJitNetworkAccessPolicy_example.json", NULL, 3389, NULL, "192.127.0.2",
	  JIT_EXPIRED },
	{ "security__GetJitNetworkAccessPolicy_example.json", NULL, 3389, "2018-05-17T08:30:00Z",
	  "192.127.0.2", JIT_ACTIVE },
	{ "security__GetJitNetworkAccessPolicy_example.json", NULL, 3389, "2018-05-17T08:30:00Z",
	  "192.127.0.3", JIT_OTHER_SOURCE },
	{ "security__GetJitNetworkAccessPolicy_example.json", NULL, 443, NULL, "192.127.0.2",
	  JIT_NOT_COVERED },
	{ "security__GetJitNetworkAccessPoliciesResourceGroup_example.json", "value", 22, NULL,
	  "192.127.0.2", JIT_NOT_REQUESTED },
	{ "security__GetJitNetworkAccessPoliciesSubscription_example.json", "value", 22, NULL,
	  "192.127.0.2", JIT_NOT_REQUESTED },
};

START_TEST(every_policy_is_read)
{
	json_t *file = load(policies[_i].file), *body = body_of(file);
	struct net net;
	struct ip source;
	struct jit jit;

	if (policies[_i].list != NULL)
		body = json_array_get(doc_list(body, policies[_i].list), 0);
	facts_with(&net, "/subscriptions/s1/policy", body);
	net_section(&net, FACT_JIT, "{'policies': ['/subscriptions/s1/policy']}");
	if (policies[_i].now != NULL)
		net.facts.now = time_from_iso(policies[_i].now);
	ip_parse(policies[_i].source, &source);
	jit_from_facts(&net.facts,
		       "/subscriptions/20ff7fc3-e762-44dd-bd96-b71116dcdc23/resourceGroups/MYRG1/"
		       "providers/Microsoft.Compute/virtualMachines/vm1",
		       policies[_i].port, &source, &jit);
	ck_assert_str_eq(jit_state_word(jit.state), jit_state_word(policies[_i].state));
	if (jit.state == JIT_ACTIVE)
		ck_assert_int_eq(jit.minutes_left, 36);
	net_end(&net);
	json_decref(file);
}
END_TEST

/* ---- routes ---- */

START_TEST(effective_routes_are_read)
{
	json_t *file = load("network__NetworkInterfaceEffectiveRouteTableList.json");
	struct net_path path = { .nic_id = NIC_ID };
	struct route route;
	struct net net;
	struct ip ip;
	bool effective;

	facts_with(&net,
		   "/subscriptions/s1/resourcegroups/rg/providers/microsoft.network/"
		   "networkinterfaces/myvm-nic/effectiveroutetable",
		   body_of(file));
	ip_parse("203.0.113.7", &ip);
	ck_assert_int_eq(route_to(&net.facts, &path, &ip, &route, &effective), ROUTE_FOUND);
	ck_assert(effective);
	ck_assert_str_eq(route.hop_type, "Internet");
	ip_parse("10.1.2.3", &ip);
	ck_assert_int_eq(route_to(&net.facts, &path, &ip, &route, &effective), ROUTE_FOUND);
	ck_assert_str_eq(route.hop_type, "None");
	net_end(&net);
	json_decref(file);
}
END_TEST

/* Whatever the body, no view crashes on it: every file's bodies stand as VM, NIC and security group
 * in turn. */
START_TEST(any_payload_may_stand_anywhere)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	size_t files = 0;

	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir)) != NULL && files < 1000) {
		struct nsg_judgement judgement;
		struct nsg_flow flow = { .protocol = 6, .port = 22 };
		struct network network;
		struct address address;
		struct net net;
		struct vm vm;
		json_t *file, *body;

		if (strstr(entry->d_name, ".json") == NULL)
			continue;
		files++;
		file = load(entry->d_name);
		body = body_of(file);
		if (json_is_object(body)) {
			facts_with(&net,
				   "/subscriptions/s1/resourcegroups/rg/providers/"
				   "microsoft.network/networksecuritygroups/myvm-nsg",
				   body);
			ip_set_public(&flow.source, false);
			ck_assert_int_eq(network_from_facts(&net.facts, &network), 0);
			nsg_judge(&net.facts, &network.paths[0], &flow, true, "Standard",
				  &judgement);
			nsg_judgement_free(&judgement);
			network_free(&network);
			ip_set_free(&flow.source);
			net_end(&net);
			facts_with(&net,
				   "/subscriptions/s1/resourcegroups/rg/providers/"
				   "microsoft.network/networkinterfaces/myvm-nic",
				   body);
			address_choose(&net.facts, &address);
			net_end(&net);
			facts_with(&net,
				   "/subscriptions/s1/resourcegroups/rg/providers/"
				   "microsoft.compute/virtualmachines/myvm",
				   body);
			vm_from_facts(&net.facts, &vm, NULL);
			address_choose(&net.facts, &address);
			net_end(&net);
		}
		json_decref(file);
	}
	closedir(dir);
	ck_assert_uint_gt(files, 100);
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof(*(array))))

int
main(void)
{
	Suite *suite;
	TCase *tc;
	SRunner *runner;

	if (!find_folder()) {
		printf("1..0 # SKIP no example payloads in %s\n", folder);
		return 0;
	}
	suite = suite_create("payloads");
	tc = tcase_create("examples");
	runner = srunner_create(suite);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, every_vm_is_read, 0, COUNT(vms));
	tcase_add_loop_test(tc, every_security_group_is_read, 0, COUNT(groups));
	tcase_add_test(tc, a_nic_is_followed);
	tcase_add_test(tc, a_scale_set_nic_is_followed);
	tcase_add_loop_test(tc, every_policy_is_read, 0, COUNT(policies));
	tcase_add_test(tc, effective_routes_are_read);
	tcase_add_test(tc, any_payload_may_stand_anywhere);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_SILENT);
	srunner_free(runner);
	return 0;
}
