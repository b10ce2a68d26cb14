"""A front before the simulator that mends answers on their way, and puts them on the wire as it likes."""
import http.client
import json
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
