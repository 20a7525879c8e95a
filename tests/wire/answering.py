"""A real HTTP server that answers as a test tells it, and remembers what it was asked."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Asked:
    method: str
    path: str
    headers: dict
    body: bytes


@dataclass
class Said:
    status: int = 200
    body: bytes = b""
    headers: dict = field(default_factory=dict)


def said_json(value, status=200, **headers):
    return Said(status, json.dumps(value).encode(), {"Content-Type": "application/json", **headers})


@contextmanager
def answering(answer, *, context=None):
    """Serve ``answer(asked) -> Said``; gives the server, with ``url`` and ``asked``."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args):
            pass

        def do(self):
            size = int(self.headers.get("Content-Length") or 0)
            asked = Asked(
                self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, self.rfile.read(size)
            )
            server.asked.append(asked)
            said = answer(asked)
            self.send_response(said.status)
            for name, value in {"Content-Length": str(len(said.body)), **said.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(said.body)

        do_GET = do_POST = do_PUT = do_HEAD = do_PATCH = do_DELETE = do_PROPFIND = do_MKCOL = do_MOVE = do

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *args: None
    server.asked = []
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    server.url = f"http{'s' if context else ''}://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
