"""Bodies on their way in: whole and in order however they come, whatever breaks; who is slow, and who only waits."""

from __future__ import annotations

import asyncio
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nffa_cli.node import receiving
from nffa_cli.node.problems import Problem


async def body(*pieces, pause=0.0):
    """Yield pieces; an exception among them is raised in its place."""
    for piece in pieces:
        if pause:
            await asyncio.sleep(pause)
        if isinstance(piece, Exception):
            raise piece
        yield piece


def pumped(stream, take):
    asyncio.run(receiving.pump(stream, take))


@pytest.fixture
def small(monkeypatch):
    """Pieces of 8 bytes, and nobody waits long."""
    monkeypatch.setattr(receiving, "PIECE", 8)
    monkeypatch.setattr(receiving, "PATIENCE", 0.2)
    monkeypatch.setattr(receiving, "STEP", 0)


@given(st.lists(st.binary(max_size=20)), st.booleans())
def test_all_that_came_is_taken_once_and_in_order(pieces, broken):
    taken = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(receiving, "PIECE", 8)
        try:
            pumped(body(*pieces, *[ConnectionError()] * broken), lambda data: taken.append(bytes(data)))
        except ConnectionError:
            assert broken
    assert b"".join(taken) == b"".join(pieces)
    assert all(len(each) == 8 for each in taken[:-1])


def test_what_the_disk_says_ends_it_and_nothing_is_taken_after(small):
    taken = []

    def full(data):
        taken.append(bytes(data))
        if len(taken) == 2:
            raise Problem(507, "Insufficient storage", "full")

    with pytest.raises(Problem, match="full"):
        pumped(body(*[b"12345678"] * 9), full)
    assert len(taken) == 2


def test_a_client_that_is_silent_is_let_go(small):
    taken = []
    with pytest.raises(Problem, match="no byte came") as raised:
        pumped(body(b"123456789", b"late", pause=0.5), lambda data: taken.append(bytes(data)))
    assert raised.value.status == 408
    assert taken == []


def test_a_slow_client_and_a_slow_disk_are_waited_for(small):
    taken = []

    def slow(data):
        time.sleep(0.3)
        taken.append(bytes(data))

    pumped(body(*[b"1234"] * 8, pause=0.05), slow)
    assert b"".join(taken) == b"1234" * 8
