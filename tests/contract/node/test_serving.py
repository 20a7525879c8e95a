"""``nffa node`` as a process: ready line, tokens beside it, one per folder, safe addresses, TLS, a graceful end."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager

import pytest
import requests

from nffa_cli import cli
from nffa_cli.node.serving import Listen, check, is_loopback
from tests.contract.node.conftest import Client

NFFA = (sys.executable, "-m", "nffa_cli")


def nffa(*arguments, **options):
    return subprocess.run([*NFFA, *arguments], capture_output=True, text=True, timeout=120, **options)


@pytest.fixture
def typed(capsys):
    """A function that runs a command in this process and returns status, stdout and stderr."""

    def run(*arguments):
        status = cli.run(list(map(str, arguments)))
        return status, *capsys.readouterr()

    return run


@contextmanager
def served(*arguments):
    process = subprocess.Popen([*NFFA, "node", "serve", "--port", "0", "--json", *arguments], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)  # fmt: skip
    try:
        yield process, json.loads(process.stdout.readline())
    finally:
        process.kill()
        process.communicate()


def test_a_node_is_one_command_and_a_token_another(home):
    with served() as (process, ready):
        assert ready["type"] == "ready"
        made = nffa("node", "token", "create", "--role", "depositor", "--name", "sem-pc")
        assert made.returncode == 0, made.stderr
        assert made.stdout.startswith("nffa_")
        assert made.stdout.count("\n") == 1
        client = Client(ready["url"], made.stdout.strip())
        assert client.get("/me").json()["roles"] == ["depositor"]
        second = nffa("node", "serve", "--port", "0")
        assert second.returncode == 7
        assert "another process" in second.stderr
        (listed,) = map(json.loads, nffa("node", "token", "list", "--json").stdout.splitlines())
        assert nffa("node", "token", "revoke", listed["id"]).returncode == 0
        assert client.get("/me").status_code == 401
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        assert process.stderr.read() == ""
    assert (home / "node").stat().st_mode & 0o077 == 0


def test_a_running_request_is_finished_before_the_end(home):
    with served() as (process, ready):
        token = nffa("node", "token", "create", "--role", "admin", "--name", "ada").stdout.strip()
        host, port = ready["url"].removeprefix("http://").split(":")
        body = json.dumps({"proposalId": "161", "proposalTitle": "T"}).encode()
        with socket.create_connection((host, int(port)), 30) as wire:
            head = (
                f"POST /api/v1/proposals HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            )
            wire.sendall(head.encode() + body[:10])
            assert requests.get(ready["url"] + "/healthz", timeout=30).status_code == 200
            process.send_signal(signal.SIGTERM)
            threading.Event().wait(0.3)
            wire.sendall(body[10:])
            assert wire.recv(65536).startswith(b"HTTP/1.1 201")
        assert process.wait(60) == 0


def test_a_log_tells_no_secret(home):
    secret = nffa("node", "token", "create", "--role", "reader", "--name", "ada").stdout.strip()
    with served("-v") as (process, ready):
        Client(ready["url"], secret).get("/proposals?proposalId=canary-in-query")
        requests.get(ready["url"] + "/api/v1/me", headers={"Authorization": "Bearer " + secret[:-1]}, timeout=30)
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        told = process.stderr.read()
    assert "GET /api/v1/proposals 200" in told
    assert "canary-in-query" not in told
    assert secret.split("_", 2)[-1][:20] not in told


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--host", "0.0.0.0"), "in the clear"),
        (("--tls-cert", "x.pem"), "both"),
        (("--tls-cert", "x.pem", "--tls-key", "x.key"), "cannot be used"),
    ],
)
def test_tokens_never_travel_in_the_clear(home, typed, arguments, says):
    status, _, told = typed("node", "serve", "--port", "0", *arguments)
    assert status == 2
    assert says in told
    assert not (home / "node").exists()


def test_only_this_machine_is_loopback():
    assert all(map(is_loopback, ("127.0.0.1", "::1", "localhost", "127.1.2.3")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "192.168.1.2", "node.example")))
    check(Listen("0.0.0.0", behind_proxy=True))


def test_it_speaks_tls(home, tmp_path):
    key, certificate = tmp_path / "node.key", tmp_path / "node.pem"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
            "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", certificate]  # fmt: skip
    try:
        subprocess.run(made, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("needs openssl")
    with served("--host", "127.0.0.1", "--tls-cert", certificate, "--tls-key", key) as (_, ready):
        assert ready["url"].startswith("https://127.0.0.1:")
        assert requests.get(ready["url"] + "/healthz", verify=certificate, timeout=30).json() == {"status": "ok"}
        with pytest.raises(requests.exceptions.SSLError):
            requests.get(ready["url"] + "/healthz", timeout=30)


def test_a_token_says_whose_it_is_so_that_no_two_pcs_are_one_user_unawares(typed):
    for role in ("depositor", "admin"):
        status, out, err = typed("node", "token", "create", "--role", role)
        assert (status, out) == (2, "")
        assert "--name" in err
        assert "--person" in err
    for name in ("sem-pc-1", "sem-pc-2", "sem-pc-2"):
        assert typed("node", "token", "create", "--role", "depositor", "--name", name)[0] == 0
    listed = typed("node", "token", "list", "--json")[1]
    assert [json.loads(line)["user"] for line in listed.splitlines()] == ["sem-pc-1", "sem-pc-2", "sem-pc-2"]


def test_users_and_policies_are_made_beside_the_node(typed):
    orcid = "0000-0002-1825-0097"
    status, made, _ = typed("node", "user", "add", "Curie", "--role", "dataManager", "--orcid", orcid)
    assert status == 0
    assert typed("node", "token", "create", "--role", "dataManager", "--person", made.strip())[1].startswith("nffa_")
    assert typed("node", "token", "create", "--role", "admin", "--person", orcid)[0] == 2
    assert typed("node", "user", "add", "X", "--orcid", orcid.replace("97", "98"))[0] == 2
    assert typed("node", "user", "add", "X", "--orcid", orcid)[0] == 2
    assert orcid in typed("node", "user", "list")[1]
    assert typed("node", "policy", "add", "open", "--months", "0", "--metadata-public")[0] == 0
    assert typed("node", "policy", "add", "open")[0] == 2
    assert typed("node", "policy", "set-default", "open")[0] == 0
    assert typed("node", "policy", "set-default", "none")[0] == 2
    assert typed("node", "token", "revoke", "none")[0] == 2
    lines = list(map(json.loads, typed("node", "policy", "list", "--json")[1].splitlines()))
    assert [(each["policyName"], each["isDefault"]) for each in lines] == [("default", False), ("open", True)]


def test_help_imports_no_server():
    code = (
        "import sys; from nffa_cli import cli; cli.run(['node', 'serve', '--help']); "
        "print([name for name in ('fastapi', 'sqlalchemy', 'uvicorn', 'pydantic') if name in sys.modules])"
    )
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, env=environment)
    assert found.stdout.splitlines()[-1] == "[]"
