"""TLS as a real Azure has it: nghttpx (HTTP/2, session tickets) in front of a simulator, and certificates of every kind by openssl."""
import os
import shutil
import subprocess
import tempfile
import time
import urllib.parse

PORT = 8443


def openssl(*argv):
    subprocess.run(["openssl", *argv], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)


class Authority:
    """A CA of its own; subject is that of its certificate."""

    def __init__(self, subject="/O=Private/CN=Private CA"):
        self.folder = tempfile.mkdtemp(prefix="azssh-tls-")
        self.key, self.pem = self.at("ca.key"), self.at("ca.pem")
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", self.key, "-out", self.pem, "-subj", subject, "-days", "30")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder)

    def at(self, name):
        return os.path.join(self.folder, name)

    def text(self):
        with open(self.pem, encoding="utf-8") as file:
            return file.read()

    def issue(self, name="server", alt="IP:127.0.0.1", days="30"):
        """A server's certificate; returns its key and its certificate. days: "-1" is one that is over."""
        key, request, pem, more = self.at(name + ".key"), self.at(name + ".csr"), self.at(name + ".pem"), self.at(name + ".ext")
        with open(more, "w", encoding="utf-8") as out:
            out.write(f"subjectAltName={alt}\nbasicConstraints=CA:FALSE\n")
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", request, "-subj", "/CN=" + name)
        openssl("x509", "-req", "-in", request, "-CA", self.pem, "-CAkey", self.key, "-CAcreateserial", "-out", pem, "-days", days, "-extfile", more)
        return key, pem


class Front:
    """nghttpx at https://127.0.0.1:8443 before the simulator; http2: it speaks HTTP/2 as well."""

    def __init__(self, sim, key, certificate, http2=True):
        at = urllib.parse.urlsplit(sim.url)
        self.folder = tempfile.mkdtemp(prefix="azssh-front-")
        self.access, self.url = os.path.join(self.folder, "access"), f"https://127.0.0.1:{PORT}"
        argv = ["nghttpx", "--conf=/dev/null", "--frontend=127.0.0.1," + str(PORT), "--insecure", "--no-ocsp", "--no-via", "--workers=1", "--tls-max-early-data=0",
                "--backend=%s,%d;;%s" % (at.hostname, at.port, "tls" if at.scheme == "https" else ""), "--errorlog-file=/dev/null",
                "--accesslog-file=" + self.access, "--accesslog-format=$remote_port $tls_session_reused $request", key, certificate]
        if not http2:
            argv.insert(1, "--npn-list=http/1.1")
        self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(200):
            if os.path.exists(self.access) and self.listens():
                break
            time.sleep(0.02)

    @staticmethod
    def listens():
        with open("/proc/net/tcp", encoding="ascii") as table:
            return any(line.split()[1].endswith(":%04X" % PORT) and line.split()[3] == "0A" for line in list(table)[1:])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=20)
        shutil.rmtree(self.folder)

    def served(self):
        """[connection, "r" when it resumed a session, "METHOD PATH VERSION"] of each request."""
        with open(self.access, encoding="utf-8") as text:
            return [line.rstrip("\n").split(" ", 2) for line in text]
