#!/usr/bin/python3
"""Runs the scenarios of tests/scenarios: every fault is played for real and judged by machine. TAP on stdout.

usage: scenario.py [-j N] [-v] [--keep] [--limit S] [--truth] [--results FILE] [--list] [PATTERN...]

PATTERN is a scenario's name or a shell pattern (default: all). The program is $DOCTOR or $builddir/azssh-doctor, the
simulator $SIM or $builddir/tests/azssh-sim. --truth also asks the installed ssh whether the lab plays what the scenario claims; --results is for scoreboard_test.py."""

import argparse
import concurrent.futures
import fnmatch
import json
import os
import shutil
import sys
import tempfile

sys.dont_write_bytecode = True
try:
	import az_commands
	from scenario import inside, launch, load
	if sys.argv[1:2] != ["--inside"]:
		from scenario import judge
except ImportError as e:
	print("1..0 # SKIP %s (python3-yaml and python3-jsonschema for /usr/bin/python3 are needed)" % e)
	sys.exit(1 if os.environ.get("CI") == "true" else 0)

TESTS = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(TESTS)


class Runner:
	def __init__(self, options, work):
		self.options = options
		self.work = work
		self.doctor, self.sim = launch.program_paths()
		self.schemas = judge.Schemas(SOURCE)
		self.printed = {}		# az command -> scenarios that print it
		self.keys = os.path.join(work, "keys")
		os.makedirs(self.keys)

	def play(self, name, scenario):
		"""One scenario in namespaces of its own; complaints."""
		folder = os.path.join(self.work, name)
		os.makedirs(folder)
		limit = scenario.get("limit", self.options.limit)
		job = {"doctor": self.doctor, "sim": self.sim, "source": SOURCE, "out": folder, "keys": self.keys, "file": name + ".yaml",
			"limit": limit, "truth": self.options.truth}
		broken = launch.start(__file__, folder, job, limit + 45)
		if broken:
			return [broken]
		if self.options.az:
			for args in judge.az_commands_of(folder):
				self.printed.setdefault(args, set()).add(name)
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

	def note(self, name):
		"""What the report said and how long the run took, one JSON line a scenario (--results)."""
		seen = judge.Seen(os.path.join(self.work, name))
		report = seen.report if isinstance(seen.report, dict) else {}
		found = judge.findings(report)
		with open(self.options.results, "a", encoding="utf-8") as f:
			f.write(json.dumps({"name": name, "diagnosis": report.get("diagnosis"), "codes": [x.get("code") for x in found],
				"statuses": [x.get("status") for x in found], "seconds": seen.outcome.get("seconds", 0)}) + "\n")

	def show_az(self, number):
		refused, own = az_commands.refusals(sorted(self.printed))
		complaints = ["%s: az %s: %s" % (", ".join(sorted(self.printed[args])[:5]), " ".join(args), why) for args, why in sorted(refused.items())]
		print("%s %d - az takes the %d commands of its own that were printed%s" % ("not ok" if complaints else "ok", number, len(self.printed),
			"" if own else " # SKIP azure-cli is not installed; extensions alone were looked at"))
		for complaint in complaints:
			print("#   " + complaint)
		return bool(complaints)

	def all(self, names):
		print("1..%d" % (len(names) + self.options.az), flush=True)
		for name in self.schemas.missing:
			print("# %s is not there yet: documents are not compared with it" % name)
		failed = 0
		with concurrent.futures.ThreadPoolExecutor(self.options.jobs) as pool:
			waiting = [(name, pool.submit(self.one, name)) for name in names]
			for number, (name, future) in enumerate(waiting, 1):
				scenario, complaints = future.result()
				failed += bool(complaints) and "todo" not in scenario
				self.show(number, name, scenario, complaints)
				if self.options.results and os.path.exists(os.path.join(self.work, name, "outcome.json")):
					self.note(name)
				if not self.options.keep:
					shutil.rmtree(os.path.join(self.work, name), ignore_errors=True)
		if self.options.az:
			failed += self.show_az(len(names) + 1)
		return 1 if failed else 0


def main():
	if sys.argv[1:2] == ["--inside"]:
		return inside.main(sys.argv[2])
	parser = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1].split("\n")[0])
	parser.add_argument("-j", "--jobs", type=int, default=2 * (os.cpu_count() or 1) + 1)    # most of them wait for a timeout
	parser.add_argument("-v", "--verbose", action="store_true")
	parser.add_argument("--keep", action="store_true", help="leave the work folder")
	parser.add_argument("--limit", type=float, default=60, help="seconds a run of the program may take")
	parser.add_argument("--truth", action="store_true")
	parser.add_argument("--az", action="store_true")
	parser.add_argument("--results", metavar="FILE", help="append one JSON line a scenario: what its report said")
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
	reason = launch.why_not(launch.program_paths())
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
