#!/usr/bin/python3
"""Ten kinds of fault and more on each of the calls: what is claimed afterwards is right or unknown, in time, and the token stays at home.
Prints the table."""
import concurrent.futures
import json
import os
import re
import urllib.parse

from azurelib import probe
from scenario.asked import complaint
from simlib import CLIENT, expect, NET, NIC, NSG, PIP, RG, run, S, Sim, SRC, SUB, TENANT, test, VM, VNET

DEADLINE = 4000
CALLS = {"token": "POST .*/oauth2/", "graph": "POST .*ResourceGraph", "subscriptions": "GET /subscriptions\\?", "vm": "GET .*/virtualMachines/myVM\\?",
         "nics": "GET .*/networkInterfaces\\?", "ips": "GET .*/publicIPAddresses\\?", "nsgs": "GET .*/networkSecurityGroups\\?",
         "vnets": "GET .*/virtualNetworks\\?", "jit": "GET .*/jitNetworkAccessPolicies\\?", "sub": "GET /subscriptions/[^/]*\\?"}


def faults(elsewhere):
    return {"latency": {"delay": 300}, "reset": {"reset": True}, "truncation": {"truncate": 50}, "chunked cut": {"truncate": 50, "chunked": True},
            "slow drip": {"drip": 40}, "429 storm": {"status": 429}, "429 long": {"status": 429, "headers": {"Retry-After": "900"}},
            "500 twice": {"status": 500, "times": 2}, "html": {"html": True}, "huge": {"huge": 40 << 20}, "expired": {"status": 401,
            "code": "ExpiredAuthenticationToken"}, "redirect": {"redirect": elsewhere + "/stolen"}, "garbage": {"garbage": True}, "deep": {"deep": 20000},
            "endless": {"endless": True}, "stall": {"stall": True}, "next link": {"next_link": elsewhere + "/next"}, "location": {"location": elsewhere + "/l"}}


def judge(facts, call):
    """right: all is known; part: what is lacking is unknown; none: the VM is unknown; gone: it is not there. Anything else is wrong."""
    assert facts.seconds < DEADLINE / 1000 + 3, facts.seconds
    vm, targets = facts.doc["targets"][0].get("vm"), facts.doc["targets"]
    for path, entry in facts.azure["missing"].items():
        assert entry["state"] in ("unknown", "not-asked") or re.search("resourcehealth|schedules", path), (path, entry)
        assert entry["cause"] and entry["reason"], entry
    if vm is not None and vm.get("cause") == "not-found" and call in ("resources", "models"):
        return "gone"       # somebody else could tell
    if vm is None or vm["state"] != "known":
        assert vm is None or (vm["state"], bool(vm["cause"])) == ("unknown", True), vm
        return "none"
    expect(vm["id"].lower(), VM.lower())
    whole = all(facts.resource(r) for r in (VM, NIC, PIP, NSG, VNET)) and targets[0].get("jit", {}).get("state") == "known"
    jit = targets[0].get("jit", {"state": "unknown"})
    assert jit["state"] in ("known", "unknown") and (jit["state"] != "known" or call != "jit" or whole), jit
    return "right" if whole else "part"


# what only some runs ask: the call, the arguments, the environment, keys of the world
RARE = {"imds": ("GET /metadata/identity", ("myVM",), {"AZURE_CLIENT_SECRET": None, "AZURE_CLIENT_ID": None}, {"imds": True}),
        "github": ("GET /github/oidc", ("myVM",), {"AZURE_CLIENT_SECRET": None, "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "request-token"},
                   {"clients": {CLIENT: {"assertion": True}}}),
        "discovery": ("GET /metadata/endpoints", ("myVM",), {}, {}),
        "resources": ("GET .*/resources\\?", ("nowhere",), {}, {}),
        "models": ("GET .*/(resources|virtualMachines)\\?", ("nowhere",), {}, {}),
        "owner": ("(GET .*/publicIPAddresses\\?|POST .*ResourceGraph)", ("@20.51.230.13",), {}, {}),
        "health": ("GET .*/availabilityStatuses/", ("myVM",), {}, {}),
        "schedule": ("GET .*/schedules/", ("myVM", "--deep"), {}, {}),
        "effective": ("POST .*/effectiveNetworkSecurityGroups", ("myVM", "--deep"), {}, {}),
        "routes": ("POST .*/effectiveRouteTable", ("myVM", "--deep"), {}, {}),
        "admin": ("POST .*/listNetworkManager", ("myVM", "--deep"), {}, {}),
        "poll": ("GET .*/operation", ("myVM", "--deep"), {}, {}),
        "activity": ("GET .*/eventtypes/", ("myVM", "--deep"), {}, {}),
        "flow": ("POST .*/ipFlowVerify", ("myVM", "--deep"), {}, {"token": {"claims": {"ipaddr": "203.0.113.7"}}}),
        "guest": ("POST .*/runCommand", ("myVM", "--guest"), {}, {"run_command": {"output": "x"}})}
TEN = ("latency", "reset", "truncation", "slow drip", "429 storm", "500 twice", "html", "huge", "expired", "redirect")


def run_one(fault, args, env, keys, call):
    with Sim(requests=[fault], **keys) as sim:
        env = dict(env)
        if "ACTIONS_ID_TOKEN_REQUEST_TOKEN" in env:
            env["ACTIONS_ID_TOKEN_REQUEST_URL"] = sim.url.rstrip("/") + "/github/oidc?v=1"
        try:
            return judge(probe(sim, *args, "--deadline", str(DEADLINE), env=env), call)
        except AssertionError as wrong:
            return f"WRONG: {wrong}"


def one(elsewhere, call, name):
    return run_one(dict({"match": CALLS[call]}, **faults(elsewhere)[name]), ("myVM",), {}, {}, call)


def rare(elsewhere, call, name):
    match, args, env, keys = RARE[call]
    return run_one(dict({"match": match}, **faults(elsewhere)[name]), args, env, keys, call)


def table(names, calls, ask):
    with Sim() as elsewhere:
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            jobs = {(c, n): pool.submit(ask, elsewhere.url.rstrip("/"), c, n) for n in names for c in calls}
            rows = {n: [jobs[c, n].result() for c in calls] for n in names}
        expect(elsewhere.log(), [])
    print("# %-12s" % "" + "".join("%-14s" % c for c in calls))
    for name, row in rows.items():
        print("# %-12s" % name + "".join("%-14s" % r for r in row))
    expect([(n, c, r) for n, row in rows.items() for c, r in zip(calls, row) if "WRONG" in r], [])
    return rows


@test
def ten_kinds_of_fault_on_the_rarer_calls():
    rows = table(TEN, RARE, rare)
    for call in ("discovery", "health", "schedule", "effective", "routes", "admin", "activity", "flow", "guest"):    # beside the verdict
        expect((call, [row[list(RARE).index(call)] for row in rows.values()]), (call, ["right"] * len(TEN)))
    expect(set(rows["500 twice"]) | set(rows["latency"]), {"right", "gone"})


@test
def every_fault_on_every_call_is_survived():
    rows = table(list(faults("")), CALLS, one)
    # what another request stands in for must not cost anything
    for name in ("429 storm", "500 twice", "html", "redirect", "garbage", "deep", "reset", "truncation", "next link"):
        for call in ("graph", "subscriptions", "nics", "ips", "nsgs", "vnets", "sub"):
            got = rows[name][list(CALLS).index(call)]
            assert got == "right" or (call in ("graph",) and got != "wrong"), (name, call, got)
    expect(rows["500 twice"], ["right"] * len(CALLS))
    expect(rows["latency"], ["right"] * len(CALLS))


@test
def nobody_at_the_endpoint_is_said_at_once():
    with Sim() as sim:
        facts = probe(sim, VM, "--arm", "http://127.0.0.1:9", env={"AZURE_AUTHORITY_HOST": sim.url})
        expect((facts.vm["state"], facts.vm["cause"]), ("unknown", "unreachable"))
        assert facts.seconds < 3
        facts = probe(sim, VM, "--arm", "http://127.0.0.1:9")
        expect(facts.signin["cause"], "network")


@test
def a_private_ca_is_honoured_and_an_unknown_one_refused():
    with Sim(tls=True) as sim:
        expect(probe(sim, VM).vm["state"], "known")
    with Sim(tls=True) as sim:
        facts = probe(sim, VM, env={"SSL_CERT_FILE": "/dev/null"})
        expect(facts.signin["state"], "unknown")
        assert "certificate" in facts.signin["reason"], facts.signin["reason"]
        assert not any("oauth2" in e["path"] for e in sim.log())


# ---- what we send ----

@test
def every_request_is_one_that_azure_knows():
    with Sim(run_command={"output": "x"}) as sim:
        for args in (("myVM", "--deep", "--guest"), ("rg/nothing",), ("@198.51.100.9",), ("@10.9.9.9",), ("nowhere",)):
            probe(sim, *args, "--deadline", "15000")
        expect([c for c in map(complaint, sim.log()) if c], [])
        bad = {"method": "GET", "path": S + "/resourceGroups/rg", "query": "api-version=2021-04-01", "auth": "bearer", "headers": {}, "body": ""}
        for wrong in ({}, {"path": "/subscriptions", "query": "api-version=1999-01-01"}, {"path": VM, "query": "api-version=2024-07-01&$expand=all"}, {"method": "PUT"}):
            assert complaint(dict(bad, **wrong)), wrong


@test
def facts_fit_their_schema():
    try:
        import jsonschema
    except ImportError:
        print("# python3-jsonschema is not installed")
        return
    path = os.path.join(SRC, "facts", "facts.schema.json")
    with open(path, encoding="utf-8") as text:
        schema = json.load(text)
    cases = [({}, ("myVM",)), ({}, ("nothing",)), ({"requests": [{"match": "GET .*networkSecurity", "status": 403}]}, ("myVM", "--deep", "--guest")),
             ({"requests": [{"match": "GET .*virtualMachines", "status": 429}]}, ("rg/myVM",)), ({"token": {"error": {"error": "x", "error_codes": [700082]}}}, ("myVM",))]
    for keys, args in cases:
        with Sim(**keys) as sim:
            doc = probe(sim, *args, "--deadline", "8000").doc
            errors = [f"{'/'.join(map(str, e.absolute_path))}: {e.message[:200]}" for e in jsonschema.Draft7Validator(schema).iter_errors(doc)]
            errors = [e for e in errors if e.startswith("azure") or re.match(r"targets/\d+/(vm|network|jit|deep|proof)", e)]
            expect(errors, [])


if __name__ == "__main__":
    raise SystemExit(run())
