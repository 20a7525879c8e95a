"""Tokens: shown once, kept as a hash, never good for more than their owner."""

from __future__ import annotations

import sqlalchemy as sa

from nffa_cli.node import moments, tables
from tests.contract.node.conftest import Client


def test_a_token_is_shown_once_and_kept_as_a_hash(node):
    reader = node.as_("reader")
    made = reader.post("/tokens", json={"label": "laptop", "roles": ["reader"], "days": 3}).json()
    assert Client(node.url, made["token"]).get("/me").json()["tokenExpiresAt"] == made["expiresAt"]
    listed = reader.get("/tokens").json()["items"]
    assert [each["label"] for each in listed] == ["reader", "laptop"]
    assert all("token" not in each and "secret" not in str(each) for each in listed)
    secret = made["token"].split("_", 2)[-1]
    with node.database.read() as connection:
        for table in tables.METADATA.sorted_tables:
            assert secret not in str(connection.execute(sa.select(table)).all())
    changed = reader.post(f"/tokens/{made['id']}/rotate").json()["token"]
    assert Client(node.url, made["token"]).get("/me").status_code == 401
    assert Client(node.url, changed).get("/me").status_code == 200
    assert reader.delete(f"/tokens/{made['id']}").status_code == 204
    assert Client(node.url, changed).get("").status_code == 200  # the service document asks nobody
    assert Client(node.url, changed).get("/proposals").status_code == 401
    assert reader.post(f"/tokens/{made['id']}/rotate").status_code == 409


def test_a_token_makes_none_that_may_more_or_lasts_longer(node):
    reader, admin = node.as_("reader"), node.as_("admin")
    assert reader.post("/tokens", json={"label": "x", "roles": ["admin"]}).status_code == 422
    person = node.person("Ada", "reader", "depositor")
    assert reader.post("/tokens", json={"label": "x", "roles": ["reader"], "personId": person}).status_code == 403
    made = admin.post("/tokens", json={"label": "x", "roles": ["reader"], "personId": person, "days": 1}).json()
    assert admin.post("/tokens", json={"label": "x", "roles": ["admin"], "personId": person}).status_code == 422
    ada = Client(node.url, made["token"])
    longer = ada.post("/tokens", json={"label": "y", "roles": ["reader"], "days": 30}).json()
    assert longer["expiresAt"] == made["expiresAt"]
    assert ada.post("/tokens", json={"label": "y", "roles": ["depositor"]}).status_code == 422
    assert reader.delete(f"/tokens/{made['id']}").status_code == 404
    assert admin.delete(f"/tokens/{made['id']}").status_code == 204


def test_what_is_no_good_token_is_refused_alike(node):
    good = node.token("reader")
    with node.database.write() as connection:
        connection.execute(tables.token.update().values(expires_at=moments.later(-1)))
    unknown = good[:-4] + "AAAA"
    bodies = []
    for header in (
        f"Bearer {good}",
        f"Bearer {unknown}",
        "Bearer",
        "Bearer x",
        "Basic eDp5",
        "Bearer nffa_" + "0" * 32 + "_" + "a" * 43,
    ):
        answer = node.client.get("/proposals", headers={"Authorization": header})
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        bodies.append({**answer.json(), "requestId": 0})
    assert all(body == bodies[0] for body in bodies)


def test_when_a_token_was_used_is_written_later(node):
    reader = node.as_("reader")
    reader.get("/me")
    node.app.state.uses.write(node.database)
    assert reader.get("/tokens").json()["items"][0]["usedAt"] is not None
