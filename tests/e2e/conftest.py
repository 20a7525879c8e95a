"""Fixtures of the trials with real processes."""

from __future__ import annotations

import signal
from urllib.parse import urlsplit

import pytest

from tests import browser
from tests.e2e.room import Room

signal.signal(
    signal.SIGINT, signal.default_int_handler
)  # a shell's background jobs start deaf to it, and so would ours


@pytest.fixture
def room(tmp_path):
    """An empty inbox, a home that does not exist yet, and the command to run on them."""
    (tmp_path / "room").mkdir()
    return Room(tmp_path / "room")


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    """A running Chromium; skips where it is absent."""
    with browser.running(tmp_path_factory.mktemp("chromium")) as running:
        yield running or pytest.skip(browser.ABSENT)


@pytest.fixture
def page(chromium):
    """An empty page of a browser that knows nobody; at the end nothing may be held against what it showed."""
    with chromium.page() as page:
        yield page
        assert page.complaints() == []
        hosts = {urlsplit(each).hostname for each in page.requests() if not each.startswith(("data:", "about:"))}
        assert hosts <= {"127.0.0.1"}
