#!/usr/bin/python3
"""The conversation across a router in network namespaces (root only); names, the deadline, jump hosts."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import wire_lib as lib  # noqa: E402
import wire_servers as srv  # noqa: E402
from wire_lib import Skip, equal, facts, holds, only_queries, probe, sshd, test, DIR, KEYS, USER  # noqa: E402


# ---- a network with a router in it (root only) ----

LAB = []


def lab():
    if "WIRE_SEALED" not in os.environ or srv.which("nft") is None:
        raise Skip("needs root, unshare and nft")
    if not LAB:
        LAB.append(srv.Lab())
    LAB[0].clear()
    return LAB[0]


def lab_sshd(net, name, options=""):
    return sshd(f"lab-{name}", options, address=net.VM, port=22, within=net.within(net.vm))


@test
def across_a_router_all_is_well():
    net = lab()
    server = lab_sshd(net, "well")
    wire = probe(22, facts([KEYS["user"]]), host=net.VM)
    equal(wire["tcp"]["result"], "connected")
    equal(wire["tcp"]["local_address"], net.CLIENT)
    equal(wire["tcp"]["local_interface"], "c0")
    equal(wire["tcp"]["route"]["default"], True)
    equal(wire["auth"]["accepted"], srv.fingerprint(KEYS["user"]))
    equal(server.connections(), 1)
    server.stop()


@test
def nobody_listens_across_a_router():
    net = lab()
    wire = probe(22, host=net.VM)
    equal(wire["tcp"]["result"], "refused")
    holds("icmp" not in wire["tcp"], "a real reset")


@test
def drops_are_timeouts():
    net = lab()
    for at, hook in ((net.vm, "input"), (net.router, "forward")):
        net.rule(at, hook, "tcp dport 22 drop")
        wire = probe(22, host=net.VM, step=2500)
        equal(wire["tcp"]["result"], "timeout")
        holds(wire["tcp"]["info"]["total_retrans"] >= 1, "retransmissions")
        holds("send_failed" not in wire["tcp"], "nothing failed here")
        net.clear()


@test
def a_reference_server_is_asked_after_a_timeout():
    net = lab()
    net.rule(net.router, "forward", "tcp dport 22 drop")
    wire = probe(22, host=net.VM, step=1000, env={"WIRE_REFERENCE": net.FAR + ":22"})
    equal(wire["tcp"]["reference"]["result"], "refused", "the router is no forwarding")
    wire = probe(22, host=net.VM, step=1000, env={"WIRE_REFERENCE": f"{net.VM}:22"})
    equal(wire["tcp"]["reference"]["result"], "timeout")
    net.clear()
    server = lab_sshd(net, "reference")
    net.rule(net.router, "forward", "tcp dport 23 drop")
    wire = probe(23, host=net.VM, step=1000, env={"WIRE_REFERENCE": net.VM})
    equal(wire["tcp"]["result"], "timeout")
    equal(wire["tcp"]["reference"]["result"], "connected")
    net.clear()
    server.stop()


@test
def a_local_drop_shows_in_the_counters():
    net = lab()
    net.rule(None, "output", "tcp dport 22 drop")
    wire = probe(22, host=net.VM, step=2500)
    equal(wire["tcp"]["result"], "timeout")
    holds(wire["tcp"]["send_failed"] >= 1, "segments this machine refused")
    net.clear()


@test
def icmp_tells_who_forbids():
    net = lab()
    for at, hook, sender in ((net.vm, "input", net.VM), (net.router, "forward", net.NEAR)):
        for kind, result in (("admin-prohibited", "prohibited"), ("host-prohibited", "prohibited"), ("net-prohibited", "prohibited"),
                             ("host-unreachable", "unreachable"), ("net-unreachable", "unreachable"), ("port-unreachable", "refused")):
            net.rule(at, hook, f"tcp dport 22 reject with icmp type {kind}")
            wire = probe(22, host=net.VM)
            equal(wire["tcp"]["result"], result, kind)
            equal(wire["tcp"]["icmp"]["from"], sender, kind)
            holds(wire["tcp"]["ms"] < 1000, "at once")
            net.clear()


@test
def a_reject_by_reset_is_a_refusal():
    net = lab()
    net.rule(net.vm, "input", "tcp dport 22 reject with tcp reset")
    wire = probe(22, host=net.VM)
    equal(wire["tcp"]["result"], "refused")
    net.clear()


@test
def routes_of_this_machine():
    net = lab()
    ip = srv.which("ip")
    for kind, result in (("prohibit", "local"), ("blackhole", "local"), ("unreachable", "unreachable")):
        net.run(None, ip, "route", "add", kind, net.VM)
        equal(probe(22, host=net.VM)["tcp"]["result"], result, kind)
        net.run(None, ip, "route", "del", kind, net.VM)
    net.run(None, ip, "route", "del", "default")
    wire = probe(22, host=net.VM)
    net.run(None, ip, "route", "add", "default", "via", net.NEAR)
    equal(wire["tcp"]["result"], "unreachable")
    equal(wire["tcp"]["way4"], False)


@test
def nobody_answers_on_the_local_network():
    lab()
    wire = probe(22, host="203.0.113.99", step=5000)
    equal(wire["tcp"]["result"], "unreachable")
    holds(wire["tcp"]["ms"] > 2000, "the time of ARP")


@test
def ipv6_without_a_way():
    net = lab()
    wire = probe(22, host="2001:db8::5")
    equal(wire["tcp"]["result"], "unreachable")
    equal(wire["tcp"]["way6"], False)
    equal(wire["tcp"]["way4"], True)
    del net


@test
def a_device_that_resets_ssh():
    net = lab()
    server = lab_sshd(net, "dpi")
    net.rule(net.router, "forward", "tcp dport 22 tcp flags & psh == psh reject with tcp reset")
    wire = probe(22, facts([KEYS["user"]]), host=net.VM)
    equal(wire["kex"]["result"], "reset")
    holds("server" not in wire["kex"], "before the server's list")
    net.clear()
    server.stop()


@test
def an_mtu_hole_is_proven():
    net = lab()
    server = lab_sshd(net, "mtu")
    for rule in ("ip length gt 900 drop", "iifname r0 ip length gt 1000 drop", "iifname r1 ip length gt 900 drop"):
        net.rule(net.router, "forward", rule)
        wire = probe(22, facts([KEYS["user"]]), host=net.VM)
        equal(wire["kex"]["result"], "stalled", rule)
        equal(wire["kex"]["mtu"], "proven", rule)
        equal(wire["auth"]["accepted"], srv.fingerprint(KEYS["user"]), rule)
        holds(wire["took"] < 8, "bounded time")
        net.clear()
    equal(server.connections(), 6, "two for each")
    server.stop()


@test
def a_server_that_only_stalls_proves_nothing():
    net = lab()
    server = lab_sshd(net, "stall")
    net.rule(net.router, "forward", "iifname r1 tcp sport 22 ip length gt 200 drop")
    wire = probe(22, facts([KEYS["user"]]), host=net.VM)
    equal(wire["kex"]["result"], "stalled")
    holds(wire["kex"].get("mtu") != "proven", "small segments are lost as well")
    net.clear()
    server.stop()


# ---- names, deadline, proxies ----

@test
def a_name_that_does_not_exist():
    wire = probe(22, host="no-such-name.invalid", env={"RES_OPTIONS": "attempts:1 timeout:1"})
    holds(wire["dns"]["cause"] in ("nxdomain", "resolver"), "a name under .invalid")
    equal(wire["tcp"]["cause"], "not-reached")


@test
def localhost_has_addresses():
    server = sshd("localhost")
    wire = probe(server.port, facts([KEYS["user"]]), host="localhost")
    equal(wire["dns"]["literal"], False)
    holds("127.0.0.1" in wire["dns"]["addresses"], "the address")
    equal(wire["tcp"]["result"], "connected")
    equal(wire["auth"]["accepted"], srv.fingerprint(KEYS["user"]))
    server.stop()


@test
def the_deadline_holds():
    peer = srv.Peer(srv.says(close=False))
    wire = probe(peer.port, step=5000, deadline=700)
    holds(wire["took"] < 2.5, "the deadline")
    equal(wire["banner"]["cause"], "deadline")
    peer.stop()


def jump_facts(jump_port, config, keys=(), jump="127.0.0.1"):
    doc = facts(keys)
    doc["targets"][0]["ssh_config"]["proxyjump"] = f"{USER}@{jump}:{jump_port}"
    doc["targets"][0]["ssh_config"]["jump"] = {"hostname": jump, "port": jump_port, "user": USER}
    known_hosts = DIR / "jump_known"
    known_hosts.write_text(f"[{jump}]:{jump_port} {' '.join(srv.public(KEYS['ed25519']))}\n")
    config.write_text(f"IdentityFile {KEYS['user']}\nIdentitiesOnly yes\nUserKnownHostsFile {known_hosts}\nGlobalKnownHostsFile /dev/null\n")
    return doc


@test
def a_jump_host_is_gone_through():
    jump, server = sshd("jump"), sshd("behind")
    config = DIR / "jump_config"
    doc = jump_facts(jump.port, config, [KEYS["user"]])
    wire = probe(server.port, doc, host="127.0.0.1", env={"WIRE_SSH_CONFIG": str(config)})
    equal(wire["dns"]["state"], "not-asked")
    equal(wire["tcp"]["result"], "connected")
    equal(wire["tcp"]["proxy"]["stage"], "through")
    equal(wire["banner"]["result"], "ssh")
    equal(wire["host_key"]["keys"][0]["fingerprint"], srv.fingerprint(KEYS["ed25519"]))
    equal(wire["auth"]["accepted"], srv.fingerprint(KEYS["user"]))
    equal(server.connections(), 1, "connections to the VM")
    equal(jump.connections(), 1, "connections to the jump host")
    only_queries(server)
    jump.stop()
    server.stop()


@test
def a_jump_host_that_does_not_reach_the_vm():
    jump = sshd("jump-alone")
    config = DIR / "jump_config2"
    wire = probe(srv.free_port(), jump_facts(jump.port, config), env={"WIRE_SSH_CONFIG": str(config)})
    equal(wire["tcp"]["result"], "refused")
    equal(wire["tcp"]["proxy"]["stage"], "target")
    holds("refused" in wire["tcp"]["proxy"]["words"], "the words")
    equal(wire["banner"]["cause"], "not-reached")
    jump.stop()


@test
def a_jump_host_that_refuses():
    config = DIR / "jump_config3"
    port = srv.free_port()
    wire = probe(22, jump_facts(port, config), env={"WIRE_SSH_CONFIG": str(config)})
    equal(wire["tcp"]["result"], "refused")
    equal(wire["tcp"]["proxy"]["stage"], "jump")
    holds(str(port) in wire["tcp"]["proxy"]["words"], "the hop is named")
    equal(wire["jump"]["tcp"]["result"], "refused", "the hop itself was looked at")


@test
def a_proxy_command_is_not_run():
    doc = facts()
    doc["targets"][0]["ssh_config"]["proxycommand"] = f"touch {DIR}/was-run"
    wire = probe(srv.free_port(), doc)
    equal(wire["dns"]["state"], "not-asked")
    equal(wire["tcp"]["cause"], "proxied")
    equal({wire[s]["cause"] for s in ("banner", "kex", "host_key")}, {"not-reached"})
    equal(wire["auth"]["cause"], "proxied", "only ssh itself can tell")
    holds(not (DIR / "was-run").exists(), "the command")


if __name__ == "__main__":
    sys.exit(lib.run())
