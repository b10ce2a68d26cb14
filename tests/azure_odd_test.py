#!/usr/bin/python3
"""Other Azures: the simulator behind a front that says the same in other ways HTTP, JSON and ARM allow. What is read must not change,
and what is refused must be named for what it is."""
import email.utils
import gzip
import json
import re
import time
import urllib.parse
import zlib

from azurelib import jwt, probe
from frontlib import Front, head, plain, Proxy
from simlib import expect, NET, NIC, NSG, PIP, RG, run, S, Sim, SUB, TENANT, test, VM, VNET


# ---- ways to write the same answer ----

def chunked(out, message):
    out.write(head(message, "Transfer-Encoding: chunked"))
    for i in range(0, len(message.body), 7):
        part = message.body[i:i + 7]
        out.write(b"%x;ext=1\r\n" % len(part) + part + b"\r\n")
    out.write(b"0\r\nX-Trailer: one\r\n\r\n")
    return True


def old(out, message):
    out.write(head(message, version="1.0") + message.body)
    return False


def closing(out, message):
    out.write(head(message, "Content-Length: %d" % len(message.body), "Connection: close") + message.body)
    return False


def packed(encoding, pack):
    def write(out, message):
        body = pack(message.body)
        out.write(head(message, "Content-Encoding: " + encoding, "Content-Length: %d" % len(body)) + body)
        return True
    return write


def raw_deflate(body):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(body) + packer.flush()


def hinted(out, message):
    out.write(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
    return plain(out, message)


def in_pieces(out, message):
    data = head(message, "Content-Length: %d" % len(message.body)) + message.body
    for i in range(0, len(data), 997):
        out.write(data[i:i + 997])
        out.flush()
        time.sleep(0.001)
    return True


def shouting(out, message):
    message.headers = [(k.upper(), v) for k, v in message.headers]
    return plain(out, message)


def folded_list(out, message):
    out.write(head(message, "content-length:%d   " % len(message.body), "SET-COOKIE: a=b", "set-cookie: c=d", "x-empty:") + message.body)
    return True


WRITERS = {"chunked": chunked, "HTTP/1.0": old, "closing": closing, "gzip": packed("gzip", gzip.compress), "deflate": packed("deflate", zlib.compress),
           "raw deflate": packed("deflate", raw_deflate), "hinted": hinted, "in pieces": in_pieces, "shouting": shouting, "odd headers": folded_list}


# ---- ways to say the same thing ----

def bom(method, path, message):
    message.body = b"\xef\xbb\xbf" + message.body if message.body else message.body


def spaced(method, path, message):
    message.json(lambda value: value)
    message.body = b"\r\n\t " + json.dumps(json.loads(message.body or "null"), indent=4).encode() + b"\n\n" if message.body else b""


def text_type(method, path, message):
    message.header("Content-Type", "text/plain")


def no_type(method, path, message):
    message.headers = [(k, v) for k, v in message.headers if k.lower() != "content-type"]


def walk(value, change):
    if isinstance(value, dict):
        return {k: walk(v, change) for k, v in value.items()}
    if isinstance(value, list):
        return [walk(v, change) for v in value]
    return change(value)


def odd_ids(method, path, message):
    def change(text):
        if not isinstance(text, str) or not text.startswith("/subscriptions/"):
            return text
        return re.sub("/resourceGroups/[^/]+", lambda m: m.group(0).upper(), text).replace("/providers/Microsoft.Network/", "/providers/microsoft.network/")
    if "/oauth2/" not in path:
        message.json(lambda value: walk(value, change))


def nulls(method, path, message):
    """Whatever may be absent is there and null."""
    def fill(value, name=""):
        if isinstance(value, list):
            return [fill(v) for v in value]
        if not isinstance(value, dict):
            return value
        out = {k: fill(v, k) for k, v in value.items()}
        if "value" in out:
            out.setdefault("nextLink", None)
        if name == "properties":
            for member in ("networkSecurityGroup", "routeTable", "natGateway", "publicIPAddress", "virtualMachineScaleSet", "sourceAddressPrefixes",
                           "destinationPortRanges", "loadBalancerInboundNatRules", "applicationSecurityGroups", "evictionPolicy", "dnsSettings"):
                out.setdefault(member, None)
        return out
    if "/oauth2/" not in path:
        message.json(fill)


def links(make):
    def change(method, path, message):
        def mend(value):
            if isinstance(value, dict) and isinstance(value.get("nextLink"), str):
                value["nextLink"] = make(value["nextLink"])
            elif isinstance(value, dict) and "value" in value:
                value["nextLink"] = ""
            return value
        if "/operationResults/" not in path:
            message.json(mend)
    return change


def relative(link):
    parts = urllib.parse.urlsplit(link)
    return parts.path + "?" + parts.query


def string_numbers(method, path, message):
    if "/oauth2/" in path:
        message.json(lambda value: {k: str(v) if isinstance(v, int) else v for k, v in value.items()})


CHANGES = {"bom": bom, "spaced": spaced, "text/plain": text_type, "no type": no_type, "odd ids": odd_ids, "nulls": nulls, "relative links": links(relative),
           "shouting links": links(lambda link: link.replace("http://", "HTTP://")), "numbers as text": string_numbers}


def essence(facts):
    """What was read, as far as it may not depend on who said it."""
    def lower(value):
        return walk(value, lambda text: text.lower() if isinstance(text, str) else text)

    def no_nulls(value):
        if isinstance(value, dict):
            return {k: no_nulls(v) for k, v in value.items() if v is not None}
        return [no_nulls(v) for v in value] if isinstance(value, list) else value
    target = {k: v for k, v in facts.doc["targets"][0].items() if k in ("vm", "network", "jit")}
    bodies = {k: {m: b for m, b in v.items() if m not in ("etag", "nextLink")} for k, v in facts.azure["resources"].items() if "availabilitystatuses" not in k}
    return lower(no_nulls({"target": target, "resources": bodies, "missing": sorted(facts.azure["missing"])}))


def differences(got, wanted, where=""):
    if isinstance(got, dict) and isinstance(wanted, dict):
        for key in sorted(set(got) | set(wanted)):
            yield from differences(got.get(key), wanted.get(key), where + " " + key.rsplit("/", 1)[-1])
    elif isinstance(got, list) and isinstance(wanted, list) and len(got) == len(wanted):
        for i, pair in enumerate(zip(got, wanted)):
            yield from differences(*pair, where + " %d" % i)
    elif got != wanted and not where.endswith(("time", "Time", "routetable name", "groups name")):
        yield "%s: %.60r is not %.60r" % (where, got, wanted)


MORE = {NET + f"/networkInterfaces/a{i}": {"location": "westeurope", "properties": {}} for i in range(5)}


def differs(sim, wanted, **front):
    with Front(sim, **front) as odd:
        facts = probe(sim, "myVM", "--arm", odd.url, "--deep", env={"AZURE_AUTHORITY_HOST": odd.url})
        if facts.signin["state"] != "known":
            return [facts.signin["reason"]]
        return list(differences(essence(facts), wanted))


@test
def the_same_said_otherwise_is_read_the_same():
    with Sim(resources=MORE, page_size=3, lifetime=200) as sim:
        wanted = essence(probe(sim, "myVM", "--deep", env={"AZURE_AUTHORITY_HOST": sim.url}))
        assert all(path.lower() in wanted["resources"] for path in (VM, NIC, PIP, NSG, VNET, NIC + "/effectiveRouteTable")), wanted["missing"]
        wrong = {name: differs(sim, wanted, write=write) for name, write in WRITERS.items()}
        wrong.update((name, differs(sim, wanted, change=change)) for name, change in CHANGES.items())
        for name, found in wrong.items():
            print("# %-16s %s" % (name, "same" if not found else "OTHER" + "; ".join(found)[:600]))
        expect({name: True for name, found in wrong.items() if found}, {})


# ---- long operations ----

def without(message, name):
    message.headers = [(k, v) for k, v in message.headers if k.lower() != name]


def only_status(method, path, message):
    if message.status == 202:
        without(message, "location")


def only_result(method, path, message):
    if message.status == 202:
        without(message, "azure-asyncoperation")


def relative_result(method, path, message):
    if message.header("location"):
        message.header("Location", relative(message.header("location")))


def at_once(method, path, message):
    if message.status == 202:
        message.header("Retry-After", email.utils.formatdate(time.time() - 5, usegmt=True))


def status_at_result(method, path, message):
    """The result's address tells how it goes before it tells the result."""
    if "/operationResults/" in path and message.status == 202:
        message.status, message.body = 200, b'{"status": "Running"}'
        without(message, "location")


def created(method, path, message):
    if message.status == 202:
        message.status = 201


def nowhere(method, path, message):
    if message.status == 202:
        without(message, "location")
        without(message, "azure-asyncoperation")


@test
def long_operations_end_with_their_result():
    slow = {NIC + "/effectiveRouteTable": {"async": True, "polls": 2, "body": {"value": [{"name": "x", "source": "Default", "state": "Active",
            "addressPrefix": ["0.0.0.0/0"], "nextHopType": "Internet", "nextHopIpAddress": []}]}}}
    with Sim(actions=slow, lifetime=120) as sim:
        for change in (None, only_status, only_result, relative_result, at_once, status_at_result, created, nowhere):
            with Front(sim, change=change) as odd:
                facts = probe(sim, VM, "--arm", odd.url, "--deep", "--deadline", "20000", env={"AZURE_AUTHORITY_HOST": odd.url})
            for action in ("effectiveNetworkSecurityGroups", "effectiveRouteTable"):
                body, why = facts.resource(NIC + "/" + action), facts.missing(NIC + "/" + action)
                if change is nowhere:
                    expect((body, why["state"], why["cause"]), (None, "unknown", "error"))
                else:
                    assert body and body["value"], (change and change.__name__, body, why)


# ---- refusals in odd clothes ----

ACTION = "Microsoft.Compute/virtualMachines/read"
DENIED = {"code": "AuthorizationFailed", "message": "The client 'x' with object id 'y' does not have authorizationto perform action '%s' over scope '/z'" % ACTION}
CHALLENGE = 'Bearer authorization_uri="https://login.windows.net/", error="insufficient_claims", claims="eyJhY2Nlc3NfdG9rZW4iOnt9fQ=="'

# status, headers, body, the state, the cause
REFUSALS = {
    "403 without error": (403, [], DENIED, "unknown", "forbidden"),
    "403 in an array": (403, [], [{"error": DENIED}], "unknown", "forbidden"),
    "403 in errors": (403, [], {"errors": [DENIED]}, "unknown", "forbidden"),
    "403 in capitals": (403, [], {"Error": {"Code": "AuthorizationFailed", "Message": DENIED["message"]}}, "unknown", "forbidden"),
    "403 in details": (403, [], {"error": {"code": "Forbidden", "message": "see details", "details": [DENIED]}}, "unknown", "forbidden"),
    "403 empty": (403, [], None, "unknown", "forbidden"),
    "403 of a page": (403, [("Content-Type", "text/html")], "<html>Blocked by ACME</html>", "unknown", "not-json"),
    "403 of text": (403, [], "RBAC: access denied", "unknown", "not-json"),
    "403 with status 200": (200, [], {"error": DENIED}, "unknown", "forbidden"),
    "401 with claims": (401, [("WWW-Authenticate", CHALLENGE)], None, "unknown", "challenge"),
    "401 with claims, then another": (401, [("WWW-Authenticate", CHALLENGE), ("WWW-Authenticate", 'PoP nonce="x"')], None, "unknown", "challenge"),
    "401 of another tenant": (401, [("WWW-Authenticate", 'Bearer authorization_uri="https://login.windows.net/99999999-9999-9999-9999-999999999999", error="invalid_token"')],
                              {"error": {"code": "InvalidAuthenticationTokenTenant", "message": "wrong"}}, "unknown", "tenant"),
    "401 empty": (401, [], None, "unknown", "unauthorized"),
    "404 without error": (404, [], {"code": "ResourceNotFound", "message": "gone"}, "absent", "not-found"),
    "404 in capitals": (404, [], {"Code": "ResourceNotFound", "Message": "gone"}, "absent", "not-found"),
    "404 of a web server": (404, [], {"Message": "No HTTP resource was found that matches the request URI."}, "unknown", "not-json"),
    "404 of a subscription": (404, [], {"error": {"code": "SubscriptionNotFound", "message": "no"}}, "unknown", "subscription-not-found"),
    "407": (407, [("Proxy-Authenticate", "Basic realm=x")], "<html>", "unknown", "proxy"),
    "429 without error": (429, [("Retry-After", "800"), ("x-ms-ratelimit-remaining-resource", "Microsoft.Compute/GetVM3Min;12"),
                                ("x-ms-ratelimit-remaining-resource", "Microsoft.Compute/HighCostGet30Min;0")],
                          {"code": "OperationNotAllowed", "message": "too many"}, "unknown", "throttled"),
    "429 until a date": (429, [("Retry-After", email.utils.formatdate(time.time() + 900, usegmt=True))], None, "unknown", "throttled"),
    "409 with a text": (409, [], {"error": "conflict"}, "unknown", "error"),
    "202 to a GET": (202, [], None, "unknown", None),
    "204": (204, [], None, "unknown", None),
    "200 empty": (200, [], "", "unknown", "not-json"),
    "200 null": (200, [], "null", "unknown", None),
    "200 list": (200, [], "[]", "unknown", None),
    "200 text": (200, [], '"yes"', "unknown", None),
    "302 to a page": (302, [("Location", "https://login.example/portal")], "", "unknown", "foreign-host"),
    "307 to itself": (307, [("Location", "/again")], "", "unknown", "redirect"),
    "511": (511, [], "<html>log in</html>", "unknown", None),
    "999": (999, [], None, "unknown", None),
}


@test
def refusals_are_named_whatever_they_wear():
    with Sim(lifetime=200) as sim:
        for name, (status, headers, body, state, cause) in REFUSALS.items():
            def change(method, path, message):
                if method == "GET" and "/virtualMachines/myVM?" in path:
                    message.status = status
                    message.headers = [h for h in message.headers if h[0].lower() not in [n.lower() for n, _ in headers]] + headers
                    message.body = b"" if body is None else body.encode() if isinstance(body, str) else json.dumps(body).encode()
            with Front(sim, change=change) as odd:
                facts = probe(sim, VM, "--arm", odd.url, "--deadline", "8000", env={"AZURE_AUTHORITY_HOST": odd.url})
            why = facts.missing(VM) or {}
            print("# %-30s %s" % (name, why.get("reason")))
            expect((name, why.get("state")), (name, state))
            assert cause is None or why["cause"] == cause, (name, why)
            assert facts.vm["state"] == state, (name, facts.vm)
            assert cause != "forbidden" or why["action"] == ACTION, (name, why)
            assert "429 without" not in name or why["limit"] == "Microsoft.Compute/HighCostGet30Min;0", why
            assert facts.seconds < 6, (name, facts.seconds)


@test
def tokens_of_every_shape_serve():
    shapes = {"no exp": jwt(aud="https://management.azure.com/", tid=TENANT), "opaque": "0.opaque-token_without_meaning", "odd claims": jwt(aud=["https://management.core.windows.net"], exp="x", tid=7),
              "no audience": jwt(exp=int(time.time()) + 3600)}
    for name, token in shapes.items():
        for extra in ({}, {"expires_in": "3599"}, {"expires_in": None, "expires_on": str(int(time.time()) + 3599)}, {"expires_on": "05/30/2030 10:00:00 AM +00:00"}):
            def change(method, path, message):
                if "/oauth2/" in path:
                    message.body = json.dumps(dict({"access_token": token, "token_type": "bearer"}, **extra)).encode()
            with Sim(tokens={token: {"expires_in": 3600}}) as sim, Front(sim, change=change) as odd:
                facts = probe(sim, VM, "--arm", odd.url, env={"AZURE_AUTHORITY_HOST": odd.url})
                expect((name, facts.signin["state"], facts.vm["state"]), (name, "known", "known"))
                assert token not in facts.output


@test
def a_token_for_another_audience_is_dropped():
    for audience in ("https://graph.microsoft.com", "https://management.usgovcloudapi.net/", ["a"], ["https://management.azure.com/", "a"], 7, {}):
        token = jwt(aud=audience, exp=int(time.time()) + 3600)

        def change(method, path, message):
            if "/oauth2/" in path:
                message.body = json.dumps({"access_token": token, "expires_in": 3599}).encode()
        with Sim() as sim, Front(sim, change=change) as odd:
            facts = probe(sim, VM, "--arm", odd.url, env={"AZURE_AUTHORITY_HOST": odd.url})
            expect((audience, facts.signin["state"], facts.signin["kind"]), (audience, "unknown", "foreign-host"))
            assert "not for https://management.azure.com/ as asked" in facts.signin["reason"], facts.signin
            assert not any("/subscriptions" in e["path"] for e in sim.log()), sim.log()


# ---- the way there ----

STACK = {"endpoints": {"authentication": {"audiences": ["https://stack.azure.sim/"]}}, "audiences": ["https://stack.azure.sim/", "https://stack.azure.sim"]}


def by_proxy(sim, proxy, **env):
    far = "https://management.azure.sim:" + sim.host.rsplit(":", 1)[1]
    return probe(sim, VM, "--arm", far, "--deadline", "12000", env=dict({"AZURE_AUTHORITY_HOST": far, "HTTPS_PROXY": proxy}, **env))


@test
def a_proxy_is_a_tunnel_and_nothing_more():
    with Sim(tls=True, **STACK) as sim:
        with Proxy(int(sim.host.rsplit(":", 1)[1])) as proxy:
            facts = by_proxy(sim, proxy.url)
            expect((facts.signin["state"], facts.vm["state"]), ("known", "known"))
            assert proxy.seen[0].startswith("CONNECT management.azure.sim:") and not any("authorization" in line.lower() for line in proxy.seen), proxy.seen
        with Proxy(0) as proxy:     # what lies on this machine needs no proxy, and none may see the token
            facts = probe(sim, VM, env={"HTTPS_PROXY": proxy.url, "https_proxy": proxy.url, "ALL_PROXY": proxy.url})
            expect((facts.vm["state"], proxy.seen), ("known", []))
    with Sim() as sim, Proxy(0) as proxy:
        facts = probe(sim, VM, env={"http_proxy": proxy.url, "ALL_PROXY": proxy.url})
        expect((facts.vm["state"], proxy.seen), ("known", []))


def foreign(audience, login, *args, **kinds):
    """A custom endpoint whose own reply names the audience and the place to sign in."""
    with Sim(tls=True, endpoints={"authentication": {"loginEndpoint": login, "audiences": [audience]}}) as sim:
        port = sim.host.rsplit(":", 1)[1]
        with Proxy(int(port)) as proxy:
            env = dict({"HTTPS_PROXY": proxy.url}, **kinds.pop("env", {}))
            facts = probe(sim, VM, "--arm", "https://management.azure.sim:" + port, "--deadline", "12000", *args, env=env, **kinds)
            return facts, [e["path"] for e in sim.log()]


SAYS = """echo '{"accessToken": "%s", "expires_on": 4102444800}'"""


@test
def a_reply_cannot_have_a_token_for_somebody_else():
    for audience in ("https://graph.microsoft.com", "https://vault.azure.net", "https://management.azure.com/", "https://login.azure.sim/", "api://x",
                     "797f4846-ba00-4fd7-ba43-dac1f8f63013", "https://management.azure.sim https://graph.microsoft.com"):
        az = SAYS % jwt(aud=audience, exp=4102444800)
        for args in (("--credential", "cli"), ("--credential", "environment")):
            facts, paths = foreign(audience, "https://login.microsoftonline.com/", *args, az=az)
            expect((audience, facts.signin["state"], facts.signin["kind"]), (audience, "unknown", "foreign-host"))
            expect((facts.calls, [path for path in paths if "metadata" not in path]), ([], []))
    own = "https://management.azure.sim"
    facts, _ = foreign(own, "https://login.microsoftonline.com/", "--credential", "cli", az=SAYS % jwt(aud=own, exp=4102444800))
    expect(facts.signin["state"], "known")
    facts, paths = foreign(own, "https://login.microsoftonline.com/", "--credential", "cli", az=SAYS % jwt(aud="https://graph.microsoft.com", exp=4102444800))
    expect((facts.signin["kind"], any("/subscriptions" in path for path in paths)), ("foreign-host", False))


@test
def a_reply_alone_cannot_name_where_the_secret_goes():
    for login in ("https://management.azure.sim/", "https://login.azure.sim/", "https://login.azure.sim/adfs"):
        facts, paths = foreign("https://management.azure.sim", login)
        expect((login, facts.signin["state"], facts.signin["kind"]), (login, "unknown", "foreign-host"))
        assert "AZURE_AUTHORITY_HOST" in facts.signin["reason"] and not any("oauth2" in path for path in paths), (facts.signin, paths)
    facts, paths = foreign("https://stack.azure.sim", "https://elsewhere.example/", env={"AZURE_AUTHORITY_HOST": "https://login.azure.sim"})
    assert any("oauth2" in path for path in paths), (facts.signin, paths)


@test
def a_proxy_that_refuses_is_named():
    page = b"Content-Type: text/html\r\nContent-Length: 5\r\n\r\n<html"
    with Sim(tls=True) as sim:
        for reply, word in ((b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=x\r\n" + page, "sign-in of its own (HTTP 407)"),
                            (b"HTTP/1.1 403 Forbidden\r\n" + page, "refuses to connect (HTTP 403)"), (b"HTTP/1.1 502 Bad\r\n\r\n", "HTTP 502"), (b"", "")):
            with Proxy(0, reply) as proxy:
                facts = by_proxy(sim, proxy.url)
            print("# " + facts.signin["reason"])
            expect((facts.signin["state"], facts.signin["kind"]), ("unknown", "network"))
            assert word in facts.signin["reason"] and facts.seconds < 8, facts.signin
        facts = by_proxy(sim, "http://127.0.0.1:9")
        expect((facts.signin["state"], facts.signin["kind"]), ("unknown", "network"))


@test
def certificates_that_nobody_vouches_for_get_no_token():
    with Sim(tls=True) as sim, Proxy(int(sim.host.rsplit(":", 1)[1])) as proxy:
        for env in ({"SSL_CERT_FILE": "/dev/null"}, {"SSL_CERT_FILE": "/nonexistent"}):
            facts = by_proxy(sim, proxy.url, **env)
            print("# " + facts.signin["reason"])
            expect((facts.signin["state"], facts.signin["kind"], sim.log()), ("unknown", "network", []))
        port = sim.host.rsplit(":", 1)[1]
        facts = probe(sim, VM, "--arm", "https://other.example:" + port, env={"AZURE_AUTHORITY_HOST": "https://other.example:" + port, "HTTPS_PROXY": proxy.url})
        expect((facts.signin["state"], facts.signin["kind"], sim.log()), ("unknown", "network", []))
        assert "certificate" in facts.signin["reason"] or "SSL" in facts.signin["reason"], facts.signin


if __name__ == "__main__":
    raise SystemExit(run())
