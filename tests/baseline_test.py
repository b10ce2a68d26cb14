#!/usr/bin/python3
"""--baseline: what has changed since a bundle was written, down to the rule and the key, and only what is new fails."""
import copy
import json
import os
import subprocess
import tempfile

import jsonschema

from simlib import BASE, BUILD, NSG, SRC, run, test

DOCTOR = os.path.abspath(os.path.join(BUILD, "azssh-doctor"))


def facts():
    with open(os.path.join(SRC, "tests", "facts", "local-base.json"), encoding="utf-8") as file:
        made = json.load(file)
    nsg = copy.deepcopy(BASE["resources"][NSG])
    nsg["etag"] = "W/1"
    made["azure"]["resources"][NSG.lower()] = nsg
    return made


def key(mode):
    """A private key that others may read, or not."""
    made = facts()
    path = "/home/me/.ssh/id_ed25519"
    made["machine"]["keys"][path] = {"path": path, "present": True, "regular": True, "readable": True, "owned": True, "mode": mode, "uid": 1000, "kind": "private",
                                     "format": "openssh-key-v1", "type": "ssh-ed25519", "bits": 256, "encrypted": "no", "loads": True, "azure": "accept", "fingerprint": "SHA256:me"}
    made["targets"][0]["identities"] = {"state": "known", "order": [{"path": path, "from": "default", "present": True, "usable": True, "fingerprint": "SHA256:me"}]}
    return made


def compare(now, then, *more, redact=False):
    """The exit code, the JSON report and the text of --replay NOW --baseline THEN."""
    with tempfile.TemporaryDirectory() as folder:
        for name, value in (("now", now), ("then", then)):
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                json.dump({"schema": "azssh-doctor/bundle/1", "facts": value, "redactions": []}, file)
        if redact:
            subprocess.run([DOCTOR, "--redact", folder + "/then"], check=True)
        args = [DOCTOR, "--replay", folder + "/now", "--baseline", folder + "/then", "-f", "text", "-f", "json=" + folder + "/json"] + list(more)
        done = subprocess.run(args, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
        assert done.stderr == "", done.stderr
        with open(folder + "/json", encoding="utf-8") as file:
            report = json.load(file)
        with open(os.path.join(SRC, "report", "report.schema.json"), encoding="utf-8") as file:
            jsonschema.validate(report, json.load(file))
        assert report["exit_code"] == done.returncode, (report["exit_code"], done.returncode)
        return done.returncode, report, done.stdout


def codes(report, which):
    return [one["code"] for one in report["baseline"][which]]


@test
def a_new_fault_fails_and_an_old_one_does_not():
    for redact in (False, True):
        code, report, text = compare(key("0644"), key("0600"), redact=redact)
        assert code == 1 and report["diagnosis"]["code"] == "key-perms-too-open" and "key-perms-too-open" in codes(report, "new"), (redact, code, report["baseline"])
        code, report, text = compare(key("0644"), key("0644"), redact=redact)
        assert code == 0 and report["verdict"] == "fail" and report["diagnosis"]["code"] == "key-perms-too-open" and codes(report, "new") == [], (redact, code, report["baseline"])
        assert "Since 2026-01-01T00:00:00Z: 0 new, 0 gone, 0 changed" in text, text
    code, report, text = compare(key("0600"), key("0644"))
    assert "key-perms-too-open" in codes(report, "gone") and "  gone " in text and "mode: 0644 -> 0600" in text, text


@test
def the_same_code_of_another_key_is_new():
    other = json.loads(json.dumps(key("0644")).replace("id_ed25519", "id_other"))
    code, report, _ = compare(other, key("0644"))
    assert code == 1 and codes(report, "new") == ["key-perms-too-open"] == codes(report, "gone"), report["baseline"]


@test
def rules_and_host_keys_are_named():
    now = facts()
    nsg = now["azure"]["resources"][NSG.lower()]
    nsg["etag"] = "W/2"
    rules = nsg["properties"]["securityRules"]
    rules[0]["properties"]["access"] = "Deny"
    rules.append(dict(copy.deepcopy(rules[0]), name="later\x1b[31m", id=rules[0]["id"] + "2"))
    now["targets"][0]["wire"]["host_key"]["keys"][0]["fingerprint"] = "SHA256:other"
    now["targets"][0]["wire"]["tcp"]["ms"] = 999
    code, report, text = compare(now, facts())
    changes = {c["where"]: (c.get("before"), c.get("after")) for c in report["baseline"]["changes"]}
    name, rule = nsg["name"], rules[0]["name"]
    assert changes[name + ", securityRules, " + rule + ", access"] == ("Allow", "Deny"), changes
    assert changes[name + ", securityRules, later\x1b[31m"] == (None, "later\x1b[31m"), changes
    assert any("host key" in where and pair[1] and "SHA256:other" in pair[1] for where, pair in changes.items()) or any("SHA256:other" in w for w in changes), changes
    assert not any("etag" in w or ", ms" in w for w in changes), changes
    assert "\x1b" not in text and "access: Allow -> Deny" in text, text


@test
def a_waiver_that_is_over_fails_and_says_so():
    for expires, code in (("2026-01-01", 0), ("2025-12-31", 1)):
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write("version: 1\nwaivers:\n  - {code: key-perms-too-open, resource: rg/myVM, reason: known, owner: ops, expires: %s}\n" % expires)
            file.flush()
            done, report, text = compare(key("0644"), facts(), "-r", file.name)
            finding = next(f for f in report["findings"] if f["check"] == "key-permissions")
            assert (done == 1) == (code == 1), (expires, done, finding)
            assert ("its waiver by ops ended on 2025-12-31" in text) == (code == 1), text
            assert finding["evidence"].get("waiver_expired" if code else "waived", {}).get("owner") == "ops", finding


@test
def bad_use_is_refused():
    for args, word in ((("--baseline", "/nowhere", "--replay", "/nowhere"), "/nowhere"), (("--baseline", "b", "one", "two"), "--baseline")):
        done = subprocess.run([DOCTOR] + list(args), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 2 and done.stdout == "" and done.stderr.count("\n") == 1 and word in done.stderr, done


if __name__ == "__main__":
    raise SystemExit(run())
