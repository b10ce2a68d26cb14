#include "tests/unit/net_fixture.h"
#include "facts/arm.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

json_t *
net_json(const char *text)
{
	char *copy = strdup(text);
	json_error_t error;
	json_t *value;

	if (copy == NULL)
		abort();
	for (char *p = copy; *p != '\0'; p++)
		if (*p == '\'')
			*p = '"';
	if ((value = json_loads(copy, JSON_DECODE_ANY, &error)) == NULL) {
		fprintf(stderr, "bad fixture at %d: %s\n%s\n", error.position, error.text, copy);
		abort();
	}
	free(copy);
	return value;
}

static void
put(struct net *net, const char *where, const char *id, json_t *value)
{
	char key[ARM_ID_MAX];

	if (arm_id_key(id, key, sizeof(key)) < 0)
		abort();
	json_object_del(doc_get(net->doc, "azure.resources"), key);
	json_object_del(doc_get(net->doc, "azure.missing"), key);
	if (value != NULL)
		json_object_set_new(doc_get(net->doc, where), key, value);
}

void
net_put(struct net *net, const char *id, const char *json)
{
	put(net, "azure.resources", id, net_json(json));
}

void
net_merge(json_t *into, json_t *patch)
{
	json_t *value, *old;
	const char *key;

	json_object_foreach (patch, key, value) {
		old = json_object_get(into, key);
		if (json_is_null(value))
			json_object_del(into, key);
		else if (json_is_object(value) && json_is_object(old))
			net_merge(old, value);
		else
			json_object_set(into, key, value);
	}
}

void
net_patch(struct net *net, const char *id, const char *json)
{
	json_t *patch = net_json(json);
	const json_t *body;

	if (facts_resource(&net->facts, id, &body, NULL) != FACT_KNOWN)
		abort();
	net_merge((json_t *)(uintptr_t)body, patch);
	json_decref(patch);
}

void
net_remove(struct net *net, const char *id)
{
	put(net, "azure.resources", id, NULL);
}

void
net_forbid(struct net *net, const char *id, const char *action)
{
	put(net, "azure.missing", id,
	    json_pack("{s:s, s:s, s:s, s:i, s:s}", "state", "unknown", "cause", "forbidden",
		      "reason", "403", "status", 403, "action", action));
}

void
net_rules(struct net *net, const char *nsg_id, const char *rules)
{
	json_t *list = net_json(rules), *out = json_array(), *rule, *body;
	size_t i;

	json_array_foreach (list, i, rule) {
		json_t *full = net_json(
		    "{'protocol': 'Tcp', 'sourcePortRange': '*', 'destinationPortRange': '22', "
		    "'sourceAddressPrefix': '*',"
		    "'destinationAddressPrefix': '*', 'access': 'Allow', 'direction': 'Inbound'}");

		net_merge(full, rule);
		json_array_append_new(out,
				      json_pack("{s:O, s:o}", "name", json_object_get(rule, "name"),
						"properties", full));
	}
	body = json_pack("{s:s, s:s, s:{s:o}}", "id", nsg_id, "name", arm_id_name(nsg_id),
			 "properties", "securityRules", out);
	put(net, "azure.resources", nsg_id, body);
	json_decref(list);
}

void
net_section(struct net *net, enum fact_section section, const char *json)
{
	json_t *patch = net_json(json);

	net_merge(facts_known(&net->facts, section), patch);
	json_decref(patch);
}

void
net_asked(struct net *net, const char *json)
{
	json_t *patch = net_json(json);

	net_merge(doc_get(net->doc, "asked"), patch);
	json_decref(patch);
}

static const char vm_body[] =
    "{'id': '" VM_ID "', 'name': 'myVM', 'location': 'westeurope', 'properties': {"
    "'provisioningState': 'Succeeded', 'timeCreated': '2025-03-02T08:14:07.3138469+00:00',"
    "'storageProfile': {'osDisk': {'osType': 'Linux'}},"
    "'osProfile': {'computerName': 'myVM', 'adminUsername': 'azureuser', 'linuxConfiguration': "
    "{'disablePasswordAuthentication': true,"
    " 'provisionVMAgent': true}},"
    "'networkProfile': {'networkInterfaces': [{'id': '" NIC_ID
    "', 'properties': {'primary': true}}]},"
    "'diagnosticsProfile': {'bootDiagnostics': {'enabled': true}},"
    "'instanceView': {'vmAgent': {'statuses': [{'code': 'ProvisioningState/succeeded', "
    "'displayStatus': 'Ready'}]},"
    "'statuses': [{'code': 'ProvisioningState/succeeded'}, {'code': 'PowerState/running', "
    "'displayStatus': 'VM running'}]}}}";

static const char nic_body[] =
    "{'id': '" NIC_ID "', 'name': 'myVM-nic', 'properties': {'primary': true,"
    "'networkSecurityGroup': {'id': '" NSG_ID "'}, 'virtualMachine': {'id': '" VM_ID "'},"
    "'ipConfigurations': [{'id': '" NIC_ID
    "/ipConfigurations/ipconfig1', 'name': 'ipconfig1', 'properties': {"
    "'privateIPAddress': '10.0.0.4', 'privateIPAddressVersion': 'IPv4', 'primary': true,"
    "'publicIPAddress': {'id': '" PIP_ID "'}, 'subnet': {'id': '" SUBNET_ID "'}}}]}}";

void
net_start(struct net *net)
{
	net->doc = facts_new(1767268800); /* NOW */
	json_array_append_new(doc_get(net->doc, "targets"), json_object());
	if (facts_view(net->doc, 0, &net->facts) < 0)
		abort();
	net_section(
	    net, FACT_VM,
	    "{'id': '" VM_ID
	    "', 'name': 'myVM', 'resource_group': 'rg', 'subscription': 's1', 'from': 'search'}");
	net_section(net, FACT_NETWORK, "{'nics': ['" NIC_ID "']}");
	net_section(net, FACT_JIT, "{'policies': []}");
	net_section(net, FACT_SOURCE, "{'ip': '203.0.113.7', 'from': 'option', 'likely': false}");
	net_put(net, VM_ID, vm_body);
	net_put(net, NIC_ID, nic_body);
	net_put(net, PIP_ID,
		"{'id': '" PIP_ID "', 'name': 'myVM-ip', 'sku': {'name': 'Standard'}, "
		"'properties': {'ipAddress': '20.51.230.13',"
		"'publicIPAllocationMethod': 'Static', 'publicIPAddressVersion': 'IPv4',"
		"'ipConfiguration': {'id': '" NIC_ID "/ipConfigurations/ipconfig1'}}}");
	net_put(net, VNET_ID,
		"{'id': '" VNET_ID "', 'name': 'vnet', 'properties': {'addressSpace': "
		"{'addressPrefixes': ['10.0.0.0/16']},"
		"'subnets': [{'id': '" SUBNET_ID
		"', 'name': 'default'}], 'virtualNetworkPeerings': []}}");
	net_put(net, SUBNET_ID,
		"{'id': '" SUBNET_ID
		"', 'name': 'default', 'properties': {'addressPrefix': '10.0.0.0/24'}}");
	net_rules(
	    net, NSG_ID,
	    "[{'name': 'allow-ssh', 'priority': 300, 'sourceAddressPrefix': '203.0.113.7/32'}]");
}

void
net_end(struct net *net)
{
	json_decref(net->doc);
}
