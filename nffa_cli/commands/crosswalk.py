"""``nffa crosswalk``: list, check and explain how vendor tags become terms."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from nffa_cli import settings
from nffa_cli.commands.options import output_options
from nffa_cli.terminal import Terminal


@click.group("crosswalk", short_help="List, check and explain how vendor tags become terms.")
def command() -> None:
    """List, check and explain how vendor tags become terms."""


@command.command("list")
@output_options
def list_(terminal: Terminal) -> int:
    """List the formats that have a crosswalk, with the number of terms each can give.

    \b
    Example:
      nffa crosswalk list
    """  # noqa: D301 - \b is Click's mark for text that is not to be wrapped
    from nffa_cli.crosswalk import check, load

    paths = check.files(settings.shipped("crosswalks"))
    rows = [(path.stem, load.load(path), check.examples(path)) for path in paths]
    for name, table, examples in rows:
        terminal.data({
            "type": "crosswalk", "format": name, "version": table.version, "rules_in": table.file,
            "terms": [item.name for item in table.fields], "examples": examples, "sha256": table.sha256,
        })  # fmt: skip
    columns = ("format", ">version", ">terms", ">examples", "rules in")
    terminal.table(columns, [(name, t.version, len(t.fields), examples, t.file) for name, t, examples in rows])
    return 0


@command.command("check")
@click.argument("path", required=False, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--coverage", type=click.Path(exists=True), help="Read the files below this folder; count what is mapped."
)
@output_options
def check_(path: Path | None, coverage: str | None, terminal: Terminal) -> int:
    """Prove the crosswalk at PATH, or all that ship: terms, units, examples.

    \b
    Example:
      nffa crosswalk check
      nffa crosswalk check my/zeiss-sem-tiff.yaml
      nffa crosswalk check --coverage /data/sem1

    \b
    Exit status:
      0  all right      1  something is wrong
    """  # noqa: D301 - \b is Click's mark for text that is not to be wrapped
    from nffa_cli.crosswalk import check, vocabulary

    shipped = settings.shipped("crosswalks")
    words = vocabulary.load(shipped)
    problems = check.check(path or shipped, words)
    for problem in problems:
        terminal.data({"type": "problem", **problem.as_json()})
        terminal.line(f"{problem.where}: {problem.what}" + (f" ({problem.hint})" if problem.hint else ""))
    if coverage is not None:
        _show_coverage(check.coverage(_trees(coverage), shipped / "inward", words), terminal)
    count = len(check.files(path or shipped))
    terminal.data({"type": "summary", "files": count, "problems": len(problems)})
    terminal.line(
        f"{count} crosswalk{'s' * (count != 1)} checked, {len(problems) or 'no'} problem{'s' * (len(problems) != 1)}"
    )
    return 1 if problems else 0


@command.command("explain")
@click.argument("file", type=click.Path(exists=True))
@click.argument("term")
@output_options
def explain(file: str, term: str, terminal: Terminal) -> int:
    """Say why TERM has the value it has in FILE: every rule and path that was tried, in order.

    \b
    Example:
      nffa crosswalk explain image.tif beam.accelerating_voltage
    """  # noqa: D301 - \b is Click's mark for text that is not to be wrapped
    from nffa_cli import look
    from nffa_cli.crosswalk import vocabulary

    vocabulary.load(settings.shipped("crosswalks")).term(term, file)
    answer = look.explain(file, term)
    found = answer.get("explanation")
    if found is None:
        terminal.data(
            {"type": "outcome", "path": file, "stage": "explain", "status": "failed", "reason": answer["reason"]}
        )
        terminal.line(f"{file}: {answer['reason']}")
        return 3
    terminal.data({"type": "explanation", "path": file, **found})
    _show_explanation(found, terminal)
    return 0


def _show_explanation(found: dict[str, Any], terminal: Terminal) -> None:
    terminal.line(f"{found['term']}: {found['definition']}")
    rows = [(each["rule"], each["source"], _short(each["raw"]), each["verdict"]) for each in found["attempts"]]
    terminal.table(("rule", "source", "raw", "verdict"), rows)
    result = found["result"]
    terminal.line(f"= {result['value']} {result['unit'] or ''}  (rule {found['rule']})" if result else "= absent")
    for warning in found["warnings"]:
        terminal.line(f"{warning['code']}: {warning['detail']}")


def _show_coverage(rows: list[Any], terminal: Terminal) -> None:
    for row in rows:
        terminal.data({"type": "coverage", **row.as_json()})
    columns = ("format", ">files", ">mapped", ">ignored", ">left over", "for example")
    table = [(r.format, r.files, r.mapped, r.ignored, r.unmapped, ", ".join(list(r.left_over)[:3])) for r in rows]
    terminal.table(columns, table)


def _trees(folder: str) -> Any:
    """Yield the raw metadata of all that can be read below ``folder``; read in a worker, like everything."""
    from nffa_cli import look
    from nffa_cli.records import RawMetadata

    for item in look.inspect([folder], settings.load(), raw=True):
        if raw := item.get("raw"):
            yield RawMetadata(raw["format"], raw["tree"], (), raw["anchors"])


def _short(raw: Any) -> str:
    text = "" if raw is None else str(raw)
    return text if len(text) <= 60 else f"{text[:57]}..."
