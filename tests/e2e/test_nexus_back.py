"""From instrument files to NXem and back with the commands themselves, on samples of every kind."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

from nffa_cli import samples
from tests.e2e.room import Room

VENDORS = ("Zeiss", "FEI", "TESCAN", "JEOL", "Hitachi", "Gatan")
SAME = ("signals", "terms", "missing", "unmapped", "warnings")


@pytest.fixture(scope="module")
def there(tmp_path_factory):
    """Samples of every kind beside a session, exported where operators' names are kept: the room and the exports."""
    room = Room(tmp_path_factory.mktemp("back"))
    samples.make_session(room.inbox)
    for vendor in VENDORS:
        words = ("--vendor", vendor, "--operator-policy", "keep")
        assert room.nffa("profile", "add", vendor.lower(), *words).status == 0
    run = room.json("export-nexus", "inbox", "-o", "out")
    return room, {name: line for name, line in run.outcomes.items() if line["status"] == "done"}


@pytest.fixture(scope="module")
def records(there):
    """{name of the source: (its record, that of its export)}, both with ``raw``."""
    room, exports = there
    before, after = (
        {
            line["files"][0]["path"].rpartition("/")[2]: line
            for line in room.json("inspect", "--raw", folder).of("record")
        }
        for folder in ("inbox", "out")
    )
    return {name: (before[name], after[f"{name}.nxs"]) for name in exports}


def test_the_record_comes_back_the_same(records):
    assert len(records) == len(samples.KINDS) - 1, "all but the plain picture"
    for name, (before, after) in records.items():
        assert after["format"] == "nxem"
        for part in SAME:
            assert after[part] == before[part], f"{name}: {part}"


def test_the_vendors_tree_comes_back_the_same(records):
    for name, (before, after) in records.items():
        assert after["raw"]["entry1"]["measurement"]["event1"]["vendor_metadata"]["json"] == before["raw"], name


def test_a_pseudonym_comes_back_and_the_name_does_not(room):
    samples.make(room.inbox, kinds=["gatan-dm3"])
    room.json("export-nexus", "inbox", "-o", "out")
    (record,) = room.json("inspect", "--raw", "out").of("record")
    assert record["terms"]["operator.name"]["value"].startswith("operator-")
    assert record["warnings"] == []


def test_exports_can_be_ingested_and_are_found(there):
    room, exports = there
    run = room.json("ingest", "out", "--settle", 0)
    assert (run.status, set(run.statuses.values()), len(run.statuses)) == (0, {"done"}, len(exports))
    assert {line["format"] for line in room.json("list", "--limit", 100).of("acquisition")} == {"nxem"}
    assert set(room.json("ingest", "out", "--settle", 0).statuses.values()) == {"unchanged"}


def test_an_export_is_not_exported_again(there):
    room, _ = there
    run = room.json("export-nexus", "out", "-o", "again")
    assert run.status == 0
    assert set(run.statuses.values()) == {"skipped"}
    assert all(line["reason"].startswith("nxem: ") for line in run.outcomes.values())
    assert not list((room.folder / "again").rglob("*.nxs"))


def test_what_somebody_wrote_into_the_file_wins(room):
    room.put("a.tif")
    room.json("export-nexus", "inbox", "-o", "out")
    path = room.folder / "out" / "inbox" / "a.tif.nxs"
    with h5py.File(path, "a") as file:
        file["entry1/sample/atom_types"] = "Ga, As"
    (record,) = room.json("inspect", path).of("record")
    assert record["terms"]["sample.atom_types"]["value"] == ["Ga", "As"]
    assert record["terms"]["sample.atom_types"]["source"] == "/entry1/sample/atom_types"
    assert [warning["code"] for warning in record["warnings"]] == ["edited"]
    assert "sample.atom_types" not in record["missing"]


def test_nexus_of_others_is_skipped_with_a_reason(room):
    with h5py.File(room.inbox / "scan.nxs", "w") as file:
        file.create_group("entry").attrs["NX_class"] = "NXentry"
        file["entry/definition"] = "NXmx"
    with h5py.File(room.inbox / "model.h5", "w") as file:
        file["weights"] = np.zeros(9)
    for run in (room.ingest(), room.json("inspect", "inbox")):
        assert run.status == 0
        assert {name: (line["status"], line["reason"]) for name, line in run.outcomes.items()} == {
            "scan.nxs": ("skipped", "not-ours: NeXus NXmx, and only NXem is read"),
            "model.h5": ("skipped", "not-ours: hdf5"),
        }


def test_a_person_sees_signals_and_terms(there):
    room, exports = there
    name, line = next((name, line) for name, line in exports.items() if line["format"] == "zeiss-sem-tiff")
    shown = room.nffa("inspect", "--raw", line["output"])
    text = shown.out.decode()
    assert shown.status == 0
    assert f"{name}.nxs" in text
    assert "nxem" in text
    assert "beam.accelerating_voltage" in text
    assert "entry1.definition" in text
