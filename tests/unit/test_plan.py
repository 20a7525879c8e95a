"""What is due, and why: nothing after it was done, everything after a change."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nffa_cli.identify import PLAIN_IMAGE
from nffa_cli.plan import NORMALISE, PREVIEW, READ, LedgerRow, Versions, due, stamp
from nffa_cli.records import Acquisition, FileStamp

EMI = FileStamp("/d/a.emi", 10, 1_000, 7)
SER = FileStamp("/d/a_1.ser", 20, 2_000, 8, "sidecar")
PAIR = Acquisition("a.emi", (EMI, SER))
NOW = Versions("reader-1", {"tia": "crosswalk-1"}, "context-1")


def remember(acquisition, versions, **changes):
    """The row that the pipeline writes after a whole, successful ingest."""
    row = LedgerRow("key", acquisition.main.path, stamp(acquisition), "done", None, "tia", versions.reader,
                    versions.crosswalks.get("tia"), versions.context, versions.previews,
                    acquisition.partner_missing is not None)  # fmt: skip
    return row._replace(**changes)


@pytest.mark.parametrize(
    ("change", "stages", "reason"),
    [
        ({}, (), "unchanged"),
        ({"stamp": "other"}, (READ, NORMALISE, PREVIEW), "changed"),
        ({"stamp": "other", "status": "quarantined"}, (READ, NORMALISE, PREVIEW), "changed"),
        ({"stamp": "other", "partner_missing": True}, (READ, NORMALISE, PREVIEW), "partner-arrived"),
        ({"status": "waiting"}, (READ, NORMALISE, PREVIEW), "waiting"),
        ({"status": "failed"}, (READ, NORMALISE, PREVIEW), "failed"),
        ({"status": "quarantined"}, (), "unchanged"),
        ({"status": "quarantined", "crosswalk": None}, (), "unchanged"),
        ({"status": "skipped"}, (), "unchanged"),
        ({"reader": "reader-0"}, (READ, NORMALISE, PREVIEW), "newer-reader"),
        ({"crosswalk": "crosswalk-0"}, (NORMALISE,), "newer-crosswalk"),
        ({"context": None}, (NORMALISE,), "session-changed"),
        ({"preview": False}, (PREVIEW,), "preview-missing"),
        ({"preview": False, "context": None}, (NORMALISE, PREVIEW), "session-changed, preview-missing"),
    ],
)
def test_each_reason(change, stages, reason):
    plan = due(PAIR, remember(PAIR, NOW, **change), NOW)
    assert (plan.stages, plan.reason) == (stages, reason)


def test_unknown_is_new():
    assert due(PAIR, None, NOW).reason == "new"
    assert due(PAIR, None, replace(NOW, previews=False)).stages == (READ, NORMALISE)


def test_skipped_by_name_is_never_due():
    assert due(Acquisition("a.docx", (EMI,), skip="document"), None, NOW).stages == ()


def test_pictures_become_due_when_wanted():
    left_out = remember(PAIR, NOW, status="skipped", reason=f"{PLAIN_IMAGE}: nothing of an instrument in it")
    assert due(PAIR, left_out, NOW).stages == ()
    assert due(PAIR, left_out, replace(NOW, pictures=True)).reason == "pictures-wanted"


def test_format_without_crosswalk_is_not_due():
    plain = replace(NOW, crosswalks={})
    assert due(PAIR, remember(PAIR, plain), plain).stages == ()


files = st.builds(
    FileStamp,
    path=st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=12).map("/d/".__add__),
    size=st.integers(0, 2**40),
    mtime_ns=st.integers(-(2**62), 2**62),
    inode=st.integers(0, 2**64 - 1),
)
acquisitions = st.builds(
    Acquisition,
    shown=st.just("x"),
    files=st.lists(files, min_size=1, max_size=4).map(tuple),
    partner_missing=st.sampled_from([None, "ser"]),
)
versions = st.builds(
    Versions,
    reader=st.sampled_from(["r1", "r2"]),
    crosswalks=st.sampled_from([{}, {"tia": "c1"}, {"tia": "c2"}]),
    context=st.sampled_from([None, "s1"]),
    previews=st.booleans(),
    pictures=st.booleans(),
)
rows = st.none() | st.builds(
    LedgerRow,
    key=st.just("key"),
    path=st.just("/d/x"),
    stamp=st.just("old"),
    status=st.sampled_from(["done", "waiting", "skipped", "quarantined", "failed"]),
    reason=st.sampled_from([None, PLAIN_IMAGE]),
    format=st.sampled_from([None, "tia"]),
    reader=st.sampled_from([None, "r1", "r2"]),
    crosswalk=st.sampled_from([None, "c1", "c2"]),
    context=st.sampled_from([None, "s1"]),
    preview=st.booleans(),
    partner_missing=st.booleans(),
)


@given(acquisitions, rows, versions, st.booleans())
def test_after_doing_what_is_due_nothing_is_due(acquisition, row, now, same):
    if row is not None and same:
        row = row._replace(stamp=stamp(acquisition))
    stages = due(acquisition, row, now).stages
    assert list(stages) == [stage for stage in (READ, NORMALISE, PREVIEW) if stage in stages]
    if READ in stages:
        row = remember(acquisition, now)
    elif row is not None:
        if NORMALISE in stages:
            row = row._replace(crosswalk=now.crosswalks.get(row.format or ""), context=now.context)
        if PREVIEW in stages:
            row = row._replace(preview=True)
    assert due(acquisition, row, now).stages == ()


@given(acquisitions, st.sampled_from(["size", "mtime_ns", "inode"]), st.data())
def test_any_change_of_any_file_is_seen(acquisition, attribute, data):
    number = data.draw(st.integers(0, len(acquisition.files) - 1))
    changed = list(acquisition.files)
    changed[number] = replace(changed[number], **{attribute: getattr(changed[number], attribute) + 1})
    assert due(replace(acquisition, files=tuple(changed)), remember(acquisition, NOW), NOW).stages[0] == READ


def test_stamp_does_not_depend_on_how_the_folder_was_typed():
    typed = Acquisition("a.emi", (replace(EMI, path="../d/a.emi"), replace(SER, path="../d/a_1.ser")))
    assert stamp(typed) == stamp(PAIR)
