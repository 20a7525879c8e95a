"""What cron, systemd and the Windows Task Scheduler are told so that nffa runs by itself: pure texts, nothing is installed.

None of them holds a secret: tokens stay where ``nffa login`` put them.
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from xml.sax.saxutils import escape

from nffa_cli.errors import UsageError

_EVERY = re.compile(r"(\d{1,5})\s*(m|min|h|d)?")
_MINUTES = {None: 1, "m": 1, "min": 1, "h": 60, "d": 1440}
DAY = 1440
NAME = "sync|ingest-[0-9a-f]{8}"


@dataclass(frozen=True, slots=True)
class Job:
    """What is to run by itself.

    name
        ``sync``, or ``ingest-`` with eight digits of its folder.
    command
        Program and arguments, the program as an absolute path.
    every
        Minutes from one run to the next.
    home, log
        ``NFFA_HOME``, and the file that what is printed is added to.
    """

    name: str
    command: tuple[str, ...]
    every: int
    home: str
    log: str


def minutes(text: str) -> int:
    """Return ``10m``, ``2h`` or ``1d`` in minutes; raises UsageError for less than a minute or more than a day."""
    found = _EVERY.fullmatch(text.strip().lower())
    wanted = int(found[1]) * _MINUTES[found[2]] if found else 0
    if not 1 <= wanted <= DAY:
        raise UsageError(f"--every is a time like 10m, 2h or 1d, at most a day, not {text!r}")
    return wanted


def job(program: tuple[str, ...], what: str, folder: str | None, *, every: int, home: str) -> Job:
    """Return the job for ``sync``, or for ``ingest`` of a folder; raises UsageError where a path cannot be written."""
    if what == "ingest":
        if folder is None:
            raise UsageError("which folder?", hint="nffa schedule install --what ingest FOLDER")
        folder = os.path.abspath(folder)  # noqa: PTH100
        name = f"ingest-{hashlib.sha256(os.fsencode(folder)).hexdigest()[:8]}"
        command = (*program, "ingest", folder, "--json", "--quiet")
    else:
        name, command = "sync", (*program, "sync", "--json", "--quiet")
    for text in (*command, home):
        if any(character < " " for character in text) or any("\ud800" <= each <= "\udfff" for each in text):
            raise UsageError("a path with line breaks or broken characters cannot be scheduled", where=repr(text))
    return Job(name, command, every, home, os.path.join(home, "schedule.log"))  # noqa: PTH118


# cron


def cron_line(job: Job) -> str:
    """Return the line of the crontab; raises UsageError for a time that cron cannot say evenly."""
    words = f"NFFA_HOME={shlex.quote(job.home)} {shlex.join(job.command)} >> {shlex.quote(job.log)} 2>&1"
    words = words.replace("%", "\\%")  # cron ends a command at a bare %
    return f"{_cron_times(job.every)} {words}"


def _cron_times(every: int) -> str:
    if every < 60 and 60 % every == 0:
        return "* * * * *" if every == 1 else f"*/{every} * * * *"
    if every % 60 == 0 and DAY % every == 0:
        hours = every // 60
        return "0 0 * * *" if hours == 24 else "0 * * * *" if hours == 1 else f"0 */{hours} * * *"
    even = [each for each in (*range(1, 31), 60, 120, 180, 240, 360, 480, 720, DAY) if 60 % each == 0 or each >= 60]
    near = min(even, key=lambda each: abs(each - every))
    raise UsageError(
        f"cron cannot run something every {every} minutes evenly", hint=f"--every {near}m, or --kind systemd"
    )


def with_job(crontab: str, job: Job) -> str:
    """Return a crontab with the job between its marks, in its place if it is there already; all else is untouched."""
    block = f"{_begin(job.name)}\n{cron_line(job)}\n{_end(job.name)}\n"
    if found := _block(job.name).search(crontab):
        return crontab[: found.start()] + block + crontab[found.end() :]
    if _begin(job.name) in crontab:
        raise UsageError("the crontab's lines of nffa were changed", hint="take them out with crontab -e, then again")
    return crontab + ("\n" if crontab and not crontab.endswith("\n") else "") + block


def without_job(crontab: str, name: str) -> str:
    """Return a crontab without the job of this name."""
    return _block(name).sub("", crontab)


def cron_jobs(crontab: str) -> Iterator[tuple[str, str]]:
    """Yield (name, line) of each job of nffa in a crontab."""
    for found in re.finditer(_lines(NAME), crontab, re.MULTILINE):
        yield found[1], found[2]


def _begin(name: str) -> str:
    return f"# nffa {name}: begin (written by nffa schedule install)"


def _end(name: str) -> str:
    return f"# nffa {name}: end"


def _lines(name: str) -> str:
    """Return the pattern of a job's three lines; anything else between its marks is somebody's own work."""
    return rf"^# nffa ({name}): begin \(written by nffa schedule install\)\n([^\n]*)\n# nffa \1: end(?:\n|\Z)"


def _block(name: str) -> re.Pattern[str]:
    return re.compile(_lines(re.escape(name)), re.MULTILINE)


# systemd


def service(job: Job) -> str:
    """Return the unit that runs the job once, for a user."""
    command = " ".join(_unit_word(word) for word in job.command)
    return (
        f"[Unit]\nDescription=nffa {job.name}\n\n[Service]\nType=oneshot\n"
        f"Environment={_unit_word(f'NFFA_HOME={job.home}', command=False)}\nExecStart={command}\n"
        f"StandardOutput=append:{_unit_path(job.log)}\nStandardError=append:{_unit_path(job.log)}\n"
    )


def timer(job: Job) -> str:
    """Return the unit that starts the service again and again."""
    return (
        f"[Unit]\nDescription=nffa {job.name}, every {job.every} minutes\n\n"
        f"[Timer]\nOnStartupSec=2min\nOnUnitActiveSec={job.every}min\nUnit=nffa-{job.name}.service\n\n"
        "[Install]\nWantedBy=timers.target\n"
    )


def _unit_word(word: str, *, command: bool = True) -> str:
    """Quote a word as systemd.service(5) reads it; ``$`` means something in commands only."""
    text = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{text.replace("$", "$$") if command else text}"'


def _unit_path(path: str) -> str:
    return path.replace("%", "%%")


# Windows


def task(job: Job) -> bytes:
    """Return the task as ``schtasks /Create /XML`` reads it: UTF-16 with a byte order mark.

    Never run on Windows. Raises UsageError for a path that the command interpreter would change.
    """
    for text in (*job.command, job.home):
        if set(text) & set('"%'):
            raise UsageError('a path with " or % cannot be scheduled on Windows', where=text)
    command = " ".join(f'"{word}"' if re.search(r"[^\w\\/:.=-]", word) else word for word in job.command)
    line = f'/d /s /c "set "NFFA_HOME={job.home}"&& {command} >> "{job.log}" 2>&1"'
    text = f"""<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo>
    <Author>nffa</Author>
    <Description>nffa {job.name}, every {job.every} minutes (nffa schedule install)</Description>
  </RegistrationInfo>
  <Triggers>
    <TimeTrigger>
      <Repetition>
        <Interval>{"P1D" if job.every == DAY else f"PT{job.every}M"}</Interval>
        <StopAtDurationEnd>false</StopAtDurationEnd>
      </Repetition>
      <StartBoundary>2020-01-01T00:00:00</StartBoundary>
      <Enabled>true</Enabled>
    </TimeTrigger>
  </Triggers>
  <Principals>
    <Principal id="Author">
      <LogonType>InteractiveToken</LogonType>
      <RunLevel>LeastPrivilege</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <StartWhenAvailable>true</StartWhenAvailable>
    <Enabled>true</Enabled>
    <ExecutionTimeLimit>PT24H</ExecutionTimeLimit>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>cmd.exe</Command>
      <Arguments>{escape(line)}</Arguments>
    </Exec>
  </Actions>
</Task>
"""
    return text.replace("\n", "\r\n").encode("utf-16")
