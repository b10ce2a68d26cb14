"""Where the programs are, why the lab cannot be built here, and how its first process is started."""

import json
import os
import shutil
import subprocess
import sys

PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"


def program_paths():
	"""The program under test and the simulator."""
	build = os.environ.get("builddir", os.getcwd())
	return [os.path.abspath(os.environ.get(word, os.path.join(build, name))) for word, name in (("DOCTOR", "azssh-doctor"), ("SIM", "tests/azssh-sim"))]


def why_not(programs):
	"""Why the lab cannot be built here, in one sentence; None when it can."""
	for program in programs:
		if not os.access(program, os.X_OK):
			return "%s is not built" % program
	if os.geteuid() != 0:
		return "the lab needs root (network and mount namespaces)"
	missing = [t for t in ("unshare", "nsenter", "setpriv", "ip", "nft", "ssh", "sshd", "ssh-keygen", "openssl") if not shutil.which(t, path=PATH)]
	if missing:
		return "the lab needs " + ", ".join(missing)
	probe = subprocess.run(["unshare", "-mnp", "--fork", "--kill-child", "--mount-proc", "true"], stderr=subprocess.PIPE, text=True,
		stdin=subprocess.DEVNULL, check=False, timeout=20)
	return None if probe.returncode == 0 else "no namespaces here: " + probe.stderr.strip()


def start(main, folder, job, limit):
	"""Runs MAIN --inside FOLDER/job.json as process 1 of new namespaces; None, or a complaint when it was killed."""
	with open(os.path.join(folder, "job.json"), "w", encoding="utf-8") as f:
		json.dump(job, f)
	argv = ["setpriv", "--pdeathsig", "KILL", "unshare", "-mnp", "--fork", "--kill-child", "--mount-proc", sys.executable, "-B",
		os.path.abspath(main), "--inside", os.path.join(folder, "job.json")]
	with open(os.path.join(folder, "lab.err"), "wb") as err:
		p = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=err, stderr=err, env={"PATH": PATH, "LANG": "C.UTF-8"})
		try:
			p.wait(limit)
		except subprocess.TimeoutExpired:
			p.kill()
			p.wait()
			return "killed: nothing came back within %d s" % limit
	if not os.path.exists(os.path.join(folder, "outcome.json")):
		with open(os.path.join(folder, "lab.err"), encoding="utf-8", errors="replace") as f:
			return "the lab broke: " + f.read()[-600:]
	return None
