"""Fixtures of the trials with real processes."""

from __future__ import annotations

import signal

import pytest

from tests.e2e.room import Room

signal.signal(
    signal.SIGINT, signal.default_int_handler
)  # a shell's background jobs start deaf to it, and so would ours


@pytest.fixture
def room(tmp_path):
    """An empty inbox, a home that does not exist yet, and the command to run on them."""
    (tmp_path / "room").mkdir()
    return Room(tmp_path / "room")
