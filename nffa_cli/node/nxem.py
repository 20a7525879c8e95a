"""A measurement handed on as NXem: the file that was delivered, else one of metadata alone, made here and saying so.

The node opens no data file. What it makes holds every term of the record document, the vendor's tree and the digests of the
files, is held to the NeXus definitions, and has no plot: none of the samples is in it, and nothing stands in for them.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

import sqlalchemy as sa
from starlette.requests import Request
from starlette.responses import Response

from nffa_cli import __version__, settings
from nffa_cli.crosswalk import outward, vocabulary
from nffa_cli.errors import NffaError
from nffa_cli.export import check, findings, nodes, nxem
from nffa_cli.export.tree import Tree
from nffa_cli.node import access, moments, receiving, routes_content, tables
from nffa_cli.node.callers import Caller
from nffa_cli.node.database import Database
from nffa_cli.node.problems import Problem
from nffa_cli.node.storage import Storage
from nffa_cli.records import Quantity, RawMetadata, Record

MEDIA_TYPE = "application/x-hdf5"
DOCUMENT = "nffa-record"
LARGEST = 8 << 20
"""Bytes of a vendor's tree that goes along."""
NOTE = (
    "Made by the node from the record that was delivered, without opening a data file: it holds metadata and no samples. "
    "The samples are in the files that note1, note2 ... name with their digests."
)
NO_SIGNAL = "signal"
"""Named as missing, as an export at the instrument does where no samples could be read."""
_EXTRA = re.compile(r"[a-z][a-z_]{0,40}")
_TAKEN = frozenset({"value", "unit", "units", "source", "raw"})


@dataclass(frozen=True, slots=True)
class Held:
    """What is known of a measurement, as far as the caller may see it.

    key
        External id by which its deposit is known; empty: none.
    document
        The record document.
    raw
        What read the files wrote beside it, as JSON; None: there is none, or none that the caller may read.
    """

    key: str
    document: Mapping[str, Any]
    raw: bytes | None
    files: Sequence[nxem.SourceFile]


def delivered(connection: sa.Connection, caller: Caller, measurement: str) -> str | None:
    """Return the id of the NXem file that was delivered, where the caller may read it; None: there is none."""
    of = tables.asset.c
    mine = access.readable(caller, moments.now(), "dataasset")
    query = sa.select(of.id).where(of.measurement == measurement, of.role == "nxem", of.state == "available", mine)
    found = connection.execute(query.order_by(of.id.desc()).limit(1)).scalar()
    return None if found is None else str(found)


def describes(document: Any) -> TypeGuard[Mapping[str, Any]]:
    """Tell whether a record document holds what a file is made of."""
    return isinstance(document, Mapping) and bool(document.get("format")) and isinstance(document.get("terms"), Mapping)


def answer(id: str, request: Request, caller: Caller, known: Database, stored: Storage) -> Response:
    """Return the answer that hands a measurement on as NXem.

    Raises
    ------
    Problem
        404: not for this caller. 409: there is no such file, and nothing to make one of.
    """
    with known.read() as connection:
        access.demand(connection, caller, "see", "measurement", id)
        asset = delivered(connection, caller, id)
        held = None if asset else _held(connection, stored, caller, id)
    if asset is not None:
        return routes_content.read(asset, request, caller, known, stored)
    if held is None:
        raise Problem(
            409, "Not available", f"no NXem file was delivered, and there is no document {DOCUMENT} to make one of"
        )
    headers = {"Content-Disposition": f'attachment; filename="nxem-{id}.nxs"', "Content-Security-Policy": "sandbox"}
    return Response(_written(made(held), stored), headers=headers, media_type=MEDIA_TYPE)


def made(held: Held) -> Tree:
    """Return the tree of a file of metadata alone; equal input gives an equal tree.

    Raises
    ------
    Problem
        409: the record says what cannot be written so.
    """
    try:
        return _made(held)
    except (NffaError, ValueError, TypeError, KeyError, RecursionError, OverflowError) as error:
        raise Problem(409, "Not available", f"the record cannot be written as NXem ({type(error).__name__})") from error


def _made(held: Held) -> Tree:
    folder = settings.shipped("crosswalks")
    shape = outward.load(folder / "outward" / "nxem.yaml")
    record = _record(held.document, vocabulary.load(folder))
    digest = held.key.removeprefix("sha256:")
    written = json.dumps([__version__, shape.sha256, held.key, dict(held.document)], sort_keys=True)
    key = hashlib.sha256(written.encode() + (held.raw or b"")).hexdigest()
    source = nxem.Source(held.key, digest, tuple(held.files), __version__, key)
    tree = nxem.build(record, _raw(held.raw, record.format), source, shape)
    lacking = findings.missing(check.check(nodes.of_tree(tree)))
    signals = held.document.get("signals")
    named = [str(each.get("name") or each.get("kind") or "") for each in signals or () if isinstance(each, Mapping)]
    own = tree[nxem.ENTRY]["nffa"]
    own["note"] = NOTE
    own["missing"] = json.dumps([NO_SIGNAL, *lacking])
    if named:
        own["unplaced"] = [f"signal {n} ({name}): its samples are not in this file" for n, name in enumerate(named, 1)]
    return tree


def _held(connection: sa.Connection, stored: Storage, caller: Caller, id: str) -> Held | None:
    of, external, asset = tables.document.c, tables.external_id.c, tables.asset
    document = connection.execute(sa.select(of.body).where(of.measurement == id, of.schema == DOCUMENT)).scalar()
    if not describes(document):
        return None
    named = sa.select(external.value).where(external.type == "measurement", external.resource == id)
    key = connection.execute(named.where(external.scheme == "nffa").order_by(external.value)).scalars().first()
    mine = access.readable(caller, moments.now(), "dataasset")
    rows = connection.execute(
        asset.select().where(asset.c.measurement == id, asset.c.state != "withdrawn", mine).order_by(asset.c.id)
    ).all()
    files = [
        nxem.SourceFile(str(row.data.get("dataAssetName") or row.relative_path), row.size, row.sha256, row.role)
        for row in sorted(rows, key=lambda row: row.role != "main")
        if row.role in ("main", "sidecar") and len(row.sha256) == len(hashlib.sha256().hexdigest())
    ]
    trees = (row for row in rows if row.role == "raw-metadata" and row.state == "available" and row.size <= LARGEST)
    tree = next(trees, None)
    raw = None
    if tree is not None:
        try:
            raw = stored.path(tree.sha256).read_bytes()
        except OSError:  # swept away, or damaged: `nffa node check` tells
            raw = None
    return Held(str(key or ""), document, raw, files)


def _record(document: Mapping[str, Any], words: vocabulary.Vocabulary) -> Record:
    """Return the record that a document describes; what the vocabulary does not know so is left out."""
    terms = {}
    for name, said in document["terms"].items():
        term = words.terms.get(name)
        if term is None or not isinstance(said, Mapping) or said.get("unit") != term.unit or not _is(said, term.type):
            continue
        extra = {key: value for key, value in said.items() if _EXTRA.fullmatch(key) and key not in _TAKEN}
        terms[name] = Quantity(said["value"], term.unit, str(said.get("source") or ""), said.get("raw"), extra)
    return Record(str(document["format"]), terms, ())


def _is(said: Mapping[str, Any], type: vocabulary.Type) -> bool:
    value = said.get("value")
    if type == "number":
        return isinstance(value, int | float) and not isinstance(value, bool)
    if type == "boolean":
        return isinstance(value, bool)
    if type == "list" and isinstance(value, list):
        return all(isinstance(each, str) for each in value)
    return isinstance(value, str)


def _raw(written: bytes | None, format: str) -> RawMetadata:
    """Return the vendor's tree, as nffa writes it beside a record; an empty one where there is none."""
    found: Any = json.loads(written) if written is not None else {}
    if not isinstance(found, Mapping) or not isinstance(found.get("tree"), Mapping):
        return RawMetadata(format, {}, reader="none")
    return RawMetadata(format, found["tree"], reader=str(found.get("reader") or "unknown"))


def _written(tree: Tree, stored: Storage) -> bytes:
    """Return a file's bytes.

    Raises
    ------
    Problem
        409: HDF5 cannot hold it. 507: the disk is full.
    """
    from nffa_cli.export import hdf5

    with receiving.disk(), stored.draft() as path:
        try:
            hdf5.write(tree, path, read=_no_samples)
        except NffaError as error:
            raise Problem(409, "Not available", f"it cannot be written as NXem: {error.what}") from error
        return path.read_bytes()


def _no_samples(number: int, picks: tuple[slice, ...]) -> Any:
    raise AssertionError("a file of metadata alone has no samples")
