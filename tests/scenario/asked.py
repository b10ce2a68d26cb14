"""What may be asked of Azure: method, path, api-version and query of the interface's reference, and who has to show a token."""

import json
import re
import urllib.parse

NETWORK, COMPUTE = "2024-01-01", "2024-07-01"
SUB = "/subscriptions/[^/]+"
RG = SUB + "/resourceGroups/[^/]+"
NET = RG + "/providers/Microsoft.Network"
VM = RG + "/providers/Microsoft.Compute/virtualMachines/[^/]+"
INSTANCE = RG + "/providers/Microsoft.Compute/virtualMachineScaleSets/[^/]+/virtualMachines/[^/]+"

# method, path, api-version, further query arguments (name to pattern; a list may always go on by $skiptoken)
ARM = [
	("GET", "/subscriptions(/[^/]+)?", "2022-12-01", {}),
	("GET", SUB + "/resources", "2021-04-01", {"$filter": "resourceType eq 'Microsoft.Compute/virtualMachines'( and name eq '[^']*')?"}),
	("POST", "/providers/Microsoft.ResourceGraph/resources", "2022-10-01", {}),
	("GET", "(%s|%s)" % (VM, INSTANCE), COMPUTE, {"$expand": "instanceView"}),
	("GET", "(%s|%s)/instanceView" % (VM, INSTANCE), COMPUTE, {}),
	("GET", SUB + "/providers/Microsoft.Compute/virtualMachines", COMPUTE, {"statusOnly": "true"}),
	("GET", VM + "/extensions", COMPUTE, {"$expand": "instanceView"}),
	("POST", "(%s|%s)/runCommand" % (VM, INSTANCE), COMPUTE, {}),
	("POST", "(%s|%s)/retrieveBootDiagnosticsData" % (VM, INSTANCE), COMPUTE, {"sasUriExpirationTimeInMinutes": "[0-9]+"}),
	("GET", INSTANCE + "/networkInterfaces(/[^/]+(/ipConfigurations/[^/]+/publicIPAddresses/[^/]+)?)?", "2018-10-01", {}),
	("GET", NET + "/(networkInterfaces|publicIPAddresses|networkSecurityGroups|virtualNetworks|loadBalancers|routeTables|natGateways|azureFirewalls|"
		"firewallPolicies|ipGroups|bastionHosts|virtualNetworkGateways|vpnGateways|applicationGateways|virtualHubs)(/[^/]+)?", NETWORK, {}),
	("GET", NET + "/(virtualNetworks/[^/]+/subnets|loadBalancers/[^/]+/inboundNatRules|firewallPolicies/[^/]+/ruleCollectionGroups)(/[^/]+)?", NETWORK, {}),
	("GET", SUB + "/providers/Microsoft.Network/(networkInterfaces|publicIPAddresses|bastionHosts|azureFirewalls|networkWatchers|loadBalancers|"
		"natGateways|networkSecurityGroups|virtualNetworks)", NETWORK, {}),
	("GET", SUB + "/providers/Microsoft.Network/locations/[^/]+/serviceTags", NETWORK, {}),
	("POST", "(%s/networkInterfaces/[^/]+|%s/networkInterfaces/[^/]+)/(effectiveNetworkSecurityGroups|effectiveRouteTable)" % (NET, INSTANCE), NETWORK, {}),
	("POST", NET + "/virtualNetworks/[^/]+/listNetworkManagerEffectiveSecurityAdminRules", NETWORK, {}),
	("POST", NET + "/loadBalancers/[^/]+/backendAddressPools/[^/]+/queryInboundNatRulePortMapping", NETWORK, {}),
	("POST", NET + "/networkWatchers/[^/]+/(ipFlowVerify|nextHop|networkConfigurationDiagnostic)", NETWORK, {}),
	("GET", RG + "/providers/Microsoft.Security/jitNetworkAccessPolicies", "2020-01-01", {}),
	("GET", SUB + "/providers/Microsoft.Security/jitNetworkAccessPolicies", "2020-01-01", {}),
	("GET", VM + "/providers/Microsoft.ResourceHealth/availabilityStatuses/current", "2022-10-01", {}),
	("GET", SUB + "/providers/Microsoft.ResourceHealth/availabilityStatuses", "2022-10-01", {}),
	("GET", VM + "/providers/Microsoft.Authorization/(permissions|roleAssignments)", "2022-04-01", {"$filter": ".*"}),
	("GET", "(%s|%s)/providers/Microsoft.Authorization/locks" % (SUB, RG), "2020-05-01", {}),
	("GET", "(%s|%s)/providers/Microsoft.Authorization/denyAssignments" % (SUB, RG), "2022-04-01", {}),
	("GET", RG + "/providers/Microsoft.Authorization/permissions", "2022-04-01", {}),
	("GET", "(%s)?/providers/Microsoft.Authorization/roleDefinitions/[^/]+" % SUB, "2022-04-01", {}),
	("GET", NET + "/networkSecurityGroups/[^/]+/providers/Microsoft.Authorization/policyAssignments", "2022-06-01", {}),
	("GET", VM + "/providers/Microsoft.Maintenance/updates", "2023-04-01", {}),
	("GET", RG + "/providers/Microsoft.DevTestLab/schedules/shutdown-computevm-[^/]+", "2018-09-15", {}),
	("GET", SUB + "/providers/Microsoft.Insights/eventtypes/management/values", "2015-04-01", {"$filter": ".*", "$select": ".*"}),
]
# where a long operation sends its caller: the address is Azure's own, the query too
POLLS = re.compile("(?i)/(operations|operationResults|locations)/")
# who asks for a token shows none, and the rest is public or has a signature of its own
OPEN = [("POST", "/[^/]+/oauth2/v2.0/token"), ("POST", "/adfs/oauth2/token"), ("POST", "/oauth2/token"), ("GET", "/metadata/identity/oauth2/token"),
	("GET", "/metadata/endpoints"), ("GET", "/metadata/instance"), ("(GET|HEAD)", "/sas/.*")]
VERSION = re.compile("20[0-9]{2}-[0-9]{2}-[0-9]{2}")


def fits(pattern, text):
	return re.fullmatch(pattern, text or "", re.I) is not None


def _query(request, version, more, negotiated):
	asked = dict(urllib.parse.parse_qsl(request.get("query") or "", keep_blank_values=True))
	given = asked.pop("api-version", "")
	if given != version and not (negotiated and VERSION.fullmatch(given) and given < version):
		return "api-version %r, not %s" % (given, version)
	asked.pop("$skiptoken", None)
	wrong = [name for name, value in asked.items() if name not in more or not fits(more[name], value)]
	return "its query says %s" % ", ".join("%s=%s" % (name, asked[name]) for name in wrong) if wrong else None


def _token(request):
	return request.get("headers", {}).get("authorization", "").lower() == "bearer"


def _head(request):
	headers = request.get("headers", {})
	if not _token(request):
		return "it shows no token"
	if headers.get("accept") != "application/json" or not re.fullmatch("[0-9a-f-]{36}", headers.get("x-ms-client-request-id", "")):
		return "Accept or x-ms-client-request-id is not as it should be"
	if request["method"] == "POST" and request["body"]:
		json.loads(request["body"])
		return None if headers.get("content-type") == "application/json" else "its body is not called JSON"
	return None if request["method"] == "GET" or headers.get("content-length") == "0" else "its body has no length"


def complaint(request, negotiated=False):
	"""What is wrong with a line of the request log, None when Azure knows such a request. negotiated: older api-versions are in use."""
	method, path = request["method"], request["path"]
	what = "%s %s?%s" % (method, path, request.get("query") or "")
	for verb, pattern in OPEN:
		if fits(verb, method) and fits(pattern, path):
			return "%s: shows a token where none is due" % what if _token(request) else None
	if method == "GET" and POLLS.search(path) and not path.lower().endswith("/servicetags"):
		return None if _token(request) else "%s: it shows no token" % what
	for verb, pattern, version, more in ARM:
		if verb == method and fits(pattern, path):
			wrong = _query(request, version, more, negotiated) or _head(request)
			return "%s: %s" % (what, wrong) if wrong else None
	return "%s: Azure knows no such request" % what
