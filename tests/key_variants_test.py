#!/usr/bin/python3
"""Key files that no generator made, whose facts are known by construction (keylib), each whole and each damaged, through the JSON report (TAP).
Without arguments: one small fixed set. key_variants_test.py --wide COUNT [SEED]: so many random ones, also damaged twice (then a
fact may be lost, never wrong); the seed is printed. ssh-keygen is the referee: a file that it loads is never refused (but for its type and length), one that it does not load never passes."""
import base64
import gzip
import io
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import keylib as k  # noqa: E402  (a neighbour, not a package)

BUILD = pathlib.Path(os.environ.get("builddir", "."))
FACTS = ["kind", "format", "type", "bits", "encrypted", "cipher", "kdf", "comment", "fingerprint", "fingerprint_md5"]
NOT_DAMAGE = {"key-rsa-too-short", "key-type-unsupported-azure", "key-type-unusable", "key-algorithm-off", "key-pkcs8-ed25519-unreadable"}
TWICE = 0.3
COMMENTS = ["a@b", "", "o'neil \"x\" <y>", "grüße ☃ 🎉", "x" * 3000, "tab\there", "C:\\Users\\me", "BEGIN RSA PRIVATE KEY", "\x1b[31m", "\u202e\u200b"]
CIPHERS = ["3des-cbc", "aes128-cbc", "aes192-cbc", "aes256-cbc", "aes128-ctr", "aes192-ctr", "aes256-ctr", "aes128-gcm@openssh.com", "aes256-gcm@openssh.com",
           "chacha20-poly1305@openssh.com"]


# ---------------------------------------------------------------- what there is
def truth(key, form, comment="", kind="private", locked=None, hidden=False):
    """Facts of a whole file; `locked`: cipher and kdf; `hidden`: nothing but that shows."""
    cipher, kdf = locked or ("none", "none")
    facts = dict(kind=kind, format=form, encrypted="yes" if locked else "no", cipher=cipher, kdf=kdf, comment=comment or None)
    if not hidden:
        facts.update(type=key.type, bits=key.bits)
        if key.blob:
            facts.update(fingerprint=k.fingerprint(key.blob), fingerprint_md5=k.fingerprint_md5(key.blob))
    return facts


def containers(key, comment="a b"):
    """Every private container of a key, unlocked: name, bytes, truth."""
    forms = {"traditional": getattr(key, "traditional_format", "") + "-pem", "pkcs8": "pkcs8-pem", "openssh": "openssh-key-v1", "ppk": "ppk3"}
    for name in key.formats:
        if name in ("openssh", "ppk"):
            yield name, key.openssh(comment) if name == "openssh" else key.ppk(3, comment), truth(key, forms[name], comment)
        else:
            yield name, getattr(key, name)(), truth(key, forms[name])
    if "ppk" in key.formats:
        yield "ppk2", key.ppk(2, comment), truth(key, "ppk2", comment)
    if "pkcs8" in key.formats:
        yield "pkcs8-der", key.pkcs8_der(), truth(key, "pkcs8-der")
    if "traditional" in key.formats:
        yield "der", key.traditional_der(), truth(key, key.traditional_format + "-der")
    if isinstance(key, k.Ec):
        yield "explicit", k.pem(key.label, key.traditional_der(key.explicit())), truth(key, "sec1-pem")
        yield "no-point", k.pem(key.label, key.traditional_der(public=False)), truth(key, "sec1-pem")
    if hasattr(key, "jwk") and key.type != "brainpoolP256r1":
        yield "jwk", key.jwk(), truth(key, "jwk")


def locked(key):
    """The containers that hold a passphrase."""
    if "openssh" in key.formats:
        for i, cipher in enumerate(CIPHERS):
            yield "locked-" + cipher, key.openssh("c", cipher, 1 + 7 * i), truth(key, "openssh-key-v1", locked=(cipher, f"bcrypt:{1 + 7 * i}"))
    if "ppk" in key.formats:
        for kind in ("Argon2d", "Argon2i", "Argon2id"):
            yield "locked-" + kind, key.ppk(3, "c d", True, kind), truth(key, "ppk3", "c d", locked=("aes256-cbc", kind))
        yield "locked-ppk2", key.ppk(2, "c d", True), truth(key, "ppk2", "c d", locked=("aes256-cbc", "sha1"))
    if "pkcs8" in key.formats:
        for how in (("aes-256-cbc", "pbkdf2"), ("aes-192-cbc", "pbkdf2"), ("des-ede3-cbc", "scrypt"), ("pbeWithMD5AndDES-CBC", "pbkdf1"),
                    ("pbeWithSHA1And3-KeyTripleDES-CBC", "pkcs12")):
            yield "locked-" + how[0], key.pkcs8_encrypted(*how), truth(key, "pkcs8-enc-pem", locked=how, hidden=True)
        yield "locked-der", key.pkcs8_encrypted_der(), truth(key, "pkcs8-enc-der", locked=("aes-256-cbc", "pbkdf2"), hidden=True)
    if "traditional" in key.formats:
        word = {"pkcs1": "ssh-rsa", "sec1": "ecdsa", "dsa": "ssh-dss"}[key.traditional_format]
        for cipher in ("AES-128-CBC", "DES-EDE3-CBC"):
            facts = truth(key, key.traditional_format + "-pem", locked=(cipher, "md5"), hidden=True)
            yield "locked-" + cipher, key.traditional_encrypted(cipher), {**facts, "type": word}


def public(key, ca):
    if "openssh" in key.formats:
        yield "line", key.line("a b  c"), truth(key, "ssh-public", "a b  c", "public")
        yield "rfc4716", key.rfc4716("a b"), truth(key, "rfc4716", "a b", "public")
        for host in (False, True):
            kind, blob = k.certificate(key, ca, host=host)
            yield f"certificate-{host}", f"{kind} {base64.b64encode(blob).decode()} c\n".encode(), truth(key, "ssh-cert", "c", "cert")
    if "pkcs8" in key.formats:
        yield "spki", key.spki(), truth(key, "spki-pem", kind="public")
        yield "spki-der", key.spki_der(), truth(key, "spki-der", kind="public")


# ---------------------------------------------------------------- what happens to it
def lines(change):
    return lambda text: b"".join(change(line) for line in text.splitlines(True))


def body(change):
    def damage(text):
        first, *inner, last = text.split(b"\n")[:-1]
        return b"\n".join(change(first, inner, last)) + b"\n"
    return damage


def ends(by):
    return lambda text: text.replace(b"\n", by)


def again(text):
    return base64.b64encode(text) + b"\n"


def inside(text, **more):
    return json.dumps({**more, "value": text.decode()}, indent=2).encode() + b"\n"


# name: what it does, the defects that may be named first. The facts stay what they are.
ANY = {
    "crlf": (ends(b"\r\n"), "crlf"), "cr": (ends(b"\r"), "cr-only"), "bom": (lambda t: b"\xef\xbb\xbf" + t, "bom"),
    "utf16le": (lambda t: t.decode().encode("utf-16"), "utf16le"), "utf16be": (lambda t: b"\xfe\xff" + t.decode().encode("utf-16-be"), "utf16be"),
    "utf16le-bare": (lambda t: t.decode().encode("utf-16-le"), "utf16le-nobom"), "spaces": (ends(b" "), "newline-to-space"),
    "lost": (ends(b""), "newlines-lost"), "escaped": (lambda t: ends(b"\\n")(t) + b"\n", "newline-escaped"),
    "quoted": (lambda t: json.dumps(t.decode()).encode() + b"\n", "json-quoted"), "no-end": (lambda t: t.rstrip(b"\n"), "no-final-newline"),
    "blank-first": (lambda t: b"\n\n" + t, "leading-blank-lines"), "indent": (lines(lambda line: b"    " + line), "indented"),
    "tabs": (lines(lambda line: b"\t" + line), "indented"), "text": (lambda t: b"Here is the key:\n" + t, "leading-text"),
    "trailing": (ends(b"  \n"), "trailing-spaces"), "base64": (again, "base64-of-file"), "base64-lines": (base64.encodebytes, "base64-of-file"),
    "base64-twice": (lambda t: again(again(t)), "base64-of-file"), "fence": (lambda t: b"```pem\n" + t + b"```\n", "markdown-fence"),
    "mail": (lines(lambda line: b"> " + line), "quoted-mail"), "env": (lambda t: b'KEY="' + ends(b"\\n")(t) + b'"\n', "dotenv"),
    "export": (lambda t: b"export KEY='" + t + b"'\n", "dotenv"), "after": (lambda t: t + b"root@vm:~# \n", "trailing-garbage"),
    "nuls-after": (lambda t: t + b"\0" * 100, "trailing-garbage"), "hidden": (lambda t: b"\xe2\x80\x8b" + t, "zero-width-space"),
    "vault": (lambda t: inside(t, id="https://v.vault.azure.net/secrets/s/1"), "json-quoted"),
    "vault-base64": (lambda t: inside(again(t).strip(), id="x"), "base64-of-file"), "yaml": (lambda t: b"key: |\n" + lines(lambda n: b"  " + n)(t), "indented"),
    "secret": (lambda t: b"kind: Secret\ndata:\n  key: " + again(t), "base64-of-file"), "html": (lambda t: b"<html><pre>" + t + b"</pre></html>\n", "leading-text"),
    "numbers": (lambda t: b"".join(b"%6d\t%s" % (i, n) for i, n in enumerate(t.splitlines(True), 1)), "damaged"),
    "percent": (lambda t: t.replace(b"%", b"%25").replace(b"+", b"%2B").replace(b"/", b"%2F").replace(b"\n", b"%0A").replace(b" ", b"%20"), "newline-escaped"),
}
PEM = {
    "no-footer": (body(lambda first, inner, last: [first, *inner]), "no-footer"), "no-header": (body(lambda first, inner, last: [*inner, last]), "no-header"),
    "half-header": (lambda t: t[8:], "no-header"), "four": (lambda t: t.replace(b"-----", b"----"), "four-dashes"),
    "em": (lambda t: t.replace(b"-----", "——-".encode()), "em-dashes"), "six": (lambda t: t.replace(b"-----", b"------"), "damaged"),
    "lower": (lambda t: re.sub(rb"(BEGIN|END)( [A-Z ]+)", lambda m: m[0].lower(), t), "lowercase-label"),
    "one-line": (body(lambda first, inner, last: [first, b"".join(inner), last]), "base64-one-line"),
    "url": (body(lambda first, inner, last: [first, *(n.replace(b"+", b"-").replace(b"/", b"_") for n in inner), last]), "base64url"),
    "glued": (lambda t: t.replace(b"KEY-----\n", b"KEY-----", 1), "newlines-lost"), "glued-end": (lambda t: t.replace(b"\n-----END", b"-----END"), "newlines-lost"),
    "end-indented": (lambda t: t.replace(b"\n-----END", b"\n -----END"), "indented"), "odd-blank": (lambda t: t.replace(b" PRIVATE", b"\xc2\xa0PRIVATE"), "damaged"),
    "ends-differ": (lambda t: re.sub(rb"END [A-Z ]*PRIVATE", b"END XX PRIVATE", t), "wrong-label"), "cut-end": (lambda t: t[:-12], "truncated"),
    "dotted": (body(lambda first, inner, last: [first, *inner, last, last]), "trailing-garbage"),
}
# Nothing is done to the lines of a file after that.
ENCODED = {"utf16le", "utf16be", "utf16le-bare", "base64", "base64-lines", "base64-twice", "vault-base64", "secret", "cut-end", "nuls-after", "percent"}
# Bytes are lost: what still shows must be right, what does not show is no fault.
LOSSY = {
    "half": (lambda t: t[:len(t) * 6 // 10], "truncated"), "three-lines": (lambda t: b"\n".join(t.split(b"\n")[:-4]) + b"\n", "truncated"),
    "char-lost": (lambda t: t[:len(t) // 2] + t[len(t) // 2 + 1:], "one-char-lost truncated damaged"), "char-added": (lambda t: t[:len(t) // 2] + b"A" + t[len(t) // 2:], "damaged one-char-lost truncated"),
    "line-lost": (body(lambda first, inner, last: [first, *inner[:len(inner) // 2], *inner[len(inner) // 2 + 1:], last]), "truncated damaged one-char-lost begin-only"),
    "line-twice": (body(lambda first, inner, last: [first, *inner[:2], *inner[1:], last]), "damaged truncated"),
    "dots": (body(lambda first, inner, last: [first, inner[0], b"...", inner[-1], last]), "damaged truncated one-char-lost"),
}


def others(rsa, ed):
    """What people give in place of a key: name, bytes, code, defect, words of the summary."""
    line, request = ed.line("c"), k.sequence(k.sequence(k.integer(0), k.sequence(k.der(0x31)), k.sequence()), k.sequence(), k.der(3, b"\0"))
    archive, tar = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("id_rsa", rsa.traditional())
    with tarfile.open(fileobj=tar, mode="w") as file:
        info = tarfile.TarInfo("id_rsa")
        info.size = len(rsa.traditional())
        file.addfile(info, io.BytesIO(rsa.traditional()))
    known = "a list of the keys of hosts"
    yield "known_hosts", b"vm1,10.0.0.4 " + line, "key-not-a-key-file", "known-hosts", known
    yield "known_hosts hashed", b"|1|F1E1KeoE/eEWhi10WpGv4OdiO6Y=|3988QV0VE8wmZL7suNrYQLITLCg= " + line, "key-not-a-key-file", "known-hosts", known
    yield "known_hosts marked", b"@cert-authority *.x " + line, "key-not-a-key-file", "known-hosts", known
    yield "authorized_keys", b'command="a b",no-pty ' + line + rsa.line("d"), "key-is-public-half", None, "public key"
    yield "public half behind a prompt", b"me@host:~$ " + line, "key-is-public-half", None, "public key"
    yield "zip", archive.getvalue(), "key-not-a-key-file", "archive", "an archive"
    yield "tar", tar.getvalue(), "key-not-a-key-file", "archive", "an archive"
    yield "gzip", gzip.compress(rsa.traditional()), "key-not-a-key-file", "archive", "an archive"
    yield "request", k.pem("CERTIFICATE REQUEST", request), "key-not-a-key-file", None, "a request for a certificate"
    yield "bundle", k.pem("PKCS7", k.sequence(k.oid("1.2.840.113549.1.7.2"))), "key-not-a-key-file", None, "a bundle of certificates"
    yield "curve alone", k.pem("EC PARAMETERS", k.oid("1.2.840.10045.3.1.7")), "key-not-a-key-file", None, "the parameters of a curve"
    yield "numbers alone", k.pem("DSA PARAMETERS", k.sequence(*map(k.integer, (rsa.n, rsa.p, rsa.q)))), "key-not-a-key-file", None, "the parameters of keys"
    yield "configuration", b"Host vm\n  HostName 1.2.3.4\n  IdentityFile ~/.ssh/id_rsa\n", "key-not-a-key-file", "not-a-key", "holds no key"
    yield "remote desktop", "full address:s:1.2.3.4:3389\r\n".encode("utf-16"), "key-not-a-key-file", "not-a-key", "holds no key"
    yield "two beginnings", b"-----BEGIN RSA PRIVATE KEY-----\n" + rsa.traditional(), "key-damaged", "damaged", ""
    yield "changed checksum", re.sub(rb"(?m)^(Private-MAC: ..)", rb"\g<1>00", ed.ppk())[:-3] + b"\n", "key-damaged", "damaged", "do not fit together"
    yield "changed private half", re.sub(rb"(?m)^(Private-Lines: \d+\n)....", rb"\g<1>QUJD", rsa.ppk(2)), "key-damaged", "damaged", "do not fit together"


class Judge:
    def __init__(self, work):
        self.work, self.home, self.done, self.failed = work, work / "home", 0, 0
        self.home.mkdir()

    def run(self, path):
        env = {"PATH": os.environ["PATH"], "HOME": str(self.home), "AZURE_CONFIG_DIR": str(self.home)}
        out = subprocess.run([str(BUILD / "azssh-doctor"), "--no-azure", "--no-probe", "-i", str(path), "-f", "json"], capture_output=True, env=env,
                             stdin=subprocess.DEVNULL, timeout=30).stdout
        return next(f for f in json.loads(out)["findings"] if f["check"] == "key-format")

    def complaints(self, data, facts, defects, lossy):
        path = self.work / "key"
        path.write_bytes(data)
        path.chmod(0o600)
        finding = self.run(path)
        said = finding["evidence"]
        for name in FACTS:
            lost = (None, "ecdsa", "other", "unknown") + ((said.get(name),) if name == "kdf" or (name == "comment" and defects is None) else ())
            if said.get(name) != facts.get(name) and not (lossy and said.get(name) in lost):
                yield f"{name}: {facts.get(name)!r} was to be expected, {said.get(name)!r} came"
        if defects is not None and said.get("defect") not in (defects or {None}) and not (lossy and facts["encrypted"] == "yes"):
            yield f"defect: one of {sorted(defects)}, {said.get('defect')!r} came"
        load = subprocess.run(["ssh-keygen", "-y", "-P", "", "-f", str(path)], capture_output=True, text=True, stdin=subprocess.DEVNULL)
        refused = finding["status"] == "fail" and finding["code"] not in NOT_DAMAGE
        if load.returncode == 0 and facts["kind"] == "private" and refused and not lossy:
            yield f"{finding['code']}, and ssh-keygen loads it"
        if load.returncode != 0 and "incorrect passphrase" not in load.stderr and finding["status"] != "fail":
            yield f"{finding['code']}, and ssh-keygen says {load.stderr.strip()}"

    def judge(self, name, data, facts, defects=frozenset(), lossy=False):
        wrong = list(self.complaints(data, facts, defects if defects is None else set(defects), lossy))
        self.done += 1
        self.failed += bool(wrong)
        print(f"{'not ok' if wrong else 'ok'} {self.done} - {name}")
        for line in wrong:
            print("# " + line)
        if wrong and len(data) < 6000:
            print("# " + base64.b64encode(data).decode())


    def refuse(self, name, data, code, defect, words):
        path = self.work / "key"
        path.write_bytes(data)
        finding = self.run(path)
        said = (finding["status"], finding["code"], finding["evidence"].get("defect") if defect else None)
        self.done += 1
        wrong = said != ("fail", code, defect) or words not in finding["summary"]
        self.failed += wrong
        print(f"{'not ok' if wrong else 'ok'} {self.done} - {name}\n" + (f"# {said} came: {finding['summary']}" if wrong else ""), end="\n" if wrong else "")

    def under(self, label, data):
        """A key under some label: exactly the ones that ssh-keygen loads are not refused."""
        path = self.work / "key"
        path.write_bytes(k.pem(label, data))
        path.chmod(0o600)
        finding = self.run(path)
        load = subprocess.run(["ssh-keygen", "-y", "-P", "", "-f", str(path)], capture_output=True, text=True, stdin=subprocess.DEVNULL)
        wrong = (load.returncode == 0 or "incorrect passphrase" in load.stderr) == (finding["status"] == "fail" and finding["code"] not in NOT_DAMAGE)
        self.done += 1
        self.failed += wrong
        print(f"{'not ok' if wrong else 'ok'} {self.done} - under {label}\n" + (f"# {finding['code']}, ssh-keygen: {load.stderr.strip() or 'loads'}" if wrong else ""), end="\n" if wrong else "")


def harmless(name, container, text):
    """Damages that change nothing there."""
    short = text.count(b"\n") < 4
    return (container.startswith("ppk") and name in ("no-end-of-line",)) or (short and name in ("one-line", "line-lost", "line-twice", "dots", "half", "three-lines")) or \
        (name == "url" and not re.search(rb"[+/]", b"".join(text.split(b"\n")[1:-2]))) or \
        (name == "three-lines" and container.startswith("ppk"))


def damages(container):
    return {**ANY, **({} if container.startswith("ppk") else PEM)}


def fixed(judge):
    rng = random.Random(1)
    ed = k.Ed25519(rng)
    keys = [k.Rsa(rng, 2048), k.Rsa(rng, 1023, 3), k.Dsa(rng), k.Ec(rng), k.Ec(rng, "nistp384"), k.Ec(rng, "nistp521"), k.Ec(rng, "secp256k1"),
            k.Ec(rng, "brainpoolP256r1"), ed, k.Sk(rng), k.Sk(rng, "ec")]
    for key in keys:
        for name, data, facts in (*containers(key), *public(key, ed)):
            judge.judge(f"{key.type} {key.bits} {name}", data, facts)
    for key in (keys[0], keys[3], ed):
        for name, data, facts in locked(key):
            judge.judge(f"{key.type} {name}", data, facts)
    for i, comment in enumerate(COMMENTS):
        judge.judge(f"comment {i} openssh", ed.openssh(comment), truth(ed, "openssh-key-v1", comment))
        judge.judge(f"comment {i} ppk", ed.ppk(3, comment), truth(ed, "ppk3", comment))
    for case in others(keys[0], ed):
        judge.refuse(*case)
    for label in ("RSA PRIVATE KEY", "EC PRIVATE KEY", "PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "OPENSSH PRIVATE KEY", "ANY PRIVATE KEY", "PUBLIC KEY"):
        for data in (keys[0].traditional_der(), keys[0].pkcs8_der(), keys[3].pkcs8_der(), keys[3].traditional_der(), keys[0].pkcs8_encrypted_der()):
            judge.under(label, data)
    for key, container in ((keys[0], "traditional"), (ed, "openssh"), (ed, "ppk")):
        _, data, facts = next(c for c in containers(key) if c[0] == container)
        for name, (change, defects) in damages(container).items():
            judge.judge(f"{container} {name}", change(data), facts, defects.split())
        for name, (change, defects) in LOSSY.items():
            if container != "ppk" or name == "half":
                judge.judge(f"{container} {name}", change(data), facts, defects.split(), True)


def wide(judge, count, seed):
    rng = random.Random(seed)
    ca = k.Ed25519(rng)
    for _ in range(count):
        key = rng.choice([lambda: k.Rsa(rng, rng.choice([768, 1024, 1535, 2047, 2048, 2049]), rng.choice([3, 17, 65537, 2**32 + 15])), lambda: k.Ec(rng, rng.choice(list(k.CURVES))),
                          lambda: k.Ed25519(rng), lambda: k.Sk(rng, rng.choice(["ed25519", "ec"])), lambda: k.Dsa(rng)])()
        container, data, facts = rng.choice([*containers(key, rng.choice(COMMENTS[:4])), *locked(key), *public(key, ca)])
        text = facts["format"].split("-")[-1] in ("pem", "v1") or facts["format"].startswith("ppk")
        if not text or facts["kind"] != "private":
            judge.judge(f"{key.type} {key.bits} {container}", data, facts)
            continue
        choice = {n: d for n, d in {**damages(facts["format"]), **(LOSSY if not facts["format"].startswith("ppk") else {})}.items() if not harmless(n, facts["format"], data)}
        name = rng.choice(list(choice))
        data, defects = choice[name][0](data), choice[name][1].split()
        if name not in LOSSY and name not in ENCODED and rng.random() < TWICE:
            second = rng.choice(list(ANY))
            name, data, defects = f"{name} + {second}", ANY[second][0](data), defects + ANY[second][1].split()
            judge.judge(f"{key.type} {key.bits} {container} {name}", data, facts, None, True)
        else:
            judge.judge(f"{key.type} {key.bits} {container} {name}", data, facts, defects, name in LOSSY)


def main():
    work = pathlib.Path(tempfile.mkdtemp(prefix="variants"))
    try:
        judge = Judge(work)
        if "--wide" in sys.argv:
            seed = int(sys.argv[3]) if len(sys.argv) > 3 else int(time.time())
            print(f"# seed {seed}")
            wide(judge, int(sys.argv[2]), seed)
        else:
            fixed(judge)
        print(f"1..{judge.done}")
        return 0 if "--wide" not in sys.argv or judge.failed == 0 else 1
    finally:
        shutil.rmtree(work, ignore_errors=True)


sys.exit(main())
