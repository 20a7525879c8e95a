"""From pictures to a model file with its card: the order of the steps; torch is imported here, lazily.

Temperature, thresholds and the rule for none are fitted on validation pictures, figures come from test pictures that
nothing was fitted on, and ``measure`` names pictures that are only measured.
"""

from __future__ import annotations

import datetime
import json
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nffa_cli import __version__
from nffa_cli.classify.train import card, drawing, measured, measures, names, split
from nffa_cli.classify.train.pictures import FIELD, Pictures, Read, from_place, together
from nffa_cli.classify.train.renders import digest, rendered
from nffa_cli.errors import MissingPackage, UsageError
from nffa_cli.progress import Reporter

if TYPE_CHECKING:
    from nffa_cli.classify.train.fit import Plan, Scale
    from nffa_cli.classify.train.network import Network

PRECISION = 0.9
"""Share that is to be right among what a label is accepted for."""
LEAST_ACCEPTED = {"rendered": 0.9, "folder": 0.5}
"""No score below is accepted: a network that has seen rendered pictures only is surer than it should be."""
SEEDS = 1 << 24
"""How far apart the seeds of training, validation and test begin."""
ENOUGH = 500
"""With fewer photographs for calibration the scores are not called calibrated."""
LICENCE = {"rendered": "GPL-3.0-or-later", "folder": "that of the pictures it was trained on"}


@dataclass(frozen=True, slots=True)
class Wish:
    """What to train on, and how.

    folder
        A folder per category, or a list of labels; None: rendered pictures only.
    rendered
        Rendered pictures of each label in the training set; 0: none.
    measure
        The same, only measured.
    read
        Reads the pictures of folders.
    command
        What was typed, for the card.
    """

    out: Path
    read: Read
    folder: Path | None = None
    rendered: int = 0
    measure: Path | None = None
    cache: Path | None = None
    seed: int = 0
    epochs: int = 8
    size: int = 160
    views: int = 4
    jobs: int = 1
    command: str = ""


@dataclass(frozen=True, slots=True)
class Made:
    """A model that was made: its bytes, its card in Markdown, its confusion picture, its figures, and what to look at."""

    data: bytes
    card: str
    picture: bytes
    metrics: dict[str, Any]
    warnings: tuple[str, ...]


@dataclass(slots=True)
class Sets:
    """The three parts, the pictures that are only measured, and what they hold for people."""

    training: Pictures
    validation: Pictures
    test: Pictures
    strangers: Pictures | None
    labels: tuple[str, ...]
    kinds: dict[str, int]
    warnings: list[str]


def need_torch() -> None:
    """Say what to type where torch is not there; ask its threads to wait without work, for others share the processors.

    Raises
    ------
    MissingPackage
        torch or onnx cannot be imported.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("GOMP_SPINCOUNT", "0")
    try:
        import onnx  # noqa: F401
        import torch  # noqa: F401
    except ImportError as error:
        what = f"training needs the package {error.name or 'torch'}, which is not installed"
        raise MissingPackage(what, hint='pip install "nffa-cli[train]"') from error


def make(wish: Wish, reporter: Reporter) -> Made:
    """Train a model and return it with its figures.

    Raises
    ------
    MissingPackage
        torch is not installed.
    UsageError
        There is nothing to train on.
    """
    need_torch()
    from nffa_cli.classify.train import fit

    began = time.monotonic()
    sets = collect(wish, reporter)
    plan = fit.Plan(epochs=wish.epochs, seed=wish.seed, size=wish.size, views=wish.views, threads=wish.jobs)
    network, scale = fit.fit(sets.training, (*sets.labels, names.NONE), plan, reporter)
    minutes = (time.monotonic() - began) / 60
    return finish(wish, sets, network, scale, plan, reporter, minutes=minutes)


def collect(wish: Wish, reporter: Reporter) -> Sets:
    """Return the pictures in three parts; without pictures of none in the folder, none is learned from rendered ones."""
    if wish.folder is None and not wish.rendered:
        raise UsageError("there is nothing to train on", hint="nffa model train FOLDER, or --rendered 2000")
    parts: list[list[Pictures]] = [[], [], []]
    warnings: list[str] = []
    ours: Sequence[str] = ()
    if wish.folder is not None:
        found = from_place(wish.folder, wish.read, reporter)
        warnings += found.doubts + [f"not read: {path} ({why})" for path, why in found.skipped]
        grouped = split.groups(found.images)
        for part, rows in zip(parts, split.split(found.labels, grouped, seed=wish.seed), strict=True):
            part.append(found.only(rows))
        ours = tuple(sorted(set(found.labels) - {names.NONE}))
    labels = names.LABELS if wish.rendered and set(ours) <= set(names.LABELS) else tuple(sorted({*ours, *_ten(wish)}))
    lacks_none = wish.folder is not None and not any(names.NONE in part[0].labels for part in parts)
    if wish.rendered or lacks_none:
        count = wish.rendered or max(20, len(parts[0][0]) // max(1, len(ours)))
        wanted = (*(_ten(wish)), names.NONE)
        for n, share in enumerate((1.0, 0.12, 0.12)):
            alone = wanted if not ours or n == 0 else (names.NONE,) * lacks_none
            if alone:
                seed = 3 * SEEDS * wish.seed + n * SEEDS
                some = max(8, round(count * share))
                parts[n].append(
                    rendered(some, reporter, seed=seed, cache=_cache(wish), jobs=max(1, wish.jobs), labels=alone)
                )
    training, validation, test = (together(*part) for part in parts)
    if min(len(set(part.labels) - {names.NONE}) for part in (validation, test)) < 2:
        hint = "20 pictures of each category, of several samples; of fewer, nffa model train --few-shot makes more"
        raise UsageError("too few unlike pictures: none are left to calibrate and to measure on", hint=hint)
    strangers = None if wish.measure is None else from_place(wish.measure, wish.read, reporter)
    kinds = {label: len({k for k in training.kinds if k.startswith(f"{label}: ")}) for label in (*labels, names.NONE)}
    return Sets(training, validation, test, strangers, labels, {k: n for k, n in kinds.items() if n}, warnings)


def _ten(wish: Wish) -> tuple[str, ...]:
    return names.LABELS if wish.rendered else ()


def _cache(wish: Wish) -> Path:
    from nffa_cli import settings

    return wish.cache or settings.make_home() / "renders"


def finish(
    wish: Wish, sets: Sets, network: Network, scale: Scale, plan: Plan, reporter: Reporter, *, minutes: float
) -> Made:
    """Return the model of a trained network: fit what validation fits, measure, export, write the card."""
    from nffa_cli.classify.train import export, fit

    classes = (*sets.labels, names.NONE)
    reporter.begin("measuring", None)

    def judged(pictures: Pictures, *, is_told: bool = False) -> tuple[Any, Any]:
        truth = np.array([classes.index(label) for label in pictures.labels], np.intp)
        return fit.predict(network, pictures, plan, scale, is_told=is_told)[0], truth

    logits, truth = judged(sets.validation)
    temperature = measures.temperature(logits, truth)
    source = "folder" if wish.folder else "rendered"
    chances = measures.softmax(logits / temperature)
    least = LEAST_ACCEPTED[source]
    limits = measures.thresholds(chances, truth, labels=sets.labels, precision=PRECISION, least=least)
    rule = measures.none_rule(logits, truth, temperature=temperature)

    def report(logits: Any, truth: Any) -> dict[str, Any]:
        decisions = measures.decided(logits, labels=sets.labels, temperature=temperature, limits=limits, rule=rule)
        return measures.report(logits, truth, labels=sets.labels, temperature=temperature, decisions=decisions)

    def figures(pictures: Pictures, *, is_told: bool = False) -> dict[str, Any]:
        return report(*judged(pictures, is_told=is_told))

    metrics: dict[str, Any] = {"test": figures(sets.test)}
    if np.isfinite(sets.test.pixel).any():
        metrics["test_with_pixel_size"] = figures(sets.test, is_told=True)
    if wish.measure is not None and sets.strangers is not None:
        some = sets.strangers.only([n for n, label in enumerate(sets.strangers.labels) if label in classes])
        logits, truth = judged(some)
        said = measures.answers(logits, truth)
        metrics["measured"] = measured.figures(
            wish.measure, some.sources, said == truth, lambda rows: report(logits[rows], truth[rows])
        )
    counts = {"training": len(sets.training), "validation": len(sets.validation), "test": len(sets.test)}
    metrics |= {"pictures": counts, "calibrated": wish.folder is not None and len(sets.validation) >= ENOUGH}
    short = round(plan.size * FIELD)
    trained_on = _trained_on(wish, sets)
    texts = {
        "schema": "1", "name": wish.out.stem, "version": f"{datetime.datetime.now(datetime.UTC):%Y.%m.%d}",
        "labels": json.dumps(sets.labels, ensure_ascii=False),
        "preprocess": json.dumps({
            "size": plan.size, "short": short, "views": plan.views, "bar": "crop", "levels": "native",
            "scale_mean": round(scale.mean, 4), "scale_std": round(scale.deviation, 4),
        }),
        "temperature": json.dumps(temperature), "thresholds": json.dumps(limits, ensure_ascii=False),
        "none": json.dumps(rule), "trained_on": trained_on, "licence": LICENCE[source],
        "metrics": json.dumps(metrics, ensure_ascii=False, allow_nan=False),
        "trainer": f"nffa {__version__}, seed {wish.seed}, {datetime.datetime.now(datetime.UTC):%Y-%m-%d}",
    }  # fmt: skip
    facts = card.Facts(
        wish.command, minutes, wish.jobs, {key: value for key, value in asdict(plan).items() if key != "threads"},
        sum(p.numel() for name, p in network.named_parameters() if not name.startswith("kinds.")), sets.kinds,
        digest() if wish.rendered else None,
    )  # fmt: skip
    texts["card"] = written = card.card(texts, metrics, facts)
    network.kinds = None
    data = export.exported(network, size=plan.size, texts=texts)
    picture = drawing.confusion(metrics["test"]["confusion"], classes)
    reporter.end()
    return Made(data, written, picture, metrics, tuple(sets.warnings))


def _trained_on(wish: Wish, sets: Sets) -> str:
    parts = []
    if wish.folder is not None:
        name = wish.folder.absolute().name.encode(errors="replace").decode()
        parts.append(f"pictures of the {'folder' if wish.folder.is_dir() else 'list'} {name}")
    if wish.rendered:
        kinds = sum(sets.kinds.values())
        parts.append(f"{wish.rendered} rendered pictures of each label ({kinds} sub-kinds), by nffa itself")
    return f"{' and '.join(parts)}: {len(sets.training)} pictures" + (
        "" if wish.folder else "; no photograph among them"
    )
