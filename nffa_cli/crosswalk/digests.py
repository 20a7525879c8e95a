"""Which crosswalk a record was made with, as a digest of bytes; found without parsing, since every run asks for all.

A format's digest covers its own file, the one it refers to (``same_as``) and the vocabulary; that of a format which is
read by the outward crosswalk of its name, that one. When it differs from the one
in a record's provenance, the record is due to be normalised again; nothing needs to be read again.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from nffa_cli.identify import FORMATS

SAME_AS = re.compile(rb"^same_as:\s*([A-Za-z0-9-]+)", re.MULTILINE)
FALLBACK = "rosetta"
"""The crosswalk of formats that have none of their own."""


def by_format(folder: Path) -> dict[str, str]:
    """Return {format: hex digest} for the crosswalk folder; formats without a crosswalk are not in it."""
    vocabulary = (folder / "vocabulary.yaml").read_bytes()
    texts = {
        path.stem: path.read_bytes() for path in (folder / "inward").glob("*.yaml") if ".examples" not in path.name
    }
    found = {}
    for name, text in texts.items():
        other = SAME_AS.search(text)
        base = texts.get(other[1].decode(), b"") if other else b""
        found[name] = hashlib.sha256(b"\0".join((text, base, vocabulary))).hexdigest()
    for path in (folder / "outward").glob("*.yaml"):
        found[path.stem] = hashlib.sha256(b"\0".join((path.read_bytes(), vocabulary))).hexdigest()
    if FALLBACK in found:
        generic = {fmt.name for fmt in FORMATS if fmt.family == "rosetta"} - set(found)
        found |= dict.fromkeys(generic, found[FALLBACK])
    return found
