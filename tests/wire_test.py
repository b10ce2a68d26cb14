#!/usr/bin/python3
"""The conversation (ssh/wire*.c) against real servers: OpenSSH of many configurations, Dropbear, tinysshd, paramiko."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import wire_lib as lib  # noqa: E402
import wire_servers as srv  # noqa: E402
from wire_lib import Skip, equal, facts, holds, identity, known, needs, only_queries, probe, ssh_options, sshd, test, DIR, KEYS  # noqa: E402


# ---- OpenSSH ----

@test
def openssh_with_defaults_takes_one_connection():
    server = sshd("default")
    wire = probe(server.port, facts([KEYS["user"]]))
    equal(wire["tcp"]["result"], "connected")
    equal(wire["tcp"]["loopback"], True)
    equal(wire["banner"]["result"], "ssh")
    equal(wire["banner"]["product"], "openssh")
    equal(wire["kex"]["result"], "done")
    equal(wire["kex"]["by"], "libssh2")
    equal(wire["kex"]["chosen"]["host_key"], "ssh-ed25519")
    equal(wire["host_key"]["keys"][0]["fingerprint"], srv.fingerprint(KEYS["ed25519"]))
    equal(wire["host_key"]["keys"][0]["fingerprint_md5"], srv.fingerprint(KEYS["ed25519"], "md5"))
    equal(wire["host_key"]["keys"][0]["public"], srv.public(KEYS["ed25519"])[1])
    equal(wire["auth"]["methods"], ["publickey"])
    equal(wire["auth"]["accepted"], srv.fingerprint(KEYS["user"]))
    equal(server.connections(), 1, "connections")
    only_queries(server)
    server.stop()


@test
def rsa_user_key_is_accepted_by_openssh():
    server = sshd("rsauser", authorized=("rsauser",))
    wire = probe(server.port, facts([KEYS["rsauser"]]))
    equal(wire["auth"]["accepted"], srv.fingerprint(KEYS["rsauser"]))
    holds(server.connections() <= 2, "two connections at most")
    only_queries(server)
    server.stop()


@test
def ecdsa_user_key_is_accepted():
    server = sshd("ecdsauser", authorized=("ecdsauser",))
    wire = probe(server.port, facts([KEYS["ecdsauser"]]))
    equal(wire["auth"]["accepted"], srv.fingerprint(KEYS["ecdsauser"]))
    equal(server.connections(), 1, "connections")
    server.stop()


@test
def unknown_keys_are_denied_and_the_third_is_accepted():
    server = sshd("third")
    wire = probe(server.port, facts([KEYS["other"], KEYS["rsauser"], KEYS["user"]]))
    equal([q["answer"] for q in wire["auth"]["queries"]], ["denied", "denied", "accepted"])
    equal(server.connections(), 1, "connections")
    only_queries(server, denied=2)
    server.stop()


@test
def the_explicit_key_is_asked_first():
    server = sshd("explicit")
    wire = probe(server.port, facts([KEYS["other"], identity(KEYS["user"], **{"from": "option"})]))
    equal([q["answer"] for q in wire["auth"]["queries"]], ["accepted"])
    only_queries(server)
    server.stop()


@test
def no_more_than_three_keys_are_asked():
    server = sshd("many")
    wire = probe(server.port, facts([KEYS[k] for k in ("other", "rsauser", "ecdsauser", "user")]))
    equal([q["answer"] for q in wire["auth"]["queries"]], ["denied"] * 3)
    holds("accepted" not in wire["auth"], "nothing was accepted")
    server.stop()


@test
def one_try_only_ends_with_the_servers_words():
    server = sshd("onetry", "MaxAuthTries 1")
    wire = probe(server.port, facts([KEYS["other"], KEYS["user"]]))
    equal(wire["auth"]["queries"][0]["answer"], "denied")
    equal(len(wire["auth"]["queries"]), 1)
    holds("Too many authentication failures" in wire["auth"]["text"], "the words of the DISCONNECT")
    server.stop()


@test
def several_steps_show_the_first():
    server = sshd("steps", "AuthenticationMethods publickey,keyboard-interactive\nKbdInteractiveAuthentication yes")
    wire = probe(server.port, facts([KEYS["user"]]))
    equal(wire["auth"]["methods"], ["publickey"])
    equal(wire["auth"]["accepted"], srv.fingerprint(KEYS["user"]))
    server.stop()


@test
def a_server_without_publickey_names_what_it_takes():
    server = sshd("nopubkey", "PubkeyAuthentication no\nPasswordAuthentication yes")
    wire = probe(server.port, facts([KEYS["user"]]))
    equal(wire["auth"]["methods"], ["password"])
    equal(wire["auth"]["queries"], [])
    only_queries(server)
    server.stop()


@test
def an_unknown_user_looks_like_a_denied_key():
    server = sshd("nouser")
    wire = probe(server.port, facts([KEYS["user"]]), user="no-such-user")
    equal(wire["auth"]["methods"], ["publickey"])
    equal(wire["auth"]["queries"][0]["answer"], "denied")
    server.stop()


def other_algorithms(name, options, keys=("ed25519",), **checks):
    server = sshd(name, options, keys=keys)
    wire = probe(server.port, facts([KEYS["user"]]))
    equal(wire["kex"]["result"], "done", "kex")
    holds("missing" not in wire["kex"], "the installed ssh shares all")
    equal(wire["host_key"]["keys"][0]["fingerprint"], srv.fingerprint(KEYS[keys[0]]), "host key")
    equal(wire["auth"]["accepted"], srv.fingerprint(KEYS["user"]), "accepted key")
    holds(server.connections() <= 3, "three connections at most")
    only_queries(server)
    server.stop()
    for key, value in checks.items():
        equal(wire["kex"].get(key), value, key)


@test
def sntrup_only():
    other_algorithms("sntrup", "KexAlgorithms sntrup761x25519-sha512@openssh.com", by="ssh")


@test
def chacha_only():
    other_algorithms("chacha", "Ciphers chacha20-poly1305@openssh.com", by="own")


@test
def gcm_only():
    other_algorithms("gcm", "Ciphers aes256-gcm@openssh.com", by="own")


@test
def etm_only():
    other_algorithms("etm", "MACs hmac-sha2-512-etm@openssh.com,hmac-sha2-256-etm@openssh.com", by="own")


@test
def rsa_host_key_only():
    other_algorithms("rsahost", "", keys=("rsa",), by="own")


@test
def nistp521_and_gcm_only():
    other_algorithms("nistp", "KexAlgorithms ecdh-sha2-nistp521\nCiphers aes128-gcm@openssh.com", keys=("ecdsa",), by="own")


@test
def group16_and_chacha_only():
    other_algorithms("group16", "KexAlgorithms diffie-hellman-group16-sha512\nCiphers chacha20-poly1305@openssh.com", by="own")


@test
def old_methods_are_no_common_with_the_installed_ssh():
    server = sshd("weak", "KexAlgorithms diffie-hellman-group1-sha1")
    wire = probe(server.port, facts([KEYS["user"]]))
    equal(wire["kex"]["result"], "no-common")
    equal(wire["kex"]["missing"], "kex")
    equal(wire["kex"]["server"]["kex"][0], "diffie-hellman-group1-sha1")
    server.stop()


@test
def old_host_key_algorithm_is_named():
    server = sshd("sha1", "HostKeyAlgorithms ssh-rsa", keys=("rsa",))
    wire = probe(server.port, facts([KEYS["user"]]))
    equal(wire["kex"]["result"], "no-common")
    equal(wire["kex"]["missing"], "host_key")
    equal(wire["kex"]["server"]["host_key"], ["ssh-rsa"])
    server.stop()


@test
def the_clients_own_list_decides():
    server = sshd("narrow")
    for option, value, missing in (("kexalgorithms", "diffie-hellman-group1-sha1", "kex"), ("ciphers", "aes256-cbc", "cipher"),
                                   ("hostkeyalgorithms", "ssh-dss", "host_key")):
        wire = probe(server.port, facts([KEYS["user"]], config=ssh_options(**{option: value})))
        equal(wire["kex"]["missing"], missing, option)
    server.stop()


@test
def the_type_on_file_is_asked_for():
    server = sshd("onfile")
    wire = probe(server.port, facts([KEYS["user"]], known_hosts=[KEYS["ecdsa"]]))
    equal(wire["host_key"]["keys"][0]["fingerprint"], srv.fingerprint(KEYS["ecdsa"]))
    equal(server.connections(), 1, "connections")
    wire = probe(server.port, facts([KEYS["user"]], known_hosts=[KEYS["rsa"]]))
    equal(wire["host_key"]["keys"][0]["fingerprint"], srv.fingerprint(KEYS["rsa"]))
    equal(wire["auth"]["accepted"], srv.fingerprint(KEYS["user"]))
    equal(server.connections(), 3, "connections")
    server.stop()


@test
def a_second_type_is_read_only_where_the_first_is_not_on_file():
    server = sshd("second")
    wire = probe(server.port, facts([KEYS["user"]], known_hosts=[KEYS["ed25519"], KEYS["rsa"]]))
    equal(len(wire["host_key"]["keys"]), 1)
    equal(server.connections(), 1, "connections")
    wrong = dict(known(KEYS["other"]))
    doc = facts([KEYS["user"]], known_hosts=[KEYS["ecdsa"]])
    doc["targets"][0]["known_hosts"]["entries"].append(wrong)
    wire = probe(server.port, doc)
    equal([k["type"] for k in wire["host_key"]["keys"]], ["ssh-ed25519", "ecdsa-sha2-nistp256"])
    equal(wire["host_key"]["keys"][1]["fingerprint"], srv.fingerprint(KEYS["ecdsa"]))
    equal(server.connections(), 3, "connections")
    only_queries(server)
    server.stop()


@test
def a_full_server_is_heard_out():
    server = sshd("maxstartups", "MaxStartups 1:100:1\nLoginGraceTime 20")
    import socket
    held = socket.create_connection(("127.0.0.1", server.port))
    held.recv(100)
    wire = probe(server.port)
    equal(wire["banner"]["result"], "text")
    holds("MaxStartups" in wire["banner"]["text"], "the words")
    held.close()
    server.stop()


# ---- other servers ----

@test
def dropbear_with_ed25519():
    needs("dropbear")
    server = srv.Dropbear(DIR / "dropbear", None, "ed25519")
    wire = probe(server.port, facts([KEYS["other"]]))
    equal(wire["banner"]["product"], "dropbear")
    equal(wire["kex"]["result"], "done")
    equal(wire["host_key"]["keys"][0]["type"], "ssh-ed25519")
    equal(wire["auth"]["queries"][0]["answer"], "denied")
    server.stop()


@test
def dropbear_with_rsa():
    needs("dropbear")
    server = srv.Dropbear(DIR / "dropbear-rsa", None, "rsa")
    wire = probe(server.port, facts([KEYS["rsauser"]]))
    equal(wire["host_key"]["keys"][0]["type"], "ssh-rsa")
    equal(wire["auth"]["queries"][0]["answer"], "denied")
    server.stop()


@test
def tinysshd():
    needs("tinysshd")
    server = srv.Tinyssh(DIR / "tinyssh")
    wire = probe(server.port, facts([KEYS["user"]]))
    equal(wire["banner"]["product"], "tinysshd")
    equal(wire["kex"]["result"], "done")
    equal(wire["host_key"]["keys"][0]["type"], "ssh-ed25519")
    equal(wire["auth"]["methods"], ["publickey"])
    server.stop()


def paramiko(line=""):
    if subprocess.run(["/usr/bin/python3", "-c", "import paramiko"], capture_output=True).returncode != 0:
        raise Skip("python3-paramiko is not installed")
    return srv.Paramiko(KEYS["rsa"], KEYS["user"], line)


@test
def paramiko_as_a_server():
    server = paramiko()
    wire = probe(server.port, facts([KEYS["user"]]))
    equal(wire["kex"]["result"], "done")
    equal(wire["host_key"]["keys"][0]["fingerprint"], srv.fingerprint(KEYS["rsa"]))
    equal(sorted(wire["auth"]["methods"]), ["password", "publickey"])
    equal(wire["auth"]["accepted"], srv.fingerprint(KEYS["user"]))
    wire = probe(server.port, facts([KEYS["other"]]))
    equal(wire["auth"]["queries"][0]["answer"], "denied")
    server.stop()


@test
def odd_identifications_of_servers_that_work():
    for line in ("SSH-1.99-Cisco-1.25", "SSH-2.0-x", "SSH-2.0-Serv-U_15.1 with a comment of its own", "SSH-2.0-" + "v" * 240, "SSH-2.0-a-b-c",
                 "SSH-2.0-OpenSSH_for_Windows_8.1", "SSH-2.0-OpenSSH"):
        server = paramiko(line)
        wire = probe(server.port, facts([KEYS["user"]]))
        equal(wire["banner"]["result"], "ssh", line)
        equal(wire["banner"]["line"], line)
        equal(wire["kex"]["result"], "done", line)
        equal(wire["host_key"]["keys"][0]["fingerprint"], srv.fingerprint(KEYS["rsa"]), line)
        equal(wire["auth"]["accepted"], srv.fingerprint(KEYS["user"]), line)
        server.stop()


@test
def openssh_with_a_comment_and_lines_before():
    server = sshd("addendum", "VersionAddendum hello world, this is a comment\nDebianBanner no")
    wire = probe(server.port, facts([KEYS["user"]]))
    holds(wire["banner"]["line"].endswith("hello world, this is a comment"), "the whole line")
    equal(wire["auth"]["accepted"], srv.fingerprint(KEYS["user"]))
    server.stop()


@test
def dropbear_variants():
    needs("dropbear")
    for kind, options in (("ecdsa", ()), ("ed25519", ("-s",)), ("ed25519", ("-g", "-w"))):
        server = srv.Dropbear(DIR / f"dropbear-{kind}{''.join(options)}", None, kind, *options)
        wire = probe(server.port, facts([KEYS["other"]]))
        equal(wire["kex"]["result"], "done", kind)
        holds("publickey" in wire["auth"]["methods"], "methods")
        server.stop()


@test
def a_host_certificate_is_read_where_an_authority_is_trusted():
    subprocess.run(["ssh-keygen", "-q", "-s", str(KEYS["other"]), "-I", "an id", "-h", "-n", "a,b", "-V", "-1h:+1h", str(KEYS["ed25519"]) + ".pub"], check=True)
    server = sshd("certified", f"HostCertificate {KEYS['ed25519']}-cert.pub")
    doc = facts([KEYS["user"]], known_hosts=[KEYS["other"]])
    doc["targets"][0]["known_hosts"]["entries"][0]["marker"] = "cert-authority"
    wire = probe(server.port, doc)
    key = wire["host_key"]["keys"][0]
    equal(key["type"], "ssh-ed25519")
    equal(key["fingerprint"], srv.fingerprint(KEYS["ed25519"]))
    equal((key["certificate"]["id"], key["certificate"]["principals"]), ("an id", ["a", "b"]))
    equal(key["certificate"]["signed"], True)
    equal(key["certificate"]["authority"]["fingerprint"], srv.fingerprint(KEYS["other"]))
    equal(wire["auth"]["accepted"], srv.fingerprint(KEYS["user"]))
    equal(server.connections(), 2, "connections")
    wire = probe(server.port, facts([KEYS["user"]]))
    holds("certificate" not in wire["host_key"]["keys"][0], "nobody trusts an authority, so the plain key will do")
    equal(server.connections(), 3, "one connection more")
    only_queries(server)
    server.stop()


if __name__ == "__main__":
    sys.exit(lib.run())
