"""TIFF dialects whose whole header is one XML text in a private tag: Zeiss ORION, Phenom, FEI Tecnai and Titan.

``tiff.py`` chooses among these functions; each takes the open file and its sidecars and returns a ``Vendor``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nffa_cli.extract import xmltree
from nffa_cli.extract.tiff import Tiff, Vendor
from nffa_cli.rawtree import get
from nffa_cli.records import Remark

PRIVATE = (34680, 34682, 34683, 65000)
"""Tags in which these instruments write their XML."""


def _parsed(tiff: Tiff, root: str) -> tuple[int, dict[str, Any], tuple[Remark, ...]]:
    """Return the tag whose XML begins with the element ``root``, the tree and what is wrong with the text."""
    page = tiff.pages[0]
    for code in PRIVATE:
        if code in page.tags and page.tags[code].complete:
            tree, why = xmltree.parse(page.text(code).lstrip("\ufeff \t\r\n"))
            if root in tree:
                return code, tree, (Remark("broken-xml", f"tag {code}: {why}"),) if why else ()
    return 0, {}, ()


def orion(tiff: Tiff, files: Sequence[str]) -> Vendor:
    """Read the XML of a helium ion microscope: each child of ImageTags is a value with its unit."""
    code, tree, warnings = _parsed(tiff, "ImageTags")
    return Vendor({str(code): tree} if code else {}, anchors={"header": f"{code}.ImageTags"}, warnings=warnings)


def phenom(tiff: Tiff, files: Sequence[str]) -> Vendor:
    """Read the XML of a Phenom desktop microscope: units are attributes."""
    code, tree, warnings = _parsed(tiff, "FeiImage")
    return Vendor({str(code): tree} if code else {}, anchors={"header": f"{code}.FeiImage"}, warnings=warnings)


def tem(tiff: Tiff, files: Sequence[str]) -> Vendor:
    """Read the XML of a Tecnai or Titan: a list of Data, each a Label with its Value and Unit.

    In the tree it is label → {"Value": text, "Unit": text}; a label that comes again keeps its first value there, and
    all are in ``Root.Data``, as written.
    """
    code, tree, warnings = _parsed(tiff, "Root")
    if not code:
        return Vendor()
    items = get(tree, "Root.Data")
    labels: dict[str, Any] = {}
    for item in items if isinstance(items, list) else [items]:
        label = item.get("Label") if isinstance(item, Mapping) else None
        if isinstance(item, Mapping) and isinstance(label, str) and label:
            labels.setdefault(label, {key: value for key, value in item.items() if key != "Label"})
    if len(labels) == (len(items) if isinstance(items, list) else 1):  # nothing is lost when the list goes
        tree = {"Root": {key: value for key, value in tree["Root"].items() if key != "Data"}}
    return Vendor({str(code): {**tree, "labels": labels}}, anchors={"header": f"{code}.labels"}, warnings=warnings)
