"""A front before the simulator that mends answers on their way, and puts them on the wire as it likes."""
import http.client
import json
import select
import socket
import socketserver
import threading


class Message:
    """One answer on its way: status, header pairs, body."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def header(self, name, value=None):
        if value is not None:
            self.headers = [(k, v) for k, v in self.headers if k.lower() != name.lower()] + [(name, value)]
        return dict((k.lower(), v) for k, v in self.headers).get(name.lower())

    def json(self, change):
        try:
            value = json.loads(self.body)
        except ValueError:
            return
        self.body = json.dumps(change(value)).encode()


class Front:
    """Passes each request on to the simulator; change(method, path, message) mends the answer, write(message) puts it on the wire."""

    def __init__(self, sim, change=None, write=None):
        front, self.seen = self, []

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                while front.one(self, sim, change, write or plain):
                    pass

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = allow_reuse_address = True
        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d" % self.server.server_address[1]
        self.host = self.url[7:]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def one(self, handler, sim, change, write):
        try:
            line = handler.rfile.readline().decode("latin-1").split()
        except OSError:
            return False
        if len(line) < 3:
            return False
        headers = http.client.parse_headers(handler.rfile)
        body = handler.rfile.read(int(headers.get("Content-Length") or 0))
        self.seen.append((line[0], line[1]))
        sent = {k: v for k, v in headers.items() if k.lower() not in ("accept-encoding", "connection")}
        reply = sim.raw(line[0], line[1], body, sent)
        drop = ("content-length", "transfer-encoding", "connection")
        message = Message(reply.status, [(k, v) for k, v in reply.headers.items() if k not in drop], reply.body)
        if change is not None:
            change(line[0], line[1], message)
        try:
            return write(handler.wfile, message)
        except OSError:
            return False

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.server.shutdown()
        self.server.server_close()


def head(message, *more, version="1.1"):
    lines = ["HTTP/%s %d Whatever" % (version, message.status)] + ["%s: %s" % h for h in message.headers] + list(more)
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def plain(out, message):
    out.write(head(message, "Content-Length: %d" % len(message.body)) + message.body)
    return True


class Proxy:
    """Tunnels whatever is asked for to `port` of this machine, or answers CONNECT with `reply`. seen: what came outside of tunnels, first lines."""

    def __init__(self, port, reply=None):
        seen = self.seen = []

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                line = self.rfile.readline()
                seen.append(line.decode("latin-1").strip())
                while True:
                    header = self.rfile.readline()
                    if header in (b"\r\n", b"\n", b""):
                        break
                    seen.append(header.decode("latin-1").strip())
                if reply is not None:
                    self.wfile.write(reply)
                    return
                with socket.create_connection(("127.0.0.1", port)) as far:
                    self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                    pump(self.connection, far)
        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = "http://127.0.0.1:%d" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.server.shutdown()
        self.server.server_close()


def pump(one, other):
    while True:
        ready, _, _ = select.select([one, other], [], [], 30)
        for near in ready:
            try:
                data = near.recv(65536)
                (other if near is one else one).sendall(data)
            except OSError:
                return
            if not data:
                return
        if not ready:
            return
