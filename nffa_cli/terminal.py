"""The only module that prints: results to stdout (text or JSON Lines), talk to stderr, tables and bars with Rich.

JSON Lines are ASCII, hold no NaN, and one object a line. Control characters in names and metadata never reach a terminal.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

WIDE = 240
"""Columns of a table that goes into a file or a pipe, where nobody's window cuts it."""

GAP = 2
"""Blanks between two columns of a table."""

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


PLACES = frozenset({"path", "output"})
"""Keys of JSON lines that name files."""

_ENCODER = json.JSONEncoder(ensure_ascii=True, allow_nan=False, default=dict)  # a Mapping need not be a dict


def printable(text: object) -> str:
    """Return text that a terminal shows as it is: control characters escaped, broken characters replaced."""
    clean = CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), str(text))
    return clean.encode("utf-8", "replace").decode("utf-8")


def json_line(value: Mapping[str, Any]) -> str:
    """Return one line of JSON; each path that is not UTF-8 gets a ``path_b64`` (``output_b64``) beside it that is exact."""
    line = _ENCODER.encode(value)
    return (
        _ENCODER.encode(_exact_paths(value)) if "\\ud" in line else line
    )  # only what is not UTF-8, and emoji, need a look


def _exact_paths(value: Any) -> Any:
    if isinstance(value, Mapping):
        found = {key: _exact_paths(item) for key, item in value.items()}
        for key in PLACES & value.keys():
            path = value[key]
            if isinstance(path, str) and not _is_unicode(path):
                with suppress(UnicodeEncodeError):  # a vendor's word that is called path
                    found[f"{key}_b64"] = base64.b64encode(os.fsencode(path)).decode("ascii")
        return found
    if isinstance(value, (list, tuple)):
        return [_exact_paths(item) for item in value]
    if isinstance(value, str) and not _is_unicode(value):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # vendors' JSON holds any surrogate
    return value


def _is_unicode(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table, and what may become of it where the window is narrow.

    least
        Width down to which it is cut before any column is left out (0: never cut).
    drop
        The column with the highest number is left out first (0: never).
    tail
        Whether the end is what matters (paths): it is cut at its beginning.
    """

    name: str
    right: bool = False
    least: int = 0
    drop: int = 0
    tail: bool = False

    def cut(self, text: str, width: int) -> str:
        """Return ``text`` in no more than ``width`` characters."""
        if len(text) <= width:
            return text
        return "…" + text[len(text) - width + 1 :] if self.tail else text[: width - 1] + "…"


def fitted(columns: Sequence[Column], natural: Sequence[int], room: int) -> list[int]:
    """Return the width of each column in a window of ``room`` characters; 0: left out.

    Columns are cut to their ``least`` at most; where that is not enough they are left out by their ``drop``, and what is
    free then is given back from left to right.
    """
    kept = list(range(len(columns)))

    def least(i: int) -> int:
        return min(natural[i], columns[i].least or natural[i])

    while sum(map(least, kept)) + GAP * (len(kept) - 1) > room and any(columns[i].drop for i in kept):
        kept.remove(max(kept, key=lambda i: columns[i].drop))
    free = room - sum(map(least, kept)) - GAP * (len(kept) - 1)
    widths = [0] * len(columns)
    for i in kept:
        more = max(0, min(free, natural[i] - least(i)))
        widths[i] = least(i) + more
        free -= more
    return widths


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

    @property
    def draws_pictures(self) -> bool:
        """Whether a person sees what is printed, so that a picture is worth drawing."""
        return not self.as_json and sys.stdout.isatty()

    def picture(self, characters: str) -> None:
        """Print a picture as ``inline.draw`` made it, control characters and all."""
        if not self.as_json:
            sys.stdout.write(characters + "\n")

    def window(self) -> tuple[int, int]:
        """Return the columns and lines of the window."""
        size = shutil.get_terminal_size()
        return size.columns, size.lines

    def prompt(self, text: str) -> None:
        """Ask a person for something, on the same line."""
        print(printable(text), end="", flush=True)

    def confirm(self, question: str) -> bool:
        """Ask a person a question; only ``y`` or ``yes`` is a yes."""
        self.prompt(question)
        return sys.stdin.readline().strip().casefold() in ("y", "yes")

    def flush(self) -> None:
        """Let what was printed be seen now: somebody answers it."""
        sys.stdout.flush()

    def say(self, text: str) -> None:
        """Tell a person something beside the result (not with ``--quiet``)."""
        if not self.quiet:
            print(printable(text), file=sys.stderr)

    def hint(self, text: str) -> None:
        """Tell a person what to type next (not with ``--json`` or ``--quiet``)."""
        if not self.as_json and not self.quiet:
            self.line(text)

    def table(self, columns: Sequence[str | Column], rows: Iterable[Sequence[object]]) -> None:
        """Print a table for a person, as wide as the window; ``>name`` is a column that is set to the right.

        The last column is folded where it does not fit and must not be cut.
        """
        if self.as_json:
            return
        from rich.box import SIMPLE_HEAD
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        heads = [each if isinstance(each, Column) else Column(each.lstrip(">"), each[0] == ">") for each in columns]
        cells = [["" if cell is None else printable(cell) for cell in row] for row in rows]
        natural = [max(len(line[i]) for line in ([each.name for each in heads], *cells)) for i in range(len(heads))]
        console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDE)
        widths = fitted(heads, natural, console.width - 2)
        made = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, GAP // 2), collapse_padding=True)
        shown = [i for i, width in enumerate(widths) if width]
        for i in shown:
            folds = i == len(heads) - 1 and not heads[i].least
            made.add_column(
                heads[i].name,
                justify="right" if heads[i].right else "left",
                overflow="fold" if folds else "ellipsis",
                no_wrap=not folds,
            )
        for line in cells:
            made.add_row(*(Text(heads[i].cut(line[i], widths[i]) if heads[i].least else line[i]) for i in shown))
        console.print(made)

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
    """Progress on stderr: what is done, how many so far and for how long; of how many, how fast and how long yet."""

    draws = True

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        columns = (
            SpinnerColumn("line"),
            TextColumn("{task.description} {task.completed}"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[outlook]}"),
        )
        # Lines on a terminal pass through Rich, which draws the bar below them; a redirected stdout is none of its business.
        self._progress = Progress(
            *columns, console=Console(stderr=True), transient=True, redirect_stdout=sys.stdout.isatty()
        )
        self._task: Any = None

    def begin(self, label: str, total: int | None) -> None:
        """Show it."""
        self._progress.start()
        self._task = self._progress.add_task(label, total=total, outlook="")

    def expect(self, total: int) -> None:
        """Show of how many, how fast, and how long yet."""
        self._progress.update(self._task, total=total)

    def advance(self, steps: int = 1) -> None:
        """Move it."""
        self._progress.advance(self._task, steps)
        task = self._progress.tasks[0]
        if task.total and task.speed:
            left = int(task.time_remaining or 0)
            outlook = f"of {task.total:g}, {task.speed:.3g} a second, {left // 3600}:{left // 60 % 60:02d}:{left % 60:02d} left"
            self._progress.update(self._task, outlook=outlook)

    def end(self) -> None:
        """Take it away."""
        self._progress.stop()
