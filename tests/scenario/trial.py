"""Plays drawn set-ups one after the other in one lab: the real ssh and the doctor, on the same files, against the same server."""

import json
import os
import shutil
import subprocess
import traceback

from . import client, guest, net, setups
from .keys import Keys

LAB = "/run/lab"
OUT = LAB + "/out"
AGENTS = {"empty": [], "other": ["k1"], "full": ["k%d" % i for i in range(1, 9)]}


class Trials:
	def __init__(self, job):
		self.job = job
		recipes = dict(setups.RECIPES, **{"host-" + k: {"type": k} for k in guest.HOST_KEYS})
		self.keys = Keys(LAB + "/keys", recipes)
		lab = {"authorized_keys": list(setups.KINDS), "agent": None, "known_hosts": None,
			"guest": "echo '%s' > /etc/ssh/user_ca.pub" % self.keys.public("ca")}
		net.build(lab)
		self.guest = guest.Guest(lab, self.keys)
		self.guest.build()
		self.started = set()
		self.client = client.Client(lab, self.keys)
		self.client.build()
		self.home = self.client.home

	# ---- one set-up ----

	def _server(self, name):
		if name not in self.started:
			self.guest.serve(name, dict(setups.SERVERS[name], port=setups.PORTS[name]))
			self.started.add(name)

	def _clean(self):
		agent, self.client.agent = getattr(self.client, "agent", None), None
		if agent is not None:
			agent.kill()
			agent.wait()
		self.client.env.pop("SSH_AUTH_SOCK", None)
		for folder in (self.home, "/run/lab/tmp"):
			for entry in os.listdir(folder):
				path = os.path.join(folder, entry)
				if os.path.isdir(path) and not os.path.islink(path):
					shutil.rmtree(path)
				else:
					os.unlink(path)
		os.mkdir(self.home + "/.ssh", mode=0o700)
		os.chown(self.home + "/.ssh", self.client.uid, self.client.uid)

	def _recipe(self, setup):
		recipe = {"of": setup["kind"] + ("" if setup["known"] else "-x"), "format": setup["form"]}
		recipe.update({"passphrase": setup["phrase"]} if setup["phrase"] else {})
		recipe.update({"defect": setup["defect"]} if setup["defect"] else {})
		return recipe

	def _files(self, setup):
		"""Lays the key and what stands beside it; the path that is given to ssh."""
		place, default = setup["place"], "~/.ssh/" + setups.DEFAULT[setup["kind"]]
		path = {"default": default, "unnamed": "~/.ssh/vm.pem", "missing": "~/Downloads/vm.pem", "spaced": "~/my keys/the vm.pem",
			"token": "~/keys/%s.azureuser" % net.PUBLIC}.get(place, "~/keys/vm.pem")
		recipe, owner = self._recipe(setup), setup["owner"]
		name = recipe["of"]
		self.client._file({"path": path, "key": recipe, "mode": setup["mode"], "owner": "me" if owner == "me" else owner})
		if setup["pub"] == "garbage" or setup["pub"] == "empty":
			self.client._file({"path": path + ".pub", "content": "no key at all\n" if setup["pub"] == "garbage" else ""})
		elif setup["pub"] in ("options", "crlf"):
			line = self.keys.public(name)
			self.client._file({"path": path + ".pub", "content": line + "\r\n" if setup["pub"] == "crlf" else 'no-pty,from="10.*" ' + line + "\n"})
		elif setup["pub"] == "private":
			self.client._file({"path": path + ".pub", "key": name})
		elif setup["pub"] is not None:
			self.client._file({"path": path + ".pub", "key": {"of": "k8" if setup["pub"] == "other" else name, "format": "public"},
				"mode": "666" if setup["pub"] == "open" else "644"})
		if setup["cert"] is not None:
			self.client._file({"path": path + "-cert.pub", "key": dict({"of": name, "format": "cert"}, **{
				"valid": {}, "expired": {"valid": "-2h:-1h"}, "future": {"valid": "+1h:+2h"}, "principal": {"principals": "bob"},
				"ca": {"ca": "ca2"}}[setup["cert"]])})
			if "own-cert" in (setup["config"] or ""):
				os.rename(self.home + path[1:] + "-cert.pub", self.home + "/.ssh/own-cert.pub")
		if place == "linked":
			self.client._file({"path": "~/link.pem", "link": path})
			return "~/link.pem"
		if place == "pub-named":
			self.client._file({"path": path + "2.pub", "key": {"of": name, "format": "public"}})
			return path + "2.pub"
		return {"missing": "~/.ssh/vm.pem"}.get(place, path)

	def _agent(self, setup):
		agent, name = setup["agent"], self._recipe(setup)["of"]
		if agent == "dead":
			self.client.env["SSH_AUTH_SOCK"] = "/run/lab/tmp/gone.sock"
		elif agent == "a-file":
			self.client._file({"path": "~/agent.sock", "content": "no socket"})
			self.client.env["SSH_AUTH_SOCK"] = self.home + "/agent.sock"
		elif agent == "certificate":
			self.client._agent({"keys": [name]})
			self._add_certificate(name)
		elif agent == "confirm":
			self.client._agent({"keys": [name], "confirm": True})
		elif agent == "locked":
			self.client._agent({"keys": [name], "locked": True})
		elif agent is not None:
			others = AGENTS["full"]
			self.client._agent(AGENTS.get(agent) if agent in AGENTS else {"good": [name], "full-good": others + [name],
				"good-full": [name] + others, "five-good": others[:5] + [name]}[agent])

	def _add_certificate(self, name):
		"""The key once more, with a certificate beside it, which ssh-add takes along."""
		path = "/run/lab/tmp/signed"
		for end, form in (("", "openssh"), ("-cert.pub", "cert")):
			with open(path + end, "wb") as f:
				f.write(self.keys.content({"of": name, "format": form}))
			os.chmod(path + end, 0o600)
			os.chown(path + end, self.client.uid, self.client.uid)
		subprocess.run(self.client.argv(["ssh-add", "-q", path]), env=self.client.env, stdin=subprocess.DEVNULL, timeout=10, check=False,
			stderr=subprocess.DEVNULL)

	def _extra(self, setup, path):
		"""Further keys, named before or behind the one that counts; lines for ssh_config."""
		extra, other = setup["extra"], self._recipe(setup)["of"] + ("-x" if setup["known"] else "")
		if extra == "many-defaults":
			for name, key in (("id_rsa", "rsa-x"), ("id_ecdsa", "ecdsa-x"), ("id_ed25519", "ed25519-x"), ("id_ed25519_sk", "sk-x")):
				if not os.path.exists(self.home + "/.ssh/" + name):
					self.client._file({"path": "~/.ssh/" + name, "key": key})
		elif extra == "good-default" and not os.path.exists(self.home + "/.ssh/id_ecdsa"):
			self.client._file({"path": "~/.ssh/id_ecdsa", "key": "ecdsa"})
		elif extra in ("x-before", "x-after", "open-before", "broken-before", "encrypted-before"):
			self.client._file({"path": "~/keys/extra", "mode": "644" if extra == "open-before" else "600", "key": dict({"of": other},
				**{"broken-before": {"defect": "truncated"}, "encrypted-before": {"passphrase": "secret"}}.get(extra, {}))})
			names = ["~/keys/extra", path] if extra != "x-after" else [path, "~/keys/extra"]
			return ["  IdentityFile " + ('"%s"' % name if " " in name else name) for name in names]
		return []

	def _listed(self, setup):
		"""authorized_keys as this set-up has it."""
		home, listed = guest.ROOT + "/home/azureuser", setup["listed"]
		path = home + "/.ssh/authorized_keys"
		lines = [self.keys.public(kind) for kind in setups.KINDS]
		if listed in ("command", "restrict", "from", "expired"):
			word = {"command": 'command="exit 0"', "restrict": "restrict,pty", "from": 'from="198.51.100.9"', "expired": 'expiry-time="20200101"'}[listed]
			lines = [word + " " + line for line in lines]
		elif listed == "broken":
			lines = [line[:50] + "\n" + line[50:] for line in lines]
		elif listed == "comment-only":
			lines = ["# " + line for line in lines]
		elif listed in ("last", "twice"):
			lines = [self.keys.public("k8"), "garbage", ""] + lines * (2 if listed == "twice" else 1)
		with open(path, "w", encoding="ascii", newline="") as f:
			f.write("".join(line + ("\r\n" if listed == "crlf" else "\n") for line in lines) if listed != "absent" else "")
		os.chmod(path, 0o666 if listed == "writable" else 0o600)
		os.chmod(home, 0o777 if listed == "home-writable" else 0o755)
		owner = 0 if listed == "foreign" else 1000
		os.chown(path, owner, owner)

	def _config(self, setup, path):
		place = setup["place"]
		lines = ["Host *"] + (["  " + setup["config"]] if setup["config"] else [])
		lines += self._extra(setup, path)
		if place in ("config", "spaced", "include"):
			lines.append('  IdentityFile "%s"' % path)
		elif place == "token":
			lines.append("  IdentityFile %d/keys/%h.%r")
		elif place == "match":
			lines += ["Match originalhost %s" % net.PUBLIC, "  IdentityFile " + path]
		elif place == "alias":
			lines = ["Host work", "  HostName " + net.PUBLIC, "  IdentityFile " + path, "  Port %d" % setups.PORTS[setup["server"]]] + lines
		if place in ("in-block", "apart", "never", "comma"):
			lines = self._not_counting(place, path) + lines
		if place == "include":
			self.client._file({"path": "~/.ssh/more", "content": "\n".join(lines) + "\n", "mode": "600"})
			lines = ["Include more", "Host other", "  User nobody"]
		if len(lines) > 1 or setup["config_mode"] != "600":
			self.client._file({"path": "~/.ssh/config", "content": "\n".join(lines) + "\n", "mode": setup["config_mode"]})
		host = "host-ed25519" if setup["server"] != "tinysshd" else None
		port = setups.PORTS[setup["server"]]
		lines = [self.client._known({"port": port, "key": "host-" + k}) for k in guest.HOST_KEYS] if host else [self._scanned(port)]
		self.client._file({"path": "~/.ssh/known_hosts", "content": "".join(line + "\n" for line in lines), "mode": "600"})

	def _not_counting(self, place, path):
		"""The key's line where it does not count for the host."""
		line = "  IdentityFile " + path
		if place == "in-block":
			self.client._file({"path": "~/.ssh/more", "content": "Host %s\n%s\n" % (net.PUBLIC, line), "mode": "600"})
			return ["Host elsewhere.test", "  User git", "", "Include more", ""]
		return {"apart": ["Host elsewhere.test", "  User git", "", line.strip(), ""], "comma": ["Host vm,%s" % net.PUBLIC, line],
			"never": ["Match canonical originalhost %s" % net.PUBLIC, line]}[place]

	def _scanned(self, port):
		text = net.run(["ssh-keyscan", "-T", "3", "-t", "ed25519", "-p", str(port), net.PUBLIC])
		return [line for line in text.splitlines() if line.startswith("[")][0]

	def play(self, setup):
		self._clean()
		self._server(setup["server"])
		path = self._files(setup)
		self._agent(setup)
		self._config(setup, path)
		self._listed(setup)
		alias = setup["place"] == "alias"
		host, port = "work" if alias else net.PUBLIC, [] if alias else ["-p", str(setups.PORTS[setup["server"]])]
		options = port + (["-l", setup["user"]] if setup["user"] else [])
		if setup["place"] in ("option", "missing", "linked", "pub-named"):
			options += ["-i", self.home + path[1:]]
		ssh = self._run(["ssh", "-v", "-o", "BatchMode=yes", "-o", "ConnectTimeout=5"] + options + ["--", host, "true"], 20)
		doctor = self._run([LAB + "/bin/azssh-doctor", "--no-azure", "--host", host, "-f", "json"] + options, 40)
		try:
			report = json.loads(doctor.stdout)
		except ValueError:
			report = None
		return {"setup": setup, "ssh": ssh.returncode, "log": ssh.stderr, "exit": doctor.returncode, "err": doctor.stderr, "report": report}

	def _run(self, argv, limit):
		try:
			return subprocess.run(self.client.argv(argv), env=self.client.env, cwd=self.home, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
				stderr=subprocess.PIPE, text=True, errors="replace", timeout=limit, check=False)
		except subprocess.TimeoutExpired:
			return subprocess.CompletedProcess(argv, None, "", "killed after %d s" % limit)


def main(job):
	done = []
	try:
		trials = Trials(job)
		for setup in job["setups"]:
			done.append(trials.play(setup))
		seen = {"trials": done}
	except Exception:
		seen = {"trials": done, "broken": traceback.format_exc()}
	with open(OUT + "/outcome.json", "w", encoding="utf-8") as f:
		json.dump(seen, f, indent=1)
	return 0
