"""The catalogue: nothing lost, doubled or torn; the same again changes nothing; answers are right."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from nffa_cli.catalogue.keys import content_digest, path_key
from nffa_cli.catalogue.rows import HashedFile, NewVersion, Provenance
from nffa_cli.catalogue.store import Store
from nffa_cli.errors import CatalogueError, DiskError, LockedError, UsageError
from nffa_cli.plan import LedgerRow

MADE = Provenance("0.1", "nffa tiff", "crosswalk-1", "vocabulary-1", "context-1")


def term(value, unit=None):
    return {"value": value, "unit": unit, "source": "x", "raw": value}


def acquisition(path="/data/Wafer A/img_001.tif", *, sha="a", sidecars=(), **terms):
    """One acquisition; ``terms`` are written with _ _ for the dot."""
    named = {name.replace("__", "."): value for name, value in terms.items()}
    record = {"format": "zeiss-sem-tiff", "signals": [{"name": "InLens"}], "terms": named}
    files = (HashedFile(path, 100, sha * 64), *(HashedFile(side, 5, "e" * 64, "sidecar") for side in sidecars))
    return NewVersion(files, record, b"raw " + sha.encode(), MADE)


def row(path, status="done", **more):
    return LedgerRow(path_key(path), path, "stamp", status, **more)


def hits(store, text="", **more):
    return [entry.path for entry in store.find(text, **more)]


@pytest.fixture
def place(tmp_path):
    return tmp_path / "home" / "catalogue.sqlite"


@pytest.fixture
def store(place):
    with Store.open(place) as opened:
        yield opened


def test_same_again_changes_nothing(store):
    first = store.save(acquisition(sample__name=term("wafer")))
    store.save_ledger([row("/data/a.tif")])
    before = store.dump()
    again = store.save(acquisition(sample__name=term("wafer")))
    store.save_ledger([row("/data/a.tif")])
    assert (first.new, again.new) == (True, False)
    assert store.dump() == before


def test_changed_file_is_a_new_version_and_the_old_one_stays(store):
    old = store.save(acquisition(sha="a", sample__name=term("before")))
    new = store.save(acquisition(sha="b", sample__name=term("after")))
    shown = store.show(old.id)
    assert (old.id, new.new) == (new.id, True)
    assert [(version.digest, version.current) for version in shown.versions] == [
        (old.digest, False),
        (new.digest, True),
    ]
    assert shown.entry.record["terms"]["sample.name"]["value"] == "after"
    assert (hits(store, "before"), len(hits(store, "after"))) == ([], 1)
    assert store.raw(old.id) == b"raw b"
    back = store.save(acquisition(sha="a", sample__name=term("before")))
    assert (back.new, [version.current for version in store.show(old.id).versions]) == (False, [True, False])


def test_content_elsewhere_is_found_and_noted(store):
    saved = store.save(acquisition(sha="a"))
    assert store.find_content(saved.digest) == saved.id
    store.add_alias(saved.id, "/copy/x.tif")
    assert store.show("/copy/x.tif").aliases == ("/copy/x.tif",)
    store.save(acquisition(sha="b"))
    assert store.find_content(saved.digest) is None
    store.save(acquisition("/copy/x.tif", sha="c"))
    assert store.show(saved.id).aliases == ()


def test_digest_ignores_the_order_of_sidecars_only():
    assert content_digest(["m", "a", "b"]) == content_digest(["m", "b", "a"]) != content_digest(["a", "m", "b"])


def test_part_is_superseded_by_the_whole_and_comes_back(store):
    part = acquisition("/data/a_1.ser", sha="a", sample__name=term("lone"))
    whole = acquisition("/data/a.emi", sha="b", sidecars=["/data/a_1.ser"])
    store.save(part)
    store.save_ledger([row("/data/a_1.ser")])
    store.save(whole)
    store.supersede_path("/data/a_1.ser", by=whole.id)
    store.supersede_path("/data/unknown.ser", by=whole.id)
    assert hits(store) == ["/data/a.emi"]
    assert hits(store, "lone") == []
    assert store.ledger() == {}
    assert store.show(part.id).superseded_by == whole.id
    store.save(part)
    assert hits(store, "lone") == ["/data/a_1.ser"]
    assert store.show(part.id).superseded_by is None


def test_vanished_is_a_note_and_no_more(store):
    saved = store.save(acquisition())
    store.set_vanished([saved.id])
    assert store.show(saved.id).vanished_at is not None
    assert hits(store) == ["/data/Wafer A/img_001.tif"]
    store.save(acquisition())
    assert store.show(saved.id).vanished_at is None


def test_newer_crosswalk_replaces_the_record_not_the_version(store):
    saved = store.save(acquisition(sample__name=term("wrong")))
    store.save_ledger([row("/data/Wafer A/img_001.tif", crosswalk="crosswalk-1")])
    assert list(store.due_for_normalise({"zeiss-sem-tiff": "crosswalk-1", "tia": "x"})) == []
    (due,) = store.due_for_normalise({"zeiss-sem-tiff": "crosswalk-2"})
    assert (due.id, due.raw, due.format) == (saved.id, b"raw a", "zeiss-sem-tiff")
    made = replace(MADE, crosswalk="crosswalk-2", context="context-2")
    store.replace_record(saved.id, acquisition(sample__name=term("right")).record, made)
    shown = store.show(saved.id)
    assert [version.provenance for version in shown.versions] == [made]
    assert (hits(store, "wrong"), len(hits(store, "right"))) == ([], 1)
    assert list(store.due_for_normalise({"zeiss-sem-tiff": "crosswalk-2"})) == []
    assert store.ledger()[saved.id].crosswalk == "crosswalk-2"


def test_ledger_is_cut_at_the_folder(store):
    store.save_ledger([row("/data/a.tif"), row("/data/b/c.tif", "waiting", reason="growing"), row("/database/d.tif")])
    assert {each.path for each in store.ledger("/data").values()} == {"/data/a.tif", "/data/b/c.tif"}
    assert len(store.ledger("/")) == len(store.ledger()) == 3
    known = store.ledger("/data/b")[path_key("/data/b/c.tif")]
    assert (known.status, known.reason, known.stamp) == ("waiting", "growing", "stamp")
    store.forget(["/data/a.tif"])
    assert path_key("/data/a.tif") not in store.ledger()


def test_names_of_any_bytes(store):
    odd = os.fsdecode(b"/data/\xff\xfe'; DROP TABLE acquisition; --\n.tif")
    saved = store.save(acquisition(odd, sample__name=term("\udc80'; DROP TABLE words; --")))
    store.save_ledger([row(odd)])
    assert hits(store, "drop") == [odd]
    assert store.ledger()[saved.id].path == odd
    assert store.show(odd).entry.id == saved.id


def test_ids_may_be_cut_short_but_not_ambiguous(store):
    ids = [store.save(acquisition(f"/data/{number}.tif", sha="abcdef"[number % 6])).id for number in range(17)]
    first = next(name[0] for name in ids if sum(other[0] == name[0] for other in ids) > 1)
    with pytest.raises(UsageError, match=r"several ids.*/data/"):
        store.show(first)
    assert store.show(ids[3][:12]).entry.id == ids[3]
    with pytest.raises(UsageError, match="knows no acquisition"):
        store.show("nothing")


def test_sidecar_leads_to_its_acquisition(store):
    saved = store.save(acquisition("/data/a.emi", sidecars=["/data/a_1.ser"]))
    assert store.show("/data/a_1.ser").entry.id == saved.id


@pytest.fixture
def three(store):
    store.save(acquisition("/data/Run 1/a_01.tif", sha="a", sample__name=term("Silicon Wafer"),
                           beam__accelerating_voltage=term(10_010.0, "V"), optics__magnification=term(900.0, "1"),
                           acquisition__start=term("2024-05-06T00:30:00+02:00")))  # fmt: skip
    store.save(acquisition("/data/Run 2/b_02.tif", sha="b", sample__name=term("Zürich dust"),
                           beam__accelerating_voltage=term(2e5, "V"), optics__magnification=term(50_000.0, "1"),
                           acquisition__start=term("2023-01-01T10:00:00")))  # fmt: skip
    store.save(acquisition("/other/c_03.tif", sha="c", instrument__vendor=term("FEI")))
    return store


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "cba"),
        ("silicon", "a"),
        ("SILICON wafer", "a"),
        ("silicon dust", ""),
        ("zurich", "b"),
        ("waf*", "a"),
        ("waf", ""),
        ("sample:run", ""),
        ('folder:"run 2"', "b"),
        ("data inlens", "ba"),
        ("name:a_01", "a"),
        ("beam.accelerating_voltage=10kV", "a"),
        ("accelerating_voltage>10kV", "ba"),
        ("accelerating_voltage>10kV magnification<5k", "a"),
        ("magnification>1k dust", "b"),
        ("magnification>1k silicon", ""),
        ("vendor=fei", "c"),
        ("vendor=fe", ""),
        ("vendor:fe", "c"),
        ("sample.name:zürich", "b"),
        ("format:zeiss-sem-tiff", "cba"),
        ("format:zeiss", ""),
        ("before:2024-05-06", "ba"),
        ("after:2024-05-05T22:30", "a"),
        ("after:2023 before:2024", "b"),
        ('"', "cba"),
        ("OR NEAR(", ""),
    ],
)
def test_search(three, text, found, monkeypatch):
    names = [f"{path.rpartition('/')[2][0]}" for path in hits(three, text)]
    assert "".join(names) == found
    for order in ("started", "path"):
        assert sorted(hits(three, text, order=order)) == sorted(hits(three, text))
    monkeypatch.setattr("nffa_cli.catalogue.queries.FEW", 0)  # as if every filter were passed by many
    monkeypatch.setattr("nffa_cli.catalogue.queries.FEW_WITH_WORDS", 0)
    assert "".join(path.rpartition("/")[2][0] for path in hits(three, text)) == found


def test_order_limit_and_folder(three):
    assert [path[-8] for path in hits(three, order="started")] == ["a", "b", "c"]
    assert [path[-8] for path in hits(three, order="path")] == ["a", "b", "c"]
    assert hits(three, limit=1, offset=1) == ["/data/Run 2/b_02.tif"]
    assert len(hits(three, under="/data")) == 2
    assert len(hits(three, "data", under="/data/Run 1", limit=None)) == 1


def test_status_counts(three):
    three.save_ledger([row("/d/1"), row("/d/2", "waiting", reason="growing"), row("/d/3", "quarantined", reason="cut")])
    report = three.status()
    assert report.by_status == {"done": 1, "quarantined": 1, "waiting": 1}
    assert report.held == (("quarantined", "/d/3", "cut"), ("waiting", "/d/2", "growing"))
    assert (report.acquisitions, report.versions, report.bytes_described) == (3, 3, 300)
    assert report.by_format == {"zeiss-sem-tiff": 3}


def test_check_goes_on_where_it_stopped(three):
    since = "2999-01-01"
    todo = list(three.files_to_check(since))
    assert [file.path[-8] for file in todo] == ["a", "b", "c"]
    three.record_check(todo[0].number, "ok")
    begun = "2020-01-01"
    assert [file.path for file in three.files_to_check(begun)] == [file.path for file in todo[1:]]
    three.record_check(todo[1].number, "changed")
    assert three.status().bad_files == (("/data/Run 2/b_02.tif", "changed"),)
    assert [file.path for file in three.files_to_check(begun, under="/data")] == []


def test_batch_is_all_or_nothing(store):
    store.save(acquisition())
    before = store.dump()

    def interrupted():
        with store.batch():
            store.save(acquisition("/data/new.tif", sha="b", new__term=term(1.0, "m")))
            store.save_ledger([row("/data/new.tif")])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert store.dump() == before
    store.save(acquisition("/data/new.tif", sha="b", new__term=term(1.0, "m")))  # its name was rolled back with it
    assert len(hits(store, "new.term=1m")) == 1


def test_readonly_saves_nothing_and_makes_nothing(place):
    with pytest.raises(CatalogueError, match="no catalogue yet"):
        Store.open(place, readonly=True)
    assert not place.parent.exists()
    Store.open(place).close()
    with Store.open(place, readonly=True) as store, pytest.raises(DiskError):
        store.save(acquisition())


@pytest.mark.parametrize(
    "content", [b"no database at all, but long enough to be one" * 40, b"SQLite format 3\0" + b"\1" * 4000]
)
def test_damaged_catalogue_is_said(place, content):
    place.parent.mkdir()
    place.write_bytes(content)
    with pytest.raises(CatalogueError) as caught:
        Store.open(place)
    assert caught.value.hint
    assert place.read_bytes() == content


def test_damage_inside_is_said(place):
    with Store.open(place) as store:
        for number in range(200):
            store.save(acquisition(f"/data/{number}.tif", sha="a", sample__name=term("x" * 500)))
    whole = place.read_bytes()
    place.write_bytes(whole[:8192] + b"\xaa" * (len(whole) - 8192))
    with pytest.raises(CatalogueError), Store.open(place) as store:
        store.dump()


def test_full_disk_is_said_and_nothing_is_torn(store):
    store.save(acquisition())
    before = store.dump()
    pages = store._db.rows("PRAGMA page_count")[0][0]
    store._db.do(f"PRAGMA max_page_count = {pages + 5}")

    def fill():
        with store.batch():
            for number in range(1000):
                store.save(replace(acquisition(f"/data/{number}.tif", sha="b"), raw=os.urandom(20_000)))

    with pytest.raises(DiskError) as caught:
        fill()
    assert caught.value.exit_status == 6
    store._db.do("PRAGMA max_page_count = 1000000")
    assert store.dump() == before
    assert store.save(acquisition(sha="c")).new


def test_folder_without_rights_is_said(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")  # played, because root may write everywhere

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(DiskError, match="Permission denied"):
        Store.open(tmp_path / "home" / "catalogue.sqlite")


def test_folder_that_is_a_file_is_said(tmp_path):
    (tmp_path / "home").write_text("")
    with pytest.raises(DiskError):
        Store.open(tmp_path / "home" / "catalogue.sqlite")


HOLD = """
import sys, time
from nffa_cli.catalogue.store import Store
with Store.open(sys.argv[1]) as store, store.lock():
    print("held", flush=True)
    time.sleep(60)
"""


def test_lock_names_its_holder_and_dies_with_it(place):
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(place)], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    with Store.open(place) as store:
        begun = time.monotonic()
        with pytest.raises(LockedError, match=str(holder.pid)), store.lock():
            pass
        assert time.monotonic() - begun < 1
        holder.kill()
        holder.wait()
        with store.lock():
            pass


def test_lock_can_be_taken_twice_in_turn(store):
    with store.lock():
        pass
    with store.lock(), pytest.raises(LockedError), store.lock():
        pass


WRITE = """
import sys
sys.path.insert(0, sys.argv[2])
from test_store import Store, acquisition, row
with Store.open(sys.argv[1]) as store:
    print("open", flush=True)
    number = len(store.ledger())
    while True:
        with store.batch():
            for _ in range(7):
                path = f"/data/{number}.tif"
                store.save(acquisition(path, sha="abcdef"[number % 6]))
                store.save_ledger([row(path)])
                number += 1
"""


@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
def test_kill_at_any_moment_loses_and_tears_nothing(place):
    here = str(Path(__file__).parent)
    seen = 0
    for round_number in range(8):
        writer = subprocess.Popen([sys.executable, "-c", WRITE, str(place), here], stdout=subprocess.PIPE)
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(0.03 * round_number)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        with Store.open(place) as store:
            rows, records = store.ledger(), set(hits(store, limit=None))
            assert {each.path for each in rows.values()} == records
            assert len(hits(store, "inlens", limit=None)) == len(records)
            assert len(records) % 7 == 0
            assert len(records) >= seen
            seen = len(records)
    with sqlite3.connect(place) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        db.execute("INSERT INTO words_index(words_index) VALUES ('integrity-check')")
    assert seen > 0


def test_saving_is_fast(store):
    """1,000 records with raw trees of 20 kB: below 1 ms each; the bound here is wide for slow machines."""
    terms = {f"stage.t{number}": term(float(number), "m") for number in range(25)}
    batch = [replace(acquisition(f"/data/{n}.tif", sha="a"), raw=os.urandom(20_000)) for n in range(1000)]
    for version in batch:
        version.record["terms"].update(terms)
    begun = time.process_time()
    with store.batch():
        for version in batch:
            store.save(version)
    assert time.process_time() - begun < 4
