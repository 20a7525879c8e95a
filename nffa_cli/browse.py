"""How the catalogue's answers are shown: entries as a table, one acquisition whole, the state of things."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from nffa_cli import settings, story
from nffa_cli.catalogue.rows import Entry, StatusReport
from nffa_cli.catalogue.store import Store
from nffa_cli.spoken import size as size
from nffa_cli.spoken import when as when
from nffa_cli.terminal import Column, Terminal

GLANCE = ("instrument.model", "beam.accelerating_voltage", "optics.magnification", "detector.name", "sample.name")
"""Terms that a line of a list shows."""

CATEGORY = Column("category", least=10, drop=1)
COLUMNS = (
    Column("id"), Column("acquired", drop=1), Column("format", drop=4), Column("instrument", least=12, drop=2),
    Column("voltage", right=True, drop=3), Column("magn.", right=True, drop=5), Column("detector", least=8, drop=6),
    Column("sample", least=8, drop=7), Column("file", least=20, tail=True),
)  # fmt: skip
"""What a list shows of each acquisition: in a narrow window, who, when, on what and where."""


def preview_path(entry: Entry) -> str | None:
    """Return where the preview of an entry lies."""
    return (settings.home() / "previews" / entry.preview).as_posix() if entry.preview else None


def forward(path: str) -> str:
    """Return a path as every line shows it: with forward slashes on every system."""
    return path.replace(os.sep, "/")


def as_json(entry: Entry) -> dict[str, Any]:
    """Return the JSON line of an entry."""
    head = {
        "type": "acquisition",
        "acquisition": entry.id,
        "path": forward(entry.path),
        "digest": entry.digest,
        "ingested_at": entry.ingested_at,
        "preview": preview_path(entry),
    }
    record = entry.record
    return {
        **head,
        **{key: record[key] for key in ("format", "status", "signals", "terms", "missing", "unmapped", "warnings")},
        "category": entry.category.as_json() if entry.category else None,
    }


def category(entry: Entry) -> str:
    """Return what a list says of what the picture shows: a person's word, else the model's, with a ? unless accepted."""
    known = entry.category
    if known is None or known.label is not None or known.predicted is None:
        return (known and known.label) or ""
    if known.decision == "none":
        return "none?"
    return known.predicted + ("" if known.decision == "accepted" else "?")


def entries(found: Iterable[Entry], limit: int, terminal: Terminal) -> int:
    """Show a list of acquisitions; return the exit status."""
    shown = []
    for entry in found:
        shown.append(entry)
        terminal.data(as_json(entry))
    terminal.data({"type": "summary", "acquisitions": len(shown)})
    table(shown, terminal)
    more = f"; there may be more: --limit {4 * limit}" if len(shown) == limit else ""
    terminal.line(f"{len(shown)} acquisition{'s' * (len(shown) != 1)}{more}" if shown else "nothing found")
    if shown:
        terminal.hint("Next: nffa show ID")
    return 0


def table(shown: Sequence[Entry], terminal: Terminal) -> None:
    """Show acquisitions to a person, one a line."""
    if terminal.as_json or not shown:
        return
    rows = []
    for entry in shown:
        terms = entry.record["terms"]
        glance = [story.quantity(terms[name]["value"], terms[name]["unit"]) if name in terms else "" for name in GLANCE]
        started = when(str(terms["acquisition.start"]["value"])) if "acquisition.start" in terms else ""
        rows.append((entry.id[:8], started, entry.format, *glance, category(entry), entry.path))
    if any(entry.category for entry in shown):
        terminal.table((*COLUMNS[:-1], CATEGORY, COLUMNS[-1]), rows)
    else:
        terminal.table(COLUMNS, [(*row[:-2], row[-1]) for row in rows])


def one(store: Store, target: str, terminal: Terminal, *, raw: bool) -> int:
    """Show one acquisition with its versions; return the exit status."""
    from nffa_cli.reading import unpack_json

    shown = store.show(target)
    entry = shown.entry
    assets = store.assets(entry.id)
    current = next(version for version in shown.versions if version.current)
    line = as_json(entry) | {
        "files": [{"path": forward(f.path), "size": f.size, "sha256": f.sha256, "role": f.role} for f in current.files],
        "aliases": [forward(alias) for alias in shown.aliases],
        "assets": [asset.as_json() for asset in assets],
        "superseded_by": shown.superseded_by,
        "vanished_at": shown.vanished_at,
        "provenance": {name: getattr(current.provenance, name) for name in current.provenance.__dataclass_fields__},
        "versions": [{"digest": v.digest, "ingested_at": v.ingested_at, "current": v.current} for v in shown.versions],
    }
    line |= seen(store, current.files[0].sha256)
    if raw:
        line["raw"] = unpack_json(store.raw(entry.id))["tree"]
    terminal.data(line)
    terminal.data({"type": "summary", "acquisitions": 1})
    story.show_record(line, terminal)
    terminal.line(
        f"  id {entry.id}, version {entry.digest[:16]} of {len(shown.versions)}, ingested {entry.ingested_at}"
    )
    for alias in shown.aliases:
        terminal.line(f"  the same content was seen at {alias}")
    tell_seen(line, terminal)
    for asset in assets:
        terminal.line(f"  {asset.kind}: {asset.path}" + ("" if asset.complete else "  (incomplete)"))
    if shown.vanished_at:
        terminal.line(f"  the file was gone when nffa looked at {shown.vanished_at}")
    if entry.preview:
        terminal.line(f"  preview: {preview_path(entry)}")
    if raw:
        story.show_trees(line, terminal)
    return 0


def seen(store: Store, sha256: str) -> dict[str, Any]:
    """Return what the model used last and what persons say a picture shows, apart from each other."""
    found = store.opinions.newest(sha256)
    prediction = None
    if found is not None:
        model, made = found
        prediction = {
            "label": made.label, "score": round(made.score, 6), "decision": made.decision,
            "in_distribution": made.in_distribution, "model": model["name"], "model_sha256": model["sha256"],
            "at": made.made_at,
        }  # fmt: skip
    return {"prediction": prediction, "labels": [each.as_json() for each in store.opinions.labels(sha256)]}


def tell_seen(line: Mapping[str, Any], terminal: Terminal) -> None:
    """Show to a person what persons say, and after it what a model says."""
    for each in line["labels"]:
        words = " or ".join(word for word in (each["label"], each["second"]) if word) or each["answer"]
        terminal.line(f"  {each['labeller']} says: {words}" + (f" ({each['note']})" if each["note"] else ""))
    if (made := line["prediction"]) is not None:
        sure = f"{made['label']} {made['score']:.2f}, {made['decision']}"
        terminal.line(f"  {made['model']} says: {sure}, looks like one of its kind {made['in_distribution']:.2f}")


def status(report: StatusReport, terminal: Terminal) -> int:
    """Show the state of the catalogue; return the exit status."""
    for held, path, reason in report.held:
        terminal.data({"type": "held", "path": forward(path), "status": held, "reason": reason})
        terminal.line(f"{held:<12} {path}  ({reason})")
    for path, result in report.bad_files:
        terminal.data({"type": "check", "path": forward(path), "result": result})
        terminal.line(f"{result:<12} {path}  (found by nffa check)")
    counts = {"acquisitions": report.acquisitions, "versions": report.versions, "by_status": dict(report.by_status)}
    sizes = {"bytes_described": report.bytes_described, "bytes_catalogue": report.bytes_catalogue}
    where = settings.catalogue_path().as_posix()
    terminal.data({"type": "summary", "catalogue": where, **counts, "by_format": dict(report.by_format), **sizes})
    terminal.table(("format", ">acquisitions"), report.by_format.items())
    terminal.line(f"{report.acquisitions} acquisitions describe {size(report.bytes_described)}; the catalogue takes "
                  f"{size(report.bytes_catalogue)}: {where}")  # fmt: skip
    return 0
