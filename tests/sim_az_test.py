#!/usr/bin/python3
"""The real Azure CLI as a client of the simulator, over HTTPS. Skipped where it is not installed or not made to run."""
import concurrent.futures
import json
import os
import subprocess
import sys
import time

from simlib import JIT, NSG, S, seal, Sim, SRC, VM

SHARED = os.environ.get("SHARED") or os.path.join(SRC, "..", "shared")
POLICY = {"kind": "Basic", "location": "westeurope", "properties": {"virtualMachines": [{"id": VM, "ports": [
    {"number": 22, "protocol": "*", "allowedSourceAddressPrefix": "*", "maxRequestAccessDuration": "PT3H"}]}], "requests": []}}
END = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
BODY = json.dumps({"virtualMachines": [{"id": VM, "ports": [
    {"number": 22, "allowedSourceAddressPrefix": "198.51.100.9", "endTimeUtc": END}]}]})
ON = ["-g", "rg", "-n", "myVM"]
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJKYFxyv9xAMx8KmZsNLD2MyrB24h3u7SpLlNJXvCkdt x"
NIC, GROUP = ["-g", "rg", "-n", "myVM-nic"], ["-g", "rg", "--nsg-name", "myVM-nsg"]
RULE = ["-n", "allow-ssh-me", "--priority", "310", "--direction", "Inbound", "--access", "Allow", "--protocol", "Tcp",
        "--source-address-prefixes", "198.51.100.9/32", "--source-port-ranges", "*",
        "--destination-address-prefixes", "*", "--destination-port-ranges", "22"]

# name, arguments, a query for -o tsv, what it must show
READS = [
    ("vm show -d", ["vm", "show", "-d"] + ON, "[powerState,publicIps,privateIps]", "VM running\n20.51.230.13\n10.0.0.4"),
    ("vm list -d", ["vm", "list", "-d"], "[].[name,powerState,publicIps]", "myVM\tVM running\t20.51.230.13"),
    ("vm get-instance-view", ["vm", "get-instance-view"] + ON, "instanceView.statuses[1].code", "PowerState/running"),
    ("vm extension list", ["vm", "extension", "list", "-g", "rg", "--vm-name", "myVM"], "length(@)", "0"),
    ("vm boot-diagnostics get-boot-log", ["vm", "boot-diagnostics", "get-boot-log"] + ON, "@", "myVM login:"),
    ("network nic show", ["network", "nic", "show"] + NIC, "ipConfigurations[0].privateIpAddress", "10.0.0.4"),
    ("network nic list-effective-nsg", ["network", "nic", "list-effective-nsg"] + NIC, "value[].effectiveSecurityRules[0].name",
     "securityRules/allow-ssh"),
    ("network nic show-effective-route-table", ["network", "nic", "show-effective-route-table"] + NIC, "value[1].nextHopType", "Internet"),
    ("network public-ip show", ["network", "public-ip", "show", "-g", "rg", "-n", "myVM-ip"], "ipAddress", "20.51.230.13"),
    ("network vnet subnet show", ["network", "vnet", "subnet", "show", "-g", "rg", "--vnet-name", "myVnet", "-n", "default"], "addressPrefix",
     "10.0.0.0/24"),
    ("network nsg rule list", ["network", "nsg", "rule", "list"] + GROUP, "[].[name,destinationPortRange]", "allow-ssh\t22"),
    ("network lb list", ["network", "lb", "list"], "length(@)", "0"),
    ("network watcher test-ip-flow", ["network", "watcher", "test-ip-flow", "-g", "rg", "--vm", "myVM", "--direction", "Inbound",
      "--protocol", "TCP", "--local", "10.0.0.4:22", "--remote", "203.0.113.8:60000"], "[access,ruleName]",
     "Deny\ndefaultSecurityRules/DenyAllInBound"),
    ("security jit-policy list", ["security", "jit-policy", "list"], "[].name", "default"),
    ("resource list", ["resource", "list", "--resource-type", "Microsoft.Compute/virtualMachines", "--name", "myvm"], "[].name", "myVM"),
    ("resource list without filter", ["resource", "list"], "length(@)", "6"),
    ("account get-access-token", ["account", "get-access-token"], "[tenant,tokenType]", "11111111-1111-1111-1111-111111111111\nBearer"),
    ("rest", ["rest", "--method", "get", "--url", S + "?api-version=2022-12-01"], "displayName", "Sim Subscription"),
    ("vm run-command invoke", ["vm", "run-command", "invoke"] + ON + ["--command-id", "RunShellScript", "--scripts", "echo from the guest"],
     "value[0].message", "from the guest"),
]
WRITES = [
    ("network nsg rule create", ["network", "nsg", "rule", "create"] + GROUP + RULE, "provisioningState", "Succeeded"),
    ("network nsg rule delete", ["network", "nsg", "rule", "delete"] + GROUP + ["-n", "allow-ssh-me"], "@", ""),
    ("rest post initiate", ["rest", "--method", "post", "--url", JIT + "/initiate?api-version=2020-01-01", "--body", BODY],
     "virtualMachines[0].ports[0].status", "Initiated"),
    ("vm user update", ["vm", "user", "update"] + ON + ["-u", "azureuser", "--ssh-key-value", KEY], "provisioningState", "Succeeded"),
    ("vm deallocate", ["vm", "deallocate"] + ON, "@", ""),
    ("vm show after deallocate", ["vm", "show", "-d"] + ON, "powerState", "VM deallocated"),
    ("vm start", ["vm", "start"] + ON, "@", ""),
    ("vm show after start", ["vm", "show", "-d"] + ON, "powerState", "VM running"),
]


def environment(sim):
    done = subprocess.run([os.path.join(SHARED, "az", "setup.sh"), sim.folder, sim.host, os.path.join(sim.folder, "tls", "ca.pem")],
                          capture_output=True, timeout=60, check=False)
    if done.returncode != 0:
        return None, done.stderr.decode()
    made = subprocess.run(["/bin/sh", "-c", f". {sim.folder}/az.env && env -0"], capture_output=True, timeout=10, check=True)
    env = dict(pair.split("=", 1) for pair in made.stdout.decode().split("\0") if "=" in pair)
    return dict(env, HOME=sim.folder), None


def ask(env, args, query):
    done = subprocess.run([env["AZ"]] + args + ["-o", "tsv", "--query", query], env=env, capture_output=True, timeout=90, check=False)
    return done.returncode, done.stdout.decode().strip(), done.stderr.decode()


def report(number, name, wanted, result):
    code, shown, errors = result
    good = code == 0 and wanted in shown
    print(f"{'ok' if good else 'not ok'} {number} az {name}", flush=True)
    if not good:
        print("# wanted " + repr(wanted) + ", got " + repr(shown[:300]) + " " + repr(errors[-500:]))


def main():
    seal()
    if not os.path.exists(os.path.join(SHARED, "az", "setup.sh")):
        print("1..0 # SKIP no Azure CLI made to run beside this tree (SHARED)")
        return 0
    if subprocess.run(["/usr/bin/python3", "-c", "import azure.cli.core"], capture_output=True, timeout=60, check=False).returncode != 0:
        print("1..0 # SKIP azure-cli is not installed")
        return 0
    with Sim({JIT: POLICY}, tls=True, lifetime=300, boot_log="[    0.0] Linux\r\nmyVM login: ", run_command={"argv": ["/bin/sh"]}) as sim:
        env, why = environment(sim)
        print(f"1..{len(READS) + len(WRITES) + 1}")
        print(f"{'ok' if env else 'not ok'} 1 az signs in")
        if env is None:
            print("Bail out! " + (why.strip().splitlines() or [""])[-1])
            return 0
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            results = list(pool.map(lambda read: ask(env, read[1], read[2]), READS))
        for number, (read, result) in enumerate(zip(READS, results), 2):
            report(number, read[0], read[3], result)
        for number, (name, args, query, wanted) in enumerate(WRITES, len(READS) + 2):
            report(number, name, wanted, ask(env, args, query))
        rules = [r["name"] for r in sim.get(NSG).json["properties"]["securityRules"]]
        print("# rules at the end: " + ", ".join(rules))
    return 0


if __name__ == "__main__":
    sys.exit(main())
