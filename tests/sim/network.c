/* POST actions of the network provider, where the world scripts nothing. */
#include "tests/sim/sim.h"

#include <stdlib.h>
#include <string.h>

static void
answer_later(struct request *request, json_t *body, struct reply *reply)
{
	struct operation_plan plan = { .polls = 1,
				       .retry_after = operation_retry_after(request->sim),
				       .body = body };

	free(operation_start(request, &plan, reply));
}

static bool
on_interface(struct request *request, const json_t *nic, const char *action, struct reply *reply)
{
	bool groups = text_same(action, "effectiveNetworkSecurityGroups");
	const json_t *vm = vm_of_nic(request->sim, nic);

	if (!groups && !text_same(action, "effectiveRouteTable"))
		return false;
	if (vm == NULL || !text_same(vm_power(vm), "running"))
		reply_error(reply, 400, "NetworkInterfaceNotAttachedToRunningVm",
			    "The network interface %s must be attached to a running virtual "
			    "machine for this operation.",
			    json_text_at(nic, "id"));
	else
		answer_later(request,
			     groups ? effective_groups(request->sim, nic)
				    : effective_routes(request->sim, nic),
			     reply);
	return true;
}

/* The interface a Network Watcher question is about: named, or the first of the VM. */
static const json_t *
interface_asked(const struct sim *sim, const json_t *question)
{
	const char *nic = json_text_at(question, "targetNicResourceId"),
		   *target = json_text_at(question, "targetResourceId");
	const json_t *vm = target != NULL ? resource_find(sim, target) : NULL;

	if (nic == NULL)
		nic = json_text_at(
		    json_array_get(json_at(vm, "properties.networkProfile.networkInterfaces"), 0),
		    "id");
	return nic != NULL ? resource_find(sim, nic) : NULL;
}

static bool
on_watcher(struct request *request, const char *action, struct reply *reply)
{
	json_t *question = request->body != NULL ? json_loads(request->body, 0, NULL) : NULL,
	       *answer = NULL;
	const json_t *nic = interface_asked(request->sim, question);
	const char *to = json_text_at(question, "destinationIPAddress");
	bool verify = text_same(action, "ipFlowVerify"), hop = text_same(action, "nextHop");

	if (!verify && !hop) {
		json_decref(question);
		return false;
	}
	if (nic == NULL)
		reply_error(reply, 404, "ResourceNotFound",
			    "The target virtual machine or its network interface was not found.");
	else if (vm_of_nic(request->sim, nic) == NULL ||
		 !text_same(vm_power(vm_of_nic(request->sim, nic)), "running"))
		reply_error(reply, 400, "TargetVmNotRunning",
			    "The target virtual machine must be running for this operation.");
	else if (verify ? (answer = flow_verify(request->sim, nic, question)) == NULL
			: to == NULL || (answer = flow_next_hop(request->sim, nic, to)) == NULL)
		reply_error(reply, 400, "InvalidRequestFormat", "Cannot parse the request.");
	else
		answer_later(request, answer, reply);
	json_decref(question);
	return true;
}

static const char *
configuration_of_address(const struct sim *sim, const char *address)
{
	const char *id;
	json_t *nic, *configuration;
	size_t i;

	json_object_foreach (sim->resources, id, nic) {
		if (text_find(id, "/networkinterfaces/") == NULL)
			continue;
		json_array_foreach (json_at(nic, "properties.ipConfigurations"), i, configuration) {
			if (text_same(json_text_at(configuration, "properties.privateIPAddress"),
				      address))
				return json_text_at(configuration, "id");
		}
	}
	return NULL;
}

/* A member's place in the pool, which decides its port of a range rule. */
static long long
place_in_pool(const json_t *pool, const char *configuration)
{
	json_t *member;
	size_t i;

	json_array_foreach (json_at(pool, "properties.backendIPConfigurations"), i, member) {
		if (text_same(json_text_at(member, "id"), configuration))
			return (long long)i;
	}
	return 0;
}

static json_t *
port_mappings(const struct sim *sim, const json_t *pool, const char *configuration)
{
	struct arm arm;
	json_t *mappings = json_array(), *rule;
	const json_t *balancer;
	char *above;
	size_t i;

	if (arm_parse(json_text_at(pool, "id"), &arm) < 0)
		return mappings;
	above = arm_prefix(&arm, arm.count - 2);
	balancer = resource_find(sim, above);
	json_array_foreach (json_at(balancer, "properties.inboundNatRules"), i, rule) {
		const json_t *p = json_object_get(rule, "properties");
		long long port = json_number_at(p, "frontendPort", 0);
		const char *protocol = json_text_at(p, "protocol");

		if (text_same(json_text_at(p, "backendAddressPool.id"), json_text_at(pool, "id")))
			port = json_number_at(p, "frontendPortRangeStart", port) +
			       place_in_pool(pool, configuration);
		else if (!text_same(json_text_at(p, "backendIPConfiguration.id"), configuration))
			continue;
		json_array_append_new(mappings,
				      json_pack("{s:s,s:s,s:I,s:I}", "inboundNatRuleName",
						json_text_at(rule, "name"), "protocol",
						protocol != NULL ? protocol : "Tcp", "frontendPort",
						(json_int_t)port, "backendPort",
						(json_int_t)json_number_at(p, "backendPort", 0)));
	}
	free(above);
	arm_free(&arm);
	return mappings;
}

static bool
on_pool(struct request *request, const json_t *pool, const char *action, struct reply *reply)
{
	json_t *question;
	const char *configuration, *address;

	if (!text_same(action, "queryInboundNatRulePortMapping"))
		return false;
	question = request->body != NULL ? json_loads(request->body, 0, NULL) : NULL;
	configuration = json_text_at(question, "ipConfiguration.id");
	address = json_text_at(question, "ipAddress");
	if (configuration == NULL && address != NULL)
		configuration = configuration_of_address(request->sim, address);
	answer_later(request,
		     json_pack("{s:o}", "inboundNatRulePortMappings",
			       port_mappings(request->sim, pool,
					     configuration != NULL ? configuration : "")),
		     reply);
	json_decref(question);
	return true;
}

bool
network_action(struct request *request, const json_t *resource, const char *action,
	       struct reply *reply)
{
	if (resource_type_is(resource, "Microsoft.Network/networkInterfaces"))
		return on_interface(request, resource, action, reply);
	if (resource_type_is(resource, "Microsoft.Network/networkWatchers"))
		return on_watcher(request, action, reply);
	if (resource_type_is(resource, "Microsoft.Network/loadBalancers/backendAddressPools"))
		return on_pool(request, resource, action, reply);
	if (resource_type_is(resource, "Microsoft.Network/virtualNetworks") &&
	    text_same(action, "listNetworkManagerEffectiveSecurityAdminRules")) {
		reply_json(reply, 200, json_pack("{s:[]}", "value"));
		return true;
	}
	return false;
}
