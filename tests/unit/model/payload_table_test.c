/* The rest of Azure's example payloads, in words: a table says what each means to the views, and no
 * file is without its line. Without the examples (SHARED, default ../shared) the test says so and
 * passes. payload_test.c has VMs, groups, NICs and policies in more detail. */
#include "model/address.h"
#include "facts/arm.h"
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

/* ---- one body in words: the caller frees ---- */

static void
put_body(struct net *net, const char *id, const json_t *body)
{
	char key[ARM_ID_MAX];

	ck_assert_int_eq(arm_id_key(id, key, sizeof(key)), 0);
	json_object_set(doc_get(net->doc, "azure.resources"), key, (json_t *)(uintptr_t)body);
}

/* TCP 22 and 80 from the Internet through the group. */
static char *
say_group(const json_t *body)
{
	static const unsigned ports[] = { 22, 80 };
	struct nsg nsg;
	char *words = NULL;

	nsg_from_body(body, &nsg);
	ck_assert_msg(nsg.bad == NULL, "%s", nsg.bad);
	for (size_t i = 0; i < 2; i++) {
		struct nsg_flow flow = { .protocol = 6,
					 .port = ports[i],
					 .destination_known = true };
		struct nsg_result result;
		struct ip ip;
		char *one;

		ip_parse("10.0.0.4", &flow.destination);
		ip_parse("203.0.113.7", &ip);
		ip_set_add(&flow.source, &(struct ip_range){ ip, ip });
		nsg_evaluate(&nsg, &flow, &result);
		one = doc_fmt("%s%s%u %s by %s", words != NULL ? words : "",
			      words != NULL ? ", " : "", ports[i],
			      result.can_allow && result.can_deny ? "depends"
			      : result.can_allow                  ? "allow"
								  : "deny",
			      result.decider->name);
		free(words);
		words = one;
		nsg_result_free(&result);
		ip_set_free(&flow.source);
	}
	nsg_free(&nsg);
	return words;
}

static char *
say_rule(const json_t *body)
{
	json_t *group = json_pack("{s:{s:[O]}}", "properties", "securityRules", body);
	char *words = say_group(group);

	json_decref(group);
	return words;
}

static char *
say_address(const json_t *body)
{
	struct address *list;
	struct network network;
	struct net net;
	size_t count;
	char *words;

	net_start(&net);
	put_body(&net, PIP_ID, body);
	ck_assert_int_eq(network_from_facts(&net.facts, &network), 0);
	address_list(&net.facts, &network, &list, &count);
	words = list[0].kind != ADDRESS_PUBLIC_IP
		    ? doc_fmt("no address")
		    : doc_fmt("%s %s%s%s", list[0].host, list[0].allocation,
			      list[0].fqdn != NULL ? " " : "",
			      list[0].fqdn != NULL ? list[0].fqdn : "");
	free(list);
	network_free(&network);
	net_end(&net);
	return words;
}

/* The ways by which the balancer's rules lead to a NIC that is in all of its pools and behind all
 * of its NAT rules. */
static char *
say_balancer(const json_t *body)
{
	json_t *config =
		   net_json("{'id': '" NIC_ID "/ipConfigurations/ipconfig1', 'name': 'ipconfig1', "
			    "'properties': {'privateIPAddress': '10.0.0.4'}}"),
	       *nic;
	static const char *const parts[][2] = {
		{ "properties.inboundNatRules", "loadBalancerInboundNatRules" },
		{ "properties.backendAddressPools", "loadBalancerBackendAddressPools" }
	};
	char *words = doc_fmt("%s", doc_str(body, "sku.name") != NULL ? doc_str(body, "sku.name")
								      : "no SKU"),
	     *longer;
	struct address *list;
	struct network network;
	const json_t *part;
	struct net net;
	size_t count, i;

	for (size_t k = 0; k < 2; k++) {
		json_t *refs = json_array();

		json_array_foreach (doc_list(body, parts[k][0]), i, part)
			json_array_append_new(refs, json_pack("{s:s}", "id", doc_str(part, "id")));
		json_object_set_new(json_object_get(config, "properties"), parts[k][1], refs);
	}
	net_start(&net);
	put_body(&net, doc_str(body, "id"), body);
	nic = json_pack("{s:s, s:{s:[o]}}", "id", NIC_ID, "properties", "ipConfigurations", config);
	put_body(&net, NIC_ID, nic);
	net_asked(&net, "{'port': 3389}");
	ck_assert_int_eq(network_from_facts(&net.facts, &network), 0);
	address_list(&net.facts, &network, &list, &count);
	for (i = 0; i < count; i++) {
		if (list[i].kind == ADDRESS_PRIVATE)
			continue;
		longer = doc_fmt("%s, %s %s:%d to %d%s", words, address_kind_word(list[i].kind),
				 list[i].host, list[i].port, list[i].backend_port,
				 list[i].internal ? " inside" : "");
		free(words);
		words = longer;
	}
	json_decref(nic);
	free(list);
	network_free(&network);
	net_end(&net);
	return words;
}

static char *
say_bastion(const json_t *body)
{
	const json_t *config = json_array_get(doc_list(body, "properties.ipConfigurations"), 0);
	const char *subnet = doc_str(config, "properties.subnet.id"),
		   *vnet = doc_str(body, "properties.virtualNetwork.id");
	char *own = subnet != NULL ? doc_fmt("%s", subnet) : doc_fmt("%s/subnets/default", vnet),
	     *words;
	struct net_path path = { .nic_id = NIC_ID, .subnet = { .id = own, .state = FACT_KNOWN } };
	struct bastion bastion;
	struct net net;

	net_start(&net);
	put_body(&net, doc_str(body, "id"), body);
	ck_assert(bastion_for(&net.facts, &path, &bastion));
	words =
	    doc_fmt("%s, %s native clients", bastion.sku, bastion.tunneling ? "with" : "without");
	net_end(&net);
	free(own);
	return words;
}

static char *
say_nic(const json_t *body)
{
	struct network network;
	struct net net;
	char *words = NULL;

	net_start(&net);
	put_body(&net, NIC_ID, body);
	ck_assert_int_eq(network_from_facts(&net.facts, &network), 0);
	for (size_t i = 0; i < network.count; i++) {
		const struct net_path *path = &network.paths[i];
		char *longer =
		    doc_fmt("%s%s%s%s%s%s", words != NULL ? words : "", words != NULL ? ", " : "",
			    path->private_text, path->v6 ? " IPv6" : "",
			    path->nic_nsg.state == FACT_ABSENT ? "" : " group",
			    path->pip.state == FACT_ABSENT ? "" : " address");

		free(words);
		words = longer;
	}
	network_free(&network);
	net_end(&net);
	return words;
}

static char *
say_subnet(const json_t *body)
{
	struct network network;
	struct net net;
	char *words;

	net_start(&net);
	put_body(&net, SUBNET_ID, body);
	ck_assert_int_eq(network_from_facts(&net.facts, &network), 0);
	words = doc_fmt(
	    "%s, %s", network.paths[0].subnet_nsg.state == FACT_ABSENT ? "no group" : "a group",
	    network.paths[0].route_table.state == FACT_ABSENT ? "no route table" : "a route table");
	network_free(&network);
	net_end(&net);
	return words;
}

static char *
say_tag(const json_t *table, const json_t *vnet, const char *tag, const char *address)
{
	static const char *const words[] = {
		[NSG_NO] = "no", [NSG_MAYBE] = "perhaps", [NSG_YES] = "yes"
	};
	struct nsg_tags tags = { .table = table, .vnet = vnet };
	struct ip ip;

	ck_assert_int_eq(ip_parse(address, &ip), 0);
	return doc_fmt("%s holds %s: %s", tag, address,
		       words[nsg_tag_has(&tags, tag, &(struct ip_range){ ip, ip }, false)]);
}

static char *
say_vnet(const json_t *body)
{
	return say_tag(NULL, body, "VirtualNetwork", "10.0.0.9");
}

static char *
say_peering(const json_t *body)
{
	json_t *vnet = json_pack("{s:{s:[O]}}", "properties", "virtualNetworkPeerings", body);
	char *words = say_tag(NULL, vnet, "VirtualNetwork", "12.0.0.9");

	json_decref(vnet);
	return words;
}

static char *
say_tags(const json_t *body)
{
	json_t *table = doc_list(body, "values") != NULL ? json_incref((json_t *)(uintptr_t)body)
							 : json_pack("{s:[O]}", "values", body);
	char *a = say_tag(table, NULL, "ApiManagement", "40.74.146.81"),
	     *b = say_tag(table, NULL, "apimanagement", "40.74.146.82"),
	     *c = say_tag(table, NULL, "Storage", "40.74.146.82"),
	     *words = doc_fmt("%s, %s, %s", a, b, c);

	free(a);
	free(b);
	free(c);
	json_decref(table);
	return words;
}

static char *
say_routes(const json_t *body)
{
	struct route route = { 0 };
	struct net net;
	struct ip ip;
	bool effective;
	struct net_path path = { .nic_id = NIC_ID,
				 .route_table = { .id = "/rt", .state = FACT_KNOWN, .body = body },
				 .subnet = { .state = FACT_KNOWN } };

	net_start(&net);
	ip_parse("10.0.3.9", &ip);
	ck_assert_int_eq(route_to(&net.facts, &path, &ip, &route, &effective), ROUTE_FOUND);
	net_end(&net);
	return doc_fmt("10.0.3.9 by %s", route.hop_type);
}

static char *
say_vm(const json_t *body)
{
	struct net net;
	struct vm vm;
	char *words;

	net_start(&net);
	put_body(&net, VM_ID, body);
	ck_assert_int_eq(vm_from_facts(&net.facts, &vm, NULL), 0);
	words = doc_fmt("%s, user %s, %s",
			!vm.os_known ? "no system"
			: vm.windows ? "Windows"
				     : "Linux",
			vm.admin != NULL ? vm.admin : "none",
			vm.power != NULL ? vm.power : "no power state");
	net_end(&net);
	return words;
}

/* What IP flow verify answers. */
static char *
say_flow(const json_t *body)
{
	return doc_fmt("%s by %s", doc_str(body, "access"), doc_str(body, "ruleName"));
}

static char *
say_watcher(const json_t *body)
{
	return doc_fmt("%s in %s", arm_id_name(doc_str(body, "id")), doc_str(body, "location"));
}

/* ---- the table ---- */

#define N "network__"

/* `say` NULL: `words` is why the views have nothing to do with it, or where it is tested instead.
 */
static const struct meaning {
	const char *file;
	char *(*say)(const json_t *body);
	const char *words;
} meanings[] = {
#include "tests/unit/model/payload_table.h"
};

#define COUNT(array) ((int)(sizeof(array) / sizeof(*(array))))

START_TEST(each_payload_means_what_the_table_says)
{
	const struct meaning *meaning = &meanings[_i];
	char path[1024], *words = NULL;
	json_t *file, *body, *list, *item;
	size_t i;

	snprintf(path, sizeof(path), "%s/%s", folder, meaning->file);
	ck_assert_msg((file = json_load_file(path, 0, NULL)) != NULL, "%s cannot be read", path);
	body = doc_get(json_object_get(doc_get(file, "responses"), "200"), "body");
	list = doc_list(body, "value") != NULL
		   ? json_incref(doc_list(body, "value"))
		   : json_pack("[O]", body != NULL ? body : json_null());
	json_array_foreach (list, i, item) {
		char *one = meaning->say != NULL ? meaning->say(item) : NULL, *longer;

		if (one == NULL)
			break;
		longer = words == NULL ? doc_fmt("%s", one) : doc_fmt("%s; %s", words, one);
		free(words);
		free(one);
		words = longer;
	}
	if (meaning->say != NULL)
		ck_assert_msg(words != NULL && strcmp(words, meaning->words) == 0,
			      "%s: \"%s\", expected \"%s\"", meaning->file,
			      words != NULL ? words : "nothing", meaning->words);
	free(words);
	json_decref(list);
	json_decref(file);
}
END_TEST

START_TEST(every_file_has_its_line)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;

	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir)) != NULL) {
		bool found = strstr(entry->d_name, ".json") == NULL;

		for (int i = 0; i < COUNT(meanings) && !found; i++)
			found = strcmp(meanings[i].file, entry->d_name) == 0;
		ck_assert_msg(found, "%s stands in no line of the table", entry->d_name);
	}
	closedir(dir);
}
END_TEST

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
	suite = suite_create("payload table");
	tc = tcase_create("meanings");
	runner = srunner_create(suite);
	tcase_add_loop_test(tc, each_payload_means_what_the_table_says, 0, COUNT(meanings));
	tcase_add_test(tc, every_file_has_its_line);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_SILENT);
	srunner_free(runner);
	return 0;
}
