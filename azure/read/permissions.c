/* --permissions: what the reads of this folder need, for a role of one's own. */
#include "azure/azure.h"
#include "facts/doc.h"

#include <errno.h>

enum depth { PLAIN, DEEP, GUEST };

/* In the order of the reads; action names as API errors and the built-in roles spell them. */
static const struct {
	enum depth depth;
	const char *action;
} needed[] = {
	{ PLAIN, "Microsoft.Resources/subscriptions/read" },
	{ PLAIN, "Microsoft.Resources/subscriptions/resourceGroups/read" },
	{ PLAIN, "Microsoft.Resources/subscriptions/resources/read" },
	{ PLAIN, "Microsoft.Compute/virtualMachines/read" },
	{ PLAIN, "Microsoft.Compute/virtualMachines/instanceView/read" },
	{ PLAIN, "Microsoft.Compute/virtualMachineScaleSets/read" },
	{ PLAIN, "Microsoft.Compute/virtualMachineScaleSets/virtualMachines/read" },
	{ PLAIN,
	  "Microsoft.Compute/virtualMachineScaleSets/virtualMachines/networkInterfaces/read" },
	{ PLAIN, "Microsoft.Network/networkInterfaces/read" },
	{ PLAIN, "Microsoft.Network/publicIPAddresses/read" },
	{ PLAIN, "Microsoft.Network/networkSecurityGroups/read" },
	{ PLAIN, "Microsoft.Network/virtualNetworks/read" },
	{ PLAIN, "Microsoft.Network/virtualNetworks/subnets/read" },
	{ PLAIN, "Microsoft.Network/routeTables/read" },
	{ PLAIN, "Microsoft.Network/loadBalancers/read" },
	{ PLAIN, "Microsoft.Network/bastionHosts/read" },
	{ PLAIN, "Microsoft.Network/azureFirewalls/read" },
	{ PLAIN, "Microsoft.Network/firewallPolicies/read" },
	{ PLAIN, "Microsoft.Network/firewallPolicies/ruleCollectionGroups/read" },
	{ PLAIN, "Microsoft.Security/locations/jitNetworkAccessPolicies/read" },
	{ PLAIN, "Microsoft.Authorization/locks/read" },
	{ PLAIN, "Microsoft.Authorization/denyAssignments/read" },
	{ PLAIN, "Microsoft.Authorization/permissions/read" },
	{ PLAIN, "Microsoft.Authorization/roleAssignments/read" },
	{ PLAIN, "Microsoft.Authorization/roleDefinitions/read" },
	{ PLAIN, "Microsoft.ResourceHealth/availabilityStatuses/read" },
	{ PLAIN, "Microsoft.DevTestLab/schedules/read" },
	{ DEEP, "Microsoft.Network/networkInterfaces/effectiveNetworkSecurityGroups/action" },
	{ DEEP, "Microsoft.Network/networkInterfaces/effectiveRouteTable/action" },
	{ DEEP, "Microsoft.Network/networkWatchers/read" },
	{ DEEP, "Microsoft.Network/networkWatchers/ipFlowVerify/action" },
	{ DEEP, "Microsoft.Network/virtualNetworks/listNetworkManagerEffectiveSecurityAdminRules/"
		"action" },
	{ DEEP, "Microsoft.Compute/virtualMachines/retrieveBootDiagnosticsData/action" },
	{ DEEP, "Microsoft.Network/locations/serviceTags/read" },
	{ DEEP, "Microsoft.Insights/eventtypes/values/read" },
	{ DEEP, "Microsoft.Authorization/policyAssignments/read" },
	{ GUEST, "Microsoft.Compute/virtualMachines/runCommand/action" },
};

int
azure_permissions(FILE *out, bool deep, bool guest, const json_t *more)
{
	static const char *const names[2][2] = { { "azssh-doctor", "azssh-doctor (guest)" },
						 { "azssh-doctor (deep)",
						   "azssh-doctor (deep, guest)" } };
	json_t *actions = json_array(), *role, *action;
	size_t at;
	int r = 0;

	for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++)
		if (needed[i].depth == PLAIN || (needed[i].depth == DEEP && deep) ||
		    (needed[i].depth == GUEST && guest))
			doc_append_str(actions, needed[i].action);
	json_array_foreach (more, at, action)
		doc_append_once(actions, json_string_value(action));
	role =
	    json_pack("{s:s, s:b, s:s, s:o, s:[], s:[s]}", "Name", names[deep][guest], "IsCustom",
		      1, "Description", "What azssh-doctor reads to say why SSH fails.", "Actions",
		      actions, "NotActions", "AssignableScopes", "/subscriptions/<SUBSCRIPTION>");
	if (role == NULL || json_dumpf(role, out, JSON_INDENT(2)) < 0 || fputc('\n', out) == EOF)
		r = -EIO;
	json_decref(role);
	return r;
}
