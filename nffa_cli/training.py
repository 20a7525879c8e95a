"""``nffa model train``: which way of making a model is meant, its files written, its figures told; not how it is made."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nffa_cli import settings, shrinking
from nffa_cli.catalogue.opinions import holding
from nffa_cli.catalogue.store import Store
from nffa_cli.classify import models
from nffa_cli.classify.train import names
from nffa_cli.classifying import try_model
from nffa_cli.errors import DiskError, UsageError
from nffa_cli.measuring import figure_rows
from nffa_cli.terminal import Terminal


@dataclass(frozen=True, slots=True)
class Asked:
    """What was typed; see ``commands.model_train``."""

    folder: Path | None
    rendered: int
    few_shot: Path | None
    from_review: bool
    base: str
    out: Path
    measure: Path | None
    cache: Path | None
    seed: int
    epochs: int
    size: int
    views: int
    jobs: int | None
    command: str


def train(asked: Asked, values: settings.Settings, terminal: Terminal) -> int:
    """Make a model in the way that was asked for, write it with its card, and return the exit status.

    Raises
    ------
    UsageError
        No way or more than one was named, or there are too few pictures.
    """
    ways = [asked.folder is not None or asked.rendered > 0, asked.few_shot is not None, asked.from_review]
    if sum(ways) != 1:
        hint = "nffa model train FOLDER, --rendered 2000, both of these, or --few-shot FOLDER, or --from-review"
        raise UsageError("say what to learn from, in one way", hint=hint)
    if asked.measure is not None and not ways[0]:
        hint = f"nffa model measure {asked.measure} --model {asked.out}, when it is taught"
        raise UsageError("--measure goes with a training, not with a teaching", hint=hint)
    if asked.out.suffix != models.SUFFIX or not models.NAME.fullmatch(asked.out.stem):
        raise UsageError(f"{asked.out.name!r} is no name for a model", hint="--out my-model.onnx")
    _room_for(asked.out)
    return _train(asked, terminal) if ways[0] else _teach(asked, values, terminal)


def _room_for(out: Path) -> None:
    """Say before hours are spent that the model cannot be written, or would take the place of what is no card of it."""
    if not os.access(out.absolute().parent, os.W_OK):
        raise DiskError("the model cannot be written: no such folder, or no right to write there", where=str(out))
    for each in (out.with_suffix(".md"), out.with_suffix(".png")):
        if each.exists() and not out.exists():
            raise UsageError("is there already, and the card goes there", where=str(each), hint="-o another-name.onnx")


def _train(asked: Asked, terminal: Terminal) -> int:
    from nffa_cli.classify.train import make

    make.need_torch()
    wish = make.Wish(
        asked.out, shrinking.shrunk, asked.folder, asked.rendered, asked.measure, asked.cache, asked.seed, asked.epochs,
        asked.size, asked.views, asked.jobs or os.cpu_count() or 1, asked.command,
    )  # fmt: skip
    made = make.make(wish, terminal.reporter())
    _write(asked.out, made.data, made.card, made.picture)
    _warn(made.warnings, terminal)
    parts = {"test": made.metrics["test"]}
    if "measured" in made.metrics:
        parts["measured"] = made.metrics["measured"]
    return _tell(asked.out, parts, terminal)


def _teach(asked: Asked, values: settings.Settings, terminal: Terminal) -> int:
    from nffa_cli.classify import onnx
    from nffa_cli.classify.train import teach

    place = models.find(asked.base or values["classify.model"])
    model, data = models.read(place)
    try_model(place, model.sha256, values)
    warnings: Sequence[str] = ()
    if asked.few_shot is not None:
        network = onnx.load(data, size=model.preprocess.size, labels=len(model.labels), where=model.where)
        seen, warnings = teach.from_place(asked.few_shot, model, network, shrinking.shrunk, terminal.reporter())
        name = asked.few_shot.absolute().name.encode(errors="replace").decode()
        origin = f"{'folder' if asked.few_shot.is_dir() else 'list'} {name}"
    else:
        seen, origin = teach.from_answers(_answers(model)), "answers of a review"
    made = teach.teach(seen, model, data, name=asked.out.stem, seed=asked.seed, origin=origin)
    _write(asked.out, made.data, made.card, None)
    _warn((*warnings, *made.warnings), terminal)
    return _tell(asked.out, {"before": made.adapted.before, "after": made.adapted.after}, terminal)


def _answers(model: models.Model) -> list[tuple[Sequence[float], bytes, str]]:
    """Return (logits, embedding, label) of what this model has seen and persons agree on."""
    said = defaultdict(list)
    with Store.open(settings.catalogue_path(), readonly=True) as store:
        for answer in store.opinions.labelled():
            said[answer.sha256].append(answer)
        rows: list[tuple[Sequence[float], bytes, str]] = []
        for sha256, answers in said.items():
            meant = {
                names.NONE if each.answer == "none" else each.label
                for each in holding(answers)
                if each.answer != "unclear" and each.how != "bulk"  # what nobody looked at teaches nothing
            }
            known = store.opinions.of(sha256, model.sha256)
            if len(meant) == 1 and known is not None:
                rows.append((known.logits, known.embedding, str(meant.pop())))
    if not rows:
        what = f"no picture that {model.name} has classified carries a label of a person"
        raise UsageError(what, hint="nffa classify FOLDER, then nffa review")
    return rows


def _write(out: Path, data: bytes, card: str, picture: bytes | None) -> None:
    try:
        for path, content in ((out.with_suffix(".md"), card.encode()), (out.with_suffix(".png"), picture), (out, data)):
            if content is not None:
                draft = path.with_name(f".{path.name}.part")
                draft.write_bytes(content)
                draft.replace(path)
    except OSError as error:
        raise DiskError(f"the model cannot be written: {error.strerror}", where=str(out)) from error


def _warn(warnings: Sequence[str], terminal: Terminal) -> None:
    for each in warnings:
        terminal.data({"type": "problem", "where": None, "what": each, "hint": None})
        terminal.say(each)


def _tell(out: Path, parts: dict[str, dict[str, Any]], terminal: Terminal) -> int:
    model, data = models.read(models.Place(out, "file"))
    terminal.data({"type": "model", **model.as_json()})
    terminal.data({"type": "summary", "models": 1})
    terminal.table(("figure", *(f">{name}" for name in parts)), figure_rows(*parts.values()))
    counts = ", ".join(f"{name} {part['n']} + {part['n_none']} of none" for name, part in parts.items())
    terminal.line(f"pictures: {counts}")
    terminal.line(f"wrote {out} ({len(data) / 1e6:.1f} MB) and its card {out.with_suffix('.md')}")
    terminal.hint(f"Next: nffa model add {out}")
    return 0
