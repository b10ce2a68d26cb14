#!/usr/bin/python3
"""What an attack on the whole program found, kept as tests: hostile files, replies and surroundings. Every run is bounded, ends with the
right exit code, and leaves nothing behind."""
import base64
import copy
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

from simlib import BASE, BUILD, CLIENT, TENANT, VM, Sim, expect, run, test

DOCTOR = os.path.abspath(os.path.join(BUILD, "azssh-doctor"))
DEADLINE = 5


class Folder:
    """A home of its own, with an az that is not installed."""

    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="azssh-attack-")
        os.makedirs(self.path + "/home/.ssh", 0o700)
        return self

    def __exit__(self, *args):
        shutil.rmtree(self.path, ignore_errors=True)

    def __truediv__(self, name):
        return os.path.join(self.path, name)

    def write(self, name, text, mode=0o600):
        path = self / name
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as out:
            out.write(text if isinstance(text, bytes) else text.encode())
        os.chmod(path, mode)
        return path

    def env(self, **more):
        env = {"HOME": self / "home", "AZURE_CONFIG_DIR": self / "home/.azure", "AZURE_POD_IDENTITY_AUTHORITY_HOST": "http://127.0.0.1:1",
               "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
        env.update(more)
        return {name: value for name, value in env.items() if value is not None}

    def doctor(self, *args, wait=DEADLINE + 3, **more):
        """Runs the program in the folder; a run that does not end in time is an error."""
        done = subprocess.run(more.pop("before", []) + [DOCTOR, "--deadline", "%ds" % DEADLINE] + list(args), env=self.env(**more.pop("env", {})), cwd=more.pop("cwd", self.path),
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=wait, check=False, **more)
        done.report = json.loads(done.stdout) if "json" in args and done.stdout else None
        return done


def azure(sim):
    return {"AZSSH_ARM_ENDPOINT": sim.url.rstrip("/"), "AZURE_AUTHORITY_HOST": sim.url.rstrip("/"), "AZURE_TENANT_ID": TENANT, "AZURE_CLIENT_ID": CLIENT, "AZURE_CLIENT_SECRET": "sim-secret"}


def finding(report, check):
    return next(f for f in report["findings"] if f["check"] == check)


def in_namespace():
    return os.geteuid() == 0 and subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode == 0


# ---- keys ----

def dsa_pkcs8(bits, label=""):
    def length(n):
        octets = n.to_bytes((n.bit_length() + 7) // 8, "big")
        return bytes([n]) if n < 128 else bytes([0x80 | len(octets)]) + octets

    def tlv(tag, value):
        return bytes([tag]) + length(len(value)) + value

    def integer(n):
        return tlv(2, n.to_bytes(n.bit_length() // 8 + 1, "big"))
    body = tlv(0x30, integer(0) + tlv(0x30, bytes.fromhex("06072a8648ce380401") + tlv(0x30, integer(2**bits - 1) + integer(2**160 - 47) + integer(3))) + tlv(4, integer(2**(bits - 1) - 1)))
    text = base64.encodebytes(body).decode().replace("\n", "")
    lines = "\n".join(text[at:at + 64] for at in range(0, len(text), 64))
    return "-----BEGIN %sPRIVATE KEY-----\n%s\n-----END %sPRIVATE KEY-----\n" % (label, lines, label)


@test
def a_group_of_any_size_costs_nothing():
    with Folder() as folder:
        for label in ("", "DSA ", "RSA ", "EC "):
            path = folder.write("key", dsa_pkcs8(131072, label))
            done = folder.doctor("--no-azure", "--no-probe", "-i", path, "-f", "json")
            expect((label, done.returncode), (label, 1))
            expect(finding(done.report, "key-format")["evidence"]["type"], "ssh-dss")


@test
def a_file_of_the_current_folder_is_looked_at_no_deeper_than_its_first_line():
    with Folder() as folder:
        folder.write("repo/x.pem", dsa_pkcs8(46000))
        folder.write("repo/y.pem", "-----BEGIN OPENSSH PRIVATE KEY-----\n" + "A" * 15000)
        done = folder.doctor("--no-azure", "--no-probe", "--host", "127.0.0.1", "--bundle", "b", "--no-redact", cwd=folder / "repo")
        with open(folder / "repo/b", encoding="utf-8") as file:
            keys = json.load(file)["facts"]["machine"]["keys"]
        found = {os.path.basename(path): key for path, key in keys.items() if key.get("stray")}
        expect(sorted(found), ["x.pem", "y.pem"])
        for key in found.values():
            assert "type" not in key and "fingerprint" not in key and "defect" not in key, key
        expect(found["y.pem"]["format"], "openssh-key-v1")
        assert done.returncode in (1, 3), (done.returncode, done.stderr)


# ---- files that take any time ----

FUSE = """import ctypes, os, sys, time
os.makedirs("hung", exist_ok=True)
fd = os.open("/dev/fuse", os.O_RDWR)
r = ctypes.CDLL(None).mount(b"h", b"hung", b"fuse.h", 0, f"fd={fd},rootmode=40755,user_id=0,group_id=0".encode())
print(r, flush=True)
time.sleep(60)
"""


@test
def a_mount_that_does_not_answer_ends_in_unknown():
    if not in_namespace() or not os.path.exists("/dev/fuse"):
        print("# skipped: needs root and FUSE")
        return
    with Folder() as folder:
        hung = folder / "hung"
        folder.write("hung.py", FUSE)
        folder.write("known", "Host *\n UserKnownHostsFile %s/k\n" % hung)
        folder.write("include", "Include %s/*\nHost *\n" % hung)
        runs = {"key": (["--no-azure", "--no-probe", "-i", hung + "/k"], {}), "known hosts": (["--no-azure", "-F", "known", "--host", "127.0.0.1", "-p", "1"], {}),
                "configuration": (["--no-azure", "--no-probe", "-F", hung + "/c", "--host", "127.0.0.1"], {}),
                "include": (["--no-azure", "--no-probe", "-F", "include", "--host", "127.0.0.1"], {}),
                "az": (["--no-probe", "rg/vm"], {"AZURE_CONFIG_DIR": hung})}
        for name, (args, env) in runs.items():
            command = ["unshare", "-m", "/bin/sh", "-c", 'rm -f mounted; %s hung.py >mounted 2>&1 & while [ ! -s mounted ]; do sleep 0.1; done; "$@"; code=$?; kill $!; exit $code' % sys.executable, "sh"]
            done = folder.doctor(*args, "-f", "json", "--bundle", "b", "--no-redact", before=command, env=env, wait=DEADLINE + 8)
            if pathlib.Path(folder / "mounted").read_bytes().strip() != b"0":
                print("# skipped: no FUSE here: %r" % pathlib.Path(folder / "mounted").read_bytes())
                return
            expect((name, done.returncode), (name, 1 if name == "known hosts" else 3))   # there is no server
            with open(folder / "b", encoding="utf-8") as file:
                why = json.dumps(json.load(file)["facts"])
            print("# %-14s %d ms" % (name, done.report["duration_ms"]))
            assert "did not answer in time" in why or '"cause": "deadline"' in why, name
            assert done.report["duration_ms"] < DEADLINE * 1000 + 1000, done.report["duration_ms"]


@test
def stars_that_match_a_whole_disk_end_at_the_deadline():
    with Folder() as folder:
        folder.write("stars", "Include /*/*/*/*/*/*/*/*\nHost *\n")
        done = folder.doctor("--no-azure", "--no-probe", "-F", "stars", "--host", "127.0.0.1", "-f", "json")
        expect(done.returncode, 3)
        assert done.report["duration_ms"] < DEADLINE * 1000 + 1000, done.report["duration_ms"]


# ---- replies ----

@test
def a_megabyte_of_token_heads_is_cut_in_time():
    for text in ("eyJ" * 400000, "-----BEGIN " * 100000, "sig=" * 300000):
        machine = copy.deepcopy(BASE["resources"][VM])
        machine["tags"] = {"note": text}
        with Sim(resources={VM: machine}) as sim, Folder() as folder:
            done = folder.doctor("--no-probe", VM, "-f", "json", env=azure(sim))
            expect(finding(done.report, "vm-state")["status"], "pass")
            assert done.report["duration_ms"] < DEADLINE * 1000, done.report["duration_ms"]


# ---- surroundings ----

@test
def what_is_printed_never_goes_to_the_server():
    for closed in ((2,), (1,), (1, 2), (0, 1, 2)):
        with Sim() as sim, Folder() as folder, socket.socket() as server:
            server.bind(("127.0.0.1", 0))
            server.listen()
            heard = []

            def serve():
                while True:
                    try:
                        connection, _ = server.accept()
                    except OSError:
                        return
                    connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
                    connection.settimeout(3)
                    try:
                        heard.append(connection.recv(65536))
                    except OSError:
                        pass
                    connection.close()
            threading.Thread(target=serve, daemon=True).start()
            shut = ";".join("exec %d>&-" % fd for fd in closed)
            done = folder.doctor("-v", VM, "--host", "127.0.0.1", "-p", str(server.getsockname()[1]), "-l", "root", env=azure(sim), before=["/bin/sh", "-c", shut + '; exec "$@"', "sh"])
            server.shutdown(socket.SHUT_RDWR)
            assert done.returncode in (1, 3), (done.returncode, done.stderr)
            assert heard and all(line.startswith(b"SSH-2.0-") and b"azssh-doctor: " not in line and b"subscriptions" not in line for line in heard if line), heard


def processes(word):
    found = []
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if word.encode() in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue
    return found


@test
def signals_leave_nothing_behind():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL):
        with Folder() as folder:
            word = "7%d.25" % number
            os.makedirs(folder / "tmp")
            folder.write("bin/az", "#!/bin/sh\nsleep %s\n" % word, 0o755)
            child = subprocess.Popen([DOCTOR, "--no-probe", "rg/x"], env=folder.env(PATH=folder / "bin" + ":/usr/bin:/bin", TMPDIR=folder / "tmp"), cwd=folder.path,
                                     stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                     preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
            for _ in range(100):
                time.sleep(0.1)
                if processes(word):
                    break
            assert processes(word), "az was not started"
            child.send_signal(number)
            expect(child.wait(5), 128 + number if number != signal.SIGKILL else -number)
            for _ in range(30):
                if not processes(word) or number == signal.SIGKILL:
                    break
                time.sleep(0.1)
            left = [pid for pid in processes(word)]
            for pid in left:
                os.kill(pid, signal.SIGKILL)
            # the shell of az dies with us; what it started in turn is out of reach when we were killed outright
            assert not left or number == signal.SIGKILL, (number, left)
            expect(os.listdir(folder / "tmp"), [])


@test
def children_inherit_no_descriptor():
    with Sim() as sim, Folder() as folder:
        script = folder.write("c.sh", '#!/bin/sh\nls -l /proc/$$/fd > "%s/fds"\necho "{\\"status\\":\\"pass\\",\\"code\\":\\"ok\\",\\"message\\":\\"m\\"}"\n' % folder.path, 0o755)
        rules = folder.write("r.yaml", 'version: 1\ncustom:\n- {id: c1, type: command, title: t, argv: ["%s"]}\n' % script)
        folder.doctor("--no-probe", VM, "-r", rules, "--allow-commands", env=azure(sim))
        with open(folder / "fds", encoding="utf-8") as file:
            lines = [line for line in file.read().splitlines() if "->" in line]
        expect([line for line in lines if "socket:" in line or "anon_inode:" in line], [])


@test
def without_dev_null_ssh_is_still_there():
    if not in_namespace():
        print("# skipped: needs root")
        return
    with Folder() as folder:
        done = folder.doctor("--no-azure", "--no-probe", "--host", "127.0.0.1", "-f", "json", before=["unshare", "-m", "/bin/sh", "-c", 'mount -t tmpfs t /dev; exec "$@"', "sh"])
        codes = [f["code"] for f in done.report["findings"]]
        assert "ssh-missing" not in codes, codes


if __name__ == "__main__":
    raise SystemExit(run())
