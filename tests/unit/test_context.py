"""Profiles and sessions: checked with line numbers, nearest folder wins, only documented keys, nothing steers."""

from __future__ import annotations

import pytest

from nffa_cli import context, forms
from nffa_cli.errors import ConfigError, UsageError


def session(folder, text):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "nffa-session.yaml").write_text(text)


def known(root, folder, home):
    return context.Contexts(str(root), home, home).of(str(folder))


def test_the_nearest_session_wins_key_by_key(tmp_path):
    session(tmp_path / "root", "sample: {name: S1, physical_form: bulk}\nuser: {name: Ada}\n")
    session(tmp_path / "root/day/run", "sample: {name: S2}\n")
    found = known(tmp_path / "root", tmp_path / "root/day/run", tmp_path / "home")
    assert found["session"] == {"sample": {"name": "S2", "physical_form": "bulk"}, "user": {"name": "Ada"}}


def test_sessions_above_the_ingest_root_are_not_looked_for(tmp_path):
    session(tmp_path, "sample: {name: outside}\n")
    session(tmp_path / "root", "user: {name: Ada}\n")
    assert known(tmp_path / "root", tmp_path / "root", tmp_path / "home")["session"] == {"user": {"name": "Ada"}}


def test_a_session_kept_by_folder_counts_like_one_beside_the_data(tmp_path):
    folder = tmp_path / "root/day"
    folder.mkdir(parents=True)
    context.save_session(tmp_path / "home", str(folder), {"sample.atom_types": ["Si", "O"], "licence": "CC-BY-4.0"})
    found = known(tmp_path / "root", folder, tmp_path / "home")
    assert found["session"] == {"sample": {"atom_types": ["Si", "O"]}, "licence": "CC-BY-4.0"}
    assert list(folder.iterdir()) == []


def test_the_digest_follows_what_is_known(tmp_path):
    root, home = tmp_path / "root", tmp_path / "home"
    root.mkdir()
    assert known(root, root, home)["digest"] is None
    session(root, "sample: {name: S1}\n")
    first = known(root, root, home)["digest"]
    session(root, "sample: {name: S2}\n")
    assert known(root, root, home)["digest"] not in (None, first)


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("sample:\n  nam: x\n", 2, "unknown key 'nam'"),
        ("destination: http://evil\n", 1, "unknown key 'destination'"),
        ("sample:\n  name: x\n  atom_types: [Si, Xx]\n", 3, "chemical symbols (no such: Xx)"),
        ("user: {orcid: 0000-0002-1825-0098}\n", 1, "check digit"),
        ("sample: {preparation_date: yesterday}\n", 1, "date and time"),
        ("sample: &a {name: x}\n", 1, "anchors and aliases"),
        ("sample: [\n", 2, "no valid YAML"),
        ("just text\n", 1, "must be a mapping"),
        ("instrument:\n  timezone: Mars/Phobos\n", 2, "time zone"),
    ],
)
def test_a_wrong_session_is_named_with_its_line(tmp_path, text, line, what):
    session(tmp_path, text)
    with pytest.raises(ConfigError) as raised:
        forms.read(tmp_path / "nffa-session.yaml", forms.SESSION)
    assert what in str(raised.value)
    assert f"nffa-session.yaml:{line}" in str(raised.value)


def test_a_wrong_session_stops_nothing_but_is_said(tmp_path):
    session(tmp_path, "sample:\n  nam: x\n")
    found = known(tmp_path, tmp_path, tmp_path / "home")
    assert found["session"] == {}
    assert "nffa-session.yaml:2" in found["problems"][0]


def test_a_session_of_a_megabyte_is_refused(tmp_path):
    session(tmp_path, "sample: {description: '" + "x" * 1_000_001 + "'}\n")
    assert "too large" in known(tmp_path, tmp_path, tmp_path / "home")["problems"][0]


def test_what_is_written_is_read_back(tmp_path):
    values = {"sample.name": 'He said "x": #1 é', "sample.is_simulation": False, "user.orcid": "0000-0002-1825-0097"}
    path = context.save_session(tmp_path / "home", str(tmp_path), values)
    assert forms.by_place(forms.read(path, forms.SESSION)) == values


def test_a_second_session_for_a_folder_needs_replace(tmp_path):
    context.save_session(tmp_path / "home", str(tmp_path), {"sample.name": "a"})
    with pytest.raises(UsageError):
        context.save_session(tmp_path / "home", str(tmp_path), {"sample.name": "b"})
    context.save_session(tmp_path / "home", str(tmp_path), {"sample.name": "b"}, replace=True)
    assert known(tmp_path, tmp_path, tmp_path / "home")["session"] == {"sample": {"name": "b"}}


@pytest.mark.parametrize(
    ("name", "values"),
    [("../up", {"vendor": "Z"}), ("ok", {}), ("ok", {"facility": "F"}), ("ok", {"vendor": "Z", "date_order": "YDM"})],
)
def test_a_profile_that_cannot_be_is_refused(tmp_path, name, values):
    with pytest.raises((UsageError, ConfigError)):
        context.save_profile(tmp_path, name, values)
    assert not list(tmp_path.rglob("*.yaml"))
