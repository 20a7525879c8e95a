"""Fixtures, each with one line that says what it is for."""

from __future__ import annotations

from pathlib import Path

import pytest

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
