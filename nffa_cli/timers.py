"""Jobs put into crontab, systemd's user units or the Windows Task Scheduler, looked up and taken out again.

What they are told is written by ``scheduling``. Nothing of anybody else's is touched, and a job that is there already
exactly so is not written again.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from nffa_cli import scheduling, settings
from nffa_cli.errors import DiskError, NffaError, UsageError
from nffa_cli.scheduling import Job

KINDS = ("cron", "systemd", "windows")
Status = Literal["done", "unchanged"]


@dataclass(frozen=True, slots=True)
class Installed:
    """A job that is (or would be) installed: which scheduler, its text, where it lies, and what is left to type."""

    kind: str
    name: str
    text: str
    place: str
    status: Status = "done"
    then: str | None = None


def program() -> tuple[str, ...]:
    """Return how this nffa is started: by its absolute path, whatever PATH will be."""
    python = Path(sys.executable)
    for name in ("nffa", "nffa.exe"):
        if (beside := python.with_name(name)).is_file():
            return (str(beside),)
    return (str(python), "-m", "nffa_cli")


def usual() -> str:
    """Return the scheduler that this computer has."""
    if sys.platform == "win32":
        return "windows"
    for kind, command in (("cron", "crontab"), ("systemd", "systemctl")):
        if shutil.which(command):
            return kind
    raise UsageError("this computer has neither cron nor systemd", hint="--kind cron --dry-run shows the line")


def install(job: Job, kind: str, *, dry_run: bool = False) -> Installed:
    """Install a job, or bring one that is there up to date; ``dry_run``: say only what would be written."""
    return {"cron": _install_cron, "systemd": _install_systemd, "windows": _install_windows}[kind](job, dry_run)


def installed(kinds: Sequence[str] = KINDS) -> Iterator[Installed]:
    """Yield the jobs of nffa that the schedulers of this computer hold."""
    if "cron" in kinds and shutil.which("crontab"):
        for name, line in scheduling.cron_jobs(_crontab()):
            yield Installed("cron", name, line, "crontab")
    if "systemd" in kinds:
        for path in _matching(_units(), rf"nffa-({scheduling.NAME})\.timer"):
            beside = path.with_suffix(".service")
            text = "\n".join(each.read_text(encoding="utf-8") for each in (beside, path) if each.is_file())
            yield Installed("systemd", path.stem.removeprefix("nffa-"), text, str(path))
    if "windows" in kinds:
        for path in _matching(_tasks(), rf"nffa-({scheduling.NAME})\.xml"):
            yield Installed("windows", path.stem.removeprefix("nffa-"), path.read_bytes().decode("utf-16"), str(path))


def remove(found: Installed) -> Installed:
    """Take a job out again; ``then``: what is left to type."""
    if found.kind == "cron":
        _write_crontab(scheduling.without_job(_crontab(), found.name))
    elif found.kind == "systemd":
        _run(["systemctl", "--user", "disable", "--now", f"nffa-{found.name}.timer"])
        for path in (Path(found.place), Path(found.place).with_suffix(".service")):
            path.unlink(missing_ok=True)
        _run(["systemctl", "--user", "daemon-reload"])
    else:
        command = ["schtasks", "/Delete", "/TN", _task_name(found.name), "/F"]
        then = _on_windows(command)
        Path(found.place).unlink(missing_ok=True)
        return Installed(found.kind, found.name, found.text, found.place, then=then)
    return found


def _install_cron(job: Job, dry_run: bool) -> Installed:
    line = scheduling.cron_line(job)
    before = _crontab() if shutil.which("crontab") or not dry_run else ""
    after = scheduling.with_job(before, job)
    if after == before:
        return Installed("cron", job.name, line, "crontab", "unchanged")
    if not dry_run:
        _write_crontab(after)
    return Installed("cron", job.name, line, "crontab")


def _crontab() -> str:
    """Return the user's crontab; one that cannot be read is never taken for an empty one."""
    done = _run(["crontab", "-l"], check=False)
    if done.returncode == 0:
        return done.stdout
    if "no crontab" in done.stderr.lower():
        return ""
    raise NffaError(f"the crontab cannot be read ({done.stderr.strip() or done.returncode})", hint="type: crontab -l")


def _write_crontab(text: str) -> None:
    _run(["crontab", "-"], given=text)


def _install_systemd(job: Job, dry_run: bool) -> Installed:
    folder = _units()
    texts = {f"nffa-{job.name}.service": scheduling.service(job), f"nffa-{job.name}.timer": scheduling.timer(job)}
    place, shown = str(folder / f"nffa-{job.name}.timer"), "\n".join(texts.values())
    if all((folder / name).is_file() and (folder / name).read_text(encoding="utf-8") == texts[name] for name in texts):
        return Installed("systemd", job.name, shown, place, "unchanged")
    if not dry_run:
        if shutil.which("systemctl") is None:
            raise UsageError("this computer has no systemctl", hint="--kind cron")
        for name, text in texts.items():
            _write(folder / name, text.encode("utf-8"))
        _run(["systemctl", "--user", "daemon-reload"])
        _run(["systemctl", "--user", "enable", "--now", f"nffa-{job.name}.timer"])
    then = "loginctl enable-linger (once, so that it runs while nobody is logged in)"
    return Installed("systemd", job.name, shown, place, then=then)


def _install_windows(job: Job, dry_run: bool) -> Installed:
    data, path = scheduling.task(job), _tasks() / f"nffa-{job.name}.xml"
    shown = data.decode("utf-16")
    if path.is_file() and path.read_bytes() == data:
        return Installed("windows", job.name, shown, str(path), "unchanged")
    command = ["schtasks", "/Create", "/TN", _task_name(job.name), "/XML", str(path), "/F"]
    if dry_run:
        return Installed("windows", job.name, shown, str(path), then=subprocess.list2cmdline(command))
    _write(path, data)
    return Installed("windows", job.name, shown, str(path), then=_on_windows(command))


def _on_windows(command: list[str]) -> str | None:
    """Run a command on Windows; elsewhere return it as it is to be typed there."""
    if sys.platform == "win32":
        _run(command)
        return None
    return subprocess.list2cmdline(command)


def _task_name(name: str) -> str:
    return f"nffa\\{name}"


def _units() -> Path:
    above = os.environ.get("XDG_CONFIG_HOME")
    return (Path(above) if above else Path.home() / ".config") / "systemd" / "user"


def _tasks() -> Path:
    return settings.home() / "schedule"


def _matching(folder: Path, pattern: str) -> list[Path]:
    return sorted(path for path in folder.glob("*") if re.fullmatch(pattern, path.name)) if folder.is_dir() else []


def _write(path: Path, data: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.tmp")
        draft.write_bytes(data)
        draft.replace(path)
    except OSError as error:
        raise DiskError(f"cannot be written: {error.strerror}", where=str(path)) from error


def _run(command: list[str], *, given: str | None = None, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a scheduler's own command, in English, and return what it said; NffaError where it fails."""
    environment = {**os.environ, "LC_ALL": "C", "LANGUAGE": "C"}
    try:
        done = subprocess.run(
            command, input=given or "", text=True, errors="surrogateescape", capture_output=True, timeout=60,
            check=False, env=environment,
        )  # fmt: skip
    except FileNotFoundError as error:
        raise UsageError(f"there is no {command[0]} on this computer", hint="--kind chooses another") from error
    except subprocess.TimeoutExpired as error:
        raise NffaError(f"{command[0]} does not end") from error
    if check and done.returncode != 0:
        raise NffaError(
            f"{command[0]} says: {(done.stderr or done.stdout).strip() or done.returncode}", where=command[0]
        )
    return done
