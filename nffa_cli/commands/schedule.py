"""``nffa schedule``: let nffa run by itself, with what the system has for that."""

from __future__ import annotations

import click

from nffa_cli import scheduling, settings, timers
from nffa_cli.commands.options import dry_run_option, output_options
from nffa_cli.terminal import Terminal

KIND = click.option("--kind", type=click.Choice(timers.KINDS), help="Whose schedule [what this computer has].")


@click.group("schedule", short_help="Let sync or ingest run by themselves: cron, systemd, Task Scheduler.")
def command() -> None:
    """Let sync or ingest run by themselves: a crontab line, a systemd user timer, a Windows task.

    They hold no secret: nffa login keeps tokens elsewhere.
    """


@command.command("install")
@click.argument("folder", required=False, type=click.Path(exists=True, file_okay=False))
@click.option(
    "--what", type=click.Choice(["sync", "ingest"]), default="sync", help="What runs: sync, or ingest FOLDER."
)
@click.option("--every", default="10m", help="From one run to the next: 10m, 2h, 1d [10m].")
@KIND
@dry_run_option
@output_options
def install(
    folder: str | None, what: str, every: str, kind: str | None, dry_run: bool, terminal: Terminal
) -> int:  # fmt: skip
    """Install the job, or change when it runs; twice is one. What it prints goes to schedule.log in NFFA_HOME.

    \b
    Example:
      nffa schedule install
      nffa schedule install --what ingest D:\\Images --every 5m
      nffa schedule install --kind systemd --dry-run
    """  # noqa: D301 - \b is Click's mark for text that is not to be wrapped
    home = settings.home() if dry_run else settings.make_home()
    job = scheduling.job(timers.program(), what, folder, every=scheduling.minutes(every), home=str(home.absolute()))
    found = timers.install(job, kind or timers.usual(), dry_run=dry_run)
    status = "waiting" if dry_run and found.status == "done" else found.status
    _tell([found], terminal, status)
    if found.then:
        terminal.hint(f"Next: {found.then}")
    return 0


@command.command("show")
@KIND
@output_options
def show(kind: str | None, terminal: Terminal) -> int:
    """Show the jobs of nffa that are installed, as the schedulers hold them."""
    _tell(list(timers.installed((kind,) if kind else timers.KINDS)), terminal, "done")
    return 0


@command.command("remove")
@click.option("--name", help="Only the job of this name, as show tells it [all].")
@KIND
@dry_run_option
@output_options
def remove(name: str | None, kind: str | None, dry_run: bool, terminal: Terminal) -> int:
    """Take the jobs of nffa out again; nothing else is touched."""
    found = [each for each in timers.installed((kind,) if kind else timers.KINDS) if name in (None, each.name)]
    taken = found if dry_run else [timers.remove(each) for each in found]
    _tell(taken, terminal, "waiting" if dry_run else "removed")
    for each in taken:
        if each.then:
            terminal.hint(f"Next, on Windows: {each.then}")
    return 0


def _tell(found: list[timers.Installed], terminal: Terminal, status: str) -> None:
    for each in found:
        terminal.data({"type": "schedule", "kind": each.kind, "name": each.name, "status": status, "place": each.place,
                       "text": each.text, "then": each.then})  # fmt: skip
        terminal.line(f"{status}: {each.name} by {each.kind} ({each.place})")
        terminal.line(each.text)
    terminal.data({"type": "summary", "jobs": len(found)})
    if not found:
        terminal.line("no jobs of nffa are installed")
