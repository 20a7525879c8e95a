"""What a person's window does to a table, and how numbers are said."""

from __future__ import annotations

import json

import pytest

from nffa_cli import browse, story, terminal
from nffa_cli.terminal import GAP, Column, fitted

COLUMNS = (Column("id"), Column("model", least=4, drop=2), Column("note", drop=3), Column("file", least=6, tail=True))
NATURAL = (8, 12, 10, 30)


@pytest.mark.parametrize(
    ("room", "widths"),
    [
        (200, [8, 12, 10, 30]),
        (60, [8, 12, 10, 24]),  # the file's beginning goes first
        (34, [8, 4, 10, 6]),  # all are cut as far as they may
        (33, [8, 12, 0, 9]),  # one is left out, and the others get its room
        (17, [8, 0, 0, 7]),
        (10, [8, 0, 0, 6]),  # what must stay stays, whatever the window
    ],
)
def test_a_table_gives_up_the_least_important_first(room, widths):
    assert fitted(COLUMNS, NATURAL, room) == widths


@pytest.mark.parametrize("room", range(50, 200, 7))
def test_a_list_fits_into_any_usual_window(room):
    widths = fitted(browse.COLUMNS, (8, 19, 16, 30, 7, 8, 20, 20, 90), room)
    assert sum(widths) + GAP * (sum(map(bool, widths)) - 1) <= room
    assert widths[0] == 8
    assert widths[-1] >= 20


def test_cutting_keeps_the_end_that_matters():
    assert Column("file", least=6, tail=True).cut("/data/image.tif", 8) == "…age.tif"
    assert Column("model", least=6).cut("Helios NanoLab", 8) == "Helios …"


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (10000.0, "V", "10 kV"),
        (1.117e-9, "m", "1.117 nm"),
        (0.0, "m", "0 m"),
        (3.6e6, "1", "3600000"),
        (75072.5, "1", "75072.5"),
        (-0.023, "1", "-0.023"),
        (5e7, "1/m", "0.05 1/nm"),
        (45.0, "degree", "45°"),
        (True, None, "true"),
        (["Si", "O"], None, "Si, O"),
    ],
)
def test_values_are_said_as_people_write_them(value, unit, said):
    assert story.quantity(value, unit) == said


def test_a_vendors_broken_unicode_is_written_and_is_no_path():
    line = json.loads(terminal.json_line({"raw": {"path": "a\ud800b", "note": "\udcff 😀"}, "path": "x\udcff.tif"}))
    exported = json.loads(terminal.json_line({"path": "a", "output": "x\udcff.tif"}))
    assert line["raw"] == {"path": "a\ufffdb", "note": "\ufffd 😀"}
    assert (line["path"], line["path_b64"]) == ("x\ufffd.tif", "eP8udGlm")
    assert exported == {"path": "a", "output": "x\ufffd.tif", "output_b64": "eP8udGlm"}


@pytest.mark.parametrize(
    ("stamp", "said"),
    [
        ("2024-05-06T09:41:13.5+02:00", "2024-05-06 09:41+02"),
        ("2024-05-06T09:41:13+05:30", "2024-05-06 09:41+0530"),
        ("2024-05-06T09:41:13+00:00", "2024-05-06 09:41Z"),
        ("2024-05-06T09:41:13", "2024-05-06 09:41"),
        ("2024-05-06", "2024-05-06"),
    ],
)
def test_times_are_said_with_what_is_known_of_their_offset(stamp, said):
    assert browse.when(stamp) == said
