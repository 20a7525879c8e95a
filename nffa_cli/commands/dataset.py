"""``nffa dataset``: published picture sets to train on."""

from __future__ import annotations

from pathlib import Path

import click

from nffa_cli.commands.options import output_options
from nffa_cli.terminal import Terminal


@click.group("dataset", short_help="List and fetch published picture sets to train on.")
def command() -> None:
    """List and fetch published picture sets to train on."""


@command.command("list")
@output_options
def list_(terminal: Terminal) -> int:
    """List the sets that nffa knows, with their DOIs."""
    from nffa_cli import fetching

    for each in fetching.DATASETS:
        terminal.data(
            {"type": "dataset", "name": each.name, "doi": each.doi, "pictures": each.pictures, "about": each.about}
        )
    terminal.data({"type": "summary", "datasets": len(fetching.DATASETS)})
    rows = [(each.name, each.pictures, each.doi, each.about) for each in fetching.DATASETS]
    terminal.table(("set", ">pictures", "DOI", "about"), rows)
    return 0


@command.command("fetch")
@click.argument("name")
@click.option("--to", type=click.Path(file_okay=False, path_type=Path), help="Folder for the files [./NAME].")
@click.option("--unpack", is_flag=True, help="Unpack tar files, each into a folder of its name.")
@output_options
def fetch(name: str, to: Path | None, unpack: bool, terminal: Terminal) -> int:
    """Download a published set from B2SHARE: https only, resumed where it stopped, each file verified.

    Never tried against the live service, only against a server that behaves as documented.

    \b
    Example:
      nffa dataset fetch nffa-sem --to D:\\nffa-sem --unpack
      nffa model train D:\\nffa-sem --out ours.onnx

    \b
    Exit status:
      0  all is there, verified      4  not reachable: run it again, it goes on      6  disk full
    """  # noqa: D301 - \b is Click's mark for text that is not to be wrapped
    from nffa_cli import fetching

    wanted = fetching.dataset(name)
    folder = to or Path(wanted.name)
    found = fetching.fetch(wanted, folder, terminal.reporter())
    folders = fetching.unpack(found, folder) if unpack else []
    terminal.data({"type": "dataset", "name": wanted.name, "doi": wanted.doi, "path": folder.as_posix()})
    terminal.data({"type": "summary", "files": len(found)})
    terminal.line(f"{len(found)} files in {folder}, all verified" + (f"; {len(folders)} unpacked" if unpack else ""))
    terminal.hint(f"Next: nffa model train {folder}" if unpack else "Next: the same with --unpack")
    return 0
