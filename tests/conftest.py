"""Fixtures, each with one line that says what it is for."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests import judges as judging

settings.register_profile("shared machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared machine")

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A fresh NFFA_HOME, so that no test can touch a user's catalogue."""
    folder = tmp_path / "nffa-home"
    monkeypatch.setenv("NFFA_HOME", str(folder))
    return folder


@pytest.fixture(scope="session")
def corpus():
    """The shared corpus of real instrument files; skips where it is absent."""
    folder = SHARED / "corpus"
    if not folder.is_dir():
        pytest.skip("needs ../shared/corpus (real instrument files, not part of the project)")
    return folder


@pytest.fixture(scope="session")
def judges_or_none():
    """A function: paths of NeXus files → {path: verdict} of pynxtools and silx; None where they are not at hand."""
    python = judging.interpreter()
    return None if python is None else partial(judging.judged, python)


@pytest.fixture(scope="session")
def judges(judges_or_none):
    """The judges; skips where they are not at hand."""
    return judges_or_none or pytest.skip(judging.ABSENT)


ALLOWED_SKIPS = ("needs torch",)
"""What even a complete test machine may lack."""


def pytest_addoption(parser):
    parser.addoption(
        "--strict-skips", action="store_true", help="fail when a test was skipped for want of anything but torch"
    )
    parser.addoption(
        "--judge-all", action="store_true", help="let pynxtools judge every export of the corpus, not every seventh"
    )


def pytest_terminal_summary(terminalreporter, exitstatus, config):
    if config.getoption("--strict-skips"):
        for reason in strange_skips(terminalreporter):
            terminalreporter.write_line(f"skipped, and should not be on a complete machine: {reason}", red=True)


def strange_skips(terminalreporter):
    reasons = {str(report.longrepr[2]) for report in terminalreporter.stats.get("skipped", [])}
    return sorted(reason for reason in reasons if not any(word in reason for word in ALLOWED_SKIPS))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session, exitstatus):
    terminalreporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if terminalreporter and session.config.getoption("--strict-skips") and strange_skips(terminalreporter):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
