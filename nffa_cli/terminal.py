"""The only module that prints: results to stdout (text or JSON Lines), talk to stderr, tables and bars with Rich.

JSON Lines are ASCII, hold no NaN, and one object a line. Control characters in names and metadata never reach a terminal.
"""

from __future__ import annotations

import base64
import json
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

WIDE = 240
"""Columns of a table that goes into a file or a pipe, where nobody's window cuts it."""

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


_ENCODER = json.JSONEncoder(ensure_ascii=True, allow_nan=False, default=dict)  # a Mapping need not be a dict


def printable(text: object) -> str:
    """Return text that a terminal shows as it is: control characters escaped, broken characters replaced."""
    clean = CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), str(text))
    return clean.encode("utf-8", "replace").decode("utf-8")


def json_line(value: Mapping[str, Any]) -> str:
    """Return one line of JSON; each path that is not UTF-8 gets a ``path_b64`` beside it that is exact."""
    line = _ENCODER.encode(value)
    return (
        _ENCODER.encode(_exact_paths(value)) if "\\ud" in line else line
    )  # only what is not UTF-8, and emoji, need a look


def _exact_paths(value: Any) -> Any:
    if isinstance(value, Mapping):
        found = {key: _exact_paths(item) for key, item in value.items()}
        path = value.get("path")
        if isinstance(path, str) and not _is_unicode(path):
            found["path_b64"] = base64.b64encode(os.fsencode(path)).decode("ascii")
        return found
    if isinstance(value, (list, tuple)):
        return [_exact_paths(item) for item in value]
    if isinstance(value, str) and not _is_unicode(value):
        return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return value


def _is_unicode(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


class Terminal:
    """What one command says; ``as_json`` chooses the machine's form."""

    def __init__(self, *, as_json: bool = False, quiet: bool = False, verbose: int = 0) -> None:
        self.as_json = as_json
        self.quiet = quiet
        self.verbose = verbose

    def data(self, value: Mapping[str, Any]) -> None:
        """Print one JSON line (only with ``--json``)."""
        if self.as_json:
            sys.stdout.write(json_line(value) + "\n")
            if sys.stdout.isatty():
                sys.stdout.flush()

    def line(self, text: str = "") -> None:
        """Print one line of a person's result (not with ``--json``)."""
        if not self.as_json:
            print(printable(text))

    def say(self, text: str) -> None:
        """Tell a person something beside the result (not with ``--quiet``)."""
        if not self.quiet:
            print(printable(text), file=sys.stderr)

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str | None = None) -> None:
        """Print a table for a person; columns whose name begins with ``>`` are set to the right."""
        if self.as_json:
            return
        from rich.box import SIMPLE_HEAD
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        made = Table(box=SIMPLE_HEAD, title=title, pad_edge=False, title_justify="left")
        for column in columns:
            last = column is columns[-1]
            justify: Any = "right" if column.startswith(">") else "left"
            made.add_column(
                column.lstrip(">"), justify=justify, overflow="fold" if last else "ellipsis", no_wrap=not last
            )
        for row in rows:
            made.add_row(*(Text(printable("" if cell is None else cell)) for cell in row))
        Console(highlight=False, width=None if sys.stdout.isatty() else WIDE).print(made)

    def error(self, error: BaseException, where: str | None = None, hint: str | None = None) -> None:
        """Print what went wrong and what to do, to stderr."""
        print(printable(f"nffa: {where}: {error}" if where else f"nffa: {error}"), file=sys.stderr)
        if hint:
            print(printable(f"      {hint}"), file=sys.stderr)

    def reporter(self) -> Any:
        """Return a progress bar where a person watches, else a silent reporter."""
        if self.as_json or self.quiet or not sys.stderr.isatty():
            from nffa_cli.progress import Silent

            return Silent()
        return Bar()


class Bar:
    """Progress on stderr: a count and a rate, a bar when the total is known."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._progress = Progress(*columns, console=Console(stderr=True), transient=True)
        self._task: Any = None

    def begin(self, label: str, total: int | None) -> None:
        """Show the bar."""
        self._progress.start()
        self._task = self._progress.add_task(label, total=total)

    def advance(self, steps: int = 1) -> None:
        """Move it."""
        self._progress.advance(self._task, steps)

    def end(self) -> None:
        """Take it away."""
        self._progress.stop()
