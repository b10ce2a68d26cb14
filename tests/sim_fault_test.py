#!/usr/bin/python3
"""The Azure simulator: faults on demand, the request log, TLS, the program itself."""
import http.client
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

from simlib import expect, NET, NIC, NSG, PIP, PROGRAM, RG, run, S, Sim, SRC, SUB, test, V, VM, WRAP


def faulty(match="GET .*virtualMachines/myVM", **fault):
    return [dict({"match": match}, **fault)]


@test
def status_faults_carry_azures_bodies():
    with Sim(requests=faulty(status=403)) as sim:
        reply = sim.get(VM)
        expect((reply.status, reply.code), (403, "AuthorizationFailed"))
        assert f"'Microsoft.Compute/virtualMachines/read' over scope '{VM}'" in reply.json["error"]["message"], reply.body
    with Sim(requests=faulty("/runCommand|networkInterfaces.api|/instanceView|resources.api", status=403)) as sim:
        for method, path, action, scope in (("POST", VM + "/runCommand", "Microsoft.Compute/virtualMachines/runCommand/action", VM),
                                            ("GET", NET + "/networkInterfaces", "Microsoft.Network/networkInterfaces/read", RG),
                                            ("GET", VM + "/instanceView", "Microsoft.Compute/virtualMachines/instanceView/read", VM),
                                            ("GET", S + "/resources", "Microsoft.Resources/subscriptions/resources/read", S)):
            text = sim.arm(method, path).json["error"]["message"]
            assert f"action '{action}' over scope '{scope}'" in text, text
    with Sim(requests=faulty(status=429, headers={"Retry-After": "1"}, times=2) + faulty(NSG, status=429)) as sim:
        first = sim.get(VM)
        expect((first.status, first.headers["retry-after"], first.json["code"]), (429, "1", "OperationNotAllowed"))
        expect([sim.get(VM).status, sim.get(VM).status], [429, 200])
        expect(sim.get(NSG).code, "TooManyRequests")
    for status, code in ((400, "BadRequest"), (401, "InvalidAuthenticationToken"), (404, "ResourceNotFound"), (409, "Conflict"),
                         (500, "InternalServerError"), (503, "ServiceUnavailable")):
        with Sim(requests=faulty(status=status)) as sim:
            reply = sim.get(VM)
            assert reply.status == status and (reply.json["error"]["code"] == code or status == 404), reply.body
    with Sim(requests=faulty(status=502, body="<html>bad gateway</html>", content_type="text/html")) as sim:
        reply = sim.get(VM)
        expect((reply.status, reply.body, reply.headers["content-type"]), (502, b"<html>bad gateway</html>", "text/html"))
    with Sim(requests=faulty(status=409, code="Odd", message="why")) as sim:
        expect(sim.get(VM).json, {"error": {"code": "Odd", "message": "why"}})


@test
def faults_match_the_decoded_query_too():
    with Sim(requests=faulty(r"get .*myvm\?.*\$expand=instanceview", status=500)) as sim:
        expect([sim.get(VM).status, sim.get(VM + "?%24expand=instanceView").status], [200, 500])


@test
def delays_and_latency_do_not_block_others():
    with Sim(requests=faulty(delay=400), latency_ms=30) as sim:
        sim.get(NIC)
        slow = threading.Thread(target=lambda: sim.get(VM))
        began = time.time()
        slow.start()
        sim.get(PIP)
        assert time.time() - began < 0.3, time.time() - began
        slow.join()
        assert time.time() - began >= 0.4
        threads = [threading.Thread(target=lambda: sim.get(PIP)) for _ in range(10)]
        began = time.time()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        took = time.time() - began
        assert 0.03 <= took < 0.2 * (10 if WRAP else 1), took


@test
def reset_is_a_reset():
    with Sim(requests=faulty(reset=True)) as sim:
        sim.get(NIC)
        try:
            sim.get(VM)
            raise AssertionError("answered")
        except ConnectionResetError:
            pass
        expect((sim.log()[-1]["status"], sim.log()[-1]["path"]), (0, VM))


@test
def stall_never_answers_and_does_not_hold_the_end():
    with Sim(requests=faulty(stall=True)) as sim:
        try:
            sim.get(VM, timeout=0.3)
            raise AssertionError("answered")
        except (TimeoutError, socket.timeout):
            pass
        expect(sim.get(NIC).status, 200)
        held = sim.connect()
        held.request("GET", VM + "?" + V, headers={"Authorization": "Bearer " + sim.token})
    held.close()


@test
def drip_sends_byte_after_byte():
    with Sim(requests=faulty(S + "\\?", drip=1)) as sim:
        connection = sim.connect()
        sim.get(NIC)
        began = time.time()
        connection.request("GET", S + "?" + V, headers={"Authorization": "Bearer " + sim.token})
        reply = connection.getresponse()
        first = reply.read(1)
        early = time.time() - began
        whole = first + reply.read()
        took = time.time() - began
        expect(json.loads(whole)["subscriptionId"], SUB)
        assert took >= len(whole) * 0.001 and early < took / 2, (early, took, len(whole))
        connection.close()


@test
def truncation_comes_in_both_ways():
    for chunked in (False, True):
        with Sim(requests=faulty(truncate=100, chunked=chunked)) as sim:
            try:
                sim.get(VM)
                raise AssertionError("whole")
            except http.client.IncompleteRead as short:
                assert len(short.partial) <= 100


@test
def hostile_bodies_are_served():
    with Sim(requests=faulty(garbage=True)) as sim:
        reply = sim.get(VM)
        expect(reply.status, 200)
        try:
            json.loads(reply.body)
            raise AssertionError("json")
        except ValueError:
            pass
    with Sim(requests=faulty(html=True)) as sim:
        reply = sim.get(VM)
        assert reply.headers["content-type"].startswith("text/html") and b"<html>" in reply.body
    with Sim(requests=faulty(huge=3000000)) as sim:
        reply = sim.get(VM)
        expect((len(reply.body), reply.json["value"]), (3000000, []))
    with Sim(requests=faulty(deep=5000)) as sim:
        expect(sim.get(VM).body, b'{"value":' + b"[" * 5000 + b"]" * 5000 + b"}")
    with Sim(requests=faulty(endless=50000)) as sim:
        sim.get(NIC)
        connection = sim.connect()
        connection.request("GET", VM + "?" + V, headers={"Authorization": "Bearer " + sim.token})
        reply = connection.getresponse()
        expect(len(reply.read(20000)), 20000)
        connection.sock.close()
        connection.close()


@test
def answers_can_point_elsewhere():
    with Sim(requests=faulty(redirect="http://evil.example/x")) as sim:
        reply = sim.get(VM)
        expect((reply.status, reply.headers["location"]), (302, "http://evil.example/x"))
    with Sim(requests=faulty("GET .*networkInterfaces\\?", next_link="https://evil.example/next")) as sim:
        body = sim.get(NET + "/networkInterfaces").json
        expect((body["nextLink"], len(body["value"])), ("https://evil.example/next", 1))
    with Sim(requests=faulty("POST .*effective", location="https://evil.example/op")) as sim:
        reply = sim.arm("POST", NIC + "/effectiveNetworkSecurityGroups")
        expect((reply.status, reply.headers["location"]), (202, "https://evil.example/op"))


@test
def normal_answers_can_be_patched():
    date = "Thu, 01 Jan 2015 00:00:00 GMT"
    headers, patch = faulty(header={"x-odd": "1", "Date": date}), faulty(NIC, patch={"properties": {"primary": None, "x": 1}})
    with Sim(requests=headers + patch) as sim:
        reply = sim.get(VM)
        expect((reply.headers["x-odd"], reply.headers["date"], reply.json["name"]), ("1", date, "myVM"))
        found = sim.get(NIC).json["properties"]
        expect(("primary" in found, found["x"]), (False, 1))


@test
def a_byte_order_mark_can_come_first():
    with Sim(requests=faulty(bom=True)) as sim:
        expect(sim.get(VM).body[:4], b"\xef\xbb\xbf{")


@test
def requests_are_logged_without_secrets():
    with Sim() as sim:
        sim.get(VM + "?$expand=instanceView", headers={"User-Agent": "me"})
        sim.arm("POST", VM + "/start", {"a": 1})
        lines = sim.log()
        expect([line["n"] for line in lines], [1, 2, 3])
        one = lines[1]
        expect((one["method"], one["path"], one["status"], one["auth"]), ("GET", VM, 200, "bearer"))
        assert "$expand=instanceView" in one["query"] and one["at"] <= one["done"]
        expect((one["headers"]["authorization"], one["headers"]["user-agent"]), ("Bearer", "me"))
        expect(json.loads(lines[2]["body"]), {"a": 1})
        assert sim.token not in open(sim.log_path, encoding="utf-8").read()


@test
def https_serves_with_its_own_authority():
    with Sim(tls=True) as sim:
        assert sim.url.startswith("https://127.0.0.1:")
        expect(sim.get(VM).status, 200)
        page = sim.get(NET + "/networkInterfaces?$expand=x").json
        expect(len(page["value"]), 1)
        context = ssl.create_default_context(cafile=os.path.join(sim.folder, "tls", "ca.pem"))
        raw = socket.create_connection(("127.0.0.1", int(sim.host.split(":")[1])), 5)
        with context.wrap_socket(raw, server_hostname="management.azure.sim"):
            pass
        try:
            urllib_context = ssl.create_default_context()
            http.client.HTTPSConnection(sim.host, timeout=5, context=urllib_context).request("GET", "/")
            raise AssertionError("trusted")
        except ssl.SSLError:
            pass


@test
def bad_worlds_are_refused_with_a_sentence():
    for text, word in (("{", "world.json:"), ('{"resources":{"x":{}}}', "x"), ('{"requests":[{"match":"("}]}', "match"),
                       ('{"requests":[{"match":"a","stale":true}]}', "stale"), ("[]", "world.json")):
        folder = tempfile.mkdtemp(prefix="azssh-sim-")
        path = os.path.join(folder, "world.json")
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
        done = subprocess.run([PROGRAM, "--world", path], capture_output=True, timeout=10, check=False)
        shutil.rmtree(folder)
        assert done.returncode == 2 and word in done.stderr.decode(), (text, done)
    expect(subprocess.run([PROGRAM], capture_output=True, timeout=10, check=False).returncode, 2)


@test
def it_ends_after_its_lifetime_and_with_its_parent():
    folder = tempfile.mkdtemp(prefix="azssh-sim-")
    world = os.path.join(SRC, "tests", "worlds", "base.json")
    began = time.time()
    expect(subprocess.run([PROGRAM, "--world", world, "--lifetime", "1"], capture_output=True, timeout=10, check=False).returncode, 0)
    assert 0.9 < time.time() - began < 5
    script = f"{PROGRAM} --world {world} --ready {folder}/ready & echo $!; while ! [ -e {folder}/ready ]; do sleep 0.02; done"
    done = subprocess.run(["/bin/sh", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=10, check=False)
    pid = int(done.stdout.split()[0])
    for _ in range(200):
        if not os.path.exists(f"/proc/{pid}") or re.search(r"State:\s+Z", open(f"/proc/{pid}/status", encoding="utf-8").read()):
            break
        time.sleep(0.02)
    else:
        raise AssertionError("outlived its parent")
    shutil.rmtree(folder)


@test
def odd_requests_do_no_harm():
    with Sim() as sim:
        port = int(sim.host.split(":")[1])
        for text in (b"GET /%00%ff%zz?a=%&=&&b HTTP/1.1\r\nHost: x\r\n\r\n", b"GET " + b"/a" * 200 + b" HTTP/1.0\r\n\r\n",
                     b"\x00\xff\r\n\r\n",
                     b"POST /x/oauth2/token HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n\xff\x00=", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
                     b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /sas/ HTTP/1.1\r\nHost: x\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", port), 5) as raw:
                raw.sendall(text)
                raw.settimeout(2)
                try:
                    raw.recv(1000)
                except (ConnectionResetError, socket.timeout):
                    pass
        for method, path in (("GET", "/providers"), ("POST", "/subscriptions"), ("GET", S + "/providers"), ("PUT", S + "/x"),
                             ("DELETE", "/"), ("GET", S + "/providers/a"), ("POST", S + "/providers/a/b"),
                             ("GET", "/subscriptions/" + "x" * 3000), ("PATCH", VM + "/x")):
            assert sim.arm(method, path).status in (200, 204, 400, 404), (method, path)
        expect(sim.get(VM).status, 200)


if __name__ == "__main__":
    sys.exit(run())
