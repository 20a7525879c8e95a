"""What a destination holds, as its own search finds it: one line a measurement. Nothing is fetched and nothing stored."""

from __future__ import annotations

from nffa_cli import spoken
from nffa_cli.delivery.syncing import configured
from nffa_cli.destinations import registry
from nffa_cli.errors import UsageError
from nffa_cli.terminal import Column, Terminal

COLUMNS = (
    Column("id"), Column("acquired", drop=1), Column("technique", drop=4), Column("sample", least=8, drop=3),
    Column("category", least=8, drop=2), Column("files", right=True, drop=5), Column("name", least=20, tail=True),
)  # fmt: skip


def found(at: str, query: str, limit: int | None, terminal: Terminal) -> int:
    """Show what a destination finds, as it comes; return the exit status.

    Parameters
    ----------
    at
        Name of a destination in nffa.toml, or its address.
    query
        In its words; empty: all that it holds and shows to us.
    limit
        At most so many; None: all.

    Raises
    ------
    UsageError
        No such destination.
    """
    places = registry.chosen(at, configured())
    if len(places) != 1:
        raise UsageError(f"{at!r} is no destination", hint="--at NAME of nffa.toml, --at https://NODE or --at FOLDER")
    destination, rows = registry.make(places[0]), []
    for each in destination.find(query, limit or 10**9):
        terminal.data({**each, "type": "measurement"})
        assets = each.get("assets") or ()
        told = [each.get(name) for name in ("technique", "sample", "category")]
        when = spoken.when(str(each["startTime"])) if each.get("startTime") else ""
        texts = [text if isinstance(text, str) else "" for text in told]
        rows.append((str(each.get("id", ""))[:36], when, *texts, len(assets), str(each.get("measurementName", ""))))
    terminal.data({"type": "summary", "measurements": len(rows)})
    if not terminal.as_json and rows:
        terminal.table(COLUMNS, rows)
    terminal.line(f"{len(rows)} measurement{'s' * (len(rows) != 1)}" if rows else "nothing found")
    if rows:
        terminal.hint(f"Next: nffa get ID --from {at}")
    return 0
