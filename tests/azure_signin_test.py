#!/usr/bin/python3
"""Every credential over real HTTP, failures included; clouds; where tokens may go."""
import http.server
import json
import os
import subprocess
import tempfile
import threading
import time
import urllib.parse

from azurelib import jwt, probe
from simlib import CLIENT, expect, run, Sim, SUB, TENANT, test

PROFILE = json.dumps({"subscriptions": [{"id": SUB, "name": "Sim Subscription", "state": "Enabled", "isDefault": True, "tenantId": TENANT,
                                         "environmentName": "AzureCloud", "user": {"name": "me@contoso.com", "type": "user"}}]})


def tried(facts):
    return [(t["credential"], t["result"]) for t in facts.signin["tried"]]


class Answers:
    """A small HTTP server on loopback: answers(method, path, headers, body) -> (status, object)."""

    def __init__(self, answers):
        seen = self.seen = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def any(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                seen.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                status, value = answers(*seen[-1])
                text = value if isinstance(value, bytes) else json.dumps(value).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)
            do_GET = do_POST = any

            def log_message(self, *args):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.server.shutdown()
        self.server.server_close()


# ---- client secret ----

@test
def a_client_secret_signs_in():
    with Sim() as sim:
        facts = probe(sim)
        expect(facts.signin["state"], "known")
        expect(facts.signin["tenant"], TENANT)
        expect(tried(facts), [("client-secret", "used")])
        assert "sim-secret" not in facts.output and "eyJ" not in facts.output


@test
def a_wrong_secret_says_what_to_do():
    with Sim() as sim:
        facts = probe(sim, env={"AZURE_CLIENT_SECRET": "not-the-secret"})
        expect((facts.signin["state"], facts.signin["aadsts"], facts.signin["kind"]), ("unknown", 7000215, "secret"))
        expect(tried(facts), [("client-secret", "failed")])
        assert "not-the-secret" not in facts.output
        expect(facts.vm["cause"] if "vm" in facts.doc["targets"] else None, None)


@test
def aadsts_codes_decide_the_cause():
    kinds = {"tenant": (50020, 50034, 90002, 90072, 700016, 900023), "account": (50053, 50057, 50126), "blocked": (53000, 53003, 50131, 135011, 530032, 500021),
             "consent": (65001, 50105, 90094), "app": (7000112, 70001), "secret": (7000215, 700027, 7000218), "clock": (700024, 500133), "scope": (500011, 70011),
             "federated": (70021, 700211, 700212, 700213, 50013), "failed": (123456,)}
    expired = (50076, 50079, 50074, 50055, 50173, 70043, 700082, 700084)
    cases = [(n, "failed", kind) for kind, numbers in kinds.items() for n in numbers] + [(n, "expired", "expired") for n in expired]
    cases += [(7000222, "expired", "secret"), (90033, "network", "transient"), (90055, "network", "transient")]
    for number, cause, kind in cases:
        error = {"error": "invalid_client", "error_codes": [number], "error_description": f"AADSTS{number}: because. Trace ID: x Correlation ID: y",
                 "trace_id": "x", "correlation_id": "y"}
        with Sim(token={"error": error}) as sim:
            facts = probe(sim)
            expect((facts.signin["aadsts"], facts.signin["cause"], facts.signin["kind"]), (number, cause, kind))
            assert "AADSTS%d: " % number in facts.signin["reason"] and "Trace ID" not in facts.signin["reason"], facts.signin
            assert number == 123456 or ": " in facts.signin["reason"].split("AADSTS", 1)[1], facts.signin
            assert "trace_id" in facts.signin["support"] and facts.signin["support"]["correlation_id"] == "y", facts.signin


@test
def a_refusal_without_number_is_judged_by_its_words():
    for error, kind in (({"error": "interaction_required", "error_description": "x"}, "expired"), ({"error": "invalid_grant", "suberror": "consent_required"}, "consent"),
                        ({"error": "temporarily_unavailable"}, "transient"), ({"error": {"code": "BadRequest", "message": "no \u001b[1m way"}}, "failed"),
                        ({"Message": "nothing"}, "failed"), ({"error": "unauthorized_client"}, "failed"), ({"error_codes": ["7000222", 1]}, "secret"), ({}, "failed")):
        with Sim(token={"error": error}) as sim:
            facts = probe(sim)
            expect((error, facts.signin["state"], facts.signin["kind"]), (error, "unknown", kind))


@test
def a_sign_in_page_in_place_of_json_is_named():
    with Sim(requests=[{"match": "POST .*oauth2", "html": True}]) as sim:
        facts = probe(sim)
        expect(facts.signin["cause"], "network")
        assert "portal" in facts.signin["reason"], facts.signin["reason"]


# ---- client certificate ----

def make_certificate(folder):
    path = os.path.join(folder, "app.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", path, "-out", path + ".crt", "-subj", "/CN=app", "-days", "2"],
                   check=True, capture_output=True)
    with open(path, "a", encoding="utf-8") as out, open(path + ".crt", encoding="utf-8") as certificate:
        out.write(certificate.read())
    return path


def b64(text):
    import base64
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@test
def a_certificate_signs_an_assertion():
    with tempfile.TemporaryDirectory() as folder, Sim(clients={CLIENT: {"assertion": True}}) as sim:
        path = make_certificate(folder)
        facts = probe(sim, env={"AZURE_CLIENT_SECRET": None, "AZURE_CLIENT_CERTIFICATE_PATH": path})
        expect(tried(facts), [("client-secret", "unavailable"), ("client-certificate", "used")])
        form = dict(urllib.parse.parse_qsl([e for e in sim.log() if "oauth2" in e["path"]][0]["body"]))
        expect(form["client_assertion_type"], "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
        head, claims, signature = form["client_assertion"].split(".")
        expect(json.loads(b64(head))["alg"], "PS256")
        payload = json.loads(b64(claims))
        expect((payload["iss"], payload["sub"]), (CLIENT, CLIENT))
        expect(payload["aud"], sim.url.rstrip("/") + "/" + TENANT + "/oauth2/v2.0/token")
        assert 0 < payload["exp"] - time.time() <= 600
        names = {}
        for name, data in (("sig", b64(signature)), ("text", (head + "." + claims).encode())):
            names[name] = os.path.join(folder, name)
            with open(names[name], "wb") as out:
                out.write(data)
        public = subprocess.run(["openssl", "x509", "-in", path, "-pubkey", "-noout"], check=True, capture_output=True).stdout
        with open(os.path.join(folder, "pub"), "wb") as out:
            out.write(public)
        checked = subprocess.run(["openssl", "dgst", "-sha256", "-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32", "-verify",
                                  os.path.join(folder, "pub"), "-signature", names["sig"], names["text"]], capture_output=True, check=False)
        expect(checked.returncode, 0)
        digest = subprocess.run(["openssl", "x509", "-in", path, "-outform", "DER"], check=True, capture_output=True).stdout
        import hashlib
        expect(b64(json.loads(b64(head))["x5t#S256"]), hashlib.sha256(digest).digest())
        assert form["client_assertion"] not in facts.output


CERTIFICATES = [  # how the file is made, its password as given, a word of the reason (None: it serves)
    ("cat k.pem c.pem", None, None), ("cat c.pem k.pem", None, None), ("openssl rsa -in k.pem -traditional; cat c.pem", None, None),
    ("cat k.pem c.pem | sed 's/$/\\r/'", None, None), ("printf '\\357\\273\\277'; cat k.pem c.pem", None, None),
    ("cat enc.pem c.pem", "the-password", None), ("cat enc.pem c.pem", None, "AZURE_CLIENT_CERTIFICATE_PASSWORD"), ("cat enc.pem c.pem", "other-password", "password is wrong"),
    ("cat a.pfx", "the-password", None), ("cat a.pfx", None, "AZURE_CLIENT_CERTIFICATE_PASSWORD"), ("cat a.pfx", "other-password", "password is wrong"),
    ("openssl pkcs12 -export -inkey k.pem -in c.pem -passout pass:", None, None), ("cat e.pem ec.pem", None, "not RSA"), ("cat k.pem ec.pem", None, "does not belong"),
    ("cat c.pem", None, "no private key"), ("cat k.pem", None, "no certificate")]


@test
def certificates_come_in_many_forms():
    make = ("openssl req -x509 -newkey rsa:2048 -nodes -keyout k.pem -out c.pem -subj /CN=a -days 2; openssl pkcs8 -topk8 -in k.pem -passout pass:the-password -out enc.pem; "
            "openssl pkcs12 -export -inkey k.pem -in c.pem -passout pass:the-password -out a.pfx; "
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout e.pem -out ec.pem -subj /CN=a -days 2")
    with tempfile.TemporaryDirectory() as folder, Sim(clients={CLIENT: {"assertion": True}}) as sim:
        subprocess.run(make, shell=True, cwd=folder, check=True, capture_output=True)
        for recipe, password, word in CERTIFICATES:
            path = os.path.join(folder, "app")
            with open(path, "wb") as out:
                subprocess.run(recipe, shell=True, cwd=folder, check=True, stdout=out, stderr=subprocess.DEVNULL)
            facts = probe(sim, env={"AZURE_CLIENT_SECRET": None, "AZURE_CLIENT_CERTIFICATE_PATH": path, "AZURE_CLIENT_CERTIFICATE_PASSWORD": password})
            expect((recipe, facts.signin["state"]), (recipe, "known" if word is None else "unknown"))
            assert word is None or word in facts.signin["reason"], (recipe, facts.signin["reason"])
            assert "-password\"" not in facts.output and "the-password" not in facts.output and "other-password" not in facts.output


@test
def a_certificate_that_cannot_be_used_is_explained():
    with tempfile.TemporaryDirectory() as folder, Sim() as sim:
        for text in ("", "garbage", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"):
            path = os.path.join(folder, "bad.pem")
            with open(path, "w", encoding="utf-8") as out:
                out.write(text)
            facts = probe(sim, env={"AZURE_CLIENT_SECRET": None, "AZURE_CLIENT_CERTIFICATE_PATH": path})
            expect(facts.signin["state"], "unknown")
            assert "private key" in facts.signin["reason"], facts.signin
        facts = probe(sim, env={"AZURE_CLIENT_SECRET": None, "AZURE_CLIENT_CERTIFICATE_PATH": "/nonexistent"})
        assert "cannot be read" in facts.signin["reason"], facts.signin


# ---- federated ----

@test
def workload_identity_posts_the_file_s_token():
    with tempfile.NamedTemporaryFile("w", suffix=".jwt") as file, Sim(clients={CLIENT: {"assertion": True}}) as sim:
        token = jwt(iss="https://oidc", sub="system:serviceaccount:a:b", aud="api://AzureADTokenExchange", exp=int(time.time()) + 600)
        file.write("\n " + token + "\n")
        file.flush()
        facts = probe(sim, env={"AZURE_CLIENT_SECRET": None, "AZURE_FEDERATED_TOKEN_FILE": file.name})
        expect(tried(facts)[-1], ("workload-identity", "used"))
        form = dict(urllib.parse.parse_qsl([e for e in sim.log() if "oauth2" in e["path"]][0]["body"]))
        expect(form["client_assertion"], token)
        assert token not in facts.output
        facts = probe(sim, env={"AZURE_CLIENT_SECRET": None, "AZURE_FEDERATED_TOKEN_FILE": "/nonexistent"})
        expect(tried(facts)[-1], ("workload-identity", "failed"))


@test
def github_exchanges_its_token():
    token = jwt(iss="https://token.actions.githubusercontent.com", sub="repo:a/b:ref:refs/heads/main", exp=int(time.time()) + 600)
    with Answers(lambda *_: (200, {"value": token})) as github, Sim(clients={CLIENT: {"assertion": True}}) as sim:
        env = {"AZURE_CLIENT_SECRET": None, "ACTIONS_ID_TOKEN_REQUEST_URL": github.url + "/x?api-version=2", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "gh-request-token"}
        facts = probe(sim, env=env)
        expect(tried(facts)[-1], ("github", "used"))
        method, path, headers, _ = github.seen[0]
        expect((method, path), ("GET", "/x?api-version=2&audience=api%3A%2F%2FAzureADTokenExchange"))
        expect(headers["authorization"], "bearer gh-request-token")
        assert "gh-request-token" not in facts.output and token not in facts.output
        facts = probe(sim, env=dict(env, ACTIONS_ID_TOKEN_REQUEST_URL="http://192.0.2.1/x?y"))
        expect(tried(facts)[-1], ("github", "failed"))
    with Sim() as sim:
        facts = probe(sim, env={"GITHUB_ACTIONS": "true"}, signed=False)
        assert any("id-token: write" in t["why"] for t in facts.signin["tried"])


# ---- managed identity ----

@test
def managed_identity_signs_in():
    with Sim(imds=True) as sim:
        facts = probe(sim, signed=False)
        expect(tried(facts)[-1], ("managed-identity", "used"))
        request = [e for e in sim.log() if e["path"].startswith("/metadata/identity") and "api-version" in (e.get("query") or "")][0]
        expect(request["headers"]["metadata"], "true")
        assert "resource=" in request["query"]


@test
def a_user_assigned_identity_is_named():
    for name, key in (("00000000-0000-0000-0000-0000000000d7", "client_id"), ("/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i", "msi_res_id")):
        with Sim(imds=True) as sim:
            facts = probe(sim, signed=False, env={"AZURE_CLIENT_ID": name})
            asked = dict(urllib.parse.parse_qsl([e for e in sim.log() if e["path"].startswith("/metadata/identity") and e.get("query")][-1]["query"]))
            expect((tried(facts)[-1], asked[key]), (("managed-identity", "used"), name))
    with Sim(imds={"status": 400, "body": {"error": "invalid_request", "error_description": "Identity not found"}}) as sim:
        facts = probe(sim, signed=False, env={"AZURE_CLIENT_ID": "x"})
        assert any("AZURE_CLIENT_ID" in t["why"] and t["credential"] == "managed-identity" for t in facts.signin["tried"]), facts.signin["tried"]


@test
def a_machine_without_metadata_service_is_found_out_fast():
    with Sim() as sim:
        facts = probe(sim, signed=False)
        expect(facts.signin["cause"], "signed-out")
        expect([t[1] for t in tried(facts)], ["unavailable"] * 6)
    import socket
    with socket.socket() as deaf, Sim() as sim:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(1)
        facts = probe(sim, signed=False, env={"AZURE_POD_IDENTITY_AUTHORITY_HOST": "http://127.0.0.1:%d" % deaf.getsockname()[1]})
        expect(facts.signin["cause"], "signed-out")
        assert facts.seconds < 3, facts.seconds


@test
def a_vm_without_identity_goes_on_to_az():
    with Sim(imds={"status": 400, "body": {"error": "invalid_request", "error_description": "Identity not found"}}) as sim:
        token = jwt(aud="https://management.azure.com/", tid=TENANT, exp=int(time.time()) + 3600)
        facts = probe(sim, signed=False, az=f"echo '{{\"accessToken\":\"{token}\",\"expires_on\":{int(time.time()) + 3600},\"tenant\":\"{TENANT}\"}}'")
        expect(tried(facts)[-2:], [("managed-identity", "unavailable"), ("azure-cli", "used")])


@test
def app_service_cloud_shell_and_ml_have_their_own_ways():
    reply = {"access_token": jwt(aud="https://management.azure.com/", tid=TENANT), "expires_on": str(int(time.time()) + 3600), "token_type": "Bearer"}
    with Answers(lambda *_: (200, reply)) as service, Sim() as sim:
        facts = probe(sim, signed=False, env={"IDENTITY_ENDPOINT": service.url + "/msi", "IDENTITY_HEADER": "the-app-header"})
        expect(tried(facts)[-1], ("managed-identity", "used"))
        method, path, headers, _ = service.seen[-1]
        assert method == "GET" and "api-version=2019-08-01" in path and headers["x-identity-header"] == "the-app-header", service.seen
        facts = probe(sim, signed=False, env={"MSI_ENDPOINT": service.url + "/shell", "AZUREPS_HOST_ENVIRONMENT": "cloud-shell/1.0"})
        method, path, headers, body = service.seen[-1]
        assert method == "POST" and headers["metadata"] == "true" and body.startswith("resource=https"), service.seen[-1]
        facts = probe(sim, signed=False, env={"MSI_ENDPOINT": service.url + "/ml", "MSI_SECRET": "the-ml-secret"})
        assert service.seen[-1][2]["secret"] == "the-ml-secret" and "the-ml-secret" not in facts.output


# ---- az ----

AZ_TOKEN = jwt(aud="https://management.core.windows.net/", tid=TENANT, upn="me@contoso.com", ipaddr="203.0.113.7", exp=int(time.time()) + 3600)


def az_prints(**more):
    return "cat <<'END'\n" + json.dumps(dict({"accessToken": AZ_TOKEN, "tenant": TENANT, "tokenType": "Bearer",
                                              "expiresOn": "2999-01-01 00:00:00.000000"}, **more)) + "\nEND"


@test
def az_is_asked_for_a_token():
    with Sim() as sim:
        facts = probe(sim, signed=False, az="echo 'WARNING: old' >&2\n" + az_prints())
        expect(tried(facts)[-1], ("azure-cli", "used"))
        expect((facts.signin["claims"]["upn"], facts.signin["claims"]["ipaddr"]), ("me@contoso.com", "203.0.113.7"))
        assert facts.calls == ["account get-access-token --output json --resource https://management.core.windows.net/"], facts.calls
        facts = probe(sim, "--tenant", TENANT, signed=False, az=az_prints())
        assert facts.calls[0].endswith("--tenant " + TENANT), facts.calls
        assert AZ_TOKEN not in facts.output


@test
def az_s_refusals_are_told_apart():
    for script, state, cause, word in (
            ("echo \"ERROR: Please run 'az login' to setup account.\" >&2; exit 1", "unavailable", "signed-out", "az login"),
            ("echo 'ERROR: AADSTS70043: The refresh token has expired due to sign-in frequency checks' >&2; exit 1", "failed", "expired", "70043"),
            ("echo 'ERROR: AADSTS50076: mfa' >&2; exit 1", "failed", "expired", "50076"),
            ("echo 'ERROR: Interaction required. az login --scope https://x//.default' >&2; exit 1", "failed", "expired", "az login --scope"),
            ("echo 'The command failed with an unexpected error' >&2; exit 1", "failed", "failed", "unexpected"),
            ("echo no json", "failed", "failed", "without a token"), ("exit 127", "unavailable", "signed-out", "")):
        with Sim() as sim:
            facts = probe(sim, signed=False, az=script)
            expect((tried(facts)[-1], facts.signin["cause"]), (("azure-cli", state), cause))
            assert word in facts.signin["reason"], facts.signin["reason"]


def cache(**more):
    entry = {"credential_type": "AccessToken", "secret": AZ_TOKEN, "home_account_id": "o.t", "environment": "login.microsoftonline.com",
             "client_id": "04b07795-8ddb-461a-bbee-02f9e1bf7b46", "realm": TENANT, "token_type": "Bearer",
             "target": "https://management.core.windows.net//user_impersonation https://management.core.windows.net//.default",
             "expires_on": str(int(time.time()) + 3000)}
    entry.update(more)
    return {"azureProfile.json": b"\xef\xbb\xbf" + PROFILE.encode(), "msal_token_cache.json": json.dumps(
        {"AccessToken": {"k": entry}, "RefreshToken": {"r": {"secret": "the-refresh-token"}},
         "Account": {"a": {"home_account_id": "o.t", "username": "me@contoso.com"}}})}


@test
def a_cached_token_starts_no_az():
    with Sim() as sim:
        facts = probe(sim, signed=False, az=az_prints(), files=cache())
        expect((tried(facts)[-1], facts.calls), (("azure-cli", "used"), []))
        assert "the-refresh-token" not in facts.output
        for change in ({"expires_on": str(int(time.time()) + 60)}, {"realm": "other"}, {"target": "https://graph.microsoft.com//.default"},
                       {"environment": "login.evil.example"}, {"token_type": "pop"}, {"home_account_id": "x.y", "realm": TENANT, "target": ""}):
            facts = probe(sim, signed=False, az=az_prints(), files=cache(**change))
            expect((tried(facts)[-1], len(facts.calls)), (("azure-cli", "used"), 1))
        facts = probe(sim, signed=False, files=dict(cache(), **{"msal_token_cache.json": "{"}))
        expect(tried(facts)[-1], ("azure-cli", "unavailable"))


# ---- the chain ----

@test
def the_chain_can_be_narrowed():
    with Sim(imds=True) as sim:
        facts = probe(sim, "--credential", "managed")
        expect(tried(facts), [("managed-identity", "used")])
        facts = probe(sim, "--credential", "cli", az=az_prints())
        expect(tried(facts), [("azure-cli", "used")])
        facts = probe(sim, env={"AZURE_TOKEN_CREDENTIALS": " Dev "}, az=az_prints())
        expect(tried(facts), [("azure-cli", "used")])
        facts = probe(sim, env={"AZURE_TOKEN_CREDENTIALS": "managedidentitycredential"})
        expect(tried(facts), [("managed-identity", "used")])
        facts = probe(sim, "--credential", "cli")
        expect((facts.signin["cause"], tried(facts)), ("signed-out", [("azure-cli", "unavailable")]))


@test
def bad_options_are_refused_in_one_sentence():
    with Sim() as sim:
        for args, env, word in ((("--credential", "magic"), {}, "magic"), ((), {"AZURE_TOKEN_CREDENTIALS": "nope"}, "nope"),
                                (("--cloud", "AzureMoon"), {}, "AzureMoon"), (("--cloud", "AzureGermanCloud"), {}, "closed"),
                                (("--arm", "http://192.0.2.1"), {}, "192.0.2.1"), (("--arm", "ftp://x"), {}, "ftp://x"),
                                ((), {"AZURE_AUTHORITY_HOST": "http://login.evil.example"}, "login.evil.example")):
            facts = probe(sim, *args, env=env)
            assert facts.status == 2 and word in facts.errors and facts.errors.count("\n") == 1, (facts.status, facts.errors)


# ---- clouds ----

@test
def metadata_of_both_shapes_is_understood():
    for shape in ("object", "array", "old"):
        def answer(method, path, headers, body):
            login = {"loginEndpoint": sim.url + "/", "audiences": ["https://stack.local/one"], "tenant": "common"}
            if "/metadata/endpoints" not in path:
                return 404, {"error": {"code": "NotFound", "message": "no"}}
            if shape == "old":
                return (200, {"galleryEndpoint": "x", "authentication": login}) if "2015-01-01" in path else (400, {"error": {"code": "InvalidApiVersionParameter"}})
            one = {"name": "Stack", "authentication": login, "resourceManager": stack.url + "/"}
            return 200, one if shape == "object" else [{"name": "Other", "resourceManager": "https://elsewhere"}, one]
        with Sim() as sim, Answers(answer) as stack:
            facts = probe(sim, "--arm", stack.url)
            expect((facts.azure["cloud"]["audience"], facts.azure["cloud"]["authority"]), ("https://stack.local/one", sim.url.rstrip("/")))


@test
def an_authority_given_needs_no_discovery():
    with Sim() as sim:
        facts = probe(sim, env={"AZURE_AUTHORITY_HOST": sim.url})
        expect(facts.signin["state"], "known")
        assert not any("/metadata/endpoints" in e["path"] for e in sim.log())
    with Sim(requests=[{"match": "metadata/endpoints", "status": 500}]) as sim:
        expect(probe(sim).signin["state"], "known")


@test
def metadata_may_not_send_the_secret_over_plain_http():
    def answer(method, path, headers, body):
        return 200, {"authentication": {"loginEndpoint": "http://login.evil.example/", "audiences": ["https://management.azure.com/"]}}
    with Sim() as sim, Answers(answer) as stack:
        facts = probe(sim, "--arm", stack.url)
        expect(facts.azure["cloud"]["authority"], stack.url)


@test
def a_cloud_that_az_registered_is_used():
    with Sim() as sim:
        files = {"config": "[cloud]\nname = SimCloud\n", "clouds.config": "[SimCloud]\nprofile = latest\nendpoint_resource_manager = %s\n"
                 "endpoint_active_directory = %sadfs\nendpoint_active_directory_resource_id = https://management.core.windows.net/\n"
                 % (sim.url, sim.url if sim.url.endswith("/") else sim.url + "/")}
        facts = probe(sim, "--cloud", "SimCloud", files=files, env={"AZSSH_ARM_ENDPOINT": ""})
        expect((facts.azure["cloud"]["name"], facts.signin["state"]), ("SimCloud", "known"))
        assert any(e["path"] == "/adfs/oauth2/token" for e in sim.log())


@test
def a_clock_that_is_off_is_measured():
    with Sim(requests=[{"match": "POST .*oauth2", "header": {"Date": "Thu, 01 Jan 2026 00:00:00 GMT"}}]) as sim:
        facts = probe(sim, env={"AZURE_AUTHORITY_HOST": sim.url})
        assert abs(facts.signin["skew_s"]) > 86400, facts.signin


if __name__ == "__main__":
    raise SystemExit(run())
