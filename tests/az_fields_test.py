#!/usr/bin/python3
"""What the real az shows is what we read: field by field, over a table of commands and several worlds. Skipped where az is not made to run."""
import concurrent.futures
import json
import os
import re
import subprocess
import sys
import tempfile

from sim_az_test import environment, SHARED
from simlib import BASE, BUILD, CLIENT, JIT, NET, NIC, NSG, PIP, RG, S, seal, Sim, SUB, TENANT, VM, VNET

DOCTOR = os.path.join(BUILD, "azssh-doctor")
LB, TABLE, BACK = NET + "/loadBalancers/lb", NET + "/routeTables/rt", NET + "/networkInterfaces/back"
LBIP = NET + "/publicIPAddresses/lb-ip"
FRONT, RULE = LB + "/frontendIPConfigurations/front", LB + "/inboundNatRules/ssh"
POLICY = {"kind": "Basic", "location": "westeurope", "properties": {"provisioningState": "Succeeded", "virtualMachines": [{"id": VM, "ports": [
    {"number": 22, "protocol": "*", "allowedSourceAddressPrefix": "*", "maxRequestAccessDuration": "PT3H"}]}], "requests": []}}


def patched(ident, **properties):
    body = json.loads(json.dumps(BASE["resources"][ident]))
    body["properties"].update(properties)
    return body


def balanced():
    """Behind a load balancer, with a second NIC, a route table and just-in-time access."""
    nic = patched(NIC)
    config = nic["properties"]["ipConfigurations"][0]["properties"]
    config.pop("publicIPAddress", None)
    config["loadBalancerInboundNatRules"] = [{"id": RULE}]
    subnet = patched(VNET)["properties"]["subnets"]
    subnet[0]["properties"]["routeTable"] = {"id": TABLE}
    back = {"location": "westeurope", "properties": {"primary": False, "ipConfigurations": [{"name": "one", "id": BACK + "/ipConfigurations/one", "properties": {
        "privateIPAddress": "10.0.0.9", "privateIPAllocationMethod": "Dynamic", "primary": True, "privateIPAddressVersion": "IPv4",
        "subnet": {"id": VNET + "/subnets/default"}}}], "virtualMachine": {"id": VM}}}
    vm = patched(VM, networkProfile={"networkInterfaces": [{"id": NIC, "properties": {"primary": True}}, {"id": BACK, "properties": {"primary": False}}]})
    vm["tags"] = {"owner": "me", "Umlaut": "\u00e4"}
    lb = {"location": "westeurope", "sku": {"name": "Standard"}, "properties": {
        "frontendIPConfigurations": [{"name": "front", "id": FRONT, "properties": {"publicIPAddress": {"id": LBIP}}}],
        "inboundNatRules": [{"name": "ssh", "id": RULE, "properties": {"frontendIPConfiguration": {"id": FRONT}, "frontendPort": 50022, "backendPort": 22, "protocol": "Tcp",
                             "enableFloatingIP": False, "idleTimeoutInMinutes": 4, "backendIPConfiguration": {"id": NIC + "/ipConfigurations/ipconfig1"}}}]}}
    ip = {"location": "westeurope", "sku": {"name": "Standard", "tier": "Regional"}, "properties": {
        "ipAddress": "20.51.230.77", "publicIPAllocationMethod": "Static", "publicIPAddressVersion": "IPv4", "ipConfiguration": {"id": FRONT},
        "dnsSettings": {"domainNameLabel": "lb", "fqdn": "lb.westeurope.cloudapp.azure.com"}}}
    table = {"location": "westeurope", "properties": {"disableBgpRoutePropagation": True, "routes": [{"name": "out", "id": TABLE + "/routes/out", "properties": {
        "addressPrefix": "198.51.100.0/24", "nextHopType": "VirtualAppliance", "nextHopIpAddress": "10.0.0.200"}}]}}
    return {NIC: nic, VNET: patched(VNET, subnets=subnet), BACK: back, VM: vm, LB: lb, LBIP: ip, TABLE: table, JIT: POLICY}


def stopped():
    """Deallocated, without an address, with rules of every form."""
    rules = [{"name": "many", "id": NSG + "/securityRules/many", "properties": {"priority": 200, "direction": "Inbound", "access": "Allow", "protocol": "*",
              "sourceAddressPrefixes": ["203.0.113.0/24", "198.51.100.7"], "sourcePortRange": "*", "destinationAddressPrefix": "VirtualNetwork",
              "destinationPortRanges": ["22", "2000-2100"], "description": "say \"hi\" \u00fc"}},
             {"name": "no-udp", "id": NSG + "/securityRules/no-udp", "properties": {"priority": 300, "direction": "Inbound", "access": "Deny", "protocol": "Udp",
              "sourceAddressPrefix": "Internet", "sourcePortRange": "*", "destinationAddressPrefix": "*", "destinationPortRange": "*"}}]
    vm = patched(VM)
    vm["properties"]["instanceView"] = {"statuses": [{"code": "ProvisioningState/succeeded", "level": "Info", "displayStatus": "Provisioning succeeded"},
                                                     {"code": "PowerState/deallocated", "level": "Info", "displayStatus": "VM deallocated"}]}
    pip = patched(PIP, publicIPAllocationMethod="Dynamic")
    pip["properties"].pop("ipAddress")
    pip["sku"] = {"name": "Basic"}
    return {VM: vm, PIP: pip, NSG: patched(NSG, securityRules=rules)}


G, ON = ["-g", "rg"], ["-g", "rg", "-n"]
# the command, and what of the facts it shows: the id of a resource, or (a list) the ids of its items
COMMON = [
    (["vm", "show"] + ON + ["myVM"], VM),
    (["vm", "get-instance-view"] + ON + ["myVM"], VM),
    (["vm", "list"], [VM]),
    (["network", "nic", "show"] + ON + ["myVM-nic"], NIC),
    (["network", "nsg", "show"] + ON + ["myVM-nsg"], NSG),
    (["network", "nsg", "rule", "list", "--include-default"] + G + ["--nsg-name", "myVM-nsg"], [NSG]),
    (["network", "vnet", "show"] + ON + ["myVnet"], VNET),
    (["network", "vnet", "subnet", "show"] + ON + ["default", "--vnet-name", "myVnet"], VNET + "/subnets/default"),
]
ADDRESS = [(["network", "public-ip", "show"] + ON + ["myVM-ip"], PIP)]
LIVE = [(["network", "nic", "list-effective-nsg"] + ON + ["myVM-nic"], NIC + "/effectiveNetworkSecurityGroups"),
        (["network", "nic", "show-effective-route-table"] + ON + ["myVM-nic"], NIC + "/effectiveRouteTable")]
MORE = [(["network", "public-ip", "show"] + ON + ["lb-ip"], LBIP), (["network", "lb", "show"] + ON + ["lb"], LB),
        (["network", "lb", "inbound-nat-rule", "list"] + G + ["--lb-name", "lb"], [LB]), (["network", "route-table", "show"] + ON + ["rt"], TABLE),
        (["network", "nic", "show"] + ON + ["back"], BACK), (["security", "jit-policy", "list"], [JIT])]
BRIEF = [COMMON[i] for i in (0, 3, 7)]
WHO = [(["account", "show"], lambda az, f: [(az["id"], f.subscription), (az["tenantId"], f.doc["azure"]["signin"]["tenant"])]),
       (["group", "list"], lambda az, f: [(f.target["vm"]["resource_group"].lower() in [g["name"].lower() for g in az], True)])]
STATE = [(["vm", "show", "-d"] + ON + ["myVM"], lambda az, f: [(az["powerState"], f.power()), (sorted(az["publicIps"].split(",")) if az["publicIps"] else [], f.addresses("public")),
                                                               (sorted(az["privateIps"].split(",")), f.addresses("private"))]),
         (["vm", "list-ip-addresses"], lambda az, f: [(sorted(ip for v in az for ip in v["virtualMachine"]["network"]["privateIpAddresses"]), f.addresses("private")),
                                                      (sorted(ip["ipAddress"] for v in az for ip in v["virtualMachine"]["network"]["publicIpAddresses"] if ip["ipAddress"]),
                                                       f.addresses("public"))])]
WORLDS = {"base": ({}, COMMON + ADDRESS + LIVE + WHO + STATE), "balanced": (balanced(), BRIEF + LIVE[1:] + MORE + STATE),
          "stopped": (stopped(), BRIEF + [COMMON[1], COMMON[5]] + ADDRESS + STATE[:1])}


TIME = re.compile(r"(?<=t[0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]+)?(\+00:00|z)$")     # Azure writes more digits than az keeps


class Facts:
    def __init__(self, bundle):
        self.doc = bundle["facts"]
        self.target = self.doc["targets"][0]
        self.subscription = self.target["vm"]["subscription"]

    def resource(self, ident):
        found = self.doc["azure"]["resources"].get(ident.lower())
        for policy in self.target.get("jit", {}).get("policies", []):
            found = policy if isinstance(policy, dict) and policy.get("id", "").lower() == ident.lower() else found
        return found

    def power(self):
        statuses = self.resource(VM)["properties"]["instanceView"]["statuses"]
        return next(s["displayStatus"] for s in statuses if s["code"].startswith("PowerState/"))

    def addresses(self, kind):
        out = []
        for nic in self.target["network"]["nics"]:
            for config in self.resource(nic)["properties"]["ipConfigurations"]:
                props = config["properties"]
                public = self.resource(props["publicIPAddress"]["id"]) if "publicIPAddress" in props else None
                out.append(props.get("privateIPAddress") if kind == "private" else (public or {"properties": {}})["properties"].get("ipAddress"))
        return sorted(a for a in out if a)


def flat(value):
    """As the SDK shows a body: properties stand with what they are of; names in any case."""
    if isinstance(value, list):
        return [flat(v) for v in value]
    if not isinstance(value, dict):
        return value
    out = {}
    for key, inner in value.items():
        inner = flat(inner)
        if key == "properties" and isinstance(inner, dict):
            out.update({k: v for k, v in inner.items() if k not in out})
        else:
            out[key.lower()] = inner
    return out


def parts(value, out):
    """Everything with an id in it, by its id."""
    if isinstance(value, dict):
        if isinstance(value.get("id"), str) and len(value) > 1:
            out.setdefault(value["id"].lower(), value)
        for inner in value.values():
            parts(inner, out)
    elif isinstance(value, list):
        for inner in value:
            parts(inner, out)
    return out


def compare(shown, read, where, wrong):
    """The number of fields that both have; what differs goes to wrong."""
    if isinstance(shown, dict) and isinstance(read, dict):
        return sum(compare(shown[k], read[k], where + "." + k, wrong) for k in shown if k in read and shown[k] is not None and read[k] is not None)
    if isinstance(shown, list) and isinstance(read, list):
        if len(shown) != len(read):
            wrong.append("%s has %d items, not %d" % (where, len(shown), len(read)))
        return sum(compare(s, r, "%s[%d]" % (where, i), wrong) for i, (s, r) in enumerate(zip(shown, read)))
    same = shown == read or (isinstance(shown, str) and isinstance(read, str) and TIME.sub("", shown.lower()) == TIME.sub("", read.lower()))
    if not same and read != "[cut]" and not where.endswith((".etag", "time")):
        wrong.append("%s: az shows %r, we read %r" % (where, shown, read))
    return 1


def lacking(shown, read, where=""):
    """Fields that az shows with a value and our body has not: az adds some of its own."""
    for key, value in shown.items() if isinstance(shown, dict) else ():
        if value in (None, [], {}, "") or key in ("resourcegroup", "etag", "publicips", "privateips", "fqdns", "macaddresses", "powerstate"):
            continue
        if key not in read:
            yield where + "." + key
        elif isinstance(value, dict) and isinstance(read[key], dict):
            yield from lacking(value, read[key], where + "." + key)


def judge(shown, facts, what):
    """(fields compared, complaints) of one command."""
    wrong, count = [], 0
    items = shown if isinstance(what, list) else [shown]
    if isinstance(shown, dict) and isinstance(what, list):
        items = shown.get("value", [])
    known = {}
    for ident in what if isinstance(what, list) else [what]:
        body = facts.resource(ident)
        if body is None:
            return 0, [ident + " was not read"]
        body = flat(body)
        known[ident.lower()] = body
        parts(body, known)
    if isinstance(what, str) and "id" not in (shown if isinstance(shown, dict) else {}):
        return compare(flat(shown if isinstance(shown, dict) else {"value": shown}), known[what.lower()], "", wrong), wrong
    for item in items:
        item = flat(item)
        read = known.get(item["id"].lower())
        if read is None:
            wrong.append("we have no " + item["id"])
            continue
        count += compare(item, read, item.get("name", ""), wrong)
        wrong += ["az shows %s, we have not got it" % name for name in lacking(item, read)]
    return count, wrong


def ask(env, args):
    done = subprocess.run([env["AZ"]] + args + ["-o", "json"], env=env, capture_output=True, timeout=90, check=False)
    return json.loads(done.stdout) if done.returncode == 0 and done.stdout.strip() else "az: " + done.stderr.decode()[-300:]


def ours(sim):
    with tempfile.TemporaryDirectory(prefix="azssh-fields-") as home:
        env = {"HOME": home, "PATH": "/usr/bin:/bin", "AZSSH_ARM_ENDPOINT": sim.url.rstrip("/"), "AZURE_AUTHORITY_HOST": sim.url.rstrip("/"), "AZURE_TENANT_ID": TENANT,
               "AZURE_CLIENT_ID": CLIENT, "AZURE_CLIENT_SECRET": "sim-secret", "SSL_CERT_FILE": os.path.join(sim.folder, "tls", "ca.pem")}
        subprocess.run([DOCTOR, "rg/myVM", "-s", SUB, "--deep", "--no-probe", "--bundle", home + "/b", "--no-redact"], env=env, stdin=subprocess.DEVNULL,
                       capture_output=True, timeout=60, check=False)
        with open(home + "/b", encoding="utf-8") as text:
            return Facts(json.load(text))


def main():
    seal()
    if not os.path.exists(os.path.join(SHARED, "az", "setup.sh")) or \
            subprocess.run(["/usr/bin/python3", "-c", "import azure.cli.core"], capture_output=True, timeout=60, check=False).returncode != 0:
        print("1..0 # SKIP no Azure CLI made to run beside this tree (SHARED)")
        return 0
    print("1..%d" % sum(len(table) for _, table in WORLDS.values()))
    number = 0
    for world, (resources, table) in WORLDS.items():
        with Sim(resources, tls=True, lifetime=300) as sim, concurrent.futures.ThreadPoolExecutor(2) as pool:
            env, why = environment(sim)
            if env is None:
                print("Bail out! az does not sign in: " + (why.strip().splitlines() or [""])[-1])
                return 1
            facts = ours(sim)
            answers = list(pool.map(lambda row: ask(env, row[0]), table))
            for (args, what), shown in zip(table, answers):
                number += 1
                if isinstance(shown, str):
                    count, wrong = 0, [shown]
                elif callable(what):
                    pairs = what(shown, facts)
                    count, wrong = len(pairs), ["az shows %r, we read %r" % pair for pair in pairs if pair[0] != pair[1]]
                else:
                    count, wrong = judge(shown, facts, what)
                print("%s %d %s: az %s (%d fields)" % ("not ok" if wrong or count == 0 else "ok", number, world, " ".join(a for a in args if a != "-g" and a != "rg"), count), flush=True)
                for line in wrong[:8]:
                    print("# " + line[:300])
    return 0


if __name__ == "__main__":
    sys.exit(main())
