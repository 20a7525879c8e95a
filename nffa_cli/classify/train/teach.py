"""A model taught by a person: a folder with a few pictures of each category, or the answers of a review; no torch."""

from __future__ import annotations

import datetime
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nffa_cli import __version__
from nffa_cli.classify import images, models, onnx, protobuf
from nffa_cli.classify.train import adapt, measures, names, pictures, split
from nffa_cli.classify.train.graft import grafted
from nffa_cli.errors import UsageError
from nffa_cli.progress import Reporter

FEWEST = 2
"""Pictures of a category below which nothing can be learned and checked."""
NEAR = 0.997
"""Cosine of two embeddings from which two pictures count as one."""
LEAST_ACCEPTED = 0.9


@dataclass(frozen=True, slots=True)
class Taught:
    """The new model's bytes and card, its figures before and after, and what was left out."""

    data: bytes
    card: str
    adapted: adapt.Adapted
    counts: dict[str, int]
    warnings: tuple[str, ...]


def from_place(
    place: Path, model: models.Model, network: onnx.Network, read: pictures.Read, reporter: Reporter
) -> tuple[adapt.Seen, list[str]]:
    """Return what a model makes of the pictures of a folder per category or of a list, and what could not be read."""
    wanted = model.preprocess
    listed, left_out = pictures.files(place)
    warnings = [f"not read: {path} ({why})" for path, why in left_out]
    logits, embeddings, labels, thumbs = [], [], [], []
    for path, label, picture in pictures.read_all(listed, read, wanted.short, reporter):
        if isinstance(picture, str):
            warnings.append(f"not read: {path} ({picture})")
            continue
        views = images.squares(picture.grey, wanted.size, wanted.views)
        scale = np.zeros((len(views), 2), np.float32)
        if picture.pixel_size is not None:
            scale[:] = (picture.told - wanted.scale_mean) / wanted.scale_std, 1.0
        found = network(views, scale)
        logits.append(found[0])
        embeddings.append(found[1])
        labels.append(label)
        thumbs.append(split.thumbnail((views[len(views) // 2, 0] * 255).astype(np.uint8)))
    if not labels:
        hint = "make a folder for each category, with 5 to 20 pictures inside: Nanowires/a.jpg, Powder/b.tif"
        why = f"; {warnings[0]}" if warnings else ""
        raise UsageError(f"no pictures in folders of categories are there{why}", where=str(place), hint=hint)
    grouped = split.alike(np.stack(thumbs), split.ALIKE)
    return adapt.Seen(
        np.stack(logits).astype(float), np.stack(embeddings).astype(float), tuple(labels), grouped
    ), warnings


def from_answers(rows: Sequence[tuple[Sequence[float], bytes, str]]) -> adapt.Seen:
    """Return what a model made of pictures that persons have labelled: (logits, embedding as float16, label) of each."""
    embeddings = np.stack([np.frombuffer(embedding, np.float16).astype(np.float32) for _, embedding, _ in rows])
    embeddings /= np.maximum(np.linalg.norm(embeddings, axis=1, keepdims=True), 1e-6)
    logits = np.array([logits for logits, _, _ in rows], float)
    grouped = split.alike(embeddings, NEAR)
    return adapt.Seen(logits[:, None], embeddings[:, None].astype(float), tuple(label for _, _, label in rows), grouped)


def teach(seen: adapt.Seen, model: models.Model, data: bytes, *, name: str, seed: int, origin: str) -> Taught:
    """Return the model that has learned from ``seen``.

    Parameters
    ----------
    origin
        Where the pictures come from, for the card.

    Raises
    ------
    UsageError
        There are too few pictures.
    """
    counts = Counter(seen.labels)
    few = sorted(label for label, n in counts.items() if n < FEWEST)
    if len(counts) - len(few) < 2:
        what = f"too few pictures: {', '.join(f'{label} {n}' for label, n in counts.items()) or 'none'}"
        raise UsageError(what, hint=f"two categories with {FEWEST} pictures each at least; 5 to 20 are good")
    kept = np.flatnonzero([label not in few for label in seen.labels])
    found = adapt.adapt(seen.only(kept), model.labels, temperature=model.temperature, seed=seed)
    counts = Counter({label: n for label, n in counts.items() if label not in few})
    texts = _texts(protobuf.outline(data).metadata, model, found, counts, name=name, seed=seed, origin=origin)
    card = _card(texts, found, counts)
    texts["card"] = card
    warnings = tuple(f"{label}: {seen.labels.count(label)} picture is too few; left out" for label in few)
    return Taught(grafted(data, found.layer, texts), card, found, dict(counts), warnings)


def _texts(
    old: dict[str, str],
    model: models.Model,
    found: adapt.Adapted,
    counts: Counter[str],
    *,
    name: str,
    seed: int,
    origin: str,
) -> dict[str, str]:
    chances = measures.softmax(found.held_out / found.temperature)
    limits = measures.thresholds(chances, found.truth, labels=found.labels, precision=0.9, least=LEAST_ACCEPTED)
    before = json.loads(old["thresholds"])
    limits = {label: limit if counts[label] else before.get(label, 0.99) for label, limit in limits.items()}
    rule = json.loads(old["none"])
    if counts[names.NONE]:
        rule = measures.none_rule(found.held_out, found.truth, temperature=found.temperature)
    today = f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}"
    number = sum(counts.values())
    metrics: dict[str, Any] = {
        "pictures": dict(counts), "calibrated": number >= 500, "cross_validated": found.after, "before": found.before,
        "trust": found.trust, "ridge": found.ridge, "base": model.about.get("metrics"),
    }  # fmt: skip
    return old | {
        "name": name, "version": today.replace("-", "."), "labels": json.dumps(found.labels, ensure_ascii=False),
        "temperature": json.dumps(found.temperature), "thresholds": json.dumps(limits, ensure_ascii=False),
        "none": json.dumps(rule), "metrics": json.dumps(metrics, ensure_ascii=False),
        "trained_on": f"{number} labelled pictures ({origin}), on top of {model.name} {model.version} "
        f"(SHA-256 {model.sha256[:16]}): {model.about['trained_on']}",
        "trainer": f"nffa {__version__}, seed {seed}, {today}",
    }  # fmt: skip


def _card(texts: dict[str, str], found: adapt.Adapted, counts: Counter[str]) -> str:
    rows = [("accuracy (top 1)", "accuracy"), ("balanced accuracy", "balanced_accuracy"), ("macro-F1", "macro_f1"),
            ("right among the first two", "top2"), ("AUROC of telling none", "rejection_auroc")]  # fmt: skip
    lines = [
        f"# {texts['name']}", "", f"Trained on {texts['trained_on']}.", "",
        "Figures of the same pictures, each judged by a layer that had not learned from it (five-fold, near-duplicates kept",
        "together). Pictures of one series are alike: pictures of another day or instrument will do worse.", "",
        "| figure | before | after |", "|---|---:|---:|",
    ]  # fmt: skip
    for title, key in rows:
        values = [found.before.get(key), found.after.get(key)]
        lines.append(f"| {title} | " + " | ".join("" if v is None else f"{v:.3f}" for v in values) + " |")
    lines += ["", "| label | pictures | found before | found after |", "|---|---:|---:|---:|"]
    for label, each in found.after["recall"].items():
        was = found.before["recall"][label]["recall"]
        lines.append(f"| {label} | {each['n']} | {was:.2f} | {each['recall']:.2f} |")
    if found.alone:
        lines += [
            "",
            f"The pictures of {', '.join(found.alone)} are all alike and were not kept together: their figures say little.",
        ]
    if not counts[names.NONE]:
        lines += [
            "",
            "No picture of none of the labels was among them: what is none is told as the model told it before.",
        ]
    if sum(counts.values()) < 500:
        lines += ["", "**Not calibrated for your instrument**: fewer than 500 pictures were there to calibrate on."]
    return "\n".join(lines) + "\n"
