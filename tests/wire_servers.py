"""Servers for wire_test.py: real sshd, dropbear and tinysshd with their own keys and configuration, and a peer that says what a test tells it."""
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time

LIFETIME = 120
CHILDREN = []


def which(name):
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def spawn(argv, lifetime=LIFETIME, **kwargs):
    child = subprocess.Popen(["timeout", str(lifetime)] + argv, stdin=subprocess.DEVNULL, start_new_session=True, **kwargs)
    CHILDREN.append(child)
    return child


def stop(child):
    if child.poll() is None:
        try:
            os.killpg(child.pid, signal.SIGTERM)
            child.wait(5)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            os.killpg(child.pid, signal.SIGKILL)
            child.wait(5)


def stop_all():
    for child in CHILDREN:
        stop(child)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def listening(port):
    """True when something listens, without connecting (a connection would count)."""
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            rows = pathlib.Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for row in rows:
            fields = row.split()
            if fields[3] == "0A" and int(fields[1].rsplit(":", 1)[1], 16) == port:
                return True
    return False


def wait_for(port):
    for _ in range(500):
        if listening(port):
            return
        time.sleep(0.01)
    raise RuntimeError(f"nothing listens on port {port}")


def keygen(path, *options):
    subprocess.run(["ssh-keygen", "-q", "-N", "", "-C", path.name, "-f", str(path), *options], check=True, stdin=subprocess.DEVNULL)
    return path


def public(path):
    return (path.parent / (path.name + ".pub")).read_text().split()[:2]


def fingerprint(path, digest="sha256"):
    out = subprocess.run(["ssh-keygen", "-l", "-E", digest, "-f", str(path) + ".pub"], check=True, capture_output=True, text=True).stdout
    return out.split()[1]


class Sshd:
    """OpenSSH on loopback: `keys` are its host keys, `options` lines that come first (the first value wins)."""

    def __init__(self, folder, keys, authorized, options="", address="127.0.0.1", port=None, within=()):
        folder.mkdir(parents=True, exist_ok=True)
        self.port = port or free_port()
        self.log = folder / "sshd.log"
        self.log.write_text("")
        auth = folder / "authorized_keys"
        auth.write_text("".join(" ".join(public(key)) + "\n" for key in authorized))
        os.chmod(auth, 0o644)
        config = folder / "sshd_config"
        config.write_text(options + "\n" + f"ListenAddress {address}\nPort {self.port}\n" + "".join(f"HostKey {key}\n" for key in keys) +
                          f"PidFile none\nAuthorizedKeysFile {auth}\nStrictModes no\nUsePAM no\nLogLevel DEBUG1\nPasswordAuthentication no\n"
                          "KbdInteractiveAuthentication no\nPermitRootLogin yes\n")
        if os.getuid() == 0:
            os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
        self.child = spawn([*within, which("sshd"), "-D", "-f", str(config), "-E", str(self.log)])
        if within:
            for _ in range(500):
                if self.lines("Server listening"):
                    return
                time.sleep(0.01)
        else:
            wait_for(self.port)

    def stop(self):
        stop(self.child)

    def lines(self, word):
        return [line for line in self.log.read_text(errors="replace").splitlines() if word in line]

    def connections(self):
        return len(self.lines("Connection from "))


class Dropbear:
    def __init__(self, folder, key, kind, *options):
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        host_key = folder / "host_key"
        subprocess.run([which("dropbearkey"), "-t", kind, "-f", str(host_key)], check=True, capture_output=True)
        home = folder / "home"
        self.log = open(folder / "dropbear.log", "w+b")
        self.child = spawn([which("dropbear"), "-F", "-E", "-r", str(host_key), "-p", f"127.0.0.1:{self.port}", *options], stderr=self.log)
        wait_for(self.port)
        del home, key

    def stop(self):
        stop(self.child)


class Tinyssh:
    """tinysshd speaks on stdin and stdout: one process a connection."""

    def __init__(self, folder):
        keys = folder / "keys"
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run([which("tinysshd-makekey"), str(keys)], check=True, capture_output=True)
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.socket.listen(5)
        self.port = self.socket.getsockname()[1]
        self.keys = keys
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                peer, _ = self.socket.accept()
            except OSError:
                return
            child = subprocess.Popen(["timeout", "20", which("tinysshd"), str(self.keys)], stdin=peer, stdout=peer, stderr=subprocess.DEVNULL)
            CHILDREN.append(child)
            peer.close()

    def stop(self):
        self.socket.close()


PARAMIKO = """
import socket, sys, threading
import paramiko
port, line, key, accepted = int(sys.argv[1]), sys.argv[2], paramiko.RSAKey.from_private_key_file(sys.argv[3]), sys.argv[4]
class Server(paramiko.ServerInterface):
    def check_auth_publickey(self, user, offered):
        return paramiko.AUTH_SUCCESSFUL if offered.get_base64() == accepted else paramiko.AUTH_FAILED
    def get_allowed_auths(self, user):
        return "publickey,password"
listener = socket.socket()
listener.bind(("127.0.0.1", port))
listener.listen(8)
def treat(conn):
    transport = paramiko.Transport(conn)
    if line:
        transport.local_version = line
    transport.add_server_key(key)
    try:
        transport.start_server(server=Server())
    except (paramiko.SSHException, EOFError):
        pass
while True:
    threading.Thread(target=treat, args=(listener.accept()[0],), daemon=True).start()
"""


class Paramiko:
    """paramiko as a server, with an RSA host key, that says `line` instead of its own, and takes one user key."""

    def __init__(self, key, accepted, line=""):
        self.port = free_port()
        subprocess.run(["ssh-keygen", "-q", "-p", "-m", "PEM", "-P", "", "-N", "", "-f", str(key)], check=True, capture_output=True, stdin=subprocess.DEVNULL)
        self.child = spawn(["/usr/bin/python3", "-c", PARAMIKO, str(self.port), line, str(key), public(accepted)[1]], stderr=subprocess.DEVNULL)
        wait_for(self.port)

    def stop(self):
        stop(self.child)


class Peer:
    """A listener that treats each connection with `act(socket)`, and counts them."""

    def __init__(self, act, address="127.0.0.1", backlog=16):
        self.socket = socket.socket()
        self.socket.bind((address, 0))
        self.socket.listen(backlog)
        self.port = self.socket.getsockname()[1]
        self.act = act
        self.count = 0
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                peer, _ = self.socket.accept()
            except OSError:
                return
            self.count += 1
            threading.Thread(target=self.treat, args=(peer,), daemon=True).start()

    def treat(self, peer):
        try:
            with peer:
                peer.settimeout(10)
                self.act(peer)
        except OSError:
            pass

    def stop(self):
        self.socket.close()


def says(*parts, close=True, pause=0.0):
    """An act: sends the parts, then closes or keeps silent until the other side goes."""
    def act(peer):
        for part in parts:
            peer.sendall(part)
            time.sleep(pause)
        if not close:
            while peer.recv(65536):
                pass
    return act


def resets(peer):
    peer.recv(1)
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class Lab:
    """Client (this namespace), router and VM, three network namespaces in a row. Needs root."""
    CLIENT, NEAR, FAR, VM = "203.0.113.7", "203.0.113.1", "20.51.230.1", "20.51.230.13"

    def __init__(self):
        self.router, self.vm = self.space(), self.space()
        ip = which("ip")
        run = lambda *argv, at=None: self.run(at, ip, *argv)
        run("link", "add", "c0", "type", "veth", "peer", "name", "r0", "netns", str(self.router))
        run("link", "add", "r1", "netns", str(self.router), "type", "veth", "peer", "name", "v0", "netns", str(self.vm))
        for at, name, address in ((None, "c0", self.CLIENT), (self.router, "r0", self.NEAR), (self.router, "r1", self.FAR), (self.vm, "v0", self.VM)):
            run("address", "add", address + "/24", "dev", name, at=at)
            run("link", "set", name, "up", at=at)
        run("link", "set", "lo", "up", at=self.vm)
        run("route", "add", "default", "via", self.NEAR)
        run("route", "add", "default", "via", self.FAR, at=self.vm)
        self.run(self.router, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")

    @staticmethod
    def space():
        child = spawn(["unshare", "-n", "sleep", "600"], lifetime=600)
        for _ in range(200):
            for pid in pathlib.Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text().split():
                if os.readlink(f"/proc/{pid}/ns/net") != os.readlink("/proc/self/ns/net"):
                    return int(pid)
            time.sleep(0.01)
        raise RuntimeError("no network namespace")

    def run(self, at, *argv):
        subprocess.run(self.within(at) + list(argv), check=True, capture_output=True)

    @staticmethod
    def within(at):
        return [] if at is None else ["nsenter", "-t", str(at), "-n"]

    def rule(self, at, hook, rule):
        """One nftables rule in a chain of its own, until clear()."""
        text = f"table inet t {{ chain c {{ type filter hook {hook} priority 0; {rule}; }}; }}"
        subprocess.run(self.within(at) + [which("nft"), "-f", "-"], input=text, text=True, check=True, capture_output=True)

    def clear(self):
        for at in (None, self.router, self.vm):
            subprocess.run(self.within(at) + [which("nft"), "flush", "ruleset"], check=False, capture_output=True)


def packet(payload):
    padding = 8 - (5 + len(payload)) % 8
    padding += 8 if padding < 4 else 0
    return struct.pack(">IB", len(payload) + padding + 1, padding) + payload + bytes(padding)


def kexinit(kex="curve25519-sha256", host_key="ssh-ed25519", cipher="aes128-ctr", mac="hmac-sha2-256"):
    payload = bytes([20]) + bytes(16)
    for names in (kex, host_key, cipher, cipher, mac, mac, "none", "none", "", ""):
        payload += struct.pack(">I", len(names)) + names.encode()
    return payload + bytes(5)
