"""Cells of a CSV file that a spreadsheet will open: what begins like a formula gets an apostrophe before it. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""First characters by which a spreadsheet takes a text for a formula."""


def cell(value: object) -> str:
    """Return the text of a cell; None is an empty one."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text


def text(cell: str) -> str:
    """Return the text that ``cell`` was given."""
    return cell[1:] if cell[:1] == "'" and cell[1:].startswith(FORMULA) else cell


def rows(values: Iterable[Iterable[object]]) -> str:
    """Return rows as CSV (RFC 4180), each with its line end."""
    written = io.StringIO()
    csv.writer(written).writerows([cell(each) for each in row] for row in values)
    return written.getvalue()
