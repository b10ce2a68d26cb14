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
		path = {"default": default, "unnamed": "~/.ssh/vm.pem", "missing": "~/Downloads/vm.pem"}.get(place, "~/keys/vm.pem")
		recipe, owner = self._recipe(setup), setup["owner"]
		name = recipe["of"]
		self.client._file({"path": path, "key": recipe, "mode": setup["mode"], "owner": "me" if owner == "me" else owner})
		if setup["pub"] == "garbage" or setup["pub"] == "empty":
			self.client._file({"path": path + ".pub", "content": "no key at all\n" if setup["pub"] == "garbage" else ""})
		elif setup["pub"] is not None:
			self.client._file({"path": path + ".pub", "key": {"of": "k8" if setup["pub"] == "other" else name, "format": "public"},
				"mode": "666" if setup["pub"] == "open" else "644"})
		if setup["cert"] is not None:
			self.client._file({"path": path + "-cert.pub", "key": dict({"of": name, "format": "cert"}, **{
				"valid": {}, "expired": {"valid": "-2h:-1h"}, "future": {"valid": "+1h:+2h"}, "principal": {"principals": "bob"},
				"ca": {"ca": "ca2"}, "sha1": {}}[setup["cert"]])})
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
		elif agent == "confirm":
			self.client._agent({"keys": [name], "confirm": True})
		elif agent == "locked":
			self.client._agent({"keys": [name], "locked": True})
		elif agent is not None:
			others = AGENTS["full"]
			self.client._agent(AGENTS.get(agent) if agent in AGENTS else {"good": [name], "full-good": others + [name],
				"good-full": [name] + others, "five-good": others[:5] + [name]}[agent])

	def _config(self, setup, path):
		lines = ["Host *"] + (["  " + setup["config"]] if setup["config"] else [])
		lines += ["  IdentityFile " + path] if setup["place"] == "config" else []
		if len(lines) > 1 or setup["config_mode"] != "600":
			self.client._file({"path": "~/.ssh/config", "content": "\n".join(lines) + "\n", "mode": setup["config_mode"]})
		host = "host-ed25519" if setup["server"] != "tinysshd" else None
		port = setups.PORTS[setup["server"]]
		lines = [self.client._known({"port": port, "key": "host-" + k}) for k in guest.HOST_KEYS] if host else [self._scanned(port)]
		self.client._file({"path": "~/.ssh/known_hosts", "content": "".join(line + "\n" for line in lines), "mode": "600"})

	def _scanned(self, port):
		text = net.run(["ssh-keyscan", "-T", "3", "-t", "ed25519", "-p", str(port), net.PUBLIC])
		return [line for line in text.splitlines() if line.startswith("[")][0]

	def play(self, setup):
		self._clean()
		self._server(setup["server"])
		path = self._files(setup)
		self._agent(setup)
		self._config(setup, path)
		options = ["-p", str(setups.PORTS[setup["server"]])] + (["-l", setup["user"]] if setup["user"] else [])
		if setup["place"] in ("option", "missing", "linked", "pub-named"):
			options += ["-i", self.home + path[1:]]
		ssh = self._run(["ssh", "-v", "-o", "BatchMode=yes", "-o", "ConnectTimeout=5"] + options + ["--", net.PUBLIC, "true"], 20)
		doctor = self._run([LAB + "/bin/azssh-doctor", "--no-azure", "--host", net.PUBLIC, "-f", "json"] + options, 40)
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
