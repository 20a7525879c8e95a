"""What the node says of itself, who may ask, and how it says no."""

from __future__ import annotations


def test_it_says_what_it_is(node):
    found = node.client.get("").json()
    assert found["version"] == "1"
    assert found["links"]["self"] == node.url + "/api/v1"
    assert node.client.get(node.url + "/healthz").json() == {"status": "ok"}
    assert node.client.get(node.url + "/readyz").json()["checks"] == {"database": "ok", "storage": "ok"}


def test_me_is_the_person_of_the_token(node):
    assert node.as_("depositor").get("/me").json()["roles"] == ["depositor"]
    answer = node.client.get("/me")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert answer.headers["Content-Type"] == "application/problem+json"
