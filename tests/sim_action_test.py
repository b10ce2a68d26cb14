#!/usr/bin/python3
"""The Azure simulator: actions, operations, writes."""
import sys
import time
import urllib.parse

from simlib import expect, JIT, NET, NIC, NSG, PIP, run, S, Sim, test, VM, VNET


@test
def power_operations_run_to_their_end():
    with Sim() as sim:
        for action, during, after in (("deallocate", "deallocating", "deallocated"), ("start", "starting", "running"),
                                      ("powerOff", "stopping", "stopped")):
            reply = sim.arm("POST", f"{VM}/{action}", None)
            expect(reply.status, 202)
            state = lambda: [s["code"] for s in sim.get(VM + "/instanceView").json["statuses"] if s["code"].startswith("Power")]
            expect(state(), ["PowerState/" + during])
            expect(sim.poll(reply, "azure-asyncoperation").json["status"], "Succeeded")
            expect(sim.poll(reply).status, 204)
            expect(state(), ["PowerState/" + after])


@test
def scripted_actions_win():
    body = {"value": [{"x": 1}]}
    script = {NIC.lower() + "/effectiveNetworkSecurityGroups": {"async": True, "polls": 2, "retry_after": 7, "body": body},
              VM + "/start": {"async": True, "polls": 0, "error": {"code": "AllocationFailed", "message": "no room"}},
              VM + "/redeploy": {"status": 409, "body": {"error": {"code": "Conflict", "message": "x"}}}}
    with Sim(actions=script) as sim:
        reply = sim.arm("POST", NIC + "/effectiveNetworkSecurityGroups")
        expect((reply.status, reply.headers["retry-after"]), (202, "7"))
        where = urllib.parse.urlsplit(reply.headers["location"])
        expect([sim.get(where.path).status for _ in range(3)], [202, 202, 200])
        expect(sim.poll(reply).json, body)
        failed = sim.poll(sim.arm("POST", VM + "/start"), "azure-asyncoperation").json
        expect((failed["status"], failed["error"]["code"]), ("Failed", "AllocationFailed"))
        expect(sim.arm("POST", VM + "/redeploy").status, 409)


@test
def effective_rules_and_routes_are_derived():
    routes = NET + "/routeTables/rt"
    group = NET + "/networkSecurityGroups/sub"
    away = {"addressPrefix": "0.0.0.0/0", "nextHopType": "VirtualAppliance", "nextHopIpAddress": "10.0.9.4"}
    subnet = {"routeTable": {"id": routes}, "networkSecurityGroup": {"id": group}}
    extra = {routes: {"properties": {"routes": [{"name": "default", "properties": away}]}}, group: {},
             VNET + "/subnets/default": {"properties": subnet}}
    with Sim(extra) as sim:
        groups = sim.poll(sim.arm("POST", NIC + "/effectiveNetworkSecurityGroups")).json["value"]
        expect([list(g["association"]) for g in groups], [["subnet"], ["networkInterface"]])
        rule = groups[1]["effectiveSecurityRules"][0]
        expect((rule["name"], rule["destinationPortRange"], rule["sourceAddressPrefix"], rule["destinationAddressPrefix"]),
               ("securityRules/allow-ssh", "22-22", "203.0.113.7/32", "0.0.0.0/0"))
        vnet = [r for r in groups[0]["effectiveSecurityRules"] if r["name"].endswith("AllowVnetInBound")][0]
        expect((vnet["protocol"], vnet["expandedSourceAddressPrefix"]), ("All", ["10.0.0.0/16", "168.63.129.16/32"]))
        table = sim.poll(sim.arm("POST", NIC + "/effectiveRouteTable")).json["value"]
        expect([(r["state"], r["nextHopType"]) for r in table if r["addressPrefix"] == ["0.0.0.0/0"]],
               [("Invalid", "Internet"), ("Active", "VirtualAppliance")])
        watcher = S + "/resourceGroups/NetworkWatcherRG/providers/Microsoft.Network/networkWatchers/NetworkWatcher_westeurope"
        hop = {"targetResourceId": VM, "sourceIPAddress": "10.0.0.4", "destinationIPAddress": "203.0.113.7"}
        expect(sim.poll(sim.arm("POST", watcher + "/nextHop", hop)).json["nextHopIpAddress"], "10.0.9.4")
        expect(sim.poll(sim.arm("POST", watcher + "/nextHop", dict(hop, destinationIPAddress="10.0.3.3"))).json["nextHopType"], "VnetLocal")
        sim.poll(sim.arm("POST", VM + "/deallocate"))
        expect(sim.arm("POST", NIC + "/effectiveNetworkSecurityGroups").status, 400)
        expect(sim.arm("POST", VNET + "/listNetworkManagerEffectiveSecurityAdminRules", {"skipToken": ""}).json, {"value": []})


@test
def flow_verify_names_the_deciding_rule():
    question = {"targetResourceId": VM, "direction": "Inbound", "protocol": "TCP", "localPort": "22", "remotePort": "60000",
                "localIPAddress": "10.0.0.4", "remoteIPAddress": "203.0.113.7"}
    watcher = S + "/resourceGroups/NetworkWatcherRG/providers/Microsoft.Network/networkWatchers/NetworkWatcher_westeurope/ipFlowVerify"
    with Sim() as sim:
        ask = lambda **more: tuple(sim.poll(sim.arm("POST", watcher, dict(question, **more))).json.values())
        expect(ask(), ("Allow", "securityRules/allow-ssh"))
        expect(ask(remoteIPAddress="203.0.113.8"), ("Deny", "defaultSecurityRules/DenyAllInBound"))
        expect(ask(remoteIPAddress="10.0.5.5", localPort="80"), ("Allow", "defaultSecurityRules/AllowVnetInBound"))
        expect(ask(direction="Outbound"), ("Allow", "defaultSecurityRules/AllowInternetOutBound"))
        expect(sim.arm("POST", watcher, {"targetResourceId": VM}).status, 400)


@test
def nat_port_mappings_are_derived():
    lb = NET + "/loadBalancers/lb"
    pool, config = lb + "/backendAddressPools/p", NIC + "/ipConfigurations/ipconfig1"
    members = {"backendIPConfigurations": [{"id": "x"}, {"id": config}]}
    ports = {"protocol": "Tcp", "backendPort": 22, "frontendPortRangeStart": 50000, "backendAddressPool": {"id": pool}}
    extra = {lb: {"properties": {"backendAddressPools": [{"name": "p", "properties": members}],
                                 "inboundNatRules": [{"name": "range", "properties": ports}]}}}
    with Sim(extra) as sim:
        body = sim.poll(sim.arm("POST", pool + "/queryInboundNatRulePortMapping", {"ipAddress": "10.0.0.4"})).json
        expect(body["inboundNatRulePortMappings"],
               [{"inboundNatRuleName": "range", "protocol": "Tcp", "frontendPort": 50001, "backendPort": 22}])


@test
def jit_requests_are_added_to_the_policy():
    policy = {"kind": "Basic", "location": "westeurope", "properties": {"virtualMachines": [{"id": VM, "ports": [
        {"number": 22, "protocol": "*", "allowedSourceAddressPrefix": "*", "maxRequestAccessDuration": "PT3H"}]}], "requests": []}}
    stamp = lambda seconds: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))
    with Sim({JIT: policy}) as sim:
        asked = {"number": 22, "allowedSourceAddressPrefix": "198.51.100.9", "endTimeUtc": stamp(3600)}
        ask = lambda **port: sim.arm("POST", JIT + "/initiate", {
            "virtualMachines": [{"id": VM.upper(), "ports": [dict(asked, **port)]}], "justification": "ssh"})
        for bad in (dict(number=23), dict(endTimeUtc=stamp(-60)), dict(endTimeUtc=stamp(36000)), dict(endTimeUtc=None)):
            expect((bad, ask(**bad).status), (bad, 400))
        reply = ask()
        expect((reply.status, reply.json["virtualMachines"][0]["ports"][0]["status"]), (202, "Initiated"))
        expect(sim.get(JIT).json["properties"]["requests"], [reply.json])
        rule = [r for r in sim.get(NSG).json["properties"]["securityRules"] if "JITRule-" in r["name"]][0]["properties"]
        expect((rule["sourceAddressPrefix"], rule["destinationAddressPrefix"], rule["access"]), ("198.51.100.9", "10.0.0.4", "Allow"))


@test
def run_command_hands_the_script_to_the_program():
    ask = lambda sim, *lines: sim.arm("POST", VM + "/runCommand", {"commandId": "RunShellScript", "script": list(lines)})
    message = lambda sim, reply: sim.poll(reply).json["value"][0]["message"]
    with Sim(run_command={"argv": ["/bin/sh"], "timeout": 2}, retry_after=0) as sim:
        reply = ask(sim, "echo out; echo bad >&2")
        expect((reply.status, "azure-asyncoperation" in reply.headers, "location" in reply.headers), (202, True, True))
        expect(message(sim, reply), "Enable succeeded: \n[stdout]\nout\n\n[stderr]\nbad\n")
        assert "exit status=3" in message(sim, ask(sim, "echo x", "exit 3"))
        tail = message(sim, ask(sim, "i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done"))
        tail = tail.split("[stdout]\n")[1].split("\n[stderr]")[0]
        expect((len(tail), tail.endswith("line 2999\n")), (4096, True))
        first = ask(sim, "sleep 0.5; echo done")
        busy = ask(sim, "echo two")
        expect((busy.status, busy.code), (409, "Conflict"))
        assert "done" in message(sim, first)
        began = time.time()
        failed = sim.poll(ask(sim, "sleep 30 & sleep 30"), "azure-asyncoperation").json
        assert failed["status"] == "Failed" and time.time() - began < 8, failed
        reply = sim.arm("POST", VM + "/runCommand", {"commandId": "RunShellScript", "script": ["echo \"$1|$2\""], "parameters": [
            {"name": "a", "value": "it's"}, {"name": "b", "value": "$HOME"}]})
        assert "it's|$HOME" in message(sim, reply)
        expect(sim.arm("POST", VM + "/runCommand", {"commandId": "No"}).status, 404)
        sim.poll(sim.arm("POST", VM + "/deallocate"))
        expect(ask(sim, "true").code, "OperationNotAllowed")
    with Sim(run_command={"output": "given"}, retry_after=0) as sim:
        assert "given" in message(sim, ask(sim, "echo other"))


@test
def boot_log_is_served_to_those_without_a_token():
    text = "".join(f"line {n}\r\n" for n in range(1000))
    with Sim(boot_log=text) as sim:
        url = sim.arm("POST", VM + "/retrieveBootDiagnosticsData?sasUriExpirationTimeInMinutes=60").json["serialConsoleLogBlobUri"]
        path = url[len(sim.url):]
        assert url.startswith(sim.url) and "sig=CANARY" in url
        expect(sim.raw("GET", path).body, text.encode())
        head = sim.raw("HEAD", path)
        expect((head.status, head.headers["content-length"], head.body), (200, str(len(text)), b""))
        part = sim.raw("GET", path, headers={"Range": "bytes=100-199"})
        expect((part.status, part.body, part.headers["content-range"]), (206, text.encode()[100:200], f"bytes 100-199/{len(text)}"))
        expect(sim.raw("GET", path, headers={"Range": f"bytes={len(text) - 5}-"}).body, text.encode()[-5:])
        expect(sim.raw("GET", path, headers={"Range": "bytes=-5"}).status, 200)
        expect(sim.raw("GET", path, headers={"Range": "bytes=999999-"}).status, 416)
        refused = sim.raw("GET", path, headers={"Authorization": "Bearer " + sim.token})
        expect((refused.status, sim.log()[-1]["auth"]), (400, "bearer"))
        assert b"InvalidAuthenticationInfo" in refused.body
        expect(sim.raw("GET", path.split("?")[0]).status, 403)
    with Sim() as sim:
        url = sim.arm("POST", VM + "/retrieveBootDiagnosticsData").json["serialConsoleLogBlobUri"]
        expect(sim.raw("GET", url[len(sim.url):]).status, 404)


@test
def rules_can_be_put_and_deleted():
    rule = {"properties": {"protocol": "Tcp", "sourceAddressPrefix": "198.51.100.9/32", "destinationAddressPrefix": "*", "access": "Allow",
                           "destinationPortRange": "22", "sourcePortRange": "*", "priority": 310, "direction": "Inbound"}}
    with Sim() as sim:
        reply = sim.arm("PUT", NSG + "/securityRules/mine", rule)
        expect((reply.status, reply.json["properties"]["provisioningState"]), (201, "Succeeded"))
        expect(sim.poll(reply, "azure-asyncoperation").json["status"], "Succeeded")
        expect([r["name"] for r in sim.get(NSG).json["properties"]["securityRules"]], ["allow-ssh", "mine"])
        expect(sim.arm("PUT", NSG + "/securityRules/twin", rule).code, "SecurityRuleConflict")
        expect(sim.arm("PUT", NSG + "/securityRules/mine", rule).status, 200)
        expect(sim.arm("DELETE", NSG + "/securityRules/mine").status, 202)
        expect(sim.arm("DELETE", NSG + "/securityRules/mine").status, 204)
        expect(sim.get(NSG + "/securityRules/mine").status, 404)
        expect(sim.arm("PATCH", PIP, {"tags": {"a": "b"}}).json["tags"], {"a": "b"})
        expect(sim.arm("PUT", PIP, None).code, "InvalidRequestContent")
        expect(sim.arm("DELETE", PIP).status, 202)
        expect(sim.get(PIP).status, 404)


if __name__ == "__main__":
    sys.exit(run())
