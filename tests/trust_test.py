#!/usr/bin/python3
"""Which servers are trusted, however the certificates of the authorities are kept; and how many connections that takes."""
import os
import shutil
import subprocess
import tempfile

from azurelib import probe
from simlib import expect, run, Sim, test, VM
from tlslib import Authority, Front, openssl, PORT

SYSTEM = "/etc/ssl/certs/ca-certificates.crt"
NONE = {"SSL_CERT_FILE": None, "SSL_CERT_DIR": None, "CURL_CA_BUNDLE": None, "REQUESTS_CA_BUNDLE": None}


class Files:
    """Bundles and folders of certificates."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="azssh-ca-")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder)

    def bundle(self, name, *texts):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8", newline="") as out:
            out.write("".join(texts))
        return path

    def hashed(self, name, *texts):
        path = os.path.join(self.folder, name)
        os.mkdir(path)
        for i, text in enumerate(texts):
            self.bundle(f"{name}/{i}.pem", text)
        openssl("rehash", path)
        return path


def others():
    """What else a bundle holds: the system's authorities where there are some, else three of our own."""
    if os.path.exists(SYSTEM):
        with open(SYSTEM, encoding="utf-8") as text:
            return text.read()
    found = []
    for i in range(3):
        with Authority(f"/CN=Other {i}") as one:
            found.append(one.text())
    return "".join(found)


def ask(front, sim, host="127.0.0.1", **env):
    at = f"https://{host}:{PORT}"
    return probe(sim, VM, "--arm", at, env=dict(NONE, AZURE_AUTHORITY_HOST=at, **env))


def trusted(facts):
    expect((facts.signin["state"], facts.vm["state"]), ("known", "known"))


def refused(facts, sim):
    print("# " + facts.signin.get("reason", "signed in"))
    expect((facts.signin["state"], facts.signin.get("kind"), sim.log()), ("unknown", "network", []))


@test
def the_authority_is_found_however_it_is_kept():
    with Authority() as ca, Sim() as sim, Files() as files:
        rest = others()
        noted = ca.at("trusted.pem")
        openssl("x509", "-in", ca.pem, "-addtrust", "serverAuth", "-trustout", "-out", noted)
        with open(noted, encoding="utf-8") as text:
            noted = text.read()
        kept = {"CURL_CA_BUNDLE": files.bundle("a", ca.text(), rest), "SSL_CERT_FILE": files.bundle("b", rest, ca.text()),
                "REQUESTS_CA_BUNDLE": files.bundle("c", ca.text()), "SSL_CERT_DIR": files.hashed("d", ca.text())}
        with Front(sim, *ca.issue()) as front:
            for name, path in kept.items():
                trusted(ask(front, sim, **{name: path}))
            trusted(ask(front, sim, SSL_CERT_FILE=files.bundle("crlf", "# ours\r\n\r\n", ca.text().replace("\n", "\r\n"), "# the end")))
            trusted(ask(front, sim, SSL_CERT_FILE=files.bundle("trusted", rest, noted)))
            trusted(ask(front, sim, SSL_CERT_FILE=files.bundle("e", rest), SSL_CERT_DIR=files.hashed("f", ca.text())))


@test
def two_authorities_of_one_name_are_told_apart():
    with Authority() as old, Authority() as new, Sim() as sim, Files() as files, Front(sim, *new.issue()) as front:
        trusted(ask(front, sim, SSL_CERT_FILE=files.bundle("both", old.text(), new.text())))
        trusted(ask(front, sim, SSL_CERT_FILE=files.bundle("other", new.text(), old.text())))


@test
def an_unknown_authority_is_refused():
    with Authority() as ca, Authority("/CN=Another") as other, Authority() as namesake, Sim() as sim, Files() as files:
        with Front(sim, *ca.issue()) as front:
            for text in (others(), other.text(), namesake.text()):
                refused(ask(front, sim, SSL_CERT_FILE=files.bundle("x", text)), sim)
            refused(ask(front, sim, SSL_CERT_DIR=files.hashed("y", other.text())), sim)
            refused(ask(front, sim, SSL_CERT_DIR=files.hashed("z", namesake.text())), sim)
            refused(ask(front, sim), sim)


@test
def a_bundle_in_disorder_is_refused():
    with Authority() as ca, Sim() as sim, Files() as files, Front(sim, *ca.issue()) as front:
        cut = ca.text()[:len(ca.text()) // 2]
        for text in ("", "nothing\n", cut, ca.text() + cut, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"):
            refused(ask(front, sim, SSL_CERT_FILE=files.bundle("x", text)), sim)
        refused(ask(front, sim, SSL_CERT_FILE=files.folder), sim)
        refused(ask(front, sim, SSL_CERT_FILE=files.folder + "/nothing"), sim)


@test
def another_name_and_a_certificate_that_is_over_are_refused():
    with Authority() as ca, Sim() as sim, Files() as files:
        keep = ({"SSL_CERT_FILE": files.bundle("x", others(), ca.text())}, {"SSL_CERT_DIR": files.hashed("y", ca.text())})
        for kinds in ({"alt": "DNS:elsewhere.example"}, {"alt": "IP:127.0.0.2"}, {"days": "-1"}):
            with Front(sim, *ca.issue(**kinds)) as front:
                for env in keep:
                    refused(ask(front, sim, **env), sim)


@test
def http_2_takes_one_connection_and_http_1_resumes_its_sessions():
    with Authority() as ca, Sim(latency_ms=30) as sim:
        with Front(sim, *ca.issue()) as front:
            trusted(ask(front, sim, SSL_CERT_FILE=ca.pem))
            served = front.served()
            assert len(served) > 8 and all("HTTP/2" in request for _, _, request in served), served
            expect(len({connection for connection, _, _ in served}), 1)
        with Front(sim, *ca.issue(), http2=False) as front:
            trusted(ask(front, sim, SSL_CERT_FILE=ca.pem))
            served = front.served()
            first = [request for _, reused, request in served if reused == "."]
            expect(len({connection for connection, _, _ in served}) > 1, True)
            assert len(first) < len(served) / 2, served


if shutil.which("nghttpx") is None or shutil.which("openssl") is None:
    print("1..0 # SKIP no nghttpx or openssl")
    raise SystemExit(0)

if __name__ == "__main__":
    raise SystemExit(run())
