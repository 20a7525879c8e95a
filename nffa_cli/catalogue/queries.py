"""Questions to the catalogue: what is in it, what waits, what matches. Nothing here writes.

A search never sorts by relevance: hits come newest first straight from the index, so that a word in every record costs
as little as a rare one. A filter that few records pass is asked first; one that many pass is asked of each hit.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

from nffa_cli.catalogue import search
from nffa_cli.catalogue.connection import Connection
from nffa_cli.catalogue.keys import path_key
from nffa_cli.catalogue.rows import (
    Category,
    Entry,
    FileToCheck,
    HashedFile,
    Provenance,
    Shown,
    StatusReport,
    Version,
)
from nffa_cli.errors import UsageError
from nffa_cli.plan import LedgerRow

Order = Literal["recent", "started", "path"]
"""Newest ingested first; latest acquired first; by path."""

FEW = 3000
FEW_WITH_WORDS = 300
"""A filter that fewer records pass is asked first and its hits are looked at one by one; a word costs most there."""

MODERATE = 16_000
"""A filter that no more records pass is made a list, against which each hit of a word is held."""

SPELT_OUT = 50
"""No more texts than this stand in the statement itself, which is quicker than a list that SQLite takes apart."""

PAGE = 500
"""Records fetched at a time."""


def ledger(db: Connection, root: str | None) -> dict[str, LedgerRow]:
    """Return the rows of all acquisitions below ``root`` (None: of all) by path key."""
    among, values = ("path >= ? AND path < ?", below(root)) if root is not None else ("1", ())
    return _ledger_rows(db, among, values)


def ledger_row(db: Connection, key: str) -> LedgerRow | None:
    """Return the row of one acquisition."""
    return _ledger_rows(db, "key = ?", (key,)).get(key)


def _ledger_rows(db: Connection, where: str, values: tuple[Any, ...]) -> dict[str, LedgerRow]:
    columns = "seq, status, reason, format, reader, crosswalk, context, preview, partner_missing"
    fates = {row[0]: (*row[1:7], bool(row[7]), bool(row[8])) for row in db.rows(f"SELECT {columns} FROM fate")}  # noqa: S608
    decode, make = os.fsdecode, LedgerRow._make
    return {
        key: make((key, decode(path), stamp, *fates[fate]))
        for key, path, stamp, fate in db.rows(f"SELECT key, path, stamp, fate FROM ledger WHERE {where}", values)  # noqa: S608
    }


def find(
    db: Connection, text: str, *, under: str | None, order: Order, limit: int | None, offset: int
) -> Iterator[Entry]:
    """Yield the acquisitions that ``text`` (the language of ``search``) asks for, without superseded ones."""
    seqs = matching(db, text, under=under, order=order, limit=limit, offset=offset)
    for start in range(0, len(seqs), PAGE):
        yield from _entries(db, seqs[start : start + PAGE])


def matching(
    db: Connection, text: str, *, under: str | None, order: Order, limit: int | None, offset: int
) -> list[int]:
    """Return the row numbers of what matches, in order: the search itself, before records are fetched."""
    query = search.parse(text, term_units(db) if text else {})
    conditions = [_condition(db, item) for item in query.filters]
    if under is not None:
        conditions.append(_on_acquisition("path >= ? AND {0}path < ?", below(under)))
    words = [search.match_expression(query.words)] if query.words else []
    page = (-1 if limit is None else limit, offset)
    if order != "recent":
        among = ["a.seq IN (SELECT rowid FROM words_index WHERE words_index MATCH ?)"] if words else []
        return _seqs(db, _SORTED[order], conditions, page, first=words, among=among)
    few = _narrow(db, conditions, FEW_WITH_WORDS if words else FEW)
    if few is not None:
        narrow, seqs = few
        conditions = [condition for condition in conditions if condition not in narrow]
        return _seqs(db, _FEW_WORDS if words else _FEW, conditions, page, first=[json.dumps(seqs), *words])
    if words:
        conditions = [_listed(db, condition) for condition in conditions]
    return _seqs(db, _WORDS if words else _ALL, conditions, page, first=words)


def term_units(db: Connection) -> dict[str, str | None]:
    """Return every term that some record holds, with its canonical unit (None: text)."""
    return dict(db.rows("SELECT name, unit FROM term_name"))


def resolve(db: Connection, target: str) -> str:
    """Return the id that ``target`` means: a path (of a main file, a sidecar or a copy), an id or the start of one.

    Raises UsageError when nothing or more than one acquisition is meant.
    """
    place = os.fsencode(os.path.abspath(target))  # noqa: PTH100 (as in path_key)
    found = db.row(
        """SELECT id FROM acquisition WHERE id = ?
        UNION ALL SELECT a.id FROM alias JOIN acquisition a ON a.seq = alias.acquisition WHERE alias.path = ?
        UNION ALL SELECT a.id FROM file JOIN acquisition a ON a.version = file.version
            WHERE file.path = ? AND a.superseded_by IS NULL""",
        (path_key(target), place, place),
    )
    if found is not None:
        return str(found[0])
    prefix = target.lower()
    if prefix and set(prefix) <= set("0123456789abcdef"):
        candidates = db.rows(
            "SELECT id, path FROM acquisition WHERE id >= ? AND id < ? ORDER BY id LIMIT 6", (prefix, prefix + "g")
        )
        if len(candidates) == 1:
            return str(candidates[0][0])
        if candidates:
            listed = "; ".join(f"{name} {os.fsdecode(path)}" for name, path in candidates[:5])
            more = " and more" if len(candidates) > 5 else ""
            raise UsageError(f"{target!r} is the start of several ids: {listed}{more}", hint="write more of the id")
    raise UsageError(f"the catalogue knows no acquisition {target!r}", hint="nffa search WORD finds what it knows")


def show(db: Connection, target: str) -> Shown:
    """Return all that is known of the acquisition that ``target`` means (see ``resolve``)."""
    seq, superseded_by, vanished_at, current = db.rows(
        "SELECT seq, superseded_by, vanished_at, version FROM acquisition WHERE id = ?", (resolve(db, target),)
    )[0]
    versions = [
        Version(row[1], row[2], row[3], row[0] == current, Provenance(*row[4:9]), _files(db, row[0]))
        for row in db.rows(
            """SELECT seq, digest, format, ingested_at, nffa, reader, crosswalk, vocabulary, context
            FROM version WHERE acquisition = ? ORDER BY seq""",
            (seq,),
        )
    ]
    aliases = db.rows("SELECT path FROM alias WHERE acquisition = ? ORDER BY path", (seq,))
    return Shown(
        entry=_entries(db, [seq])[0],
        versions=tuple(versions),
        aliases=tuple(os.fsdecode(path) for (path,) in aliases),
        superseded_by=superseded_by,
        vanished_at=vanished_at,
    )


def status(db: Connection) -> StatusReport:
    """Return the catalogue in numbers."""
    held = db.rows(
        """SELECT status, path, reason FROM fate JOIN ledger ON ledger.fate = fate.seq
        WHERE status IN ('waiting', 'quarantined', 'failed') ORDER BY status, path"""
    )
    bad = db.rows(
        """SELECT f.path, f.check_result FROM file f JOIN acquisition a ON a.version = f.version
        WHERE f.check_result <> 'ok' ORDER BY f.path"""
    )
    ((acquisitions,),) = db.rows("SELECT count(*) FROM acquisition WHERE superseded_by IS NULL")
    ((described,),) = db.rows(
        """SELECT coalesce(sum(f.size), 0) FROM acquisition a JOIN file f ON f.version = a.version
        WHERE a.superseded_by IS NULL"""
    )
    formats = "SELECT format, count(*) FROM acquisition WHERE superseded_by IS NULL GROUP BY format ORDER BY format"
    counts = "SELECT status, count(*) FROM fate JOIN ledger ON ledger.fate = fate.seq GROUP BY status ORDER BY status"
    return StatusReport(
        by_status=dict(db.rows(counts)),
        by_format=dict(db.rows(formats)),
        held=tuple((name, os.fsdecode(path), reason) for name, path, reason in held),
        acquisitions=acquisitions,
        versions=db.rows("SELECT count(*) FROM version")[0][0],
        bytes_described=described,
        bytes_catalogue=db.rows("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")[0][0],
        bad_files=tuple((os.fsdecode(path), result) for path, result in bad),
    )


def files_to_check(db: Connection, since: str, under: str | None) -> Iterator[FileToCheck]:
    """Yield the files of current versions that were not checked since ``since``, those of one acquisition together."""
    first, beyond = below(under) if under is not None else (b"", b"\xff\xff")
    last = 0
    while rows := db.rows(
        """SELECT f.seq, a.id, f.path, f.size, f.sha256, a.path FROM file f JOIN acquisition a ON a.version = f.version
        WHERE f.seq > ? AND (f.checked_at IS NULL OR f.checked_at < ?) AND f.path >= ? AND f.path < ?
            AND a.superseded_by IS NULL ORDER BY f.seq LIMIT ?""",
        (last, since, first, beyond, PAGE),
    ):
        last = rows[-1][0]
        yield from (
            FileToCheck(row[0], row[1], os.fsdecode(row[2]), row[3], row[4], os.fsdecode(row[5])) for row in rows
        )


_DUMPED = {
    "fate": "*",
    "ledger": "path, stamp, fate",
    "acquisition": "id, path, version, format, started, superseded_by, vanished_at IS NOT NULL",
    "version": "seq, acquisition, digest, format, nffa, reader, crosswalk, vocabulary, context, preview, record",
    "raw": "version, data",
    "file": "version, path, size, sha256, role, check_result",
    "alias": "path, acquisition, digest",
    "asset": "path, acquisition, kind, size, source, recipe, complete, missing",
    "model": "sha256, name, version, labels",
    "classification": "sha256, model, logits, label, score, in_distribution, decision, pixel_size, remarks, embedding",
    "looked": "path, model, stamp, status, reason, format, classification",
    "label": "sha256, answer, label, second, labeller, note, model, predicted, how",
    "category": "sha256, label, second, predicted, decision",
    "destination": "seq, name",
    "delivery": "destination, acquisition, state, reason, token, proposal, experiment",
    "receipt": "destination, acquisition, key, measurement, url, version, digest, assets, linked, proof",
    "upload": "destination, sha256, token",
    "term": "acquisition, name, number, text",
    "words": "*",
}


def dump(db: Connection) -> str:
    """Return the tables without their times, one row a line."""
    lines = []
    for table, columns in _DUMPED.items():
        lines += [f"{table} {row!r}" for row in db.rows(f"SELECT {columns} FROM {table} ORDER BY 1, 2")]  # noqa: S608
    return "\n".join(lines) + "\n"


@dataclass(frozen=True, slots=True)
class _Condition:
    """A filter in two forms with the same values: the list of rows that pass, and a question to the row ``a``."""

    listing: str
    probe: str
    values: tuple[Any, ...]


# The order of the joins is forced: SQLite would rather sort all hits than walk an index backwards.
_ALL = "SELECT a.seq FROM acquisition a WHERE {checks} ORDER BY a.seq DESC LIMIT ? OFFSET ?"
_WORDS = """SELECT w.rowid FROM words_index w CROSS JOIN acquisition a ON a.seq = w.rowid
    WHERE w.words_index MATCH ? AND {checks} ORDER BY w.rowid DESC LIMIT ? OFFSET ?"""
_FEW = """SELECT a.seq FROM acquisition a WHERE a.seq IN (SELECT value FROM json_each(?)) AND {checks}
    ORDER BY a.seq DESC LIMIT ? OFFSET ?"""
_FEW_WORDS = """SELECT a.seq FROM json_each(?) few CROSS JOIN words_index w ON w.rowid = few.value
    CROSS JOIN acquisition a ON a.seq = w.rowid
    WHERE w.words_index MATCH ? AND {checks} ORDER BY a.seq DESC LIMIT ? OFFSET ?"""
_SORTED = {
    "started": """SELECT a.seq FROM acquisition a WHERE {checks}
        ORDER BY a.started DESC, a.seq DESC LIMIT ? OFFSET ?""",
    "path": "SELECT a.seq FROM acquisition a WHERE {checks} ORDER BY a.path LIMIT ? OFFSET ?",
}


def _on_acquisition(test: str, values: tuple[Any, ...]) -> _Condition:
    """Return a condition on the acquisition's own columns; ``+`` keeps a probe from steering the walk to its index."""
    listing = "SELECT seq FROM acquisition WHERE " + test.format("")  # noqa: S608
    return _Condition(listing, "+a." + test.format("+a."), values)


def _on_term(term: str, test: str, values: tuple[Any, ...]) -> _Condition:
    name = "name = (SELECT seq FROM term_name WHERE name = ?)"
    return _Condition(
        f"SELECT acquisition FROM term WHERE {name} AND {test}",  # noqa: S608
        f"EXISTS (SELECT 1 FROM term WHERE acquisition = a.seq AND {name} AND {test})",  # noqa: S608
        (term, *values),
    )


_CATEGORY_IS = {
    "label": "(k.label = ? OR k.second = ?)",
    "predicted": "(k.predicted = ? AND k.decision <> 'none')",
    "category": "(k.label = ? OR k.second = ? OR (k.label IS NULL AND k.predicted = ? AND k.decision = 'accepted'))",
    "decision": "k.decision = ?",
}


def _on_category(test: str, values: tuple[Any, ...]) -> _Condition:
    return _Condition(
        f"""SELECT v.acquisition FROM category k JOIN file f ON f.sha256 = k.sha256 AND f.role = 'main'
            JOIN version v ON v.seq = f.version JOIN acquisition c ON c.seq = v.acquisition AND c.version = v.seq
            WHERE {test}""",  # noqa: S608
        f"""EXISTS (SELECT 1 FROM file f JOIN category k ON k.sha256 = f.sha256
            WHERE f.version = a.version AND f.role = 'main' AND {test})""",  # noqa: S608
        values,
    )


def _condition(db: Connection, item: search.Filter) -> _Condition:
    match item:
        case search.FormatIs(name):
            return _on_acquisition("format = ?", (name,))
        case search.StartIs(after=None, before=before):
            return _on_acquisition("started < ?", (before,))
        case search.StartIs(after=after):
            return _on_acquisition("started >= ?", (after,))
        case search.CategoryIs(field, text, part):
            tests, values = _CATEGORY_IS[field], (text.casefold(),)
            test = tests.replace("= ?", "LIKE '%' || ? || '%'") if part and field != "decision" else tests
            return _on_category(test, values * test.count("?"))
        case search.TextIs(term, text, part=False):
            return _on_term(term, "text = ?", (text,))
        case search.TextIs(term, text):
            texts = _texts(db, term)
            if texts is None:
                return _on_term(term, "text IS NOT NULL AND instr(text, ?)", (text,))
            fitting = [known for known in texts if text in known]
            if len(fitting) <= SPELT_OUT:
                return _on_term(term, f"text IN ({', '.join('?' * len(fitting))})", tuple(fitting))
            return _on_term(term, "text IN (SELECT value FROM json_each(?))", (json.dumps(fitting),))
        case search.NumberIs(term, low, high, is_open):
            equal = "" if is_open else "="
            bounds = [(f"number >{equal} ?", low), (f"number <{equal} ?", high)]
            test = " AND ".join(text for text, bound in bounds if bound is not None)
            return _on_term(term, test, tuple(bound for _, bound in bounds if bound is not None))


def _texts(db: Connection, term: str) -> list[str] | None:
    """Return the different texts of a term, hopping through the index; None if there are more than a ``FEW``."""
    rows = db.rows(
        """WITH RECURSIVE
            wanted(name) AS (SELECT seq FROM term_name WHERE name = ?),
            hop(text) AS (
                SELECT min(text) FROM term WHERE name = (SELECT name FROM wanted) AND text IS NOT NULL
                UNION ALL
                SELECT (SELECT min(text) FROM term WHERE name = (SELECT name FROM wanted) AND text > hop.text)
                FROM hop WHERE hop.text IS NOT NULL
            )
        SELECT text FROM hop WHERE text IS NOT NULL LIMIT ?""",
        (term, FEW),
    )
    return [text for (text,) in rows] if len(rows) < FEW else None


def _narrow(db: Connection, conditions: list[_Condition], few: int) -> tuple[list[_Condition], list[int]] | None:
    """Return the conditions that less than ``few`` rows pass, with the rows that pass all of these; None: there are none."""
    narrow = [condition for condition in conditions if _count(db, condition, few) < few]
    if not narrow:
        return None
    passing = [{seq for (seq,) in db.rows(condition.listing, condition.values)} for condition in narrow]
    return narrow, list(set.intersection(*passing))


def _count(db: Connection, condition: _Condition, most: int) -> int:
    """Return how many rows pass, counting no further than ``most``."""
    counted = f"SELECT count(*) FROM ({condition.listing} LIMIT {most})"  # noqa: S608
    return int(db.rows(counted, condition.values)[0][0])


def _listed(db: Connection, condition: _Condition) -> _Condition:
    """Return the condition as a list that is made once, if no more than ``MODERATE`` rows pass it."""
    is_moderate = _count(db, condition, MODERATE + 1) <= MODERATE
    return replace(condition, probe=f"+w.rowid IN ({condition.listing})") if is_moderate else condition


def _seqs(
    db: Connection,
    template: str,
    conditions: list[_Condition],
    page: tuple[int, int],
    *,
    first: list[str],
    among: list[str] | None = None,
) -> list[int]:
    """Run one of the statements above: ``first`` are the values that come before those of the conditions."""
    checks = [*(among or ()), "a.superseded_by IS NULL", *(condition.probe for condition in conditions)]
    values = [*first, *(value for condition in conditions for value in condition.values), *page]
    return [seq for (seq,) in db.rows(template.format(checks=" AND ".join(checks)), values)]


def _entries(db: Connection, seqs: list[int]) -> list[Entry]:
    """Fetch the acquisitions with these row numbers, in this order."""
    rows = db.rows(
        """SELECT a.seq, a.id, a.path, v.digest, a.format, a.started, v.ingested_at,
            (SELECT sum(size) FROM file WHERE version = v.seq), v.preview, v.record,
            k.sha256, k.label, k.second, k.predicted, k.decision
        FROM acquisition a JOIN version v ON v.seq = a.version
            LEFT JOIN file f ON f.version = v.seq AND f.role = 'main' LEFT JOIN category k ON k.sha256 = f.sha256
        WHERE a.seq IN (SELECT value FROM json_each(?))""",
        (json.dumps(seqs),),
    )
    found: dict[int, Entry] = {}
    for seq, name, path, *rest in rows:
        category = Category(*rest[8:]) if rest[7] else None
        found[seq] = Entry(name, os.fsdecode(path), *rest[:7], category)  # type: ignore[call-arg]
    return [found[seq] for seq in seqs]


def _files(db: Connection, version: int) -> tuple[HashedFile, ...]:
    rows = db.rows("SELECT path, size, sha256, role FROM file WHERE version = ? ORDER BY seq", (version,))
    return tuple(HashedFile(os.fsdecode(path), *rest) for path, *rest in rows)


def below(root: str) -> tuple[bytes, bytes]:
    """Return the bounds between which the paths below the folder ``root`` sort."""
    folder = os.fsencode(os.path.abspath(root))  # noqa: PTH100 (as in path_key)
    separator = os.sep.encode("ascii")
    first = folder if folder.endswith(separator) else folder + separator
    return first, first[:-1] + bytes([first[-1] + 1])
