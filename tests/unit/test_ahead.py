"""One step ahead: what is made meanwhile, what goes wrong, and how it ends."""

from __future__ import annotations

import threading
from contextlib import closing

import pytest

from nffa_cli.delivery.ahead import ahead


def test_all_comes_in_order_from_one_other_thread():
    threads = set()

    def source(_unwanted):
        for each in range(5):
            threads.add(threading.get_ident())
            yield each

    assert list(ahead(source)) == [0, 1, 2, 3, 4]
    assert len(threads) == 1
    assert threading.get_ident() not in threads


def test_the_next_is_made_while_the_last_is_worked_on():
    made = threading.Event()

    def source(_unwanted):
        yield "first"
        made.set()
        yield "second"

    found = ahead(source)
    assert next(found) == "first"
    assert made.wait(10)
    assert list(found) == ["second"]


def test_an_error_comes_in_its_turn():
    def source(_unwanted):
        yield 1
        raise ValueError("broken")

    found = ahead(source)
    assert next(found) == 1
    with pytest.raises(ValueError, match="broken"):
        next(found)


def test_who_wants_no_more_ends_the_source_and_it_is_closed_in_its_thread():
    seen = []

    def source(unwanted):
        own = threading.get_ident()
        try:
            yield 1
            seen.append(unwanted.wait(10))
            yield 2
        finally:
            seen.append(threading.get_ident() == own)

    with closing(ahead(source)) as found:
        assert next(found) == 1
    assert seen == [True, True]
