"""The fault proxy does to a request what its script says, and nothing to the others."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from tests.faults.proxy import FAULTS, Proxy, listed, seeded


@pytest.fixture
def server():
    """A server that says what it was sent, and counts."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args):
            pass

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if len(body) < int(self.headers["Content-Length"]):
                return
            made.bodies.append(body)
            answer = json.dumps({"size": len(body)}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.bodies = []
    made.place = f"127.0.0.1:{made.server_address[1]}"
    made.handle_error = lambda *args: None  # clients go away, that is the point
    threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


def test_without_a_fault_all_passes(server):
    with Proxy(server.place) as proxy, requests.Session() as session:
        for size in (0, 10, 3_000_000):
            assert session.post(proxy.url, data=b"x" * size).json() == {"size": size}
    assert proxy.seen.sent == 3_000_010
    assert not proxy.seen.faults


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_happens_once_and_the_next_request_passes(server, fault):
    with Proxy(server.place, listed([fault]), crawl=0.0, stall=0.1) as proxy:
        try:
            answer = requests.post(proxy.url, data=b"x" * 100_000, allow_redirects=False, timeout=5)
            found = answer.status_code
        except requests.RequestException:
            found = None
        usual = int(fault[:3]) if fault[0].isdigit() else None
        assert found == {"slow": 200, "html": 200, "bad-json": 200, "redirect": 307}.get(fault, usual)
        heard = len(server.bodies)
        assert heard == (fault in ("drop", "truncate", "wrong-length", "slow", "stall"))
        assert requests.post(proxy.url, data=b"x" * 10).json() == {"size": 10}
    assert dict(proxy.seen.faults) == {fault: 1}


def test_a_cut_comes_after_so_many_bytes(server):
    with Proxy(server.place, cuts=[1000]) as proxy:
        with pytest.raises(requests.ConnectionError):
            requests.post(proxy.url, data=b"x" * 5000)
        assert proxy.seen.sent == 1000
        assert requests.post(proxy.url, data=b"x" * 5000).json() == {"size": 5000}


def test_a_seed_makes_the_same_faults_again():
    runs = [[seeded(7, 0.3)(None) for _ in range(1)] for _ in range(2)]
    assert runs[0] == runs[1]
    script = seeded(7, 0.3)
    hits = [script(None) for _ in range(1000)]
    assert 250 < sum(hit is not None for hit in hits) < 350


def test_the_command_is_ready_and_counts(server):
    command = [sys.executable, "-m", "tests.faults.proxy", "--upstream", server.place, "--rate", "1", "--faults", "500"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        ready = json.loads(process.stdout.readline())
        assert requests.post(ready["url"], data=b"").status_code == 500
        process.send_signal(signal.SIGTERM)
        assert json.loads(process.stdout.readline()) == {"type": "summary", "requests": 1, "faults": {"500": 1}}
