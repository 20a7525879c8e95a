"""Tokens of an issuer of OpenID Connect at the node: which are good, whose they are, and what a failing issuer does to others."""

from __future__ import annotations

import json
import logging
import threading
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack

import pytest
import sqlalchemy as sa

from nffa_cli import cli
from nffa_cli.errors import ConfigError
from nffa_cli.node import accounts, admin, bearers, config, issuer, tables
from nffa_cli.node.app import create_app
from nffa_cli.node.config import Config, Oidc
from tests.contract.node.conftest import Client, serving
from tests.contract.node.test_pages_served import Person
from tests.issuers import base64url, by_hand, issuing, key, pem, published
from tests.wire.answering import Said, answering, said_json
from tests.wire.test_tls import certificate, context

ORCID = "0000-0002-1825-0097"


@pytest.fixture
def idp():
    """An issuer."""
    with issuing() as made:
        yield made


@pytest.fixture
def start(tmp_path, idp):
    """A function that starts a node that trusts the issuer."""
    with ExitStack() as held:
        yield lambda address=None, **more: held.enter_context(
            serving(Config(tmp_path / "node", address, oidc=Oidc(idp.url, "node", **more)))
        )


@pytest.fixture
def at_once(monkeypatch):
    """The issuer is asked again without a pause."""
    monkeypatch.setattr(issuer, "PAUSE", 0.0)


def asks(node, token, path="/me"):
    return Client(node.url, token).get(path)


def test_a_good_token_is_a_reader_with_an_account_of_its_own(start, address, idp):
    node = start(address)
    said = node.client.get("").json()
    assert said["authModes"] == ["pat", "oidc", "none"]
    assert said["oidc"] == {"issuer": idp.url, "clientId": "node", "scopes": ["openid", "offline_access", "profile"]}
    first = asks(node, idp.token(given_name="Ada", family_name="Lovelace\x00", email="ada@example.org")).json()
    assert first["person"]["familyName"] == "Lovelace"
    assert first["roles"] == ["reader"]
    assert first["tokenExpiresAt"]
    assert asks(node, idp.token(name="Somebody")).json()["person"] == first["person"]
    other = asks(node, idp.token(sub="ada-2", name="Ada")).json()["person"]
    assert other["id"] != first["person"]["id"]
    assert [path for path in idp.heard if path != "/me"] == ["/.well-known/openid-configuration", "/jwks"]
    events = node.as_("admin").get("/audit").json()["items"]
    made = [each for each in events if each["actor"] == first["person"]["id"]]
    assert [(each["action"], each["diff"]["issuer"]) for each in made] == [("create", idp.url)]


def test_only_what_is_signed_for_us_and_now_counts(start, idp, at_once):
    node, good = start(), idp.claims()
    idp.keys += [published("two", "ES256"), published("three", "EdDSA"), published("weak", "weak"),
                 published("sealing", use="enc"), published("other", alg="RS512"), {"kty": "oct", "kid": "s", "k": "AAAA"},
                 None, {"kty": "RSA", "kid": "broken", "n": "?", "e": 3}, published("four", kid=None)]  # fmt: skip
    taken = {
        "RS256": idp.token(), "ES256": idp.token("two", "ES256"), "EdDSA": idp.token("three", "EdDSA"),
        "an access token": idp.token(head={"typ": "at+jwt"}, aud="https://api.example", client_id="node"),
        "given to us, meant for others too": idp.token(aud=["account", "x"], azp="node"),
        "one of several": idp.token(aud=["x", "node"]),
        "no key named, one there is": idp.token("two", "ES256", head={"kid": None}),
        "clocks differ": idp.token(nbf=good["exp"] - 290),
    }  # fmt: skip
    left = {
        "another issuer": idp.token(iss="https://login.example.org"), "no issuer": idp.token(iss=None),
        "another audience": idp.token(aud="portal"), "no audience": idp.token(aud=None),
        "given to another": idp.token(azp="portal"), "given to another client": idp.token(client_id="portal"),
        "bound to a key": idp.token(cnf={"jkt": "x"}),
        "expired": idp.token(exp=good["exp"] - 400), "no end": idp.token(exp=None), "endless": idp.token(exp="never"),
        "not yet": idp.token(nbf=good["exp"]), "no subject": idp.token(sub=None), "subject": idp.token(sub="a\nb"),
        "long subject": idp.token(sub="a" * 256), "empty subject": idp.token(sub=""),
        "unsigned": by_hand({"alg": "none", "typ": "JWT"}, good),
        "unsigned, key named": by_hand({"alg": "none", "kid": "one"}, good),
        "public key as secret": by_hand({"alg": "HS256", "typ": "JWT", "kid": "one"}, good, pem("one")),
        "set's secret": by_hand({"alg": "HS256", "kid": "s"}, good, b"\x00\x00\x00"),
        "another's key": idp.token("stranger", head={"kid": "one"}), "unknown key": idp.token("stranger"),
        "a key for something else": idp.token("sealing"), "a key for another algorithm": idp.token("other"),
        "algorithm": idp.token("big", "RS512", head={"kid": "one"}), "which of two": idp.token(head={"kid": None}),
        "logging out": idp.token(head={"typ": "logout+jwt"}), "critical": idp.token(head={"crit": ["x"], "x": 1}),
        "own key": idp.token("stranger", head={"jwk": published("stranger"), "kid": None}),
        "own set": idp.token("stranger", head={"jku": f"{idp.url}/me", "x5u": f"{idp.url}/me"}),
        "cut": idp.token()[:-8], "no JSON": "bm8.bm8.bm8", "deep": f"{base64url(b'[' * 9000)}.e30.e30",
        "list of algorithms": by_hand({"alg": ["RS256"]}, good), "head is a list": by_hand([], good),
        "no claims": by_hand({"alg": "RS256", "kid": "one"}, []), "opaque": "0123456789abcdef" * 3, "dots": "." * 40,
        "five parts": "e30.e30.e30.e30.e30", "long": "a" * 15_000, "ours": "nffa_" + "0" * 32 + "_" + "a" * 43,
        "other letters": "é" * 20,
    }  # fmt: skip
    status = {name: asks(node, token).status_code for name, token in taken.items()}
    assert set(status.values()) == {200}, status
    bodies = {}
    for name, token in left.items():
        answer = Client(node.url).get("/me", headers={"Authorization": f"Bearer {token}".encode()})
        assert answer.status_code == 401, (name, answer.text)
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        bodies[name] = {**answer.json(), "requestId": 0}
    assert all(body == bodies["cut"] for body in bodies.values())
    with node.database.read() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(tables.person)).scalar() == 1


def test_keys_that_change_are_fetched_at_the_first_token_and_not_for_each_unknown_one(start, idp, monkeypatch):
    node = start()
    assert asks(node, idp.token()).status_code == 200
    idp.keys = [published("new")]
    for _ in range(5):
        assert asks(node, idp.token("stranger")).status_code == 401
    assert idp.heard.count("/jwks") == 1  # it had only just said which keys it has
    monkeypatch.setattr(issuer, "PAUSE", 0.0)
    assert asks(node, idp.token("new")).status_code == 200
    assert asks(node, idp.token("one")).status_code == 401
    assert idp.heard.count("/jwks") == 3


def test_an_opaque_token_is_asked_for_only_where_the_operator_trusts_all_clients(start, idp, caplog):
    idp.people["opaque-token-of-ada"] = {"sub": "ada-1", "name": "Ada", "exp": "soon", "picture": [1]}
    assert asks(start(), "opaque-token-of-ada").status_code == 401
    assert idp.heard == []
    node = start(opaque=True)
    for _ in range(3):
        assert asks(node, "opaque-token-of-ada").json()["person"]["familyName"] == "Ada"
        assert asks(node, "opaque-token-of-nobody").status_code == 401
    assert idp.heard.count("/me") == 2
    assert asks(node, by_hand({"alg": "none"}, idp.claims())).status_code == 401
    assert idp.heard.count("/me") == 2


def test_who_is_out_stays_out_whatever_token(start, address, idp):
    node = start(address)
    person = asks(node, idp.token()).json()["person"]["id"]
    own = node.token("reader", person)
    assert asks(node, own).status_code == 200
    browser = Person(node, own)
    assert "Sign out" in browser.get("/").text
    assert Person(node).sign_in(idp.token()).status_code == 401  # the pages take the node's own
    admin_ = node.as_("admin")
    tag = admin_.get(f"/persons/{person}").headers["ETag"]
    assert admin_.patch(f"/persons/{person}", json={"disabled": True}, headers={"If-Match": tag}).status_code == 200
    assert [asks(node, token).status_code for token in (idp.token(), own)] == [401, 401]
    assert "Sign out" not in browser.get("/").text
    accounts.changed(node.database, person, out=False)
    assert [asks(node, token).status_code for token in (idp.token(), own)] == [200, 200]


MOODS = (Said(500), Said(200, b"<html>"), Said(302, b"", {"Location": "http://127.0.0.1:9/"}), Said(200, b"[" * 5000),
         said_json({"issuer": "https://other.example"}), said_json({}), Said(200, b"x" * 2_000_000))  # fmt: skip


def test_an_issuer_that_fails_stops_nobody_but_its_own(start, idp, at_once):
    node = start(opaque=True)
    own = node.token("reader")
    for mood in MOODS:
        idp.mood = mood
        for token in (idp.token(), idp.token("stranger"), "opaque-token-of-ada"):
            answer = asks(node, token)
            assert answer.status_code == 503, answer.text
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert "Retry-After" in answer.headers
    assert asks(node, by_hand({"alg": "none"}, idp.claims())).status_code == 401
    assert asks(node, own).status_code == 200
    idp.mood = None
    assert asks(node, idp.token()).status_code == 200
    idp.mood = mood
    assert asks(node, idp.token()).status_code == 200  # its keys are known
    assert asks(node, idp.token("stranger")).status_code == 503  # it may have others by now


def test_an_issuer_that_is_gone_and_one_that_points_elsewhere(start, idp, at_once):
    node = start()
    for wrong in ({"jwks_uri": "https://keys.example/jwks"}, {"jwks_uri": "file:///etc/passwd"}, {"jwks_uri": "http://[x"},
                  {"jwks_uri": None}, {"issuer": None}):  # fmt: skip
        idp.discovery = wrong
        assert asks(node, idp.token()).status_code == 503
    idp.discovery, idp.keys = {}, []
    assert asks(node, idp.token()).status_code == 503
    gone = issuer.Issuer(Oidc("http://127.0.0.1:9", "node"))
    with pytest.raises(issuer.Problem) as caught:
        gone.claims(idp.token())
    assert caught.value.status == 503


def test_few_wait_for_an_issuer_that_hangs_and_the_others_are_told_at_once():
    goes_on = threading.Event()
    known = issuer.Issuer(
        Oidc("https://login.example", "node", opaque=True), ask=lambda *_: goes_on.wait(30) and (500, None)
    )

    def asking(token):
        with pytest.raises(issuer.Problem) as caught:
            known.claims(token)
        return caught.value.status

    many = issuer.WAITING + 5
    with ThreadPoolExecutor(many) as pool:
        asked = [pool.submit(asking, f"opaque-token-{number}") for number in range(many)]
        told = next(as_completed(asked, timeout=20))
        while sum(each.done() for each in asked) < many - issuer.WAITING:
            next(as_completed([each for each in asked if not each.done()], timeout=20))
        assert told.result() == 503
        assert sum(not each.done() for each in asked) == issuer.WAITING
        goes_on.set()
        assert {each.result() for each in asked} == {503}


def test_keys_are_asked_for_anew_now_and_then_and_hold_for_a_day_where_nobody_answers(idp):
    now, moods = [0.0], []

    def ask(where, token):
        moods.append(where)
        return (503, None) if idp.mood else issuer.asked(where, token)

    known = issuer.Issuer(Oidc(idp.url, "node"), clock=lambda: now[0], ask=ask)

    def good(token):
        try:
            return known.claims(token) is not None
        except issuer.Problem as problem:
            return problem.status

    old = idp.token()
    assert good(old) is True
    now[0] += issuer.FRESH - 1
    assert good(old) is True
    assert len(moods) == 2
    idp.mood = Said(503)
    for seconds, count in ((2, 3), (issuer.PATIENT - 1, 3), (2, 4)):
        now[0] += seconds
        assert good(old) is True
        assert len(moods) == count
    now[0] = issuer.KEPT + 1
    assert good(old) == 503
    idp.mood, idp.keys = None, [published("new")]
    now[0] += issuer.PATIENT + 1
    assert good(old) is False  # a key that is taken back is none
    assert good(idp.token("new")) is True


def test_a_claim_names_a_person_only_where_the_operator_said_so(start, address, idp):
    node = start(address)
    pi = admin.add_user(node.database, family_name="Curie", roles=(), given_name=None, orcid=ORCID)
    claims = {"orcid": ORCID, "email": "curie@example.org", "email_verified": True, "name": "Curie"}
    assert asks(node, idp.token(**claims)).json()["person"]["id"] != pi
    trusting = start(address, orcid_claim="orcid")
    mine = asks(trusting, idp.token(sub="curie", **claims)).json()
    assert (mine["person"]["id"], mine["roles"]) == (pi, ["reader"])
    again = asks(trusting, idp.token(sub="somebody-else", **claims)).json()["person"]["id"]
    assert again != pi  # whose account is known is nobody else's
    with trusting.database.read() as connection:
        rows = connection.execute(sa.select(tables.person.c.orcid).where(tables.person.c.id == again)).all()
    assert rows == [(None,)]
    other = "https://orcid.org/0000-0001-5109-3700"
    made = asks(trusting, idp.token(sub="new", orcid=other)).json()["person"]["id"]
    assert trusting.as_("admin").get(f"/persons/{made}").json()["orcid"] == "0000-0001-5109-3700"
    for role in ("admin", "dataManager"):
        accounts.changed(trusting.database, pi, roles=(role,))
        with trusting.database.write() as connection:
            connection.execute(tables.external_id.delete())
        assert asks(trusting, idp.token(sub="curie", **claims)).json()["person"]["id"] != pi


def test_an_operator_says_whose_an_account_is(start, address, idp):
    node = start(address)
    made = asks(node, idp.token()).json()["person"]["id"]
    pc = admin.add_user(node.database, family_name="Ada", roles=("admin",), given_name=None, orcid=None)
    accounts.changed(node.database, pc, account=(idp.url, "ada-1"), roles=("depositor", "reader"))
    mine = asks(node, idp.token()).json()
    assert (mine["person"]["id"], mine["roles"]) == (pc, ["depositor", "reader"])
    listed = {each["id"]: each for each in admin.users(node.database)}
    assert listed[pc]["accounts"] == [f"{idp.url} ada-1"]
    assert listed[made]["accounts"] == []
    assert asks(node, idp.token(), f"/persons/{pc}").json()["externalIds"] == [{"scheme": idp.url, "value": "ada-1"}]
    members = [{"personId": each, "role": "teamMember"} for each in (pc, made)]
    proposal = {"proposalId": "P1", "proposalTitle": "Films", "members": members}
    assert node.as_("admin").post("/proposals", json=proposal).status_code == 201
    seen = node.as_("reader", made).get(f"/persons/{pc}").json()
    assert seen["familyName"] == "Ada"
    assert not {"externalIds", "disabled"} & set(seen)  # how one signs in is no colleague's business


def test_of_a_token_that_says_little_only_what_decides_is_waited_for(start, idp):
    node = start(orcid_claim="orcid")
    pi = admin.add_user(node.database, family_name="Curie", roles=(), given_name=None, orcid=ORCID)
    little, other, third = (idp.token(sub=name) for name in ("little", "other", "third"))
    idp.people |= {little: {"sub": "little", "orcid": ORCID}, other: {"sub": "little", "orcid": ORCID}}
    idp.me = Said(500)
    assert asks(node, little).status_code == 503
    idp.me = None
    assert asks(node, little).json()["person"]["id"] == pi
    assert asks(node, other).json()["person"]["familyName"] == "other"  # it was told of somebody else
    idp.me = Said(500)
    assert asks(start(), third).json()["person"]["familyName"] == "third"


def test_what_it_makes_lasts_no_longer_than_itself(start, idp):
    node = start()
    ada = Client(node.url, idp.token())
    made = ada.post("/tokens", json={"label": "x", "roles": ["reader"], "days": 300}).json()
    assert made["expiresAt"] == ada.get("/me").json()["tokenExpiresAt"]
    assert ada.post("/tokens", json={"label": "x", "roles": ["admin"]}).status_code == 422


def test_a_token_is_in_no_log_and_no_table(start, idp, caplog, at_once):
    caplog.set_level(logging.DEBUG)
    node = start(opaque=True)
    canary, signed = "CanaryOfAnIssuerThatNobodyKnows0123", idp.token()
    idp.people[canary] = {"sub": "c-1"}
    bad = [idp.token("stranger"), idp.token(exp=1), signed[:-5], by_hand({"alg": "none"}, idp.claims()), canary[::-1]]
    said = ""
    for mood in (None, Said(500), Said(200, canary.encode())):
        idp.mood = mood
        for token in (canary, signed, *bad):
            said += asks(node, token).text
    with node.database.read() as connection:
        for table in tables.METADATA.sorted_tables:
            said += str(connection.execute(sa.select(table)).all())
    said += caplog.text + "".join(str(each.__dict__) for each in caplog.records)
    for token in (canary, signed, *bad):
        assert token not in said
        assert token.rpartition(".")[2][:40] not in said or not token.rpartition(".")[2]


def test_a_token_goes_to_nobody_but_whom_it_is_asked_of(tmp_path, monkeypatch):
    certificate(tmp_path, "issuer")
    with answering(lambda asked: said_json({})) as other:
        away = Said(307, b"", {"Location": f"{other.url}/me"})
        with answering(lambda asked: away) as server:
            assert issuer.asked(f"{server.url}/me", "canary") == (307, None)
        with answering(lambda asked: said_json({"a": 1}), context=context(tmp_path, "issuer")) as server:
            with pytest.raises(issuer.Silent):
                issuer.asked(f"{server.url}/me", "canary")
            assert not server.asked
            monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "issuer.pem"))
            assert issuer.asked(f"{server.url}/me", "canary") == (200, {"a": 1})
            assert server.asked[0].headers["authorization"] == "Bearer canary"
        assert not other.asked


def test_a_weak_key_is_none():
    assert bearers.keys([published("weak", "weak")]) == ()
    assert key("weak", "weak").key_size == 1024


@pytest.mark.parametrize("typed", [
    ("--oidc-issuer", "http://login.example.org"), ("--oidc-issuer", "login.example.org"), ("--oidc-issuer", "https://"),
    ("--oidc-issuer", "https://ada:secret@login.example.org"), ("--oidc-issuer", "https://login.example.org/?realm=x"),
    ("--oidc-issuer", "https://login.example.org:x"), ("--oidc-issuer", f"https://login.example.org/{'x' * 90}"),
    ("--oidc-issuer", "ftp://127.0.0.1"), ("--oidc-issuer", "https://[x"),
])  # fmt: skip
def test_an_issuer_that_cannot_be_trusted_is_none(home, capsys, typed):
    assert cli.run(["node", "serve", "--port", "0", "--oidc-client-id", "node", *typed]) == 2
    assert "secret" not in "".join(capsys.readouterr())
    assert not (home / "node").exists()


def test_half_an_issuer_is_none(home, capsys):
    for typed in (("--oidc-client-id", "node"), ("--oidc-issuer", "https://login.example.org"), ("--oidc-opaque",)):
        assert cli.run(["node", "serve", "--port", "0", *typed]) == 2
    assert "--oidc-issuer" in capsys.readouterr().err
    whole = config.issuer_of(
        oidc_issuer="https://login.example.org/x/", oidc_client_id="node", oidc_scopes=("orcid", "openid"), oidc_opaque=False,
        oidc_orcid_claim=None,
    )  # fmt: skip
    assert whole.issuer == "https://login.example.org/x"
    assert whole.scopes == ("openid", "offline_access", "profile", "orcid")


def test_without_the_library_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(bearers, "find_spec", lambda name: None)
    with pytest.raises(ConfigError) as caught:
        create_app(Config(tmp_path / "node", None, oidc=Oidc("https://login.example.org", "node")))
    assert "nffa-cli[oidc]" in str(caught.value.hint)


def test_a_person_is_set_from_the_command_line(home, capsys):
    def nffa(*typed, status=0):
        assert cli.run(["node", "user", *typed]) == status
        return capsys.readouterr().out

    made = nffa("add", "Curie", "--orcid", ORCID).strip()
    account = ("--oidc-issuer", "https://login.example.org/", "--subject", "4f2a")
    assert nffa("set", ORCID, "--role", "reader", "--role", "depositor", *account, "--disable").strip() == made
    (found,) = map(json.loads, nffa("list", "--json").splitlines())
    assert found["roles"] == ["depositor", "reader"]
    assert found["accounts"] == ["https://login.example.org 4f2a"]
    assert found["disabled"]
    nffa("set", made, "--enable")
    assert not json.loads(nffa("list", "--json"))["disabled"]
    nffa("set", "nobody", "--disable", status=2)
    nffa("set", made, "--subject", "4f2a", status=2)
    nffa("set", made, "--subject", "a\nb", "--oidc-issuer", "https://login.example.org", status=2)
