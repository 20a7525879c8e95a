"""The query language: what it means, what it refuses, and that nothing typed is ever SQL or FTS5 syntax."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nffa_cli.catalogue.search import FormatIs, NumberIs, Query, StartIs, TextIs, Words, match_expression, parse
from nffa_cli.errors import UsageError

TERMS = {
    "beam.accelerating_voltage": "V",
    "optics.magnification": "1",
    "optics.working_distance": "m",
    "stage.x": "m",
    "other.x": "m",
    "stage.tilt_alpha": "degree",
    "instrument.vendor": None,
    "optics.mode": None,
}


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("", Query()),
        ("  silicon  wafer ", Query((Words("silicon"), Words("wafer")))),
        ("sil*", Query((Words("sil", prefix=True),))),
        ('"run 7"', Query((Words("run 7"),))),
        ('"run 7"*', Query((Words("run 7", prefix=True),))),
        ("sample:waf*", Query((Words("waf", prefix=True, field="sample"),))),
        ('folder:"run 7"', Query((Words("run 7", field="folder"),))),
        ("12:30 --- *", Query((Words("12:30"),))),
        ("format:FEI-sem-tiff", Query(filters=(FormatIs("fei-sem-tiff"),))),
        ("magnification>5k", Query(filters=(NumberIs("optics.magnification", 5000.0, None, open=True),))),
        ("magnification<=1e3x", Query(filters=(NumberIs("optics.magnification", None, 1000.0),))),
        ('working_distance>="1.5 mm"', Query(filters=(NumberIs("optics.working_distance", 0.0015, None),))),
        ("beam.accelerating_voltage=10kV", Query(filters=(NumberIs("beam.accelerating_voltage", 9950.0, 10050.0),))),
        ("stage.x=-2mm", Query(filters=(NumberIs("stage.x", -0.00201, -0.00199),))),
        ("vendor=FEI", Query(filters=(TextIs("instrument.vendor", "fei"),))),
        ("instrument.vendor:fe", Query(filters=(TextIs("instrument.vendor", "fe", part=True),))),
        ("after:2024-05", Query(filters=(StartIs(after="2024-05"),))),
        ('before:"2024-05-06 10:00"', Query(filters=(StartIs(before="2024-05-06T10:00"),))),
    ],
)
def test_meaning(text, query):
    assert parse(text, TERMS) == query


@pytest.mark.parametrize(
    ("text", "what", "hint"),
    [
        ("magnificaton>5", "magnificaton", "did you mean magnification?"),
        ("C:\\data", "'C'", "quotes"),
        ("x>1", "other.x or stage.x", "write other.x"),
        ("magnification>", "no value", "magnification>10"),
        ("magnification>big", "not a number", "5k"),
        ("beam.accelerating_voltage=10nm", "nm", "5V"),
        ("beam.accelerating_voltage=10blobs", "blobs", "5V"),
        ("vendor>FEI", "no order", "="),
        ("before:yesterday", "not a date", "2024-05-31"),
    ],
)
def test_refusals_say_what_to_type(text, what, hint):
    with pytest.raises(UsageError) as caught:
        parse(text, TERMS)
    assert what in str(caught.value)
    assert hint in (caught.value.hint or "")


@pytest.fixture(scope="module")
def index():
    """An FTS5 table with the catalogue's tokenizer."""
    db = sqlite3.connect(":memory:")
    tokenizer = "tokenize='unicode61 remove_diacritics 2', prefix='1 2 3 4'"
    db.execute(f"CREATE VIRTUAL TABLE i USING fts5(name, sample, {tokenizer})")
    db.execute("INSERT INTO i VALUES ('a', 'b')")
    return db


@given(text=st.text(max_size=40) | st.text('"*:()^-+{}ANDORNOT \0ab\udc80', max_size=30))
def test_no_text_is_syntax(index, text):
    try:
        words = parse(text, TERMS).words
    except UsageError:
        return
    words = tuple(Words(item.text, item.prefix, None if item.field is None else "sample") for item in words)
    if words:
        index.execute("SELECT rowid FROM i WHERE i MATCH ?", (match_expression(words),)).fetchall()
