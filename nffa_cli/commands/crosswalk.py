"""``nffa crosswalk``: list, check and explain how vendor tags become terms."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

import click

from nffa_cli import settings
from nffa_cli.commands.options import output_options, with_more
from nffa_cli.errors import UsageError
from nffa_cli.records import Outcome
from nffa_cli.terminal import Column, Terminal

MORE = {"import": "crosswalk_import"}
"""Subcommands with a module of their own, imported when they are called."""


@click.group(
    "crosswalk", cls=with_more(MORE), short_help="How vendor tags become terms; take records over from repositories."
)
def command() -> None:
    """List, check and explain how vendor tags become terms; take records over from other repositories."""


@command.command("list")
@output_options
def list_(terminal: Terminal) -> int:
    """List the formats that have a crosswalk, the schemas that take their terms, and how many terms each.

    \b
    Example:
      nffa crosswalk list
    """  # noqa: D301 - \b is Click's mark for text that is not to be wrapped
    from nffa_cli.crosswalk import check, incoming, load, outward

    paths = check.files(settings.shipped("crosswalks"))
    shapes = [outward.load(path) for path in check.outward_files(settings.shipped("crosswalks"))]
    imports = [incoming.load(path) for path in check.import_files(settings.shipped("crosswalks"))]
    rows = [(path.stem, load.load(path), check.examples(path)) for path in paths]
    for name, table, examples in rows:
        terminal.data({
            "type": "crosswalk", "format": name, "version": table.version, "rules_in": table.file,
            "terms": [item.name for item in table.fields], "examples": examples, "sha256": table.sha256,
        })  # fmt: skip
    for shape in shapes:
        terminal.data(_outward(shape))
    for each in imports:
        terminal.data({"type": "incoming", "name": each.name, "version": each.version, "dialect": each.dialect,
                       "systems": list(each.systems), "sha256": each.sha256})  # fmt: skip
    terminal.data({"type": "summary", "crosswalks": len(rows) + len(shapes) + len(imports)})
    columns = ("format", ">version", ">terms", ">examples", "rules in")
    terminal.table(columns, [(name, t.version, len(t.fields), examples, t.file) for name, t, examples in rows])
    _show_schemas(shapes, imports, terminal)
    return 0


def _outward(shape: Any) -> dict[str, Any]:
    return {
        "type": "outward", "schema": shape.schema, "version": shape.version, "release": shape.release,
        "terms": list(shape.terms), "sha256": shape.sha256,
    }  # fmt: skip


def _show_schemas(shapes: list[Any], imports: list[Any], terminal: Terminal) -> None:
    columns = ("schema", ">version", ">terms", "definition", "rules in")
    terminal.table(
        columns, [(s.schema, s.version, len(s.terms), f"{s.definition} of {s.release}", s.file) for s in shapes]
    )
    rows = [(", ".join(each.systems), each.version, each.dialect, each.file) for each in imports]
    terminal.table(("records of", ">version", "dialect", "rules in"), rows)


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
    count = len(check.all_files(path or shipped))
    if not count:
        raise UsageError("no crosswalk (a .yaml file) is there", where=str(path), hint="crosswalks/README.md shows one")
    problems = check.check(path or shipped, words)
    for problem in problems:
        terminal.data({"type": "problem", **problem.as_json()})
        terminal.line(f"{problem.where}: {problem.what}" + (f" ({problem.hint})" if problem.hint else ""))
    if coverage is not None:
        _show_coverage(check.coverage(_trees(coverage), shipped / "inward", words), terminal)
    terminal.data({"type": "summary", "files": count, "problems": len(problems)})
    terminal.line(
        f"{count} crosswalk{'s' * (count != 1)} checked, {len(problems) or 'no'} problem{'s' * (len(problems) != 1)}"
    )
    return 1 if problems else 0


@command.command("explain")
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@click.argument("term")
@output_options
def explain(file: str, term: str, terminal: Terminal) -> int:
    """Say why TERM has the value it has in FILE: every rule and path that was tried, in order.

    \b
    Example:
      nffa crosswalk explain image.tif beam.accelerating_voltage
    """  # noqa: D301 - \b is Click's mark for text that is not to be wrapped
    from nffa_cli import browse, look, story
    from nffa_cli.crosswalk import vocabulary

    known = vocabulary.load(settings.shipped("crosswalks"))
    if term not in known.terms:
        close = ", ".join(difflib.get_close_matches(term, known.terms, n=3)) or "docs/vocabulary.md lists them"
        raise UsageError(f"there is no term {term!r}", hint=f"near it: {close}")
    answer = look.explain(file, term)
    found = answer.get("explanation")
    if found:
        terminal.data({"type": "explanation", "path": browse.forward(file), **found})
        _show_explanation(found, terminal)
    else:
        terminal.line(f"{file}: {answer['reason']}")
    outcome = Outcome(browse.forward(file), "explain", look.STATUS_OF[answer["state"]], answer["reason"])
    terminal.data(outcome.as_json())
    terminal.data({"type": "summary", "outcomes": {outcome.status: 1}})
    return 3 if outcome.status in story.TROUBLE else 0


def _show_explanation(found: dict[str, Any], terminal: Terminal) -> None:
    from nffa_cli import story

    terminal.line(f"{found['term']}: {found['definition']}")
    rows = [(each["rule"], each["source"], story.shortened(each["raw"]), each["verdict"]) for each in found["attempts"]]
    columns = (Column("rule"), Column("source", least=16, tail=True), Column("as written", least=16), Column("verdict"))
    terminal.table(columns, rows)
    result, final = found["result"], found["final"]
    terminal.line(f"= {result['value']} {result['unit'] or ''}  (rule {found['rule']})" if result else "= absent")
    if final and not result:
        terminal.line(f"the record holds {story.quantity(final['value'], final['unit'])}, from {final['source']}")
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
        if "raw" in item:
            yield RawMetadata(item["answer"]["format"], item["raw"], (), item["anchors"])
