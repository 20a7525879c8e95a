"""What the name of a folder of pictures means: a label as a string, never an index; pure.

The published NFFA-EUROPE sets number their categories by Table 1 of the paper (L0 is Porous Sponge); other projects number
them by the alphabet. So a number alone is taken as the paper's, and a number that contradicts a name is an error.
"""

from __future__ import annotations

import re

from nffa_cli.errors import UsageError

LABELS = (
    "Biological",
    "Fibres",
    "Films and Coated Surface",
    "MEMS devices and electrodes",
    "Nanowires",
    "Particles",
    "Patterned surface",
    "Porous Sponge",
    "Powder",
    "Tips",
)
"""The ten categories, spelled as everywhere."""

NONE = "none of the ten"
"""What stands for pictures of something else."""

PUBLISHED = {
    "L0": "Porous Sponge",
    "L1": "Patterned surface",
    "L2": "Particles",
    "L3": "Films and Coated Surface",
    "L4": "Powder",
    "L5": "Tips",
    "L6": "Nanowires",
    "L7": "Biological",
    "L8": "MEMS devices and electrodes",
    "L9": "Fibres",
}
"""Prefix in the published sets → label (Table 1 of doi 10.1038/sdata.2018.172)."""

NONE_NAMES = {"none", "noneoften", "noneoftheten", "noneofthese", "other", "ood", "notsem"}
NOT_CLEAR = {"notclear", "unclear", "skip"}
"""Folders that a reviewer fills and nobody learns from."""

PREFIX = re.compile(r"(L[0-9])(?=[_\-. ]|$)[_\-. ]*", re.IGNORECASE)


def label_of(folder: str) -> str | None:
    """Return the label that a folder's name means; None: its pictures are not to be learned from.

    Names of the ten are known however they are spelled (``Films_Coated_Surface``, ``L3_films``); any other name is a
    label of its own.

    Raises
    ------
    UsageError
        The number and the name contradict each other.
    """
    found = PREFIX.match(folder)
    prefix = found[1].upper() if found else None
    rest = folder[found.end() :] if found else folder
    named = _known(rest)
    if prefix is None or not _squeezed(rest):
        return named if prefix is None else PUBLISHED[prefix]
    if named != PUBLISHED[prefix] and _is_one_of_ours(rest):
        what = f"{prefix} means {PUBLISHED[prefix]!r} in the published sets, and the name says {named!r}"
        raise UsageError(what, where=folder, hint="rename the folder to the label alone")
    return named if _is_one_of_ours(rest) else PUBLISHED[prefix]


def listed(label: str) -> str | None:
    """Return the label that a word in a list means; None: its picture is not to be learned from.

    As of a folder's name, but numbers mean nothing: a list spells labels out.
    """
    return _known(label)


def prefix_of(file: str) -> str | None:
    """Return the label that the number in a published file's name (``L7_0a1b.jpg``) means, or None."""
    found = PREFIX.match(file)
    return PUBLISHED[found[1].upper()] if found else None


def _known(name: str) -> str | None:
    squeezed = _squeezed(name)
    if squeezed in NOT_CLEAR:
        return None
    if squeezed in NONE_NAMES:
        return NONE
    return next((label for label in LABELS if _squeezed(label) == squeezed), None) or name.strip(" _-.") or name


def _is_one_of_ours(name: str) -> bool:
    return _known(name) in (*LABELS, NONE)


def _squeezed(name: str) -> str:
    """Return what of a name counts: letters and digits, without "and" and plurals, in British spelling."""
    words = re.findall(r"[a-z0-9]+", name.lower().replace("fiber", "fibre"))
    return "".join(word.rstrip("s") for word in words if word != "and")
