"""Compares what was seen with what a scenario expects; every complaint is one line."""

import json
import os
import re
import unicodedata

import jsonschema

import az_commands

from . import asked, load, places

CODE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)+")
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
SGR = re.compile(r"\x1b\[[0-9;]*m")
NEVER = ("CANARY", "StrictHostKeyChecking=no", "StrictHostKeyChecking no", "ifconfig.me", "api.ipify.org")
MOST_CONNECTIONS = 4
LAB = ("20.51.230.13", "203.0.113.7", "22222222-2222-2222-2222-222222222222", "11111111-1111-1111-1111-111111111111", "/home/me/", "myVM-nsg")


class Seen:
	"""The files that one run left in its folder."""

	def __init__(self, folder):
		self.folder = folder
		with open(os.path.join(folder, "outcome.json"), encoding="utf-8") as f:
			self.outcome = json.load(f)
		self.out = self.text("live.out")
		self.err = self.text("live.err")
		self.report = self.json("live.json")

	def text(self, name):
		try:
			with open(os.path.join(self.folder, name), encoding="utf-8", errors="replace", newline="") as f:
				return f.read()
		except FileNotFoundError:
			return ""

	def json(self, name):
		try:
			return json.loads(self.text(name))
		except ValueError:
			return None


def az_commands_of(folder):
	"""The az commands that the report of a run prints, whoever prints them, as tuples of arguments."""
	report, out = Seen(folder).report, set()

	def look(value):
		if isinstance(value, dict):
			for key, one in value.items():
				if key in ("command", "undo", "verify", "decide") and isinstance(one, str):
					out.update(tuple(args) for args in az_commands.split(one))
				look(one)
		elif isinstance(value, list):
			for one in value:
				look(one)

	look(report)
	return out


def flat(text):
	return " ".join(text.split())


def findings(report):
	"""Every finding, those under 'also' included."""
	out = []
	for finding in report.get("findings", []):
		out.append(finding)
		out += [dict(a, check=finding.get("check"), explained_by=a.get("explained_by", finding.get("explained_by"))) for a in finding.get("also") or []]
	return out


def subset(want, got, where):
	"""Complaints about what of want is missing in got; a text may be a pattern written /like this/."""
	if isinstance(want, dict):
		if not isinstance(got, dict):
			return ["%s is %r, not a map" % (where, got)]
		return [c for key, value in want.items() for c in subset(value, got.get(key), "%s.%s" % (where, key))]
	if isinstance(want, str) and len(want) > 2 and want[0] == want[-1] == "/":
		return [] if isinstance(got, str) and re.search(want[1:-1], got) else ["%s is %r, not like %s" % (where, got, want)]
	return [] if want == got else ["%s is %r, not %r" % (where, got, want)]


def _diagnosis(expect, report):
	out, diagnosis = [], report.get("diagnosis") or {}
	if report.get("verdict") != expect.get("verdict", report.get("verdict")):
		out.append("verdict is %s, not %s" % (report.get("verdict"), expect["verdict"]))
	causes = expect.get("cause", [])
	causes = [causes] if isinstance(causes, str) else causes
	if causes and diagnosis.get("code") not in causes:
		out.append("cause is %s, not %s" % (diagnosis.get("code"), " or ".join(causes)))
	if expect.get("kind") in ("healthy", "note") and expect.get("exit") == 0 and report.get("diagnosis") is not None:
		out.append("diagnosis is %s, and there should be none" % diagnosis.get("code"))
	if causes and expect.get("kind") != "note" and "check" in expect and diagnosis.get("check") != expect["check"]:
		out.append("the cause's check is %s, not %s" % (diagnosis.get("check"), expect["check"]))
	want = expect.get("confidence", [])
	want = [want] if isinstance(want, str) else want
	if want and diagnosis.get("confidence") not in want:
		out.append("confidence is %s, not %s" % (diagnosis.get("confidence"), " or ".join(want)))
	for key in ("next", "possible"):
		have = [c.get("code") if isinstance(c, dict) else c for c in diagnosis.get(key) or []]
		out += ["%s lacks %s, it has %s" % (key, code, have) for code in expect.get(key, []) if code not in have]
	commands = "\n".join(r.get("command", "") for r in diagnosis.get("remedies") or [])
	for text in [expect["command"]] if isinstance(expect.get("command"), str) else expect.get("command", []):
		if text not in flat(commands):
			out.append("no remedy holds %r; they are: %s" % (text, flat(commands)[:400]))
	return out


def _content(expect, seen):
	report, out = seen.report, []
	text = flat(seen.out)
	out += ["the text report does not mention %r" % m for m in expect.get("mention", []) if flat(m) not in text]
	accused = {(report.get("diagnosis") or {}).get("code")} | set((report.get("diagnosis") or {}).get("next") or [])
	accused |= {f.get("code") for f in findings(report) if f.get("status") == "fail" and not f.get("explained_by")}
	for item in expect.get("not", []):
		if CODE.fullmatch(item):
			if item in accused:
				out.append("%s is reported as a fault" % item)
		elif flat(item) in text:
			out.append("the text report says %r" % item)
	for want in expect.get("findings", []):
		same = [f for f in findings(report) if f.get("check") == want["check"] and f.get("code") == want.get("code", f.get("code"))]
		if not same:
			have = [(f.get("code"), f.get("status")) for f in findings(report) if f.get("check") == want["check"]]
			out.append("no finding %s/%s; that check says %s" % (want["check"], want.get("code"), have))
			continue
		probe = {k: v for k, v in want.items() if k in ("status", "evidence")}
		out += subset(probe, same[0], "finding " + want["check"])
		if "explained" in want and want["explained"] != bool(same[0].get("explained_by")):
			out.append("finding %s: explained_by is %r" % (want["check"], same[0].get("explained_by")))
	if "note" in expect and expect["note"] not in [f.get("code") for f in findings(report)]:
		out.append("no finding has the code %s" % expect["note"])
	out += subset(expect.get("target", {}), report.get("target"), "target")
	return out


def _matters(expect, seen):
	"""Without the check that found it, what was found must be gone."""
	without = seen.json("skipped.json")
	if "check" not in expect or not seen.report or seen.outcome.get("skipped") is None:
		return []
	if without is None:
		return ["the replay with --skip %s wrote no JSON report" % expect["check"]]
	if expect.get("kind") == "note":
		gone = expect.get("note") not in [f.get("code") for f in findings(without) if f.get("status") != "skip"]
	else:
		was, now = seen.report.get("diagnosis") or {}, without.get("diagnosis") or {}
		gone = (was.get("code"), was.get("check")) != (now.get("code"), now.get("check"))
		if not was:
			probe = [f for f in findings(without) if f.get("check") == expect["check"] and f.get("status") not in ("skip", None)]
			gone = not probe
	return [] if gone else ["the check %s does not matter: skipping it changes nothing" % expect["check"]]


def _replay(seen):
	outcome, out = seen.outcome, []
	if "replay" not in outcome:
		return ["no bundle was written"]
	if outcome["replay"] != outcome["exit"]:
		out.append("the replay ends with %s, the live run with %s" % (outcome["replay"], outcome["exit"]))
	if not outcome.get("own_format") and seen.text("replay.out") != seen.out:
		out.append("the replayed text differs from the live one")
	if seen.text("replay.json") != seen.text("live.json"):
		out.append("the replayed JSON differs from the live one")
	return out


def _outcome(report):
	"""What must not depend on names: verdict, cause and certainty, every finding's code and status, every hop's state."""
	diagnosis = report.get("diagnosis") or {}
	return ([report.get("verdict"), report.get("exit_code"), diagnosis.get("code"), diagnosis.get("confidence")] +
		[(f.get("check"), f.get("code"), f.get("status"), f.get("explained_by")) for f in findings(report)] +
		[(h.get("hop"), h.get("state")) for h in report.get("path") or []])


def _redacted(seen):
	"""The redacted bundle comes to the same, and holds none of the lab's ids and addresses."""
	other, bundle = seen.json("other.json"), seen.text("redacted.json")
	if seen.outcome.get("redacted") != seen.outcome["replay"] or not isinstance(other, type(seen.report)):
		return ["the redacted bundle ends with %s, the other with %s: %s" % (seen.outcome.get("redacted"), seen.outcome["replay"], flat(seen.text("redact.err"))[:200])]
	differ = [(a, b) for a, b in zip(_outcome(seen.report), _outcome(other)) if a != b][:2] if isinstance(other, dict) else []
	out = ["redaction changes %s to %s" % pair for pair in differ]
	return out + ["the redacted bundle holds %r" % bad for bad in LAB if bad in bundle]


def _width(text):
	return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _screen(seen, own_format):
	"""On a terminal of 80x24 the whole answer fits the screen; in a log nothing of it is cut."""
	lines = [SGR.sub("", line) for line in seen.text("screen.out").replace("\r\n", "\n").split("\n")[:-1]]
	out = ["%d lines on a terminal of 24" % len(lines)] if not 0 < len(lines) <= 24 else []
	out += ["%d columns on a terminal of 80: %r" % (_width(line), line) for line in lines if _width(line) > 80][:2]
	if own_format or not isinstance(seen.report, dict):
		return out
	diagnosis, text = seen.report.get("diagnosis") or {}, flat(seen.out)
	wanted = [seen.report.get("title"), diagnosis.get("why")] + [r["command"] for r in diagnosis.get("remedies", [])[:1]]
	wanted += [f.get("summary") for f in findings(seen.report) if f.get("status") == "fail"]
	plain = [flat(want) for want in wanted if want and not CONTROL.search(want)]
	return out + ["the log lacks %r" % want for want in plain if want not in text][:2]


def _always(seen, limits):
	"""What holds for every run, whatever the scenario."""
	out, outcome = [], seen.outcome
	everything = {n: seen.text(n) for n in ("live.out", "live.err", "live.json", "bundle.json", "replay.out", "skipped.json")}
	for name, text in everything.items():
		out += ["%s holds a secret (%s...)" % (name, s[:6]) for s in outcome["secrets"] if s and s in text][:1]
		out += ["%s holds %r" % (name, bad) for bad in NEVER if bad in text]
		if re.search(r"eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.", text):
			out.append("%s holds a token" % name)
	if not limits["terminal"] and CONTROL.search(seen.out + seen.err):
		out.append("control characters in the output")
	if re.search(r"(Address|Leak|Undefined\w+)Sanitizer|runtime error:", seen.err):
		out.append("a sanitizer complains: " + flat(seen.err)[:300])
	if outcome["metadata_packets"]:
		out.append("%d packets went to the real metadata address" % outcome["metadata_packets"])
	for name, count in outcome["connections"].items():
		if count > MOST_CONNECTIONS:
			out.append("%d connections to the SSH server (%s)" % (count, name))
	for report in seen.report if isinstance(seen.report, list) else [seen.report or {}]:
		out += places.complaints(findings(report), report.get("target") or {})[:3]
	unknown = []
	for line in seen.text("requests.log").splitlines():
		request = json.loads(line)
		if request["method"] not in ("GET", "POST", "HEAD"):
			out.append("not read-only: %s %s" % (request["method"], request["path"]))
		if request["path"].startswith("/sas/") and request.get("auth") != "none":
			out.append("a token was sent to a storage address")
		if "python" not in request.get("headers", {}).get("user-agent", "").lower():	# what the lab's own programs ask is theirs
			unknown.append(asked.complaint(request, limits.get("negotiated")))
	return out + sorted({"asked of Azure: " + c for c in unknown if c})[:3]


def _requests(expect, seen):
	lines = [json.loads(line) for line in seen.text("requests.log").splitlines()]
	out = []
	for want in expect.get("requests", []):
		count = sum(bool(re.search(want["match"], "%s %s?%s" % (r["method"], r["path"], r.get("query", "")), re.I)) for r in lines)
		if not want.get("min", 0) <= count <= want.get("max", 10**6):
			out.append("%d requests match %s" % (count, want["match"]))
	if "depth" in expect and _depth(lines) > expect["depth"]:
		out.append("%d round trips to Azure Resource Manager one after the other, not %d" % (_depth(lines), expect["depth"]))
	return out


def _guest(seen):
	"""What the script did in the guest, where it ran: it changes no file, and its output fits what Run Command keeps."""
	text = seen.text("guest.out")
	if "azssh-doctor end" not in text:
		return []
	out = ["the script changed files of the guest"] if seen.text("guest.before") != seen.text("guest.after") else []
	out += ["the script's output has %d bytes" % len(text)] if len(text) >= 3072 else []
	return out + (["the script's output does not begin with its mark"] if not text.startswith("azssh-doctor begin\n") else [])


def _log(expect, seen):
	"""How often a server's own log says something: what the program did there, as the VM's owner sees it."""
	out = []
	for want in expect.get("log", []):
		texts = [seen.text(name) for name in os.listdir(seen.folder) if re.fullmatch(r"[a-z]+-%s\.log" % re.escape(want["server"]), name)]
		count = sum(bool(re.search(want["match"], line)) for text in texts for line in text.splitlines())
		if not texts or not want.get("min", 0) <= count <= want.get("max", 10**6):
			out.append("%d lines of the log of %s match %s" % (count, want["server"], want["match"]))
	return out


def _depth(lines):
	"""The longest chain of requests of which each began after the one before had been answered (sign-in not counted)."""
	depth, done = 0, -1.0
	for request in sorted(lines, key=lambda r: r["done"]):
		if "/oauth2/" not in request["path"] and not request["path"].startswith("/metadata/") and request["at"] >= done:
			depth, done = depth + 1, request["done"]
	return depth


class Schemas:
	"""The JSON Schemas that ship; each one missing is said once."""

	def __init__(self, source):
		self.missing = []
		self.report = self._read(source, "report/report.schema.json")
		self.facts = self._read(source, "facts/facts.schema.json")

	def _read(self, source, name):
		try:
			with open(os.path.join(source, name), encoding="utf-8") as f:
				return json.load(f)
		except FileNotFoundError:
			self.missing.append(name)
			return None

	def complaints(self, seen):
		out = []
		bundle = seen.json("bundle.json") or {}
		other = seen.json("redacted.json")
		other = other if isinstance(other, dict) else {}
		for schema, data, name in ((self.report, seen.report, "report"), (self.facts, bundle.get("facts"), "facts"), (self.facts, other.get("facts"), "redacted facts")):
			if schema is None or data is None:
				continue
			errors = list(jsonschema.validators.validator_for(schema)(schema).iter_errors(data))
			out += ["%s against its schema: %s: %s" % (name, "/".join(map(str, e.absolute_path)), e.message[:200]) for e in errors[:3]]
		return out


def judge(scenario, folder, schemas):
	"""Complaints about one scenario; empty: as expected."""
	seen = Seen(folder)
	outcome = seen.outcome
	if "broken" in outcome:
		return ["the lab could not be built: " + outcome["broken"]]
	expect = outcome["expect"]
	limits = {"terminal": scenario.get("terminal"), "negotiated": "api_versions" in scenario.get("azure", {})}
	if outcome["exit"] is None:
		return ["killed at the time limit"] + _always(seen, limits)
	out = [] if outcome["exit"] == expect["exit"] else ["exit code is %s, not %d" % (outcome["exit"], expect["exit"])]
	out += _always(seen, limits) + _requests(expect, seen) + _log(expect, seen) + _guest(seen)
	if "cured" in outcome and outcome["cured"][0] != 0:
		out.append("after the remedy it ends with %s (%s): %s" % tuple(outcome["cured"]))
	out += ["stderr does not say %r" % t for t in expect.get("stderr", []) if t not in seen.err]
	out += ["stdout does not say %r" % t for t in expect.get("stdout", []) if t not in seen.out]
	for path, want in expect.get("files", {}).items():
		left = outcome["files"].get(path)
		out += ["%s is there" % path] if want is None and left is not None else subset(want, left, path) if want is not None else []
	if "seconds" in expect and outcome["seconds"] > expect["seconds"]:
		out.append("took %.1f s, not %g" % (outcome["seconds"], expect["seconds"]))
	if expect.get("kind") == "usage":
		out += ["stdout is not empty"] if seen.out else []
		out += ["stderr is not one line: %r" % seen.err[:200]] if seen.err.count("\n") != 1 else []
	if expect.get("kind") in ("usage", "other"):
		return out
	if not isinstance(seen.report, (dict, list)):
		return out + ["no JSON report; stderr: " + flat(seen.err)[:300]]
	for report in seen.report if isinstance(seen.report, list) else [seen.report]:
		if isinstance(seen.report, dict) and report.get("exit_code") != outcome["exit"]:
			out.append("exit_code in the report is %s" % report.get("exit_code"))
	out += schemas.complaints(seen)
	if isinstance(seen.report, dict):
		out += _diagnosis(expect, seen.report) + _content(expect, seen) + _matters(expect, seen)
	if scenario.get("bundle", True):
		out += _replay(seen) + _redacted(seen) + _screen(seen, outcome.get("own_format"))
	if "login" in outcome:
		out += _login(expect, outcome["login"])
	return out


def _login(expect, login):
	want = expect.get("login") or ("works" if expect["exit"] == 0 else "fails")
	if want == "skip" or (want == "works") == (login[0] == 0):
		return []
	return ["ssh itself %s (%s)" % ("gets in" if login[0] == 0 else "does not get in", flat(login[1])[-200:])]


__all__ = ["judge", "Schemas", "load"]
