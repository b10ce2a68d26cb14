#!/usr/bin/python3
"""Random set-ups of keys, agent, configuration and server: where the real ssh gets in, the doctor must not object; where ssh fails, it must
name a cause that fits. TAP on stdout.

usage: against_ssh.py [--seed N] [--count N] [--only I] [-v] [--keep]

A set-up is drawn from the seed and its number alone: --seed N --only I plays it again. Needs root (namespaces)."""

import argparse
import json
import os
import random
import shutil
import sys
import tempfile

sys.dont_write_bytecode = True
try:
	from scenario import inside, launch, setups, trial
except ImportError as e:
	print("1..0 # SKIP %s (python3-yaml for /usr/bin/python3 is needed)" % e)
	sys.exit(1 if os.environ.get("CI") == "true" else 0)

SOURCE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def draw(seed, number):
	return setups.draw(random.Random("%d/%d" % (seed, number)))


def complaints(seen):
	"""What is wrong with the doctor's answer to one set-up."""
	report = seen["report"]
	if report is None:
		return ["no report: exit %s, %s" % (seen["exit"], seen["err"][:200])]
	diagnosis = report.get("diagnosis") or {}
	said = "%s (%s, %s)" % (diagnosis.get("code"), diagnosis.get("check"), diagnosis.get("confidence"))
	if seen["ssh"] == 0 and seen["setup"]["agent"] == "five-good" and diagnosis.get("confidence") == "likely":
		return []			# a broken file was named, and the right key is the sixth, where three are asked about
	if diagnosis.get("code") == "auth-keys-not-asked":
		return [] if seen["exit"] == 3 and seen["log"].count("Offering public key") > 3 else ["more keys, and ssh does not offer them"]
	if seen["ssh"] == 0:
		return [] if seen["exit"] == 0 else ["ssh gets in, the doctor says exit %d, %s" % (seen["exit"], said)]
	fitting, status = setups.fitting(seen["setup"], seen["log"])
	if seen["exit"] not in status:
		return ["ssh fails, the doctor says exit %d, %s, not %s with %s" % (seen["exit"], said, status, sorted(fitting))]
	if seen["exit"] == 1 and diagnosis.get("code") not in fitting:
		return ["the doctor says %s, not %s" % (said, sorted(fitting))]
	if not fitting & setups.ELSEWHERE and setups.unfounded(diagnosis.get("code"), diagnosis.get("confidence"), seen["log"]):
		return ["the doctor says %s, and ssh shows no sign of it" % said]
	others = {f["code"] for f in report["findings"] if f["status"] == "fail" and not f["explained_by"] and f["check"] in setups.CHECKS}
	return ["further fault: %s, not of %s" % (code, sorted(fitting)) for code in sorted(others - fitting)]


def show(number, seen, verbose):
	wrong = complaints(seen)
	print("%s %d - %s" % ("not ok" if wrong else "ok", number, setups.name_of(seen["setup"])))
	diagnosis = (seen["report"] or {}).get("diagnosis") or {}
	lines = wrong + (["ssh %s, doctor %s %s" % (seen["ssh"], seen["exit"], diagnosis.get("code"))] if verbose else [])
	if wrong:
		lines += ["| " + line for line in seen["log"].splitlines() if setups.telling(line)][-14:]
		lines += ["> %s %s %s: %s" % (f["status"], f["check"], f["code"], f["summary"]) for f in (seen["report"] or {}).get("findings", [])
			if f["check"] in setups.CHECKS]
	for line in lines:
		print("#   " + line)
	return bool(wrong)


def main():
	if sys.argv[1:2] == ["--inside"]:
		with open(sys.argv[2], encoding="utf-8") as f:
			job = json.load(f)
		if not os.path.isdir(inside.LAB):
			inside.enter(job)
		return trial.main(job)
	parser = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1].split("\n")[0])
	parser.add_argument("--seed", type=int, default=1)
	parser.add_argument("--count", type=int, default=24)
	parser.add_argument("--only", type=int, action="append")
	parser.add_argument("-v", "--verbose", action="store_true")
	parser.add_argument("--keep", action="store_true", help="leave the work folder")
	options = parser.parse_args()
	doctor, sim = launch.program_paths()
	reason = launch.why_not([doctor])
	if reason:
		print("1..0 # SKIP " + reason)
		return 1 if os.environ.get("CI") == "true" else 0
	numbers = options.only or range(1, options.count + 1)
	work = tempfile.mkdtemp(prefix="against-ssh.")
	os.makedirs(work + "/keys")
	job = {"doctor": doctor, "sim": sim, "source": SOURCE, "out": work, "keys": work + "/keys", "main": "against_ssh.py",
		"setups": [draw(options.seed, number) for number in numbers]}
	print("1..%d\n# seed %d" % (len(numbers), options.seed), flush=True)
	broken = launch.start(__file__, work, job, 60 + 40 * len(numbers))
	failed = 0
	if broken is None:
		with open(work + "/outcome.json", encoding="utf-8") as f:
			outcome = json.load(f)
		broken = outcome.get("broken")
		failed = sum([show(number, seen, options.verbose) for number, seen in zip(numbers, outcome["trials"])])
	if broken:
		print("Bail out! " + broken.replace("\n", "\n# "))
	if options.keep:
		print("# kept: " + work)
	else:
		shutil.rmtree(work, ignore_errors=True)
	return 1 if failed or broken else 0


if __name__ == "__main__":
	sys.exit(main())
