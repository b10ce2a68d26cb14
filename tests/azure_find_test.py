#!/usr/bin/python3
"""Finding the VM and reading what it refers to: by every way of naming it, with whatever may be refused, and in how many rounds."""
import json

from azurelib import arm_log, probe, rounds
from simlib import expect, NET, NIC, NSG, PIP, RG, run, S, Sim, SUB, TENANT, test, VM, VNET

OTHER = "33333333-3333-3333-3333-333333333333"
O = "/subscriptions/" + OTHER
SUBNET = VNET + "/subnets/default"
JIT_LIST = RG + "/providers/Microsoft.Security/jitNetworkAccessPolicies"


def subscription(guid=OTHER, name="Other"):
    return {"id": "/subscriptions/" + guid, "subscriptionId": guid, "tenantId": TENANT, "displayName": name, "state": "Enabled"}


def copy_of(sim_path, world, path):
    body = json.loads(json.dumps(world[sim_path]))
    body.update(id=path, name=path.rsplit("/", 1)[1])
    return body


def base():
    from simlib import BASE
    return BASE["resources"]


def everything(facts):
    return all(facts.resource(r) is not None for r in (VM, NIC, PIP, NSG, VNET, SUBNET, S))


# ---- naming it ----

@test
def a_bare_name_takes_at_most_three_rounds():
    with Sim(latency_ms=40) as sim:
        facts = probe(sim, "myVM")
        expect((facts.vm["id"].lower(), facts.vm["from"]), (VM.lower(), "search"))
        assert everything(facts), sorted(facts.azure["resources"])
        expect((facts.target("network")["nics"], facts.target("jit")), ([NIC], {"state": "known", "policies": []}))
        assert rounds(arm_log(sim)) <= 3, rounds(arm_log(sim))


@test
def a_group_and_name_take_two_rounds_at_most():
    with Sim(latency_ms=40) as sim:
        facts = probe(sim, "RG/MYVM", env={"AZURE_SUBSCRIPTION_ID": SUB})
        expect((facts.vm["state"], facts.vm["from"]), ("known", "group"))
        assert everything(facts)
        assert rounds(arm_log(sim)) <= 2, rounds(arm_log(sim))


@test
def a_full_id_takes_two_rounds_at_most():
    with Sim(latency_ms=40) as sim:
        facts = probe(sim, VM)
        expect((facts.vm["state"], facts.vm["from"]), ("known", "id"))
        assert everything(facts)
        assert rounds(arm_log(sim)) <= 2, rounds(arm_log(sim))


@test
def a_group_without_subscription_is_looked_up():
    with Sim() as sim:
        expect(probe(sim, "rg/myVM").vm["id"].lower(), VM.lower())


@test
def nothing_is_asked_twice():
    with Sim() as sim:
        probe(sim, "myVM", "rg/myVM", VM)
        asked = [(e["method"], e["path"].lower(), e.get("query")) for e in arm_log(sim) if e["method"] == "GET"]
        expect(len(asked), len(set(asked)))
        expect(len([e for e in sim.log() if "oauth2" in e["path"]]), 1)


@test
def several_vms_share_lists_and_sign_in():
    two = RG + "/providers/Microsoft.Compute/virtualMachines/two"
    nic = NET + "/networkInterfaces/two-nic"
    world = base()
    vm = copy_of(VM, world, two)
    vm["properties"]["networkProfile"] = {"networkInterfaces": [{"id": nic}]}
    with Sim(resources={two: vm, nic: copy_of(NIC, world, nic)}) as sim:
        facts = probe(sim, "myVM", "two")
        expect([facts.target("vm", i)["name"] for i in (0, 1)], ["myVM", "two"])
        expect(facts.target("network", 1)["nics"], [nic])
        expect(len([e for e in arm_log(sim) if e["path"].lower().endswith("/networkinterfaces")]), 1)


@test
def a_name_found_twice_is_not_picked():
    twin = S + "/resourceGroups/other/providers/Microsoft.Compute/virtualMachines/MYVM"
    with Sim(resources={twin: copy_of(VM, base(), twin)}) as sim:
        facts = probe(sim, "myvm")
        expect((facts.vm["state"], facts.vm["cause"], len(facts.vm["candidates"])), ("absent", "ambiguous", 2))
        expect(probe(sim, "other/myvm").vm["id"].lower(), twin.lower())


@test
def a_missing_vm_is_absent_with_names_like_it():
    with Sim() as sim:
        facts = probe(sim, "myVN")
        expect((facts.vm["state"], facts.vm["cause"], facts.vm["near"], facts.vm["searched"]), ("absent", "not-found", ["myVM"], [SUB]))
        expect(facts.target("network")["state"], "absent")
        facts = probe(sim, "wrong-rg/myVM", env={"AZURE_SUBSCRIPTION_ID": SUB})
        expect((facts.vm["state"], facts.vm["near"]), ("absent", ["rg/myVM"]))
        facts = probe(sim, VM.replace("myVM", "gone"))
        expect(facts.vm["state"], "absent")
        facts = probe(sim, "it's\"; rm -rf /\x1b[31m")
        expect(facts.vm["state"], "absent")


@test
def a_vm_in_another_subscription_is_found_and_read():
    with Sim(resources={O: subscription()}) as sim:
        facts = probe(sim, "rg/myVM", "--subscription", OTHER)
        expect((facts.vm["state"], facts.vm["subscription"], facts.vm["elsewhere"]["active"]), ("known", SUB, OTHER))
        assert everything(facts)
        facts = probe(sim, "myVM", "--subscription", "other")
        expect((facts.vm["elsewhere"]["active"], facts.vm["elsewhere"]["from"]), (OTHER, "option"))
        profile = {"subscriptions": [{"id": OTHER, "name": "Other", "isDefault": True, "environmentName": "AzureCloud", "tenantId": TENANT}]}
        facts = probe(sim, "myVM", files={"azureProfile.json": b"\xef\xbb\xbf" + json.dumps(profile).encode()})
        expect((facts.vm["subscription"], facts.vm["elsewhere"]["from"]), (SUB, "profile"))
        facts = probe(sim, "myVM", "--subscription", "sim subscription")
        expect((facts.vm["state"], "elsewhere" in facts.vm), ("known", False))
        facts = probe(sim, "myVM", "--subscription", "no such")
        expect((facts.vm["state"], facts.vm["cause"]), ("absent", "subscription-not-found"))


@test
def az_s_default_group_is_tried_first():
    with Sim() as sim:
        facts = probe(sim, "myVM", env={"AZURE_SUBSCRIPTION_ID": SUB}, files={"config": "[defaults]\ngroup = rg\n"})
        expect(facts.vm["from"], "group")
        assert not any("ResourceGraph" in e["path"] for e in sim.log())


@test
def without_resource_graph_the_lists_serve():
    for status in (403, 404, 500):
        with Sim(latency_ms=10, requests=[{"match": "POST .*ResourceGraph", "status": status}], resources={O: subscription()}) as sim:
            facts = probe(sim, "MyVm")
            expect((facts.vm["state"], facts.vm.get("id", "").lower()), ("known", VM.lower()))
    with Sim(requests=[{"match": "POST .*ResourceGraph", "status": 403}, {"match": "GET .*/resources\\?", "status": 403}]) as sim:
        expect(probe(sim, "MyVm").vm["id"].lower(), VM.lower())


@test
def a_search_that_could_not_look_everywhere_proves_nothing():
    with Sim(requests=[{"match": "POST .*ResourceGraph", "status": 403}, {"match": "GET .*" + OTHER, "status": 403}], resources={O: subscription()}) as sim:
        facts = probe(sim, "nowhere")
        expect((facts.vm["state"], facts.vm["cause"]), ("unknown", "forbidden"))
    with Sim(requests=[{"match": "ResourceGraph|GET /subscriptions", "status": 429, "headers": {"Retry-After": "900"}}]) as sim:
        facts = probe(sim, "nowhere")
        expect((facts.vm["state"], facts.vm["cause"]), ("unknown", "throttled"))
        assert facts.seconds < 5 and "900" in facts.vm["reason"], (facts.seconds, facts.vm)


@test
def the_owner_of_an_address_is_found():
    address = base()[PIP]["properties"]["ipAddress"]
    for requests in ([], [{"match": "POST .*ResourceGraph", "status": 403}]):
        with Sim(requests=requests) as sim:
            facts = probe(sim, "@" + address)
            expect((facts.vm["state"], facts.vm["from"], facts.vm["id"].lower()), ("known", "address", VM.lower()))
            facts = probe(sim, "@10.0.0.4")
            expect((facts.vm["state"], facts.vm["id"].lower()), ("known", VM.lower()))
            facts = probe(sim, "@198.51.100.77")
            expect((facts.vm["state"], facts.vm["cause"]), ("absent", "no-owner"))


@test
def a_foreign_tenant_is_named():
    right = "99999999-9999-9999-9999-999999999999"
    with Sim(requests=[{"match": "(GET|POST) .*(subscriptions|ResourceGraph)", "status": 401, "code": "InvalidAuthenticationTokenTenant",
                        "message": f"The access token is from the wrong issuer 'https://sts.windows.net/{TENANT}/'. It must match the tenant "
                                   f"'https://sts.windows.net/{right}/' associated with this subscription."}]) as sim:
        facts = probe(sim, VM)
        expect((facts.vm["state"], facts.vm["cause"], facts.vm["tenant"]), ("unknown", "tenant", right))


@test
def a_scale_set_instance_is_read_by_its_id():
    instance = RG + "/providers/Microsoft.Compute/virtualMachineScaleSets/ss/virtualMachines/1"
    nic = instance + "/networkInterfaces/nic1"
    world = base()
    body = copy_of(VM, world, instance)
    body["properties"]["networkProfile"] = {"networkInterfaces": [{"id": nic}]}
    with Sim(resources={instance: body, nic: copy_of(NIC, world, nic)}) as sim:
        facts = probe(sim, instance)
        expect((facts.vm["state"], facts.target("network")["nics"]), ("known", [nic]))
        assert facts.resource(nic) and facts.resource(NSG)


# ---- reading with gaps ----

@test
def lists_that_fail_do_not_block():
    for fault in ({"status": 403}, {"status": 500}, {"status": 429, "headers": {"Retry-After": "600"}}, {"garbage": True}, {"truncate": 40}, {"reset": True},
                  {"html": True}, {"redirect": "https://evil.example/"}, {"deep": 5000}):
        with Sim(requests=[dict({"match": "GET .*/(networkInterfaces|publicIPAddresses|networkSecurityGroups|virtualNetworks)\\?"}, **fault)]) as sim:
            facts = probe(sim, VM)
            assert everything(facts), (fault, sorted(facts.azure["resources"]), facts.azure["missing"])
            assert facts.seconds < 3, (fault, facts.seconds)


@test
def a_stalled_list_is_not_waited_for_long():
    with Sim(requests=[{"match": "GET .*/networkInterfaces\\?", "stall": True}]) as sim:
        facts = probe(sim, VM, "--deadline", "15000")
        assert everything(facts) and facts.seconds < 9, facts.seconds


@test
def what_may_not_be_read_is_unknown_with_its_action():
    with Sim(requests=[{"match": "GET .*networkSecurityGroups", "status": 403}]) as sim:
        facts = probe(sim, VM)
        entry = facts.missing(NSG)
        expect((entry["state"], entry["cause"], entry["status"], entry["action"]),
               ("unknown", "forbidden", 403, "Microsoft.Network/networkSecurityGroups/read"))
        assert entry["request_id"] and NSG in facts.target("network")["read"]


@test
def a_vm_that_may_not_be_read_is_still_reached_by_its_nics():
    with Sim(requests=[{"match": "GET .*/virtualMachines/myVM", "status": 403}]) as sim:
        facts = probe(sim, VM)
        expect((facts.vm["state"], facts.target("network")["state"]), ("unknown", "unknown"))
        facts = probe(sim, VM, "--login", "me")
        expect((facts.vm["state"], facts.vm["cause"], facts.vm["action"]), ("unknown", "forbidden", "Microsoft.Compute/virtualMachines/read"))
        expect((facts.target("network")["state"], facts.target("network")["nics"]), ("known", [NIC]))
        assert facts.resource(NSG) and facts.resource(PIP)


@test
def a_deleted_vm_that_the_search_still_knows_is_absent():
    with Sim(requests=[{"match": "GET .*/virtualMachines/myVM", "status": 404, "code": "ResourceNotFound", "message": "gone"}]) as sim:
        expect(probe(sim, "myVM").vm["state"], "absent")


@test
def a_404_that_azure_did_not_write_is_unknown():
    with Sim(requests=[{"match": "GET .*/virtualMachines/myVM", "status": 404, "body": "<html>not here</html>", "content_type": "text/html"}]) as sim:
        expect(probe(sim, VM).vm["state"], "unknown")


@test
def resources_of_other_groups_are_fetched_by_id():
    net = S + "/resourceGroups/hub/providers/Microsoft.Network"
    world = base()
    nsg, vnet = net + "/networkSecurityGroups/far", net + "/virtualNetworks/far"
    subnet = vnet + "/subnets/one"
    far = copy_of(VNET, world, vnet)
    far["properties"]["subnets"] = [{"id": subnet, "name": "one", "properties": {"addressPrefix": "10.0.0.0/24", "networkSecurityGroup": {"id": nsg}}}]
    nic = json.loads(json.dumps(world[NIC]))
    nic["properties"]["ipConfigurations"][0]["properties"]["subnet"] = {"id": subnet}
    with Sim(resources={NIC: nic, vnet: far, nsg: copy_of(NSG, world, nsg)}) as sim:
        facts = probe(sim, "myVM")
        assert facts.resource(nsg) and facts.resource(subnet) and facts.resource(vnet), facts.azure["missing"]


@test
def lists_page_and_do_not_leave_the_host():
    more = {NET + f"/networkInterfaces/a{i}": {"location": "westeurope", "properties": {}} for i in range(7)}
    with Sim(resources=more, page_size=3) as sim:
        facts = probe(sim, VM)
        assert everything(facts)
        assert not any("/a1" in key for key in facts.azure["resources"])
        expect(len([e for e in arm_log(sim) if e["path"].lower().endswith("/networkinterfaces")]), 3)
    with Sim(requests=[{"match": "GET .*/networkSecurityGroups\\?", "next_link": "https://evil.example/next"}]) as sim:
        facts = probe(sim, VM)
        entry = facts.azure["lists"][(NET + "/networkSecurityGroups").lower()]
        expect((entry["cause"], entry["host"]), ("foreign-host", "evil.example"))
        assert everything(facts)


@test
def redirects_are_not_followed():
    with Sim() as elsewhere, Sim(requests=[{"match": "GET .*/virtualMachines/myVM", "redirect": elsewhere.url.rstrip("/") + "/stolen"}]) as sim:
        facts = probe(sim, VM)
        expect((facts.vm["state"], facts.vm["cause"]), ("unknown", "foreign-host"))
        expect(elsewhere.log(), [])


@test
def a_long_operation_s_foreign_location_is_refused():
    with Sim() as elsewhere, Sim(requests=[{"match": "POST .*effective", "location": elsewhere.url.rstrip("/") + "/stolen"}]) as sim:
        facts = probe(sim, VM, "--deep")
        expect(facts.missing(NIC + "/effectiveNetworkSecurityGroups")["cause"], "foreign-host")
        expect(elsewhere.log(), [])


@test
def errors_are_retried_and_then_fine():
    for fault in ({"status": 500, "times": 2}, {"status": 429, "times": 1, "headers": {"Retry-After": "0"}}, {"reset": True, "times": 1},
                  {"truncate": 30, "times": 1}, {"status": 503, "times": 1}, {"status": 408, "times": 1}):
        with Sim(requests=[dict({"match": "GET .*/virtualMachines/myVM\\?"}, **fault)]) as sim:
            facts = probe(sim, VM)
            expect((facts.vm["state"], fault), ("known", fault))
            tries = [r for r in facts.azure["requests"] if "/virtualMachines/myVM?" in r["url"]]
            assert "status" not in fault or len(tries) == fault["times"] + 1, tries


@test
def others_are_not_retried():
    for status in (400, 403, 404, 409, 501):
        with Sim(requests=[{"match": "GET .*/virtualMachines/myVM\\?", "status": status}]) as sim:
            probe(sim, VM)
            expect(len([e for e in arm_log(sim) if e["path"].endswith("/virtualMachines/myVM")]), 1)


@test
def an_expired_token_is_renewed_once():
    with Sim(requests=[{"match": "GET .*/virtualMachines/myVM", "status": 401, "code": "ExpiredAuthenticationToken", "times": 1}]) as sim:
        facts = probe(sim, VM)
        expect((facts.vm["state"], len([e for e in sim.log() if "oauth2" in e["path"]])), ("known", 2))
    with Sim(requests=[{"match": "GET .*/virtualMachines/myVM", "status": 401, "code": "ExpiredAuthenticationToken"}]) as sim:
        facts = probe(sim, VM)
        expect((facts.vm["state"], facts.vm["cause"]), ("unknown", "expired"))
        assert len([e for e in sim.log() if "oauth2" in e["path"]]) <= 3


@test
def just_in_time_policies_of_the_vm_are_kept():
    jit = RG + "/providers/Microsoft.Security/locations/westeurope/jitNetworkAccessPolicies/"
    one, other = jit + "default", jit + "other"
    policy = {"kind": "Basic", "location": "westeurope", "properties": {"virtualMachines": [{"id": VM.upper(), "ports": [{"number": 22}]}], "requests": []}}
    unrelated = {"kind": "Basic", "location": "westeurope", "properties": {"virtualMachines": [{"id": VM + "x", "ports": []}]}}
    with Sim(resources={one: policy, other: unrelated}) as sim:
        facts = probe(sim, VM)
        expect(facts.target("jit")["policies"], [one])
        assert facts.resource(one) and not facts.resource(other)
    with Sim(requests=[{"match": "jitNetworkAccessPolicies", "status": 403}]) as sim:
        jit_section = probe(sim, VM).target("jit")
        expect((jit_section["state"], jit_section["cause"]), ("unknown", "forbidden"))
    with Sim(requests=[{"match": "jitNetworkAccessPolicies", "status": 409, "code": "MissingSubscriptionRegistration"}]) as sim:
        expect(probe(sim, VM).target("jit"), {"state": "known", "policies": []})


@test
def an_old_cloud_s_api_versions_are_learnt():
    with Sim(requests=[{"match": "GET .*/virtualMachines/myVM\\?api-version=2024", "status": 400, "code": "NoRegisteredProviderFound",
                        "message": "No registered resource provider found. The supported api-versions are '2017-12-01, 2020-06-01'."}]) as sim:
        facts = probe(sim, VM)
        expect(facts.vm["state"], "known")
        assert any("api-version=2020-06-01" in (e.get("query") or "") for e in sim.log())


@test
def without_a_public_way_bastions_are_looked_for():
    world = base()
    nic = json.loads(json.dumps(world[NIC]))
    del nic["properties"]["ipConfigurations"][0]["properties"]["publicIPAddress"]
    bastion, far = NET + "/bastionHosts/b", NET + "/bastionHosts/far"
    body = {"location": "westeurope", "sku": {"name": "Standard"}, "properties": {"ipConfigurations": [
        {"name": "c", "properties": {"subnet": {"id": VNET + "/subnets/AzureBastionSubnet"}}}]}}
    other = json.loads(json.dumps(body).replace("myVnet", "elsewhere"))
    with Sim(resources={NIC: nic, bastion: body, far: other}) as sim:
        facts = probe(sim, VM)
        assert facts.resource(bastion) and not facts.resource(far), sorted(facts.azure["resources"])
        expect(facts.azure["lists"][(S + "/providers/Microsoft.Network/bastionHosts").lower()]["state"], "known")


# ---- deep and guest ----

@test
def deep_reads_what_azure_makes_of_the_rules():
    with Sim() as sim:
        facts = probe(sim, VM, "--deep", "--deadline", "20000")
        expect(facts.target("deep")["state"], "known")
        assert facts.resource(NIC + "/effectiveNetworkSecurityGroups"), facts.azure["missing"]
        assert facts.resource(NIC + "/effectiveRouteTable"), facts.azure["missing"]
    with Sim(requests=[{"match": "POST .*(effective|listNetworkManager)", "status": 403}]) as sim:
        facts = probe(sim, VM, "--deep")
        expect(facts.missing(NIC + "/effectiveNetworkSecurityGroups")["action"],
               "Microsoft.Network/networkInterfaces/effectiveNetworkSecurityGroups/action")
        expect(facts.target("deep")["state"], "known")


@test
def the_guest_proves_its_host_keys():
    print_ = "SHA256:" + "A" * 43
    output = f"azssh-doctor begin\nhostkey 256 {print_} (ED25519)\nhostkey 3072 {print_[:-1]}B (RSA)\nazssh-doctor end\n"
    with Sim(run_command={"output": output}) as sim:
        facts = probe(sim, VM, "--guest", "--deadline", "20000")
        expect(facts.target("proof"), {"state": "known", "by": "run-command", "keys": [{"type": "ssh-ed25519", "fingerprint": print_},
                                                                                       {"type": "ssh-rsa", "fingerprint": print_[:-1] + "B"}]})
        assert len([e for e in sim.log() if e["path"].endswith("/runCommand")]) == 1
    with Sim(requests=[{"match": "POST .*runCommand", "status": 403}]) as sim:
        proof = probe(sim, VM, "--guest").target("proof")
        expect((proof["state"], proof["action"]), ("unknown", "Microsoft.Compute/virtualMachines/runCommand/action"))


@test
def without_being_asked_nothing_is_posted_to_the_vm():
    with Sim() as sim:
        probe(sim, "myVM")
        expect([e["path"] for e in arm_log(sim) if e["method"] != "GET"], ["/providers/Microsoft.ResourceGraph/resources"])


if __name__ == "__main__":
    raise SystemExit(run())
