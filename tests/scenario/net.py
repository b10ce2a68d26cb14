"""The lab's network: client (this namespace), router and vm, joined by veth pairs, with nothing beyond the router.

 client 203.0.113.7 --- 203.0.113.1 router 10.0.0.1 --- 10.0.0.4 vm (20.51.230.13 and further addresses on the same link)

The router drops silently what it has no route for, as the Internet does, and what the client sends to private addresses,
unless a VPN is asked for."""

import os
import subprocess

from .load import Bad

CLIENT, PUBLIC, PRIVATE = "203.0.113.7", "20.51.230.13", "10.0.0.4"
NETNS = "/run/netns"
HOOKS = ("prerouting", "input", "forward", "output", "postrouting")


def run(argv, text=None, limit=20):
	p = subprocess.run(argv, input=text, stdin=None if text is not None else subprocess.DEVNULL, stdout=subprocess.PIPE,
		stderr=subprocess.STDOUT, text=True, timeout=limit, check=False)
	if p.returncode:
		raise Bad("%s: %s" % (" ".join(argv), p.stdout.strip()))
	return p.stdout


def at(place):
	return [] if place == "client" else ["nsenter", "--net=%s/%s" % (NETNS, place)]


def ip(place, commands):
	"""Runs ip commands; one that begins with -6 goes to IPv6."""
	for family in ("-4", "-6"):
		lines = [c[3:] if c.startswith("-6 ") else c for c in commands if c.startswith("-6 ") == (family == "-6")]
		if lines:
			run(at(place) + ["ip", family, "-batch", "-"], "\n".join(lines) + "\n")


def build(lab):
	os.makedirs(NETNS, exist_ok=True)
	for name in ("router", "vm"):
		run(["ip", "netns", "add", name])
	ip("client", ["link add c0 type veth peer name r0 netns router", "link set lo up", "addr add %s/24 dev c0" % CLIENT,
		"link set c0 up", "-6 addr add 2001:db8:1::7/64 dev c0 nodad"])
	ip("router", ["link add r1 type veth peer name v0 netns vm", "link set lo up", "addr add 203.0.113.1/24 dev r0",
		"addr add 10.0.0.1/24 dev r1", "link set r0 up", "link set r1 up", "-6 addr add 2001:db8:1::1/64 dev r0 nodad",
		"-6 addr add 2001:db8:2::1/64 dev r1 nodad"])
	run(at("router") + ["sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"])
	extra = lab.get("addresses", [])
	ip("vm", ["link set lo up", "addr add %s/24 dev v0" % PRIVATE, "-6 addr add 2001:db8:2::4/64 dev v0 nodad", "link set v0 up"] +
		["-6 addr add %s/128 dev v0 nodad" % a if ":" in a else "addr add %s/32 dev v0" % a for a in [PUBLIC] + extra] +
		["route add default via 10.0.0.1", "-6 route add default via 2001:db8:2::1"])
	ip("router", ["route add %s via %s" % (a, PRIVATE) for a in [PUBLIC] + extra if ":" not in a] + ["route add blackhole default"])
	ip("client", ["route add default via 203.0.113.1 src %s" % CLIENT, "-6 route add default via 2001:db8:1::1"])
	if not lab.get("vpn"):
		nft("router", ["forward iifname r0 ip daddr { 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 } drop"], "private")
	nft("client", ["output ip daddr 169.254.0.0/16 counter drop"], "seal")


def change(lab):
	"""What the scenario does to addresses and routes, then to the packet filters."""
	for place, commands in lab.get("ip", {}).items():
		ip(place, commands)
	for place, rules in lab.get("nft", {}).items():
		nft(place, rules, "lab")


def nft(place, rules, table):
	"""Rules are 'HOOK rule' lines, or one whole nft script as a text that begins with 'table'."""
	if isinstance(rules, str) and rules.lstrip().startswith("table"):
		run(at(place) + ["nft", "-f", "-"], rules)
		return
	chains = {}
	for rule in [rules] if isinstance(rules, str) else rules:
		hook, _, rest = rule.partition(" ")
		if hook not in HOOKS:
			raise Bad("nft: %r does not begin with one of: %s" % (rule, ", ".join(HOOKS)))
		chains.setdefault(hook, []).append(rest)
	text = "table inet %s {\n" % table
	for hook, lines in chains.items():
		text += "chain %s { type filter hook %s priority 0;\n%s\n}\n" % (hook, hook, "\n".join(lines))
	run(at(place) + ["nft", "-f", "-"], text + "}\n")


def metadata_packets():
	"""Packets that were sent towards the real instance metadata address; each one is a fault of the program."""
	text = run(["nft", "list", "table", "inet", "seal"])
	return int(text.partition("packets ")[2].split()[0])
