"""``nffa model``: what is installed, what a model says of itself, and whether it may be used."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nffa_cli.classify import models
from nffa_cli.classifying import try_model
from nffa_cli.errors import ModelError
from nffa_cli.settings import Settings
from nffa_cli.terminal import Column, Terminal

COLUMNS = (
    Column("model"), Column("version"), Column("labels", right=True), Column("from"), Column("licence", drop=1),
    Column("size", right=True, drop=2), Column("file", least=20, tail=True),
)  # fmt: skip


def tell_list(terminal: Terminal) -> int:
    """Show the models that a list names; return the exit status: 1 where one may not be used."""
    rows, bad = [], 0
    for place in models.places():
        try:
            model, _ = models.read(place)
        except ModelError as error:
            bad += 1
            terminal.data({"type": "problem", "where": str(place.path), "what": error.what, "hint": error.hint})
            terminal.line(f"refused      {place.path}  ({error.what})")
            continue
        terminal.data({"type": "model", **model.as_json()})
        size = f"{model.size / 1e6:.1f} MB"
        row = (model.name, model.version, len(model.labels), model.origin, model.about["licence"], size, model.where)
        rows.append(row)
    terminal.data({"type": "summary", "models": len(rows)})
    if rows:
        terminal.table(COLUMNS, rows)
    else:
        terminal.line("no model is installed")
        terminal.hint(models.GET_ONE)
    return 1 if bad else 0


def tell_one(wanted: str, terminal: Terminal) -> int:
    """Show what one model says of itself; return the exit status."""
    model, _ = models.read(models.find(wanted))
    terminal.data({"type": "model", **model.as_json()})
    terminal.data({"type": "summary", "models": 1})
    terminal.line(f"{model.name} {model.version}   {model.origin}   sha256 {model.sha256}")
    terminal.table(("label", ">accepted from"), [(label, f"{model.thresholds[label]:.2f}") for label in model.labels])
    wish = model.preprocess
    terminal.line(
        f"  pictures: {wish.views} views of {wish.size} × {wish.size}, short side {wish.short}, data bar cut off"
    )
    terminal.line(f"  temperature {model.temperature:.3g}; none of these below {model.none.threshold:.3g}")
    for key in ("licence", "trained_on", "trainer"):
        terminal.line(f"  {key.replace('_', ' ')}: {model.about[key]}")
    for name, value in _flat(model.about["metrics"]):
        terminal.line(f"  {name}: {value}")
    terminal.line()
    for line in str(model.about["card"]).splitlines():
        terminal.line(line)
    return 0


def _flat(value: Any, before: str = "metrics") -> list[tuple[str, Any]]:
    if isinstance(value, Mapping):
        return [pair for key, inner in value.items() for pair in _flat(inner, f"{before}.{key}")]
    return [(before, value)]


def verify(wanted: str, values: Settings, terminal: Terminal) -> int:
    """Read, look into and run a model; return the exit status. Raises ModelError where it may not be used."""
    place = models.find(wanted)
    model, _ = models.read(place)
    try_model(place, model.sha256, values)
    terminal.data({"type": "model", **model.as_json()})
    terminal.data({"type": "summary", "models": 1})
    known = "is on its list" if model.is_pinned else "is on no list of trusted models"
    terminal.line(f"{model.name} {model.version} may be used: its SHA-256 {known}, and it runs")
    if not model.is_pinned:
        terminal.hint(f"Next: nffa model add {model.where}")
    return 0


def add(file: str, values: Settings, terminal: Terminal, *, replace: bool) -> int:
    """Install a model; return the exit status."""
    model = models.add(Path(file), trial=lambda place, sha256: try_model(place, sha256, values), replace=replace)
    terminal.data({"type": "model", **model.as_json()})
    terminal.data({"type": "summary", "models": 1})
    terminal.line(f"added {model.name} {model.version}")
    terminal.hint(f"Next: nffa classify FOLDER --model {model.name}")
    return 0


def remove(name: str, terminal: Terminal) -> int:
    """Remove a model that was added; return the exit status."""
    path = models.remove(name)
    terminal.data({"type": "summary", "models": 0})
    terminal.line(f"removed {path}")
    return 0
