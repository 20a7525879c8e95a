"""A TLS server on this computer that is zenodo.org to who trusts its certificate, and remembers what it was asked."""

from __future__ import annotations

import ssl
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

from tests.wire.test_tls import certificate, context


class Answers(BaseHTTPRequestHandler):
    def do_GET(self):
        status, headers, body = self.server.answers.get(self.path, (404, {}, b""))
        self.server.asked.append((self.path, dict(self.headers)))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


@contextmanager
def serving(folder):
    """Serve ``answers`` (path → status, headers, body); ``trusting()`` is a context that takes its certificate."""
    certificate(folder, "zenodo", host="zenodo.org")
    server = HTTPServer(("127.0.0.1", 0), Answers)
    server.answers, server.asked = {}, []
    server.trusting = lambda: ssl.create_default_context(cafile=folder / "zenodo.pem")
    server.socket = context(folder, "zenodo").wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
