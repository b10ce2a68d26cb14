"""What the tests of the conversation (ssh/wire*.c) share: facts to start from, the probe, servers, and the runner. TAP; sealed in a network
namespace of its own when root."""
import getpass
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import wire_servers as srv  # noqa: E402

PROBE = os.environ.get("WIRE_PROBE") or os.path.join(os.environ.get("builddir", "."), "tests", "wire_probe")
USER = getpass.getuser()
TESTS = []
KEYS = {}


def seal():
    """Into a network namespace without a way out, where that may be made."""
    if os.getuid() == 0 and "WIRE_SEALED" not in os.environ and srv.which("unshare"):
        os.environ["WIRE_SEALED"] = "1"
        if subprocess.run(["unshare", "-n", "true"], capture_output=True).returncode == 0:
            os.execvp("unshare", ["unshare", "-n", sys.executable] + sys.argv)
    if "WIRE_SEALED" in os.environ and srv.which("ip"):
        subprocess.run([srv.which("ip"), "link", "set", "lo", "up"], check=False)


seal()
FOLDER = tempfile.TemporaryDirectory(prefix="wire-test-")
DIR = pathlib.Path(FOLDER.name)


class Skip(Exception):
    pass


def test(function):
    TESTS.append(function)
    return function


def equal(got, wanted, what=""):
    if got != wanted:
        raise AssertionError(f"{what}: got {got!r}, wanted {wanted!r}")


def holds(condition, what):
    if not condition:
        raise AssertionError(what)


def needs(program):
    if srv.which(program) is None:
        raise Skip(f"{program} is not installed")


def ssh_options(**changes):
    """What `ssh -G` says of a host without any configuration."""
    out = subprocess.run(["ssh", "-F", "none", "-G", "--", "localhost"], capture_output=True, text=True, check=True).stdout
    wanted = ("kexalgorithms", "hostkeyalgorithms", "ciphers", "macs", "pubkeyacceptedalgorithms")
    options = {k: v for k, v in (line.split(" ", 1) for line in out.splitlines() if " " in line) if k in wanted}
    options.update(changes)
    return options


def identity(key, **more):
    kind, blob = srv.public(key)
    return {"path": str(key), "type": kind, "public": blob, "fingerprint": srv.fingerprint(key), "from": "default", "encrypted": "no",
            "present": True, "usable": True, **more}


def known(key):
    kind, blob = srv.public(key)
    return {"file": "known_hosts", "line": 1, "type": kind, "public": blob, "fingerprint": srv.fingerprint(key), "via": "host"}


def facts(keys=(), known_hosts=(), config=None, client=True):
    target = {"identities": {"state": "known", "order": [k if isinstance(k, dict) else identity(k) for k in keys], "identities_only": False},
              "known_hosts": {"state": "known", "entries": [known(key) for key in known_hosts], "files": [], "damaged": []}}
    if client:
        target["ssh_config"] = {"state": "known", "options": config or ssh_options()}
    return {"schema": "azssh-doctor/facts/1", "started": "2026-01-01T00:00:00Z", "machine": {}, "azure": {}, "targets": [target]}


def probe(port, doc=None, host="127.0.0.1", user=USER, step=2000, deadline=20000, wrap=(), env=None):
    """Runs the conversation; returns its sections by name, and the seconds it took as "took"."""
    began = time.monotonic()
    done = subprocess.run([*wrap, PROBE, host, str(port), user, str(step), str(deadline)], input=json.dumps(doc or facts()), text=True,
                          capture_output=True, timeout=60, env={**os.environ, **(env or {})})
    if done.returncode != 0:
        raise AssertionError(f"wire_probe ended with {done.returncode}: {done.stderr[-3000:]}")
    target = json.loads(done.stdout)["targets"][0]
    wire = target["wire"]
    wire["jump"] = target.get("jump")
    wire["took"] = time.monotonic() - began
    wire["stderr"] = done.stderr
    return wire


def peer_probe(act, **kwargs):
    peer = srv.Peer(act)
    try:
        wire = probe(peer.port, **kwargs)
    finally:
        peer.stop()
    wire["count"] = peer.count
    return wire


def sshd(name, options="", keys=("ed25519", "ecdsa", "rsa"), authorized=("user",), **kwargs):
    needs("sshd")
    return srv.Sshd(DIR / f"sshd-{name}", [KEYS[k] for k in keys], [KEYS[k] for k in authorized], options, **kwargs)


def only_queries(server, denied=0):
    """The log shows no login, no failure but the keys that were denied, and no password."""
    equal(len(server.lines("Accepted publickey")), 0, "logins")
    equal(len(server.lines("Failed password")), 0, "password tries")
    equal(len(server.lines("Failed publickey")), denied, "denied keys in the log")


def run():
    chosen = [t for t in TESTS if len(sys.argv) < 2 or any(word in t.__name__ for word in sys.argv[1:])]
    print(f"1..{len(chosen)}", flush=True)
    if not os.access(PROBE, os.X_OK):
        print(f"Bail out! {PROBE} is missing")
        return 99
    os.chmod(DIR, 0o755)
    for name, kind in (("ed25519", "ed25519"), ("ecdsa", "ecdsa"), ("rsa", "rsa"), ("user", "ed25519"), ("other", "ed25519"),
                       ("rsauser", "rsa"), ("ecdsauser", "ecdsa")):
        KEYS[name] = srv.keygen(DIR / name, "-t", kind)
    for number, function in enumerate(chosen, 1):
        name = function.__name__
        began = time.monotonic()
        try:
            function()
            print(f"ok {number} - {name}", flush=True)
            if "WIRE_TIMES" in os.environ:
                print(f"# {time.monotonic() - began:.1f} s", flush=True)
        except Skip as why:
            print(f"ok {number} - {name} # SKIP {why}", flush=True)
        except Exception:  # noqa: BLE001
            if any("account is locked" in log.read_text(errors="replace") for log in DIR.glob("*/sshd.log")):
                print(f"ok {number} - {name} # SKIP the account {USER} is locked here", flush=True)
                continue
            print(f"not ok {number} - {name}", flush=True)
            print("# " + traceback.format_exc().replace("\n", "\n# "), flush=True)
    srv.stop_all()
    FOLDER.cleanup()
    return 0
