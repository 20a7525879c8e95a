"""What all requests have in common: done once, never too many or too large, and every no in one form."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from nffa_cli.node import requests as keyed
from nffa_cli.node import tables
from nffa_cli.node.config import Config
from tests.contract.node.conftest import serving

PROPOSAL = {"proposalId": "161", "proposalTitle": "Wires"}


def test_a_keyed_request_is_done_once(node):
    admin, key = node.as_("admin"), {"Idempotency-Key": "k1"}
    first = admin.post("/proposals", json=PROPOSAL, headers=key)
    again = admin.post("/proposals", json=PROPOSAL, headers=key)
    assert (again.status_code, again.content, again.headers["ETag"]) == (201, first.content, '"1"')
    assert again.headers["Idempotency-Replayed"] == "true"
    other = admin.post("/proposals", json={**PROPOSAL, "abstract": "x"}, headers=key)
    assert other.status_code == 422
    assert node.as_("dataManager").post("/proposals", json=PROPOSAL, headers=key).status_code == 409  # another's key
    failed = admin.post("/proposals", json={"proposalId": "162"}, headers={"Idempotency-Key": "k2"})
    assert failed.status_code == 422
    mended = admin.post("/proposals", json=PROPOSAL | {"proposalId": "162"}, headers={"Idempotency-Key": "k2"})
    assert mended.status_code == 201
    assert admin.post("/proposals", json=PROPOSAL, headers={"Idempotency-Key": "ä"}).status_code == 400


def test_a_key_that_a_crash_left_running_is_done_again(node):
    admin = node.as_("admin")
    digest = keyed.hashlib.sha256(
        b"\n".join((b"POST", b"/api/v1/proposals", json.dumps(PROPOSAL).encode()))
    ).hexdigest()
    owner = admin.get("/me").json()["person"]["id"]
    row = {"owner": owner, "key": "k", "request_sha256": digest, "created_at": "2026-01-01T00:00:00.000000Z"}
    with node.database.write() as connection:
        connection.execute(tables.idempotency.insert().values(row))
    sent = {"data": json.dumps(PROPOSAL), "headers": {"Idempotency-Key": "k", "Content-Type": "application/json"}}
    assert admin.post("/proposals", **sent).status_code == 201
    assert admin.post("/proposals", **sent).headers["Idempotency-Replayed"] == "true"
    with node.database.write() as connection:
        connection.execute(tables.idempotency.update().values(created_at="2026-01-01T00:00:00.000000Z"))
        keyed.forget_keys(connection, 7)
        assert connection.execute(sa.select(tables.idempotency)).all() == []


def test_many_with_one_key_make_one(node):
    token = node.token("admin")
    barrier = threading.Barrier(8)

    def send(_):
        from tests.contract.node.conftest import Client

        barrier.wait(30)
        return Client(node.url, token).post("/proposals", json=PROPOSAL, headers={"Idempotency-Key": "k"}).status_code

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(send, range(8)))
    assert set(found) <= {201, 409}
    assert 201 in found
    assert len(node.as_("admin").get("/proposals").json()["items"]) == 1


@pytest.mark.parametrize(
    ("method", "path", "options", "status"),
    [
        ("GET", "/nothing", {}, 404),
        ("GET", "/proposals/a%00b", {}, 404),
        ("GET", "/proposals?state=%00", {}, 400),
        ("TRACE", "/proposals", {}, 405),
        ("POST", "/proposals", {"data": "{"}, 400),
        ("POST", "/proposals", {"data": '{"proposalId": NaN}'}, 400),
        ("POST", "/proposals", {"data": '{"proposalId": "a\\u0000", "proposalTitle": "x"}'}, 400),
        ("POST", "/proposals", {"data": '{"proposalId": "\\ud800", "proposalTitle": "x"}'}, 400),
        ("POST", "/proposals", {"data": "[" * 100_000}, 400),
        ("POST", "/proposals", {"data": b"\xff"}, 400),
        ("POST", "/proposals", {"data": "[]"}, 422),
        ("POST", "/proposals", {"data": "x", "headers": {"Content-Type": "text/plain"}}, 422),
        ("PUT", "/proposals/x", {"json": PROPOSAL}, 428),
        ("PATCH", "/proposals/x", {"json": {}, "headers": {"If-Match": '"1"'}}, 404),
    ],
)
def test_every_no_is_a_problem(one, method, path, options, status):
    headers = {"Content-Type": "application/json", "X-Request-Id": "mine-1"} | options.pop("headers", {})
    answer = one.as_("admin").request(method, path, headers=headers, **options)
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["X-Request-Id"] == answer.json()["requestId"] == "mine-1"
    assert set(answer.json()) <= {"type", "title", "status", "detail", "errors", "requestId"}
    assert answer.json()["status"] == status


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    """One node for many requests."""
    with serving(Config(tmp_path_factory.mktemp("node"))) as running:
        yield running


def test_a_fault_of_ours_tells_nothing(tmp_path, monkeypatch, caplog):
    with serving(Config(tmp_path)) as node:
        monkeypatch.setattr(node.database, "read", lambda: 1 / 0)
        answer = node.client.get("/proposals")
    assert answer.status_code == 500
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "division" not in answer.text
    assert answer.json()["requestId"] in caplog.text


def test_too_many_and_too_much(tmp_path):
    with serving(Config(tmp_path, requests_per_minute=5, body_bytes=1000)) as node:
        admin = node.as_("admin")
        large = admin.post("/proposals", data="x" * 2000)
        assert (large.status_code, large.headers["RateLimit-Limit"]) == (413, "5")
        chunked = admin.post("/proposals", data=iter([b"x" * 2000]), headers={"Content-Type": "application/json"})
        assert chunked.status_code == 413
        answers = [admin.get("") for _ in range(10)]
        assert 429 in {each.status_code for each in answers}
        last = (
            answers[-1] if answers[-1].status_code == 429 else next(each for each in answers if each.status_code == 429)
        )
        assert 1 <= int(last.headers["Retry-After"]) <= 60
        assert last.headers["RateLimit-Remaining"] == "0"
        assert node.as_("reader").get("").status_code == 200  # another token
        assert admin.get(node.url + "/healthz").status_code == 200
