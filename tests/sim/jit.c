/* Just-in-time access: initiating a request adds it to the policy and opens the security group for
 * the caller. */
#include "tests/sim/sim.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static json_t *
by_id(const json_t *list, const char *id)
{
	json_t *entry;
	size_t i;

	json_array_foreach ((json_t *)(uintptr_t)list, i, entry) {
		if (text_same(json_text_at(entry, "id"), id))
			return entry;
	}
	return NULL;
}

static json_t *
by_number(const json_t *ports, long long number)
{
	json_t *port;
	size_t i;

	json_array_foreach ((json_t *)(uintptr_t)ports, i, port) {
		if (json_number_at(port, "number", -1) == number)
			return port;
	}
	return NULL;
}

/* "PT3H", "PT30M", "P1D" in seconds; 0 when it is none. */
static long long
duration_seconds(const char *text)
{
	long long total = 0;
	bool time = false;
	char *end;

	if (text == NULL || *text++ != 'P')
		return 0;
	while (*text != '\0') {
		long long number;

		if (*text == 'T') {
			time = true;
			text++;
			continue;
		}
		number = strtoll(text, &end, 10);
		if (end == text || number < 0 || number > 100000)
			return 0;
		total += number * (*end == 'D'           ? 86400
				   : *end == 'H'         ? 3600
				   : *end == 'M' && time ? 60
				   : *end == 'S'         ? 1
							 : 0);
		text = end + (*end != '\0');
	}
	return total;
}

static bool
parse_time(const char *text, time_t *ret)
{
	struct tm parts = { 0 };

	if (text == NULL || strptime(text, "%Y-%m-%dT%H:%M:%S", &parts) == NULL)
		return false;
	*ret = timegm(&parts);
	return true;
}

static int
next_priority(const json_t *rules)
{
	for (int priority = 100; priority < 4096; priority++) {
		json_t *rule;
		size_t i;
		bool used = false;

		json_array_foreach ((json_t *)(uintptr_t)rules, i, rule)
			used = used || json_number_at(rule, "properties.priority", 0) == priority;
		if (!used)
			return priority;
	}
	return 4096;
}

/* The allow rule that Defender adds to the security group nearest to the VM. */
static void
open_group(struct request *request, const char *vm_id, const char *policy, long long port,
	   const char *source)
{
	const json_t *vm = resource_find(request->sim, vm_id),
		     *link = json_array_get(
			 json_at(vm, "properties.networkProfile.networkInterfaces"), 0);
	json_t *nic = link != NULL ? resource_find(request->sim, json_text_at(link, "id")) : NULL,
	       *subnet, *nsg, *rules, *rule;
	const char *group = json_text_at(nic, "properties.networkSecurityGroup.id");
	const char *address =
	    json_text_at(json_array_get(json_at(nic, "properties.ipConfigurations"), 0),
			 "properties.privateIPAddress");
	char *name, *id, *about, *range;

	subnet = nic != NULL ? subnet_of_nic(request->sim, nic) : NULL;
	group = group != NULL ? group : json_text_at(subnet, "properties.networkSecurityGroup.id");
	nsg = group != NULL ? resource_find(request->sim, group) : NULL;
	rules = json_at(nsg, "properties.securityRules");
	if (!json_is_array(rules))
		return;
	name = text_format("MicrosoftDefenderForCloud-JITRule-%lu-%032lx", request->number,
			   request->number * 2654435761UL);
	id = text_format("%s/securityRules/%s", group, name);
	about = text_format("MDC JIT Network Access rule created by an initiation request for "
			    "policy '%s' of VM '%s'.",
			    policy, json_text_at(vm, "name"));
	range = text_format("%lld", port);
	rule = json_pack("{s:s,s:s,s:s,s:{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:i,s:s}}", "name", name,
			 "id", id, "type", "Microsoft.Network/networkSecurityGroups/securityRules",
			 "properties", "provisioningState", "Succeeded", "description", about,
			 "protocol", "*", "sourcePortRange", "*", "destinationPortRange", range,
			 "sourceAddressPrefix", source, "destinationAddressPrefix",
			 address != NULL ? address : "*", "access", "Allow", "priority",
			 next_priority(rules), "direction", "Inbound");
	json_array_append_new(rules, rule);
	free(name);
	free(id);
	free(about);
	free(range);
}

/* One asked-for port: NULL when it stands, else what is wrong with it (new text). */
static char *
check_port(const json_t *allowed, const json_t *asked)
{
	long long limit = duration_seconds(json_text_at(allowed, "maxRequestAccessDuration"));
	long long wanted = duration_seconds(json_text_at(asked, "duration"));
	time_t end = 0, now = time(NULL);

	if (allowed == NULL)
		return text_format("Port %lld is not part of the policy.",
				   json_number_at(asked, "number", -1));
	if (json_text_at(asked, "endTimeUtc") == NULL && wanted == 0)
		return text_copy("The request must contain endTimeUtc for every port.");
	if (json_text_at(asked, "endTimeUtc") != NULL) {
		if (!parse_time(json_text_at(asked, "endTimeUtc"), &end))
			return text_copy("endTimeUtc is not a valid time.");
		wanted = (long long)(end - now);
	}
	if (wanted <= 0)
		return text_copy("endTimeUtc lies in the past.");
	return limit > 0 && wanted > limit + 60
		   ? text_copy("The requested access duration exceeds the policy's maximum.")
		   : NULL;
}

static json_t *
granted_port(struct request *request, const json_t *asked)
{
	json_t *port = json_object(),
	       *prefixes = json_object_get(asked, "allowedSourceAddressPrefixes");
	const char *one = json_text_at(asked, "allowedSourceAddressPrefix"),
		   *own = json_text_at(request->caller, "ipaddr");
	char *end = NULL;

	json_put(port, "number", json_integer(json_number_at(asked, "number", 0)));
	if (json_is_array(prefixes))
		json_put(port, "allowedSourceAddressPrefixes", json_deep_copy(prefixes));
	else
		json_put_text(port, "allowedSourceAddressPrefix",
			      one != NULL   ? one
			      : own != NULL ? own
					    : "127.0.0.1");
	if (json_text_at(asked, "endTimeUtc") == NULL)
		end = time_iso(time(NULL) +
			       (time_t)duration_seconds(json_text_at(asked, "duration")));
	json_put_text(port, "endTimeUtc", end != NULL ? end : json_text_at(asked, "endTimeUtc"));
	json_put_text(port, "status", "Initiated");
	json_put_text(port, "statusReason", "UserRequested");
	free(end);
	return port;
}

/* One VM of the request: what was granted, or NULL and a reply that says why not. */
static json_t *
granted_machine(struct request *request, const json_t *policy, const json_t *asked,
		struct reply *reply)
{
	const json_t *known =
	    by_id(json_at(policy, "properties.virtualMachines"), json_text_at(asked, "id"));
	json_t *granted = json_object(), *ports = json_array(), *port;
	char *why =
	    known == NULL ? text_copy("The virtual machine is not part of the policy.") : NULL;
	size_t i;

	if (json_array_size(json_object_get(asked, "ports")) == 0 && why == NULL)
		why = text_copy("The request names no port.");
	json_array_foreach (json_object_get(asked, "ports"), i, port) {
		if (why == NULL)
			why = check_port(by_number(json_object_get(known, "ports"),
						   json_number_at(port, "number", -1)),
					 port);
		if (why == NULL)
			json_array_append_new(ports, granted_port(request, port));
	}
	json_put_text(granted, "id",
		      json_text_at(known, "id") != NULL ? json_text_at(known, "id") : "");
	json_put(granted, "ports", ports);
	if (why == NULL)
		return granted;
	reply_error(reply, 400, "InvalidInitiateJitNetworkAccessPolicyRequest", "%s", why);
	free(why);
	json_decref(granted);
	return NULL;
}

static void
open_all(struct request *request, const json_t *policy, const json_t *machines)
{
	json_t *machine, *port;
	size_t i, k;

	json_array_foreach ((json_t *)(uintptr_t)machines, i, machine) {
		json_array_foreach (json_object_get(machine, "ports"), k, port) {
			const char *source = json_text_at(port, "allowedSourceAddressPrefix");

			if (source == NULL)
				source = json_string_value(json_array_get(
				    json_object_get(port, "allowedSourceAddressPrefixes"), 0));
			open_group(request, json_text_at(machine, "id"),
				   json_text_at(policy, "name"), json_number_at(port, "number", 22),
				   source != NULL ? source : "*");
		}
	}
}

void
jit_initiate(struct request *request, json_t *policy, struct reply *reply)
{
	json_t *asked = request->body != NULL ? json_loads(request->body, 0, NULL) : NULL,
	       *machines = json_array(), *machine, *granted, *entry;
	json_t *list = json_object_get(asked, "virtualMachines");
	const char *who = json_text_at(request->caller, "appid"),
		   *reason = json_text_at(asked, "justification");
	char *now = time_iso(time(NULL));
	size_t i;

	if (json_array_size(list) == 0)
		reply_error(reply, 400, "InvalidInitiateJitNetworkAccessPolicyRequest",
			    "The request names no virtual machine.");
	json_array_foreach (list, i, machine) {
		if ((granted = granted_machine(request, policy, machine, reply)) == NULL)
			break;
		json_array_append_new(machines, granted);
	}
	if (json_array_size(list) > 0 && json_array_size(machines) == json_array_size(list)) {
		entry = json_pack("{s:O,s:s,s:s}", "virtualMachines", machines, "startTimeUtc", now,
				  "requestor", who != NULL ? who : "unknown");
		if (reason != NULL)
			json_put_text(entry, "justification", reason);
		json_put_default(json_section(policy, "properties"), "requests", json_array());
		json_array_append_new(json_at(policy, "properties.requests"),
				      json_deep_copy(entry));
		open_all(request, policy, machines);
		reply_json(reply, 202, json_deep_copy(entry));
		json_decref(entry);
	}
	json_decref(machines);
	json_decref(asked);
	free(now);
}
