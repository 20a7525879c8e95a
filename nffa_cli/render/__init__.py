"""A procedural renderer of SEM pictures of the ten categories, and of things that are none of them; not a simulator.

``render(label, seed)`` gives one grey picture as a classifier sees it: a 1024 × 768 picture shrunk four times. The
same seed gives the same bytes. Kinds draw scenes (``scene``), ``electrons`` makes the picture, ``bars`` adds data bars.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from nffa_cli.render.compose import Rendering, compose
from nffa_cli.render.kind import Kind

NONE = "none of the ten"
"""The eleventh label."""

MODULES = {
    "Biological": "biological",
    "Fibres": "fibres",
    "Films and Coated Surface": "films",
    "MEMS devices and electrodes": "mems",
    "Nanowires": "nanowires",
    "Particles": "particles",
    "Patterned surface": "patterned",
    "Porous Sponge": "porous",
    "Powder": "powder",
    "Tips": "tips",
    NONE: "none",
}
"""Label → module of ``kinds`` that draws it."""

__all__ = ["MODULES", "NONE", "Kind", "Rendering", "categories", "render", "sub_kinds"]


def sub_kinds(label: str) -> Mapping[str, Kind]:
    """Return the sub-kinds of a label: name → kind."""
    if label not in MODULES:
        raise ValueError(f"{label!r} is no label: one of {', '.join(MODULES)}")
    found: Mapping[str, Kind] = import_module(f"nffa_cli.render.kinds.{MODULES[label]}").KINDS
    return found


def categories() -> dict[str, Mapping[str, Kind]]:
    """Return label → its sub-kinds, for the ten labels and "none of the ten"."""
    return {label: sub_kinds(label) for label in MODULES}


def render(label: str, seed: int, shape: tuple[int, int] = (192, 256), *, kind: str | None = None) -> Rendering:
    """Return one rendered picture.

    Parameters
    ----------
    label
        One of the ten labels or ``NONE``.
    seed
        Any whole number from 0; the same one gives the same bytes.
    shape
        Rows and columns of the picture; at least 64 × 64.
    kind
        Name of a sub-kind; without it one is drawn at random, each as likely.
    """
    return compose(label, sub_kinds(label), seed, shape, kind=kind)
