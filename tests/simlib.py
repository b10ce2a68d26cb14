#!/usr/bin/python3
"""Drives the Azure simulator over real HTTP; standard library only. Simulator(...) is one running simulator, run() prints TAP."""
import base64
import copy
import http.client
import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.parse

SRC = os.environ.get("srcdir") or os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.environ.get("builddir") or os.getcwd()
PROGRAM = os.environ.get("AZSSH_SIM") or os.path.join(BUILD, "tests", "azssh-sim")
WRAP = os.environ.get("SIM_WRAP", "").split()
SUB, TENANT = "22222222-2222-2222-2222-222222222222", "11111111-1111-1111-1111-111111111111"
CLIENT = "00000000-0000-0000-0000-0000000000c1"
S = "/subscriptions/" + SUB
RG = S + "/resourceGroups/rg"
NET = RG + "/providers/Microsoft.Network"
VM = RG + "/providers/Microsoft.Compute/virtualMachines/myVM"
NIC, PIP, NSG = NET + "/networkInterfaces/myVM-nic", NET + "/publicIPAddresses/myVM-ip", NET + "/networkSecurityGroups/myVM-nsg"
VNET = NET + "/virtualNetworks/myVnet"
JIT = RG + "/providers/Microsoft.Security/locations/westeurope/jitNetworkAccessPolicies/default"
V = "api-version=2024-07-01"
with open(os.path.join(SRC, "tests", "worlds", "base.json"), encoding="utf-8") as file:
    BASE = json.load(file)


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        return self.json["error"]["code"]


class Sim:
    """One running simulator; resources and keys are laid over the base world."""

    def __init__(self, resources=None, tls=False, lifetime=60, **keys):
        self.folder = tempfile.mkdtemp(prefix="azssh-sim-")
        world = copy.deepcopy(BASE)
        world["resources"].update(resources or {})
        world.update(keys)
        self.world, self.log_path = os.path.join(self.folder, "world.json"), os.path.join(self.folder, "log")
        with open(self.world, "w", encoding="utf-8") as out:
            json.dump(world, out)
        ready = os.path.join(self.folder, "ready")
        args = WRAP + [PROGRAM, "--world", self.world, "--log", self.log_path, "--ready", ready, "--lifetime", str(lifetime)]
        if tls:
            args += ["--tls", os.path.join(self.folder, "tls")]
        self.process = subprocess.Popen(args, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        for _ in range(12000):
            if os.path.exists(ready) or self.process.poll() is not None:
                break
            time.sleep(0.01)
        with open(ready, encoding="utf-8") as text:
            self.url = text.read().strip()
        self.host = urllib.parse.urlsplit(self.url).netloc
        self.token = None

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.process.send_signal(signal.SIGTERM)
        try:
            _, errors = self.process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError("the simulator did not stop")
        shutil.rmtree(self.folder)
        if kind is None:
            assert self.process.returncode == 0, (self.process.returncode, errors.decode()[-2000:])

    def connect(self, timeout=15):
        if self.url.startswith("https"):
            context = ssl.create_default_context(cafile=os.path.join(self.folder, "tls", "ca.pem"))
            return http.client.HTTPSConnection(self.host, timeout=timeout, context=context)
        return http.client.HTTPConnection(self.host, timeout=timeout)

    def raw(self, method, path, body=None, headers=None, timeout=15):
        connection = self.connect(timeout)
        try:
            connection.request(method, path, body, headers or {})
            reply = connection.getresponse()
            return Reply(reply.status, {k.lower(): v for k, v in reply.getheaders()}, reply.read())
        finally:
            connection.close()

    def sign_in(self, path="/" + TENANT + "/oauth2/v2.0/token", **fields):
        form = {"grant_type": "client_credentials", "client_id": CLIENT, "client_secret": "sim-secret",
                "scope": "https://management.azure.com/.default"}
        form.update(fields)
        form = {k: v for k, v in form.items() if v is not None}
        return self.raw("POST", path, urllib.parse.urlencode(form), {"Content-Type": "application/x-www-form-urlencoded"})

    def arm(self, method, path, body=None, headers=None, timeout=15):
        if self.token is None:
            self.token = self.sign_in().json["access_token"]
        all_headers = {"Authorization": "Bearer " + self.token}
        all_headers.update(headers or {})
        if "api-version" not in path:
            path += ("&" if "?" in path else "?") + V
        return self.raw(method, path.replace(" ", "%20"), None if body is None else json.dumps(body), all_headers, timeout)

    def get(self, path, **more):
        return self.arm("GET", path, **more)

    def poll(self, reply, header="location"):
        for _ in range(200):
            target = urllib.parse.urlsplit(reply.headers[header])
            again = self.arm("GET", target.path + "?" + target.query)
            if again.status != 202 and not (header != "location" and again.json["status"] == "InProgress"):
                return again
            time.sleep(0.02)
        raise AssertionError("never done")

    def graph(self, query, **more):
        return self.arm("POST", "/providers/Microsoft.ResourceGraph/resources?api-version=2022-10-01", dict({"query": query}, **more))

    def log(self):
        with open(self.log_path, encoding="utf-8") as text:
            return [json.loads(line) for line in text]


def claims(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def expect(value, wanted):
    assert value == wanted, f"{value!r} is not {wanted!r}"


def seal():
    """As root: start again in a network namespace that has nothing but loopback. Elsewhere nothing happens."""
    if os.geteuid() != 0 or os.environ.get("SIM_SEALED"):
        return
    try:
        if subprocess.run(["unshare", "-n", "ip", "link", "set", "lo", "up"], capture_output=True, timeout=10, check=False).returncode != 0:
            return
    except OSError:
        return
    os.environ["SIM_SEALED"] = "1"
    os.execvp("unshare", ["unshare", "-n", "/bin/sh", "-c", 'ip link set lo up && exec "$@"', "sh", sys.executable] + sys.argv)


TESTS = []


def test(function):
    TESTS.append(function)
    return function


def run():
    """Runs what @test marked (names that match argv[1]); TAP on stdout."""
    seal()
    chosen = [t for t in TESTS if len(sys.argv) < 2 or re.search(sys.argv[1], t.__name__)]
    if not os.path.exists(PROGRAM):
        print("1..0 # SKIP the simulator was not built (libmicrohttpd)")
        return 0
    print(f"1..{len(chosen)}")
    for number, function in enumerate(chosen, 1):
        try:
            function()
            print(f"ok {number} {function.__name__}", flush=True)
        except Exception:
            print(f"not ok {number} {function.__name__}")
            for line in traceback.format_exc().splitlines():
                print("# " + line)
            sys.stdout.flush()
    return 0

