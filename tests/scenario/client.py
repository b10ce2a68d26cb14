"""The client of the lab: a made-up home, accounts, name service, agent and known_hosts of the person who runs the doctor."""

import base64
import hashlib
import hmac
import json
import os
import pwd
import socket
import stat
import subprocess
import time

from . import guest, net
from .load import Bad

# what az keeps, for a tenant that no scenario knows
AZ_SECRETS = {
	"~/.azure/msal_token_cache.json": json.dumps({"AccessToken": {"k": {"secret": "CANARYaccesstoken", "realm": "other", "environment": "login.microsoftonline.com",
		"target": "https://management.core.windows.net//.default", "token_type": "Bearer", "expires_on": "9999999999"}},
		"RefreshToken": {"r": {"secret": "CANARYrefreshtoken"}}, "IdToken": {"i": {"secret": "CANARYidtoken"}}}),
	"~/.azure/service_principal_entries.json": json.dumps([{"client_id": "c", "tenant": "t", "client_secret": "CANARYsecret"}]),
}
COPIED = ("passwd", "group", "shadow")


class Client:
	def __init__(self, lab, keys):
		self.lab = lab
		self.keys = keys
		self.root = lab.get("user", "me") == "root"
		self.name = "root" if self.root else "me"
		self.uid = 0 if self.root else 1000
		self.home = "/home/" + self.name
		self.env = {"HOME": self.home, "USER": self.name, "LOGNAME": self.name, "LANG": "C.UTF-8", "TMPDIR": "/run/lab/tmp",
			"AZURE_CONFIG_DIR": self.home + "/.azure", "PATH": "/run/lab/bin:/usr/sbin:/usr/bin:/sbin:/bin"}

	def argv(self, argv):
		if self.root:
			return ["setpriv", "--pdeathsig", "KILL"] + argv
		return ["setpriv", "--reuid", "1000", "--regid", "1000", "--clear-groups", "--bounding-set", "-all", "--inh-caps", "-all",
			"--no-new-privs", "--pdeathsig", "KILL"] + argv

	def build(self):
		self._accounts()
		net.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/home"])
		net.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/etc/ssh"])
		open("/etc/ssh/ssh_config", "wb").close()
		for name, uid in (("me", 1000), ("root", 0), ("other", 1001)):
			for folder in ("", "/.ssh", "/.azure"):
				os.makedirs("/home/%s%s" % (name, folder), mode=0o700)
				os.chown("/home/%s%s" % (name, folder), uid, uid)
		os.mkdir("/run/lab/tmp", mode=0o700)
		os.mkdir("/run/lab/work", mode=0o700)
		for folder in ("/run/lab/tmp", "/run/lab/work"):
			os.chown(folder, self.uid, self.uid)
		self._names()
		self._programs()
		files = self.lab.get("files") or []
		for name, content in AZ_SECRETS.items():
			if all(self.place(recipe["path"]) != self.place(name) for recipe in files):
				self._file({"path": name, "content": content, "mode": "600"})
		for recipe in files:
			self._file(recipe)
		if self.lab.get("ssh_config"):
			self._file({"path": "~/.ssh/config", "content": self.lab["ssh_config"], "mode": "600"})
		if self.lab.get("known_hosts") is not None:
			end = "\r\n" if self.lab.get("known_hosts_crlf") else "\n"
			lines = [self._known(k) for k in self.lab["known_hosts"]]
			self._file({"path": "~/.ssh/known_hosts", "content": "".join(line + end for line in lines), "mode": "600"})
		self._agent(self.lab.get("agent"))

	def before(self):
		if "before" in self.lab:
			net.run(self.argv(["env", "-i"] + ["%s=%s" % kv for kv in self.env.items()] + ["/bin/sh", "-e"]), self.lab["before"])

	def _accounts(self):
		os.makedirs("/run/lab/etc/etc")
		for name in COPIED:
			net.run(["cp", "-a", "/etc/" + name, "/run/lab/etc/etc/"])
		for name, uid in (("me", 1000), ("other", 1001), ("root", 0)):
			guest.account("/run/lab/etc", name, uid, "/home/" + name)
		for name in COPIED:
			net.run(["mount", "--bind", "/run/lab/etc/etc/" + name, "/etc/" + name])

	def _names(self):
		hosts = "127.0.0.1 localhost\n::1 localhost\n"
		for name, addresses in self.lab.get("hosts", {}).items():
			hosts += "".join("%s %s\n" % (a, name) for a in ([addresses] if isinstance(addresses, str) else addresses))
		dns = self.lab.get("dns")
		resolv = "nameserver 203.0.113.53\n" if dns and dns.get("silent") else "nameserver 127.0.0.53\n"
		resolv += "search %s\n" % " ".join(dns["search"]) if dns and "search" in dns else ""
		for name, text in (("hosts", hosts), ("resolv.conf", resolv), ("nsswitch.conf", "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n")):
			path = "/run/lab/etc/etc/" + name
			with open(path, "w", encoding="utf-8") as f:
				f.write(text)
			target = os.path.realpath("/etc/" + name)
			if os.path.exists(target):
				net.run(["mount", "--bind", path, target])
		if dns and "records" in dns:
			subprocess.Popen(["/usr/bin/python3", "-B", "/run/lab/src/tests/scenario/dns.py", "127.0.0.53", json.dumps(dns)],
				stdin=subprocess.DEVNULL)
			_until(lambda: ":0035" in open("/proc/net/udp", encoding="ascii").read(), "name server")

	def _programs(self):
		for name, text in self.lab.get("bin", {}).items():
			path = "/run/lab/bin/" + name
			with open(path, "w", encoding="utf-8") as f:
				f.write(text)
			os.chmod(path, 0o755)
		hidden = set(self.lab.get("hide", [])) | {"az"}
		if not any(os.path.exists("/usr/bin/" + name) for name in hidden):
			return
		os.mkdir("/run/lab/path")
		for folder in ("/usr/bin", "/usr/sbin"):
			for name in os.listdir(folder):
				if name not in hidden and not os.path.lexists("/run/lab/path/" + name):
					os.symlink(folder + "/" + name, "/run/lab/path/" + name)
		self.env["PATH"] = "/run/lab/bin:/run/lab/path"

	def place(self, path):
		return self.home + path[1:] if path.startswith("~/") or path == "~" else path

	def _file(self, recipe):
		path = self.place(recipe["path"])
		made = []
		folder = os.path.dirname(path)
		while not os.path.isdir(folder):
			made.append(folder)
			folder = os.path.dirname(folder)
		for folder in reversed(made):
			os.mkdir(folder, mode=0o755)
			os.chown(folder, self.uid, self.uid)
		if "link" in recipe:
			os.symlink(self.place(recipe["link"]), path)
			return
		self._fill(path, recipe)
		owner = pwd.getpwnam(recipe.get("owner", self.name)).pw_uid
		os.chown(path, owner, owner)
		secret = "key" in recipe and not (isinstance(recipe["key"], dict) and recipe["key"].get("format") in ("public", "cert", "rfc4716"))
		folder_mode = recipe.get("kind") == "directory"
		os.chmod(path, int(recipe.get("mode", "600" if secret else "755" if folder_mode else "644"), 8))

	def _fill(self, path, recipe):
		kind = recipe.get("kind", "file")
		if kind == "directory":
			os.mkdir(path)
		elif kind == "fifo":
			os.mkfifo(path)
		elif kind == "socket":
			os.mknod(path, stat.S_IFSOCK | 0o600)
		else:
			if "key" in recipe:
				data = self.keys.content(recipe["key"])
			elif "hex" in recipe:
				data = bytes.fromhex(recipe["hex"])
			else:
				data = recipe.get("content", "").encode("utf-8")
			with open(path, "wb") as f:
				f.write(data)
				if "size" in recipe:
					f.truncate(recipe["size"])

	def _known(self, entry):
		if isinstance(entry, str):
			return entry
		name = entry.get("host", net.PUBLIC)
		if entry.get("port", 22) != 22:
			name = "[%s]:%d" % (name, entry["port"])
		if entry.get("hashed"):
			salt = hashlib.sha1(name.encode()).digest()
			mac = hmac.new(salt, name.lower().encode(), "sha1").digest()
			name = "|1|%s|%s" % (base64.b64encode(salt).decode(), base64.b64encode(mac).decode())
		public = self.keys.public(entry.get("key", "host-" + entry.get("type", "ed25519")))
		mark = "@%s " % entry["marker"] if "marker" in entry else ""
		return "%s%s %s" % (mark, name, " ".join(public.split()[:2]))

	def _agent(self, agent):
		if agent is None:
			return
		agent = {"keys": agent} if isinstance(agent, list) else agent
		path = "/run/lab/tmp/agent.sock"
		self.env["SSH_AUTH_SOCK"] = path
		if agent.get("stall"):
			self.deaf = socket.socket(socket.AF_UNIX)
			self.deaf.bind(path)
			self.deaf.listen(8)
			os.chown(path, self.uid, self.uid)
			return
		self.agent = subprocess.Popen(self.argv(["ssh-agent", "-D", "-a", path]), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
		_until(lambda: os.path.exists(path), "ssh-agent")
		for key in agent.get("keys", []):
			self._add(key, ["-c"] if agent.get("confirm") else [])
		if agent.get("locked"):
			env = dict(self.env, SSH_ASKPASS="/bin/pwd", SSH_ASKPASS_REQUIRE="force", DISPLAY=":0")
			subprocess.run(self.argv(["ssh-add", "-x"]), env=env, stdin=subprocess.DEVNULL, check=True, timeout=10, stderr=subprocess.DEVNULL)

	def _add(self, key, options):
		path = "/run/lab/tmp/key"
		with open(path, "wb") as f:
			f.write(self.keys.content(key))
		os.chmod(path, 0o600)
		os.chown(path, self.uid, self.uid)
		p = subprocess.run(self.argv(["ssh-add", "-q"] + options + [path]), env=self.env, stdin=subprocess.DEVNULL,
			stderr=subprocess.PIPE, text=True, check=False, timeout=10)
		os.unlink(path)
		if p.returncode:
			raise Bad("ssh-add: " + p.stderr.strip())


def _until(ready, what, limit=5):
	end = time.monotonic() + limit
	while time.monotonic() < end:
		if ready():
			return
		time.sleep(0.01)
	raise Bad("%s did not start" % what)
