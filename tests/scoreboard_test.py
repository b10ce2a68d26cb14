#!/usr/bin/python3
"""The faults that the program is measured by (scoreboard.yaml): which of them are named first, how surely, and what is said for nothing.

usage: scoreboard_test.py         TAP: every row has a scenario that expects its answer, and the sums are those of scoreboard.yaml
       scoreboard_test.py --play  plays the scenario of every row (make scoreboard); a table, and a last line with the sums

The test plays nothing: run-scenarios plays every scenario anyway, and fails where one does."""

import json
import os
import subprocess
import sys
import tempfile

try:
	import yaml
except ImportError:
	print("1..0 # SKIP python3-yaml for /usr/bin/python3 is needed")
	sys.exit(1 if os.environ.get("CI") == "true" else 0)

TESTS = os.path.dirname(os.path.abspath(__file__))


class Row:
	"""One line of the table: a fault, several at once, or something odd that is in order."""

	def __init__(self, group, name, entry):
		entry = {"healthy": entry} if isinstance(entry, str) else entry
		self.group, self.name, self.open = group, name, entry.get("open")
		self.code = entry.get("first", name)
		self.kind = next((k for k in ("cause", "note", "healthy", "explain", "log") if k in entry), None)
		self.played = entry.get(self.kind)

	def promise(self):
		"""What is wrong with the row, without playing it; None: its scenario expects the row's answer."""
		if self.kind == "log":
			return None if self.code in log_answers().get(self.played, []) else "the table of logs does not expect it of %s" % self.played
		if self.kind in (None, "explain"):
			return None if self.kind or self.open else "neither a scenario nor a reason why there is none"
		path = os.path.join(TESTS, "scenarios", self.played + ".yaml")
		if not os.path.exists(path):
			return "there is no scenario %s" % self.played
		with open(path, encoding="utf-8") as f:
			scenario = yaml.safe_load(f)
		expect = scenario["expect"]
		if "todo" in scenario:
			return "its scenario %s is not right yet" % self.played
		if self.kind == "cause" and expect.get("cause") != self.code:
			return "%s expects %s, not %s alone" % (self.played, expect.get("cause"), self.code)
		if self.kind == "note" and expect.get("note") != self.code:
			return "%s does not expect the note %s" % (self.played, self.code)
		if self.kind == "healthy" and (expect.get("exit") != 0 or "cause" in expect):
			return "%s does not expect a healthy VM" % self.played
		return None

	def answer(self, result):
		"""From the report of a played scenario: the word for the table, and whether it counts."""
		diagnosis, codes = result.get("diagnosis") or {}, result.get("codes", [])
		if self.kind == "note":
			return ("noted", True) if self.code in codes and diagnosis.get("code") != self.code else ("no", False)
		if self.kind == "healthy":
			return ("clean", True) if not diagnosis and "fail" not in result.get("statuses", []) else ("alarm", False)
		if diagnosis.get("code") == self.code:
			return "yes", True
		return ("second" if self.code in diagnosis.get("next", []) else "no"), False


def log_answers():
	"""What from_log_test.py expects of each log: the codes that are right."""
	with open(os.path.join(TESTS, "data", "logs", "table.tsv"), encoding="utf-8") as f:
		rows = [line.rstrip("\n").split("\t") for line in f if line.strip() and not line.startswith("#")]
	return {row[0]: row[1].split("|") for row in rows}


def read():
	with open(os.path.join(TESTS, "scoreboard.yaml"), encoding="utf-8") as f:
		table = yaml.safe_load(f)
	rows = [Row(group, str(name), entry) for group in ("faults", "compound", "odd") for name, entry in table[group].items()]
	return rows, table["sums"]


def sums(rows, good):
	"""The last line's numbers; good(row) tells whether a row is as it should be."""
	first = [r for r in rows if r.group != "odd" and r.kind != "note"]
	notes = [r for r in rows if r.kind == "note"]
	odd = [r for r in rows if r.group == "odd"]
	return {"first": sum(map(good, first)), "of": len(first), "notes": sum(map(good, notes)), "notes_of": len(notes),
		"false_alarms": len(odd) - sum(map(good, odd)), "odd": len(odd)}


def check():
	rows, committed = read()
	print("1..%d" % (len(rows) + 1))
	failed = 0
	for number, row in enumerate(rows, 1):
		complaint = row.promise()
		failed += complaint is not None
		print("%s %d - %s%s" % ("not ok" if complaint else "ok", number, row.name, "\n#   " + complaint if complaint else ""))
	found = sums(rows, lambda r: r.kind is not None and r.promise() is None)
	failed += found != committed
	print("%s %d - the sums" % ("ok" if found == committed else "not ok", len(rows) + 1))
	if found != committed:
		print("#   found %s, scoreboard.yaml has %s" % (found, committed))
	return 1 if failed else 0


def doctor(*args):
	program = os.environ.get("DOCTOR") or os.path.join(os.environ.get("builddir", "."), "azssh-doctor")
	return subprocess.run([program, *args], capture_output=True, check=False)


def unseen(row):
	"""For what no run can see: whether --explain knows the word, or --from-log names it."""
	if row.kind == "explain":
		return ("explained", True) if doctor("--explain", row.played).returncode == 0 else ("no", False)
	report = json.loads(doctor("--from-log", os.path.join(TESTS, "data", "logs", row.played), "-f", "json").stdout or "{}")
	return ("from log", True) if (report.get("diagnosis") or {}).get("code") == row.code else ("no", False)


def play():
	rows, _ = read()
	names = sorted({r.played for r in rows if r.kind in ("cause", "note", "healthy")})
	with tempfile.TemporaryDirectory(prefix="scoreboard.") as folder:
		path = os.path.join(folder, "results")
		command = [sys.executable, "-B", os.path.join(TESTS, "scenario.py"), "-j", os.environ.get("JOBS", "2"), "--results", path] + names
		subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
		with open(path, encoding="utf-8") as f:
			results = {r["name"]: r for r in map(json.loads, f)}
	good, wrong = set(), 0
	for row in rows:
		result = results.get(row.played, {})
		if row.kind in ("explain", "log"):
			word, counts = unseen(row)
		else:
			word, counts = row.answer(result) if result else ("open", False)
		diagnosis = result.get("diagnosis") or {}
		if counts:
			good.add(row)
		else:
			wrong += diagnosis.get("confidence") == "certain"
		print("%-60s %-9s %-9s %5s  %s" % (row.name[:60], word, diagnosis.get("confidence", ""), "%.1f" % result["seconds"] if result else "",
			"" if counts else diagnosis.get("code") or row.open or ""))
	s = sums(rows, good.__contains__)
	print("root cause first: %(first)d of %(of)d; notes right: %(notes)d of %(notes_of)d; false alarms: %(false_alarms)d of %(odd)d; " % s +
		"certain and wrong: %d" % wrong)
	return 0


if __name__ == "__main__":
	sys.exit(play() if sys.argv[1:] == ["--play"] else check())
