#!/usr/bin/python3
"""Small seeds for the fuzz targets: seeds.py DIR [SEED] makes DIR/fuzz_NAME/*, the same bytes for the same seed."""
import pathlib
import random
import re
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import keylib  # noqa: E402  (a neighbour, not a package)

LABELS = ["OPENSSH PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "DSA PRIVATE KEY", "PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "PUBLIC KEY",
          "RSA PUBLIC KEY"]      # as fuzz_key_wrapped counts them


def key_files(rng):
    """Small ones: a mutation of 300 bytes hits something, one of 3,000 seldom does."""
    rsa, ec, ed = keylib.Rsa(rng, 512), keylib.Ec(rng), keylib.Ed25519(rng)
    for key in (rsa, keylib.Dsa(rng), ec, keylib.Ec(rng, "secp256k1"), ed, keylib.Sk(rng)):
        for container in key.formats:
            yield f"{container}_{key.type}", getattr(key, container)()
    yield "openssh_locked", ed.openssh(cipher="aes256-gcm@openssh.com")
    yield "traditional_locked", rsa.traditional_encrypted()
    yield "pkcs8_locked", ed.pkcs8_encrypted()
    yield "pkcs8_scrypt", ed.pkcs8_encrypted(kdf="scrypt")
    yield "pkcs8_old", ed.pkcs8_encrypted("pbeWithSHA1And3-KeyTripleDES-CBC")
    yield "ppk_locked", ed.ppk(encrypted=True)
    yield "ppk2", rsa.ppk(2)
    yield "explicit", keylib.pem("EC PRIVATE KEY", ec.traditional_der(ec.explicit()))
    yield "der", ec.pkcs8_der()
    yield "jwk", ec.jwk()
    yield "jwk_rsa", rsa.jwk()
    yield "spki", ec.spki()
    yield "line", ed.line("a@b")
    yield "rfc4716", ed.rfc4716("a b")
    kind, blob = keylib.certificate(ed, ed)
    yield "certificate", f"{kind} {keylib.base64.b64encode(blob).decode()} c\n".encode()
    yield "mail", b"".join(b"> " + line + b"\n" for line in ed.openssh().splitlines())
    yield "dotenv", b'KEY="' + ed.openssh().replace(b"\n", b"\\n") + b'"\n'
    yield "again", keylib.base64.b64encode(ed.openssh())
    yield "utf16", ed.openssh().decode().encode("utf-16")


def wrapped(files):
    """The bytes inside, behind the number of their wrapping and of the line ends."""
    for name, text in files:
        found = re.match(rb"-----BEGIN ([A-Z ]+)-----\n((?:.*: .*\n|\n)*)(.*?)-----END", text, re.S)
        if found:
            label = 9 if found[2] else LABELS.index(found[1].decode())
            yield name, bytes([label, len(name) % 5]) + keylib.base64.b64decode(found[3])


def known_hosts(rng):
    key = keylib.Ed25519(rng).line("").decode().strip()
    yield "lines", (f"vm1 {key}\n[vm1]:2200,10.0.0.4 {key} c\n*.example.com,!bad.example.com {key}\n@revoked * {key}\n@cert-authority *.x {key}\n"
                    f"# a comment\n\nvm? {key}\r\ndamaged ssh-ed25519 AAAA\n").encode()
    yield "hashed", f"|1|F1E1KeoE/eEWhi10WpGv4OdiO6Y=|3988QV0VE8wmZL7suNrYQLITLCg= {key}\n".encode()


def others(rng):
    yield "fuzz_ssh_config", "options", (b"user azureuser\nhostname 20.51.230.13\nport 22\nidentityfile ~/.ssh/id_rsa\nidentityfile none\nproxyjump "
                                         b"a@[::1]:22,b\nuserknownhostsfile /a b/known_hosts none\nsetenv A=b\nbatchmode yes\n")
    yield "fuzz_ssh_config", "complaint", b"/h/.ssh/config: line 3: Bad configuration option: x\n/h/.ssh/config: terminating, 1 bad configuration options\n"
    yield "fuzz_ssh_config", "owner", b"Bad owner or permissions on /h/.ssh/config\n"
    keys = [keylib.Ed25519(rng), keylib.Rsa(rng, 512)]
    yield "fuzz_agent", "two", b"\x0c" + struct.pack(">I", 2) + b"".join(keylib.string(k.blob) + keylib.string("c") for k in keys)
    lists = [b"curve25519-sha256,kex-strict-s-v00@openssh.com", b"ssh-ed25519", b"aes128-ctr", b"aes128-ctr", b"hmac-sha2-256", b"hmac-sha2-256", b"none", b"none", b"", b""]
    kexinit = b"\x14" + bytes(16) + b"".join(map(keylib.string, lists)) + bytes(5)
    yield "fuzz_kexinit", "kexinit", b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n" + struct.pack(">IB", len(kexinit) + 5, 4) + kexinit + bytes(4)
    yield "fuzz_kexinit", "reply", b"\x1f" + keylib.string(keys[0].blob) + keylib.string(bytes(32)) + keylib.string(keylib.string("ssh-ed25519") + keylib.string(bytes(64)))
    yield "fuzz_kexinit", "disconnect", b"\x01" + struct.pack(">I", 2) + keylib.string("Too many authentication failures") + keylib.string("")
    yield "fuzz_kexinit", "text", b"Exceeded MaxStartups\r\n"
    logs = (pathlib.Path(__file__).parent.parent / "data" / "boot_logs.txt").read_bytes().replace(b"\\e", b"\x1b").replace(b"\\r", b"\r")
    for i, log in enumerate(logs.split(b"==== ")[1:]):
        yield "fuzz_boot_log", str(i), log.partition(b"\n")[2]
    yield "fuzz_guest", "lines", (f"""azssh-doctor begin
disk 97 100 rw ext4 /
nft table inet filter chain input policy drop
nft tcp dport 22 ip saddr 203.0.113.0/24 accept
iptables -A INPUT -p tcp --dport 22 -s 203.0.113.7 -j DROP
account 1000 1000 /home/azureuser
shell missing /bin/zsh
file 1 1000 -rw-rw-rw- /home/azureuser/.ssh/authorized_keys
path 1000 drwxrwxrwx /home/azureuser
key 1 1 line 3 from="203.0.113.0/24,!203.0.113.7",expiry-time="20200101",command="x" ssh-ed25519 
lines 1 3 2 2 no-type
set allowusers alice bob@203.0.113.*
listen 22 0.0.0.0 sshd
log Failed publickey for azureuser from 203.0.113.7 port 22 ssh2: ED25519 SHA256:x
hostkey 256 SHA256:{'A' * 43} c (ED25519)
azssh-doctor end
""").encode()
    yield "fuzz_rules", "layer", b"version: 1\nchecks:\n  nsg:\n    params: {least: 2}\n    codes:\n      base-code: {title: 'a {rule:x}', severity: warn}\n"
    yield "fuzz_rules", "custom", (b"version: 1\ncustom:\n- id: c\n  kind: fact\n  pointer: /a/b\n  op: equals\n  value: 1\nwaivers:\n- {code: a-code, resource: '*', "
                                   b"reason: r, owner: o, expires: 2027-01-01}\n")


def main():
    folder, rng = pathlib.Path(sys.argv[1]), random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    files = list(key_files(rng))
    seeds = [("fuzz_key", *f) for f in files] + [("fuzz_key_wrapped", *f) for f in wrapped(files)] + \
        [("fuzz_known_hosts", *f) for f in known_hosts(rng)] + list(others(rng))
    for target, name, data in seeds:
        path = folder / target / name.replace("@", "_")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


main()
