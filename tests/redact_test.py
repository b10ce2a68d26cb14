#!/usr/bin/python3
"""Redaction: names, ids, addresses and words of somebody's own are put into every member of the facts that can hold one (the table of
facts/sections.def says which), into bodies of ARM and into members that nobody knows; none is in the redacted bundle, nor in any report made
of it. What is public stays: keys, fingerprints, private and platform addresses, usual accounts, the words of ssh."""
import json
import os
import re
import stat
import subprocess
import tempfile

from simlib import BASE, BUILD, SRC, VM, run, test


def check(true, what):
    assert true, what


DOCTOR = os.path.abspath(os.path.join(BUILD, "azssh-doctor"))
FORMATS = ("text", "short", "json", "ndjson", "junit", "sarif", "markdown", "html", "tap", "github", "azdo")
WORD = "zyx"    # no word of anybody's begins so


def structs():
    """{struct: [(type, member, what)]} of the table; what is the kind, or the struct or words within."""
    with open(os.path.join(SRC, "facts", "sections.def"), encoding="utf-8") as file:
        text = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)
    text = text[text.index("WORDS(fact_state)"):]
    found, words = {}, {}
    for block in re.findall(r"^(STRUCT|SECTION)\((\w+)\)\n(.*?)^END", text, re.S | re.M):
        rows = [("TEXT", "reason", "PROSE"), ("TEXT", "cause", "PLAIN")] if block[0] == "SECTION" else []
        found[block[1]] = rows + [r for r in re.findall(r"^([A-Z_]+)\((\w+)(?:, (\w+))?\)", block[2], re.M) if r[0] not in ("REST", "FORM")]
        found[block[1]] += [("REST", "", kind) for kind in re.findall(r"^REST\((\w+)\)", block[2], re.M)]
    for name, block in re.findall(r"^WORDS\((\w+)\)\n(.*?)^ENDWORDS", text, re.S | re.M):
        words[name] = [w for w in re.findall(r'"([^"]+)"', block)]
    return found, words


STRUCTS, WORDS = structs()


class Canaries:
    """Makes values, each other than all before, and remembers what of them must not be seen again."""

    def __init__(self):
        self.count, self.secret, self.kept = 0, set(), set()

    def name(self):
        self.count += 1
        return "%sN%dq" % (WORD, self.count)

    def address(self):
        self.count += 1
        value = "41.%d.%d.77" % (self.count // 250 + 1, self.count % 250)
        self.secret.add(value)
        return value

    def guid(self):
        self.count += 1
        value = "c0ffee00-1234-4321-abcd-%012x" % self.count
        self.secret.add(value)
        return value

    def plain(self):
        self.count += 1
        value = "plain%d" % self.count
        self.kept.add(value)
        return value

    def id(self):
        return "/subscriptions/%s/resourceGroups/%s/providers/Microsoft.Network/virtualNetworks/%s/subnets/%s" % (self.guid(), self.name(), self.name(), self.name())

    def prose(self):
        forms = ("/home/{0}/.ssh/{1}", "{0}@{1}.example.org said {2} to {3}", "Connection closed by {3} port 22 ({0}_{1})", "the client {4} has no access to {5}",
                 "C:\\Users\\{0}\\{1}.pem", "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQDKEYKEYKEYKEYKEYKEYKEYKEYKEY {0}@{1}", "{0}")
        return forms[self.count % len(forms)].format(self.name(), self.name(), self.name(), self.address(), self.guid(), self.id())

    def of(self, kind):
        makers = {"PLAIN": self.plain, "NAME": self.name, "ADDRESS": self.address, "ID": self.id, "PROSE": self.prose, "SECRET": self.name}
        return makers[kind]()


def body(canaries):
    """A body of ARM with something of somebody's under every kind of key."""
    return {"id": canaries.id(), "name": canaries.name(), "type": "Microsoft.Network/virtualNetworks", "location": "westeurope", "tags": {canaries.name(): canaries.name()},
            "properties": {"adminUsername": canaries.name(), "fqdn": canaries.name() + ".westeurope.cloudapp.azure.com", "description": "for " + canaries.name(),
                           "anything": canaries.name(), "list": [canaries.name(), canaries.address(), canaries.guid()], canaries.guid(): {"x": canaries.name()},
                           "publicKeys": [{"keyData": canaries.prose()}], "uri": "https://%s.blob.core.windows.net/%s" % (canaries.name(), canaries.name()),
                           "addressPrefix": canaries.address() + "/32", "dashed": "ip-" + canaries.address().replace(".", "-"), "macAddress": "00-0D-3A-AB-CD-EF"}}


def value(canaries, kind, what, depth):
    if kind in ("TEXT", "KEY"):
        return canaries.of(what)
    if kind == "TEXTS":
        return [canaries.of(what), canaries.of(what)]
    if kind == "WORD_OF":
        return WORDS[what][0]
    if kind in ("PART", "SOME"):
        return struct(canaries, what, depth + 1)
    if kind == "LIST":
        return [struct(canaries, what, depth + 1)]
    if kind == "MAP":
        key = next((w for k, m, w in STRUCTS[what] if k == "KEY"), "PROSE")
        return {canaries.of(key): struct(canaries, what, depth + 1)}
    if kind == "BODIES":
        return {canaries.id().lower(): body(canaries)}
    if kind == "JSON":
        return {"said": canaries.prose(), canaries.name(): [canaries.name()]}
    return {"INT": 1, "COUNT": 1, "BOOL": True, "MAYBE": True}.get(kind)


def struct(canaries, name, depth=0):
    made = {"state": "known"} if any(m == "reason" for _, m, _ in STRUCTS[name]) else {}
    for kind, member, what in STRUCTS[name]:
        if kind == "REST":
            made[canaries.plain()] = canaries.of(what)
        else:
            made[member.rstrip("_")] = value(canaries, kind, what, depth)
    made["newer"] = {"what": [canaries.prose(), {"deep": canaries.name()}]}
    return made


def document():
    canaries = Canaries()
    facts = struct(canaries, "document")
    facts.update(schema="azssh-doctor/facts/1", started="2026-01-01T00:00:00Z")
    return canaries, facts


def call(*args):
    return subprocess.run([DOCTOR] + list(args), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False, env={"HOME": "/", "LANG": "C.UTF-8", "PATH": "/bin:/usr/bin"})


def write(path, facts):
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"schema": "azssh-doctor/bundle/1", "facts": facts, "redactions": []}, file)
    return path


def read(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def leaks(canaries, text):
    found = re.findall(r".{0,60}%s\w*" % WORD, text, re.I)
    return found[:5] + [s for s in canaries.secret if s in text or s.replace(".", "-") in text][:5]


@test
def nothing_of_anybodys_is_left():
    canaries, facts = document()
    check(len(canaries.secret) > 300 and canaries.count > 1500, (len(canaries.secret), canaries.count))
    with tempfile.TemporaryDirectory() as folder:
        path = write(folder + "/b.json", facts)
        check(len(leaks(canaries, json.dumps(facts))) == 10, "nothing was planted")
        done = call("--redact", path, "--keep-map", folder + "/map.json")
        check(done.returncode == 0 and done.stdout == done.stderr == "", done)
        with open(path, encoding="utf-8") as file:
            text = file.read()
        check(leaks(canaries, text) == [], leaks(canaries, text))
        lost = [k for k in canaries.kept if k not in text]
        check(lost == [], lost[:5])
        for name in FORMATS:
            done = call("--replay", path, "-v", "-f", name)
            check(done.returncode in (0, 1, 3), (name, done.returncode, done.stderr[:200]))
            check(leaks(canaries, done.stdout + done.stderr) == [], (name, leaks(canaries, done.stdout + done.stderr)))
        kept = read(folder + "/map.json")
        check(kept["schema"] == "azssh-doctor/map/1" and any(WORD in v for v in kept["names"].values()), list(kept["names"].items())[:3])
        for name in (path, folder + "/map.json"):
            check(stat.S_IMODE(os.stat(name).st_mode) == 0o600, name)
        places = {r["place"] for r in read(path)["redactions"]}
        check({"facts.targets.wire.tcp.address", "facts.azure.resources", "facts.machine.user.name"} <= places, places)


def local(**changes):
    with open(os.path.join(SRC, "tests", "facts", "local-base.json"), encoding="utf-8") as file:
        facts = json.load(file)
    facts["targets"][0].update(changes)
    return facts


def redacted(facts, *more):
    with tempfile.TemporaryDirectory() as folder:
        path = write(folder + "/b.json", facts)
        done = call("--redact", path, "--bundle", folder + "/new.json", *more)
        check(done.returncode == 0, done)
        check(read(path)["facts"] == facts, "the old bundle was changed")
        return read(folder + "/new.json")["facts"]


@test
def what_is_public_stays():
    line = "Permission denied (publickey). chacha20-poly1305@openssh.com rsa-sha2-512 SHA256:" + "A" * 43 + " from 10.0.0.4 and 168.63.129.16"
    facts = local(rehearsal={"state": "known", "reached": "auth", "message": line, "methods": ["publickey"]})
    facts["machine"]["user"]["name"] = "root"
    facts["azure"]["resources"] = {VM.lower(): json.loads(json.dumps(BASE["resources"][VM]))}
    made = redacted(facts)
    check(made["targets"][0]["rehearsal"]["message"] == line, made["targets"][0]["rehearsal"])
    check(made["machine"]["user"]["name"] == "root" and made["targets"][0]["ssh_config"]["user"] == "azureuser", made["machine"])
    vm = next(iter(made["azure"]["resources"].values()))
    old = BASE["resources"][VM]
    check(vm["location"] == old["location"] and vm["properties"]["hardwareProfile"] == old["properties"]["hardwareProfile"] and vm["type"] == old["type"], vm)
    key = old["properties"]["osProfile"].get("linuxConfiguration", {}).get("ssh", {}).get("publicKeys", [{}])[0].get("keyData", "")
    check(key.split(" ")[1:2] == vm["properties"]["osProfile"].get("linuxConfiguration", {}).get("ssh", {}).get("publicKeys", [{}])[0].get("keyData", "").split(" ")[1:2], "the public key")


@test
def relations_are_kept():
    attempts = ["41.5.6.7", "41.5.6.8", "41.5.9.1", "41.200.1.1", "2a01:111::5", "2a01:111::9", "10.1.2.3", "fe80::1"]
    facts = local()
    facts["targets"][0]["wire"]["dns"] = {"state": "known", "name": "Web1.corp.example.org", "addresses": attempts}
    facts["targets"][0]["wire"]["tcp"]["address"] = attempts[0]
    facts["asked"]["command"] = ["Web1.corp.example.org", "-l", "Zora"]
    facts["asked"]["login"] = "Zora"
    facts["machine"]["user"] = {"name": "zora", "home": "/home/zora", "uid": 1}
    facts["azure"]["resources"]["/subscriptions/s/x"] = {"properties": {"prefixes": ["41.5.6.0/24", "41.5.0.0/16", "0.0.0.0/0", "41.5.6.1-41.5.6.200"]}}
    made = redacted(facts)
    dns = made["targets"][0]["wire"]["dns"]
    a = dns["addresses"]
    check(len(set(a)) == len(a) and made["targets"][0]["wire"]["tcp"]["address"] == a[0], a)
    check(a[6:] == attempts[6:] and all(x.startswith("41.") for x in a[:4]) and a[4].startswith("2a") and a[0] != attempts[0], a)
    check(a[0].split(".")[:3] == a[1].split(".")[:3] != a[2].split(".")[:3] and a[0].split(".")[:2] == a[2].split(".")[:2] != a[3].split(".")[:2], a)
    prefixes = next(v for k, v in made["azure"]["resources"].items() if k.endswith("/x"))["properties"]["prefixes"]
    check(prefixes[0].rsplit(".", 1)[0] == a[0].rsplit(".", 1)[0] and prefixes[2] == "0.0.0.0/0" and prefixes[0].endswith(".0/24"), (prefixes, a))
    low, high = [[int(n) for n in x.split(".")] for x in prefixes[3].split("-")]
    check(low < [int(n) for n in a[0].split(".")] < high, (prefixes[3], a[0]))
    user, login, command = made["machine"]["user"], made["asked"]["login"], made["asked"]["command"]
    check(user["home"] == "/home/" + user["name"] and login.lower() == user["name"] and login != user["name"], (user, login))
    check(command == [dns["name"], "-l", login] and dns["name"].endswith(".org"), (command, dns["name"]))


@test
def hostile_texts_take_time_by_their_length():
    """Where every place of a text would look at all the rest of it, this takes minutes."""
    forms = ("a-b.c-d@e+f-", "1.2.3.4.5.", "1-2-3-4-", "/subscriptions/a", "/subscriptions//", "a:b:", "AAAA/", "/home/a-", "x@", "SHA256:", "::")
    redacted(local(rehearsal={"state": "known", "lines": [form * (60000 // len(form)) for form in forms] + ["a" * 60000]}))


@test
def a_bundle_is_redacted_unless_told_otherwise():
    with tempfile.TemporaryDirectory() as folder:
        path = folder + "/b.json"
        args = ("--no-azure", "--no-probe", "--no-ssh-config", "--host", "41.5.6.7", "-l", "zyxzora")
        check(call(*args, "--bundle", path).returncode in (0, 1, 3), "redacted")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        check("41.5.6.7" not in text and "zyxzora" not in text and read(path)["redactions"] != [], text[:300])
        call(*args, "--bundle", path, "--no-redact")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        check("41.5.6.7" in text and "zyxzora" in text and read(path)["redactions"] == [], text[:300])
        check(stat.S_IMODE(os.stat(path).st_mode) == 0o600, oct(os.stat(path).st_mode))


@test
def options_that_contradict_each_other_are_refused():
    for args, word in ((("--redact", "x", "vm"), "--redact"), (("--redact", "x", "--no-redact"), "--no-redact"), (("--keep-map", "m", "vm"), "--keep-map"),
                       (("vm", "--bundle", "b", "--no-redact", "--keep-map", "m"), "--keep-map"), (("--redact", "/nowhere/b"), "/nowhere/b")):
        done = call(*args)
        check(done.returncode == 2 and done.stdout == "" and done.stderr.count("\n") == 1 and word in done.stderr, (args, done))


if __name__ == "__main__":
    raise SystemExit(run())
