"""A tiny name server for the lab: dns.py ADDRESS JSON, with {"records": {name: [address | alias | word]}, "delay": s}.
A record is a list of addresses, another name (a CNAME, followed), or one of the words nxdomain, servfail, refused, silent, empty. Names not
listed: nxdomain."""

import json
import socket
import struct
import sys
import time

CODES = {"nxdomain": 3, "servfail": 2, "refused": 5}


def name_of(packet, at):
	labels = []
	while packet[at]:
		labels.append(packet[at + 1:at + 1 + packet[at]].decode("latin-1"))
		at += packet[at] + 1
	return ".".join(labels).lower(), at + 1


def record(address, kind):
	family = socket.AF_INET6 if ":" in address else socket.AF_INET
	if kind != (28 if family == socket.AF_INET6 else 1):
		return b""
	data = socket.inet_pton(family, address)
	return b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 60, len(data)) + data


def encode(name):
	return b"".join(bytes([len(label)]) + label.encode("ascii") for label in name.split(".")) + b"\0"


def chain(name, kind, records):
	"""The aliases that begin with the name, as records, and what stands at their end."""
	body, owner = [], b"\xc0\x0c"
	for _ in range(8):
		found = records.get(name, "nxdomain")
		found = [found] if isinstance(found, str) else found
		if found[0] in CODES or found[0] in ("silent", "empty") or ":" in found[0] or found[0].replace(".", "").isdigit():
			break
		target = encode(found[0])
		body.append(owner + struct.pack(">HHIH", 5, 1, 60, len(target)) + target)
		name, owner = found[0], target
	return found, body + [owner + r[2:] for r in (record(a, kind) for a in found if a not in CODES and a not in ("empty", "silent")) if r]


def answer(packet, records):
	"""The reply, or None to stay silent."""
	name, at = name_of(packet, 12)
	kind = struct.unpack(">H", packet[at:at + 2])[0]
	question = packet[12:at + 4]
	found, body = chain(name, kind, records)
	if found[0] == "silent":
		return None
	code = CODES.get(found[0], 0)
	head = packet[:2] + struct.pack(">HHHHH", 0x8180 | code, 1, len(body), 0, 0)
	return head + question + b"".join(body)


def main(argv):
	config = json.loads(argv[2])
	records = {k.lower().rstrip("."): v for k, v in config.get("records", {}).items()}
	sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
	sock.bind((argv[1], 53))
	while True:
		packet, peer = sock.recvfrom(1500)
		try:
			reply = answer(packet, records)
		except (IndexError, struct.error):
			continue
		time.sleep(config.get("delay", 0))
		if reply:
			sock.sendto(reply, peer)


if __name__ == "__main__":
	main(sys.argv)
