"""What the catalogue holds of many versions, all that is made of them for others: a few statements, however many they are."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nffa_cli.catalogue import assets
from nffa_cli.catalogue.assets import Asset
from nffa_cli.catalogue.connection import Connection
from nffa_cli.catalogue.opinions import Classification, Label, Opinions
from nffa_cli.catalogue.rows import HashedFile

if TYPE_CHECKING:
    from nffa_cli.catalogue.outbox import Candidate


@dataclass(frozen=True, slots=True)
class Content:
    """One acquisition at one version.

    record_json
        The record as ``save`` was given it.
    raw
        The raw blob, the same.
    nffa
        The nffa that read it.
    files
        The main file first.
    assets
        What was made of the acquisition, oldest first.
    labels, newest
        What persons say of its content, oldest first; the newest classification with its model.
    """

    record_json: str
    raw: bytes
    nffa: str
    files: tuple[HashedFile, ...]
    assets: tuple[Asset, ...]
    labels: tuple[Label, ...]
    newest: tuple[Mapping[str, Any], Classification] | None


def of(db: Connection, candidates: Sequence[Candidate]) -> dict[int, Content]:
    """Return what there is of each candidate, by its ``seq``."""
    if not candidates:
        return {}
    wanted = json.dumps([each.version for each in candidates])
    files: dict[int, list[HashedFile]] = defaultdict(list)
    for version, path, *rest in db.rows(
        "SELECT version, path, size, sha256, role FROM file WHERE version IN (SELECT value FROM json_each(?)) ORDER BY seq",
        (wanted,),
    ):
        files[version].append(HashedFile(os.fsdecode(path), *rest))
    rows = db.rows(
        """SELECT v.seq, v.record, raw.data, v.nffa FROM version v JOIN raw ON raw.version = v.seq
        WHERE v.seq IN (SELECT value FROM json_each(?))""",
        (wanted,),
    )
    held = {version: (record, raw, nffa) for version, record, raw, nffa in rows}
    sha256s = [each.main_sha256 for each in candidates]
    opinions = Opinions(db)
    labels, newest = opinions.labels_of(sha256s), opinions.newest_of(sha256s)
    made = assets.of_many(db, [each.seq for each in candidates])
    return {
        each.seq: Content(
            *held[each.version],
            tuple(files[each.version]),
            made.get(each.seq, ()),
            labels.get(each.main_sha256, ()),
            newest.get(each.main_sha256),
        )
        for each in candidates
    }
