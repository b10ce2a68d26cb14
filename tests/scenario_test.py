#!/usr/bin/python3
"""Tests of the scenario runner itself: bad scenario files are refused, and the judge sees what it must see. TAP; needs no root."""

import copy
import glob
import json
import os
import sys
import tempfile
import traceback

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
try:
	from scenario import judge, keys, load, places
except ImportError as e:
	print("1..0 # SKIP %s" % e)
	sys.exit(1 if os.environ.get("CI") == "true" else 0)

GOOD = "name: t\nbase: healthy\nexpect: {exit: 0}\n"
REPORT = {"verdict": "fail", "exit_code": 1, "target": {"vm": "myVM"},
	"diagnosis": {"code": "nsg-no-allow-rule", "check": "nsg", "confidence": "certain", "next": ["key-perms-too-open"], "possible": [],
		"remedies": [{"command": "az network nsg rule create -g rg"}]},
	"findings": [{"check": "nsg", "code": "nsg-no-allow-rule", "status": "fail", "evidence": {"port": 22}, "explained_by": None},
		{"check": "tcp", "code": "tcp-timeout", "status": "fail", "evidence": {}, "explained_by": "nsg"}]}
EXPECT = {"kind": "cause", "exit": 1, "verdict": "fail", "cause": "nsg-no-allow-rule", "check": "nsg", "confidence": "certain"}


def refused(text, part):
	"""True when the scenario file is refused with a message that holds part."""
	with tempfile.TemporaryDirectory() as folder:
		path = os.path.join(folder, "t.yaml")
		with open(path, "w", encoding="utf-8") as f:
			f.write(text)
		try:
			scenario = load.load(path)
			words = load.Words()
			words.add({"pub good": "ssh-ed25519 AAAA"})
			load.world(scenario, words)
		except load.Bad as e:
			return part in str(e)
	return False


def complaints(expect=(), report=None, text="", error="", without=None, code=1, log=(), replay=None, replay_code=1, screen="one line\n", other=None, redacted="{}", **outcome):
	"""What the judge says about a run that left these traces."""
	report = REPORT if report is None else report
	gone = {"verdict": "pass", "exit_code": 0, "diagnosis": None, "findings": []} if without is None else without
	seen = {"exit": code, "seconds": 1, "args": [], "replay": replay_code, "redacted": replay_code, "skipped": 0, "metadata_packets": 0,
		"connections": {}, "secrets": ["hunter2"], "own_format": True, "expect": dict(EXPECT, **dict(expect))}
	seen.update(outcome)
	with tempfile.TemporaryDirectory() as folder:
		for name, content in (("outcome.json", json.dumps(seen)), ("live.out", text), ("replay.out", text if replay is None else replay),
			("live.err", error), ("live.json", json.dumps(report)), ("replay.json", json.dumps(report)), ("skipped.json", json.dumps(gone)),
			("bundle.json", "{}"), ("redacted.json", redacted), ("other.json", json.dumps(other or report)), ("screen.out", screen), ("requests.log", "".join(json.dumps(r) + "\n" for r in log))):
			with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
				f.write(content)
		schemas = judge.Schemas(folder)
		return "\n".join(judge.judge({}, folder, schemas))


def every_scenario_file_is_valid():
	for path in glob.glob(os.path.join(load.TESTS, "scenarios", "*.yaml")):
		load.load(path)
	return True


def unknown_keys_are_refused():
	return refused(GOOD + "labb: {}\n", "labb") and refused(GOOD + "lab: {filez: []}\n", "filez") and refused(
		GOOD.replace("exit: 0", "exit: 0, caus: x"), "caus")


def keys_that_stand_twice_are_refused():
	return refused(GOOD + "run: [a]\nrun: [b]\n", "twice")


def names_that_differ_from_the_file_are_refused():
	return refused(GOOD.replace("name: t", "name: u"), "differs")


def unknown_bases_ids_and_placeholders_are_refused():
	return refused(GOOD.replace("healthy", "no-such"), "no-such") and refused(GOOD + "azure: {set: {nowhere: {}}}\n", "nowhere") and refused(
		GOOD + "azure: {set: {vm: {tags: {a: \"${what}\"}}}}\n", "what")


def unknown_defects_are_refused():
	try:
		keys.mangle("no-such", b"")
	except load.Bad:
		return True
	return False


def merge_patches_remove_and_replace():
	return load.merge_patch({"a": 1, "b": {"c": [1, 2], "d": 2}}, {"a": None, "b": {"c": [3]}}) == {"b": {"c": [3], "d": 2}}


def subnets_are_patched_inside_their_network():
	network = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/v"
	resources = {network: {"properties": {"subnets": [{"name": "Default", "properties": {"addressPrefix": "10.0.0.0/24"}}]}}}
	load._patch(resources, network + "/subnets/default", {"properties": {"x": 1}})
	return resources[network]["properties"]["subnets"][0]["properties"] == {"addressPrefix": "10.0.0.0/24", "x": 1}


def short_rules_become_arm_rules():
	rule = load._rule({"name": "r", "priority": 5, "source": ["a", "b"], "port": 22})["properties"]
	return rule["sourceAddressPrefixes"] == ["a", "b"] and "sourceAddressPrefix" not in rule and rule["destinationPortRange"] == "22"


def times_are_filled_in():
	words = load.Words()
	return words.fill("${now-1h}") < words.fill("${now}") < words.fill("${now+1h}")


def a_run_as_expected_is_accepted():
	return complaints() == ""


def wrong_outcomes_are_seen():
	other = copy.deepcopy(REPORT)
	other["diagnosis"]["code"] = "sshd-refused"
	return "exit code" in complaints(code=3, replay_code=3) and "cause is" in complaints(report=other) and "verdict is" in complaints({"verdict": "pass"}) and \
		"confidence is" in complaints({"confidence": "possible"}) and "next lacks" in complaints({"next": ["sshd-refused"]}) and \
		"check is" in complaints({"check": "jit"})


def a_check_that_does_not_matter_is_seen():
	return "does not matter" in complaints(without=REPORT) and "does not matter" not in complaints()


def notes_must_go_with_their_check():
	note = {"kind": "note", "note": "tcp-timeout", "check": "tcp", "cause": []}
	return "does not matter" in complaints(note, without=REPORT) and complaints(note) == ""


def a_screen_that_does_not_fit_is_seen():
	long, wide = "line\n" * 25, "x" * 81 + "\n"
	return "25 lines" in complaints(screen=long) and "81 columns" in complaints(screen=wide) and "0 lines" in complaints(screen="")


def what_a_log_cuts_is_seen():
	report = dict(REPORT, title="Nothing gets in")
	return "the log lacks" in complaints(report=report, own_format=False)


def missing_and_forbidden_words_are_seen():
	return "does not mention" in complaints({"mention": ["myVM-nsg"]}, text="nothing") and complaints({"mention": ["a b"]}, text="a\n  b") == "" and \
		"reported as a fault" in complaints({"not": ["key-perms-too-open"]}) and "says" in complaints({"not": ["rm -rf"]}, text="rm -rf")


def findings_and_evidence_are_compared():
	return "evidence.port" in complaints({"findings": [{"check": "nsg", "evidence": {"port": 23}}]}) and \
		"no finding" in complaints({"findings": [{"check": "dns"}]}) and complaints({"findings": [{"check": "nsg", "evidence": {"port": 22}}]}) == "" and \
		"explained_by" in complaints({"findings": [{"check": "tcp", "explained": False}]})


def leaks_are_seen():
	token = "eyJ0eXAiOiJKV1QiLCJh.eyJhdWQiOiJodHRwczov.c2ln"
	return "secret" in complaints(text="hunter2") and "token" in complaints(error=token) and "CANARY" in complaints(text="CANARYx")


def unsafe_behaviour_is_seen():
	put = [{"method": "PUT", "path": "/x", "query": "", "headers": {}, "status": 200}]
	sas = [{"method": "GET", "path": "/sas/x", "query": "", "headers": {"authorization": "bearer"}, "auth": "bearer"}]
	return "not read-only" in complaints(log=put) and "storage" in complaints(log=sas) and "metadata" in complaints(metadata_packets=1) and \
		"connections" in complaints(connections={"sshd-vm": 9}) and "control characters" in complaints(text="\x1b[2J") and \
		"StrictHostKeyChecking" in complaints(text="ssh -o StrictHostKeyChecking=no")


def places_that_lead_elsewhere_are_seen():
	def wrong(command, **evidence):
		finding = {"check": "nsg", "code": "nsg-no-allow-rule", "status": "fail", "title": "t", "summary": "s", "evidence": evidence, "also": [],
			"remedies": [{"dialect": "az", "command": command, "undo": None}]}
		target = {"vm": "myVM", "resource_group": "rg", "subscription": "2222"}
		return places.complaints([finding], target)
	rule, reader = "az network nsg rule create -g %s --nsg-name %s -n x", "az role assignment create --role Reader --scope "
	scope = "/subscriptions/2222/resourceGroups/net-rg/providers/Microsoft.Network/networkSecurityGroups/n"
	return not wrong(rule % ("net-rg", "n"), nsg="n", nsg_group="net-rg") and "the evidence" in wrong(rule % ("rg", "n"), nsg="n", nsg_group="net-rg")[0] and \
		wrong(rule % ("net-rg", "myVM-nsg"), nsg="n", nsg_group="net-rg") and not wrong(reader + scope[:41], scope=scope) and \
		wrong(reader + "/subscriptions/2222/resourceGroups/rg", scope=scope) and wrong("az vm start -g rg -n 0") and not wrong("az vm start -g rg -n myVM")


def replays_that_differ_are_seen():
	return "replayed text" in complaints(text="a", replay="b", own_format=False) and "the replay ends with 3" in complaints(replay_code=3)


def redactions_that_change_or_leak_are_seen():
	return "redaction changes fail to pass" in complaints(other=dict(REPORT, verdict="pass")) and "holds '20.51.230.13'" in complaints(redacted='"20.51.230.13"')


def broken_labs_are_no_success():
	return "could not be built" in complaints(broken="no nft")


TESTS = [every_scenario_file_is_valid, unknown_keys_are_refused, keys_that_stand_twice_are_refused, names_that_differ_from_the_file_are_refused,
	unknown_bases_ids_and_placeholders_are_refused, unknown_defects_are_refused, merge_patches_remove_and_replace,
	subnets_are_patched_inside_their_network, short_rules_become_arm_rules, times_are_filled_in, a_run_as_expected_is_accepted,
	wrong_outcomes_are_seen, a_check_that_does_not_matter_is_seen, notes_must_go_with_their_check, missing_and_forbidden_words_are_seen,
	a_screen_that_does_not_fit_is_seen, what_a_log_cuts_is_seen, findings_and_evidence_are_compared, leaks_are_seen, unsafe_behaviour_is_seen, places_that_lead_elsewhere_are_seen, replays_that_differ_are_seen, redactions_that_change_or_leak_are_seen, broken_labs_are_no_success]


def main():
	print("1..%d" % len(TESTS))
	failed = 0
	for number, test in enumerate(TESTS, 1):
		try:
			good, why = test(), ""
		except Exception:
			good, why = False, traceback.format_exc()
		failed += not good
		print("%s %d - %s" % ("ok" if good else "not ok", number, test.__name__))
		if why:
			print("# " + why.replace("\n", "\n# "))
	return 1 if failed else 0


if __name__ == "__main__":
	sys.exit(main())
