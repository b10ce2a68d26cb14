#!/usr/bin/python3
"""What an attack on the whole program found, kept as tests: hostile files, replies and surroundings. Every run is bounded, ends with the
right exit code, and leaves nothing behind."""
import base64
import copy
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

import wire_servers as srv
from azurelib import jwt
from frontlib import Front
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


# ---- memory ----

MOST_KIB = 200 * 1024


# a process that is large itself would be counted in its child, until that has become another program
MEASURE = "import os, sys; pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ); _, s, u = os.wait4(pid, 0); " \
          "open('usage', 'w').write('%d %d' % (os.waitstatus_to_exitcode(s), u.ru_maxrss))"


def most_memory(folder, *args, env=None):
    """Exit code, output and the most memory (KiB) that the program or one of its children took."""
    done = subprocess.run([sys.executable, "-c", MEASURE, DOCTOR, "--deadline", "%ds" % DEADLINE] + list(args), env=folder.env(**(env or {})), cwd=folder.path, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=DEADLINE + 20, check=True)
    code, most = pathlib.Path(folder / "usage").read_text().split()
    return int(code), done.stdout, int(most)


@test
def no_reply_takes_much_memory():
    big = b'{"value":[' + b",".join([b"{}"] * 10000000) + b"]}"

    def reply(method, path, message):
        if "subscriptions" in path or "providers" in path:
            message.body, message.status = bodies[0], 200
    bodies = [big]
    with Sim() as sim, Front(sim, change=reply) as odd, Folder() as folder:
        for body in (big, b'{"value":[' + b",".join([b"[]"] * 4000000) + b"]}", b'{"a":' * 500 + b"1" + b"}" * 500,
                     b'{"value":[' + b",".join(b'"%d"' % n for n in range(1000000)) + b"]}", b'{"a":"' + b"x" * 15000000 + b'"}'):
            bodies[0] = body
            for args in (["rg/myVM"], ["myVM"]):
                code, out, most = most_memory(folder, "--no-probe", *args, "-f", "json", env=dict(azure(sim), AZSSH_ARM_ENDPOINT=odd.url))
                print("# reply of %d bytes: exit %d, %d MiB" % (len(body), code, most // 1024))
                assert most < MOST_KIB and code in (1, 3), (code, most, out[-300:])


@test
def no_bundle_takes_much_memory():
    with Folder() as folder:
        for text in (b'{"schema":"azssh-doctor/bundle/1","facts":[' + b",".join([b"{}"] * 10000000) + b"]}", b"[" * 60000000, b'{"a":"' + b"x" * 60000000 + b'"}'):
            folder.write("b", text)
            code, out, most = most_memory(folder, "--replay", "b")
            print("# bundle of %d bytes: exit %d, %d MiB, %s" % (len(text), code, most // 1024, out[:90]))
            assert most < MOST_KIB and code == 2, (code, most, out[-300:])


@test
def known_hosts_of_any_size_are_read_or_unknown():
    line = b"127.0.0.1 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
    with Folder() as folder:
        for lines in (1500, 150000, 300000):
            folder.write("known", line * lines)
            folder.write("config", "Host *\n UserKnownHostsFile %s\n" % (folder / "known"))
            code, out, most = most_memory(folder, "--no-azure", "-F", "config", "--host", "127.0.0.1", "-p", "1", "--bundle", "b", "--no-redact")
            with open(folder / "b", encoding="utf-8") as file:
                known = json.load(file)["facts"]["targets"][0]["known_hosts"]
            print("# %d lines: exit %d, %d MiB, %s" % (lines, code, most // 1024, known.get("reason")))
            assert most < MOST_KIB and code == 1, (code, most, out[-300:])
            expect(known["state"], "known" if lines == 1500 else "unknown")


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
def the_program_is_built_hardened():
    if shutil.which("readelf") is None:
        print("# skipped: no readelf")
        return
    text = subprocess.run(["readelf", "-hldW", "--dyn-syms", DOCTOR], capture_output=True, text=True, check=True).stdout
    for word in ("DYN (Position-Independent Executable file)|Type: +DYN", "GNU_RELRO", "BIND_NOW|Flags: NOW", "__stack_chk_fail", "__[a-z]+_chk"):
        assert re.search(word, text), word
    assert re.search(r"GNU_STACK .* RW +0x", text) and "RPATH" not in text and "RUNPATH" not in text


SCAN = """#!/usr/bin/python3
import json, os
parent, word, found = os.getppid(), open("%s").read().encode(), 0
with open("/proc/%%d/maps" %% parent) as maps, open("/proc/%%d/mem" %% parent, "rb", 0) as memory:
    for line in maps:
        span, rights = line.split()[:2]
        if "rw" not in rights or "[vvar" in line:
            continue
        start, end = (int(part, 16) for part in span.split("-"))
        memory.seek(start)
        found += memory.read(end - start).count(word)
open("%s", "w").write(str(found))
print(json.dumps({"status": "pass", "code": "ok", "message": "m"}))
"""


@test
def a_token_is_in_memory_no_more_often_than_it_is_needed():
    if os.geteuid() != 0:
        print("# skipped: needs root")
        return
    word = "Canary" + "x7" * 20
    token = jwt(aud="https://management.azure.com/", exp=int(time.time()) + 3600, canary=word)

    def change(method, path, message):
        if "/oauth2/" in path:
            message.body = json.dumps({"access_token": token, "expires_in": 3599}).encode()
    with Sim(tokens={token: {"expires_in": 3600}}) as sim, Front(sim, change=change) as odd, Folder() as folder:
        folder.write("word", token[-60:])
        script = folder.write("scan", SCAN % (folder / "word", folder / "found"), 0o755)
        rules = folder.write("r.yaml", 'version: 1\ncustom:\n- {id: c1, type: command, title: t, argv: ["%s"]}\n' % script)
        done = folder.doctor("--no-probe", VM, "-r", rules, "--allow-commands", env=dict(azure(sim), AZSSH_ARM_ENDPOINT=odd.url, AZURE_AUTHORITY_HOST=odd.url))
        found = int(pathlib.Path(folder / "found").read_text())
        print("# found %d times" % found)
        assert 1 <= found <= 3 and done.returncode in (0, 1, 3), found


@test
def without_dev_null_ssh_is_still_there():
    if not in_namespace():
        print("# skipped: needs root")
        return
    with Folder() as folder:
        done = folder.doctor("--no-azure", "--no-probe", "--host", "127.0.0.1", "-f", "json", before=["unshare", "-m", "/bin/sh", "-c", 'mount -t tmpfs t /dev; exec "$@"', "sh"])
        codes = [f["code"] for f in done.report["findings"]]
        assert "ssh-missing" not in codes, codes


@test
def a_shortage_of_descriptors_is_no_fact_about_the_way():
    with Sim() as sim, Folder() as folder, socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        for limit in range(4, 20):
            before = ["/bin/sh", "-c", 'ulimit -n %d && exec "$@"' % limit, "sh"]
            for args in (["--no-azure", "--host", "127.0.0.1", "-p", "1"], ["--no-probe", VM]):
                done = folder.doctor(*args, "-f", "json", before=before, env=azure(sim))
                assert done.returncode in (1, 3, 4), (limit, args, done.returncode, done.stderr)
                for f in done.report["findings"] if done.report else []:
                    assert f["code"] not in ("local-route-refuses", "ssh-missing", "signin-unreachable", "api-unreachable", "key-file-unreadable", "az-not-logged-in"), (limit, args, f)
                    assert f["status"] != "fail" or f["code"] in ("sshd-refused", "tunnel-not-running", "key-missing"), (limit, args, f["code"], f["summary"])


# ---- what is printed ----

class Banner:
    """An SSH server that says one line."""

    def __init__(self, line):
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.listen()
        self.port = str(self.socket.getsockname()[1])

        def serve():
            while True:
                try:
                    connection, _ = self.socket.accept()
                except OSError:
                    return
                with connection:
                    connection.sendall(line)
                    time.sleep(0.2)
        threading.Thread(target=serve, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


def agent_commands(text):
    """The lines on which the agent of Azure Pipelines or GitHub would act."""
    return [line for line in text.decode(errors="replace").splitlines()
            if re.search(r"##(\w*)\[", line) or re.match(r"\s*::.*::", line)]


@test
def a_server_cannot_command_the_agent_of_a_build():
    for words in (b"##vso[task.prependpath]/opt/evil", b"##[error]x", b"##VSO[task.setvariable variable=a]b", b"::warning::x", b"x " * 30 + b"::add-path::/opt/evil"):
        with Banner(b"hello\r\n" + words + b"\r\nSSH-2.0-x " + words[:200] + b"\r\n") as server, Folder() as folder:
            for args in ([], ["-v"], ["-f", "json"], ["-f", "ndjson"], ["-f", "json=o", "-f", "text=t"]):
                done = folder.doctor("--no-azure", "--no-ssh-config", "--host", "127.0.0.1", "-p", server.port, "-l", "root", *args, env={"TF_BUILD": "True"})
                texts = [done.stdout, done.stderr] + [pathlib.Path(folder / name).read_bytes() for name in ("o", "t") if os.path.exists(folder / name)]
                expect((words, args, [line for text in texts for line in agent_commands(text)]), (words, args, []))
                if done.report is not None:
                    assert words.decode() in json.dumps(done.report), words
            done = folder.doctor("--no-azure", "--no-probe", "--host", words.decode())
            expect(agent_commands(done.stderr), [])


@test
def the_trace_holds_no_byte_that_a_terminal_acts_on():
    def reply(method, path, message):
        if "subscriptions" in path:
            message.body = json.dumps({"value": [], "nextLink": link.replace("HOST", odd.url)}, ensure_ascii=False).encode()
            message.status = 200
    link = "HOST/a\u009b31mR\u202ex##vso[task.x]y"
    with Sim() as sim, Front(sim, change=reply) as odd, Folder() as folder:
        done = folder.doctor("--no-probe", "-v", "myVM", env=dict(azure(sim), AZSSH_ARM_ENDPOINT=odd.url))
        assert b"R" in done.stderr and b"\xc2\x9b" not in done.stderr and b"\xe2\x80\xae" not in done.stderr, done.stderr
        expect(agent_commands(done.stderr), [])
        done = folder.doctor("--no-azure", "--no-probe", "--host", "127.0.0.1", "-v", "--ip-service", "https://me:secret@127.0.0.1:1/ip")
        assert b"secret" not in done.stderr and b"secret" not in done.stdout, done.stderr


# ---- the installed ssh ----

ONLY_SSH = "KexAlgorithms sntrup761x25519-sha512@openssh.com"


class Server:
    """A healthy sshd that only the installed ssh can speak to, and a key that it knows."""

    def __init__(self, folder):
        where = pathlib.Path(folder.path)
        self.key, host = srv.keygen(where / "key", "-t", "ed25519"), srv.keygen(where / "host", "-t", "ed25519")
        self.sshd = srv.Sshd(where / "sshd", [host], [self.key], ONLY_SSH)
        self.args = ["--no-azure", "--no-ssh-config", "--host", "127.0.0.1", "-p", str(self.sshd.port), "-l", "root", "-i", str(self.key)]

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.sshd.stop()


def fake_ssh(folder, words):
    """An ssh that does `words` where the program asks the server with it."""
    folder.write("bin/ssh", '#!/bin/sh\ncase "$1" in -vN) %s ;; esac\nexec /usr/bin/ssh "$@"\n' % words, 0o755)
    return {"PATH": folder / "bin" + ":/usr/bin:/bin"}


@test
def a_fault_of_ssh_itself_is_no_fact_about_the_server():
    if srv.which("sshd") is None or os.geteuid() != 0:
        print("# skipped: needs sshd and root")
        return
    with Folder() as folder, Server(folder) as server:
        for name in ("tmp", "sp ace", "per%cent", 'quo"te'):
            os.makedirs(folder / name)
            done = folder.doctor(*server.args, "-f", "json", env={"TMPDIR": folder / name}, wait=20)
            expect((name, finding(done.report, "kex")["status"], finding(done.report, "auth")["status"]), (name, "pass", "pass"))
            expect(os.listdir(folder / name), [])
        for words in ("kill -9 $$", "exit 255", "exit 1", "sleep 20"):
            # without the rehearsal, in which ssh rightly stops at a host key that it cannot ask about
            done = folder.doctor(*server.args, "--no-rehearsal", "-f", "json", env=fake_ssh(folder, words), wait=20)
            expect((words, finding(done.report, "kex")["status"], done.returncode), (words, "unknown", 3))


@test
def a_signal_removes_what_was_written_for_ssh():
    if srv.which("sshd") is None or os.geteuid() != 0:
        print("# skipped: needs sshd and root")
        return
    with Folder() as folder, Server(folder) as server:
        os.makedirs(folder / "tmp")
        env = folder.env(TMPDIR=folder / "tmp", **fake_ssh(folder, "sleep 71.75"))
        child = subprocess.Popen([DOCTOR] + server.args, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(100):
            time.sleep(0.1)
            if processes("71.75"):
                break
        assert os.listdir(folder / "tmp"), "nothing was written"
        child.send_signal(signal.SIGTERM)
        expect(child.wait(5), 143)
        time.sleep(0.5)
        expect((os.listdir(folder / "tmp"), processes("71.75")), ([], []))


@test
def an_ssh_that_is_killed_has_refused_nothing():
    with Folder() as folder:
        for words in ("kill -9 $$", "exit 255", "exit 1"):
            folder.write("bin/ssh", '#!/bin/sh\ncase "$1" in -G) %s ;; esac\nexec /usr/bin/ssh "$@"\n' % words, 0o755)
            done = folder.doctor("--no-azure", "--no-probe", "--host", "127.0.0.1", "-f", "json", env={"PATH": folder / "bin" + ":/usr/bin:/bin"})
            expect((words, finding(done.report, "ssh-config")["status"], done.returncode), (words, "unknown", 3))


@test
def passwords_in_commands_of_the_configuration_stay_there():
    with Folder() as folder:
        word = "S3cr3tW0rd"
        folder.write("config", "Match exec \"test -n '--password %s'\"\n LogLevel INFO\nHost *\n ProxyCommand sshpass -p %s ssh -W %%h:%%p j\n RemoteCommand login --token=%s\n"
                     " LocalCommand curl -u me:%s https://x/\n PermitLocalCommand yes\n KnownHostsCommand /bin/echo PASSWORD=%s\n SetEnv A=%s\n" % ((word,) * 6))
        done = folder.doctor("--no-azure", "-F", "config", "--host", "127.0.0.1", "-p", "1", "-l", "u", "--bundle", "b", "--no-redact", "-f", "json=o", "-v")
        bundle = pathlib.Path(folder / "b").read_bytes()
        assert b"[cut]" in bundle and b"sshpass" in bundle
        for text in (done.stdout, done.stderr, bundle, pathlib.Path(folder / "o").read_bytes()):
            assert word.encode() not in text, text[max(0, text.find(word.encode()) - 200):][:400]


# ---- files that are written ----

def mode(path):
    return "%o" % (os.stat(path).st_mode & 0o777)


@test
def modes_links_and_pipes_are_decided_on():
    with Folder() as folder:
        folder.write("key", "x")
        folder.doctor("--no-azure", "--no-probe", "-i", "key", "--bundle", "b", "--no-redact")
        expect(mode(folder / "b"), "600")

        def report(path, umask=0o022, **more):
            return subprocess.run([DOCTOR, "--replay", "b", "-f", "json=" + path], env=folder.env(), cwd=folder.path, stdin=subprocess.DEVNULL, capture_output=True, timeout=15,
                                  check=False, preexec_fn=lambda: os.umask(umask), **more)
        for umask, wanted in ((0o022, "644"), (0o077, "600"), (0o027, "640")):
            report("new%o" % umask, umask)
            expect(mode(folder / ("new%o" % umask)), wanted)
        folder.write("private", "", 0o600)
        report("private")
        expect(mode(folder / "private"), "600")
        os.symlink("target", folder / "link")
        folder.write("target", "old", 0o640)
        report("link")
        expect((os.path.islink(folder / "link"), mode(folder / "target")), (True, "640"))
        os.mkfifo(folder / "pipe")
        done = report("pipe")
        expect((done.returncode, b"nothing reads this pipe" in done.stderr), (4, True))
        reader = subprocess.Popen(["cat", folder / "pipe"], stdout=subprocess.PIPE)
        time.sleep(0.3)
        expect(report("pipe").returncode, 1)
        assert json.loads(reader.communicate(timeout=10)[0])["exit_code"] == 1
        assert json.loads(report("/dev/stdout").stdout)["exit_code"] == 1
        if os.geteuid() == 0:
            os.chown(folder / "pipe", 65534, 65534)
            done = report("pipe")
            expect((done.returncode, b"another user" in done.stderr), (4, True))
            os.chown(folder / "link", 65534, 65534, follow_symlinks=False)
            done = report("link")
            expect((done.returncode, b"another user" in done.stderr), (4, True))
        expect([name for name in os.listdir(folder.path) if "." in name], [])


if __name__ == "__main__":
    raise SystemExit(run())
