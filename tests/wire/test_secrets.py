"""Where tokens are kept, and who gets which."""

from __future__ import annotations

import os
import stat
import sys

import pytest

from nffa_cli import secrets
from nffa_cli.errors import ConfigError
from nffa_cli.secrets import Secret

A, B = "https://a.example/api", "https://b.example:8443"


def test_a_secret_is_kept_by_server_and_forgotten(home):
    assert secrets.find(A) is None
    assert secrets.keep(A, Secret("one")) == "file"
    secrets.keep(B, Secret(None, "refresh", "https://i.example", "c"))
    assert secrets.find("https://a.example/other") == (Secret("one"), "file")
    assert secrets.find("https://b.example") is None
    assert secrets.find(B)[0].refresh == "refresh"
    assert secrets.forget(A)
    assert not secrets.forget(A)
    assert secrets.find(A) is None
    assert "s3cret" not in repr(Secret("s3cret", "s3cret"))


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX modes")
def test_the_file_is_for_its_user_alone_and_a_wider_one_is_refused(home):
    secrets.keep(A, Secret("one"))
    path = secrets.path()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    for place, mode in ((path, 0o640), (path, 0o604), (path.parent, 0o750)):
        before = place.stat().st_mode
        place.chmod(mode)
        with pytest.raises(ConfigError, match="others can read") as error:
            secrets.find(A)
        assert "chmod" in error.value.hint
        place.chmod(stat.S_IMODE(before))
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")
    with pytest.raises(ConfigError):
        secrets.find(A)


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"a.example": 3}', '{"a.example": {"token": 3}}', '{"a.example": {"x": "y"}}']
)
def test_a_file_that_is_something_else_is_said(home, text):
    secrets.keep(A, Secret("one"))
    secrets.path().write_text(text)
    with pytest.raises(ConfigError):
        secrets.find(A)


def test_the_variable_is_for_the_first_server_only(monkeypatch, home):
    secrets.keep(B, Secret("kept"))
    monkeypatch.setenv("NFFA_TOKEN", "from-ci")
    assert secrets.find(A) == (Secret("from-ci"), "variable")
    assert secrets.find(B) == (Secret("kept"), "file")
    assert secrets.find(A)[0].token == "from-ci"


@pytest.mark.parametrize("token", ["two words", "a\nb", "ä", "x" * 20_000, "\x1b[0m"])
def test_what_is_no_token_is_not_kept(home, token):
    with pytest.raises(ConfigError) as error:
        secrets.keep(A, Secret(token))
    assert token not in str(error.value)


def test_a_keyring_is_preferred(home, monkeypatch):
    import keyring

    class Ring(dict):
        errors = keyring.errors

        def get_password(self, service, name):
            return self.get((service, name))

        def set_password(self, service, name, value):
            if len(value) > 1000:
                raise keyring.errors.PasswordSetError("too long")
            self[service, name] = value

        def delete_password(self, service, name):
            del self[service, name]

    ring = Ring()
    monkeypatch.setattr(secrets, "_keyring", lambda: ring)
    assert secrets.keep(A, Secret("one")) == "keyring"
    assert secrets.find(A) == (Secret("one"), "keyring")
    assert not secrets.path().exists()
    assert secrets.keep(B, Secret("x" * 2000)) == "file"
    assert secrets.find(B)[1] == "file"
    assert secrets.forget(A)
    assert secrets.find(A) is None
    assert os.path.exists(secrets.path())
