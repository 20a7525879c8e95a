"""The device flow: against the real oidc-provider from npm, and every word of RFC 8628 from a server of our own."""

from __future__ import annotations

import pytest
import requests

from nffa_cli import secrets
from nffa_cli.destinations import oidc
from nffa_cli.destinations.access import authorised
from nffa_cli.errors import Refused
from tests.wire import npm
from tests.wire.answering import Said, answering, said_json


@pytest.fixture
def provider(tmp_path):
    """The address of a real provider."""
    with npm.running("oidc_provider.mjs", tmp_path / "node") as ready:
        yield ready["url"]


def decide(url, say):
    def show(code):
        show.code = code

    def sleep(seconds):
        sleep.times.append(seconds)
        if len(sleep.times) == 2:
            answer = requests.get(f"{url}/decide", params={"code": show.code.code, "say": say})
            assert answer.text == "done"

    sleep.times = []
    return show, sleep


def test_a_person_logs_in_refreshes_and_logs_out_at_a_real_provider(provider):
    show, sleep = decide(provider, "yes")
    tokens = oidc.login(provider, "nffa", show, sleep=sleep)
    assert show.code.address.startswith(provider)
    assert sleep.times == [5.0, 5.0]  # this provider says no interval
    kept = secrets.Secret(None, tokens.refresh, provider, "nffa")
    address = "https://node.example"
    assert secrets.keep(address, kept) == "file"
    header = authorised(address)(False)
    assert header.startswith("Bearer ")
    rotated = secrets.find(address)[0]
    assert rotated.refresh not in (None, tokens.refresh)
    assert authorised(address)(False) != header
    assert oidc.revoked(secrets.find(address)[0])
    with pytest.raises(Refused, match="the login has ended"):
        authorised(address)(False)


def test_a_person_may_say_no(provider):
    show, sleep = decide(provider, "no")
    with pytest.raises(Refused, match="denied"):
        oidc.login(provider, "nffa", show, sleep=sleep)


def test_a_client_that_is_not_known_is_refused(provider):
    with pytest.raises(Refused, match="invalid_client"):
        oidc.login(provider, "somebody", lambda code: None)


class Scripted:
    """A provider that answers its token endpoint from a script."""

    def __init__(self, answers, **discovery):
        self.answers, self.discovery, self.url = list(answers), discovery, None

    def __call__(self, asked):
        if asked.path.endswith("openid-configuration"):
            ends = {"token_endpoint": f"{self.url}/t", "device_authorization_endpoint": f"{self.url}/d"}
            return said_json({"issuer": self.url, **ends, **self.discovery})
        if asked.path == "/d":
            return said_json({
                "device_code": "dc", "user_code": "AB-CD", "verification_uri": "https://login.example/device", "expires_in": 300,
            })  # fmt: skip
        return self.answers.pop(0)


def no(error):
    return said_json({"error": error}, 400)


YES = said_json({"access_token": "at", "refresh_token": "rt", "token_type": "Bearer"})


def log_in(script, **more):
    waits, now = [], [0.0]

    def sleep(seconds):
        waits.append(seconds)
        now[0] += seconds

    with answering(script) as server:
        script.url = server.url
        return oidc.login(server.url, "nffa", lambda code: None, sleep=sleep, clock=lambda: now[0], **more), waits


def test_pending_waits_and_slow_down_waits_longer():
    tokens, waits = log_in(
        Scripted([no("authorization_pending"), no("slow_down"), no("slow_down"), no("authorization_pending"), YES])
    )
    assert (tokens.access, tokens.refresh) == ("at", "rt")
    assert waits == [5, 5, 10, 15, 15]
    assert "rt" not in repr(tokens)


@pytest.mark.parametrize("answers", [[no("expired_token")], [no("authorization_pending")] * 60])
def test_a_code_that_nobody_confirms_ends(answers):
    with pytest.raises(Refused, match="in time"):
        log_in(Scripted(answers))


def test_a_provider_that_fails_is_asked_more_slowly():
    tokens, waits = log_in(Scripted([Said(500), Said(503), YES]))
    assert tokens.access == "at"
    assert waits == [5, 10, 20]


@pytest.mark.parametrize("discovery", [
    {"issuer": "https://other.example"}, {"token_endpoint": "https://other.example/t"}, {"token_endpoint": None},
    {"device_authorization_endpoint": None}, {"device_authorization_endpoint": "http://169.254.169.254/latest"},
])  # fmt: skip
def test_a_discovery_that_leads_elsewhere_is_refused(discovery):
    with pytest.raises(Refused):
        log_in(Scripted([YES], **discovery))


@pytest.mark.parametrize(
    "answer", [said_json([]), said_json({"access_token": "x"}), said_json({"token_type": "mac", "access_token": "x"})]
)
def test_what_is_no_token_is_refused(answer):
    with pytest.raises(Refused):
        log_in(Scripted([answer]))


def test_a_refresh_that_another_run_did_first_is_taken_up():
    address = "https://node.example"

    def answer(asked):
        if asked.path.endswith("openid-configuration"):
            return said_json({"issuer": server.url, "token_endpoint": f"{server.url}/t"})
        if b"refresh_token=old" in asked.body:
            secrets.keep(address, secrets.Secret(None, "newer", server.url, "nffa"))
            return no("invalid_grant")
        return said_json({"access_token": "at2", "token_type": "bearer"})

    with answering(answer) as server:
        secrets.keep(address, secrets.Secret(None, "old", server.url, "nffa"))
        assert authorised(address)(False) == "Bearer at2"
