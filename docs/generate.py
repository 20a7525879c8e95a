"""Write the reference pages from the code, or with ``--check`` prove that they say what the code does.

python -m docs.generate [--check]
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from nffa_cli import cli, errors, forms, identify, settings
from nffa_cli.crosswalk import load, outward, vocabulary
from nffa_cli.export import findings

PAGES = Path(__file__).parent
NOTE = "<!-- Made by `python -m docs.generate` from the code; change the code, not this page. -->\n"


def table(head: list[str], rows: Iterator[list[object]] | list[list[object]]) -> str:
    cells = [" | ".join(str("" if cell is None else cell).replace("|", "\\|") for cell in row) for row in rows]
    return "\n".join([f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *(f"| {line} |" for line in cells)]) + "\n"


def commands() -> str:
    """Return every command with its own help."""

    def each(command: click.Command, name: str) -> Iterator[str]:
        context = click.Context(command, info_name=name, max_content_width=100, terminal_width=100)
        yield f"## `{name}`\n\n```text\n{command.get_help(context)}\n```\n"
        if isinstance(command, click.Group):
            for sub in command.list_commands(context):
                yield from each(command.get_command(context, sub), f"{name} {sub}")

    root = click.Context(cli.root)
    parts = [part for name in cli.COMMANDS for part in each(cli.root.get_command(root, name), f"nffa {name}")]
    statuses = table(["status", "meaning"], [[number, meaning] for number, meaning in errors.EXIT_STATUS.items()])
    return "# Commands\n\n" + "\n".join(parts) + "\n## Exit status\n\n" + statuses


def formats() -> str:
    """Return what is read, what is left alone, and what is mapped from each format."""
    folder = settings.shipped("crosswalks") / "inward"
    read = table(
        ["name", "extensions", "what it is"],
        [[f"`{each.name}`", " ".join(each.extensions), each.about] for each in identify.FORMATS],
    )
    left = table(["kind", "extensions"], [[kind, " ".join(extensions)] for kind, extensions, _ in identify.NOT_OURS])
    walks = []
    for path in sorted(folder.glob("*.yaml")):
        if ".examples" not in path.name:
            walk = load.load(path)
            terms = sorted({field.name for field in walk.fields})
            walks.append([f"`{path.stem}`", len(terms), ", ".join(f"`{term}`" for term in terms)])
    return (
        "# Formats\n\nThe bytes decide; an extension only chooses between formats that have no signature of their own.\n\n"
        f"{read}\n## Left alone\n\nReported as `skipped`, reason `not-ours: KIND`.\n\n{left}\n"
        f"## Terms by format\n\nWhat the crosswalks in `crosswalks/inward` can find, where the file holds it.\n\n"
        f"{table(['crosswalk', 'terms', 'which'], walks)}"
    )


def terms() -> str:
    """Return the vocabulary."""
    folder = settings.shipped("crosswalks")
    words, nxem = vocabulary.load(folder), outward.load(folder / "outward" / "nxem.yaml")
    rows = []
    for term in words.terms.values():
        plausible = f"{term.plausible[0]:g} to {term.plausible[1]:g}" if term.plausible else ""
        places = ", ".join(f"`{place}`" for place in nxem.places(term.name))
        rows.append([f"`{term.name}`", term.type, term.unit, plausible, term.definition, places])
    return (
        "# Vocabulary\n\nValues are in these units, always. Outside the plausible range a value is kept and "
        "warned of; zero and less are absent where only more than zero is plausible. The last column is the place in an "
        f"exported file below `/entry1`, as NXem of NeXus {nxem.release} has it; every term also stands in "
        "`/entry1/nffa/terms`.\n\n" + table(["term", "type", "unit", "plausible", "meaning", "NXem"], rows)
    )


def configuration() -> str:
    """Return the settings and the two forms."""
    rows = [[f"`{each.key}`", each.default, f"`{each.variable}`", each.about] for each in settings.SETTINGS]
    pages = [
        "# Settings, profiles and sessions\n\n`nffa.toml` lies in nffa's own folder (`nffa config path`); `NFFA_HOME` moves that "
        "folder. A flag wins over a variable, a variable over the file, the file over the default.\n",
        table(["key", "default", "variable", "meaning"], rows),
    ]
    for name, form in (("Profile", forms.PROFILE), ("Session", forms.SESSION)):
        pages.append(f"## {name}\n\n" + table(["key", "meaning"], [[f"`{key.place}`", key.about] for key in form]))
    return "\n".join(pages)


def validating() -> str:
    """Return what ``nffa validate`` looks for."""
    rows = [[f"`{name}`", rule.level, rule.about] for name, rule in findings.RULES.items()]
    return (
        "# What `nffa validate` looks for\n\n"
        "`nffa validate FILE…` judges NeXus files by the definitions of NXem (NeXus v2026.01) that the package nexusformat\n"
        "carries. It reads short values and the ends of axes, no data, and never follows a link out of the file.\n"
        "Each defect is a line: level, path, rule, what is wrong, and what to do or who could supply it. A file is valid\n"
        "when it has no error; `--notes` tells also what is recommended and missing.\n\n"
        "`--full` asks pynxtools too (`pip install 'nffa-cli[validate]'`, or name its program by the setting\n"
        "`validate.pynx`), in a process of its own, with the same definitions; its complaints are the rule `pynxtools`.\n\n"
        "Groups below an NXcollection are free. Validity does not prove that values are those of the source.\n\n"
        "## Rules\n\n" + table(["rule", "level", "what must hold"], rows)
    )


def endpoints() -> str:
    """Return every endpoint of the node."""
    from tempfile import TemporaryDirectory

    from nffa_cli.node.app import create_app
    from nffa_cli.node.config import Config

    with TemporaryDirectory() as room:
        app = create_app(Config(Path(room)))
        app.state.storage.close()
        app.state.database.close()
    rows = [
        [f"`{method.upper()}`", f"`{path}`", operation["summary"]]
        for path, operations in app.openapi()["paths"].items()
        for method, operation in operations.items()
    ]
    return (
        "# Endpoints of the node\n\n"
        "What each takes and answers, field by field, is in `/api/v1/openapi.json` of a running node; what holds for all of\n"
        "them, and what the words mean, in [the contract](idrp.md).\n\n" + table(["method", "path", "does"], rows)
    )


MADE = {
    "endpoints.md": endpoints,
    "commands.md": commands,
    "formats.md": formats,
    "vocabulary.md": terms,
    "settings.md": configuration,
    "validate.md": validating,
}


def main() -> int:
    stale = []
    for name, make in MADE.items():
        path, text = PAGES / name, NOTE + "\n" + make().rstrip() + "\n"
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            stale.append(name)
            if "--check" not in sys.argv:
                path.write_text(text, encoding="utf-8")
    if "--check" in sys.argv and stale:
        print(f"stale: {', '.join(stale)}. Type: python -m docs.generate")
        return 1
    print("the pages are up to date" if not stale else f"wrote {', '.join(stale)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
