"""Sittings by the clock, and plots that hold what they are given."""

from __future__ import annotations

import datetime as dt
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nffa_cli.report import plots, timeline

EVENING = dt.datetime(2024, 5, 6, 18, tzinfo=dt.UTC)


def at(*minutes):
    return [timeline.Moment(number, EVENING + dt.timedelta(minutes=m)) for number, m in enumerate(minutes)]


def sizes(found):
    return [len(each.moments) for each in found]


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        ((), []),
        ((5,), [1]),
        ((0, 2, 4, 6), [4]),
        ((0, 2, 4, 60, 62), [3, 2]),  # 56 minutes are long for one who takes a picture every two
        ((0, 15, 30, 90, 105), [5]),  # and a coffee for one who takes one every fifteen
        ((0, 15, 30, 300), [3, 1]),
        ((0, 0, 0, 0), [4]),
    ],
)
def test_a_sitting_ends_where_the_pause_is_long_for_its_rhythm(minutes, expected):
    assert sizes(timeline.sittings(at(*minutes))) == expected


@given(st.lists(st.integers(0, 100_000), max_size=60))
def test_every_acquisition_is_in_one_sitting_in_order(minutes):
    found = timeline.sittings(at(*minutes))
    together = [each for sitting in found for each in sitting.moments]
    assert sorted(each.key for each in together) == list(range(len(minutes)))
    assert [each.at for each in together] == sorted(each.at for each in together)
    assert [sitting.pause is None for sitting in found] == [n == 0 for n in range(len(found))]


@pytest.mark.parametrize("text", [None, "", "2024-05-06", "yesterday"])
def test_what_has_no_time_is_in_no_sitting(text):
    assert timeline.moment("a", text) is None


@given(st.lists(st.tuples(st.floats(1e-12, 1e6), st.floats(1e-12, 1e6)), min_size=1, max_size=20))
def test_points_stay_inside_their_plot(pairs):
    drawn = ElementTree.fromstring(plots.points("a < b", "V", "m", pairs))
    width, height = plots.WIDTH, plots.HEIGHT
    dots = drawn.findall("circle")
    assert len(dots) == len(set(pairs))
    assert all(0 <= float(dot.get("cx")) <= width and 0 <= float(dot.get("cy")) <= height for dot in dots)


def test_bars_say_what_they_show_and_put_the_rest_together():
    counts = [(f"<kind> {n}", 100 - n) for n in range(20)]
    drawn = ElementTree.fromstring(plots.bars("Kinds", counts))
    assert len(drawn.findall("rect")) == plots.MOST_BARS + 1
    assert "8 others" in drawn.get("aria-label")
    assert "<kind> 0 100" in drawn.findtext("title")
    assert plots.bars("Kinds", []) == ""
