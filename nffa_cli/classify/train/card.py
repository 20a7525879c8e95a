"""The card of a model: what it was trained on, what it was measured on, how to make it again; Markdown from its figures."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Facts:
    """What the metadata do not say: the command, the time it took, the plan, the size, the sub-kinds, the renderer."""

    command: str
    minutes: float
    threads: int
    plan: Mapping[str, Any]
    weights: int
    kinds: Mapping[str, int]
    renderer: str | None


def card(texts: Mapping[str, str], metrics: Mapping[str, Any], facts: Facts) -> str:
    """Return the card."""
    return "\n".join(_lines(texts, metrics, facts)) + "\n"


def _lines(texts: Mapping[str, str], metrics: Mapping[str, Any], facts: Facts) -> Iterator[str]:
    yield f"# {texts['name']}"
    yield ""
    yield f"Trained on {texts['trained_on']}."
    yield ""
    if facts.renderer:
        yield "**Rendered pictures are not photographs.** Figures on rendered pictures say that training worked, not how good the"
        yield "model is on yours. Look at `nffa model report` after some reviewing, and adapt: `nffa model train --from-review`."
        yield ""
    yield "| | |"
    yield "|---|---|"
    yield f"| version | {texts['version']} |"
    yield f"| licence | {texts['licence']} |"
    yield f"| made by | {texts['trainer']} |"
    yield f"| command | `{facts.command}` |"
    yield f"| time | {facts.minutes:.0f} minutes on {facts.threads} processors, shared with other work |"
    yield f"| weights | {facts.weights / 1e6:.2f} million |"
    yield f"| plan | {', '.join(f'{key} {value}' for key, value in facts.plan.items())} |"
    yield f"| pictures | {', '.join(f'{n} {part}' for part, n in metrics['pictures'].items())} |"
    if facts.kinds:
        yield f"| sub-kinds | {', '.join(f'{label} {n}' for label, n in facts.kinds.items())} |"
    if facts.renderer:
        yield f"| renderer | SHA-256 of its source {facts.renderer[:16]} |"
    yield ""
    titles = {
        "test": "Test pictures of the same kind, which nothing was fitted on",
        "test_with_pixel_size": "The same, the network told the pixel size",
        "measured": "Real pictures of other laboratories, only measured",
    }
    for key, title in titles.items():
        if key in metrics:
            yield from _figures(title, metrics[key])
    yield "## What is fitted on validation pictures"
    yield ""
    yield f"Temperature {texts['temperature']}. Scores from which a label is accepted:"
    limits = json.loads(texts["thresholds"])
    yield ", ".join(f"{label} {limit:g}" for label, limit in limits.items()) + "."
    if not metrics["calibrated"]:
        yield ""
        yield "**Not calibrated for your instrument**: fewer than 500 photographs were there to calibrate on."


def _figures(title: str, found: Mapping[str, Any]) -> Iterator[str]:
    yield f"## {title}"
    yield ""
    if not found["n"]:
        yield "No pictures of its labels."
        yield ""
        return
    yield f"{found['n']} pictures of the labels, {found['n_none']} of none of them."
    yield ""
    yield "| figure | |"
    yield "|---|---:|"
    rows = (
        ("accuracy (top 1)", "accuracy"), ("mean recall of the labels (balanced accuracy)", "balanced_accuracy"),
        ("macro-F1", "macro_f1"), ("right among the first two", "top2"),
        ("accuracy, none counted as one more answer", "accuracy_with_none"),
        (f"expected calibration error ({found['ece_bins']} bins)", "ece"),
        ("AUROC of telling none", "rejection_auroc"), ("none that pass where 95 % of ours do", "rejection_fpr95"),
    )  # fmt: skip
    for name, key in rows:
        if found[key] is not None:
            yield f"| {name} | {found[key]:.3f} |"
    for share, right in found["coverage"].items():
        yield f"| right among the surest {100 * float(share):.0f} % | {right:.3f} |"
    yield from _decisions(found.get("decisions", {}))
    yield ""
    yield "| label | pictures | recall |"
    yield "|---|---:|---:|"
    for label, each in found["recall"].items():
        yield f"| {label} | {each['n']} | {each['recall']:.2f} |"
    yield ""
    if found.get("clear"):
        only = found["clear"]
        yield f"Of the {only['n']} whose label is beyond doubt: accuracy {only['accuracy']:.3f}, macro-F1 {only['macro_f1']:.3f}."
        yield ""
    if "series" in found:
        yield (
            "Right of each series (folder and first word of the file name): "
            + ", ".join(f"{name} {each['right']}/{each['n']}" for name, each in found["series"].items())
            + "."
        )
        yield ""


def _decisions(found: Mapping[str, Any]) -> Iterator[str]:
    for whose, of in (("of_labels", "of pictures of the labels"), ("of_none", "of pictures of none")):
        if whose in found:
            told = ", ".join(f"{share:.2f} {name}" for name, share in found[whose].items())
            yield f"| what is said {of} | {told} |"
    if found.get("right_of_accepted") is not None:
        yield f"| right among what is accepted | {found['right_of_accepted']:.3f} |"
