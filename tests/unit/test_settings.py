"""Settings: flag over variable over file over default, each with its source; a wrong key names the nearest."""

from __future__ import annotations

import pytest

from nffa_cli import settings
from nffa_cli.errors import ConfigError


def write(home, text):
    home.mkdir(exist_ok=True)
    (home / "nffa.toml").write_text(text)


def test_precedence_and_sources(home):
    write(home, "[ingest]\nsettle = 3\njobs = 4\n[preview]\nsize = 256\n")
    values = settings.load({"NFFA_INGEST_JOBS": "2"}).over(ingest_settle=0.5, ingest_pictures=None)
    assert values["ingest.settle"] == 0.5
    assert values.source("ingest.settle") == "flag"
    assert (values["ingest.jobs"], values.source("ingest.jobs")) == (2, "$NFFA_INGEST_JOBS")
    assert (values["preview.size"], values.source("preview.size")) == (256, str(home / "nffa.toml"))
    assert (values["ingest.pictures"], values.source("ingest.pictures")) == (False, "default")


@pytest.mark.parametrize(
    ("text", "what", "hint"),
    [
        ("[ingest]\nsetle = 3\n", "unknown key ingest.setle", "ingest.settle"),
        ("[ingest]\nsettle = 'soon'\n", "must be a number", None),
        ("[ingest]\nsettle = -1\n", "must be a number", None),
        ("[preview]\nformat = 'gif'\n", "jpeg or png", None),
        ("[ingest\n", "no valid TOML", None),
    ],
)
def test_a_wrong_file_is_an_error_with_its_place(home, text, what, hint):
    write(home, text)
    with pytest.raises(ConfigError) as raised:
        settings.load({})
    assert what in str(raised.value)
    assert hint is None or hint in raised.value.hint


def test_a_wrong_variable_is_named():
    with pytest.raises(ConfigError, match=r"\$NFFA_INGEST_JOBS"):
        settings.load({"NFFA_INGEST_JOBS": "many"})


def test_what_ships_is_found():
    assert (settings.shipped("crosswalks") / "vocabulary.yaml").is_file()
