"""When content opens, and who may say otherwise: a table of dates."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nffa_cli.node.embargo import Facts, Policy, day, judged, latest, months_after, opens, released_at, started, until

INGESTED = "2026-11-21T14:05:00.123456Z"


@pytest.mark.parametrize(("start", "months", "expected"), [
    ("2024-01-31", 1, "2024-02-29"),
    ("2023-01-31", 1, "2023-02-28"),
    ("2024-02-29", 12, "2025-02-28"),
    ("2024-02-29", 48, "2028-02-29"),
    ("2024-08-31", 6, "2025-02-28"),
    ("2026-11-21", 36, "2029-11-21"),
    ("2026-12-31", 2, "2027-02-28"),
    ("2026-05-15", 0, "2026-05-15"),
    ("2026-12-01", 1, "2027-01-01"),
    ("9998-12-31", 36, "9998-12-31"),
])  # fmt: skip
def test_months_end_where_the_month_ends(start, months, expected):
    assert months_after(date.fromisoformat(start), months).isoformat() == expected


@given(st.dates(max_value=date(9000, 1, 1)), st.integers(0, 1200), st.integers(0, 1200))
def test_more_months_never_end_earlier(start, some, more):
    assert months_after(start, some) <= months_after(start, some + more)
    assert 0 <= start.day - months_after(start, some).day <= 3


@pytest.mark.parametrize(("policy", "facts", "expected"), [
    (Policy(), Facts("2024-01-31", "2024-01-10T10:00:00Z", INGESTED), "2027-02-01T00:00:00.000000Z"),
    (Policy(), Facts(None, "2024-01-10T10:00:00.000000Z", INGESTED), "2027-01-11T00:00:00.000000Z"),
    (Policy(), Facts(None, None, INGESTED), "2029-11-22T00:00:00.000000Z"),
    (Policy(start="collection"), Facts("2025-01-01", "2024-01-10", INGESTED), "2027-01-11T00:00:00.000000Z"),
    (Policy(start="collection"), Facts("2025-01-01", None, INGESTED), "2029-11-22T00:00:00.000000Z"),
    (Policy(start="ingest"), Facts("2025-01-01", "2024-01-10", INGESTED), "2029-11-22T00:00:00.000000Z"),
    (Policy(months=6), Facts("2024-08-31", None, INGESTED), "2025-03-01T00:00:00.000000Z"),
    (Policy(months=0), Facts("2031-01-01", None, INGESTED), INGESTED),
    (Policy(), Facts("2024-01-31", None, INGESTED, "2030-05-06", "2028-01-01"), "2030-05-07T00:00:00.000000Z"),
    (Policy(), Facts("2024-01-31", None, INGESTED, None, "2028-01-01"), "2028-01-02T00:00:00.000000Z"),
    (Policy(months=0), Facts(None, None, INGESTED, None, "2028-01-01"), "2028-01-02T00:00:00.000000Z"),
    (Policy(), Facts("1990-01-01", "2024-01-10", INGESTED), "2027-01-11T00:00:00.000000Z"),
    (Policy(), Facts("no date", "nor this", INGESTED), "2029-11-22T00:00:00.000000Z"),
    (Policy(), Facts("2024-01-31T23:30:00-02:00", None, INGESTED), "2027-02-02T00:00:00.000000Z"),
], ids=[
    "end of the experiment", "collection where that is not known", "ingest where nothing is", "by collection",
    "by collection, which is not known", "by ingest", "clamped", "no embargo", "its own before its proposal's", "its proposal's",
    "its proposal's without an embargo of the policy", "an experiment that ended before its data were collected", "nonsense",
    "an offset counts",
])  # fmt: skip
def test_content_opens_at_midnight_after_the_last_day(policy, facts, expected):
    assert released_at(policy, facts) == expected


def test_what_was_opened_is_not_closed_by_reckoning_anew():
    facts, now = Facts("2026-11-01", None, INGESTED), "2026-11-21T12:00:00.000000Z"
    assert released_at(Policy(), facts, was="2026-11-21T11:00:00.000000Z", now=now) == "2026-11-21T11:00:00.000000Z"
    assert released_at(Policy(), facts, was="2026-11-21T13:00:00.000000Z", now=now) == "2029-11-02T00:00:00.000000Z"


CURRENT, LIMIT = date(2029, 11, 1), date(2031, 11, 1)
PI, MANAGER, MEMBER = (True, False), (True, True), (False, False)


@pytest.mark.parametrize(("who", "wanted", "reason", "field"), [
    (PI, date(2028, 1, 1), "", "allowed"),
    (PI, date(1999, 1, 1), "", "allowed"),
    (PI, CURRENT, "", "allowed"),
    (PI, date(2029, 11, 2), "please", None),
    (MEMBER, date(2028, 1, 1), "please", None),
    (MEMBER, date(2030, 1, 1), "please", None),
    (MANAGER, date(2030, 1, 1), "a patent", "allowed"),
    (MANAGER, LIMIT, "a patent", "allowed"),
    (MANAGER, date(2031, 11, 2), "a patent", "until"),
    (MANAGER, date(2030, 1, 1), "  ", "reason"),
    (MANAGER, date(2028, 1, 1), "", "allowed"),
])  # fmt: skip
def test_who_may_say_otherwise(who, wanted, reason, field):
    shorten, extend = who
    found = judged(wanted, current=CURRENT, limit=LIMIT, reason=reason, may_shorten=shorten, may_extend=extend)
    assert (found.field if found else "allowed") == field


def test_an_embargo_where_there_was_none_is_an_extension():
    common = {"current": None, "limit": LIMIT, "may_shorten": True}
    assert judged(date(2020, 1, 1), reason="x", may_extend=False, **common) is not None
    assert judged(date(2020, 1, 1), reason="x", may_extend=True, **common) is None


def test_a_policy_says_what_it_says_and_the_rest_is_usual():
    assert Policy.of(None) == Policy(36, "experimentEnd", 60, described=False)
    said = {"embargoMonths": 72, "embargoStart": "ingest", "metadataPublic": True}
    assert Policy.of(said) == Policy(72, "ingest", 72, described=True)
    assert Policy.of({"embargoMonths": 0}).months == 0
    facts = Facts("2024-01-31", None, INGESTED)
    assert latest(Policy(months=12, most=24), facts) == date(2026, 1, 31)
    assert until(Policy(months=0), facts) is None
    assert started(Policy(), facts) == date(2024, 1, 31)
    assert opens(None, INGESTED) == INGESTED
    assert day("2024-02-30") is None
