"""The catalogue's history: every released schema opens, a crash leaves both or neither, a copy precedes a rewrite."""

from __future__ import annotations

import sqlite3
import subprocess
import sys

import pytest

from nffa_cli.catalogue import indexing
from nffa_cli.catalogue.migrations import MIGRATIONS, REWRITES, applied, migrate, pending
from nffa_cli.catalogue.store import Store
from nffa_cli.errors import CatalogueError

NOW = "2026-01-01T00:00:00+00:00"


def m901_add(db):
    db.execute("ALTER TABLE acquisition ADD COLUMN extra TEXT")


def m902_rewrite(db):
    db.execute("UPDATE acquisition SET extra = 'rewritten'")


def m903_fail(db):
    db.execute("CREATE TABLE half (x INTEGER) STRICT")
    raise RuntimeError("crash")


@pytest.fixture
def db(tmp_path):
    connection = sqlite3.connect(tmp_path / "c.sqlite", isolation_level=None)
    yield connection
    connection.close()


def test_names_are_numbered_in_order_and_rewrites_exist():
    names = [migration.__name__ for migration in MIGRATIONS]
    assert [name[:5] for name in names] == [f"m{number:03d}_" for number in range(1, len(names) + 1)]
    assert all(migration.__doc__ for migration in MIGRATIONS)
    assert set(names) >= REWRITES


def test_from_nothing_and_again(db, tmp_path):
    assert len(pending(db)) == len(MIGRATIONS)
    migrate(db, tmp_path / "c.sqlite", NOW)
    assert (pending(db), len(applied(db))) == ((), len(MIGRATIONS))
    schema = db.execute("SELECT sql FROM sqlite_master ORDER BY name").fetchall()
    migrate(db, tmp_path / "c.sqlite", NOW)
    assert db.execute("SELECT sql FROM sqlite_master ORDER BY name").fetchall() == schema


def test_all_tables_are_strict(db, tmp_path):
    migrate(db, tmp_path / "c.sqlite", NOW)
    own = [row for row in db.execute("PRAGMA table_list") if row[2] == "table" and not row[1].startswith("sqlite_")]
    assert [row[1] for row in own if not row[5]] == []


def test_full_text_columns_are_those_of_the_code(db, tmp_path):
    migrate(db, tmp_path / "c.sqlite", NOW)
    columns = [row[1] for row in db.execute("PRAGMA table_info(words)")]
    assert columns == ["acquisition", *indexing.FIELDS]


def test_older_catalogue_is_brought_up_and_copied_before_a_rewrite(db, tmp_path):
    path = tmp_path / "c.sqlite"
    migrate(db, path, NOW)
    db.execute("INSERT INTO acquisition (id, path, format) VALUES ('a', x'2f', 'tia')")
    later = (*MIGRATIONS, m901_add, m902_rewrite)
    migrate(db, path, NOW, migrations=later, rewrites=frozenset({"m902_rewrite"}))
    assert db.execute("SELECT extra FROM acquisition").fetchall() == [("rewritten",)]
    with sqlite3.connect(path.with_name("c.sqlite.before-m902_rewrite")) as copy:
        assert copy.execute("SELECT id, extra FROM acquisition").fetchall() == [("a", None)]
    assert sorted(entry.name for entry in tmp_path.glob("*.part")) == []


def test_crash_inside_leaves_neither_change_nor_note(db, tmp_path):
    path = tmp_path / "c.sqlite"
    migrate(db, path, NOW)
    with pytest.raises(RuntimeError):
        migrate(db, path, NOW, migrations=(*MIGRATIONS, m901_add, m903_fail))
    assert applied(db) == (*(migration.__name__ for migration in MIGRATIONS), "m901_add")
    assert db.execute("SELECT 1 FROM sqlite_master WHERE name = 'half'").fetchall() == []


def test_newer_catalogue_is_refused_with_a_hint(tmp_path):
    path = tmp_path / "c.sqlite"
    Store.open(path).close()
    with sqlite3.connect(path) as db:
        db.execute("INSERT INTO migration (name, applied_at) VALUES ('m999_future', 'x')")
    with pytest.raises(CatalogueError, match="newer nffa") as caught:
        Store.open(path)
    assert "upgrade" in (caught.value.hint or "")


def test_another_programs_database_is_left_alone(tmp_path):
    path = tmp_path / "c.sqlite"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE theirs (x)")
    before = path.read_bytes()
    with pytest.raises(CatalogueError, match="not a catalogue of nffa"):
        Store.open(path)
    assert path.read_bytes() == before


def test_five_programs_at_once_make_one_catalogue(tmp_path):
    path = tmp_path / "c.sqlite"
    code = "import sys; from nffa_cli.catalogue.store import Store; Store.open(sys.argv[1]).close()"
    runs = [subprocess.Popen([sys.executable, "-c", code, str(path)], stderr=subprocess.PIPE) for _ in range(5)]
    assert [(run.wait(), run.stderr.read()) for run in runs if run.stderr] == [(0, b"")] * 5
    with Store.open(path) as store:
        assert store.status().acquisitions == 0
