"""Proposals of a portal: read whatever its shape, kept with their age, and never in the way when it is silent."""

from __future__ import annotations

import io
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from nffa_cli import cli, orcid, portal, proposals, secrets, settings
from nffa_cli.errors import ConfigError, NffaError, Refused, Unreachable

CSV = (
    "id;title;state;pi_name;pi_orcid;pi_email;members;facilities;accepted\n"
    "161;Invented films;accepted;Carberry, Josiah;0000-0002-1825-0097;jc@brown.example;"
    '"Roe, R.|0000-0002-1825-0098|Somewhere|dataAnalyst; Doe, J.";TS1|2026-01-02|2026-03-04;2025-12-01\n'
)
JSON = {
    "proposals": [
        {
            "portalId": "161", "title": "Invented films", "state": "In access", "call": "C7",
            "principalInvestigator": {"name": "Carberry, Josiah", "orcid": "https://orcid.org/0000-0002-1825-0097",
                                      "affiliation": "Brown", "email": "JC@brown.example ", "birthday": "1929-01-01"},
            "members": [{"name": "Roe, R.", "role": "dataAnalyst"}, {"orcid": "0000-0002-1825-0097"}, 7],
            "facilities": [{"facilityId": "TS1", "techniques": ["SEM"], "accessStart": "2026-01-02"}],
            "acceptedAt": "2025-12-01",
        },
        {"portalId": 7, "title": "Not yet", "state": "UNDER_REVIEW"},
        {"title": "Without a number"},
    ]
}  # fmt: skip
YAML = 'proposals:\n  - {portalId: "161", title: Invented films, state: accepted}\n'


@pytest.fixture
def drop(tmp_path, home, monkeypatch):
    """A function: text and ending → settings whose portal is that file."""

    def make(text, ending):
        path = tmp_path / f"drop.{ending}"
        path.write_text(text, encoding="utf-8")
        monkeypatch.setenv("NFFA_PORTAL_ADAPTER", "file")
        monkeypatch.setenv("NFFA_PORTAL_FILE", str(path))
        return settings.load()

    return make


@pytest.mark.parametrize(
    ("text", "ending"),
    [
        (CSV, "csv"),
        ("ID,Title,State\n161,Invented films,Accepted\n", "csv"),
        (json.dumps(JSON), "json"),
        (YAML, "yaml"),
    ],
)
def test_each_kind_of_file_is_read(drop, text, ending):
    done = portal.refresh(drop(text, ending))
    assert done.new >= 1
    found = portal.known("161")
    assert found.title == "Invented films"
    assert found.takes_data


def test_a_table_says_persons_and_facilities_too(drop):
    portal.refresh(drop(CSV, "csv"))
    found = portal.known("161")
    assert found.investigator.orcid == "0000-0002-1825-0097"
    assert [(each.name, each.orcid, each.role) for each in found.members] == [
        ("Roe, R.", None, "dataAnalyst"), ("Doe, J.", None, None),
    ]  # fmt: skip
    assert found.facilities == (proposals.Access("TS1", (), "2026-01-02", "2026-03-04"),)


def test_little_is_kept_of_persons(drop, home):
    done = portal.refresh(drop(json.dumps(JSON), "json"))
    assert (done.proposals, done.left_out) == (2, 1)
    kept = (home / "portal" / "proposals.json").read_text(encoding="utf-8")
    assert "brown.example" not in kept.lower()
    assert "1929" not in kept
    person = portal.known("161").investigator
    assert person.email == proposals.hashed("jc@brown.example", bytes.fromhex(settings.secret("pseudonym")))
    assert [each.name for each in portal.known("161").members] == ["Roe, R."]
    assert portal.known("7").state == "underReview"
    assert [each.id for each in portal.offered()] == ["161"]
    assert portal.known("8") is None


@pytest.mark.parametrize(
    ("word", "wanted"),
    [("accepted", "accepted"), ("In Access", "inAccess"), ("UNDER_REVIEW", "underReview"), ("OK", "scheduled"),
     ("granted", None), (None, None)],
)  # fmt: skip
def test_states_are_told_by_the_portals_words(word, wanted):
    assert proposals.state(word, {"ok": "scheduled"}) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("0000-0002-1825-0097", "0000-0002-1825-0097"), ("https://orcid.org/0000-0002-1694-233X", "0000-0002-1694-233X"),
     ("000000021694233x", "0000-0002-1694-233X"), ("0000-0002-1825-0098", None), ("", None), (None, None),
     ("٠٠٠٠-0002-1825-0097", None), ("0000-0002-1825-00977", None)],
)  # fmt: skip
def test_orcids_prove_themselves(text, wanted):
    assert orcid.normal(text) == wanted


@pytest.mark.parametrize(
    ("pointer", "wanted"),
    [("", {"a/b": [1, {"~": 2}]}), ("/a~1b/1/~0", 2), ("/a~1b/0", 1), ("/a~1b/01", None), ("/a~1b/9", None), ("/x", None)],
)  # fmt: skip
def test_pointers_lead_where_the_standard_says(pointer, wanted):
    found = proposals.pointed({"a/b": [1, {"~": 2}]}, pointer)
    assert found == wanted if wanted is not None else found is proposals.ABSENT


@pytest.mark.parametrize(
    ("text", "ending"),
    [("", "csv"), ("a,b\n1,2\n", "csv"), ("{", "json"), ("[" * 100_000, "json"), ("7", "json"), ("a: &x [*x]", "yaml"),
     ('id\n"1\n', "csv"), ("\xff", "json"), ('[{"number": 1}]', "json"), ("x", "txt"), ("id\n" + "x" * 200_000, "csv")],
)  # fmt: skip
def test_files_that_are_none_are_told(drop, text, ending):
    with pytest.raises(NffaError) as caught:
        portal.refresh(drop(text, ending))
    assert caught.value.exit_status in (1, 2)
    assert portal.kept(settings.load()).at is None


def test_a_silent_portal_stops_nothing_and_says_how_old_its_words_are(drop, tmp_path, monkeypatch):
    values = drop(YAML, "yaml")
    portal.refresh(values)
    assert portal.refresh_if_due(values) is None
    (tmp_path / "drop.yaml").unlink()
    later = time.time() + 3 * 86_400
    monkeypatch.setattr(time, "time", lambda: later)
    done = portal.refresh_if_due(values)
    assert "cannot be read" in done.problem
    assert done.proposals == 1
    assert portal.age_told(done.age) == "3 days old"
    assert portal.known("161").title == "Invented films"
    assert portal.refresh_if_due(values) is None  # it was asked just now
    with pytest.raises(Unreachable):
        portal.refresh(values)


def test_what_the_portal_does_not_name_any_more_is_dropped(drop):
    portal.refresh(drop(json.dumps(JSON), "json"))
    done = portal.refresh(drop(json.dumps({"proposals": JSON["proposals"][1:2]}), "json"))
    assert (done.gone, done.new, done.changed) == (1, 0, 0)
    assert portal.known("161") is None


def test_without_a_portal_nothing_is_asked_and_nothing_known(home):
    assert portal.refresh_if_due(settings.load()) is None
    assert portal.known("161") is None
    assert portal.offered() == []
    with pytest.raises(ConfigError, match="no portal"):
        portal.refresh(settings.load())
    assert not home.exists()


def test_a_damaged_store_is_as_none(drop, home):
    values = drop(YAML, "yaml")
    portal.refresh(values)
    (home / "portal" / "proposals.json").write_text('{"source": 7, "proposals": [{}]}')
    assert portal.known("161") is None
    assert portal.refresh_if_due(values).new == 1


class Answers(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append((self.path, self.headers.get("Authorization")))
        status, headers, body = self.server.answers.get(self.path, (404, {}, {"title": "none"}))
        self.send_response(status)
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        kind = {} if "Content-Type" in headers else {"Content-Type": "application/json"}
        for name, value in {**kind, **headers, "Content-Length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def service(home, monkeypatch):
    """A portal of another shape on this computer; settings are in the environment."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.answers, server.asked = {}, []
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    home.mkdir()
    (home / "nffa.toml").write_text(
        f'[portal]\nadapter = "rest"\nurl = "http://127.0.0.1:{server.server_port}/api"\nlist = "all?size=1"\n'
        'items = "/data"\nnext = "/links/next"\none = "all/{id}"\nstates = "GRANTED=accepted"\n'
        '[portal.fields]\nid = "/number"\ntitle = "/attributes/name"\nstate = "/attributes/status"\n'
        'investigator = "/leader"\nperson_name = "/fullName"\n'
    )
    monkeypatch.setenv("NFFA_PORTAL_TOKEN", "canary-of-a-token")
    monkeypatch.setattr(portal, "BUDGET", 0.5)
    yield server
    server.shutdown()
    server.server_close()


def entry(number):
    return {
        "number": number,
        "attributes": {"name": "Films", "status": "granted"},
        "leader": {"fullName": "Carberry, J."},
    }


def test_a_portal_of_another_shape_is_asked_page_by_page_with_its_token(service, home):
    service.answers = {
        "/api/all?size=1": (200, {}, {"data": [entry(1)], "links": {"next": "/api/all?size=1&page=2"}}),
        "/api/all?size=1&page=2": (200, {}, {"data": [entry(2)], "links": {"next": None}}),
        "/api/all/A%2F3": (200, {}, entry("A/3")),
    }
    assert portal.refresh(settings.load()).proposals == 2
    assert portal.known("2").state == "accepted"
    assert portal.known("2").investigator.name == "Carberry, J."
    assert {header for _, header in service.asked} == {"Bearer canary-of-a-token"}
    assert portal.one("A/3", settings.load()).id == "A/3"
    assert portal.one("4", settings.load()) is None
    assert "canary" not in (home / "portal" / "proposals.json").read_text()


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ((500, {}, {}), Unreachable), ((401, {}, {}), Refused), ((200, {"Content-Type": "text/html"}, b"<p>"), Unreachable),
        ((200, {}, {"items": []}), ConfigError), ((200, {}, {"data": [{"id": 1}]}), ConfigError),
        ((302, {"Location": "http://evil.example/"}, {}), Refused),
        ((200, {}, {"data": [], "links": {"next": "https://evil.example/"}}), Refused),
    ],
)  # fmt: skip
def test_a_portal_that_answers_wrongly_is_told_and_what_was_kept_stays(service, answer, kind, capsys):
    page = "/api/all?size=1"
    service.answers[page] = (200, {}, {"data": [entry(1)]})
    portal.refresh(settings.load())
    service.answers[page] = answer
    with pytest.raises(kind):
        portal.refresh(settings.load())
    assert portal.known("1") is not None
    assert portal.kept(settings.load()).problem
    assert cli.run(["proposal", "refresh"]) == kind("x").exit_status
    said = capsys.readouterr()
    assert "canary" not in said.out + said.err


def test_the_tokens_of_nodes_do_not_go_to_the_portal(service, monkeypatch):
    monkeypatch.delenv("NFFA_PORTAL_TOKEN")
    monkeypatch.setenv("NFFA_TOKEN", "of-the-node")
    service.answers["/api/all?size=1"] = (200, {}, {"data": []})
    portal.refresh(settings.load())
    assert service.asked == [("/api/all?size=1", None)]


def test_commands_tell_lists_and_single_proposals(drop, capsys):
    drop(json.dumps(JSON), "json")

    def lines(*arguments):
        assert cli.run(["proposal", *arguments, "--json"]) == 0
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    assert lines("refresh")[0]["new"] == 2
    assert [line["portalId"] for line in lines("list")[:-1]] == ["161"]
    assert len(lines("list", "--all")) == 3
    assert lines("show", "161")[0]["principalInvestigator"]["affiliation"] == "Brown"
    assert cli.run(["proposal", "show", "8"]) == 2
    assert cli.run(["proposal", "show", "161"]) == 0
    assert cli.run(["proposal", "list"]) == 0
    assert "1 of 2 proposals, new" in capsys.readouterr().out


def test_login_tries_the_portals_token_at_the_portal_and_keeps_it(service, monkeypatch, capsys):
    monkeypatch.delenv("NFFA_PORTAL_TOKEN")
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    page = "/api/all?size=1"
    for answer, status in (((401, {}, {}), 5), ((200, {}, {"data": [entry(1)]}), 0)):
        service.answers[page] = answer
        monkeypatch.setattr("sys.stdin", io.StringIO("canary-of-another\n"))
        assert cli.run(["login", f"http://127.0.0.1:{service.server_port}/api", "--token-stdin"]) == status
        assert secrets.find(f"http://127.0.0.1:{service.server_port}") is None or status == 0
    portal.refresh(settings.load())
    assert service.asked[-1] == (page, "Bearer canary-of-another")
    assert "canary" not in "".join(capsys.readouterr())
