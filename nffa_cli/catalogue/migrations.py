"""The history of the catalogue's schema: numbered changes, each applied once, in one transaction with its note.

A change that rewrites a table is preceded by a copy of the catalogue. Released functions are never edited.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from nffa_cli.errors import CatalogueError

APPLICATION_ID = 0x4E464641
"""``NFFA`` in the database header: what tells our file from another program's."""


def m001_initial(db: sqlite3.Connection) -> None:
    """Lay the ledger, the acquisitions with their versions, and the search index."""
    for statement in (
        # Paths are bytes: instrument PCs write names that are not UTF-8.
        # What many acquisitions have in common is written once: a walk of 150,000 loads them all.
        """CREATE TABLE fate (
            seq INTEGER PRIMARY KEY, status TEXT NOT NULL, reason TEXT, format TEXT, reader TEXT, crosswalk TEXT,
            context TEXT, preview INTEGER NOT NULL, partner_missing INTEGER NOT NULL
        ) STRICT""",
        "CREATE INDEX fate_status ON fate(status)",
        """CREATE TABLE ledger (
            path BLOB PRIMARY KEY, key TEXT NOT NULL, stamp TEXT NOT NULL, fate INTEGER NOT NULL REFERENCES fate(seq),
            first_seen TEXT NOT NULL, last_changed TEXT NOT NULL
        ) STRICT, WITHOUT ROWID""",
        "CREATE INDEX ledger_key ON ledger(key)",
        "CREATE INDEX ledger_fate ON ledger(fate)",
        """CREATE TABLE acquisition (
            seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, path BLOB NOT NULL, version INTEGER,
            format TEXT NOT NULL, started TEXT, superseded_by TEXT, vanished_at TEXT
        ) STRICT""",
        "CREATE INDEX acquisition_path ON acquisition(path)",
        "CREATE INDEX acquisition_started ON acquisition(started)",
        "CREATE INDEX acquisition_format ON acquisition(format)",
        """CREATE TABLE version (
            seq INTEGER PRIMARY KEY, acquisition INTEGER NOT NULL REFERENCES acquisition(seq), digest TEXT NOT NULL,
            format TEXT NOT NULL, nffa TEXT NOT NULL, reader TEXT NOT NULL, crosswalk TEXT, vocabulary TEXT NOT NULL,
            context TEXT, preview TEXT, ingested_at TEXT NOT NULL, record TEXT NOT NULL,
            UNIQUE (acquisition, digest)
        ) STRICT""",
        "CREATE INDEX version_digest ON version(digest)",
        "CREATE INDEX version_crosswalk ON version(format, crosswalk)",
        # The vendor's trees are apart, so that reading records does not page through them.
        "CREATE TABLE raw (version INTEGER PRIMARY KEY REFERENCES version(seq), data BLOB NOT NULL) STRICT",
        """CREATE TABLE file (
            seq INTEGER PRIMARY KEY, version INTEGER NOT NULL REFERENCES version(seq), path BLOB NOT NULL,
            size INTEGER NOT NULL, sha256 TEXT NOT NULL, role TEXT NOT NULL, checked_at TEXT, check_result TEXT
        ) STRICT""",
        "CREATE INDEX file_version ON file(version)",
        "CREATE INDEX file_path ON file(path)",
        "CREATE INDEX file_checked ON file(checked_at)",
        "CREATE INDEX file_bad ON file(check_result) WHERE check_result <> 'ok'",
        """CREATE TABLE alias (
            path BLOB PRIMARY KEY, acquisition INTEGER NOT NULL REFERENCES acquisition(seq), digest TEXT NOT NULL
        ) STRICT, WITHOUT ROWID""",
        "CREATE INDEX alias_acquisition ON alias(acquisition)",
        # Derived from the current versions' records; may be emptied and made again at any time.
        "CREATE TABLE term_name (seq INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, unit TEXT) STRICT",
        """CREATE TABLE term (
            acquisition INTEGER NOT NULL REFERENCES acquisition(seq), name INTEGER NOT NULL REFERENCES term_name(seq),
            number REAL, text TEXT, PRIMARY KEY (acquisition, name)
        ) STRICT, WITHOUT ROWID""",
        "CREATE INDEX term_number ON term(name, number) WHERE number IS NOT NULL",
        "CREATE INDEX term_text ON term(name, text) WHERE text IS NOT NULL",
        # FTS5 must be told the old words when a row goes; they are kept here, for it keeps no copy of its own.
        """CREATE TABLE words (
            acquisition INTEGER PRIMARY KEY REFERENCES acquisition(seq), name TEXT NOT NULL, folder TEXT NOT NULL,
            sample TEXT NOT NULL, operator TEXT NOT NULL, detector TEXT NOT NULL, instrument TEXT NOT NULL,
            mode TEXT NOT NULL, note TEXT NOT NULL, format TEXT NOT NULL, proposal TEXT NOT NULL,
            experiment TEXT NOT NULL
        ) STRICT""",
        """CREATE VIRTUAL TABLE words_index USING fts5(
            name, folder, sample, operator, detector, instrument, mode, note, format, proposal, experiment,
            content='words', content_rowid='acquisition', tokenize='unicode61 remove_diacritics 2', prefix='1 2 3 4'
        )""",
        """CREATE TRIGGER words_added AFTER INSERT ON words BEGIN
            INSERT INTO words_index(rowid, name, folder, sample, operator, detector, instrument, mode, note, format,
                proposal, experiment)
            VALUES (new.acquisition, new.name, new.folder, new.sample, new.operator, new.detector, new.instrument,
                new.mode, new.note, new.format, new.proposal, new.experiment);
        END""",
        """CREATE TRIGGER words_gone AFTER DELETE ON words BEGIN
            INSERT INTO words_index(words_index, rowid, name, folder, sample, operator, detector, instrument, mode,
                note, format, proposal, experiment)
            VALUES ('delete', old.acquisition, old.name, old.folder, old.sample, old.operator, old.detector,
                old.instrument, old.mode, old.note, old.format, old.proposal, old.experiment);
        END""",
    ):
        db.execute(statement)


def m002_assets(db: sqlite3.Connection) -> None:
    """Remember what was made of an acquisition and where it lies."""
    db.execute(
        """CREATE TABLE asset (
            path BLOB PRIMARY KEY, acquisition INTEGER NOT NULL REFERENCES acquisition(seq), kind TEXT NOT NULL,
            size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, format TEXT NOT NULL, source TEXT NOT NULL,
            recipe TEXT NOT NULL, complete INTEGER NOT NULL, missing TEXT NOT NULL, made_at TEXT NOT NULL
        ) STRICT, WITHOUT ROWID"""
    )
    db.execute("CREATE INDEX asset_acquisition ON asset(acquisition)")


def m003_opinions(db: sqlite3.Connection) -> None:
    """Remember what models and persons say a picture shows."""
    for statement in (
        """CREATE TABLE model (
            seq INTEGER PRIMARY KEY, sha256 TEXT NOT NULL UNIQUE, name TEXT NOT NULL, version TEXT NOT NULL,
            labels TEXT NOT NULL, first_used TEXT NOT NULL
        ) STRICT""",
        """CREATE TABLE classification (
            seq INTEGER PRIMARY KEY, sha256 TEXT NOT NULL, model INTEGER NOT NULL REFERENCES model(seq),
            logits TEXT NOT NULL, label TEXT NOT NULL, score REAL NOT NULL, in_distribution REAL NOT NULL,
            decision TEXT NOT NULL, pixel_size REAL, remarks TEXT NOT NULL, embedding BLOB NOT NULL, made_at TEXT NOT NULL
        ) STRICT""",
        "CREATE INDEX classification_content ON classification(sha256, model)",
        """CREATE TABLE looked (
            path BLOB NOT NULL, model INTEGER NOT NULL REFERENCES model(seq), stamp TEXT NOT NULL, status TEXT NOT NULL,
            reason TEXT, format TEXT, classification INTEGER REFERENCES classification(seq), PRIMARY KEY (path, model)
        ) STRICT, WITHOUT ROWID""",
        "CREATE INDEX looked_classification ON looked(classification)",
        """CREATE TABLE label (
            seq INTEGER PRIMARY KEY, sha256 TEXT NOT NULL, answer TEXT NOT NULL, label TEXT, second TEXT,
            labeller TEXT NOT NULL, note TEXT, model TEXT, predicted TEXT, made_at TEXT NOT NULL
        ) STRICT""",
        "CREATE INDEX label_content ON label(sha256)",
        # What holds now, for searches; derived from the tables above.
        """CREATE TABLE category (
            sha256 TEXT PRIMARY KEY, label TEXT COLLATE NOCASE, second TEXT COLLATE NOCASE, predicted TEXT COLLATE NOCASE,
            decision TEXT
        ) STRICT, WITHOUT ROWID""",
        "CREATE INDEX category_label ON category(label) WHERE label IS NOT NULL",
        "CREATE INDEX category_predicted ON category(predicted, decision) WHERE predicted IS NOT NULL",
        "CREATE INDEX file_content ON file(sha256) WHERE role = 'main'",
    ):
        db.execute(statement)


def m004_how(db: sqlite3.Connection) -> None:
    """Remember of each label whether a person looked at that picture."""
    db.execute("ALTER TABLE label ADD COLUMN how TEXT NOT NULL DEFAULT 'looked'")


def m005_outbox(db: sqlite3.Connection) -> None:
    """Remember what was delivered where, what is on its way, and which uploads are unfinished."""
    for statement in (
        "CREATE TABLE destination (seq INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, first_used TEXT NOT NULL) STRICT",
        # One row for each acquisition and destination that was ever dealt with; what has none is due.
        """CREATE TABLE delivery (
            destination INTEGER NOT NULL REFERENCES destination(seq),
            acquisition INTEGER NOT NULL REFERENCES acquisition(seq), state TEXT NOT NULL, reason TEXT,
            token TEXT NOT NULL, proposal TEXT, experiment TEXT, attempts INTEGER NOT NULL, changed_at TEXT NOT NULL,
            PRIMARY KEY (destination, acquisition)
        ) STRICT, WITHOUT ROWID""",
        "CREATE INDEX delivery_open ON delivery(state) WHERE state <> 'done'",
        """CREATE TABLE receipt (
            destination INTEGER NOT NULL REFERENCES destination(seq),
            acquisition INTEGER NOT NULL REFERENCES acquisition(seq), key TEXT NOT NULL, measurement TEXT NOT NULL,
            url TEXT NOT NULL, version TEXT NOT NULL, digest TEXT NOT NULL, assets TEXT NOT NULL, linked INTEGER NOT NULL,
            delivered_at TEXT NOT NULL, proof TEXT, verified_at TEXT, PRIMARY KEY (destination, acquisition)
        ) STRICT, WITHOUT ROWID""",
        """CREATE TABLE upload (
            destination INTEGER NOT NULL REFERENCES destination(seq), sha256 TEXT NOT NULL, token TEXT NOT NULL,
            noted_at TEXT NOT NULL, PRIMARY KEY (destination, sha256)
        ) STRICT, WITHOUT ROWID""",
    ):
        db.execute(statement)


def m006_imports(db: sqlite3.Connection) -> None:
    """Remember records that were taken over from other repositories, and their deliveries."""
    for statement in (
        """CREATE TABLE import (
            seq INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, system TEXT NOT NULL, source TEXT NOT NULL,
            entry BLOB NOT NULL, options TEXT NOT NULL, imported_at TEXT NOT NULL, changed_at TEXT NOT NULL
        ) STRICT""",
        """CREATE TABLE import_delivery (
            import INTEGER NOT NULL REFERENCES import(seq), destination TEXT NOT NULL, state TEXT NOT NULL, reason TEXT,
            digest TEXT NOT NULL, receipt TEXT, changed_at TEXT NOT NULL, PRIMARY KEY (import, destination)
        ) STRICT, WITHOUT ROWID""",
    ):
        db.execute(statement)


def m007_import_tokens(db: sqlite3.Connection) -> None:
    """Remember of imports what decides whether they are due, and what was proved of their deliveries."""
    for statement in (
        "ALTER TABLE import ADD COLUMN stamp TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE import_delivery ADD COLUMN token TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE import_delivery ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE import_delivery ADD COLUMN proof TEXT",
        "ALTER TABLE import_delivery ADD COLUMN verified_at TEXT",
    ):
        db.execute(statement)


def m008_asset_policy(db: sqlite3.Connection) -> None:
    """Remember under which operator policy an NXem file was made; NULL: by an older version, which did not say."""
    db.execute("ALTER TABLE asset ADD COLUMN policy TEXT")


def m009_origins(db: sqlite3.Connection) -> None:
    """Remember which answers came from a node, by their id there, and how far each destination's were taken."""
    for statement in (
        "ALTER TABLE label ADD COLUMN origin TEXT",
        "ALTER TABLE label ADD COLUMN origin_id TEXT",
        "ALTER TABLE label ADD COLUMN person TEXT",
        "CREATE UNIQUE INDEX label_origin ON label(origin, origin_id) WHERE origin IS NOT NULL",
        "ALTER TABLE destination ADD COLUMN labels_since TEXT",
    ):
        db.execute(statement)


def m010_current(db: sqlite3.Connection) -> None:
    """Remember which classification of a content holds: not always the newest, where models are tried in turn."""
    db.execute("ALTER TABLE category ADD COLUMN current INTEGER REFERENCES classification(seq)")
    newest = "SELECT max(seq) FROM classification WHERE sha256 = category.sha256"
    db.execute(f"UPDATE category SET current = ({newest}) WHERE predicted IS NOT NULL")  # noqa: S608


Migration = Callable[[sqlite3.Connection], None]

MIGRATIONS: tuple[Migration, ...] = (
    m001_initial, m002_assets, m003_opinions, m004_how, m005_outbox, m006_imports, m007_import_tokens,
    m008_asset_policy, m009_origins, m010_current,
)  # fmt: skip
REWRITES: frozenset[str] = frozenset()
"""Names of the migrations that rewrite a table: a copy of the catalogue is made first."""


def applied(db: sqlite3.Connection) -> tuple[str, ...]:
    """Return the names of the changes that this catalogue has seen, oldest first; reads only."""
    tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if "migration" not in tables:
        if tables:
            raise CatalogueError("this database is not a catalogue of nffa", hint="choose another NFFA_HOME")
        return ()
    return tuple(name for (name,) in db.execute("SELECT name FROM migration ORDER BY rowid"))


def pending(db: sqlite3.Connection, migrations: tuple[Migration, ...] = MIGRATIONS) -> tuple[Migration, ...]:
    """Return the changes that are still to be applied; CatalogueError if the catalogue knows changes that we do not."""
    seen = applied(db)
    unknown = sorted(set(seen) - {migration.__name__ for migration in migrations})
    if unknown:
        raise CatalogueError(
            f"the catalogue was written by a newer nffa (it knows {unknown[-1]})", hint="upgrade nffa on this computer"
        )
    return tuple(migration for migration in migrations if migration.__name__ not in seen)


def migrate(
    db: sqlite3.Connection,
    path: Path,
    now: str,
    *,
    migrations: tuple[Migration, ...] = MIGRATIONS,
    rewrites: frozenset[str] = REWRITES,
) -> None:
    """Apply what is pending, each change with its note in one transaction; safe when several programs start at once.

    ``db`` is in autocommit mode; ``path`` is where its file lies; ``now`` is noted as the time.
    """
    for migration in pending(db, migrations):
        name = migration.__name__
        if name in rewrites:
            _copy(db, path.with_name(f"{path.name}.before-{name}"))
        db.execute("BEGIN IMMEDIATE")
        try:
            if name not in applied(db):  # another program may have been faster
                db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                db.execute(
                    "CREATE TABLE IF NOT EXISTS migration (name TEXT NOT NULL UNIQUE, applied_at TEXT NOT NULL) STRICT"
                )
                migration(db)
                db.execute("INSERT INTO migration (name, applied_at) VALUES (?, ?)", (name, now))
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise


def _copy(db: sqlite3.Connection, target: Path) -> None:
    """Copy the whole catalogue to ``target``; the name appears only when the copy is whole."""
    partial = target.with_name(target.name + ".part")
    partial.unlink(missing_ok=True)
    with closing(sqlite3.connect(partial)) as copy:
        db.backup(copy)
    partial.replace(target)
