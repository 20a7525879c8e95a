"""nffa in cron, systemd and the Task Scheduler: what they are told, and that nobody else's lines are touched."""

from __future__ import annotations

import json
import os
import shlex
import stat
import sys
import xml.etree.ElementTree as ET

import pytest

from nffa_cli import cli, scheduling, timers
from nffa_cli.errors import NffaError, UsageError

TASK = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"


def job(every=10, what="sync", folder=None, home="/var/lib/nffa home"):
    return scheduling.job(("/opt/n ffa/bin/nffa",), what, folder, every=every, home=home)


@pytest.mark.parametrize(("text", "wanted"), [("10m", 10), ("10", 10), ("2h", 120), ("1d", 1440), ("30 min", 30)])
def test_times_are_read(text, wanted):
    assert scheduling.minutes(text) == wanted


@pytest.mark.parametrize("text", ["", "0m", "2d", "10s", "-5m", "ten", "99999h", "1.5h"])
def test_times_that_are_none_are_refused(text):
    with pytest.raises(UsageError):
        scheduling.minutes(text)


@pytest.mark.parametrize(
    ("every", "times"),
    [(1, "* * * * *"), (10, "*/10 * * * *"), (60, "0 * * * *"), (120, "0 */2 * * *"), (1440, "0 0 * * *")],
)
def test_cron_is_told_when(every, times):
    assert scheduling.cron_line(job(every)).startswith(f"{times} NFFA_HOME=")


def test_cron_is_not_told_what_it_cannot_do():
    with pytest.raises(UsageError) as caught:
        scheduling.cron_line(job(7))
    assert "--every 6m" in caught.value.hint


def test_a_line_of_cron_means_the_same_to_the_shell():
    line = scheduling.cron_line(job(what="ingest", folder="/data/100% O'Neil $x"))
    assert "\\%" in line
    words = shlex.split(line.replace("\\%", "%"))
    assert words[5] == "NFFA_HOME=/var/lib/nffa home"
    assert words[6:9] == ["/opt/n ffa/bin/nffa", "ingest", "/data/100% O'Neil $x"]
    assert words[-3:] == [">>", "/var/lib/nffa home/schedule.log", "2>&1"]


@pytest.mark.parametrize("before", ["", "MAILTO=me\n0 1 * * * backup", "# nffa sync: begin of nothing\n5 * * * * x\n"])
def test_other_lines_of_the_crontab_are_left_as_they_are(before):
    once = scheduling.with_job(before, job())
    assert scheduling.with_job(once, job()) == once
    both = scheduling.with_job(once, job(what="ingest", folder="/data"))
    assert len(list(scheduling.cron_jobs(both))) == 2
    later = scheduling.with_job(both, job(every=30))
    assert later.count("*/30") == 1
    assert later.count("*/10") == 1
    for name, _ in list(scheduling.cron_jobs(later)):
        later = scheduling.without_job(later, name)
    assert later.rstrip("\n") == before.rstrip("\n")


def test_units_of_systemd():
    made = scheduling.job(("/opt/n ffa/nffa",), "ingest", '/data/50% "x" $y', every=7, home="/home/a%b")
    text = scheduling.service(made)
    assert 'ExecStart="/opt/n ffa/nffa" "ingest" "/data/50%% \\"x\\" $$y" "--json" "--quiet"' in text
    assert 'Environment="NFFA_HOME=/home/a%%b"' in text
    assert "StandardOutput=append:/home/a%%b/schedule.log" in text
    assert "OnUnitActiveSec=7min" in scheduling.timer(made)
    assert f"Unit=nffa-{made.name}.service" in scheduling.timer(made)


def test_the_task_of_windows_is_utf_16_and_well_formed():
    data = scheduling.task(job(what="ingest", folder="/data/Müller & Søn"))
    assert data.startswith((b"\xff\xfe", b"\xfe\xff"))
    root = ET.fromstring(data)
    assert root.findtext(f".//{TASK}Interval") == "PT10M"
    line = root.findtext(f".//{TASK}Arguments")
    assert '"/data/Müller & Søn"' in line
    assert 'set "NFFA_HOME=/var/lib/nffa home"&& ' in line
    assert root.findtext(f".//{TASK}MultipleInstancesPolicy") == "IgnoreNew"
    with pytest.raises(UsageError):
        scheduling.task(job(home="/100%"))


@pytest.mark.parametrize("home", ["/a\nb", "/a\udcffb", "/a\x1bb"])
def test_paths_that_would_write_other_lines_are_refused(home):
    with pytest.raises(UsageError):
        job(home=home)


@pytest.fixture
def system(tmp_path, monkeypatch):
    """A PATH with a crontab and a systemctl of our own that keep what they are told."""
    folder, kept = tmp_path / "bin", tmp_path / "kept"
    folder.mkdir()
    kept.mkdir()
    programs = {
        "crontab": f"""
import pathlib
tab = pathlib.Path({str(kept / "tab")!r})
if sys.argv[1:] == ["-l"]:
    if pathlib.Path({str(kept / "broken")!r}).exists():
        sys.exit("crontab: the spool cannot be opened")
    if not tab.exists():
        sys.exit("no crontab for me")
    sys.stdout.write(tab.read_text())
elif sys.argv[1:] == ["-"]:
    tab.write_text(sys.stdin.read())
""",
        "systemctl": "",
    }
    for name, body in programs.items():
        log = f"open({str(kept / 'calls')!r}, 'a').write(' '.join([{name!r}, *sys.argv[1:]]) + '\\n')"
        path = folder / name
        path.write_text(f"#!{sys.executable}\nimport sys\n{log}\n{body}")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("NFFA_TOKEN", "canary-of-a-token")
    return kept


def calls(system):
    return (system / "calls").read_text().splitlines() if (system / "calls").exists() else []


def run(capsys, *arguments):
    status = cli.run(["schedule", *arguments, "--json"])
    out = capsys.readouterr().out
    return status, [json.loads(line) for line in out.splitlines()]


def test_cron_is_installed_once_shown_and_removed(system, capsys, home):
    (system / "tab").write_text("0 1 * * * backup\n")
    status, lines = run(capsys, "install", "--kind", "cron")
    assert (status, lines[0]["status"]) == (0, "done")
    tab = (system / "tab").read_text()
    assert tab.startswith("0 1 * * * backup\n# nffa sync: begin")
    assert f"NFFA_HOME={home}" in tab
    assert timers.program()[0] in tab
    assert os.path.isabs(timers.program()[0])
    assert "canary" not in tab
    before = calls(system)
    assert run(capsys, "install", "--kind", "cron")[1][0]["status"] == "unchanged"
    assert calls(system)[len(before) :] == ["crontab -l"]
    assert [line["name"] for line in run(capsys, "show")[1][:-1]] == ["sync"]
    run(capsys, "remove")
    assert (system / "tab").read_text() == "0 1 * * * backup\n"
    assert run(capsys, "show")[1] == [{"type": "summary", "jobs": 0}]


def test_the_first_crontab_and_two_folders(system, capsys, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        run(capsys, "install", "--kind", "cron", "--what", "ingest", str(tmp_path / name), "--every", "5m")
    assert [line["status"] for line in run(capsys, "show")[1][:-1]] == ["done", "done"]
    name = run(capsys, "show")[1][0]["name"]
    assert len(run(capsys, "remove", "--name", name)[1]) == 2
    assert len(run(capsys, "show")[1]) == 2


def test_a_crontab_that_cannot_be_read_is_not_overwritten(system, capsys):
    (system / "broken").touch()
    with pytest.raises(NffaError, match="cannot be read"):
        timers.install(job(), "cron")
    assert "crontab -" not in calls(system)


def test_systemd_is_told_to_start_and_to_stop(system, capsys, tmp_path):
    run(capsys, "install", "--kind", "systemd", "--every", "7m")
    unit = tmp_path / "config/systemd/user/nffa-sync.timer"
    assert "OnUnitActiveSec=7min" in unit.read_text()
    assert calls(system) == ["systemctl --user daemon-reload", "systemctl --user enable --now nffa-sync.timer"]
    assert run(capsys, "install", "--kind", "systemd", "--every", "7m")[1][0]["status"] == "unchanged"
    assert len(calls(system)) == 2
    run(capsys, "remove", "--kind", "systemd")
    assert "systemctl --user disable --now nffa-sync.timer" in calls(system)
    assert not unit.exists()
    assert not unit.with_suffix(".service").exists()


def test_windows_gets_a_file_and_the_command_is_told(system, capsys, home):
    _, lines = run(capsys, "install", "--kind", "windows")
    path = home / "schedule" / "nffa-sync.xml"
    assert lines[0]["then"] == f"schtasks /Create /TN nffa\\sync /XML {path} /F"
    assert "canary" not in ET.tostring(ET.fromstring(path.read_bytes()), encoding="unicode")
    assert run(capsys, "remove")[1][0]["then"] == "schtasks /Delete /TN nffa\\sync /F"
    assert not path.exists()
    assert calls(system) == ["crontab -l"]


@pytest.mark.parametrize("kind", timers.KINDS)
def test_a_dry_run_changes_nothing(system, capsys, kind, tmp_path, home):
    _, lines = run(capsys, "install", "--kind", kind, "--dry-run")
    assert lines[0]["status"] == "waiting"
    assert lines[0]["text"]
    assert not home.exists()
    assert not (system / "tab").exists()
    assert not (tmp_path / "config").exists()


def test_an_ingest_without_its_folder_is_wrong_usage(capsys):
    assert cli.run(["schedule", "install", "--what", "ingest", "--kind", "cron"]) == 2
    assert "which folder" in capsys.readouterr().err


def test_lines_that_somebody_put_between_the_marks_are_not_lost():
    torn = scheduling.with_job("", job()).replace("# nffa sync: end\n", "5 * * * * mine\n")
    assert list(scheduling.cron_jobs(torn)) == []
    assert scheduling.without_job(torn, "sync") == torn
    with pytest.raises(UsageError):
        scheduling.with_job(torn, job())
