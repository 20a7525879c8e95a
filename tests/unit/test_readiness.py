"""Ready, waiting or damaged: decided from sizes, times and what the reader found."""

from __future__ import annotations

import pytest

from nffa_cli import readiness
from nffa_cli.records import FileStamp, RawMetadata, Remark

NOW = 1_700_000_000.0


def stamp(age: float) -> FileStamp:
    return FileStamp("a", 10, int((NOW - age) * 1e9))


def raw(needs=None, faults=()):
    return RawMetadata("f", {"a": 1}, needs=needs, faults=tuple(Remark(code, "…") for code in faults))


@pytest.mark.parametrize(
    ("raw", "partner", "age", "patience", "state", "reason"),
    [
        (raw(100), None, 1, 600, "ready", None),
        (raw(101), None, 1, 600, "waiting", "truncated"),
        (raw(101), None, 700, 600, "damaged", "truncated"),
        (raw(101), None, 1, 0, "damaged", "truncated"),
        (raw(faults=["zero-tail"]), None, 1, 600, "waiting", "zero-tail"),
        (raw(faults=["zero-tail"]), None, 601, 600, "damaged", "zero-tail"),
        (raw(faults=["corrupt"]), None, 1, 600, "damaged", "corrupt"),
        (raw(), ".ser", 1, 600, "waiting", "partner-missing"),
        (raw(), ".ser", 601, 600, "ready", None),
        (raw(), ".ser", 1, 0, "ready", None),
    ],
)
def test_judge(raw, partner, age, patience, state, reason):
    found = readiness.judge(raw, 100, partner_missing=partner, age=age, patience=patience)
    assert found.state == state
    assert (found.reason or "").partition(":")[0] == (reason or "")


def test_settled_by_time_since_the_last_change():
    assert readiness.settled([stamp(11)], NOW, 10)
    assert not readiness.settled([stamp(11), stamp(3)], NOW, 10)
    assert readiness.settled([stamp(0)], NOW, 0)


def test_an_instrument_clock_ahead_of_ours_needs_two_looks():
    ahead = [stamp(-3600)]
    assert not readiness.settled(ahead, NOW, 10)
    assert not readiness.settled(ahead, NOW, 10, still_since=NOW - 5)
    assert readiness.settled(ahead, NOW, 10, still_since=NOW - 10)
