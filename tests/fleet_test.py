#!/usr/bin/python3
"""Fleets: read by few requests, judged as each VM alone would be, in every way of choosing and splitting them."""
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

from azurelib import SIGN_IN
from fleetlib import Fleet, no_address, no_rule, SOURCE, stopped, SUBSCRIPTIONS
from scenario.asked import complaint
from simlib import BUILD, expect, run, Sim, SRC, test

DOCTOR = os.environ.get("DOCTOR") or os.path.join(BUILD, "azssh-doctor")
COUNT = int(os.environ.get("FLEET", "24"))
GRAPH = "POST .*ResourceGraph"


class Place:
    def __enter__(self):
        self.home = tempfile.TemporaryDirectory(prefix="azssh-fleet-")
        return self

    def __exit__(self, *_):
        self.home.cleanup()

    def path(self, name):
        return os.path.join(self.home.name, name)

    def environment(self, sim):
        url = sim.url.rstrip("/")
        return dict(SIGN_IN, HOME=self.home.name, AZURE_CONFIG_DIR=self.home.name, PATH="/usr/bin:/bin", LANG="C.UTF-8", AZSSH_ARM_ENDPOINT=url,
                    AZURE_POD_IDENTITY_AUTHORITY_HOST=url)

    def shards(self):
        found = []
        for name in sorted(os.listdir(self.path("shards"))):
            with open(self.path("shards/" + name), encoding="utf-8") as text:
                found += [json.loads(line) for line in text]
        return found

    def start(self, sim, *args, **more):
        return subprocess.Popen([DOCTOR, "--no-probe", "--source-ip", SOURCE, *args], env=self.environment(sim), stdin=subprocess.PIPE, stdout=more.get("stdout", subprocess.PIPE),
                                stderr=subprocess.PIPE, preexec_fn=more.get("before"))

    def doctor(self, sim, *args, text="", codes=(0, 1, 3), **more):
        process = self.start(sim, *args, **more)
        out, errors = process.communicate(text.encode(), timeout=240)
        assert process.returncode in codes, (process.returncode, errors[-800:])
        return process.returncode, (out or b"").decode(), errors.decode()

    def reports(self, sim, *args, **more):
        return [json.loads(line) for line in self.doctor(sim, "-f", "ndjson", *args, **more)[1].splitlines()]


def answer(report):
    cause = report["diagnosis"] or {}
    return report["verdict"], cause.get("code"), report["title"]


def key(report):
    return "{subscription}/{resource_group}/{vm}".format(**report["target"]).lower()


def keys(machines):
    return sorted(f"{vm.subscription}/{vm.group}/{vm.name}".lower() for vm in machines)


def requests(sim):
    return [e for e in sim.log() if "oauth2" not in e["path"]]


@test
def verdicts_equal_those_of_single_runs():
    fleet = Fleet(COUNT, groups=6, share=0.06)
    with Place() as place, Sim(fleet.resources, page_size=1000, lifetime=600) as sim:
        together = {key(r): answer(r) for r in place.reports(sim, "--all")}
        asked = len(requests(sim))
        assert asked < 40, asked
        for vm in fleet.machines:
            alone = place.reports(sim, vm.id)[0]
            expect(together[key(alone)], answer(alone))
        expect([c for c in map(complaint, sim.log()) if c], [])
        print("#", COUNT, "VMs,", asked, "requests,", len(set(together.values())), "kinds of answer")
        assert len(set(together.values())) > 5, together


@test
def requests_do_not_grow_with_the_vms():
    counts = []
    for count in (20, 60):
        with Place() as place, Sim(Fleet(count, groups=6).resources, page_size=1000, lifetime=300) as sim:
            expect(len(place.reports(sim, "--all")), count + 1)
            counts.append(len(requests(sim)))
    print("#", counts)
    assert counts[1] - counts[0] <= 6, counts


@test
def pages_are_all_read():
    fleet = Fleet(30, groups=3, share=0)
    with Place() as place, Sim(fleet.resources, page_size=7, lifetime=300) as sim:
        expect(sorted(key(r) for r in place.reports(sim, "--all") if r["target"]["vm"] != "myVM"), keys(fleet.machines))


@test
def groups_subscriptions_and_tags_select():
    fleet = Fleet(30, groups=6, share=0)
    with Place() as place, Sim(fleet.resources, page_size=1000, lifetime=300) as sim:
        for args, wanted in ((("-g", "GROUP2"), lambda vm: vm.group == "group2"), (("-s", SUBSCRIPTIONS[1]), lambda vm: vm.subscription == SUBSCRIPTIONS[1]),
                             (("-s", SUBSCRIPTIONS[1], "-s", SUBSCRIPTIONS[2]), lambda vm: vm.subscription != SUBSCRIPTIONS[0]),
                             (("--tag", "role=web"), lambda vm: int(vm.name[2:]) % 5 == 0), (("--tag", "Role", "-g", "group0"), lambda vm: int(vm.name[2:]) % 30 == 0)):
            found = sorted(key(r) for r in place.reports(sim, "--all", *args))
            expect(found, keys(vm for vm in fleet.machines if wanted(vm)))


@test
def names_come_on_standard_input():
    fleet = Fleet(30, groups=6, share=0)
    with Place() as place, Sim(fleet.resources, page_size=1000, lifetime=300) as sim:
        text = "# some\n" + "\n".join(vm.name if i % 2 else f"{vm.group}/{vm.name}" for i, vm in enumerate(fleet.machines[:12])) + "\n\n nowhere \n"
        found = {r["target"]["vm"]: r for r in place.reports(sim, "-", text=text)}
        expect(sorted(found), sorted([vm.name for vm in fleet.machines[:12]] + ["nowhere"]))
        expect(found["nowhere"]["diagnosis"]["code"], "vm-not-found")
        assert not any(vm.name in e["path"] for e in requests(sim) for vm in fleet.machines), "a request of its own"


@test
def causes_are_grouped_by_what_is_to_be_changed():
    fleet = Fleet(30, groups=2, share=0)
    fleet.resources[fleet.machines[0].shared]["properties"]["securityRules"] = []
    for vm in fleet.machines[1:6:2]:
        stopped(fleet, vm)
    with Place() as place, Sim(fleet.resources, page_size=1000, lifetime=300) as sim:
        code, out, _ = place.doctor(sim, "--all")
        expect(code, 1)
        lines = out.splitlines()
        expect(len([line for line in lines if line.startswith(("FAIL", "warn"))]), 31)
        assert any(line.startswith("15 VMs: ") and "group0-nsg" in line for line in lines), out
        assert any(line.startswith("3 VMs: ") and "deallocated" in line for line in lines), out
        expect(len([line for line in lines if " VMs: " in line]), 3)


@test
def locks_on_groups_and_subscriptions_are_seen():
    fleet = Fleet(12, groups=3, share=0)
    for place_of, name in ((f"/subscriptions/{SUBSCRIPTIONS[0]}", "all"), (fleet.machines[1].place, "one"), (fleet.machines[2].place + "-other", "none")):
        lock = f"{place_of}/providers/Microsoft.Authorization/locks/{name}"
        fleet.resources[lock] = {"id": lock, "name": name, "type": "Microsoft.Authorization/locks", "properties": {"level": "ReadOnly"}}
    for vm in fleet.machines[:3]:
        no_rule(fleet, vm)
    with Place() as place, Sim(fleet.resources, page_size=1000, lifetime=300) as sim:
        together = {key(r): r["diagnosis"] for r in place.reports(sim, "--all")}
        for vm in fleet.machines[:3]:
            alone = place.reports(sim, vm.id)[0]
            expect([r["command"] for r in together[key(alone)]["remedies"]], [r["command"] for r in alone["diagnosis"]["remedies"]])
            print("#", vm.name, "lock" in json.dumps(alone))


@test
def one_name_of_several_vms_is_a_row():
    fleet = Fleet(10, groups=3, share=0)
    twin = json.loads(json.dumps(fleet.resources[fleet.machines[0].id]).replace("group0", "group1"))
    fleet.resources[twin["id"]] = twin
    with Place() as place, Sim(fleet.resources, page_size=1000, lifetime=300) as sim:
        found = {r["target"]["vm"]: r for r in place.reports(sim, "-", text="\n".join(vm.name for vm in fleet.machines))}
        expect((found["vm00000"]["verdict"], found["vm00000"]["diagnosis"]["code"]), ("unknown", "vm-name-ambiguous"))
        expect(found["vm00001"]["verdict"], "warn")


@test
def lists_stand_in_for_resource_graph():
    fleet = Fleet(COUNT, groups=3, share=0.06)
    with Place() as place, Sim(fleet.resources, page_size=1000, lifetime=300) as sim:
        by_graph = {key(r): answer(r) for r in place.reports(sim, "--all")}
    for status in (403, 400):
        with Place() as place, Sim(fleet.resources, page_size=1000, lifetime=300, requests=[{"match": GRAPH, "status": status}]) as sim:
            expect({key(r): answer(r) for r in place.reports(sim, "--all")}, by_graph)
            assert len(requests(sim)) < 60, len(requests(sim))
            expect([c for c in map(complaint, sim.log()) if c], [])


@test
def shards_are_the_whole():
    fleet = Fleet(30, groups=6)
    with Place() as place, Sim(fleet.resources, page_size=1000, lifetime=300) as sim:
        whole = sorted(key(r) for r in place.reports(sim, "--all"))
        parts = [[key(r) for r in place.reports(sim, "--all", "--shard", f"{k}/3")] for k in (1, 2, 3)]
        expect(sorted(sum(parts, [])), whole)
        assert all(parts), parts
        expect(sorted(key(r) for r in place.reports(sim, "--all", "--shard", "2/3")), sorted(parts[1]))


def by_script(place, sim, argv, **env):
    environment = dict(place.environment(sim), AZSSH_DOCTOR=DOCTOR, OUT=place.path("shards"), **env)
    subprocess.run(argv, env=environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=120)


@test
def engines_put_the_shards_into_files():
    fleet = Fleet(20, groups=3)
    slurm, parallel = (os.path.join(SRC, "deploy", name) for name in ("slurm-array.sh", "parallel.sh"))
    with Place() as place, Sim(fleet.resources, page_size=1000, lifetime=300) as sim:
        whole = sorted(key(r) for r in place.reports(sim, "--all"))
        for task in ("1", "2"):
            by_script(place, sim, [slurm, "--source-ip", SOURCE], SLURM_ARRAY_TASK_ID=task, SLURM_ARRAY_TASK_COUNT="2")
        expect(sorted(key(r) for r in place.shards()), whole)
        if shutil.which("parallel"):
            shutil.rmtree(place.path("shards"))
            by_script(place, sim, [parallel, "3", "--source-ip", SOURCE])
            expect(sorted(key(r) for r in place.shards()), whole)


@test
def a_run_is_gone_on_with():
    fleet = Fleet(20, groups=3)
    with Place() as place, Sim(fleet.resources, page_size=1000, lifetime=300) as sim:
        lines = place.doctor(sim, "--all", "-f", "ndjson")[1].splitlines(True)
        with open(place.path("out"), "w", encoding="utf-8") as out:
            out.write("".join(lines[:8]) + lines[8][:100])
        expect(place.doctor(sim, "--all", "-f", "ndjson", "--resume", place.path("out"))[1], "")
        with open(place.path("out"), encoding="utf-8") as text:
            again = text.read().splitlines()
        expect(sorted(key(json.loads(line)) for line in again), sorted(key(json.loads(line)) for line in lines))
        expect(again[:8], [line.rstrip("\n") for line in lines[:8]])


@test
def nothing_found_and_nothing_known_are_said():
    with Place() as place, Sim() as sim:
        for args, words in ((("-g", "nowhere"), "no VM was found"), (("--tag", "a=b"), "no VM was found"), (("-s", "nowhere"), "does not see every subscription")):
            code, out, errors = place.doctor(sim, "--all", *args)
            expect((code, out), (3, ""))
            assert words in errors and len(errors.splitlines()) <= 2, errors
    with Place() as place, Sim(token={"error": {"error": "invalid_client", "error_codes": [7000215]}}) as sim:
        code, out, errors = place.doctor(sim, "--all")
        expect((code, out), (3, ""))
        assert "which VMs there are is not known" in errors, errors


@test
def a_full_disk_leaves_whole_lines():
    fleet = Fleet(20, groups=3)
    with Place() as place, Sim(fleet.resources, page_size=1000, lifetime=300) as sim:
        line = len(place.doctor(sim, "--all", "-f", "ndjson")[1].splitlines()[0])

        def limit():
            import resource
            resource.setrlimit(resource.RLIMIT_FSIZE, (line * 5, line * 5))
        with open(place.path("out"), "wb") as out:
            code, _, errors = place.doctor(sim, "--all", "-f", "ndjson", stdout=out, before=limit, codes=(4,))
        assert code == 4 and "cannot be written" in errors, errors
        with open(place.path("out"), encoding="utf-8") as text:
            written = text.read()
        assert written.endswith("\n") and [json.loads(each) for each in written.splitlines()], written[-200:]


@test
def an_interrupted_run_has_written_whole_lines():
    fleet = Fleet(60, groups=3)
    with Place() as place, Sim(fleet.resources, page_size=1000, lifetime=300, requests=[{"match": "GET .*bastionHosts", "delay": 3000}]) as sim:
        process = place.start(sim, "--all", "-f", "ndjson")
        time.sleep(1.5)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=30)
        assert process.returncode != 0, process.returncode
        assert out == b"" or out.endswith(b"\n"), out[-100:]
        for each in out.splitlines():
            json.loads(each)


@test
def too_many_requests_are_waited_for():
    fleet = Fleet(20, groups=3)
    with Place() as place, Sim(fleet.resources, page_size=1000, lifetime=300,
                               requests=[{"match": GRAPH, "status": 429, "headers": {"Retry-After": "1"}, "times": 6}]) as sim:
        expect(len(place.reports(sim, "--all")), 21)
    with Place() as place, Sim(fleet.resources, page_size=1000, lifetime=300, requests=[{"match": GRAPH, "status": 429, "headers": {"Retry-After": "600"}}]) as sim:
        expect(len(place.reports(sim, "--all", "--deadline", "30s")), 21)


@test
def what_the_deadline_came_before_is_counted():
    fleet = Fleet(400, groups=3, share=0)
    for vm in fleet.machines:
        no_address(fleet, vm)
    with Place() as place, Sim(fleet.resources, page_size=1000, lifetime=300, requests=[{"match": "GET .*azureFirewalls", "delay": 60000}]) as sim:
        for deadline in ("15s", "5s", "2s", "1s"):    # a machine can be fast enough for all of them
            code, out, errors = place.doctor(sim, "--all", "-f", "ndjson", "--deadline", deadline)
            said = re.search(r"the deadline came before ([0-9]+) of the 401 VMs", errors)
            if said:
                break
        assert code != 0 and said, (code, errors)
        expect(len(out.splitlines()) + int(said[1]), 401)


@test
def pages_that_repeat_come_to_an_end():
    fleet = Fleet(20, groups=3)
    page = {"data": [], "count": 0, "totalRecords": 5, "resultTruncated": "true", "$skipToken": "again"}
    with Place() as place, Sim(fleet.resources, page_size=1000, lifetime=300, requests=[{"match": GRAPH, "status": 200, "body": page}]) as sim:
        expect(len(place.reports(sim, "--all")), 21)
        assert len(requests(sim)) < 60, len(requests(sim))


if __name__ == "__main__":
    raise SystemExit(run())
