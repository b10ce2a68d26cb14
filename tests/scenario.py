#!/usr/bin/python3
"""Runs the scenarios of tests/scenarios: every fault is played for real and judged by machine. TAP on stdout.

usage: scenario.py [-j N] [-v] [--keep] [--limit S] [--truth] [--list] [PATTERN...]

PATTERN is a scenario's name or a shell pattern (default: all). The program is $DOCTOR or $builddir/azssh-doctor, the
simulator $SIM or $builddir/tests/azssh-sim. --truth also asks the installed ssh whether the lab plays what the scenario claims."""

import argparse
import concurrent.futures
import fnmatch
import json
import os
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
try:
	from scenario import inside, load
	if sys.argv[1:2] != ["--inside"]:
		from scenario import judge
except ImportError as e:
	print("1..0 # SKIP %s (python3-yaml and python3-jsonschema for /usr/bin/python3 are needed)" % e)
	sys.exit(1 if os.environ.get("CI") == "true" else 0)

TESTS = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(TESTS)


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


PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"


def program_paths():
	"""The program under test and the simulator."""
	build = os.environ.get("builddir", os.getcwd())
	return [os.path.abspath(os.environ.get(word, os.path.join(build, name))) for word, name in (("DOCTOR", "azssh-doctor"), ("SIM", "tests/azssh-sim"))]


class Runner:
	def __init__(self, options, work):
		self.options = options
		self.work = work
		self.doctor, self.sim = program_paths()
		self.schemas = judge.Schemas(SOURCE)
		self.keys = os.path.join(work, "keys")
		os.makedirs(self.keys)

	def play(self, name, scenario):
		"""One scenario in namespaces of its own; complaints."""
		folder = os.path.join(self.work, name)
		os.makedirs(folder)
		limit = scenario.get("limit", self.options.limit)
		job = {"doctor": self.doctor, "sim": self.sim, "source": SOURCE, "out": folder, "keys": self.keys, "file": name + ".yaml",
			"limit": limit, "truth": self.options.truth}
		with open(os.path.join(folder, "job.json"), "w", encoding="utf-8") as f:
			json.dump(job, f)
		argv = ["setpriv", "--pdeathsig", "KILL", "unshare", "-mnp", "--fork", "--kill-child", "--mount-proc", sys.executable, "-B",
			os.path.abspath(__file__), "--inside", os.path.join(folder, "job.json")]
		with open(os.path.join(folder, "lab.err"), "wb") as err:
			p = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=err, stderr=err, env={"PATH": PATH, "LANG": "C.UTF-8"})
			try:
				p.wait(limit + 45)
			except subprocess.TimeoutExpired:
				p.kill()
				p.wait()
				return ["killed: nothing came back within %d s" % (limit + 45)]
		if not os.path.exists(os.path.join(folder, "outcome.json")):
			with open(os.path.join(folder, "lab.err"), encoding="utf-8", errors="replace") as f:
				return ["the lab broke: " + f.read()[-600:]]
		return judge.judge(scenario, folder, self.schemas)

	def one(self, name):
		try:
			scenario = load.load(os.path.join(TESTS, "scenarios", name + ".yaml"))
		except load.Bad as e:
			return {}, [str(e)]
		return scenario, self.play(name, scenario)

	def show(self, number, name, scenario, complaints):
		todo = " # TODO " + scenario["todo"] if "todo" in scenario and complaints else ""
		lines = ["%s %d - %s%s" % ("not ok" if complaints else "ok", number, name, todo)]
		lines += ["#   as expected now: the line 'todo' can go"] if "todo" in scenario and not complaints else []
		lines += ["#   " + c.replace("\n", "\n#   ") for c in complaints]
		if self.options.verbose or (complaints and self.options.verbose is None):
			for end in ("out", "err"):
				path = os.path.join(self.work, name, "live." + end)
				if os.path.exists(path):
					with open(path, encoding="utf-8", errors="replace") as f:
						lines += ["#   | " + line for line in f.read().splitlines()]
		print("\n".join(lines), flush=True)

	def all(self, names):
		print("1..%d" % len(names), flush=True)
		for name in self.schemas.missing:
			print("# %s is not there yet: documents are not compared with it" % name)
		failed = 0
		with concurrent.futures.ThreadPoolExecutor(self.options.jobs) as pool:
			waiting = [(name, pool.submit(self.one, name)) for name in names]
			for number, (name, future) in enumerate(waiting, 1):
				scenario, complaints = future.result()
				failed += bool(complaints) and "todo" not in scenario
				self.show(number, name, scenario, complaints)
				if not self.options.keep:
					shutil.rmtree(os.path.join(self.work, name), ignore_errors=True)
		return 1 if failed else 0


def main():
	if sys.argv[1:2] == ["--inside"]:
		return inside.main(sys.argv[2])
	parser = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1].split("\n")[0])
	parser.add_argument("-j", "--jobs", type=int, default=2)
	parser.add_argument("-v", "--verbose", action="store_true")
	parser.add_argument("--keep", action="store_true", help="leave the work folder")
	parser.add_argument("--limit", type=float, default=60, help="seconds a run of the program may take")
	parser.add_argument("--truth", action="store_true")
	parser.add_argument("--list", action="store_true")
	parser.add_argument("pattern", nargs="*", default=["*"])
	options = parser.parse_args()
	found = sorted(f[:-5] for f in os.listdir(os.path.join(TESTS, "scenarios")) if f.endswith(".yaml"))
	names = [n for n in found if any(fnmatch.fnmatch(n, p) for p in options.pattern)]
	if options.list:
		print("\n".join(names))
		return 0
	if not names:
		print("scenario.py: no scenario matches %s" % " ".join(options.pattern), file=sys.stderr)
		return 2
	reason = why_not(program_paths())
	if reason:
		print("1..0 # SKIP " + reason)
		return 1 if os.environ.get("CI") == "true" else 0
	work = tempfile.mkdtemp(prefix="scenarios.")
	try:
		return Runner(options, work).all(names)
	finally:
		if options.keep:
			print("# kept: " + work, flush=True)
		else:
			shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
	sys.exit(main())
