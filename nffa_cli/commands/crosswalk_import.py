"""``nffa crosswalk import``: a record of another repository, taken over."""

from __future__ import annotations

from typing import Any

import click

from nffa_cli import importing, settings
from nffa_cli.commands.options import dry_run_option, output_options
from nffa_cli.terminal import Terminal


@click.command("import")
@click.argument("system", metavar="SYSTEM")
@click.argument("entry", metavar="ENTRY")
@click.option("--each-file/--as-one", default=None, help="Each file a data asset, or one that lists all [each].")
@click.option("--proposal", help="Id of the proposal that it is delivered under; without one it waits.")
@click.option("--experiment", help="Name of the experiment [the system's].")
@click.option("--kind", type=click.Choice(importing.KINDS), help="What its data are [calculation].")
@click.option("--to", help="Deliver it to this destination only.")
@dry_run_option
@output_options
def command(
    system: str, entry: str, each_file: bool | None, proposal: str | None, experiment: str | None, kind: str | None,
    to: str | None, dry_run: bool, terminal: Terminal,
) -> int:  # fmt: skip
    """Take over a record of SYSTEM (materials-cloud, invenio) from ENTRY: a JSON file, or the record's https address.

    The record becomes a measurement with its files as data assets that stay where they are; nffa sync delivers it. Sizes
    and digests are what the repository says. The same record again changes nothing; a changed one is an update.

    \b
    Example:
      nffa crosswalk import materials-cloud entry.json --proposal 161
      nffa crosswalk import invenio https://zenodo.org/records/1234567 --dry-run

    \b
    Exit status:
      0  taken, or nothing new      1  no such record      2  an address that is not asked      4  not reachable
    """  # noqa: D301 - \b is Click's mark for text that is not to be wrapped
    said = importing.options(
        kind=kind, proposal=proposal, experiment=experiment, to=to, as_one=None if each_file is None else not each_file
    )
    found = importing.run(system, entry, said, settings.load(), dry_run=dry_run)
    _tell_fields(found, terminal)
    return _tell_result(found, found.item.source, dry_run=dry_run, terminal=terminal)


def _tell_fields(found: importing.Import, terminal: Terminal) -> None:
    rows: list[tuple[str, Any]] = [("", found.taken.fields)]
    rows += [(file["relativePath"].value, file) for file in found.taken.files]
    shown = []
    for name, fields in rows:
        for place, said in fields.items():
            terminal.data({"type": "import-field", "file": name or None, "to": place, "value": said.value,
                           "source": said.source})  # fmt: skip
            text = str(said.value)
            shown.append((name, place, text if len(text) <= 60 else text[:59] + "…", said.source))
    terminal.table(("file", "place", "value", "from"), shown)
    for remark in found.taken.warnings:
        terminal.line(f"{remark.code}: {remark.detail}")


def _tell_result(found: importing.Import, entry: str, *, dry_run: bool, terminal: Terminal) -> int:
    status = "done" if found.changed and not dry_run else "waiting" if found.changed else "unchanged"
    about = found.as_json()
    terminal.data({"type": "import", **about})
    reason = "dry-run" if dry_run and found.changed else found.reason
    terminal.data({"type": "outcome", "path": entry, "stage": "import", "status": status, "reason": reason,
                   "key": about["key"]})  # fmt: skip
    terminal.data({"type": "summary", "outcomes": {status: 1}})
    size = f", {about['bytes']:,} bytes" if about["bytes"] is not None else ""
    files = f"{about['files']} files{size} (as the repository says; nothing was read)"
    terminal.line(f"{status}: {about['key']} ({about['dialect']}): {files}")
    if about["proposal"] is None:
        terminal.hint("No proposal was said: it waits. Next: the same with --proposal ID")
    elif not dry_run:
        terminal.hint("Next: nffa sync")
    return 0
