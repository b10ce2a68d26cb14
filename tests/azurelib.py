"""Runs azure_probe (sign in, find, read; facts on stdout) against simulators, sealed: a home, an az folder and a PATH of its own."""
import base64
import json
import os
import subprocess
import tempfile
import time

from simlib import BUILD, CLIENT, TENANT

PROBE = os.path.join(BUILD, "tests", "azure_probe")
WRAP = os.environ.get("PROBE_WRAP", "").split()
SIGN_IN = {"AZURE_TENANT_ID": TENANT, "AZURE_CLIENT_ID": CLIENT, "AZURE_CLIENT_SECRET": "sim-secret"}


class Facts:
    def __init__(self, status, output, errors, seconds, calls):
        self.status, self.output, self.errors, self.seconds, self.calls = status, output, errors, seconds, calls
        self.doc = json.loads(output) if output else {}

    @property
    def azure(self):
        return self.doc["azure"]

    @property
    def signin(self):
        return self.azure["signin"]

    @property
    def vm(self):
        return self.doc["targets"][0]["vm"]

    def target(self, section, index=0):
        return self.doc["targets"][index].get(section)

    def resource(self, path):
        return self.azure["resources"].get(path.lower())

    def missing(self, path):
        return self.azure["missing"].get(path.lower())


def jwt(**claims):
    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")
    return part({"alg": "none", "typ": "JWT"}) + "." + part(claims) + ".c2ln"


def probe(sim, *args, env=None, az=None, files=None, signed=True, wait=40):
    """az: body of a shell script that stands in for az (None: not installed). files: name to text, in az's folder."""
    with tempfile.TemporaryDirectory(prefix="azssh-probe-") as home:
        folder, bin_folder = os.path.join(home, "az"), os.path.join(home, "bin")
        os.mkdir(folder)
        os.mkdir(bin_folder)
        for name, text in (files or {}).items():
            with open(os.path.join(folder, name), "wb") as out:
                out.write(text if isinstance(text, bytes) else text.encode())
        if az is not None:
            with open(os.path.join(bin_folder, "az"), "w", encoding="utf-8") as out:
                out.write('#!/bin/sh\necho "$*" >> "%s/calls"\n%s\n' % (home, az))
            os.chmod(out.name, 0o755)
        base = {"HOME": home, "AZURE_CONFIG_DIR": folder, "PATH": bin_folder + (":/usr/bin:/bin" if az is not None else ""),
                "AZURE_POD_IDENTITY_AUTHORITY_HOST": sim.url.rstrip("/"), "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", ""),
                "LANG": "C.UTF-8"}
        if signed:
            base.update(SIGN_IN)
        if sim.url.startswith("https"):
            base["SSL_CERT_FILE"] = os.path.join(sim.folder, "tls", "ca.pem")
        for name, value in (env or {}).items():
            if value is None:
                base.pop(name, None)
            else:
                base[name] = value
        if "--arm" not in args and "AZSSH_ARM_ENDPOINT" not in base:
            args = ("--arm", sim.url.rstrip("/")) + args
        began = time.monotonic()
        done = subprocess.run(WRAP + [PROBE] + list(args), env=base, stdin=subprocess.DEVNULL, capture_output=True, timeout=wait, check=False)
        seconds = time.monotonic() - began
        calls = []
        if os.path.exists(os.path.join(home, "calls")):
            with open(os.path.join(home, "calls"), encoding="utf-8") as text:
                calls = text.read().splitlines()
    errors = done.stderr.decode(errors="replace")
    assert done.returncode in (0, 1, 2), (done.returncode, errors[-3000:])
    assert "Sanitizer" not in errors and "runtime error" not in errors, errors[-3000:]
    return Facts(done.returncode, done.stdout.decode(), errors, seconds, calls)


def rounds(log):
    """The number of dependent rounds: the longest chain of requests each of which began after the one before was answered."""
    depth = []
    for entry in log:
        before = [d for d, done in depth if done <= entry["at"]]
        depth.append((1 + max(before, default=0), entry["done"]))
    return max((d for d, _ in depth), default=0)


def arm_log(sim):
    """Requests of ARM proper, in the order in which they began."""
    return sorted((e for e in sim.log() if "oauth2" not in e["path"] and "/metadata/" not in e["path"]), key=lambda e: e["at"])
