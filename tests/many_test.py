#!/usr/bin/python3
"""Many VMs in one run: every one of them is judged, in the order of the arguments."""
import json
import os
import subprocess
import tempfile

from azurelib import SIGN_IN
from simlib import BASE, BUILD, NET, NIC, RG, run, Sim, SUB, test, VM

DOCTOR = os.environ.get("DOCTOR") or os.path.join(BUILD, "azssh-doctor")
COUNT = int(os.environ.get("MANY", "40"))


def copy_of(path, new, **patch):
    body = json.loads(json.dumps(BASE["resources"][path]).replace(path, new))
    body.update(id=new, name=new.rsplit("/", 1)[1], **patch)
    return body


def fleet():
    resources = {}
    for i in range(COUNT):
        vm, nic = f"{RG}/providers/Microsoft.Compute/virtualMachines/vm{i}", f"{NET}/networkInterfaces/nic{i}"
        resources[vm] = json.loads(json.dumps(copy_of(VM, vm)).replace(NIC, nic))
        resources[nic] = json.loads(json.dumps(copy_of(NIC, nic)).replace(VM, vm))
    return resources


def doctor(sim, *args):
    with tempfile.TemporaryDirectory(prefix="azssh-many-") as home:
        env = dict(SIGN_IN, HOME=home, AZURE_CONFIG_DIR=home, PATH="/usr/bin:/bin", LANG="C.UTF-8", AZSSH_ARM_ENDPOINT=sim.url.rstrip("/"),
                   AZURE_POD_IDENTITY_AUTHORITY_HOST=sim.url.rstrip("/"))
        return subprocess.run([DOCTOR, *args], env=env, stdin=subprocess.DEVNULL, capture_output=True, timeout=300, check=False)


def order(done):
    assert done.returncode in (0, 1, 3), (done.returncode, done.stderr[-500:])
    return [json.loads(line) for line in done.stdout.splitlines()]


@test
def three_hundred_names_are_all_judged():
    with Sim() as sim:
        names = [f"vm{i}" for i in range(300)]
        reports = order(doctor(sim, "--no-azure", "--no-probe", "-f", "ndjson", *names))
        assert [r["target"]["vm"] for r in reports] == names


@test
def vms_of_one_group_are_all_read():
    with Sim(fleet(), page_size=1000, lifetime=300) as sim:
        names = [f"vm{i}" for i in range(COUNT)]
        reports = order(doctor(sim, "--no-probe", "-s", SUB, "-g", "rg", "--deadline", "240s", "-f", "ndjson", *names))
        assert [r["target"]["vm"] for r in reports] == names
        for report in reports:
            states = {f["check"]: f["status"] for f in report["findings"]}
            assert states["vm-found"] == "pass" and states["vm-state"] == "pass", report["target"]


run()
