"""The labels that persons have given, as a list for training and for elsewhere: one line a content, sorted by category."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from nffa_cli import settings, spreadsheet
from nffa_cli.catalogue.opinions import SEEN, Label
from nffa_cli.catalogue.store import Store
from nffa_cli.classify.agreement import consensus
from nffa_cli.errors import DiskError, UsageError
from nffa_cli.terminal import Column, Terminal, json_line

KEYS = ("label", "path", "sha256", "second", "labeller", "how", "at")
"""What a line says; ``how`` as in ``opinions.How``, of several persons the best."""
BEST_FIRST = ("looked", "check", "duplicate", "bulk")


def export(output: str | None, terminal: Terminal, *, looked: bool) -> int:
    """Write the labels to a file (``.csv``, ``.jsonl``), or show them; return the exit status."""
    if output is not None and not output.endswith((".csv", ".jsonl")):
        raise UsageError("a list of labels is a .csv or a .jsonl file", where=output)
    left: Counter[str] = Counter()
    with Store.open(settings.catalogue_path(), readonly=True) as store:
        found = sorted(_agreed(store, left, looked=looked), key=lambda line: (line["label"], line["path"]))
    if output is not None:
        _write(output, found)
    for line in found:
        terminal.data({"type": "label", **line})
    terminal.data({"type": "summary", "labels": len(found), "left_out": dict(left)})
    counts = Counter(line["label"] for line in found)
    terminal.table((Column("category"), Column("pictures", right=True)), sorted(counts.items()))
    words = ", ".join(f"{count} {why}" for why, count in left.items())
    terminal.line(f"{len(found)} labels" + (f"; left out: {words}" if left else "") + (f": {output}" if output else ""))
    return 0


def _agreed(store: Store, left: Counter[str], *, looked: bool) -> Iterator[dict[str, Any]]:
    """Yield a line for each content on which persons agree; ``left`` counts the others by reason."""
    for sha256, labels in store.opinions.hold().items():
        counted = [label for label in labels if not looked or label.how in SEEN]
        if not counted:
            left["not looked at"] += 1
            continue
        said = consensus(label.category for label in counted)
        if said is None or said == "unclear":
            left["disagreed on" if said is None else "not clear"] += 1
            continue
        yield _line(sha256, str(said), [label for label in counted if label.category == said], store)


def _line(sha256: str, said: str, labels: Sequence[Label], store: Store) -> dict[str, Any]:
    seconds = {label.second for label in labels if label.second}
    return {
        "label": said, "path": _path(store.opinions.paths(sha256)).replace(os.sep, "/"), "sha256": sha256,
        "second": next(iter(seconds)) if len(seconds) == 1 else None,
        "labeller": "; ".join(sorted(label.labeller for label in labels)),
        "how": min((label.how for label in labels), key=BEST_FIRST.index), "at": labels[-1].made_at,
    }  # fmt: skip


def _path(known: Sequence[str]) -> str:
    """Return one of the paths at which a content was seen: one that is still there, if there is one."""
    first = next(iter(known), "")
    return first if len(known) < 2 else next((path for path in known if os.path.isfile(path)), first)  # noqa: PTH113


def _write(output: str, found: Sequence[Mapping[str, Any]]) -> None:
    final = Path(output)
    draft = final.with_name(f".{final.name}.{os.getpid()}.part")
    with _writing(output):
        try:
            if output.endswith(".csv"):
                with draft.open("w", encoding="utf-8-sig", errors="replace", newline="") as file:
                    _write_csv(file, found)
            else:
                draft.write_text("".join(json_line(line) + "\n" for line in found), encoding="ascii")
            draft.replace(final)
        finally:
            draft.unlink(missing_ok=True)


def _write_csv(file: IO[str], found: Sequence[Mapping[str, Any]]) -> None:
    file.write(spreadsheet.rows([KEYS, *([line[key] for key in KEYS] for line in found)]))


@contextmanager
def _writing(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        what = f"the list cannot be written: {error.strerror}"
        raise DiskError(what, where=path, hint="give -o a file that you may write") from error
