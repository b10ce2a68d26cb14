"""A scripted TCP server for faults at the banner and after it. Runs as a program: peer.py ADDRESS PORT JSON."""

import json
import os
import socket
import struct
import subprocess
import sys
import threading
import time

HOLD = 120


def _reset(conn):
	conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
	conn.close()


def _read(conn, what):
	"""Waits for a newline or for so many bytes."""
	got = b""
	while (b"\n" not in got) if what == "line" else (len(got) < int(what)):
		more = conn.recv(1)
		if not more:
			return
		got += more


def _pipe(source, sink):
	try:
		while True:
			data = source.recv(65536)
			if not data:
				break
			sink.sendall(data)
	except OSError:
		pass
	for end in (source, sink):
		try:
			end.shutdown(socket.SHUT_RDWR)
		except OSError:
			pass


def _forward(conn, port):
	other = socket.create_connection(("127.0.0.1", port), 5)
	other.settimeout(None)
	conn.settimeout(None)
	threading.Thread(target=_pipe, args=(conn, other), daemon=True).start()
	_pipe(other, conn)


def step(conn, todo):
	"""One step; False ends the conversation."""
	verb, value = next(iter(todo.items())) if isinstance(todo, dict) else (todo, None)
	if verb == "send":
		conn.sendall(value.encode("latin-1"))
	elif verb == "hex":
		conn.sendall(bytes.fromhex(value))
	elif verb == "drip":
		for byte in value["text"].encode("latin-1"):
			conn.sendall(bytes([byte]))
			time.sleep(value["ms"] / 1000)
	elif verb == "flood":
		end = time.monotonic() + HOLD
		while time.monotonic() < end:
			conn.sendall(value.encode("latin-1"))
	elif verb == "wait":
		time.sleep(value)
	elif verb == "read":
		_read(conn, value)
	elif verb == "forward":
		_forward(conn, value)
	elif verb == "reset":
		_reset(conn)
		return False
	elif verb == "close":
		conn.close()
		return False
	elif verb == "exec":
		conn.settimeout(None)
		subprocess.run(value, stdin=conn, stdout=conn, check=False, timeout=HOLD)
		return step(conn, "close")
	elif verb == "stall":
		time.sleep(HOLD)
	else:
		raise ValueError("peer: unknown step %r" % verb)
	return True


def talk(conn, script):
	conn.settimeout(HOLD)
	try:
		for todo in script:
			if not step(conn, todo):
				return
		time.sleep(HOLD)
	except OSError:
		pass


def main(argv):
	address, port, scripts = argv[1], int(argv[2]), json.loads(argv[3])
	listener = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
	listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
	listener.bind((address, port))
	listener.listen(16)
	count = 0
	while True:
		conn, _ = listener.accept()
		print("Connection %d" % count, flush=True)
		script = scripts[min(count, len(scripts) - 1)]
		count += 1
		threading.Thread(target=talk, args=(conn, script), daemon=True).start()


if __name__ == "__main__":
	try:
		main(sys.argv)
	except KeyboardInterrupt:
		os._exit(0)
