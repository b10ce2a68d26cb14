#!/usr/bin/python3
"""Curl's torture test: the n-th allocation of a run fails. The run ends as it does without, or with exit code 4 and the sentence,
or with `unknown` for that reason: never another verdict, a crash, a hang, or a report that is cut off.

usage: torture_test.py [--all] [--jobs N] [--only WORD] [--at N]   without --all: a sample, the same every time"""
import argparse
import concurrent.futures
import json
import os
import random
import re
import subprocess
import tempfile

from keylib import Dsa, Ec, Ed25519, Rsa
from simlib import BUILD, CLIENT, SRC, TENANT, VM, Sim, seal

PROGRAM = os.path.abspath(os.path.join(BUILD, "azssh-doctor"))
PRELOAD = os.path.abspath(os.path.join(BUILD, "tests", "torture.so"))
SENTENCE = b"azssh-doctor: out of memory\n"
RULES = """version: 1
checks:
  key-format:
    params: {rsa_min_bits: 3072}
custom:
- {id: owner-tag, type: fact, title: A tag names the owner, pointer: /vm/tags/owner, matches: '^[a-z]{1,3}', severity: warn, code: owner-tag-missing,
   codes: {owner-tag-missing: {title: The VM has no owner, why: "Its tag says {value}"}}}
"""


def keys():
    rng = random.Random(1)
    rsa, ec, ed25519, dsa = Rsa(rng, 2048), Ec(rng), Ed25519(rng), Dsa(rng)
    return {"key, RSA PKCS#1": rsa.traditional(), "key, RSA PKCS#8": rsa.pkcs8(), "key, EC": ec.traditional(), "key, EC PKCS#8": ec.pkcs8(),
            "key, Ed25519": ed25519.openssh("a comment"), "key, Ed25519 PKCS#8": ed25519.pkcs8(), "key, encrypted": ed25519.openssh("", "aes256-ctr"),
            "key, encrypted PKCS#8": ec.pkcs8_encrypted(), "key, JWK": rsa.jwk(), "key, PPK": ed25519.ppk(), "key, DSA": dsa.traditional(),
            "key, public half": rsa.rfc4716("a comment")}


class Torture:
    def __init__(self, folder, sim):
        self.folder = folder
        self.env = {"HOME": folder, "AZURE_CONFIG_DIR": folder, "AZURE_POD_IDENTITY_AUTHORITY_HOST": "http://127.0.0.1:1", "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8",
                    "AZSSH_ARM_ENDPOINT": sim.url.rstrip("/"), "AZURE_AUTHORITY_HOST": sim.url, "AZURE_TENANT_ID": TENANT, "AZURE_CLIENT_ID": CLIENT, "AZURE_CLIENT_SECRET": "sim-secret"}

    def run(self, args, **more):
        done = subprocess.run([PROGRAM] + args, env=dict(self.env, LD_PRELOAD=PRELOAD, **more), stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False, cwd=self.folder)
        text = re.sub(rb'"(duration_ms|ms|started)": *("[^"]*"|\d+)', rb'"\1": 0', done.stdout)
        return done.returncode, text, done.stderr

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as out:
            out.write(text if isinstance(text, bytes) else text.encode())
        os.chmod(path, 0o600)
        return path

    def count(self, args):
        path = os.path.join(self.folder, "count")
        self.run(args, TORTURE_COUNT=path)
        with open(path, encoding="ascii") as file:
            return int(file.read())


def runs(torture):
    found = {}
    for number, (name, text) in enumerate(keys().items()):
        found[name] = ["--no-azure", "--no-probe", "-i", torture.write("key%d" % number, text), "-f", "json"]
    with open(os.path.join(SRC, "tests", "facts", "local-base.json"), encoding="utf-8") as file:
        local = {"schema": "azssh-doctor/bundle/1", "facts": json.load(file), "redactions": []}
    found["replay, local"] = ["--replay", torture.write("local.bundle", json.dumps(local)), "-f", "json"]
    bundle = os.path.join(torture.folder, "azure.bundle")
    subprocess.run([PROGRAM, "--no-probe", "--no-redact", "--bundle", bundle, VM], env=torture.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=60, check=False)
    found["replay, Azure, text"] = ["--replay", bundle]
    found["rules, lint"] = ["--lint-rules", torture.write("rules.yaml", RULES)]
    found["rules, layered replay"] = ["--replay", bundle, "-r", os.path.join(torture.folder, "rules.yaml"), "-f", "json"]
    found["live, simulator"] = ["--no-probe", VM, "-f", "json"]
    found["explain"] = ["--explain", "nsg-no-allow-rule"]
    found["list of checks"] = ["--list-checks"]
    return found


def wrong(right, got):
    """What is not allowed about a run, NULL when all is well."""
    status, out, errors = got
    if status == right[0] and out == right[1] and errors == right[2]:
        return None
    if status == 4 and errors.endswith(SENTENCE):
        return None
    if status == 3 and b"memory" in out:
        return None
    return "exit %d (without: %d), report %s, %r" % (status, right[0], "the same" if out == right[1] else "another", errors[-200:])


def torment(torture, args, options):
    right, total = torture.run(args), torture.count(args)
    numbers = range(1, total + 1) if options.all else sorted(random.Random(7).sample(range(1, total + 1), min(total, 60)))
    if options.at:
        numbers = [options.at]
    faults, died = [], 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for more in ({}, {"TORTURE_ON": "1"}):
            def once(number):
                return number, torture.run(args, TORTURE_AT=str(number), **more)
            for number, got in pool.map(once, numbers):
                died += got[0] == 4
                if wrong(right, got):
                    faults.append("allocation %d%s: %s" % (number, " and after" if more else "", wrong(right, got)))
    print("# %d allocations, %d tried, exit 4 in %d runs of %d" % (total, len(numbers), died, 2 * len(numbers)))
    return faults


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", default="")
    parser.add_argument("--at", type=int)
    options = parser.parse_args()
    seal()
    if not os.path.exists(PRELOAD):
        print("1..0 # SKIP no library to preload was built")
        return
    with tempfile.TemporaryDirectory(prefix="azssh-torture-") as folder, Sim(lifetime=86400) as sim:
        torture = Torture(folder, sim)
        chosen = {name: args for name, args in runs(torture).items() if options.only in name}
        print("1..%d" % len(chosen))
        for number, (name, args) in enumerate(chosen.items(), 1):
            faults = torment(torture, args, options)
            print("%sok %d %s" % ("not " if faults else "", number, name.replace("#", "")), flush=True)
            for fault in faults[:20]:
                print("# " + fault)


if __name__ == "__main__":
    main()
