#!/usr/bin/python3
"""Every format is read by a program that is not ours: bundles are recorded from the simulator, also with hostile words in them, and the
reports go to xmllint (JUnit XML by a schema, HTML as XML), jsonschema (SARIF), prove (TAP), and to readings of the commands of GitHub Actions
and Azure Pipelines after their runners' sources. The exit code is the same in every format."""
import copy
import html.parser
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

import jsonschema

from simlib import BASE, BUILD, CLIENT, NSG, SRC, TENANT, VM, Sim, seal

PROGRAM = os.path.abspath(os.path.join(BUILD, "azssh-doctor"))
FORMATS = ("text", "short", "json", "ndjson", "junit", "sarif", "markdown", "html", "tap", "github", "azdo")
HOSTILE = "</script><b onmouseover=x>&amp; '\"`$(id)` ]]> ##vso[task.prependpath]/opt ##[error] | * # \u202e\u0007"
RESULTS = []


def test(name, complaints):
    RESULTS.append(complaints)
    print("%sok %d - %s" % ("not " if complaints else "", len(RESULTS), name), flush=True)
    for complaint in complaints[:5]:
        print("# " + str(complaint)[:400])


class Player:
    def __init__(self, folder):
        self.folder = folder
        self.env = {"HOME": folder, "AZURE_CONFIG_DIR": folder, "AZURE_POD_IDENTITY_AUTHORITY_HOST": "http://127.0.0.1:1", "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}

    def record(self, name, *args, resources=None, **world):
        path = os.path.join(self.folder, name)
        with Sim(resources, **world) as sim:
            env = dict(self.env, AZSSH_ARM_ENDPOINT=sim.url.rstrip("/"), AZURE_AUTHORITY_HOST=sim.url, AZURE_TENANT_ID=TENANT, AZURE_CLIENT_ID=CLIENT,
                       AZURE_CLIENT_SECRET="sim-secret")
            subprocess.run([PROGRAM, "--no-redact", "--bundle", path] + list(args), env=env, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
        return path

    def play(self, path, form):
        done = subprocess.run([PROGRAM, "--replay", path, "-f", form], env=self.env, stdin=subprocess.DEVNULL, capture_output=True, timeout=30, check=False)
        return done.returncode, done.stdout.decode()


def hostile(path, target):
    """The bundle with hostile words after every name of a rule, a group and a banner."""
    def worse(value, key=""):
        if isinstance(value, dict):
            return {k: worse(v, k) for k, v in value.items()}
        if isinstance(value, list):
            return [worse(v, key) for v in value]
        return value + HOSTILE if isinstance(value, str) and key in ("name", "reason", "adminUsername", "user", "banner") else value
    with open(path, encoding="utf-8") as source, open(target, "w", encoding="utf-8") as out:
        json.dump(worse(json.load(source)), out)
    return target


def tool(*argv, stdin=None):
    done = subprocess.run(argv, input=stdin, capture_output=True, text=True, timeout=60, check=False)
    return [] if done.returncode == 0 else [(done.stderr or done.stdout)[:400]]


def write(player, name, text):
    path = os.path.join(player.folder, name)
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)
    return path


def junit(player, text, report):
    path = write(player, "junit.xml", text)
    faults = tool("xmllint", "--noout", "--nonet", "--schema", os.path.join(SRC, "tests", "data", "junit.xsd"), path)
    failed = "<failure" in text or "<error" in text
    return faults + (["it fails, the report does not, or the other way round"] if failed != (report["exit_code"] != 0) else [])


def sarif(_player, text, report):
    with open(os.path.join(SRC, "tests", "data", "sarif.schema.json"), encoding="utf-8") as file:
        schema = json.load(file)
    log = json.loads(text)
    faults = [e.message for e in jsonschema.Draft7Validator(schema).iter_errors(log)]
    for run in log["runs"]:
        rules = run["tool"]["driver"]["rules"]
        faults += ["the index of %s is wrong" % r["ruleId"] for r in run["results"] if rules[r["ruleIndex"]]["id"] != r["ruleId"]]
        faults += ["no result for the cause"] if report["diagnosis"] and report["diagnosis"]["code"] not in [r["ruleId"] for r in run["results"]] else []
    return faults


def tap(player, text, report):
    path = write(player, "report.tap", text)
    faults = tool("prove", "--exec", "cat", path)
    return [] if bool(faults) == (report["exit_code"] != 0) else faults or ["prove is content, the exit code is %d" % report["exit_code"]]


class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.faults, self.texts = [], []

    def handle_starttag(self, tag, attrs):
        if tag in ("script", "iframe", "img", "link", "object", "embed", "base", "form", "a", "b"):
            self.faults.append("an element <%s>" % tag)
        self.faults += ["an attribute %s" % name for name, _ in attrs if name.startswith("on") or name in ("src", "href", "style")]

    def handle_data(self, data):
        self.texts.append(data)


def page(player, text, report):
    faults, reader = tool("xmllint", "--noout", "--nonet", write(player, "report.html", text)), Page()
    reader.feed(text)
    whole = " ".join(" ".join(reader.texts).split())
    faults += picture(player, text[text.index("<svg"):text.index("</svg>") + 6], report)
    return faults + reader.faults + ([] if visible(report["title"]) in whole else ["the title is not in the page"])


def visible(text):
    return " ".join("".join("\\u%04x" % ord(c) if c in "\u202e" else "\\x%02x" % ord(c) if ord(c) < 32 else c for c in text).split()).replace("##vso[", "##vso[")


def picture(player, text, report):
    """The picture is one block without an empty line, well-formed, and all it holds are shapes and words; it says each hop's state in words."""
    if "\n\n" in text:
        return ["an empty line ends the picture"]
    faults = tool("xmllint", "--noout", "--nonet", write(player, "picture.svg", text))
    if faults:
        return faults
    root, named = xml.etree.ElementTree.fromstring(text), "{http://www.w3.org/2000/svg}"
    for each in root.iter():
        if each.tag not in {named + n for n in ("svg", "title", "desc", "style", "g", "path", "text")} or set(each.attrib) - {"class", "viewBox", "role", "transform", "d", "x", "y"}:
            faults.append("not ours: %s %s" % (each.tag, each.attrib))
    words = {"ok": "passed", "blocked": "blocked", "unknown": "not known", "not-reached": "not reached"}
    said = root.find(named + "desc").text
    faults += ["%s is not in %r" % (hop, said) for hop in report["path"] if ": " + words[hop["state"]] not in said]
    groups = root.findall(named + "g")
    signs = [[p.get("class").split()[1] for p in g.iter(named + "path") if p.get("class").startswith("sign")] for g in groups]
    return faults + ([] if signs == [[h["state"]] for h in report["path"]] and root.get("role") == "img" else ["the signs are %s" % signs])


def markdown(player, text, report):
    """Outside of code blocks nothing but our own markup is left when the escapes and the picture are taken away."""
    fence, faults = None, []
    begin, end = "\n\n<details><summary>The path</summary>\n", "</details>\n\n"
    if text.count(begin) != 1 or text.count(end) != 1:
        return ["there is not one picture"]
    faults += picture(player, text[text.index(begin) + len(begin):text.index(end)], report)
    text = text[:text.index(begin)] + "\n\n" + text[text.index(end) + len(end):]
    for line in text.split("\n"):
        mark = re.match(r"(`{3,})(sh)?$", line)
        if mark and fence is None:
            fence = mark.group(1)
        elif fence is not None and line == fence:
            fence = None
        elif fence is None:
            bare = re.sub(r"\\[!-/:-@\[-`{-~]|&#\d+;", "", line)
            ours = re.sub(r"^## |^\*\*[A-Z][a-z ]+\.?\*\*|^- |^\|---\|---\|---\|$", "", bare)
            if ours.startswith("|"):
                faults += [] if ours.count("|") == 4 else ["a row of %d cells: %r" % (ours.count("|") - 1, line)]
                ours = ours.replace("|", "")
            faults += ["markup that is not ours: %r" % line] if re.search(r"[<>*_`\[\]~$]|&", ours) else []
    return faults + (["a code block stays open"] if fence is not None else [])


def github(_player, text, report):
    """The runner trims a line, wants '::' at its start and a registered word; '##[' counts anywhere."""
    faults, errors = [], 0
    for line in text.split("\n")[:-1]:
        match = re.match(r"::(error|warning|notice) title=([^,:\r\n]*)::(.*)$", line)
        faults += [] if match else ["not a command of ours: %r" % line]
        faults += ["a second command: %r" % line] if "##[" in line or "##vso[" in line else []
        errors += bool(match) and match.group(1) == "error"
    return faults + ([] if bool(errors) == (report["verdict"] == "fail") else ["%d errors for a verdict of %s" % (errors, report["verdict"])])


def azdo(_player, text, report):
    """The agent looks for '##vso[' anywhere in a line; the message is what follows ']'."""
    faults, errors = [], 0
    for line in text.split("\n")[:-1]:
        match = re.match(r"##vso\[task\.logissue type=(error|warning);code=([a-z0-9-]+);\](.*)$|##\[section\](.*)$", line)
        faults += [] if match else ["not a command of ours: %r" % line]
        faults += ["a second command: %r" % line] if len(re.findall(r"##(?:vso)?\[", line)) != 1 else []
        errors += bool(match) and match.group(1) == "error"
    return faults + ([] if bool(errors) == (report["verdict"] == "fail") else ["%d errors for a verdict of %s" % (errors, report["verdict"])])


def short(_player, text, _report):
    return ["not a line of a finding: %r" % line for line in text.split("\n")[:-1] if not re.match(r"(ok|warn|FAIL|unknown|next) .+ [a-z0-9-]+: .|# azssh-doctor ", line)]


READERS = {"junit": junit, "sarif": sarif, "tap": tap, "html": page, "markdown": markdown, "github": github, "azdo": azdo, "short": short}
NEEDS = {"junit": "xmllint", "html": "xmllint", "tap": "prove"}


def common(form, text):
    """What holds for every format in a log."""
    faults = ["a control character"] if re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text) else []
    if form not in ("azdo",):
        faults += ["a command of Azure Pipelines"] if re.search(r"##\w*\[", text) else []
    return faults


def check(player, name, path):
    code, text = player.play(path, "json")
    report = json.loads(text)
    for form in FORMATS:
        ended, text = player.play(path, form)
        faults = ["exit code %d, not %d" % (ended, code)] if ended != code else []
        faults += common(form, text)
        if form in READERS and (form not in NEEDS or shutil.which(NEEDS[form])):
            faults += READERS[form](player, text, report)
        test("%s: %s" % (form, name), faults)


def main():
    seal()
    if not os.path.exists(os.path.join(BUILD, "tests", "azssh-sim")):
        print("1..0 # SKIP no simulator was built")
        return 0
    stopped, closed = copy.deepcopy(BASE["resources"][VM]), copy.deepcopy(BASE["resources"][NSG])
    stopped["properties"].setdefault("instanceView", {})["statuses"] = [{"code": "PowerState/deallocated"}]
    closed["properties"]["securityRules"] = []
    args = ("rg/myVM", "--no-probe", "--source-ip", "203.0.113.7")
    with tempfile.TemporaryDirectory(prefix="azssh-formats-") as folder:
        player = Player(folder)
        bundles = {"a group that allows nobody": player.record("a", *args, resources={NSG: closed}), "a stopped VM": player.record("b", *args, resources={VM: stopped}),
                   "nothing is known": player.record("c", *args, clients={CLIENT: {"secret": "another"}}), "nothing wrong": player.record("d", "--only", "nsg,public-ip", *args)}
        for name, path in bundles.items():
            check(player, name, path)
        for name in ("a group that allows nobody", "nothing is known"):
            check(player, name + ", in hostile words", hostile(bundles[name], os.path.join(folder, "hostile")))
    print("1..%d" % len(RESULTS))
    return any(RESULTS)


if __name__ == "__main__":
    sys.exit(main())
