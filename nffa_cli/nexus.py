"""The export job, done in a worker: read → build the NXem tree → ask what it lacks → write it under a temporary name.

What is missing is found by the checker in the tree that was really built, not kept in a list beside it. The parent
(``exporting.py``) gives the file its name.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Any

from nffa_cli import __version__, forms, judging, layouts, readiness, reading, recipe
from nffa_cli.catalogue.keys import content_digest
from nffa_cli.crosswalk import outward, personal
from nffa_cli.errors import NffaError
from nffa_cli.export import check, findings, hdf5, marks, nodes, nxdl, nxem
from nffa_cli.export.tree import Tree
from nffa_cli.records import FileStamp, RawMetadata, Record, Signal

DOUBTFUL = "clock-disagreement"
"""Remark on a moment to which no time zone was put."""
_DAY = re.compile(r"\d{4}-\d\d-\d\d")

NO_SIGNAL = "signal"
"""Named as missing where the files hold no samples that could be read."""


def warm_up() -> None:
    """Load what every export needs ahead of the first job; if it is broken, that job will say so."""
    reading.warm_up()
    with suppress(NffaError):
        nxdl.load()


def export(job: dict[str, Any]) -> reading.Result:
    """Make the NXem file of one acquisition.

    The job says, beside what ``reading.take`` needs: ``acquisition`` (id), ``compression``, ``strict`` (write nothing that
    lacks what NXem requires), ``validate`` (judge the written file too), ``secret`` (hex; pseudonyms are made with it),
    ``target`` (the final name, looked at only to see what lies there already) and ``draft``, the temporary name to write
    to; None: write nothing, only say what would be.
    """
    files = [FileStamp(*stamp) for stamp in job["files"]]
    raw = reading.take(job, files)
    if not isinstance(raw, RawMetadata):
        return raw
    if raw.format == marks.FORMAT:
        return reading.verdict("skipped", IS_NXEM, raw.format)
    state = readiness.judge(
        raw, files[0].size, partner_missing=job["partner_missing"], age=job["age"], patience=job["patience"]
    )
    if state.state != "ready":
        return reading.verdict(state.state, state.reason, raw.format)
    made_with = recipe.of(raw.format, job["context"], job["compression"])
    source = _source(job, files, made_with)
    header: dict[str, Any] = {
        "state": "ready",
        "reason": None,
        "format": raw.format,
        "recipe": made_with,
        "policy": reading.policy(raw, job["context"]),
        "findings": [],
    }
    held = _held(job["target"])
    if held is not None and held.get("acquisition") != job["acquisition"] and held.get("digest") != source.digest:
        return reading.verdict("failed", EXISTS, raw.format)
    if held is not None and held["key"] == source.key and not (job["strict"] and held["missing"]):
        return header | {"unchanged": True, "complete": not held["missing"], "missing": held["missing"]}, b""
    record, tree = _tree(job, raw, source)
    lacking = lacks(record, check.check(nodes.of_tree(tree)), _outward(job))
    names = list(dict.fromkeys(each["term"] for each in lacking))
    warnings = [remark.as_json() for remark in record.warnings]
    header |= {"unchanged": False, "complete": not names, "missing": names, "supply": lacking, "warnings": warnings}
    if job["draft"] is None or (job["strict"] and names):
        return header, b""
    tree[nxem.ENTRY]["nffa"]["missing"] = json.dumps(names)
    with closing(ExitStack()) as opened:  # closed without the writer's errors, which are not the source's fault
        hdf5.write(tree, job["draft"], read=_reader(record.signals, opened), compression=job["compression"])
    if change := reading.moved(files):
        return reading.verdict("waiting", change, raw.format)
    if job["validate"]:
        header["findings"] = [
            each.as_json() for each in judging.findings(job["draft"]) if each.level == "error" and not each.needs
        ]
    return header, b""


IS_NXEM = "nxem: it is NXem already; copy it, or export the instrument's file again"
EXISTS = "exists: another file has this name and is no export of this acquisition; move it away, or give another -o"


def _held(target: str) -> Mapping[str, Any] | None:
    """Return the marks of what lies at the final name: empty for what is not ours, None where there is nothing."""
    if not os.path.lexists(target):
        return None
    return (marks.read(target) or {}) if os.path.isfile(target) else {}  # noqa: PTH113 - a pipe would never end


def _source(job: Mapping[str, Any], files: Sequence[FileStamp], made_with: str) -> nxem.Source:
    hashes = [reading.sha256(stamp.path) for stamp in files]
    listed = tuple(
        nxem.SourceFile(os.path.basename(stamp.path), stamp.size, hashed, stamp.role)  # noqa: PTH119
        for stamp, hashed in zip(files, hashes, strict=True)
    )
    digest = content_digest(hashes)
    key = hashlib.sha256(f"{made_with} {digest} {listed[0].name}".encode("utf-8", "surrogatepass")).hexdigest()
    return nxem.Source(job["acquisition"], digest, listed, __version__, key)


def _outward(job: Mapping[str, Any]) -> outward.Outward:
    return outward.load(Path(job["context"]["crosswalks"]) / "outward" / "nxem.yaml")


def _tree(job: Mapping[str, Any], raw: RawMetadata, source: nxem.Source) -> tuple[Record, Tree]:
    """Return the record and the tree, both as the operator policy lets them leave this computer."""
    context = job["context"]
    record, _ = reading.normalise(raw, context)
    table, _ = reading.tables(raw.format, context)
    policy = reading.policy(raw, context)
    raw, record = personal.apply(raw, record, crosswalk=table, policy=policy, secret=bytes.fromhex(job["secret"]))
    return record, nxem.build(record, raw, source, _outward(job))


def _reader(signals: Sequence[Signal], opened: ExitStack) -> hdf5.Read:
    """Return what reads samples for the writer, each signal opened once."""
    sources: dict[int, layouts.Source] = {}
    loaders = reading.loaders({}, whole=True)

    def read(number: int, picks: tuple[slice, ...]) -> hdf5.Array:
        if number not in sources:
            sources[number] = opened.enter_context(layouts.opened(signals[number], loaders))
        return sources[number].read(picks)

    return read


# --- what is missing ---


def lacks(record: Record, found: Sequence[findings.Finding], shape: outward.Outward) -> list[dict[str, str]]:
    """Return what NXem requires and nobody knew: ``concept`` (path), ``term``, and ``how`` it can be supplied.

    Whatever else is wrong with the tree is named here too, by its path: what is not valid is never called complete.
    """
    lacking = [_lack(record, path, shape) for path in findings.missing(found)]
    wrong = [each for each in found if each.level == "error" and not each.needs]
    lacking += [{"concept": each.path, "term": each.path, "how": f"{each.what}; {each.hint}"} for each in wrong]
    if not record.signals:
        lacking.append(
            {"concept": f"/{nxem.ENTRY}/{nxem.EVENT}", "term": NO_SIGNAL, "how": "the files hold no samples"}
        )
    return lacking


def _lack(record: Record, path: str, shape: outward.Outward) -> dict[str, str]:
    field = shape.field(path.partition("@")[0].removeprefix(f"/{nxem.ENTRY}/"))
    if field is None or not field.terms:
        return {"concept": path, "term": path, "how": "no term of the vocabulary stands for it"}
    return {"concept": path, "term": field.terms[0], "how": _how(record, field.terms[0], field)}


def _how(record: Record, term: str, field: outward.Field) -> str:
    """Say who can supply a term, as what to type."""
    session, profile = field.supply
    if term.startswith("acquisition.") and term not in record.terms:
        return "the files do not say when; nothing else can"
    if term.startswith("acquisition.") and _DAY.fullmatch(str(record.terms[term].value)):
        return "the files say only the day; nothing else can say when"
    if session is None:
        return "nothing can supply it yet"
    how = f"--set {session}={forms.EXAMPLES.get(session, '…')}, or so in the folder's session (nffa session new)"
    if profile is not None:
        option = f"--{profile.replace('_', '-')} {forms.EXAMPLES.get(session, '…')}"
        how += f", or once in the instrument's profile (nffa profile add NAME … {option})"
    if any(each.code == DOUBTFUL and each.detail.startswith(f"{term}: ") for each in record.warnings):
        return f"two clocks in the file differ, and no zone that was told explains both; one that does: {how}"
    return f"{how}; with its offset" if field.type == "time" and term in record.terms and session == term else how
