"""Addresses that strangers give: which are asked, and that the connection goes where was looked."""

from __future__ import annotations

import contextlib
import socket
import ssl
import time

import pytest

from nffa_cli import guarded
from nffa_cli.errors import NffaError, Unreachable, UsageError
from tests import zenodo

HOSTS = ("zenodo.org",)


def resolver(*addresses):
    return lambda host, port, **more: [(0, 0, 0, "", (address, port)) for address in addresses]


def connected(place, seconds):
    raise AssertionError(f"connected to {place}")


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("http://zenodo.org/api/records/1", ["8.8.8.8"]),
        ("ftp://zenodo.org/a", ["8.8.8.8"]),
        ("file:///etc/passwd", ["8.8.8.8"]),
        ("https://zenodo.org.evil.example/a", ["8.8.8.8"]),
        ("https://evilzenodo.org/a", ["8.8.8.8"]),
        ("https://evil.example/zenodo.org", ["8.8.8.8"]),
        ("https://zenodo.org@evil.example/a", ["8.8.8.8"]),
        ("https://user:word@zenodo.org/a", ["8.8.8.8"]),
        ("https://zenodo.org:8443/a", ["8.8.8.8"]),
        ("https://zenodo.org/a b", ["8.8.8.8"]),
        ("https://zenodo.org/a\r\nX-Y: z", ["8.8.8.8"]),
        ("https://127.0.0.1/a", ["127.0.0.1"]),
        ("https://[::1]/a", ["::1"]),
        ("https://zenodo.org/a", ["127.0.0.1"]),
        ("https://zenodo.org/a", ["10.1.2.3"]),
        ("https://zenodo.org/a", ["192.168.1.1"]),
        ("https://zenodo.org/a", ["172.16.0.1"]),
        ("https://zenodo.org/a", ["169.254.169.254"]),
        ("https://zenodo.org/a", ["100.64.0.1"]),
        ("https://zenodo.org/a", ["0.0.0.0"]),
        ("https://zenodo.org/a", ["224.0.0.1"]),
        ("https://zenodo.org/a", ["::1"]),
        ("https://zenodo.org/a", ["fe80::1%eth0"]),
        ("https://zenodo.org/a", ["fd00::1"]),
        ("https://zenodo.org/a", ["::ffff:127.0.0.1"]),
        ("https://zenodo.org/a", ["64:ff9b::7f00:1"]),
        ("https://zenodo.org/a", ["2002:7f00:1::"]),
        ("https://zenodo.org/a", ["8.8.8.8", "10.0.0.1"]),
        ("https://zenodo.org/a", []),
        ("https://[", ["8.8.8.8"]),
    ],
)
def test_what_is_not_asked(address, found):
    with pytest.raises((UsageError, Unreachable)):
        guarded.document(address, HOSTS, resolve=resolver(*found), connect=connected)


@pytest.mark.parametrize(
    "address", ["https://zenodo.org/a", "https://sandbox.zenodo.org/a", "https://ZENODO.org:443/a?b=c"]
)
def test_what_may_be_asked(address):
    assert guarded.allowed(address, HOSTS).hostname


def test_a_name_that_is_not_known_is_told():
    def unknown(host, port, **more):
        raise socket.gaierror(-2, "unknown")

    with pytest.raises(Unreachable, match="name is not known"):
        guarded.document("https://zenodo.org/a", HOSTS, resolve=unknown, connect=connected)


@pytest.fixture
def service(tmp_path):
    """zenodo.org to who trusts its certificate; ``places``: where was connected to."""
    with zenodo.serving(tmp_path) as server:
        server.places = []
        yield server


def asked(server, address="https://zenodo.org/a", *, trusted=True):
    def connect(place, seconds):
        server.places.append(place)
        return socket.create_connection(server.server_address, seconds)

    context = server.trusting() if trusted else ssl.create_default_context()
    return guarded.document(
        address, (*HOSTS, "other.example"), context=context, resolve=resolver("9.9.9.9"), connect=connect
    )


def test_the_connection_goes_to_the_address_that_was_judged(service):
    service.answers["/a?b=1"] = (200, {}, b"{}")
    assert asked(service, "https://zenodo.org/a?b=1") == b"{}"
    assert service.places == [("9.9.9.9", 443)]
    ((_, headers),) = service.asked
    assert headers["Host"] == "zenodo.org"
    assert "Authorization" not in headers


@pytest.mark.parametrize(
    ("answer", "what"),
    [
        ((302, {"Location": "https://other.example/b"}, b""), "another host"),
        ((302, {"Location": "http://zenodo.org/b"}, b""), "only https"),
        ((302, {"Location": "https://10.0.0.1/b"}, b""), "another host"),
        ((302, {"Location": "/a"}, b""), "redirects more than"),
        ((302, {}, b""), "answers 302"),
        ((500, {}, b"no"), "answers 500"),
        ((200, {}, b"x" * (guarded.LARGEST + 1)), "more than 5 MiB"),
    ],
)  # fmt: skip
def test_what_is_answered_wrongly_is_refused(service, answer, what):
    service.answers["/a"] = answer
    with pytest.raises(NffaError, match=what):
        asked(service)


def test_a_redirect_on_the_same_host_is_followed(service):
    service.answers |= {"/a": (301, {"Location": "/b"}, b""), "/b": (200, {}, b"[]")}
    assert asked(service) == b"[]"


def test_an_answer_that_drips_is_cut_off(service, monkeypatch):
    def drip(handler):
        with contextlib.suppress(OSError):
            handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
            for number in range(400):
                handler.wfile.write(b"X-%d: a\r\n" % number)
                time.sleep(0.05)

    monkeypatch.setattr(zenodo.Answers, "do_GET", drip)
    monkeypatch.setattr(guarded, "WHOLE", 0.5)
    began = time.monotonic()
    with pytest.raises(Unreachable, match="takes more than"):
        asked(service)
    assert time.monotonic() - began < 10


def test_certificates_are_judged_by_name_and_issuer(service):
    service.answers["/a"] = (200, {}, b"{}")
    with pytest.raises(Unreachable, match="certificate"):
        asked(service, trusted=False)
    with pytest.raises(Unreachable, match="certificate"):
        asked(service, "https://other.example/a")
