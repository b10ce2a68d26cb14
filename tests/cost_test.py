#!/usr/bin/python3
"""What a run costs in instructions. The budgets of DESIGN.md's section 5 are for all code; the program's own code must not cost more than 5 % above
what tests/costs.json says for the compiler and its flags. UPDATE_COSTS=1 writes that file anew."""
import json
import os
import re
import shutil
import subprocess
import tempfile

from azurelib import SIGN_IN
from costlib import count
from simlib import BUILD, run, Sim, SRC, test
from tlslib import Authority, Front

DOCTOR = os.path.join(BUILD, "azssh-doctor")
KNOWN = os.path.join(SRC, "tests", "costs.json")
SYSTEM = "/etc/ssl/certs/ca-certificates.crt"
MILLION = 1000000
ROOM = 1.05


def compiler():
    """The compiler's version and the flags that decide what code it makes."""
    with open(os.path.join(BUILD, "Makefile"), encoding="utf-8") as text:
        said = dict(re.findall(r"^(CC|CFLAGS) = (.*)$", text.read(), re.M))
    first = subprocess.run(said["CC"].split() + ["-dumpfullversion"], capture_output=True, text=True, check=False).stdout.strip()
    return f"{said['CC'].split()[-1]} {first} {said['CFLAGS']} {os.uname().machine}"


def costs():
    with open(KNOWN, encoding="utf-8") as text:
        return json.load(text)


def hold(what, argv, env, budget):
    total, own = min(count(argv, env) for _ in range(2))
    print(f"# {what}: {total / MILLION:.1f} million instructions of {budget} allowed, {own} of them in its own code")
    assert total <= budget * MILLION, total
    known, key = costs(), compiler()
    if os.environ.get("UPDATE_COSTS"):
        known.setdefault(key, {})[what] = own
        with open(KNOWN, "w", encoding="utf-8") as out:
            out.write(json.dumps(known, indent=1, sort_keys=True) + "\n")
    elif what in known.get(key, {}):
        assert own <= known[key][what] * ROOM, f"{own} are more than 5 % above {known[key][what]}; UPDATE_COSTS=1 where that is meant"
    else:
        print(f"# nothing is known of {key}")


class Place:
    """A home, a key and the environment of a sign-in."""

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="azssh-cost-")
        os.mkdir(self.folder + "/az")
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.folder + "/key"], check=True)
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder)

    def env(self, url, **more):
        return dict(SIGN_IN, PATH="/usr/bin:/bin", HOME=self.folder, LANG="C.UTF-8", AZURE_CONFIG_DIR=self.folder + "/az", AZURE_AUTHORITY_HOST=url,
                    AZURE_POD_IDENTITY_AUTHORITY_HOST=url, AZSSH_ARM_ENDPOINT=url, **more)

    def argv(self, *more):
        return [DOCTOR, "--no-probe", "--source-ip", "203.0.113.7", "-i", self.folder + "/key", *more]


@test
def version():
    hold("--version", [DOCTOR, "--version"], {"PATH": "/usr/bin:/bin"}, 8)


@test
def replay():
    with Place() as place, Sim() as sim:
        bundle, env = place.folder + "/bundle", place.env(sim.url.rstrip("/"))
        subprocess.run(place.argv("--bundle", bundle, "--no-redact", "rg/myVM"), env=env, stdout=subprocess.DEVNULL, check=True, timeout=60)
        hold("replay", [DOCTOR, "--replay", bundle], env, 40)


@test
def one_healthy_vm_by_http_2_with_all_authorities():
    if shutil.which("nghttpx") is None:
        print("# no nghttpx")
        return
    with Place() as place, Authority() as ca, Sim(latency_ms=30) as sim, Front(sim, *ca.issue()) as front:
        bundle = place.folder + "/bundle.pem"
        with open(bundle, "w", encoding="utf-8") as out:
            if os.path.exists(SYSTEM):
                with open(SYSTEM, encoding="utf-8") as text:
                    out.write(text.read())
            out.write(ca.text())
        hold("one VM", place.argv("myVM"), place.env(front.url, SSL_CERT_FILE=bundle), 90)


if shutil.which("valgrind") is None:
    print("1..0 # SKIP no valgrind")
    raise SystemExit(0)

if __name__ == "__main__":
    raise SystemExit(run())
