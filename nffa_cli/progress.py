"""How far a long job is, told to whoever listens; the listener that draws lives in ``terminal.py``."""

from __future__ import annotations

from typing import Protocol


class Reporter(Protocol):
    """Hears about progress; loops never know who listens. ``draws``: somebody watches, so that counting ahead is worth it."""

    draws: bool

    def begin(self, label: str, total: int | None) -> None:
        """Start a job of ``total`` steps (None: not known yet)."""

    def expect(self, total: int) -> None:
        """Take note that the job has ``total`` steps, as was found out meanwhile."""

    def advance(self, steps: int = 1) -> None:
        """Take note that ``steps`` more are done."""

    def end(self) -> None:
        """Take note that the job is over."""


class Silent:
    """A reporter that tells nobody."""

    draws = False

    def begin(self, label: str, total: int | None) -> None:
        """Do nothing."""

    def expect(self, total: int) -> None:
        """Do nothing."""

    def advance(self, steps: int = 1) -> None:
        """Do nothing."""

    def end(self) -> None:
        """Do nothing."""
