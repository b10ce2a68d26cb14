/* What Azure adds to a stored body when it is read, and what it keeps back. */
#include "tests/sim/sim.h"

#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name, *description, *source, *destination, *access, *direction;
	int priority;
} default_rules[] = {
	{ "AllowVnetInBound", "Allow inbound traffic from all VMs in VNET", "VirtualNetwork",
	  "VirtualNetwork", "Allow", "Inbound", 65000 },
	{ "AllowAzureLoadBalancerInBound", "Allow inbound traffic from azure load balancer",
	  "AzureLoadBalancer", "*", "Allow", "Inbound", 65001 },
	{ "DenyAllInBound", "Deny all inbound traffic", "*", "*", "Deny", "Inbound", 65500 },
	{ "AllowVnetOutBound", "Allow outbound traffic from all VMs to all VMs in VNET",
	  "VirtualNetwork", "VirtualNetwork", "Allow", "Outbound", 65000 },
	{ "AllowInternetOutBound", "Allow outbound traffic from all VMs to Internet", "*",
	  "Internet", "Allow", "Outbound", 65001 },
	{ "DenyAllOutBound", "Deny all outbound traffic", "*", "*", "Deny", "Outbound", 65500 },
};

#define ETAG "W/\"00000000-0000-0000-0000-000000000000\""

void
derive_default_rules(json_t *nsg)
{
	json_t *properties = json_section(nsg, "properties"), *rules;
	const char *id = json_text_at(nsg, "id");

	json_put_default(properties, "securityRules", json_array());
	if (json_object_get(properties, "defaultSecurityRules") != NULL)
		return;
	rules = json_array();
	for (size_t i = 0; i < sizeof default_rules / sizeof default_rules[0]; i++) {
		char *own = text_format("%s/defaultSecurityRules/%s", id, default_rules[i].name);
		json_t *rule = json_pack(
		    "{s:s,s:s,s:s,s:s}", "name", default_rules[i].name, "id", own, "etag", ETAG,
		    "type", "Microsoft.Network/networkSecurityGroups/defaultSecurityRules");

		json_put(rule, "properties",
			 json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:i,s:s,s:[],s:[],s:[],s:[]}",
				   "provisioningState", "Succeeded", "description",
				   default_rules[i].description, "protocol", "*", "sourcePortRange",
				   "*", "destinationPortRange", "*", "sourceAddressPrefix",
				   default_rules[i].source, "destinationAddressPrefix",
				   default_rules[i].destination, "access", default_rules[i].access,
				   "priority", default_rules[i].priority, "direction",
				   default_rules[i].direction, "sourcePortRanges",
				   "destinationPortRanges", "sourceAddressPrefixes",
				   "destinationAddressPrefixes"));
		json_array_append_new(rules, rule);
		free(own);
	}
	json_put(properties, "defaultSecurityRules", rules);
}

const char *
vm_power(const json_t *vm)
{
	const json_t *statuses = json_at(vm, "properties.instanceView.statuses");
	json_t *status;
	size_t i;

	json_array_foreach ((json_t *)(uintptr_t)statuses, i, status) {
		const char *code = json_text_at(status, "code");

		if (code != NULL && text_has_prefix(code, "PowerState/"))
			return code + strlen("PowerState/");
	}
	return NULL;
}

static bool
is_machine(const json_t *body)
{
	return resource_type_is(body, "Microsoft.Compute/virtualMachines") ||
	       resource_type_is(body, "Microsoft.Compute/virtualMachineScaleSets/virtualMachines");
}

static void
derive_machine(json_t *copy, const char *expand)
{
	json_t *properties = json_object_get(copy, "properties"), *extension;
	size_t i;

	if (expand == NULL || text_find(expand, "instanceView") == NULL)
		json_object_del(properties, "instanceView");
	if (expand == NULL || text_find(expand, "userData") == NULL)
		json_object_del(properties, "userData");
	json_array_foreach (json_object_get(copy, "resources"), i, extension)
		json_object_del(json_object_get(extension, "properties"), "instanceView");
}

static bool
refers_to(const json_t *body, const char *id)
{
	return text_same(json_text_at(body, "properties.networkSecurityGroup.id"), id);
}

/* The places a security group is attached to, as [{"id": ...}]; left out where there is none, as
 * Azure does. */
static void
derive_attachments(const struct sim *sim, json_t *nsg)
{
	json_t *properties = json_section(nsg, "properties"), *interfaces = json_array(),
	       *subnets = json_array(), *body, *subnet;
	const char *id = json_text_at(nsg, "id"), *key;
	size_t i;

	json_object_foreach (sim->resources, key, body) {
		if (refers_to(body, id) && text_find(key, "/networkinterfaces/") != NULL)
			json_array_append_new(
			    interfaces, json_pack("{s:O}", "id", json_object_get(body, "id")));
		else if (refers_to(body, id))
			json_array_append_new(
			    subnets, json_pack("{s:O}", "id", json_object_get(body, "id")));
		json_array_foreach (json_at(body, "properties.subnets"), i, subnet) {
			if (refers_to(subnet, id))
				json_array_append_new(
				    subnets,
				    json_pack("{s:O}", "id", json_object_get(subnet, "id")));
		}
	}
	if (json_array_size(interfaces) > 0)
		json_put_default(properties, "networkInterfaces", json_incref(interfaces));
	if (json_array_size(subnets) > 0)
		json_put_default(properties, "subnets", json_incref(subnets));
	json_decref(interfaces);
	json_decref(subnets);
}

/* Replaces {"id": X} at the path (a/b/c, arrays walked through, each element's properties entered)
 * by the resource X. */
static void
expand_path(const struct sim *sim, json_t *object, const char *path)
{
	size_t length = strcspn(path, "/"), i;
	char *name = url_decode(path, length, false);
	json_t *value = json_get_nocase(object, name), *element;
	const char *id = json_text_at(value, "id");
	json_t *whole;

	free(name);
	if (path[length] == '/') {
		json_array_foreach (value, i, element)
			expand_path(sim, json_object_get(element, "properties"), path + length + 1);
		expand_path(sim, json_object_get(value, "properties"), path + length + 1);
	} else if (json_is_object(value) && id != NULL &&
		   (whole = resource_find(sim, id)) != NULL) {
		json_object_update(value, whole);
	}
}

static void
expand_all(const struct sim *sim, json_t *copy, const char *expand)
{
	char *list = text_copy(expand), *rest = NULL;

	for (char *path = strtok_r(list, ", ", &rest); path != NULL;
	     path = strtok_r(NULL, ", ", &rest))
		expand_path(sim, json_object_get(copy, "properties"), path);
	free(list);
}

json_t *
derive_body(const struct sim *sim, const json_t *body, const char *expand)
{
	json_t *copy = json_deep_copy(body), *whole;

	if (is_machine(copy))
		derive_machine(copy, expand);
	if (text_find(json_text_at(copy, "type") != NULL ? json_text_at(copy, "type") : "",
		      "/extensions") != NULL &&
	    (expand == NULL || text_find(expand, "instanceView") == NULL))
		json_object_del(json_object_get(copy, "properties"), "instanceView");
	if (resource_type_is(copy, "Microsoft.Network/networkSecurityGroups"))
		derive_attachments(sim, copy);
	if (text_has_prefix(json_text_at(copy, "type"), "Microsoft.Network/"))
		json_put_default(copy, "etag", json_string(ETAG));
	if (expand == NULL)
		return copy;
	expand_all(sim, copy, expand);
	whole = json_deep_copy(copy); /* expansion shares; an own copy may leave the lock */
	json_decref(copy);
	return whole;
}
