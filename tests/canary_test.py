#!/usr/bin/python3
"""Canaries: a secret, a token and a signature planted wherever one can stand; the whole program is run, and none is found in any output,
log or bundle. Each must really have been sent, or its absence proves nothing."""
import json
import os
import re
import socketserver
import subprocess
import tempfile
import threading
import time

from azurelib import jwt
from frontlib import Front
from simlib import BASE, BUILD, CLIENT, NSG, PIP, run, Sim, SUB, TENANT, test, VM

DOCTOR = os.path.join(BUILD, "azssh-doctor")
CANARY = "CaNaRy0123456789abcdef"
TOKEN = jwt(aud="https://management.azure.com/", tid=TENANT, exp=int(time.time()) + 3600, canary=CANARY)
SAS = "https://a.blob.core.windows.net/c/log?sv=1&sig=" + CANARY + "%3D&se=2"
TEXT = "password=" + CANARY + " at " + SAS + " by Bearer " + TOKEN + " and client_secret=" + CANARY


class Banner:
    """Speaks before the SSH banner, and in it."""

    def __init__(self):
        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                try:
                    self.request.sendall((TEXT + "\r\nSSH-2.0-OpenSSH_9.2 token " + TOKEN + "\r\n").encode())
                    self.request.recv(4096)
                except OSError:
                    pass
        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.server.shutdown()
        self.server.server_close()


def doctor(url, *args, env=None, files=None, az=None):
    """Every text that a run leaves: stdout, stderr (-v), the report, the bundle, and the replay of the bundle."""
    with tempfile.TemporaryDirectory(prefix="azssh-canary-") as home:
        os.makedirs(home + "/bin")
        os.makedirs(home + "/.azure")
        for name, text in (files or {}).items():
            with open(os.path.join(home, ".azure", name), "w", encoding="utf-8") as out:
                out.write(text)
        if az is not None:
            with open(home + "/bin/az", "w", encoding="utf-8") as out:
                out.write("#!/bin/sh\n" + az + "\n")
            os.chmod(out.name, 0o755)
        base = {"HOME": home, "PATH": home + "/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "AZSSH_ARM_ENDPOINT": url, "AZURE_AUTHORITY_HOST": url,
                "AZURE_POD_IDENTITY_AUTHORITY_HOST": url, "AZURE_TENANT_ID": TENANT, "AZURE_CLIENT_ID": CLIENT, "AZURE_CLIENT_SECRET": CANARY}
        base.update(env or {})
        bundle, report = home + "/bundle.json", home + "/report.json"
        texts = {}
        for name, words in (("live", ["-v", "--bundle", bundle, "--no-redact", "--deadline", "12s"] + list(args)), ("replay", ["--replay", bundle])):
            done = subprocess.run([DOCTOR] + words + ["-f", "text", "-f", "json=" + report], env={k: v for k, v in base.items() if v is not None},
                                  stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
            assert done.returncode in (0, 1, 3), (name, done.returncode, done.stderr[-500:])
            texts.update({name + " stdout": done.stdout, name + " stderr": done.stderr})
            with open(report, "rb") as text:
                texts[name + " report"] = text.read()
        with open(bundle, "rb") as text:
            texts["bundle"] = text.read()
        return {k: v.decode(errors="replace") for k, v in texts.items()}


def clean(texts, *more):
    for name, text in texts.items():
        for secret in (CANARY, TOKEN[:40]) + more:
            found = re.search(".{0,80}" + re.escape(secret), text, re.I)
            assert found is None, (name, found.group(0))
        assert not re.search(r"eyJ[\w-]{10,}\.", text), (name, "a token", re.search(r".{60}eyJ[\w-]{10,}\.", text).group(0))


def planted():
    vm = json.loads(json.dumps(BASE["resources"][VM]))
    vm["tags"] = {"db_password": CANARY, "note": SAS, "text": TEXT}
    vm["properties"].setdefault("osProfile", {}).update(adminPassword=CANARY, customData=CANARY, secrets=[{"sourceVault": {"id": SAS}}], windowsConfiguration={
        "additionalUnattendContent": [{"content": "<pw>" + CANARY + "</pw>"}]})
    vm["properties"]["userData"] = CANARY
    vm["properties"].setdefault("instanceView", {})["bootDiagnostics"] = {"serialConsoleLogBlobUri": SAS, "consoleScreenshotBlobUri": SAS}
    vm["properties"]["instanceView"]["extensions"] = [{"name": "x", "statuses": [{"code": "ProvisioningState/failed", "message": TEXT}]}]
    vm["resources"] = [{"id": VM + "/extensions/x", "properties": {"publisher": "p", "type": "t", "protectedSettings": {"k": CANARY}, "settings": {
        "storageKey": CANARY, "commandToExecute": "run " + CANARY, "token": TOKEN, "uri": SAS, "script": CANARY}}}]
    nsg = json.loads(json.dumps(BASE["resources"][NSG]))
    nsg["tags"] = {"connection": "Endpoint=sb://x;SharedAccessKey=" + CANARY + ";X=1", "AccountKey": CANARY}
    pip = json.loads(json.dumps(BASE["resources"][PIP]))
    pip["tags"] = {"url": SAS.replace("sig=", "SIG=")}
    return {VM: vm, NSG: nsg, PIP: pip}


WORLD = {"resources": planted(), "clients": {CLIENT: {"secret": CANARY}}, "boot_log": "boot " + TEXT, "run_command": {"output": TEXT}, "lifetime": 120}


@test
def planted_in_every_reply():
    with Sim(**WORLD) as sim, Banner() as banner:
        for args in (("rg/myVM", "--no-probe", "--deep"), ("myVM", "--host", "127.0.0.1", "-p", str(banner.port), "--guest")):
            texts = doctor(sim.url.rstrip("/"), *args)
            assert "signed in" in texts["live stdout"], texts["live stdout"]
            assert texts["bundle"].count("[cut]") > 12, texts["bundle"].count("[cut]")
            clean(texts)
        assert "OpenSSH_9.2" in texts["bundle"], "the banner was not seen"


def echoes(where):
    """A server that sends back what it was sent: the token it was shown stands in every refusal."""
    def change(method, path, message):
        if "/oauth2/" in path or "networkSecurityGroups" not in path:
            return
        text = "no access with " + change.shown + " and " + TEXT
        if where == "message":
            message.status, message.body = 403, json.dumps({"error": {"code": "AuthorizationFailed", "message": text, "details": [{"message": text}]}}).encode()
        elif where == "code":
            message.status, message.body = 418, json.dumps({"error": {"code": change.shown, "message": text}}).encode()
        elif where == "headers":
            message.status = 500
            message.headers += [("x-ms-request-id", change.shown.replace(" ", "-")), ("Retry-After", change.shown), ("WWW-Authenticate", change.shown)]
        elif where == "location":
            message.status = 302
            message.headers += [("Location", "https://evil.example/?sig=" + CANARY + "&token=" + change.shown.split()[-1])]
        else:
            message.status, message.body = 200, json.dumps({"value": [], "nextLink": "https://evil.example/?token=" + change.shown.split()[-1]}).encode()
    change.shown = "Bearer " + TOKEN
    return change


@test
def echoed_by_the_server():
    for where in ("message", "code", "headers", "location", "next link"):
        change = echoes(where)
        with Sim(**WORLD) as sim, Front(sim, change=change) as front:
            raw = sim.raw

            def spy(method, path, body=None, headers=None, timeout=15):
                change.shown = (headers or {}).get("Authorization", change.shown)
                return raw(method, path, body, headers, timeout)
            sim.raw = spy
            texts = doctor(front.url, "rg/myVM", "--no-probe", "--deep", "-s", SUB)
            own = change.shown.split()[-1]
            assert own != TOKEN, "no token was seen"
            clean(texts, own, own.rsplit(".", 1)[-1])


@test
def said_back_by_the_sign_in_service():
    for body in ({"error": "invalid_client", "error_description": "AADSTS7000215: bad secret " + CANARY + ". Trace ID: " + CANARY, "error_codes": [7000215], "trace_id": CANARY},
                 {"error": CANARY}, {"error_description": "AADSTS999999: " + TEXT}, {"message": "no " + TOKEN}, {"access_token": "", "error": "x " + CANARY}):
        with Sim(requests=[{"match": "POST .*oauth2", "status": 401, "body": body}]) as sim:
            clean(doctor(sim.url.rstrip("/"), "rg/myVM", "--no-probe"))


@test
def kept_by_az_and_said_by_az():
    cache = json.dumps({"AccessToken": {"k": {"secret": TOKEN, "realm": TENANT, "environment": "login.microsoftonline.com", "token_type": "Bearer",
                                              "target": "https://management.core.windows.net//.default", "expires_on": str(int(time.time()) + 3000)}},
                        "RefreshToken": {"r": {"secret": CANARY}}})
    env = {"AZURE_CLIENT_ID": None, "AZURE_CLIENT_SECRET": None, "AZURE_TENANT_ID": None, "AZURE_PASSWORD": CANARY, "MSI_SECRET": CANARY, "IDENTITY_HEADER": CANARY}
    with Sim(tokens={TOKEN: {"expires_in": 3000}}) as sim:
        url = sim.url.rstrip("/")
        texts = doctor(url, "rg/myVM", "--no-probe", "--tenant", TENANT, "-s", SUB, env=env, files={"msal_token_cache.json": cache})
        assert "azure-cli" in texts["live report"] and sim.log()[-1]["auth"] == "bearer", texts["live stdout"]
        clean(texts)
        clean(doctor(url, "rg/myVM", "--no-probe", env=env, az="echo 'ERROR: token " + TOKEN + " password=" + CANARY + " is bad' >&2; exit 1"))
        clean(doctor(url, "rg/myVM", "--no-probe", env=env, az="echo '{\"accessToken\": \"" + TOKEN + "\"}'"))
        clean(doctor(url, "rg/myVM", "--no-probe", env=env, az="echo " + TOKEN))


if __name__ == "__main__":
    raise SystemExit(run())
