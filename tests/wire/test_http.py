"""The door of requests: what is tried again, what is not, what is refused, and where a token goes."""

from __future__ import annotations

import io
import socket
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nffa_cli.destinations.answers import Rejected, authorisation, clean, origin
from nffa_cli.destinations.http import Connection
from nffa_cli.destinations.patience import Patience, passes, retry_after
from nffa_cli.errors import NffaError, Refused, Unreachable, UsageError
from tests.faults.proxy import Proxy, listed
from tests.wire.answering import Said, answering, said_json

QUICK = Patience(connect=1, stall=0.5, slowest=100_000, budget=6, first=0.01, cap=0.05)


def ok(asked):
    return said_json({"method": asked.method, "size": len(asked.body)})


def connection(url, **more):
    return Connection(url, **{"patience": QUICK, **more})


FAULTS = (
    "refuse", "reset", "drop", "truncate", "wrong-length", "slow", "stall", "500", "503-date", "429", "html", "bad-json",
)  # fmt: skip
ENDPOINTS = (
    ("GET", {}, True),
    ("PUT", {"body": b"x" * 200_000}, True),
    ("POST", {"data": {"a": 1}, "key": "k"}, True),
    ("POST", {"data": {"a": 1}}, False),
    ("PATCH", {"body": b"x" * 1000, "again": False}, False),
)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(("method", "more", "repeats"), ENDPOINTS, ids=["GET", "PUT", "keyed", "POST", "PATCH"])
def test_a_fault_is_got_over_where_that_is_safe_and_said_where_not(fault, method, more, repeats):
    with answering(ok) as server, Proxy(server.url, listed([fault]), crawl=0.02, stall=3) as proxy:
        began = time.monotonic()
        if repeats:
            found = connection(proxy.url).send(method, "x", wants_json=True, **more).value
            assert found == {"method": method, "size": len(more.get("body", b'{"a": 1}' if "data" in more else b""))}
            assert len(proxy.seen.heads) == 2
        else:
            with pytest.raises(Unreachable):
                connection(proxy.url).send(method, "x", wants_json=True, **more)
            assert len(proxy.seen.heads) == 1
        assert time.monotonic() - began < 8


@pytest.mark.parametrize("fault", FAULTS)
def test_what_does_not_pass_ends_as_unreachable_within_the_budget(fault):
    patience = Patience(connect=1, stall=0.3, slowest=1e6, budget=0.4, first=0.01, cap=0.05)
    with answering(ok) as server, Proxy(server.url, lambda request: fault, crawl=0.02, stall=2) as proxy:
        began = time.monotonic()
        with pytest.raises(Unreachable):
            connection(proxy.url, patience=patience).send("GET", "x", wants_json=True)
        assert time.monotonic() - began < 2


def test_a_head_that_breaks_off_anywhere_is_no_answer():
    head = b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\nLocation: /things/12\r\nConnection: close\r\n\r\n"
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer():
            for cut in range(1, len(head)):
                for part in (head[:cut], head):
                    with server.accept()[0] as caller:
                        caller.recv(65536)
                        caller.sendall(part)

        threading.Thread(target=answer, daemon=True).start()
        server_address = f"http://127.0.0.1:{server.getsockname()[1]}"
        for _ in range(1, len(head)):
            found = connection(server_address).send("PUT", "x", body=b"1")
            assert (found.status, found.headers["Location"]) == (201, "/things/12")


def test_a_page_that_greets_a_new_file_is_believed_and_any_other_page_is_not():
    def page(status):
        return lambda asked: Said(status, b"<h1>Created</h1>", {"Content-Type": "text/html; charset=utf-8"})

    with answering(page(201)) as server:
        assert connection(server.url).send("PUT", "x", body=b"1").status == 201
        assert len(server.asked) == 1
    with answering(page(200)) as server, pytest.raises(Unreachable, match="not the service's"):
        connection(server.url).send("PUT", "x", body=b"1")


def test_a_redirect_to_another_server_is_refused_and_never_sees_the_token():
    with answering(ok) as other:
        with answering(lambda asked: Said(307, headers={"Location": other.url + "/away"})) as server:
            for method in ("GET", "POST"):
                with pytest.raises(Refused, match="another server"):
                    connection(server.url, authorise=lambda fresh: "Bearer canary").send(method, "x")
            with pytest.raises(Refused, match="another server"), connection(server.url).opened("x", {}):
                pass
        assert not other.asked


def test_a_redirect_on_the_same_server_is_followed_but_no_post_becomes_a_get():
    def answer(asked):
        return ok(asked) if asked.path == "/new" else Said(302, headers={"Location": "/new"})

    with answering(answer) as server:
        assert connection(server.url).send("GET", "old", wants_json=True).value["method"] == "GET"
        with pytest.raises(Rejected) as error:
            connection(server.url).send("POST", "old", data={})
        assert error.value.status == 302
    around = Said(302, headers={"Location": "/again"})
    with answering(lambda asked: around) as server, pytest.raises(Refused, match="more than"):
        connection(server.url).send("GET", "")


def test_401_asks_once_for_a_newer_token():
    tokens = iter(["Bearer old", "Bearer new"])

    def answer(asked):
        return ok(asked) if asked.headers["authorization"] == "Bearer new" else Said(401)

    with answering(answer) as server:
        fresh = []
        connection(server.url, authorise=lambda new: fresh.append(new) or next(tokens)).send("POST", "x", data={})
        assert fresh == [False, True]
        with pytest.raises(Refused) as error:
            connection(server.url, authorise=lambda new: "Bearer old").send("GET", "x")
        assert "nffa login" in error.value.hint
        assert error.value.exit_status == 5
        assert len(server.asked) == 4


@pytest.mark.parametrize(
    "status", [400, 403, 404, 405, 406, 409, 410, 411, 412, 413, 415, 416, 422, 423, 428, 431, 451, 460, 999]
)
def test_other_refusals_are_said_at_once_in_the_servers_words(status):
    problem = {"title": "No \x1b[31mway", "detail": "x" * 1000, "errors": [{"pointer": "/a", "message": "is\nwrong"}]}
    with answering(lambda asked: said_json(problem, status)) as server:
        with pytest.raises(Rejected, match=f"{status}.*No") as error:
            connection(server.url).send("GET", "x")
        assert len(server.asked) == 1
        assert "\x1b" not in str(error.value)
        assert "/a is wrong" in str(error.value)
        assert len(str(error.value)) < 700


@pytest.mark.parametrize("status", [501, 505, 507])
def test_what_time_does_not_mend_is_not_tried_again(status):
    with answering(lambda asked: Said(status)) as server:
        with pytest.raises(Unreachable if status == 507 else Refused):
            connection(server.url).send("GET", "x")
        assert len(server.asked) == 1


def test_retry_after_is_kept_as_seconds_and_as_a_date():
    when = datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert retry_after({"Retry-After": "7"}, when) == 7
    assert retry_after({"Retry-After": format_datetime(when + timedelta(seconds=9), usegmt=True)}, when) == 9
    assert retry_after({"Retry-After": format_datetime(when - timedelta(days=9), usegmt=True)}, when) == 0
    for text in ("", "soon", "-5", "1e9", "\x00"):
        assert retry_after({"Retry-After": text}, when) is None
    waits = []
    answers = iter(
        [
            Said(429, headers={"Retry-After": "3"}),
            Said(503, headers={"Retry-After": "2"}),
            Said(409, headers={"Retry-After": "1"}),
        ]
    )
    with answering(lambda asked: next(answers, None) or ok(asked)) as server:
        connection(server.url, sleep=waits.append, chance=lambda: 0.0, patience=Patience()).send("GET", "x")
    assert waits == [3, 2, 1]


def test_who_asks_for_more_than_the_budget_is_not_waited_for():
    with answering(lambda asked: Said(503, headers={"Retry-After": "3600"})) as server:
        with pytest.raises(Unreachable, match="come back in 3600 s"):
            connection(server.url).send("GET", "x")
        assert len(server.asked) == 1


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True), st.none() | st.floats(0, 1e6))
def test_a_pause_is_never_longer_than_asked_or_the_cap(tries, chance, asked):
    patience = Patience()
    pause = patience.pause(tries, asked, chance)
    assert (0 if asked is None else asked) <= pause <= (patience.cap if asked is None else asked + patience.first)


def test_which_statuses_pass():
    assert {status for status in range(300, 600) if passes(status, None)} == (
        {408, 425, 429} | (set(range(500, 600)) - {501, 505, 507, 508})
    )


@pytest.mark.parametrize("address", [
    "http://example.org", "http://127.0.0.1.example.org", "ftp://a", "https://", "//a", "a", "", "https://u:p@a/", "https://a\x00b",
    "http://localhost@evil.example", "https://[::1", "https://a:99999", "http://127.0.0.2", "https://a\\@b", "http://169.254.1.1",
])  # fmt: skip
def test_addresses_that_are_not_talked_to(address):
    with pytest.raises(UsageError):
        origin(address)


@pytest.mark.parametrize(("address", "found"), [
    ("https://A.example:443/x", "https://a.example"), ("https://a.example:444", "https://a.example:444"),
    ("http://localhost:80/", "http://localhost"), ("http://[::1]:8/x", "http://[::1]:8"),
])  # fmt: skip
def test_the_origin_of_an_address(address, found):
    assert origin(address) == found


def test_an_address_of_another_server_is_not_asked():
    with answering(ok) as server:
        for path in (
            "https://other.example/x",
            "http://127.0.0.1:1/x",
            server.url + "@evil.example/",
            "file:///etc/passwd",
        ):
            with pytest.raises(Refused, match="another server"):
                connection(server.url, authorise=lambda fresh: "Bearer canary").send("GET", path)
        assert connection(server.url + "/api").at(server.url + "/other/place") == server.url + "/other/place"


def test_netrc_is_not_looked_into(tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with answering(ok) as server:
        connection(server.url).send("GET", "x")
        connection(server.url, authorise=lambda fresh: "Bearer ours").send("GET", "x")
        assert [asked.headers.get("authorization") for asked in server.asked] == [None, "Bearer ours"]


def test_a_body_is_read_anew_for_every_try():
    with answering(ok) as server, Proxy(server.url, listed(["reset", "500"])) as proxy:
        opened = []
        answer = connection(proxy.url).send(
            "PUT", "x", body=lambda: opened.append(1) or io.BytesIO(b"y" * 500_000), size=500_000, wants_json=True
        )
        assert answer.value["size"] == 500_000
        assert len(opened) == 3


def test_an_answer_that_has_no_end_is_refused(monkeypatch):
    monkeypatch.setattr("nffa_cli.destinations.http.LARGEST", 1000)
    with answering(lambda asked: Said(body=b"[" + b"1," * 10_000)) as server, pytest.raises(Unreachable):
        connection(server.url).send("GET", "x")


def test_nothing_listens_and_no_such_host():
    began = time.monotonic()
    for address, words in (("http://127.0.0.1:9", "nothing listens"), ("https://nowhere.invalid", "not known|proxy")):
        with pytest.raises(Unreachable, match=words):
            connection(address, patience=Patience(budget=0.1, first=0.01)).send("GET", "")
    assert time.monotonic() - began < 10


def test_a_server_that_was_never_met_is_soon_given_up_and_one_that_was_is_waited_for(monkeypatch):
    slept = []
    patience = Patience(budget=60, contact=2, first=0.5)
    with answering(ok) as server:
        met = connection(server.url, patience=patience, sleep=slept.append, chance=lambda: 0.9)
        met.send("GET", "x")
        met.close()
    never = connection(server.url, patience=patience, sleep=slept.append, chance=lambda: 0.9)
    began = time.monotonic()
    with pytest.raises(Unreachable, match=r"nothing listens there; tried [2-4] times"):
        never.send("GET", "x")
    assert sum(slept) + time.monotonic() - began < 4
    slept.clear()
    clock = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: clock() + sum(slept))
    with pytest.raises(Unreachable):
        met.send("GET", "x")
    assert 30 < sum(slept) <= 60


@pytest.mark.parametrize("address", ["http://127.0.0.1:9", "https://nowhere.invalid"])
def test_first_contact_takes_seconds(address):
    began = time.monotonic()
    with pytest.raises(Unreachable):
        connection(address, patience=Patience()).send("GET", "")
    assert time.monotonic() - began < 15


def test_a_token_is_a_bearer_and_a_pair_is_basic():
    assert authorisation("nffa_a_b") == "Bearer nffa_a_b"
    assert authorisation("ada:pass:word") == "Basic YWRhOnBhc3M6d29yZA=="


@given(st.text())
def test_what_others_wrote_is_one_harmless_line(text):
    line = clean(text)
    assert len(line) <= 300
    assert not set(line) & set(map(chr, (*range(32), *range(127, 160), 0x202E, 0x2066)))


def test_errors_of_the_source_are_not_taken_for_the_networks():
    class Gone:
        def read(self, size):
            raise NffaError("the file is gone")

    with answering(ok) as server, pytest.raises(NffaError, match="the file is gone"):
        connection(server.url).send("PUT", "x", body=Gone, size=100)
