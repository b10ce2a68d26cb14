#!/usr/bin/python3
"""The answer on a terminal fits a screen whatever the fault, and off a terminal nothing is cut: bundles are recorded from the simulator,
made worse by long and hostile words, and replayed in pseudo terminals of several sizes."""
import copy
import fcntl
import json
import os
import pty
import re
import select
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unicodedata

from simlib import BASE, BUILD, CLIENT, NIC, NSG, TENANT, VM, Sim, seal

PROGRAM = os.path.abspath(os.path.join(BUILD, "azssh-doctor"))
SGR = re.compile(r"\x1b\[[0-9;]*m")
ROWS = 24
RESULTS = []


def width(text):
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


class Player:
    def __init__(self, folder):
        self.folder = folder
        self.env = {"HOME": folder, "AZURE_CONFIG_DIR": folder, "AZURE_POD_IDENTITY_AUTHORITY_HOST": "http://127.0.0.1:1", "PATH": "/usr/bin:/bin",
                    "LANG": "C.UTF-8", "TERM": "xterm"}

    def record(self, name, *args, resources=None, **world):
        path = os.path.join(self.folder, name)
        with Sim(resources, **world) as sim:
            env = dict(self.env, AZSSH_ARM_ENDPOINT=sim.url.rstrip("/"), AZURE_AUTHORITY_HOST=sim.url, AZURE_TENANT_ID=TENANT, AZURE_CLIENT_ID=CLIENT,
                       AZURE_CLIENT_SECRET="sim-secret")
            subprocess.run([PROGRAM, "--no-redact", "--bundle", path] + list(args), env=env, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
        with open(path, encoding="utf-8") as file:
            return json.load(file)

    def write(self, bundle):
        path = os.path.join(self.folder, "played.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(bundle, file)
        return path

    def log(self, bundle, *args, **env):
        done = subprocess.run([PROGRAM, "--replay", self.write(bundle)] + list(args), env=dict(self.env, **env), stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=30, check=False)
        return done.stdout.decode()

    def screen(self, bundle, columns, *args, **env):
        """What a terminal of that many columns receives, line by line."""
        argv = [PROGRAM, "--replay", self.write(bundle)] + list(args)
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, columns, 0, 0))
        process = subprocess.Popen(argv, env=dict(self.env, **env), stdin=theirs, stdout=theirs, stderr=theirs)
        os.close(theirs)
        end, text = time.monotonic() + 30, b""
        while time.monotonic() < end and select.select([ours], [], [], 30)[0]:
            try:
                data = os.read(ours, 65536)
            except OSError:
                break
            text += data
        os.close(ours)
        process.wait(10)
        return text.decode().replace("\r\n", "\n").split("\n")[:-1]


def long_words(value, grown):
    """The document with its names of things grown to that many characters."""
    if isinstance(value, dict):
        return {k: long_words(v, grown) if k not in ("state", "status", "code") else v for k, v in value.items()}
    if isinstance(value, list):
        return [long_words(v, grown) for v in value]
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z][\w .'-]{3,}", value) and value not in ("Allow", "Deny", "Inbound", "Outbound", "known", "unknown"):
        return value + grown
    return value


def bundles(player):
    """A name and a bundle for each of several verdicts."""
    vm = copy.deepcopy(BASE["resources"][VM])
    vm["properties"].setdefault("instanceView", {})["statuses"] = [{"code": "PowerState/deallocated"}, {"code": "ProvisioningState/succeeded"}]
    closed = copy.deepcopy(BASE["resources"][NSG])
    closed["properties"]["securityRules"] = []
    private = copy.deepcopy(BASE["resources"][NIC])
    private["properties"]["ipConfigurations"][0]["properties"].pop("publicIPAddress")
    source = ("--no-probe", "--source-ip", "203.0.113.7")
    yield "healthy as far as Azure goes", player.record("a", "rg/myVM", *source)
    yield "a group that allows nobody", player.record("b", "rg/myVM", *source, resources={NSG: closed})
    yield "a deallocated VM", player.record("c", "rg/myVM", *source, resources={VM: vm})
    yield "a VM that is not there", player.record("d", "rg/myVN", *source)
    yield "no public address", player.record("e", "rg/myVM", *source, resources={NIC: private})
    yield "a sign-in that fails", player.record("f", "rg/myVM", *source, clients={CLIENT: {"secret": "another"}})
    yield "nobody to connect to", player.record("g", "--no-azure", "--host", "127.0.0.1", "-p", "1", "-l", "root")


def test(name, complaints):
    RESULTS.append((name, complaints))
    print("%sok %d - %s" % ("not " if complaints else "", len(RESULTS), name), flush=True)
    for complaint in complaints[:5]:
        print("# " + complaint)


def too_big(lines, columns, color=False):
    plain = [SGR.sub("", line) if color else line for line in lines]
    out = ["%d lines at %d columns" % (len(lines), columns)] if len(lines) > ROWS or not lines else []
    out += ["%d columns, not %d: %r" % (width(line), columns, line) for line in plain if width(line) > columns]
    return out + ["a control character: %r" % line for line in plain if re.search(r"[\x00-\x1f\x7f-\x9f]", line)]


def lacking(text, bundle, player):
    """Sentences and commands of the JSON report that the log does not hold whole."""
    report = json.loads(player.log(bundle, "--json"))
    diagnosis = report["diagnosis"] or {}
    wanted = [report["title"], diagnosis.get("why")] + [r["command"] for r in (diagnosis.get("remedies") or [])[:1]]
    wanted += [f["summary"] for f in report["findings"] if f["status"] == "fail"]
    return ["cut off in the log: %r" % want for want in wanted if want and want not in text]


def play(player):
    for name, bundle in bundles(player):
        hostile = long_words(bundle, "\u001b[2J ##vso[task.x]y\u202e"), long_words(bundle, "\u4e2d" * 90), long_words(bundle, "x" * 600)
        faults = []
        for played in (bundle,) + hostile:
            faults += too_big(player.screen(played, 80, NO_COLOR="1"), 80)
            faults += too_big(player.screen(played, 80, NO_COLOR="1", LANG="C", LC_ALL="C"), 80)
            faults += too_big(player.screen(played, 80), 80, color=True)
            faults += too_big(player.screen(played, 180, NO_COLOR="1"), 180)
        test("one screen: " + name, faults)
        narrow = [line for line in player.screen(bundle, 46, NO_COLOR="1") if width(line) > 46]
        test("46 columns: " + name, narrow)
        test("nothing is cut in a log: " + name, lacking(player.log(bundle), bundle, player))


def colors(player):
    bundle = player.record("colors", "rg/myVM", "--no-probe")
    test("no colour in a log", ["an escape"] if "\x1b" in player.log(bundle) else [])
    test("FORCE_COLOR colours a log", [] if "\x1b[" in player.log(bundle, FORCE_COLOR="1") else ["no escape"])
    test("FORCE_COLOR=0 does not", ["an escape"] if "\x1b" in player.log(bundle, FORCE_COLOR="0") else [])
    test("NO_COLOR is stronger", ["an escape"] if "\x1b" in player.log(bundle, FORCE_COLOR="1", NO_COLOR="1") else [])
    test("--color is the strongest", [] if "\x1b[" in player.log(bundle, "--color", "always", NO_COLOR="1") else ["no escape"])
    ascii_only = "".join(player.screen(bundle, 80, LC_ALL="C"))
    test("the C locale gets words for signs", [] if ascii_only.isascii() else ["%r" % ascii_only[:80]])


def main():
    seal()
    if not os.path.exists(os.path.join(BUILD, "tests", "azssh-sim")):
        print("1..0 # SKIP no simulator was built")
        return 0
    with tempfile.TemporaryDirectory(prefix="azssh-screen-") as folder:
        player = Player(folder)
        play(player)
        colors(player)
    print("1..%d" % len(RESULTS))
    return any(complaints for _, complaints in RESULTS)


if __name__ == "__main__":
    sys.exit(main())
