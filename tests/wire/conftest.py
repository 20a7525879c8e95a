"""Fixtures of every test here."""

from __future__ import annotations

import pytest

from nffa_cli import secrets


@pytest.fixture(autouse=True)
def no_keyring(monkeypatch):
    """No test touches the keyring of who runs it, nor a token of its environment."""
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    monkeypatch.setattr(secrets, "_keyring", lambda: None)
    monkeypatch.delenv("NFFA_TOKEN", raising=False)
    monkeypatch.setattr(secrets, "_first", {})
