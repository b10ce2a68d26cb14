"""The VM of the lab: a root of its own (tmpfs, /usr from this machine read-only) in the vm namespace, and its servers."""

import json
import os
import re
import shutil
import socket
import subprocess
import threading
import time

from . import net
from .load import Bad

ROOT = "/run/lab/vm/root"
LOG = ROOT + "/var/log/sshd.log"
HOST_KEYS = ("ed25519", "ecdsa", "rsa")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"	# as the guest agent has it
FOLDERS = "usr proc sys dev run/sshd tmp home root var/log var/lib var/empty var/tmp srv mnt opt"
SSHD_BASE = """
%(port)s
%(listen)s
%(keys)s
UsePAM no
LogLevel VERBOSE
PidFile none
PasswordAuthentication no
KbdInteractiveAuthentication no
AuthorizedKeysFile .ssh/authorized_keys
Subsystem sftp internal-sftp
"""


def _lines_without(path, names):
	with open(path, encoding="utf-8") as f:
		return [line for line in f.read().splitlines() if line.split(":")[0] not in names]


def account(root, name, uid, home, shell="/bin/bash"):
	"""A user account in root/etc; the password is '*': no password, and not locked."""
	etc = os.path.join(root, "etc")
	lines = [line for line in _lines_without(etc + "/passwd", (name,)) if line.split(":")[2] != str(uid)]
	_write(etc + "/passwd", lines + ["%s:x:%d:%d::%s:%s" % (name, uid, uid, home, shell)])
	groups = [line for line in _lines_without(etc + "/group", (name,)) if line.split(":")[2] != str(uid)]
	_write(etc + "/group", groups + ["%s:x:%d:" % (name, uid)])
	_write(etc + "/shadow", _lines_without(etc + "/shadow", (name,)) + ["%s:*:19700:0:99999:7:::" % name])


def _write(path, lines):
	with open(path, "w", encoding="utf-8") as f:
		f.write("\n".join(lines) + "\n")


class Guest:
	def __init__(self, lab, keys):
		self.lab = lab
		self.keys = keys
		self.pid = 0
		self.logs = []

	def inside(self, argv):
		return ["nsenter", "-t", str(self.pid), "-m", "-p", "-u", "-n", "-r", "-w"] + argv

	def build(self):
		"""Its root; programs of /usr/local are the scenario's stand-ins for what the lab lacks."""
		net.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", ROOT])
		for folder in FOLDERS.split():
			os.makedirs(os.path.join(ROOT, folder), mode=0o755)
		os.chmod(ROOT + "/tmp", 0o1777)
		net.run(["mount", "--bind", "-o", "ro", "/usr", ROOT + "/usr"])
		net.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", ROOT + "/usr/local"])
		for link in ("bin", "sbin", "lib", "lib32", "lib64"):
			if os.path.islink("/" + link):
				os.symlink(os.readlink("/" + link), os.path.join(ROOT, link))
		net.run(["cp", "-a", "/etc", ROOT + "/"])
		for name in ("null", "zero", "full", "random", "urandom", "tty"):
			open(ROOT + "/dev/" + name, "wb").close()
			net.run(["mount", "--bind", "/dev/" + name, ROOT + "/dev/" + name])
		os.mkdir(ROOT + "/dev/pts")
		net.run(["mount", "-t", "devpts", "-o", "newinstance,ptmxmode=0666", "devpts", ROOT + "/dev/pts"])
		os.symlink("pts/ptmx", ROOT + "/dev/ptmx")
		self._accounts()
		for kind in HOST_KEYS:
			self._host_key("host-" + kind)
		init = subprocess.Popen(net.at("vm") + ["unshare", "-mpu", "--fork", "--kill-child", "--root=" + ROOT, "--mount-proc",
			"sh", "-c", "hostname myVM; exec sleep infinity"], stdin=subprocess.DEVNULL)
		self.pid = _child_of(init.pid)
		self._stand_ins()
		if "syslog" in self.lab:
			Syslog(self.lab["syslog"])
		if "guest" in self.lab:
			net.run(self.inside(["/bin/sh", "-e"]), self.lab["guest"])

	def _busybox(self):
		"""The applets of busybox alone, as Alpine has them, and OpenSSH."""
		for name in subprocess.run(["busybox", "--list"], stdout=subprocess.PIPE, text=True, check=True).stdout.split():
			if name != "busybox":
				os.symlink("/usr/bin/busybox", ROOT + "/usr/local/sbin/" + name)
		for name in ("/usr/bin/busybox", "/usr/sbin/sshd", "/usr/bin/ssh-keygen"):
			os.symlink(name, ROOT + "/usr/local/sbin/" + os.path.basename(name))

	def _stand_ins(self):
		"""Programs in front of the machine's own ones; an empty text hides one, as far as a shell can tell."""
		os.makedirs(ROOT + "/usr/local/sbin", exist_ok=True)
		if self.lab.get("busybox"):
			self._busybox()
		for name, text in self.lab.get("stand_ins", {}).items():
			path = ROOT + "/usr/local/sbin/" + name
			with open(path, "w", encoding="utf-8") as f:
				f.write("#!/bin/sh\n" + text + "\n")
			os.chmod(path, 0o755)

	def shell(self):
		"""The command line of what Run Command starts in the guest."""
		path = "/usr/local/sbin" if self.lab.get("busybox") else PATH
		return ["/usr/bin/env", "-i", "PATH=" + path, "/usr/bin/nsenter"] + self.inside([])[1:] + (self.lab.get("shell", "sh").split())

	def _accounts(self):
		shutil.rmtree(ROOT + "/etc/ssh")
		os.makedirs(ROOT + "/etc/ssh/sshd_config.d")
		account(ROOT, "azureuser", 1000, "/home/azureuser")
		home = ROOT + "/home/azureuser"
		os.makedirs(home + "/.ssh", mode=0o700)
		listed = self.lab.get("authorized_keys", ["good"])
		text = listed if isinstance(listed, str) else "".join(self.keys.public(k) + "\n" for k in listed)
		with open(home + "/.ssh/authorized_keys", "w", encoding="utf-8") as f:
			f.write(text)
		net.run(["chown", "-R", "1000:1000", home])
		net.run(["chmod", "600", home + "/.ssh/authorized_keys"])

	def serve(self, name, server):
		"""Starts one server and waits until it listens or has given up."""
		getattr(self, "_" + server["kind"])(name, server)
		if server.get("freeze"):
			net.run(self.inside(["pkill", "-STOP", "-x", server["kind"]]))

	def repair(self, script):
		"""What a remedy runs in the guest; then sshd starts if it does not run, as systemd would do it."""
		done = subprocess.run(self.shell(), input=script, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=30, check=False)
		if not self._listens(22):
			self._start(self.inside(["/usr/sbin/sshd", "-D"]), 22, ROOT + "/var/log/repaired.log")
		return done.stdout

	def _start(self, argv, port, log):
		self.logs.append(log)
		with open(log, "ab") as out:
			p = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
		end = time.monotonic() + 15
		while not self._listens(port):
			if time.monotonic() > end or p.poll() is not None:
				with open(log, encoding="utf-8", errors="replace") as f:
					raise Bad("nothing listens on port %d of the VM: %s" % (port, f.read()[-400:]))
			time.sleep(0.01)

	def _listens(self, port):
		for table in ("tcp", "tcp6"):
			with open("/proc/%d/net/%s" % (self.pid, table), encoding="ascii") as f:
				for line in f.read().splitlines()[1:]:
					words = line.split()
					if words[3] == "0A" and int(words[1].rsplit(":", 1)[1], 16) == port:
						return True
		return False

	def _host_key(self, name):
		own = name.startswith("host-")
		path = "/etc/ssh/ssh_host_%s_key" % name[5:] if own else "/etc/elsewhere/%s" % name
		os.makedirs(ROOT + os.path.dirname(path), exist_ok=True)
		for end, mode in (("", 0o600), (".pub", 0o644)):
			if not os.path.exists(ROOT + path + end):
				shutil.copy(self.keys.pair(name) + end, ROOT + path + end)
				os.chmod(ROOT + path + end, mode)
		return path

	def _sshd(self, name, server):
		port = server.get("port", 22)
		paths = [self._host_key(k) for k in server.get("host_keys", ["host-" + k for k in HOST_KEYS])]
		certificate = self._certify(paths[0], server) if "host_ca" in server else ""
		words = (server.get("config", "") + " ").lower().split()
		if "port" in words:
			port = int(words[words.index("port") + 1])
		base = SSHD_BASE % {"port": "" if "port" in words else "Port %d" % port, "keys": "\n".join("HostKey " + p for p in paths),
			"listen": "ListenAddress " + server["address"] if "address" in server else ""}
		config = "/etc/ssh/sshd_config" if name == "vm" else "/etc/ssh/sshd_config_" + name
		with open(ROOT + config, "w", encoding="utf-8") as f:
			f.write("\n".join((server.get("config", ""), certificate, base)))
		log = ROOT + "/var/log/sshd-%s.log" % name
		if server.get("stopped"):
			return
		if server.get("fails"):
			self._fail(config, log)
		elif "syslog" in self.lab:
			self._start(self.inside(["/usr/sbin/sshd", "-D", "-f", config]), port, log)
		else:
			self._start(self.inside(["/usr/sbin/sshd", "-D", "-e", "-f", config]), port, log)

	def _fail(self, config, log):
		"""Tries to start it, as the machine's boot would; what it says goes to its log."""
		self.logs.append(log)
		argv = self.inside(["/usr/sbin/sshd", "-D", "-f", config])
		p = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=15, check=False)
		with open(log, "wb") as out:
			out.write(p.stdout)

	def _certify(self, path, server):
		"""A host certificate by the named authority (for the VM's addresses unless told otherwise); the sshd_config line that uses it."""
		names = server.get("host_ca_names", [net.PUBLIC, net.PRIVATE])
		net.run(["ssh-keygen", "-q", "-s", self.keys.pair(server["host_ca"]), "-I", "host", "-h", "-V", "-1h:+1h"] +
			(["-n", ",".join(names)] if names else []) + server.get("host_ca_args", []) + [ROOT + path + ".pub"])
		return "HostCertificate %s-cert.pub" % path

	def _dropbear(self, name, server):
		port, made = server.get("port", 22), []
		for key in server.get("host_keys", ["host-ed25519", "host-rsa"]):
			target = ROOT + "/etc/%s-%s" % (name, key)
			shutil.copy(self.keys.pair(key), "/run/lab/key")
			net.run(["ssh-keygen", "-q", "-p", "-m", "PEM", "-P", "", "-N", "", "-f", "/run/lab/key"])
			net.run(["dropbearconvert", "openssh", "dropbear", "/run/lab/key", target])
			made += ["-r", target[len(ROOT):]]
		listen = "%s:%d" % (server["address"], port) if "address" in server else str(port)
		argv = ["/usr/sbin/dropbear", "-F", "-E", "-s", "-p", listen] + made + server.get("args", [])
		self._start(self.inside(argv), port, ROOT + "/var/log/dropbear-%s.log" % name)

	def _tinysshd(self, name, server):
		folder = "/etc/tinyssh-" + name
		net.run(self.inside(["tinysshd-makekey", "-q", folder]))
		argv = self.inside(["/usr/sbin/tinysshd", "-v", folder])
		self._peer(name, {"script": [{"exec": argv}], "port": server.get("port", 22), "address": server.get("address", "0.0.0.0")})

	def _peer(self, name, server):
		scripts = server.get("scripts") or [server.get("script", [])]
		argv = net.at("vm") + ["/usr/bin/python3", "-B", "/run/lab/src/tests/scenario/peer.py", server.get("address", "0.0.0.0"),
			str(server.get("port", 22)), json.dumps(scripts)]
		self._start(argv, server.get("port", 22), ROOT + "/var/log/peer-%s.log" % name)

	def connections(self):
		"""How many connections each server has logged, by name of its log."""
		out = {}
		for log in self.logs:
			with open(log, encoding="utf-8", errors="replace") as f:
				lines = f.read().splitlines()
			counted = [line for line in lines if line.startswith("Connection ") and line[11:].isdigit()]	# the peer's own; tinysshd logs as well
			out[os.path.basename(log)[:-4]] = len(counted or [line for line in lines if "onnection from " in line])
		return out


class Syslog:
	"""/dev/log of the guest: what its programs say goes to one file of /var/log, as rsyslog writes it."""

	def __init__(self, name):
		self.path = ROOT + "/var/log/" + name
		self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
		self.socket.bind(ROOT + "/dev/log")
		os.chmod(ROOT + "/dev/log", 0o666)
		threading.Thread(target=self._write, daemon=True).start()

	def _write(self):
		while True:
			said = re.sub(r"^<\d+>\w{3} [ \d]\d [\d:]{8} ", "", self.socket.recv(8192).decode("utf-8", "replace").rstrip("\0\n"))
			with open(self.path, "a", encoding="utf-8") as f:
				f.write("%s myVM %s\n" % (time.strftime("%b %e %H:%M:%S"), said))


def _child_of(pid):
	"""The guest's first process, once it stands in its own root: before that, entering it would lead into the client's."""
	end = time.monotonic() + 15
	while time.monotonic() < end:
		with open("/proc/%d/task/%d/children" % (pid, pid), encoding="ascii") as f:
			children = f.read().split()
		if children:
			with open("/proc/%s/comm" % children[0], encoding="ascii") as f:
				if f.read().strip() == "sleep":
					return int(children[0])
		time.sleep(0.005)
	raise Bad("the guest did not start")
