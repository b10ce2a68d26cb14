"""What happens inside the namespaces of one scenario: build the lab, run the doctor, replay its bundle.

The runner starts this as process 1 of new pid, mount and network namespaces; whatever was started dies with it. The job
file says where things are; what was seen goes to OUT/outcome.json and files beside it."""

import fcntl
import json
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
import traceback

from . import client, guest, load, net
from .keys import Keys

LAB = "/run/lab"
OUT = LAB + "/out"
WORK = LAB + "/work"
KEPT = ("-r", "--rules", "--only", "--skip", "--remedy", "--fail-on")
# secrets that lie about in the environment and are nobody's business
CANARIES = ("AZURE_PASSWORD", "AZURE_CLIENT_CERTIFICATE_PASSWORD", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "IDENTITY_HEADER", "MSI_SECRET", "GITHUB_TOKEN",
	"SYSTEM_ACCESSTOKEN")
# Run Command of the lab: what it gives back, and every file of the guest before and after (but for logs, which sshd writes meanwhile)
GUEST_SHELL = """#!/bin/sh
files() {
	find %(root)s -xdev -path %(root)s/var/log -prune -o -printf '%%p %%m %%U %%G %%s %%T@ %%C@ %%l\\n' | sort
}
files > %(out)s/guest.before
%(shell)s "$@" > %(out)s/guest.out
status=$?
files > %(out)s/guest.after
cat %(out)s/guest.out
exit $status
"""
SANITIZERS = {"ASAN_OPTIONS": "exitcode=99:abort_on_error=0", "UBSAN_OPTIONS": "print_stacktrace=1", "LSAN_OPTIONS": "exitcode=99"}


def enter(job):
	"""First stage: bring program, simulator, sources and the folder for results to fixed places, then start again from there."""
	net.run(["mount", "--make-rprivate", "/"])
	net.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run"])
	for folder in ("bin", "src", "out", "keys", "vm/root"):
		os.makedirs(LAB + "/" + folder)
	os.chmod(LAB + "/vm", 0o700)
	os.makedirs("/run/netns")
	for source, name in ((job["doctor"], "azssh-doctor"), (job["sim"], "azssh-sim")):
		open(LAB + "/bin/" + name, "wb").close()
		net.run(["mount", "--bind", source, LAB + "/bin/" + name])
	for source, name in ((job["source"], "src"), (job["out"], "out"), (job["keys"], "keys")):
		net.run(["mount", "--bind", source, LAB + "/" + name])
	net.run(["mount", "-t", "tmpfs", "-o", "mode=1777", "tmpfs", "/tmp"])
	os.chdir("/")
	os.execv(sys.executable, [sys.executable, "-B", LAB + "/src/tests/" + job.get("main", "scenario.py"), "--inside", OUT + "/job.json"])


def _servers(lab):
	servers = dict(lab.get("servers", {}))
	if "sshd" in lab:
		servers["vm"] = dict(servers.get("vm") or {}, kind="sshd", config=lab["sshd"]) if lab["sshd"] is not None else None
	if "dropbear" in lab:
		servers["vm"] = {"kind": "dropbear", "args": lab["dropbear"]}
	if "peer" in lab:
		servers["vm"] = {"kind": "peer", "script": lab["peer"]}
	return {name: server for name, server in servers.items() if server}


class Inside:
	def __init__(self, job):
		self.job = job
		self.words = load.Words()
		scenario = load.load(LAB + "/src/tests/scenarios/" + job["file"], checked=True)
		recipes = {"good": {}, "other": {}, "ca": {}}
		recipes.update({"host-" + k: {"type": k} for k in guest.HOST_KEYS})
		recipes.update(scenario.get("lab", {}).get("keys", {}))
		self.keys = Keys(LAB + "/keys", recipes)
		user = scenario.get("lab", {}).get("user", "me")
		self.words.add({"ip": net.PUBLIC, "private": net.PRIVATE, "me": net.CLIENT, "home": "/home/" + user, "user": user, "src": LAB + "/src"})
		self.words.add(self.keys.words())
		self.world = load.world(scenario, self.words)
		self.tls = scenario.get("azure", {}).get("tls", False)
		self.trust = scenario.get("azure", {}).get("trust", True)
		self.scenario = self.words.fill({k: v for k, v in scenario.items() if k not in ("azure", "sets")})
		self.lab = self.scenario.get("lab", {})
		self.client = client.Client(self.lab, self.keys)
		self.guest = guest.Guest(self.lab, self.keys)

	def build(self):
		net.build(self.lab)
		self.guest.build()
		for name, server in _servers(self.lab).items():
			self.guest.serve(name, server)
		self.client.build()
		self._simulator()
		self.client.env.update(SANITIZERS)
		self.client.env.update({name: "CANARY" + name.replace("_", "") for name in CANARIES})
		for key, value in self.scenario.get("env", {}).items():
			if value is None:
				self.client.env.pop(key, None)
			else:
				self.client.env[key] = value
		self.client.before()
		net.change(self.lab)

	def _simulator(self):
		shell = LAB + "/bin/guest-shell"
		with open(shell, "w", encoding="ascii") as f:
			f.write(GUEST_SHELL % {"root": guest.ROOT, "out": OUT, "shell": " ".join(self.guest.shell())})
		os.chmod(shell, 0o755)
		self.world.setdefault("run_command", {"argv": [shell], "timeout": 20})
		with open(OUT + "/world.json", "w", encoding="utf-8") as f:
			json.dump(self.world, f, indent=1)
		argv = [LAB + "/bin/azssh-sim", "--world", OUT + "/world.json", "--address", "127.0.0.1", "--port", "0",
			"--log", OUT + "/requests.log", "--ready", LAB + "/ready", "--lifetime", str(int(self.job["limit"]) + 30)]
		if self.tls:
			os.makedirs(LAB + "/tls")
			argv += ["--tls", LAB + "/tls"]
		log = open(OUT + "/sim.err", "wb")
		sim = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=dict(SANITIZERS, PATH="/usr/bin:/bin"))
		end = time.monotonic() + 15
		while not os.path.exists(LAB + "/ready"):
			if time.monotonic() > end or sim.poll() is not None:
				raise load.Bad("the simulator did not start: " + open(OUT + "/sim.err", encoding="utf-8", errors="replace").read()[:500])
			time.sleep(0.01)
		with open(LAB + "/ready", encoding="ascii") as f:
			url = f.read().strip()
		client_id = next(iter(self.world["clients"]), "")
		self.client.env.update({"AZSSH_ARM_ENDPOINT": url, "AZURE_AUTHORITY_HOST": url, "AZURE_POD_IDENTITY_AUTHORITY_HOST": url,
			"AZURE_TENANT_ID": self.world["tenant"], "AZURE_CLIENT_ID": client_id,
			"AZURE_CLIENT_SECRET": self.world["clients"].get(client_id, {}).get("secret", "")})
		if self.tls and self.trust:
			net.run(["chmod", "-R", "a+rX", LAB + "/tls"])
			self.client.env["SSL_CERT_FILE"] = LAB + "/tls/ca.pem"

	def doctor(self, args, name, limit, terminal=False):
		"""Runs the program; stdout and stderr go to OUT/NAME.out and OUT/NAME.err (on a terminal of 80x24 all to NAME.out). The exit code; None:
		killed at the limit."""
		argv = self.client.argv([LAB + "/bin/azssh-doctor"] + args)
		if terminal:
			return self._on_terminal(argv, name, limit)
		stdin = self.scenario.get("stdin")
		with open("%s/%s.out" % (OUT, name), "wb") as out, open("%s/%s.err" % (OUT, name), "wb") as err:
			p = subprocess.Popen(argv, env=self.client.env, cwd=self.client.home, stdin=subprocess.PIPE, stdout=out, stderr=err,
				start_new_session=True)
			try:
				p.communicate(stdin.encode() if stdin else b"", timeout=limit)
			except subprocess.TimeoutExpired:
				p.kill()
				return None
		return p.returncode

	def _on_terminal(self, argv, name, limit):
		pid, fd = pty.fork()
		if pid == 0:
			fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
			os.chdir(self.client.home)
			os.execvpe(argv[0], argv, dict(self.client.env, TERM="xterm"))
		end, text = time.monotonic() + limit, b""
		while time.monotonic() < end:
			if not select.select([fd], [], [], 0.2)[0]:
				continue
			try:
				data = os.read(fd, 65536)
			except OSError:
				data = b""
			if not data:
				break
			text += data
		else:
			os.kill(pid, 9)
		for end in ("out", "err"):
			with open("%s/%s.%s" % (OUT, name, end), "wb") as f:
				f.write(text if end == "out" else b"")
		return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

	def run(self):
		args, expect = self.scenario.get("run", []), self.scenario["expect"]
		plain = expect.get("kind") in ("usage", "other")
		bundle = not plain and self.scenario.get("bundle", True)
		extra = [] if plain else ["-f", "json=%s/report.json" % WORK]
		own = any(a in ("-f", "--format") for a in args)
		if not plain and not own:
			extra = ["-f", "text"] + extra
		if bundle:
			extra += ["--bundle", WORK + "/bundle.json", "--no-redact"]
		began = time.monotonic()
		seen = {"exit": self.doctor(args + extra, "live", self.job["limit"], self.scenario.get("terminal", False)), "args": args + extra,
			"own_format": own or self.scenario.get("terminal", False)}
		seen["seconds"] = time.monotonic() - began
		self._collect("report.json", "live.json")
		self._collect("bundle.json", "bundle.json")
		if bundle and os.path.exists(WORK + "/bundle.json"):
			seen["replay"] = self._replay("replay", [])
			self.doctor(["--replay", WORK + "/bundle.json"], "screen", 15, terminal=True)
			check = expect.get("check")
			if check:
				seen["skipped"] = self._replay("skipped", ["--skip", check])
			self.doctor(["--redact", WORK + "/bundle.json", "--bundle", WORK + "/redacted.json"], "redact", 15)
			seen["redacted"] = self._replay("other", [], "redacted.json")
			self._collect("redacted.json", "redacted.json")
		seen["files"] = {path: self._left(path) for path in expect.get("files", {})}
		seen["metadata_packets"] = net.metadata_packets()
		seen["connections"] = self.guest.connections()
		for log in self.guest.logs:
			with open(log, "rb") as f, open(OUT + "/" + os.path.basename(log), "wb") as copy:
				copy.write(f.read())
		if self.job["truth"]:
			seen["login"] = self._login(args)
		seen["secrets"] = self.keys.secrets() + [c.get("secret", "") for c in self.world["clients"].values() if c.get("secret")]
		seen["words"] = {k: v for k, v in self.words.values.items()}
		seen["expect"] = expect
		if expect.get("cured"):
			seen["cured"] = self._cure(args)
		return seen

	def _cure(self, args):
		"""Runs the first remedy that changes the guest there, and the doctor once more: its exit code, and the cause that is left."""
		with open(OUT + "/live.json", encoding="utf-8") as f:
			remedies = json.load(f)["diagnosis"]["remedies"]
		argv = next(r["argv"] for r in remedies if r["changes"] == "guest" and "--scripts" in r.get("argv", []))
		said = self.guest.repair(argv[argv.index("--scripts") + 1])
		code = self.doctor(args + ["-f", "json"], "cured", self.job["limit"])
		with open(OUT + "/cured.out", encoding="utf-8") as f:
			return [code, (json.loads(f.read() or "{}").get("diagnosis") or {}).get("code"), said[-300:]]

	def _left(self, path):
		"""A file of the client after the run: what a scenario may say of it; found: a known_hosts file that knows the VM's address."""
		place = self.client.place(path)
		if not os.path.exists(place):
			return None
		with open(place, encoding="utf-8", errors="replace", newline="") as f:
			text = f.read()
		known = subprocess.run(["ssh-keygen", "-F", net.PUBLIC, "-f", place], stdin=subprocess.DEVNULL, capture_output=True, check=False)
		return {"mode": "%04o" % (os.stat(place).st_mode & 0o7777), "text": text, "lines": text.count("\n"), "link": os.path.islink(place),
			"found": known.returncode == 0}

	def _collect(self, source, target):
		if os.path.exists(WORK + "/" + source):
			with open(WORK + "/" + source, "rb") as f, open(OUT + "/" + target, "wb") as copy:
				copy.write(f.read())

	def _replay(self, name, more, bundle="bundle.json"):
		args, kept = self.scenario.get("run", []), list(more)
		for i, arg in enumerate(args[:-1]):
			if arg in KEPT and not (arg == "--skip" and more):
				kept += [arg, args[i + 1]]
			elif arg == "--skip":
				kept[kept.index("--skip") + 1] += "," + args[i + 1]
		target = "%s/%s.json" % (WORK, name)
		code = self.doctor(["--replay", WORK + "/" + bundle, "-f", "text", "-f", "json=" + target] + kept, name, 15)
		self._collect(name + ".json", name + ".json")
		return code

	def _login(self, args):
		"""Does the installed ssh get in, the way the scenario's options say? Only to prove that the lab plays what it claims."""
		options, rest, host = [], [], None
		words = iter(args)
		for word in words:
			if word in ("-i", "-p", "-l", "-F"):
				options += [word, next(words)]
			elif word == "--login":
				options += ["-l", next(words)]
			elif word == "--host":
				host = next(words)
			elif word in ("--no-ssh-config",):
				options += ["-F", "none"]
			elif word in ("-g", "-s", "--source-ip", "--deadline", "--only", "--skip", "-r", "--remedy", "--credential", "-f", "--ip-service", "--reference"):
				next(words)
			elif not word.startswith("-"):
				rest.append(word)
		user = re.match(r"([^/]*)@", rest[0]).group(1) if rest and "@" in rest[0] else None
		bare = rest[0].rsplit("@", 1)[-1].rsplit("/", 1)[-1] if rest else ""
		if host is None and self.lab.get("ssh_config") and bare and re.search(r"(?m)^Host .*\b%s\b" % re.escape(bare), self.lab["ssh_config"]):
			host = bare
		if host is None:
			host = bare if re.fullmatch(r"[0-9.]+", bare) else net.PUBLIC
		if user or ("-l" not in options and not re.search(r"(?mi)^\s*User\s", self.lab.get("ssh_config") or "")):
			options += ["-l", user or "azureuser"]
		argv = self.client.argv(["ssh", "-o", "BatchMode=yes", "-o", "ConnectTimeout=4"] + options + ["--", host, "true"])
		try:
			p = subprocess.run(argv, env=self.client.env, cwd=self.client.home, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
				stderr=subprocess.STDOUT, timeout=12, check=False)
			return [p.returncode, p.stdout.decode("utf-8", "replace")]
		except subprocess.TimeoutExpired:
			return [-1, "ssh hangs"]


def main(path):
	with open(path, encoding="utf-8") as f:
		job = json.load(f)
	if not os.path.isdir(LAB):
		enter(job)
	try:
		inside = Inside(job)
		inside.build()
		seen = inside.run()
	except load.Bad as e:
		seen = {"broken": str(e)}
	except Exception:
		seen = {"broken": traceback.format_exc()}
	with open(OUT + "/outcome.json", "w", encoding="utf-8") as f:
		json.dump(seen, f, indent=1)
	return 0
