"""How far a long job is, told to whoever listens; the listener that draws lives in ``terminal.py``."""

from __future__ import annotations

from typing import Protocol


class Reporter(Protocol):
    """Hears about progress; loops never know who listens."""

    def begin(self, label: str, total: int | None) -> None:
        """Start a job of ``total`` steps (None: not known yet)."""

    def advance(self, steps: int = 1) -> None:
        """Take note that ``steps`` more are done."""

    def end(self) -> None:
        """Take note that the job is over."""


class Silent:
    """A reporter that tells nobody."""

    def begin(self, label: str, total: int | None) -> None:
        """Do nothing."""

    def advance(self, steps: int = 1) -> None:
        """Do nothing."""

    def end(self) -> None:
        """Do nothing."""
